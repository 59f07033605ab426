"""What a backend asks a worker and how it reads the answers, whichever way they travel."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from grader.failure import StudentError
from grader.worker.program import Handle, NotDefined, Outcome, Raised, Unrevealable
from grader.worker.protocol import ProtocolError, Unsendable, encode
from grader.worker.reply import outcome_of


class Asking(ABC):
    """`Host`'s methods, each a request to a worker."""

    @abstractmethod
    def _ask(self, label: str, operation: str, *arguments: Any) -> tuple[Any, ...]:
        """The answer to a request about `label`, a function's name."""

    @abstractmethod
    def _refuse(self, label: str, problem: ProtocolError | None = None) -> NoReturn:
        """The worker sent what no honest one sends."""

    def defines(self, name: str) -> bool:
        """Whether the submission has a callable of that name."""
        match self._ask(name, "defines", name):
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
        reply = self._ask(label, "call", *request)
        try:
            return outcome_of(reply, args, kwargs)
        except ProtocolError as problem:
            self._refuse(label, problem)

    def attribute(self, handle: Handle, name: str) -> tuple[bool, Any]:
        """As `Host.attribute`."""
        match self._ask(name, "attribute", handle, name):
            case ("attribute", bool(is_method), value):
                return is_method, value
        return self._refuse(name)

    def reveal(self, handle: Handle) -> Any:
        """As `Host.reveal`."""
        match self._ask("the answer", "reveal", handle):
            case ("revealed", value):
                return value
        return self._refuse("the answer")


def request(
    label: str, operation: str, arguments: Sequence[Any], *, lane: int, fresh: bool, more: bool
) -> list[bytes]:
    """The frame of a request.

    Args:
        label: the function's name, for the message.
        operation: what the worker is to do.
        arguments: with what.
        lane: number of the example among those that run side by side; 0 when one runs alone.
        fresh: whether the example begins here.
        more: whether other requests follow at once, so that the answer may wait for theirs.

    Raises:
        TypeError: an argument cannot travel.
    """
    try:
        return encode((operation, lane, fresh, more, *arguments), exact_layout=True)
    except Unsendable as problem:
        raise TypeError(f"{problem} cannot be passed to {label} in an isolated worker") from None


def answer_of(label: str, reply: Any) -> tuple[Any, ...]:
    """The reply, when it is an answer; what the worker could not do is raised, as is `ProtocolError`."""
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
