"""The misconceptions of a class, most frequent first."""

from collections.abc import Mapping

import msgspec

from grader.grading import Report


class Ranked(msgspec.Struct, frozen=True):
    """A misconception and who behaves like it.

    Attributes:
        id: its name in the topic; two that cannot be told apart are joined by "or".
        text: what its students are told.
        students: their names, sorted.
    """

    id: str
    text: str
    students: tuple[str, ...]


def ranked_misconceptions(
    students: Mapping[str, Mapping[str, Report]], topics: tuple[str, ...] | list[str]
) -> dict[str, list[Ranked]]:
    """Topic -> its misconceptions in a class, the most frequent first; topics without any are left out.

    Args:
        students: student -> topic -> report.
        topics: names of topics, in order.
    """
    ranking: dict[str, list[Ranked]] = {}
    for topic in topics:
        texts: dict[str, str] = {}
        made_by: dict[str, set[str]] = {}
        for student, reports in students.items():
            for check in reports[topic].checks if topic in reports else ():
                if check.misconception is not None:
                    texts[check.misconception.id] = check.misconception.text
                    made_by.setdefault(check.misconception.id, set()).add(student)
        order = sorted(made_by, key=lambda name: (-len(made_by[name]), name))
        if order:
            ranking[topic] = [Ranked(n, texts[n], tuple(sorted(made_by[n]))) for n in order]
    return ranking


def as_json(ranking: Mapping[str, list[Ranked]]) -> str:
    """The ranking as JSON, indented."""
    return msgspec.json.format(msgspec.json.encode(ranking), indent=2).decode() + "\n"
