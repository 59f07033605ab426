"""Compares forward and backward passes with a reference, and says which of the two is at fault."""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from grader.checks.compare import Array, assert_close, show
from grader.failure import Failure, StudentError
from grader.student import StudentFunction, reveal, unpack
from grader.worker.program import clone

Tree = Any
"""An array or tensor, or nested lists and tuples of them."""

_DIRECTIONS = 8
_ROUNDINGS = 16.0


def the_torch() -> Any:
    """Torch on one thread: on arrays of this size more only wait for each other."""
    import torch

    if torch.get_num_threads() != 1:
        torch.set_num_threads(1)
    return torch


def to_tensor(tree: Tree, dtype: str = "float64") -> Tree:
    """float64 (integers: int64) tensors, C-ordered copies: torch is wrong on some other layouts.

    >>> to_tensor(np.ones((2, 3), dtype=np.float32)).dtype
    torch.float64
    """
    torch = the_torch()

    if isinstance(tree, (list, tuple)):
        return type(tree)(to_tensor(item, dtype) for item in tree)
    if isinstance(tree, np.ndarray):
        wide = tree.astype(dtype if tree.dtype.kind == "f" else tree.dtype, order="C")
        return torch.from_numpy(np.array(wide, order="C", copy=True))
    return tree


def check_forward(
    function: StudentFunction,
    *,
    reference: Callable[..., Any],
    inputs: Mapping[str, Any],
    options: Mapping[str, Any] | None = None,
    returns: Sequence[str | None] | None = None,
    dtype: str | None = None,
    scale: float | None = None,
    tolerance: float = 1.0,
) -> None:
    """Compares a function's answer with the reference's.

    Args:
        function: the student's function, called as `function(*inputs.values(), **options)`.
        reference: called with float64 tensors in the place of arrays, and the same options.
        inputs: name -> array, or lists of arrays.
        options: keyword options.
        returns: names of the answer's items, None for one that is opaque; without it, the whole answer is compared.
        dtype: expected dtype of arrays, instead of the inputs' own.
        scale: magnitude of terms that cancel.
        tolerance: factor on the standard tolerance.

    Raises:
        Failure: the answer differs.
        StudentError: the function raised or returned something unusable.

    In a check (`student` is the fixture; here the functions stand for the student's):

    >>> def relu_forward(x):
    ...     return np.maximum(x, 0), x
    >>> check_forward(
    ...     relu_forward, reference=lambda x: x.clamp(min=0), inputs={"x": np.array([-1.0, 2.0])}, returns=("out", None)
    ... )
    """
    __tracebackhide__ = True
    options = dict(options or {})
    name = function.__name__
    expected = _evaluate(reference, inputs, options)
    actual = function(*inputs.values(), **_fresh(options))
    kept = dtype or float_dtype(inputs)
    slack = _slack(
        lambda values, precision: _evaluate(reference, values, options, dtype=precision),
        inputs,
        kept,
    )
    if returns is None:
        assert_close(
            actual, expected, what=name, dtype=kept, scale=scale, tolerance=tolerance, slack=slack
        )
        return
    parts = unpack(actual, *(item or "cache" for item in returns), what=name)
    named = [(item, part) for item, part in zip(returns, parts, strict=True) if item is not None]
    for position, (item, part) in enumerate(named):
        single = len(named) == 1
        assert_close(
            part,
            expected if single else expected[position],
            what=f"{item} of {name}",
            dtype=kept,
            scale=scale,
            tolerance=tolerance,
            slack=slack if single else partial(_item_of, slack, position),
        )


def _item_of(tree: Callable[[], Any], position: int) -> Any:
    return tree()[position]


