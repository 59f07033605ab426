"""Compares what a student returned with what is expected, and says in words what differs.

Tolerances, in one place:

An element agrees when `|actual - expected| <= rtol * |expected| + atol * scale`, where `scale` is the magnitude of the
terms that were added up (by default the largest magnitude expected in the array; never its number of elements).
With unit roundoff u (1.1e-16 in float64, 6e-8 in float32), a sum of n terms in any order is off by at most n u times the
sum of magnitudes (Higham, Accuracy and Stability of Numerical Algorithms, section 4.2), and a chain of k such operations
by about k times that. Arrays here have n k below 1e4, which gives 1e-12 and 6e-4; in practice errors grow with
the square root. float64 gets `rtol` 1e-7 and `atol` 1e-10, hundreds of times what any sound order of operations needs
(a variance as E[x^2] - E[x]^2 with a mean of 1e3 standard deviations included) and still below the effect of an eps of 1e-5
in the wrong place. float32 gets `rtol` 5e-4 and `atol` 5e-5: formulas are judged in float64, float32 shows only that they
hold up in that precision.
"""

import functools
import math
import textwrap
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from grader.failure import Failure, StudentError
from grader.student import Opaque, Unusable, in_words, revealed

Array = np.ndarray[Any, np.dtype[Any]]

_LINES_AT_MOST = 4
"""Of an array that is shown a row a line."""


class Tolerance(NamedTuple):
    """Allowed error: `rtol` times the expected value plus `atol` times the scale."""

    rtol: float
    atol: float


TOLERANCES: Mapping[str, Tolerance] = {
    "float64": Tolerance(1e-7, 1e-10),
    "complex128": Tolerance(1e-7, 1e-10),
    "float32": Tolerance(5e-4, 5e-5),
    "complex64": Tolerance(5e-4, 5e-5),
    "float16": Tolerance(2e-2, 2e-2),
}


def assert_close(
    actual: Any,
    expected: Any,
    *,
    what: str,
    dtype: Any = None,
    scale: float | None = None,
    tolerance: float = 1.0,
    slack: Callable[[], Any] | None = None,
) -> None:
    """Asserts that an answer is the expected one: type, shape, dtype, finiteness, then values.

    Args:
        actual: what the student returned: an array, a scalar, or a list, tuple or dict of such.
        expected: an array or tensor (dtype kept as given), a float, or a list, tuple or dict of such.
            A list or a tuple matches either. A float or a 0-d array matches any form of scalar.
        what: the answer's name in the message, for example "grad_gamma of layer_norm_backward".
        dtype: the dtype that arrays must have, instead of the expected array's own.
        scale: magnitude of the terms that cancel in the answer; default: the largest expected magnitude.
        tolerance: factor on the standard tolerance, with its reason beside it.
        slack: called only where values disagree; a further allowed error in the structure of `expected`
            (from the conditioning of the case).

    Raises:
        Failure: it differs; the message says how.
        StudentError: it is nothing that can be compared.

    >>> import numpy as np
    >>> assert_close(np.array([1.0, 2.0]), np.array([1.0, 2.0 + 1e-12]), what="out")
    >>> assert_close(np.float64(0.5), 0.5, what="loss")
    """
    _assert_tree(actual, expected, what, _Options(dtype, scale, tolerance, slack))


class _Options(NamedTuple):
    dtype: Any
    scale: float | None
    tolerance: float
    slack: Callable[[], Any] | None

    def item(self, key: Any) -> "_Options":
        if self.slack is None:
            return self
        slack = self.slack
        return self._replace(slack=lambda: slack()[key])


def _assert_tree(actual: Any, expected: Any, what: str, options: _Options) -> None:
    if isinstance(actual, Opaque):
        try:
            actual = revealed(actual)
        except Unusable as problem:
            raise Failure(
                f"{what} holds a {problem}, but should be {_expectation(expected)}.", aspect="type"
            ) from None
    if isinstance(expected, Mapping):
        _assert_mapping(actual, expected, what, options)
    elif isinstance(expected, (list, tuple)):
        _assert_sequence(actual, expected, what, options)
    else:
        _assert_array(actual, _as_array(expected), what, options)


