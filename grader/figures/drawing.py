"""Draws a topic's figures with a submission's functions; where one fails, the others are still drawn."""

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from grader.course import Course, Topic
from grader.failure import Failure, TimeLimit
from grader.figures.choice import Choice
from grader.figures.finding import GIVEN, figures_of
from grader.figures.mark import Drawing
from grader.figures.names import Call, GlobalGenerators, Names
from grader.figures.style import put_words, settings
from grader.limits import time_limit
from grader.opening import open_submission, the_student
from grader.report.visible import visible
from grader.student import Student, in_words

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TIMEOUT_S = 60.0
"""How long a student's functions may take for one figure."""

FORMATS = ("svg", "png")

_UNFIT = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
"""What numpy and matplotlib raise where an answer is not what a figure can draw."""

_Open = Callable[[Topic, Path], Student]


@dataclass(frozen=True)
class Outcome:
    """What became of a figure.

    Attributes:
        drawing: the figure.
        files: what was written; empty where it was not drawn.
        problem: why it was not drawn, in one line; empty where it was.
    """

    drawing: Drawing
    files: tuple[Path, ...] = ()
    problem: str = ""


class NotDrawn(Exception):
    """A figure cannot be drawn; the text says why.

    Attributes:
        topic: whose function failed.
    """

    def __init__(self, text: str, topic: Topic) -> None:
        super().__init__(text)
        self.topic = topic


def draw_topic(
    course: Course, topic: Topic, choice: Choice, out: Path, *, isolated: bool = False
) -> Iterator[Outcome]:
    """Draws the figures of a topic one by one, into `out/TOPIC/FIGURE.svg` and `.png`.

    Args:
        course: where other topics are looked up.
        topic: whose figures; one of `choice.files`.
        choice: whose functions draw.
        out: the folder; a picture of an earlier run that cannot be drawn now is removed from it.
        isolated: run the submissions in a sandboxed worker.

    Raises:
        CourseError: figures.py breaks a rule.
        OSError: a picture cannot be written.
    """
    opened: dict[Path, Student] = {}

    def functions(of: Topic, file: Path) -> Student:
        if file not in opened:
            opened[file] = the_student(open_submission(file, own=True), of, isolated=isolated)
        return opened[file]

    try:
        for drawing in figures_of(topic):
            files = tuple(out / topic.name / f"{drawing.name}.{suffix}" for suffix in FORMATS)
            others = [course.topic(name) for name in drawing.parameters if name not in GIVEN]
            try:
                pictures = _first_that_serves(drawing, topic, others, choice, functions)
            except NotDrawn as problem:
                for file in files:
                    file.unlink(missing_ok=True)
                yield Outcome(drawing, problem=" ".join(visible(str(problem)).split()))
                continue
            for file, picture in zip(files, pictures, strict=True):
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(picture)
            yield Outcome(drawing, files)
    finally:
        for student in opened.values():
            student._close()


def _first_that_serves(
    drawing: Drawing, topic: Topic, others: list[Topic], choice: Choice, functions: _Open
) -> list[bytes]:
    """The picture; other topics' functions are those of the submissions, else those of the solutions.

    All of them come from one or all from the other: a cache goes to the backward pass of its own author.
    """
    own = functions(topic, choice.answer_to(topic))
    first: NotDrawn | None = None
    for file_of in (
        (choice.answer_to, lambda other: other.source) if others else (choice.answer_to,)
    ):
        absent = next((other for other in others if not file_of(other).is_file()), None)
        try:
            if absent is not None:
                raise NotDrawn(f"it needs functions of topic {absent.name} too", absent)
            lent = {other: functions(other, file_of(other)) for other in others}
            return _drawn(drawing, topic, {topic: own, **lent})
        except NotDrawn as problem:
            if problem.topic == topic:
                raise
            first = first or problem
    assert first is not None
    raise first


def _drawn(drawing: Drawing, topic: Topic, students: Mapping[Topic, Student]) -> list[bytes]:
    """The picture in each of `FORMATS`."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    for student in students.values():
        student._begin(repeat=False)
    calls: list[Call] = []
    generators = GlobalGenerators()
    names = {of.module: Names(of, one, calls, generators) for of, one in students.items()}
    try:
        with mpl.rc_context(settings()), time_limit(TIMEOUT_S):
            fig = Figure(figsize=drawing.size, layout="constrained")
            given = {"fig": fig, "student": names[topic.module], **names}
            drawing.draw(**{parameter: given[parameter] for parameter in drawing.parameters})
            put_words(fig, drawing.title, drawing.caption)
            fig.draw_without_rendering()
            fig.set_layout_engine("none")  # laid out once for all formats
            return [_saved(fig, suffix, drawing) for suffix in FORMATS]
    except (Failure, TimeLimit) as failure:
        where = calls[-1].topic
        text = failure.headline if where == topic else f"{failure.headline} (topic {where.name})"
        raise NotDrawn(text, where) from None
    except ImportError as error:
        raise NotDrawn(f"{error}: pip install 'gradus-dl[figures]'", topic) from None
    except _UNFIT as error:
        if not calls:  # the author's fault
            raise
        last = calls[-1]
        raise NotDrawn(
            f"{last.name} returned {in_words(last.value)}, which cannot be drawn "
            f"({type(error).__name__}: {error})",
            last.topic,
        ) from error


def _saved(fig: "Figure", suffix: str, drawing: Drawing) -> bytes:
    metadata = {"Title": drawing.title, "Description": drawing.caption}
    if suffix == "svg":
        metadata["Date"] = ""  # the same picture is the same file
    file = io.BytesIO()
    fig.savefig(file, format=suffix, metadata=metadata)
    return file.getvalue()