def check_backward(
    forward: StudentFunction,
    backward: StudentFunction,
    *,
    reference: Callable[..., Any],
    inputs: Mapping[str, Any],
    options: Mapping[str, Any] | None = None,
    constant: Sequence[str] = (),
    returns: Sequence[str] = ("out", "cache"),
    tolerance: float = 1.0,
) -> None:
    """Compares a forward pass with a reference, and the backward pass with autograd of the reference.

    The upstream gradient is random; the backward runs again with another one (scaled, or zero), and another forward pass lies
    between the two, which finds caches that are kept in a global or changed. Where a gradient disagrees, central
    differences of the student's own forward tell which of the two is at fault.

    Args:
        forward: `forward(*inputs.values(), **options)` returns the items named in `returns`.
        backward: `backward(grad_out, cache)` returns the gradients of sum(out * grad_out) with respect to the inputs, in order.
        reference: called with float64 tensors and the options; returns out, or a tuple that begins with it.
        inputs: name -> float array, or list of arrays; integer arrays have no gradient.
        options: keyword options; a `numpy.random.Generator` is passed in the same state each time.
        constant: names of inputs without a gradient.
        returns: names of the forward's items, among them "out" and "cache".
        tolerance: factor on the standard tolerance.

    Raises:
        Failure: out or a gradient differs.
        StudentError: a function raised or returned something unusable.

    >>> def square_forward(x):
    ...     return x * x, x
    >>> def square_backward(grad_out, cache):
    ...     return 2 * grad_out * cache
    >>> check_backward(
    ...     square_forward, square_backward, reference=lambda x: x**2, inputs={"x": np.array([-1.0, 2.0])}
    ... )
    """
    __tracebackhide__ = True
    options = dict(options or {})
    wrt = [name for name in inputs if name not in constant and _is_float(inputs[name])]
    dtype = float_dtype(inputs)
    out, cache = _forward(forward, inputs, options, returns)
    grad_out = _upstream(inputs, _evaluate(reference, inputs, options, first=True), dtype)
    expected_out, expected = _gradients(reference, inputs, options, wrt, grad_out)
    assert_close(
        out,
        expected_out,
        what=f"out of {forward.__name__}",
        dtype=dtype,
        tolerance=tolerance,
        slack=_slack(
            lambda values, precision: _evaluate(
                reference, values, options, first=True, dtype=precision
            ),
            inputs,
            dtype,
        ),
    )
    _decoy(forward, inputs, options)
    for factor in (1.0, _second_factor(grad_out)):
        upstream = (factor * grad_out).astype(dtype)
        parts = _in_order(backward(upstream, cache), wrt, backward.__name__)
        slack = _slack(partial(_scaled_gradients, reference, options, wrt, upstream), inputs, dtype)
        for position, name in enumerate(wrt):
            try:
                assert_close(
                    parts[position],
                    _scaled(expected[position], factor),
                    what=f"grad_{name} of {backward.__name__}",
                    dtype=dtype,
                    scale=_gradient_scale(upstream, expected_out, inputs[name]),
                    tolerance=tolerance,
                    slack=partial(_item_of, slack, position),
                )
            except Failure as failure:
                if failure.aspect != "value" or not _explaining(forward):
                    raise
                at_fault = _Fault(forward, inputs, options, returns, backward.__name__)
                raise failure.with_details(
                    *_small("grad_out", upstream),
                    *at_fault.lines(name, upstream, parts[position], factor),
                ) from None


def _explaining(function: StudentFunction) -> bool:
    """Whether somebody will read the message: differences take many calls."""
    student = getattr(function, "_student", None)
    return student is None or student._explaining


def _scaled_gradients(
    reference: Callable[..., Any],
    options: Mapping[str, Any],
    wrt: Sequence[str],
    upstream: Array,
    values: Mapping[str, Any],
    precision: str,
) -> list[Tree]:
    return _gradients(reference, values, options, wrt, upstream, precision)[1]


def _small(name: str, array: Array) -> Sequence[str]:
    return (f"{name}: {' '.join(show(array).split())}",) if array.size <= 12 else ()


