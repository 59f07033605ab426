"""What an archive is to grade, and how: autograder.json in its root."""

from pathlib import Path

import msgspec

from grader.report.gradescope import Visibility

FILE = "autograder.json"


class Order(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `grader export gradescope` was told.

    Attributes:
        topic: the topic's name.
        seed: seed of the random examples.
        examples: random examples per check, beside the edge cases.
        visibility: when students see the checks and their score.
        no_sandbox: grade without protection where no sandbox works, instead of refusing.
    """

    topic: str
    seed: int = 0
    examples: int = 25
    visibility: Visibility = "visible"
    no_sandbox: bool = False

    def to_json(self) -> str:
        """The text of autograder.json."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2).decode() + "\n"


def order_in(folder: Path) -> Order:
    """The order that lies in an archive's folder.

    Raises:
        OSError, msgspec.MsgspecError: the archive is broken.
    """
    return msgspec.json.decode((folder / FILE).read_bytes(), type=Order)
