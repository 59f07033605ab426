"""Draws a topic's figures with a submission's functions; where one fails, the others are still drawn."""

import io
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from grader.course import Course, Topic
from grader.failure import Failure, TimeLimit
from grader.figures.choice import Choice
from grader.figures.finding import figures_of, other_topics
from grader.figures.mark import Drawing
from grader.figures.names import Call, GlobalGenerators, Names
from grader.figures.style import put_words, settings
from grader.limits import time_limit
from grader.opening import open_submission, the_student
from grader.report.visible import visible
from grader.student import Student, in_words

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TIMEOUT_S = 180.0
"""How long a student's functions may take for one figure."""

FORMATS = ("svg", "png")

_REMEMBERED = 12
"""How many calls of a student's functions are kept, to say where a wrong argument comes from."""

_UNFIT = (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
"""What numpy and matplotlib raise where an answer is not what a figure can draw."""


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
        super().__init__(" ".join(visible(text).split()))
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
            own = functions(topic, choice.files[topic])
            try:
                pictures = pictures_of(drawing, course, topic, own, choice, functions)
            except NotDrawn as problem:
                for file in files:
                    file.unlink(missing_ok=True)
                yield Outcome(drawing, problem=str(problem))
                continue
            for file, picture in zip(files, pictures, strict=True):
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(picture)
            yield Outcome(drawing, files)
    finally:
        for student in opened.values():
            student._close()


def pictures_of(
    drawing: Drawing,
    course: Course,
    topic: Topic,
    own: Student,
    choice: Choice,
    functions: Callable[[Topic, Path], Student],
    formats: Sequence[str] = FORMATS,
) -> list[bytes]:
    """The picture in each of the formats.

    Functions of other topics are taken from the first of `choice.answers_to` that serves, for all of these topics alike: a
    cache goes to the backward pass of its own author.

    Args:
        drawing: the figure.
        course: where other topics are looked up.
        topic: whose figure it is.
        own: the functions of this topic.
        choice: where the answers to other topics lie.
        functions: loads such an answer.
        formats: of matplotlib, such as "png".

    Raises:
        CourseError: the figure asks for what there is not.
        NotDrawn: a function is missing or wrong; the text names it.
    """
    others = other_topics(drawing, course, topic)
    if not others:
        return _drawn(drawing, topic, {topic: own}, formats)
    first: NotDrawn | None = None
    for files in zip(*(choice.answers_to(other) for other in others), strict=False):
        if not all(file.is_file() for file in files):
            continue
        lent = {other: functions(other, file) for other, file in zip(others, files, strict=True)}
        try:
            return _drawn(drawing, topic, {topic: own, **lent}, formats)
        except NotDrawn as problem:
            if problem.topic == topic:
                raise
            first = first or problem
    missing = next((other for other in others if not other.stub.is_file()), others[0])
    raise first or NotDrawn(f"it needs functions of topic {missing.name} too", missing)


def _drawn(
    drawing: Drawing, topic: Topic, students: Mapping[Topic, Student], formats: Sequence[str]
) -> list[bytes]:
    """The picture in each of the formats."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    for student in students.values():
        student._begin(repeat=False, watching_answers=False)
    calls: deque[Call] = deque(maxlen=_REMEMBERED)
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
            return [_saved(fig, suffix, drawing) for suffix in formats]
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