def check_gradients(
    forward: StudentFunction,
    backward: StudentFunction,
    *,
    inputs: Mapping[str, Any],
    options: Mapping[str, Any] | None = None,
    constant: Sequence[str] = (),
    returns: Sequence[str] = ("out", "cache"),
) -> None:
    """Compares the backward pass with central differences of the student's own forward, without a reference.

    It shows that backward belongs to forward, not that forward is right; elements at a kink are left out. float64 only:
    inputs in float32 are widened.

    Raises:
        Failure: a gradient differs by more than the differences' own error.

    >>> def cube_forward(x):
    ...     return x**3, x
    >>> def cube_backward(grad_out, cache):
    ...     return 3 * grad_out * cache**2
    >>> check_gradients(cube_forward, cube_backward, inputs={"x": np.array([-1.0, 2.0])})
    """
    __tracebackhide__ = True
    options = dict(options or {})
    inputs = {name: _widened(value) for name, value in inputs.items()}
    wrt = [name for name in inputs if name not in constant and _is_float(inputs[name])]
    out, cache = _forward(forward, inputs, options, returns)
    grad_out = _upstream(inputs, out, "float64")
    parts = _in_order(backward(grad_out, cache), wrt, backward.__name__)
    for position, name in enumerate(wrt):
        numeric = _differences(forward, inputs, options, returns, name, grad_out)
        actual = reveal(parts[position])
        assert_close(
            actual,
            _like(numeric, actual),
            what=f"grad_{name} of {backward.__name__}",
            dtype="float64",
            tolerance=1e4,
        )


def check_value_and_gradient(
    function: StudentFunction,
    *,
    reference: Callable[..., Any],
    inputs: Mapping[str, Any],
    wrt: str,
    options: Mapping[str, Any] | None = None,
    tolerance: float = 1.0,
) -> None:
    """Compares a function that returns `(value, gradient)` with a scalar reference and its autograd.

    Args:
        function: the student's function.
        reference: called with float64 tensors, returns a 0-d tensor.
        inputs: name -> array or list of arrays.
        wrt: the input that the gradient belongs to.
        options: keyword options.
        tolerance: factor on the standard tolerance.

    Raises:
        Failure: value or gradient differs.

    >>> def mean_square(x):
    ...     return np.mean(x**2), 2 * x / x.size
    >>> check_value_and_gradient(
    ...     mean_square, reference=lambda x: (x**2).mean(), inputs={"x": np.array([-1.0, 2.0])}, wrt="x"
    ... )
    """
    __tracebackhide__ = True
    options = dict(options or {})
    dtype = float_dtype(inputs)
    value, gradient = unpack(
        function(*inputs.values(), **_fresh(options)),
        "value",
        f"grad_{wrt}",
        what=function.__name__,
    )
    expected, gradients = _gradients(reference, inputs, options, [wrt], np.ones(()))
    assert_close(
        value,
        expected,
        what=f"value of {function.__name__}",
        tolerance=tolerance if dtype == "float64" else tolerance * 5e3,
        slack=_slack(
            lambda values, precision: _evaluate(reference, values, options, dtype=precision),
            inputs,
            dtype,
        ),
    )
    assert_close(
        gradient,
        gradients[0],
        what=f"grad_{wrt} of {function.__name__}",
        dtype=dtype,
        tolerance=tolerance,
        slack=_slack(
            lambda values, precision: _gradients(
                reference, values, options, [wrt], np.ones(()), precision
            )[1][0],
            inputs,
            dtype,
        ),
    )


def float_dtype(inputs: Mapping[str, Any]) -> str:
    """The dtype that a function must return: the first float input's."""
    for array in _leaves(list(inputs.values())):
        if array.dtype.kind == "f":
            return str(array.dtype)
    return "float64"


def _fresh(options: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: clone(value) if isinstance(value, np.random.Generator) else value
        for name, value in options.items()
    }


def _evaluate(
    reference: Callable[..., Any],
    inputs: Mapping[str, Any],
    options: Mapping[str, Any],
    *,
    first: bool = False,
    dtype: str = "float64",
) -> Any:
    torch = the_torch()

    with torch.no_grad():
        value = reference(*(to_tensor(item, dtype) for item in inputs.values()), **_fresh(options))
    if first and isinstance(value, (list, tuple)):
        value = value[0]
    return _numpy(value)


