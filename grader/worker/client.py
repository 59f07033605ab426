"""The judge's end of a worker: `Isolated`, a backend whose calls run in a sandboxed process."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NoReturn

from grader.failure import Astray, StudentError, TimeLimit
from grader.limits import call_limit, time_left
from grader.worker.ahead import Ahead
from grader.worker.pool import Pool, the_pool
from grader.worker.process import OUTPUT_AT_MOST, Ended, Expired, Process
from grader.worker.program import Handle, NotDefined, Outcome, Raised, Unrevealable
from grader.worker.protocol import ProtocolError, Unsendable, encode
from grader.worker.reply import outcome_of
from grader.worker.sandbox import SandboxName

LOAD_TIMEOUT_S = 10.0


class WorkerFailure(StudentError):
    """The student's program ended, or its process sent what cannot be read."""


class LoadTimeout(WorkerFailure):
    """The submission was not loaded in time."""

    verdict = "timeout"


class Isolated:
    """A backend whose code runs in a sandboxed worker, one worker per instance.

    A worker that runs out of time, ends or breaks the protocol is killed; until the next example (`forget`) every use
    fails with the same message, then a new worker loads the submission again.

    Args:
        pool: where workers come from; this process's own, unless given.
        load_timeout_s: limit for loading the submission.
        call_timeout_s: limit for each call; that of the check that runs, unless given.
        ahead: send requests before the check comes to them, as far as earlier submissions foretell them.
    """

    def __init__(
        self,
        pool: Pool | None = None,
        *,
        load_timeout_s: float = LOAD_TIMEOUT_S,
        call_timeout_s: float | None = None,
        ahead: bool = False,
    ) -> None:
        self.notes: list[str] = []
        self._pool = pool or the_pool()
        self._load_timeout_s = load_timeout_s
        self._call_timeout_s = call_timeout_s
        self._worker: Process | None = None
        self._submission: tuple[Any, ...] | None = None
        self._failure: Callable[[], BaseException] = _not_loaded
        self._fresh = False
        self._sends_ahead = ahead
        self._ahead: Ahead | None = None
        self._earlier_output = b""

    @property
    def sandbox(self) -> SandboxName:
        """Where the code runs."""
        return self._pool.sandbox

    @property
    def output(self) -> str:
        """What the submission printed, both streams, at most 64 KiB; not escaped."""
        now = b"" if self._worker is None else self._worker.output
        return (self._earlier_output + now)[:OUTPUT_AT_MOST].decode(errors="replace")

    def load(self, cells: Sequence[tuple[str, str]], *, name: str, stop_at_error: bool) -> None:
        """Executes the cells in a new worker; as `Host.load`.

        Raises:
            Raised: the code raised, and `stop_at_error` was set.
            LoadTimeout: it took too long, twice: once may have been a busy machine.
            WorkerFailure: it ended the process.
        """
        self._submission = ([tuple(cell) for cell in cells], name, stop_at_error)
        try:
            self.revive()
        except LoadTimeout:
            self.revive()

    def revive(self) -> None:
        """Loads the submission in a new worker; raises as `load`."""
        self.close()
        self._worker = self._pool.take()
        assert self._submission is not None, "nothing was loaded"
        try:
            reply = self._ask("the submission", self._load_timeout_s, "load", *self._submission)
        except TimeLimit as limit:
            if not isinstance(limit.__cause__, Expired):  # the check's own limit
                raise
            raise LoadTimeout(
                f"The submission was not loaded within {self._load_timeout_s:g} seconds.",
                details=(
                    "Is there an endless loop, or a long computation, outside the functions?",
                ),
                aspect="load",
            ) from limit
        finally:
            self._pool.refill()
        match reply:
            case ("loaded", [*notes]) if all(type(note) is str for note in notes):
                self.notes = notes
            case _:
                self._refuse("the submission")

    def defines(self, name: str) -> bool:
        """Whether the submission has a callable of that name."""
        match self._ask(name, self._call_timeout_s, "defines", name):
            case ("defines", bool(found)):
                return found
        return self._refuse(name)

    def call(
        self,
        target: str | Handle,
        method: str | None,
        args: Sequence[Any],
        kwargs: Mapping[str, Any],
        *,
        keep: bool = True,
        overwrite: bool = False,
    ) -> Outcome:
        """Calls a function or method in the worker; as `Host.call`, and raises what `forget` describes."""
        __tracebackhide__ = True
        label = method or str(target)
        args, kwargs = list(args), dict(kwargs)
        request = (target, method, args, kwargs, keep, overwrite)
        reply = self._ask(label, self._call_timeout_s, "call", *request)
        try:
            return outcome_of(reply, args, kwargs)
        except ProtocolError as problem:
            self._refuse(label, problem)

    def attribute(self, handle: Handle, name: str) -> tuple[bool, Any]:
        """As `Host.attribute`."""
        match self._ask(name, self._call_timeout_s, "attribute", handle, name):
            case ("attribute", bool(is_method), value):
                return is_method, value
        return self._refuse(name)

    def reveal(self, handle: Handle) -> Any:
        """As `Host.reveal`."""
        match self._ask("the answer", self._call_timeout_s, "reveal", handle):
            case ("revealed", value):
                return value
        return self._refuse("the answer")

    @contextlib.contextmanager
    def foreseeing(self, key: Any) -> Iterator[Callable[[], None]]:
        """A run of a check, whose requests may be sent ahead; gives a function to call when it has passed.

        Args:
            key: what is the same in every run that asks the same.

        Raises:
            Astray: the run is to begin again, in a new worker; from then on this submission's runs go one by one.
        """
        if not self._sends_ahead:
            yield lambda: None
            return
        self._ahead = ahead = Ahead(key)
        try:
            yield ahead.confirm
        except Astray:
            self._sends_ahead = False
            self.close()
            raise
        finally:
            self._ahead = None
            if ahead.in_vain:  # the next example has a new worker
                self.close()

    def forget(self) -> None:
        """A new example begins: handles are dropped, with the next request; a lost worker is replaced.

        Raises:
            TimeLimit: from any other method, when the worker gave no answer in time.
            WorkerFailure: from any method, when the worker ended or its answer could not be read.
        """
        if self._worker is None and self._submission is not None:
            try:
                self.revive()
            except Raised as raised:
                raise WorkerFailure(
                    f"The submission could not be loaded again: {raised.type_names[0]}",
                    aspect="load",
                ) from raised
        self._fresh = True

    def close(self) -> None:
        """Ends the worker."""
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.close()
            self._earlier_output = (self._earlier_output + worker.output)[:OUTPUT_AT_MOST]

    def _ask(
        self, label: str, timeout_s: float | None, operation: str, *arguments: Any
    ) -> tuple[Any, ...]:
        __tracebackhide__ = True
        if self._worker is None:
            raise self._failure()
        try:
            frame = encode((operation, self._fresh, *arguments), exact_layout=True)
        except Unsendable as problem:
            raise TypeError(
                f"{problem} cannot be passed to {label} in an isolated worker"
            ) from None
        self._fresh = False
        allowed_s = call_limit() if timeout_s is None else timeout_s
        left, whole = time_left()
        if left <= 0:
            raise TimeLimit(whole)
        limit_s = whole if left < allowed_s else allowed_s
        try:
            ask = self._worker.ask
            if self._ahead is not None and operation != "load":
                ask = partial(self._ahead.ask, self._worker)
            return _answer(label, ask(frame, min(allowed_s, left)))
        except Expired as expired:
            self._lose(lambda: TimeLimit(limit_s, label), expired)
        except Ended as end:
            text = f"The program ended while {label} ran: {end}."
            self._lose(lambda: WorkerFailure(text, aspect="died"), end)
        except ProtocolError as problem:
            self._refuse(label, problem)
        except KeyboardInterrupt:  # the person at the terminal
            self._failure = lambda: TimeLimit(allowed_s, label)
            self.close()
            raise

    def _refuse(self, label: str, problem: ProtocolError | None = None) -> NoReturn:
        """The worker sent what no honest one sends."""
        __tracebackhide__ = True
        text = f"The program's answer to {label} could not be read: does it write to descriptors that are not its own?"
        self._lose(lambda: WorkerFailure(text, aspect="died"), problem)

    def _lose(self, failure: Callable[[], BaseException], cause: Exception | None) -> NoReturn:
        __tracebackhide__ = True
        self.close()
        self._failure = failure
        raise failure() from cause


def _answer(label: str, reply: Any) -> tuple[Any, ...]:
    """The reply, when it is an answer; what the worker could not do is raised."""
    __tracebackhide__ = True
    match reply:
        case ("raised", [str(), *_] as names, str(message), str(trace), None | str() as mismatch):
            raise Raised([str(name) for name in names], message, trace, mismatch)
        case ("undefined", str(name)):
            raise NotDefined(name)
        case ("unrevealable", str(text)):
            raise Unrevealable(text)
        case ("unsendable", str(text)):
            raise StudentError(
                f"The answer of {label} is {text}: it cannot be judged.", aspect="type"
            )
        case (str(), *_):
            return tuple(reply)
    raise ProtocolError("no answer")


def _not_loaded() -> BaseException:
    return WorkerFailure("No submission is loaded.", aspect="load")
