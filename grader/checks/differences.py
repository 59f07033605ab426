"""Central differences of the student's own forward: which of two passes is at fault."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from grader.checks.compare import Array, assert_close
from grader.checks.trees import Tree, leaves, mapped, widened
from grader.failure import Failure
from grader.student import StudentFunction, reveal, unpack
from grader.worker.program import clone


def fresh(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options, with generators in the same state again."""
    return {
        name: clone(value) if isinstance(value, np.random.Generator) else value
        for name, value in options.items()
    }


def forward_pass(
    forward: StudentFunction,
    inputs: Mapping[str, Any],
    options: Mapping[str, Any],
    returns: Sequence[str],
) -> tuple[Any, Any]:
    """The items "out" and "cache" of a student's forward pass."""
    __tracebackhide__ = True
    parts = unpack(forward(*inputs.values(), **fresh(options)), *returns, what=forward.__name__)
    return parts[list(returns).index("out")], parts[list(returns).index("cache")]


class Fault(NamedTuple):
    """Tells, from central differences of the student's own forward, which pass a fault lies in."""

    forward: StudentFunction
    inputs: Mapping[str, Any]
    options: Mapping[str, Any]
    returns: Sequence[str]
    backward_name: str

    def lines(self, name: str, upstream: Array, gradient: Any, factor: float) -> Sequence[str]:
        """What to tell of a wrong gradient with respect to the input `name`; `factor` is that of the second call."""
        if factor == 0.0:
            return ("The upstream gradient is zero here, so every gradient is: is grad_out used?",)
        if factor != 1.0:
            return (
                f"The fault lies in {self.backward_name}: its second call, with the same cache.",
            )
        wide = {key: widened(value) for key, value in self.inputs.items()}
        if sum(leaf.size for leaf in leaves(wide[name])) > 200:
            return ()
        actual = reveal(gradient)
        try:
            numeric = differences(
                self.forward,
                wide,
                self.options,
                self.returns,
                name,
                upstream.astype(np.float64),
            )
            assert_close(
                actual, with_kinks_of(numeric, actual), what="", dtype=upstream.dtype, tolerance=1e4
            )
        except Failure:
            return (
                f"The forward pass is right here; the fault lies in {self.backward_name}, or in what it calls.",
            )
        return (
            f"{self.backward_name} is the right gradient of your {self.forward.__name__}:",
            f"the fault lies there, in how its out depends on {name}.",
        )


def differences(
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
        key: mapped(lambda leaf: np.array(leaf, order="C"), value) for key, value in inputs.items()
    }

    def total() -> float:
        out, _ = forward_pass(forward, copies, options, returns)
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

    return mapped(derivative, copies[name])


def with_kinks_of(numeric: Tree, actual: Tree) -> Tree:
    """The differences, with the answer itself where they mean nothing (at a kink)."""
    if isinstance(numeric, (list, tuple)):
        return [with_kinks_of(one, other) for one, other in zip(numeric, actual, strict=False)]
    if isinstance(numeric, dict) and isinstance(actual, dict):
        return {key: with_kinks_of(one, actual.get(key)) for key, one in numeric.items()}
    if isinstance(actual, np.ndarray) and actual.shape == numeric.shape:
        return np.where(np.isnan(numeric), actual, numeric)
    return numeric