def _assert_mapping(actual: Any, expected: Mapping[Any, Any], what: str, options: _Options) -> None:
    if not isinstance(actual, dict):
        raise Failure(f"{what} is {in_words(actual)}, but should be a dict.", aspect="type")
    for key in expected:
        if key not in actual:
            raise Failure(
                f"{what} has no entry {key!r}.",
                details=(f"It has {sorted(map(str, actual))}.",),
                aspect="type",
            )
    if extra := [key for key in actual if key not in expected]:
        raise Failure(
            f"{what} has an entry {extra[0]!r} that does not belong there.", aspect="type"
        )
    for key, value in expected.items():
        _assert_tree(actual[key], value, _indexed(what, f"[{key!r}]"), options.item(key))


def _assert_sequence(actual: Any, expected: Sequence[Any], what: str, options: _Options) -> None:
    if not isinstance(actual, (list, tuple)):
        raise Failure(
            f"{what} is {in_words(actual)}, but should be a sequence of {len(expected)} items.",
            aspect="type",
        )
    if len(actual) != len(expected):
        items = f"{len(actual)} item{'' if len(actual) == 1 else 's'}"
        raise Failure(f"{what} has {items}, but should have {len(expected)}.", aspect="shape")
    for index, (one, other) in enumerate(zip(actual, expected, strict=True)):
        _assert_tree(one, other, _indexed(what, f"[{index}]"), options.item(index))


def _indexed(what: str, index: str) -> str:
    """The name of an item: "grads of clip" and [0] give "grads[0] of clip"."""
    head, of, tail = what.partition(" of ")
    return f"{head}{index}{of}{tail}"


def _as_array(expected: Any) -> Any:
    if hasattr(expected, "detach"):
        return expected.detach().numpy()
    return expected


def _assert_array(actual: Any, expected: Any, what: str, options: _Options) -> None:
    if isinstance(expected, np.ndarray) and expected.ndim > 0:
        wanted = np.dtype(options.dtype if options.dtype is not None else expected.dtype)
        if type(actual) is not np.ndarray:
            raise Failure(
                f"{what} is {in_words(actual)}, but should be a numpy.ndarray of shape {expected.shape}.",
                aspect="type",
            )
        assert_shape(actual, expected.shape, what)
        if actual.dtype != wanted:
            raise Failure(
                f"{what} has dtype {actual.dtype}, but should have {wanted}.",
                details=(_dtype_advice(actual.dtype, wanted),),
                aspect="dtype",
            )
        assert_values(actual, expected, what, options)
        return
    number = (
        float(np.asarray(expected))
        if np.asarray(expected).dtype.kind == "f"
        else np.asarray(expected)[()]
    )
    assert_values(_scalar(actual, what, number), np.asarray(number), what, options)


def _scalar(actual: Any, what: str, expected: Any) -> Array:
    if isinstance(actual, np.ndarray) and actual.shape != ():
        raise Failure(
            f"{what} has shape {actual.shape}, but should be a single number.",
            details=("Sum or average over all elements.",)
            if actual.size > 1
            else ("Take the element out of the array.",),
            aspect="shape",
        )
    floating = isinstance(expected, float)
    is_number = isinstance(actual, (float, np.floating)) or (
        isinstance(actual, np.ndarray) and actual.dtype.kind == "f"
    )
    is_integer = isinstance(actual, (int, np.integer)) and not isinstance(actual, bool)
    if not (
        is_number or is_integer or (isinstance(actual, np.ndarray) and actual.dtype.kind in "iu")
    ):
        raise Failure(
            f"{what} is {in_words(actual)}, but should be a number.",
            details=(f"expected: {expected:.6g}",) if floating else (),
            aspect="type",
        )
    return np.asarray(actual)


def assert_shape(actual: Array, shape: tuple[int, ...], what: str) -> None:
    """Asserts a shape; the message says which usual slip makes such a difference.

    Raises:
        Failure: the shapes differ.
    """
    if actual.shape != shape:
        raise Failure(
            f"{what} has shape {actual.shape}, but should have {shape}{_shape_advice(actual.shape, shape)}",
            aspect="shape",
        )


