"""What a check imports: markers, strategies, comparisons. Everything is loaded at its first use."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from grader.checks.check import given, points
    from grader.checks.compare import assert_close, assert_equal, assert_raises, assert_true
    from grader.checks.distributions import (
        check_frequency,
        check_law,
        check_rng,
        check_uncorrelated,
    )
    from grader.checks.gradients import (
        check_backward,
        check_forward,
        check_gradients,
        check_value_and_gradient,
    )
    from grader.checks.showing import showing
    from grader.checks.strategies import Case, Draw, axis, cases, labels, positive, uniform
    from grader.checks.torch_optimizers import load_optimizers
    from grader.checks.trees import to_tensor
    from grader.failure import Failure
    from grader.student import overwriting, reveal, unpack

_ROOMS = {
    "grader.checks.check": ("given", "points"),
    "grader.checks.compare": ("assert_close", "assert_equal", "assert_raises", "assert_true"),
    "grader.checks.distributions": (
        "check_frequency",
        "check_law",
        "check_rng",
        "check_uncorrelated",
    ),
    "grader.checks.gradients": (
        "check_backward",
        "check_forward",
        "check_gradients",
        "check_value_and_gradient",
    ),
    "grader.checks.showing": ("showing",),
    "grader.checks.strategies": ("Case", "Draw", "axis", "cases", "labels", "positive", "uniform"),
    "grader.checks.torch_optimizers": ("load_optimizers",),
    "grader.checks.trees": ("to_tensor",),
    "grader.failure": ("Failure",),
    "grader.student": ("overwriting", "reveal", "unpack"),
}
_HOME = {name: room for room, names in _ROOMS.items() for name in names}

__all__ = [
    "Case",
    "Draw",
    "Failure",
    "assert_close",
    "assert_equal",
    "assert_raises",
    "assert_true",
    "axis",
    "cases",
    "check_backward",
    "check_forward",
    "check_frequency",
    "check_gradients",
    "check_law",
    "check_rng",
    "check_uncorrelated",
    "check_value_and_gradient",
    "given",
    "labels",
    "load_optimizers",
    "overwriting",
    "points",
    "positive",
    "reveal",
    "showing",
    "to_tensor",
    "uniform",
    "unpack",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'grader' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
