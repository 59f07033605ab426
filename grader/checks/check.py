"""A check: a test function with points, its examples, and how it is run.

The examples of a check are drawn once per process (edge cases first, then random ones) and replayed for every
submission. Only when one fails are smaller ones tried, for the smallest case that fails in the same way.
"""

import contextlib
import inspect
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any, TypeVar

import numpy as np

from grader.checks.findings import findings
from grader.checks.memo import forget_values, remembering
from grader.checks.showing import called_otherwise
from grader.failure import Astray, Failure, Missing, TimeLimit, alike
from grader.limits import CALL_LIMIT_S, time_limit
from grader.student import Observed, Student
from grader.worker.program import clone_generator

Function = TypeVar("Function", bound=Callable[..., Any])

_REPEATED = 8
"""Calls are repeated, to compare the answers, in so many examples of a check."""
_PROBED = 24
"""`check_backward` looks for kept values in so many: every kind of values, layout, dtype and axis of length 1 is among them."""
_SHRINK_EXAMPLES = 150
_EXPLAIN_S = 10.0
"""Limit of each step that explains a failure: what else fails, the smallest case, the differences."""
_PLAIN = 1e5
"""Errors of so many times the allowed one are seen in the first digits."""
_MARK = "__grader_check__"
_GIVEN = "__grader_given__"


@dataclass(frozen=True)
class _Mark:
    points: float
    timeout_s: float
    call_timeout_s: float
    repeat: bool
    exact: bool


def points(
    value: float,
    *,
    timeout_s: float = 60.0,
    call_timeout_s: float = CALL_LIMIT_S,
    repeat: bool = True,
    exact: bool = False,
) -> Callable[[Function], Function]:
    """Marks a test function as a check that is worth `value` points.

    Args:
        value: points, positive.
        timeout_s: the check's own time limit in seconds, over all its examples.
        call_timeout_s: limit in seconds of each call of a student's function; more for one that trains.
        repeat: call every function twice and compare the answers; turn it off for functions that run long.
        exact: what the check compares is the same whatever rng draws (dropout is off, say) and however the answer is kept:
            a diagnosis goes by that, and not by what the functions returned.

    Raises:
        ValueError: points or time limit are not positive.

    >>> @points(2)
    ... def test_relu_forward(student):
    ...     "Negative values become zero."
    """
    if not value > 0:
        raise ValueError(f"points must be positive, not {value!r}")
    for name, limit in (("timeout_s", timeout_s), ("call_timeout_s", call_timeout_s)):
        if not limit > 0:
            raise ValueError(f"{name} must be positive, not {limit!r}")

    def mark(function: Function) -> Function:
        import pytest

        setattr(function, _MARK, _Mark(value, timeout_s, call_timeout_s, repeat, exact))
        marked: Function = pytest.mark.points(value)(function)
        return marked

    return mark


def given(**strategies: Any) -> Callable[[Function], Function]:
    """Hypothesis's `given`, by keyword: the test runs on generated values.

    >>> from hypothesis import strategies as st
    >>> @given(n=st.integers(1, 9))
    ... def test_of_n(student, n): ...
    """
    import hypothesis

    def wrap(function: Function) -> Function:
        wrapped = hypothesis.given(**strategies)(function)
        setattr(wrapped, _GIVEN, (function, strategies))
        return wrapped  # type: ignore[return-value]  # same call, fewer arguments

    return wrap


def is_check(function: Any) -> bool:
    """Whether a test function is a check, that is, carries `@points`."""
    return hasattr(function, _MARK)


