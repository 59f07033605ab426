"""How ill-conditioned a case is: the error that no order of operations escapes, measured on the reference."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from grader.checks.trees import mapped, zipped

_DIRECTIONS = 8
_ROUNDINGS = 16.0


def slack_of(
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
        worst = mapped(lambda leaf: np.zeros(np.shape(leaf)), exact)
        for _ in range(_DIRECTIONS):
            moved, rounded = (
                _moved(inputs, rng, unit),
                _moved(inputs, rng, float(np.finfo(np.float32).eps)),
            )
            worst = zipped(_larger(1.0), worst, function(moved, "float64"), exact)
            try:
                computed = function(rounded, "float32")
            except RuntimeError:  # the reference mixes in float64 values of its own
                continue
            worst = zipped(_larger(ratio), worst, computed, function(rounded, "float64"))
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

    return {name: mapped(move, value) for name, value in inputs.items()}