def _shape_advice(actual: tuple[int, ...], expected: tuple[int, ...]) -> str:
    if len(actual) > len(expected) and tuple(n for n in actual if n != 1) == tuple(
        n for n in expected if n != 1
    ):
        return ": axes of length 1 are left over, as a sum with keepdims=True leaves them."
    if len(actual) < len(expected) and tuple(n for n in actual if n != 1) == tuple(
        n for n in expected if n != 1
    ):
        return ": axes of length 1 are lost, as a sum without keepdims or a squeeze loses them."
    if actual == expected[::-1]:
        return ": it is transposed."
    if sorted(actual) == sorted(expected):
        return ": the axes are in another order."
    if len(actual) > len(expected):
        return ": a sum over the other axes is missing."
    if len(actual) < len(expected):
        return ": it was summed over too many axes."
    return "."


def _dtype_advice(actual: np.dtype[Any], wanted: np.dtype[Any]) -> str:
    if actual == np.float64 and wanted == np.float32:
        return (
            "The answer has the dtype of the input: look for np.zeros or np.ones without dtype=, a float64 mask, "
            "or a np.float64 scalar."
        )
    return f"Convert with .astype({wanted}) where the other dtype comes in."


def assert_values(actual: Array, expected: Array, what: str, options: Any) -> None:
    """Asserts values of equal shape, in float64; the message names the worst index.

    Raises:
        Failure: they differ by more than the tolerance.
    """
    kind = _coarser(actual.dtype, options.dtype if options.dtype is not None else expected.dtype)
    if expected.dtype.kind not in "fc":
        if not np.array_equal(actual, expected):
            raise _difference(actual, expected, actual != expected, what, None)
        return
    wide = np.complex128 if expected.dtype.kind == "c" else np.float64
    ours, theirs = np.asarray(expected, dtype=wide), np.asarray(actual, dtype=wide)
    if _plainly_equal(theirs, ours, options.tolerance * TOLERANCES[kind].atol):
        return
    finite = np.isfinite(ours)
    if (not_finite := finite & ~np.isfinite(theirs)).any():
        raise _not_finite(theirs, ours, not_finite, what)
    rtol, atol = TOLERANCES[kind]
    scale = float(np.max(np.abs(ours), initial=0.0, where=finite))
    if options.scale is not None:
        scale = max(scale, options.scale)
    with np.errstate(invalid="ignore", over="ignore"):
        error = np.abs(theirs - ours)
        allowed = options.tolerance * (rtol * np.abs(ours) + atol * scale)
        bad = np.where(
            finite, error > allowed, ~((theirs == ours) | (np.isnan(theirs) & np.isnan(ours)))
        )
        if bad.any() and options.slack is not None:
            allowed = allowed + np.abs(np.asarray(options.slack(), dtype=np.float64))
            bad &= ~(finite & (error <= allowed))
        if not bad.any():
            return
        ratio = np.divide(
            error, allowed, out=np.full_like(error, np.inf), where=finite & (allowed > 0)
        )
        excess = np.where(bad, ratio, -1.0)
    worst = np.unravel_index(int(np.argmax(excess)), excess.shape)
    measured = (float(error[worst]), float(allowed[worst])) if finite[worst] else None
    raise _difference(theirs, ours, bad, what, measured, tuple(int(i) for i in worst))


def _plainly_equal(theirs: Array, ours: Array, atol: float) -> bool:
    """Whether the largest error is below what the scale alone allows anywhere: most right answers, at a third of the cost."""
    if not ours.size:
        return True
    with np.errstate(invalid="ignore", over="ignore"):
        error, scale = np.abs(theirs - ours).max(), np.abs(ours).max()
    return bool(error <= atol * scale < np.inf)  # false where one is NaN


@functools.lru_cache(maxsize=256)
def _coarser(actual: np.dtype[Any], wanted: Any) -> str:
    names = [np.dtype(actual).name, np.dtype(wanted).name]
    known = [name for name in names if name in TOLERANCES]
    return max(known, key=lambda name: TOLERANCES[name].rtol) if known else "float64"