@dataclass(frozen=True)
class Check:
    """A check of a topic.

    Attributes:
        name: the test function's name.
        title: its docstring's first line, what a student sees.
        points: what it is worth.
        timeout_s: its time limit.
        call_timeout_s: the limit of each call in it.
        repeat: whether calls are repeated.
        exact: whether a diagnosis goes by what the check compares.
        body: the test itself, without hypothesis around it.
        strategies: strategies of its generated arguments.
    """

    name: str
    title: str
    points: float
    timeout_s: float
    call_timeout_s: float
    repeat: bool
    exact: bool
    body: Callable[..., None]
    strategies: Mapping[str, Any]

    @classmethod
    def of(cls, function: Callable[..., Any]) -> "Check":
        """The check that a marked test function is."""
        mark: _Mark = getattr(function, _MARK)
        body, strategies = getattr(function, _GIVEN, (function, {}))
        if not strategies and hasattr(function, "hypothesis"):
            body = function.hypothesis.inner_test
            strategies = function.hypothesis._given_kwargs
        title = (inspect.getdoc(function) or function.__name__).splitlines()[0]
        return cls(
            function.__name__,
            title,
            mark.points,
            mark.timeout_s,
            mark.call_timeout_s,
            mark.repeat,
            mark.exact,
            body,
            strategies,
        )

    def edges(self, seed: int) -> list[dict[str, Any]]:
        """The generated arguments of the edge cases; one empty example where nothing is generated."""
        return _once((self.body, seed), lambda: _edges(self.strategies, seed))

    def examples(self, seed: int, count: int) -> list[dict[str, Any]]:
        """The generated arguments of every run: edge cases, then `count` random ones; drawn once per process."""
        if not self.strategies:
            return self.edges(seed)
        drawn = _once((self.body, seed, count), lambda: _drawn(self.strategies, seed, count))
        return [*self.edges(seed), *drawn]

    def in_turn(self, seed: int, count: int) -> Iterator[dict[str, Any]]:
        """The same, one by one: who fails at an edge case need not wait until the random ones are drawn."""
        edges = self.edges(seed)
        yield from edges
        yield from self.examples(seed, count)[len(edges) :]

    def run(
        self,
        student: Student,
        *,
        seed: int = 0,
        examples: int = 25,
        fixtures: Mapping[str, Any] | None = None,
        shrink: bool = True,
        start: int = 0,
    ) -> None:
        """Runs the check on every example.

        Args:
            student: the submission.
            seed: seed of the random examples.
            examples: how many random ones, beside the edge cases.
            fixtures: further arguments of the test.
            shrink: search for the smallest case after a failure.
            start: how many examples, of the first, are known to pass.

        Raises:
            Failure: an answer is wrong, an error or missing; `case` is the smallest case that shows it.
            TimeLimit: the time ran out.
        """
        __tracebackhide__ = True
        run = _Run(self, student, dict(fixtures or {}))
        try:
            with student._foreseeing((self.body, seed, examples, start)) as confirm:
                first = run.first_failure(seed, examples, start)
                if first is None:
                    confirm()
        except Astray:
            first = run.first_failure(seed, examples, start)
        if first is None:
            return
        number, failure = first
        if (
            isinstance(failure, Missing)
            or not shrink
            or not self.strategies
            or failure.aspect in ("load", "died")
        ):
            raise failure
        with student._watched(None):
            tried = run.outcomes(self.examples(seed, examples), number, failure)
            smallest = run.smallest(*run.plainest(tried, failure))
        raise run.explained(smallest).with_details(*findings(tried, smallest))

    def try_on(
        self,
        student: Student,
        example: Mapping[str, Any],
        *,
        number: int,
        observer: Callable[[Observed], None],
    ) -> Failure | None:
        """Runs one example, and tells the observer of each call; what failed, without explanations."""
        with student._watched(observer):
            return _Run(self, student, {}).failure(example, repeat=number < _REPEATED)


def checks_of(module: ModuleType) -> list[Check]:
    """The checks of a test module, in file order."""
    found = [
        value
        for name, value in vars(module).items()
        if name.startswith("test_") and is_check(value)
    ]
    return [Check.of(function) for function in found]


class _Run:
    """One run of a check on one student's functions."""

    def __init__(self, check: Check, student: Student, fixtures: dict[str, Any]) -> None:
        self.check = check
        self.student = student
        self.fixtures = {key: value for key, value in fixtures.items() if key != "student"}

    def first_failure(self, seed: int, count: int, start: int) -> tuple[int, Failure] | None:
        """The first example from number `start` on that fails, and how."""
        __tracebackhide__ = True
        with time_limit(self.check.timeout_s, call_timeout_s=self.check.call_timeout_s):
            for number, example in enumerate(self.check.in_turn(seed, count)):
                if number < start:
                    continue
                with remembering((self.check.body, seed, count, number)):
                    failure = self.failure(
                        example, repeat=number < _REPEATED, probing=number < _PROBED
                    )
                if failure is not None:
                    return number, failure
        return None

    def failure(
        self, example: Mapping[str, Any], *, repeat: bool, probing: bool = True
    ) -> Failure | None:
        __tracebackhide__ = True
        self.student._begin(repeat=repeat and self.check.repeat, probing=probing)
        try:
            self.check.body(student=self.student, **self.fixtures, **_own(example))
        except Failure as failure:
            failure.case = example
            failure.shown = failure.shown or called_otherwise(failure)
            return failure
        return None

    def explained(self, failure: Failure) -> Failure:
        """The same failure, with the explanations that take many calls."""
        assert failure.case is not None
        again = None
        with contextlib.suppress(TimeLimit), time_limit(min(self.check.timeout_s, _EXPLAIN_S)):
            again = self.failure(failure.case, repeat=failure.aspect == "determinism")
        return again if again is not None and alike(again, failure) else failure

    def outcomes(
        self, examples: Sequence[dict[str, Any]], first: int, failure: Failure
    ) -> list[tuple[dict[str, Any], Failure | None]]:
        """What fails in each example, where that of number `first` is the first to fail; fewer where the time runs out."""
        tried: list[tuple[dict[str, Any], Failure | None]] = [
            (one, None) for one in examples[:first]
        ]
        tried.append((examples[first], failure))
        with contextlib.suppress(TimeLimit), time_limit(min(self.check.timeout_s, _EXPLAIN_S)):
            tried.extend((one, self.failure(one, repeat=False)) for one in examples[first + 1 :])
        return tried

    def plainest(
        self, tried: Sequence[tuple[dict[str, Any], Failure | None]], failure: Failure
    ) -> tuple[dict[str, Any], Failure]:
        """Of the examples that fail alike, the first one where the error is large enough to be read off the numbers."""
        like = [(one, found) for one, found in tried if found is not None and alike(found, failure)]
        plain = [item for item in like if item[1].excess >= _PLAIN]
        return plain[0] if plain else max(like, key=lambda item: item[1].excess)

    def smallest(self, example: dict[str, Any], failure: Failure) -> Failure:
        """Searches a smaller example that fails in the same way: hypothesis's search, or for cases their own."""
        from grader.checks.strategies import is_cases, smallest_case

        found = [failure]

        def fails_alike(candidate: Mapping[str, Any]) -> bool:
            other = self.failure(candidate, repeat=failure.aspect == "determinism")
            if other is None or not alike(other, failure):
                return False
            if other.excess < min(failure.excess, _PLAIN) / 4:
                return False
            found.append(other)
            return True

        strategies = self.check.strategies
        with contextlib.suppress(TimeLimit), time_limit(min(self.check.timeout_s, _EXPLAIN_S)):
            if not any(map(is_cases, strategies.values())):
                _find(strategies, fails_alike)
            for name, strategy in strategies.items():
                if is_cases(strategy):
                    smaller = smallest_case(
                        strategy, example[name], partial(_with, fails_alike, example, name)
                    )
                    example = {**example, name: smaller}
        return found[-1]


