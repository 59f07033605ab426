"""A topic's question to be answered in words, with the scheme by which a person marks it: `written.toml`."""

from dataclasses import dataclass
from pathlib import Path

from grader.tables import CourseError, read_table

FORMAT = 1
"""The version of written.toml that this engine reads."""


@dataclass(frozen=True)
class WrittenQuestion:
    """A question that is marked by hand.

    Attributes:
        points: what a full answer is worth.
        question: Markdown, what a student sees.
        scheme: Markdown, what only the markers see.
    """

    points: float
    question: str
    scheme: str


def load_written(file: Path) -> WrittenQuestion:
    """The question in a written.toml: `format = 1`, `points`, `question` and `scheme`.

    Raises:
        CourseError: the file cannot be read or breaks a rule.
    """
    table = read_table(file, FORMAT)
    points = table.take("points", (int, float))
    question = table.take("question", str).strip()
    scheme = table.take("scheme", str).strip()
    table.refuse_others()
    if not 0 < points < float("inf"):
        raise CourseError(f"{file}: points is {points}, but should be a number above 0.")
    for key, text in (("question", question), ("scheme", scheme)):
        if "MARK SCHEME" in text:
            raise CourseError(
                f"{file}: {key} holds 'MARK SCHEME': the marks around the scheme are written by `init`."
            )
    return WrittenQuestion(points, question, scheme)