def _not_finite(theirs: Array, ours: Array, bad: Array, what: str) -> Failure:
    index = tuple(int(i) for i in np.argwhere(bad)[0])
    name = "NaN" if np.isnan(theirs[index]) else "infinite"
    return Failure(
        f"{what} is {name}{_at(index)}, but should be {number(ours[index])}.",
        details=(f"{_how_many(bad)} not finite.", *_arrays(theirs, ours)),
        aspect="finite",
    )


def _difference(
    theirs: Array,
    ours: Array,
    bad: Array,
    what: str,
    measured: tuple[float, float] | None,
    index: tuple[int, ...] | None = None,
) -> Failure:
    if index is None:
        index = tuple(int(i) for i in np.argwhere(bad)[0])
    details = list(_arrays(theirs, ours))
    counted = "" if bad.ndim == 0 else f"{_how_many(bad)} wrong; "
    if measured is not None:
        details.append(f"{counted}error {measured[0]:.2g}, allowed {measured[1]:.2g}")
    elif counted:
        details.append(counted.rstrip("; "))
    got, wanted = numbers(theirs[index], ours[index])
    failure = Failure(
        f"{what} is {got}{_at(index)}, but should be {wanted}.", details=details, aspect="value"
    )
    failure.what, failure.values = what, (theirs, ours)
    if measured is not None and measured[1] > 0:
        failure.excess = measured[0] / measured[1]
    return failure


def number(value: Any) -> str:
    """A number as a student should read it: six significant digits."""
    if isinstance(value, (bool, np.bool_)):
        return str(bool(value))
    return (
        f"{complex(value):.6g}"
        if isinstance(value, (complex, np.complexfloating))
        else f"{value:.6g}"
    )


def numbers(actual: Any, expected: Any) -> tuple[str, str]:
    """Two numbers with as many digits as tell them apart."""
    if isinstance(actual, (float, np.floating)) and isinstance(expected, (float, np.floating)):
        for digits in (6, 9, 12, 17):
            one, other = f"{actual:.{digits}g}", f"{expected:.{digits}g}"
            if one != other:
                return one, other
    return number(actual), number(expected)


def show(value: Any, *, most: int = 24) -> str:
    """An array in one to a few lines, rounded, a row a line where that makes few; its shape where it is long."""
    if isinstance(value, np.ndarray):
        if value.size > most:
            return f"array of shape {value.shape}, {value.dtype}"
        text = np.array2string(
            value,
            precision=5 + _leading_zeros(value),
            separator=", ",
            suppress_small=False,
            max_line_width=68,
        )
        one_line = on_one_line(text)
        rows_matter = value.ndim == 2 and value.shape[1] > 1
        if not rows_matter and len(one_line) <= (76 if value.ndim < 2 else 60):
            return one_line
        lines = [line for line in text.splitlines() if line.strip()]
        if len(lines) > _LINES_AT_MOST:
            lines = textwrap.wrap(one_line, 66, break_long_words=False, break_on_hyphens=False)
        return "\n".join(lines)
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(show(item, most=most) for item in value) + "]"
    if isinstance(value, (float, np.floating)):
        return f"{value:.6g}"
    return f"{value!r:.200}"


def _leading_zeros(array: Array) -> int:
    """Zeros behind the point of the largest element, so that it is shown with five digits of its own.

    None where numpy writes with exponents, which it does for elements below 1e-4 or a thousand times apart.
    """
    if array.dtype.kind != "f":
        return 0
    sizes = np.abs(array[np.isfinite(array) & (array != 0)])
    if sizes.size == 0 or sizes.min() < 1e-4 or sizes.max() > 1e3 * sizes.min():
        return 0
    return max(0, -1 - math.floor(math.log10(sizes.max())))


def on_one_line(text: str) -> str:
    """The text of an array without line breaks and padding.

    >>> on_one_line(show(np.array([[1.0, -2.0], [30.0, 4.0]])))
    '[[1., -2.], [30., 4.]]'
    """
    return " ".join(text.split()).replace("[ ", "[").replace(" ]", "]").replace(" ,", ",")