def _with(
    fails: Callable[[Mapping[str, Any]], bool], example: dict[str, Any], name: str, value: Any
) -> bool:
    return fails({**example, name: value})


def _find(strategies: Mapping[str, Any], fails: Callable[[dict[str, Any]], bool]) -> None:
    import hypothesis
    from hypothesis import strategies as st

    with contextlib.suppress(hypothesis.errors.NoSuchExample):
        hypothesis.find(
            st.fixed_dictionaries(dict(strategies)),
            fails,
            settings=_settings(hypothesis, _SHRINK_EXAMPLES),
            random=random.Random(0),
            database_key=None,
        )


def _settings(hypothesis: Any, count: int) -> Any:
    return hypothesis.settings(
        max_examples=count,
        database=None,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=(hypothesis.Phase.generate, hypothesis.Phase.shrink),
    )


_DRAWN: dict[Any, list[dict[str, Any]]] = {}


def forget_examples() -> None:
    """Drops the drawn examples of all seeds, and what is remembered of them; for runs over many, whose memory would grow."""
    _DRAWN.clear()
    forget_values()


def _once(key: Any, draw: Callable[[], list[dict[str, Any]]]) -> list[dict[str, Any]]:
    if key not in _DRAWN:
        _DRAWN[key] = draw()
    return _DRAWN[key]


def _edges(strategies: Mapping[str, Any], seed: int) -> list[dict[str, Any]]:
    from grader.checks.strategies import edge_cases

    if not strategies:
        return [{}]
    edges = {name: edge_cases(strategy, seed) for name, strategy in strategies.items()}
    if not all(edges.values()):
        return []
    rounds = max(map(len, edges.values()))
    return [
        {name: values[i % len(values)] for name, values in edges.items()} for i in range(rounds)
    ]


def _drawn(strategies: Mapping[str, Any], seed: int, count: int) -> list[dict[str, Any]]:
    """Random examples: plans of `cases` from a generator, everything else as hypothesis draws it."""
    from grader.checks.strategies import is_cases, random_cases

    columns = {
        name: random_cases(strategy, seed + number * 2**32, count)
        for number, (name, strategy) in enumerate(strategies.items())
        if is_cases(strategy)
    }
    others = {name: strategy for name, strategy in strategies.items() if name not in columns}
    if not others:
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    found = _generated(others, seed, count)
    return [
        {name: columns[name][number] if name in columns else example[name] for name in strategies}
        for number, example in enumerate(found)
    ]


def _generated(strategies: Mapping[str, Any], seed: int, count: int) -> list[dict[str, Any]]:
    import hypothesis

    found: list[dict[str, Any]] = []

    def record(**values: Any) -> None:
        found.append(values)

    if count > 0:
        settings = hypothesis.settings(
            max_examples=count,
            database=None,
            deadline=None,
            suppress_health_check=list(hypothesis.HealthCheck),
            phases=(hypothesis.Phase.generate,),
        )
        hypothesis.seed(seed)(settings(hypothesis.given(**strategies)(record)))()
    return found


def _own(example: Mapping[str, Any]) -> dict[str, Any]:
    """The example with generators of its own, so that a replay finds them where they were."""
    return {
        name: clone_generator(value) if isinstance(value, np.random.Generator) else value
        for name, value in example.items()
    }
