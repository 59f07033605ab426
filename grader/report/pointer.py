"""Where the topic's text explains what a failing check tries: the section above the function."""

import functools
import re
from pathlib import Path

from grader.course import Topic
from grader.words import in_snake_case

_HEADING = re.compile(r"# (#{1,3}) +(.+)")
_DEFINITION = re.compile(r"(?:def|class) +(\w+)")


def pointer(topic: Topic, check: str, headline: str = "") -> str:
    """A line such as `Read "Batch norm" in normalization.py.`; empty where no function can be told.

    Args:
        topic: whose stub has the text.
        check: the check's name.
        headline: what failed; the function that it names comes before the one in the check's name.
    """
    try:
        sections = _sections(topic.stub, topic.stub.stat().st_mtime_ns)
    except FileNotFoundError:
        return ""
    named = [word for word in re.findall(r"\w+", headline) if word in sections]
    words = _words(check.removeprefix("test_"))
    alike = {name: _in_common(words, _words(name)) for name in sections}
    function = named[-1] if named else max(alike, key=alike.__getitem__, default="")
    found = function and (named or alike[function] > 0)
    return f'Read "{sections[function]}" in {topic.stub.name}.' if found else ""


def _words(name: str) -> list[str]:
    """The words of a name, of a class's too: early, stopping."""
    return in_snake_case(name).split("_")


def _in_common(one: list[str], other: list[str]) -> int:
    """How many words two names begin with alike."""
    return next(
        (i for i, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]),
        min(len(one), len(other)),
    )


@functools.lru_cache(maxsize=64)
def _sections(stub: Path, _mtime_ns: int) -> dict[str, str]:
    """The heading above each function and class of a stub in percent format."""
    found: dict[str, str] = {}
    heading = ""
    for line in stub.read_text(encoding="utf-8").splitlines():
        if match := _HEADING.fullmatch(line):
            heading = match[2].strip()
        elif (match := _DEFINITION.match(line)) and heading:
            found[match[1]] = heading
    return found