def _gradients(
    reference: Callable[..., Any],
    inputs: Mapping[str, Any],
    options: Mapping[str, Any],
    wrt: Sequence[str],
    grad_out: Array,
    dtype: str = "float64",
) -> tuple[Any, list[Tree]]:
    """The reference's first output and its gradients, as numpy trees."""
    torch = the_torch()

    tensors = {name: to_tensor(value, dtype) for name, value in inputs.items()}
    leaves = [leaf.requires_grad_() for name in wrt for leaf in _leaves(tensors[name])]
    out = reference(*tensors.values(), **_fresh(options))
    out = out[0] if isinstance(out, (list, tuple)) else out
    if out.requires_grad:
        # through a scalar: torch imports sympy, for half a second, to check the shape of a gradient that it is given
        total = (out * torch.from_numpy(np.array(grad_out, dtype=dtype, order="C"))).sum()
        found = torch.autograd.grad(total, leaves, allow_unused=True)
    else:
        found = (None,) * len(leaves)
    grads = {
        id(leaf): (np.zeros(tuple(leaf.shape)) if grad is None else grad.numpy())
        for leaf, grad in zip(leaves, found, strict=True)
    }
    return out.detach().numpy(), [
        _mapped(lambda leaf: grads[id(leaf)], tensors[name]) for name in wrt
    ]


def _forward(
    forward: StudentFunction,
    inputs: Mapping[str, Any],
    options: Mapping[str, Any],
    returns: Sequence[str],
) -> tuple[Any, Any]:
    __tracebackhide__ = True
    parts = unpack(forward(*inputs.values(), **_fresh(options)), *returns, what=forward.__name__)
    return parts[list(returns).index("out")], parts[list(returns).index("cache")]


def _decoy(forward: StudentFunction, inputs: Mapping[str, Any], options: Mapping[str, Any]) -> None:
    """Forward passes on other values, and in the other mode: what was kept in a global is lost."""
    __tracebackhide__ = True
    others = [
        _mapped(
            lambda leaf: (
                (leaf[::-1] * 0.5 + 1).astype(leaf.dtype)
                if leaf.ndim and leaf.dtype.kind == "f"
                else leaf
            ),
            value,
        )
        for value in inputs.values()
    ]
    forward(*others, **_fresh(options))
    flipped = {name: not value for name, value in options.items() if isinstance(value, bool)}
    if flipped:
        with contextlib.suppress(StudentError):  # the other mode may refuse these values
            forward(*others, **_fresh({**options, **flipped}))


def _upstream(inputs: Mapping[str, Any], out: Any, dtype: str) -> Array:
    """A random upstream gradient like out, in a layout of its own."""
    shape = np.shape(out)
    seed = [len(shape), *shape, *(int(np.size(leaf)) for leaf in _leaves(list(inputs.values())))]
    rng = np.random.default_rng(seed)
    small = rng.integers(-3, 4, size=shape) if len(seed) % 2 else rng.standard_normal(shape)
    values = np.asarray(small, dtype=dtype) + np.asarray(0.25, dtype=dtype)
    return np.asfortranarray(values) if sum(seed) % 3 == 0 else values


def _second_factor(grad_out: Array) -> float:
    return 0.0 if grad_out.size % 4 == 1 else -2.0


def _in_order(gradients: Any, wrt: Sequence[str], what: str) -> tuple[Any, ...]:
    if len(wrt) == 1:
        if isinstance(gradients, tuple) and len(gradients) == 1:
            raise Failure(
                f"{what} returns a tuple of one, but a single gradient is returned bare.",
                aspect="type",
            )
        return (gradients,)
    return unpack(gradients, *(f"grad_{name}" for name in wrt), what=what)