def _at(index: tuple[int, ...]) -> str:
    return f" at {list(index)}" if index else ""


def _how_many(bad: Array) -> str:
    count = int(bad.sum())
    return f"{count} of {bad.size} element{'' if bad.size == 1 else 's'} {'is' if count == 1 else 'are'}"


def _arrays(theirs: Array, ours: Array) -> Sequence[str]:
    if ours.ndim == 0 or ours.size > 24:
        return ()
    return (*_labelled("yours:    ", theirs), *_labelled("expected: ", ours))


def _labelled(label: str, value: Array) -> Sequence[str]:
    lines = show(value).splitlines()
    return [label + lines[0], *(" " * len(label) + line for line in lines[1:])]


def _expectation(expected: Any) -> str:
    if isinstance(expected, (list, tuple)):
        return f"a sequence of {len(expected)} arrays"
    return "a dict" if isinstance(expected, Mapping) else "a numpy.ndarray"


def assert_equal(actual: Any, expected: Any, *, what: str) -> None:
    """Asserts that a discrete answer (int, bool, str, None or a sequence of them) is exactly the expected one.

    A numpy integer or bool counts as the Python one, a list as a tuple.

    Raises:
        Failure: it is another one.

    >>> assert_equal((9, 4), (9, 4), what="fan_in_and_fan_out")
    """
    try:
        value = _unwrapped(revealed(actual))
    except Unusable as problem:
        raise StudentError(
            f"{what} holds a {problem}, which cannot be compared.", aspect="type"
        ) from None
    wanted = _unwrapped(expected)
    if type(value) is not type(wanted) or value != wanted:
        shown = repr(wanted) if not isinstance(wanted, tuple) else str(wanted)
        raise Failure(f"{what} is {in_plain(value)}, but should be {shown}.", aspect="value")


def in_plain(value: Any) -> str:
    """A short form of a discrete answer for a message."""
    if isinstance(value, np.ndarray):
        return in_words(value)
    return f"{value!r:.80}"


def _unwrapped(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return tuple(_unwrapped(item) for item in value)
    if isinstance(value, (np.generic, np.ndarray)) and np.ndim(value) == 0:
        return value.item()
    return value


def assert_true(condition: bool, message: str, *details: str, aspect: str = "value") -> None:
    """Asserts a condition that no other assertion can state; `message` tells the student what must hold.

    Raises:
        Failure: the condition is false.

    >>> assert_true(True, "The learning rate never rises.")
    """
    if not condition:
        raise Failure(message, details=details, aspect=aspect)


def assert_raises(
    error: type[Exception],
    function: Callable[..., Any],
    *args: Any,
    because: str = "",
    **kwargs: Any,
) -> None:
    """Asserts that a call raises an error of the given type (by its name, since it may come from a worker).

    Args:
        error: the exception class, for example ValueError.
        function: the student's function.
        *args: its positional arguments.
        because: what is wrong with the arguments, for the message.
        **kwargs: its options.

    Raises:
        Failure: it returns, or raises another error.

    In a check: `assert_raises(ValueError, student.dropout_forward, x, 1.5, training=True, rng=rng, because="p = 1.5 is
    outside [0, 1]")`. A function of one's own that returns is a failure too:

    >>> assert_raises(ValueError, len, [])
    Traceback (most recent call last):
        ...
    grader.failure.Failure: len returns the int 0, but should raise ValueError.
    Check the argument first, and name it in the message.
    """
    from grader.student import RaisedError

    name = getattr(function, "__name__", "the function")
    reason = f" ({because})" if because else ""
    try:
        value = function(*args, **kwargs)
    except RaisedError as raised:
        if error.__name__ in raised.type_names:
            return
        raise Failure(
            f"{name} raises {raised.type_names[0]}, but should raise {error.__name__}{reason}.",
            details=raised.details,
            aspect="raises",
        ) from None
    raise Failure(
        f"{name} returns {in_words(value)}, but should raise {error.__name__}{reason}.",
        details=("Check the argument first, and name it in the message.",),
        aspect="raises",
    )
