"""Compares forward and backward passes with a reference, and says which of the two is at fault."""

import contextlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from grader.checks.compare import Array, assert_close, show
from grader.checks.conditioning import slack_of
from grader.checks.differences import Fault, differences, forward_pass, fresh, with_kinks_of
from grader.checks.memo import once
from grader.checks.showing import telling
from grader.checks.trees import (
    Tree,
    as_numpy,
    float_dtype,
    is_float,
    leaves,
    mapped,
    scaled,
    the_torch,
    to_tensor,
    widened,
)
from grader.failure import Failure, StudentError
from grader.student import StudentFunction, reveal, unpack


@telling
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
    expected = once(lambda: _evaluate(reference, inputs, options), reference, inputs, options)
    actual = function(*inputs.values(), **fresh(options))
    kept = dtype or float_dtype(inputs)
    slack = slack_of(
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


@telling
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

    The upstream gradient is random. In a check's first examples another forward pass lies between the two, and the backward
    runs again with another upstream gradient (scaled, or zero), which finds caches that are kept in a global or changed.
    Where a gradient disagrees, central differences of the student's own forward tell which of the two is at fault.

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
    wrt = [name for name in inputs if name not in constant and is_float(inputs[name])]
    dtype = float_dtype(inputs)
    out, cache = forward_pass(forward, inputs, options, returns)
    upstream_of = partial(_upstream, inputs, dtype)
    grad_out, expected_out, expected = once(
        lambda: _gradients(reference, inputs, options, wrt, upstream_of),
        reference,
        inputs,
        options,
        wrt,
        dtype,
    )
    assert_close(
        out,
        expected_out,
        what=f"out of {forward.__name__}",
        dtype=dtype,
        tolerance=tolerance,
        slack=slack_of(
            lambda values, precision: _evaluate(
                reference, values, options, first=True, dtype=precision
            ),
            inputs,
            dtype,
        ),
    )
    probing = _probing(forward)
    if probing:
        _decoy(forward, inputs, options)
    for factor in (1.0, _second_factor(grad_out)) if probing else (1.0,):
        upstream = (factor * grad_out).astype(dtype)
        parts = _in_order(backward(upstream, cache), wrt, backward.__name__)
        slack = slack_of(
            partial(_scaled_gradients, reference, options, wrt, upstream), inputs, dtype
        )
        for position, name in enumerate(wrt):
            try:
                assert_close(
                    parts[position],
                    scaled(expected[position], factor),
                    what=f"grad_{name} of {backward.__name__}",
                    dtype=dtype,
                    scale=_gradient_scale(upstream, expected_out, inputs[name]),
                    tolerance=tolerance,
                    slack=partial(_item_of, slack, position),
                )
            except Failure as failure:
                if failure.aspect != "value" or not _explaining(forward):
                    raise
                at_fault = Fault(forward, inputs, options, returns, backward.__name__)
                raise failure.with_details(
                    *_small("grad_out", upstream),
                    *at_fault.lines(name, upstream, parts[position], factor),
                ) from None


def _probing(function: StudentFunction) -> bool:
    """Whether this example has the further calls that find what is kept where it should not be."""
    student = getattr(function, "_student", None)
    return student is None or student._probing


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
    return _gradients(reference, values, options, wrt, lambda _: upstream, precision)[2]


def _small(name: str, array: Array) -> Sequence[str]:
    return (f"{name}: {' '.join(show(array).split())}",) if array.size <= 12 else ()


@telling
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
    inputs = {name: widened(value) for name, value in inputs.items()}
    wrt = [name for name in inputs if name not in constant and is_float(inputs[name])]
    out, cache = forward_pass(forward, inputs, options, returns)
    grad_out = _upstream(inputs, "float64", out)
    parts = _in_order(backward(grad_out, cache), wrt, backward.__name__)
    for position, name in enumerate(wrt):
        numeric = differences(forward, inputs, options, returns, name, grad_out)
        actual = reveal(parts[position])
        assert_close(
            actual,
            with_kinks_of(numeric, actual),
            what=f"grad_{name} of {backward.__name__}",
            dtype="float64",
            tolerance=1e4,
        )


@telling
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
        function(*inputs.values(), **fresh(options)),
        "value",
        f"grad_{wrt}",
        what=function.__name__,
    )
    _, expected, gradients = once(
        lambda: _gradients(reference, inputs, options, [wrt], _one),
        reference,
        inputs,
        options,
        wrt,
    )
    assert_close(
        value,
        expected,
        what=f"value of {function.__name__}",
        dtype=dtype,  # a float made of float32 arrays is as exact as they are
        tolerance=tolerance,
        slack=slack_of(
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
        slack=slack_of(
            lambda values, precision: _gradients(
                reference, values, options, [wrt], _one, precision
            )[2][0],
            inputs,
            dtype,
        ),
    )


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
        value = reference(*(to_tensor(item, dtype) for item in inputs.values()), **fresh(options))
    if first and isinstance(value, (list, tuple)):
        value = value[0]
    return as_numpy(value)


def _gradients(
    reference: Callable[..., Any],
    inputs: Mapping[str, Any],
    options: Mapping[str, Any],
    wrt: Sequence[str],
    upstream_of: Callable[[Array], Array],
    dtype: str = "float64",
) -> tuple[Array, Array, list[Tree]]:
    """An upstream gradient made for the reference's first output, that output, and its gradients, as numpy trees."""
    torch = the_torch()

    tensors = {name: to_tensor(value, dtype) for name, value in inputs.items()}
    wanted = [leaf.requires_grad_() for name in wrt for leaf in leaves(tensors[name])]
    out = reference(*tensors.values(), **fresh(options))
    out = out[0] if isinstance(out, (list, tuple)) else out
    grad_out = upstream_of(out.detach().numpy())
    if out.requires_grad:
        # through a scalar: torch imports sympy, for half a second, to check the shape of a gradient that it is given
        total = (out * torch.from_numpy(np.array(grad_out, dtype=dtype, order="C"))).sum()
        found = torch.autograd.grad(total, wanted, allow_unused=True)
    else:
        found = (None,) * len(wanted)
    grads = {
        id(leaf): (np.zeros(tuple(leaf.shape)) if grad is None else grad.numpy())
        for leaf, grad in zip(wanted, found, strict=True)
    }
    return (
        grad_out,
        out.detach().numpy(),
        [mapped(lambda leaf: grads[id(leaf)], tensors[name]) for name in wrt],
    )


def _one(_out: Array) -> Array:
    return np.ones(())


def _decoy(forward: StudentFunction, inputs: Mapping[str, Any], options: Mapping[str, Any]) -> None:
    """Forward passes on other values, and in the other mode: what was kept in a global is lost."""
    __tracebackhide__ = True
    others = [
        mapped(
            lambda leaf: (
                (leaf[::-1] * 0.5 + 1).astype(leaf.dtype)
                if leaf.ndim and leaf.dtype.kind == "f"
                else leaf
            ),
            value,
        )
        for value in inputs.values()
    ]
    forward(*others, **fresh(options))
    flipped = {name: not value for name, value in options.items() if isinstance(value, bool)}
    if flipped:
        with contextlib.suppress(StudentError):  # the other mode may refuse these values
            forward(*others, **fresh({**options, **flipped}))


def _upstream(inputs: Mapping[str, Any], dtype: str, out: Any) -> Array:
    """A random upstream gradient like out, in a layout of its own."""
    shape = np.shape(out)
    seed = [len(shape), *shape, *(int(np.size(leaf)) for leaf in leaves(list(inputs.values())))]
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
        for leaf in (upstream, np.asarray(out), *leaves(value))
    ]
    largest = max(scale[2:], default=0.0)
    by_units = scale[0] * scale[1] / largest if largest > 0 else 0.0
    return max(by_units, 0.1 * scale[0] * largest)