def _gradient_scale(upstream: Array, out: Any, value: Tree) -> float:
    """Magnitude of the terms of a gradient, by its units: those of grad_out times out over the input."""
    scale = [
        float(np.max(np.abs(leaf), initial=0.0))
        for leaf in (upstream, np.asarray(out), *_leaves(value))
    ]
    largest = max(scale[2:], default=0.0)
    by_units = scale[0] * scale[1] / largest if largest > 0 else 0.0
    return max(by_units, 0.1 * scale[0] * largest)


def _slack(
    function: Callable[[Mapping[str, Any], str], Any], inputs: Mapping[str, Any], dtype: str
) -> Callable[[], Any]:
    """How ill-conditioned a case is, measured on the reference; called only where an answer disagrees.

    Two effects that no order of operations escapes, each with a factor of 16 for longer chains than torch's: rounding the inputs
    moves the exact result (what any backward-stable answer may differ by), and rounding inside moves the computed one
    (torch in float32 against float64, in units of the dtype's own roundoff).
    """

    def measure() -> Any:
        rng = np.random.default_rng(0)
        unit = float(np.finfo(dtype).eps)
        ratio = unit / float(np.finfo(np.float32).eps)
        exact = function(inputs, "float64")
        worst = _mapped(lambda leaf: np.zeros(np.shape(leaf)), exact)
        for _ in range(_DIRECTIONS):
            moved, rounded = (
                _moved(inputs, rng, unit),
                _moved(inputs, rng, float(np.finfo(np.float32).eps)),
            )
            worst = _zipped(_larger(1.0), worst, function(moved, "float64"), exact)
            try:
                computed = function(rounded, "float32")
            except RuntimeError:  # the reference mixes in float64 values of its own
                continue
            worst = _zipped(_larger(ratio), worst, computed, function(rounded, "float64"))
        return worst

    return measure


def _larger(ratio: float) -> Callable[[Any, Any, Any], Any]:
    def larger(most: Any, new: Any, old: Any) -> Any:
        with np.errstate(invalid="ignore"):
            difference = np.abs(
                np.asarray(new, dtype=np.float64) - np.asarray(old, dtype=np.float64)
            )
        return np.fmax(most, _ROUNDINGS * ratio * difference)

    return larger


def _moved(inputs: Mapping[str, Any], rng: np.random.Generator, unit: float) -> dict[str, Any]:
    """The inputs, widened, each float element moved by one unit of rounding up or down."""

    def move(leaf: Any) -> Any:
        if np.asarray(leaf).dtype.kind != "f":
            return leaf
        wide = np.asarray(leaf, dtype=np.float64)
        moved = wide * (1 + unit * rng.choice([-1.0, 1.0], size=wide.shape))
        return np.asarray(moved)  # a 0-d product is a scalar

    return {name: _mapped(move, value) for name, value in inputs.items()}


class _Fault(NamedTuple):
    """Tells, from central differences of the student's own forward, which pass a fault lies in."""

    forward: StudentFunction
    inputs: Mapping[str, Any]
    options: Mapping[str, Any]
    returns: Sequence[str]
    backward_name: str

    def lines(self, name: str, upstream: Array, gradient: Any, factor: float) -> Sequence[str]:
        if factor == 0.0:
            return ("The upstream gradient is zero here, so every gradient is: is grad_out used?",)
        if factor != 1.0:
            return (
                f"The fault lies in {self.backward_name}: its second call, with the same cache.",
            )
        wide = {key: _widened(value) for key, value in self.inputs.items()}
        if sum(leaf.size for leaf in _leaves(wide[name])) > 200:
            return ()
        actual = reveal(gradient)
        try:
            numeric = _differences(
                self.forward,
                wide,
                self.options,
                self.returns,
                name,
                upstream.astype(np.float64),
            )
            assert_close(
                actual, _like(numeric, actual), what="", dtype=upstream.dtype, tolerance=1e4
            )
        except Failure:
            return (
                f"The forward pass is right here; the fault lies in {self.backward_name}, or in what it calls.",
            )
        return (
            f"{self.backward_name} is the right gradient of your {self.forward.__name__}:",
            f"the fault lies there, in how its out depends on {name}.",
        )


