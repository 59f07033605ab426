"""fingerprints.json: the signatures of a topic, and how each of its wrong answers behaves.

Only what comes out of wrong answers is stored, and of each array two numbers: the right answer cannot be read from it.
"""

import functools
import hashlib
from collections.abc import Iterable
from pathlib import Path

import msgspec

from grader.course import Topic
from grader.diagnosis.trace import Trace
from grader.tables import CourseError

FORMAT = 4
"""The version of fingerprints.json that this engine reads and writes."""


class WrongAnswer(msgspec.Struct, frozen=True):
    """A misconception as students' copies of a topic know it.

    Attributes:
        text: what a student who makes it is told.
        functions: those that it makes wrong.
        traces: name of a check that rejects it -> how it fares there.
    """

    text: str
    functions: list[str]
    traces: dict[str, Trace]


class Fingerprints(msgspec.Struct, frozen=True):
    """The contents of the file.

    Attributes:
        format: `FORMAT`.
        signatures: the course's signature of each function, `{"relu_forward": "(x)"}`.
        made_from: hash of the sources that the traces were taken from.
        uses: function -> the others that it calls, however deep.
        misconceptions: id -> how it behaves.
    """

    format: int
    signatures: dict[str, str]
    made_from: str = ""
    uses: dict[str, list[str]] = {}
    misconceptions: dict[str, WrongAnswer] = {}


NOTHING = Fingerprints(FORMAT, {})
"""What is known of a topic without the file."""


def fingerprints_of(topic: Topic) -> Fingerprints:
    """The fingerprints of a topic; `NOTHING` where the file is absent.

    Raises:
        CourseError: the file is broken or of another format.
    """
    try:
        version = topic.fingerprints.stat().st_mtime_ns
    except FileNotFoundError:
        return NOTHING
    return _read(topic.fingerprints, version)


@functools.lru_cache(maxsize=64)
def _read(file: Path, _version: int) -> Fingerprints:
    try:
        found = msgspec.json.decode(file.read_bytes(), type=Fingerprints)
    except msgspec.MsgspecError as error:
        raise CourseError(f"{file} is broken ({error}): run `grader build`.") from None
    if found.format != FORMAT:
        raise CourseError(
            f"{file}: format is {found.format}, but this grader reads format {FORMAT}: run `grader build`."
        )
    return found


def sources_hash(topic: Topic) -> str:
    """A hash of what the traces depend on: solution, checks and misconceptions."""
    hashed = hashlib.sha256()
    for path in (topic.source, topic.checks, topic.misconceptions):
        data = path.read_bytes() if path.is_file() else b""
        hashed.update(len(data).to_bytes(8, "big") + data)
    return hashed.hexdigest()[:16]


def as_text(fingerprints: Fingerprints) -> str:
    """The file's contents: JSON, a line per misconception, so that a change shows as one."""
    head = msgspec.to_builtins(fingerprints)
    wrong: dict[str, object] = head.pop("misconceptions")
    lines = [f"  {_json(name)}: {_json(answer)}" for name, answer in wrong.items()]
    fields = [
        *(f" {_json(key)}: {_json(value)}" for key, value in head.items() if key != "signatures"),
        f' "signatures": {_block(f"  {_json(k)}: {_json(v)}" for k, v in head["signatures"].items())}',
        f' "misconceptions": {_block(lines)}',
    ]
    return "{\n" + ",\n".join(fields) + "\n}\n"


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _block(lines: Iterable[str]) -> str:
    inside = ",\n".join(lines)
    return f"{{\n{inside}\n }}" if inside else "{}"
