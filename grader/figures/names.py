"""A submission's functions as a figure sees them: what was called last is known, and nothing infinite is drawn."""

import random
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from grader.course import Topic
from grader.failure import Failure, Missing, StudentError
from grader.student import Student, in_words


@dataclass
class Call:
    """A call of a student's function.

    Attributes:
        topic: whose function it is.
        name: the function's name.
        value: what it returned; None while it runs.
    """

    topic: Topic
    name: str
    value: Any = None


class GlobalGenerators:
    """The state of numpy's and Python's global generators.

    A library that a figure loads may draw from them, which must not look as if the student had.
    """

    def __init__(self) -> None:
        self._numpy = np.random.get_state()  # noqa: NPY002  # theirs, not ours
        self._python = random.getstate()

    def restore(self) -> None:
        """Puts it back."""
        np.random.set_state(self._numpy)  # noqa: NPY002  # the same
        random.setstate(self._python)


class Names:
    """A submission's functions and classes, as attributes.

    Args:
        topic: what it answers.
        student: where calls go.
        calls: each call is noted here; it may forget old ones.
        generators: the global ones, put back before each call.
    """

    def __init__(
        self, topic: Topic, student: Student, calls: deque[Call], generators: "GlobalGenerators"
    ) -> None:
        self._generators = generators
        self._topic = topic
        self._student = student
        self._calls = calls

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)
        function = getattr(self._student, name)

        def called(*args: Any, **kwargs: Any) -> Any:
            givers = self._givers([*args, *kwargs.values()])
            call = Call(self._topic, name)
            self._calls.append(call)
            self._generators.restore()
            try:
                call.value = function(*args, **kwargs)
            except Missing:
                raise
            except StudentError as error:
                if not givers:
                    raise
                whose = f" (it was given what {' and '.join(givers)} returned)"
                raise StudentError(f"{error.headline}{whose}", aspect=error.aspect) from error
            if call.value is None:
                raise Failure(f"{name} returned {in_words(None)}.", aspect="type")
            if not all(np.isfinite(array).all() for array in _floats(call.value)):
                raise Failure(
                    f"{name} returned NaN or infinity, which cannot be drawn.", aspect="finite"
                )
            return call.value

        return called

    def _givers(self, values: Sequence[Any]) -> list[str]:
        """Names of the functions that returned one of these values, of late."""
        ours = {id(value) for value in values if not isinstance(value, (int, str))}
        return list(
            dict.fromkeys(
                call.name for call in self._calls if any(id(one) in ours for one in _parts(call))
            )
        )


def _parts(call: Call) -> Iterator[Any]:
    """What a call returned; of a sequence also its items."""
    yield call.value
    if isinstance(call.value, (list, tuple)):
        yield from call.value


def _floats(value: Any) -> Iterator[Any]:
    """The float arrays and numbers in an answer; what a student's object holds is its own affair."""
    if isinstance(value, (list, tuple)):
        for item in value:
            yield from _floats(item)
    elif (
        isinstance(value, (float, np.ndarray, np.floating)) and np.asarray(value).dtype.kind in "fc"
    ):
        yield value