def _differences(
    forward: StudentFunction,
    inputs: Mapping[str, Any],
    options: Mapping[str, Any],
    returns: Sequence[str],
    name: str,
    grad_out: Array,
) -> Tree:
    """Central differences of sum(out * grad_out) in one input; NaN at a kink.

    The step is u^(1/3) times the value's magnitude, where the error of the formula (step^2) and of rounding (u / step)
    balance (Nocedal and Wright, Numerical Optimization, section 8.1); two steps that disagree show a kink.
    """
    step_size = float(np.finfo(np.float64).eps) ** (1 / 3)
    copies = {
        key: _mapped(lambda leaf: np.array(leaf, order="C"), value) for key, value in inputs.items()
    }

    def total() -> float:
        out, _ = _forward(forward, copies, options, returns)
        return float(np.sum(np.asarray(out, dtype=np.float64) * grad_out))

    def derivative(leaf: Array) -> Array:
        result = np.empty(leaf.shape)
        for index in np.ndindex(leaf.shape):
            middle = leaf[index]
            slopes = []
            for step in (step_size * max(1.0, abs(middle)), 4 * step_size * max(1.0, abs(middle))):
                leaf[index] = middle + step
                above = total()
                leaf[index] = middle - step
                slopes.append((above - total()) / (2 * step))
            leaf[index] = middle
            agree = abs(slopes[0] - slopes[1]) <= 1e-4 * (1 + abs(slopes[0]))
            result[index] = slopes[0] if agree else np.nan
        return result

    return _mapped(derivative, copies[name])


def _like(numeric: Tree, actual: Tree) -> Tree:
    """The differences, with the answer itself where they mean nothing (at a kink)."""
    if isinstance(numeric, (list, tuple)):
        return [_like(one, other) for one, other in zip(numeric, actual, strict=False)]
    if isinstance(actual, np.ndarray) and actual.shape == numeric.shape:
        return np.where(np.isnan(numeric), actual, numeric)
    return numeric


def _widened(tree: Tree) -> Tree:
    return _mapped(lambda leaf: leaf.astype(np.float64) if leaf.dtype.kind == "f" else leaf, tree)


def _scaled(tree: Tree, factor: float) -> Tree:
    return _mapped(lambda leaf: factor * leaf, tree)


def _numpy(tree: Any) -> Any:
    if isinstance(tree, (list, tuple)):
        return [_numpy(item) for item in tree]
    if isinstance(tree, dict):
        return {key: _numpy(item) for key, item in tree.items()}
    return tree.detach().numpy() if hasattr(tree, "detach") else tree


def _leaves(tree: Tree) -> list[Any]:
    if isinstance(tree, (list, tuple)):
        return [leaf for item in tree for leaf in _leaves(item)]
    return [tree] if hasattr(tree, "dtype") else []


def _is_float(tree: Tree) -> bool:
    leaves = _leaves(tree)
    return bool(leaves) and all(leaf.dtype.kind == "f" for leaf in leaves)


def _mapped(function: Callable[[Any], Any], tree: Tree) -> Tree:
    if isinstance(tree, (list, tuple)):
        return type(tree)(_mapped(function, item) for item in tree)
    if isinstance(tree, dict):
        return {key: _mapped(function, item) for key, item in tree.items()}
    return function(tree)


def _zipped(function: Callable[..., Any], *trees: Tree) -> Tree:
    if isinstance(trees[0], (list, tuple)):
        return [_zipped(function, *items) for items in zip(*trees, strict=True)]
    if isinstance(trees[0], dict):
        return {key: _zipped(function, *(tree[key] for tree in trees)) for key in trees[0]}
    return function(*trees)


__all__ = [
    "check_backward",
    "check_forward",
    "check_gradients",
    "check_value_and_gradient",
    "float_dtype",
    "to_tensor",
]
