"""`grader progress`: where a student stands. It remembers nothing: the files are judged anew, on the edge cases only."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Console
from rich.text import Text

from grader.capture import captured
from grader.course import Course, CourseError, Topic, find_course
from grader.failure import TimeLimit
from grader.grading import CheckResult, Settings, outcome, topic_checks
from grader.limits import interruptible, time_limit
from grader.opening import Unreadable, open_submission, the_student
from grader.report.console import console_for
from grader.report.visible import visible

SETTINGS = Settings(examples=0, isolated=False)
"""The edge cases only, in this process: quick, for one's own code."""

CHECK_LIMIT_S = 5.0
_BAR = 10


@dataclass(frozen=True)
class Standing:
    """How far one topic is.

    Attributes:
        topic: which.
        points: what the passed checks are worth.
        file: the better one of the exercise's .py and .ipynb; None if there is neither.
        first: the first check in file order that has not passed; None if all have.
        note: what keeps it from being judged, in one line; empty otherwise.
    """

    topic: Topic
    points: float
    file: Path | None = None
    first: CheckResult | None = None
    note: str = ""

    @property
    def done(self) -> bool:
        """Whether nothing is left to do."""
        return not self.note and self.first is None


def standings(course: Course) -> Iterator[Standing]:
    """The standing of each topic, in the course's order, as it is found."""
    return map(standing, course.topics)


def standing(topic: Topic) -> Standing:
    """The standing of a topic: that of its .py or its .ipynb, whichever has more points."""
    if not topic.checks.is_file():
        return Standing(topic, 0, note="not handed out yet")
    files = [file for file in (topic.stub, topic.notebook) if file.is_file()]
    if not files:
        return Standing(topic, 0, note=f"{topic.stub.name} is missing: get it again")
    found = [_of_file(file, topic) for file in files]
    # a broken file speaks up unless the other one has points
    return max(found, key=lambda one: (one.points, one.done, bool(one.note)))


def _of_file(file: Path, topic: Topic) -> Standing:
    submission = open_submission(file, own=True)
    if isinstance(submission, Unreadable):
        return Standing(topic, 0, file, note=submission.headline)
    with captured():
        try:
            checks = topic_checks(topic)
            with time_limit(CHECK_LIMIT_S), interruptible():
                student = the_student(submission, topic, isolated=False)
        except TimeLimit:
            return Standing(topic, 0, file, note=f"{file.name} is still being loaded: a loop?")
        except CourseError as error:
            return Standing(topic, 0, file, note=str(error))
        except Exception as fault:  # noqa: BLE001  # the checks are code, and may be half an update
            note = f"{topic.checks.name} cannot be loaded ({type(fault).__name__}: {fault})"
            return Standing(topic, 0, file, note=note)
        if student._load_failure is not None:
            return Standing(topic, 0, file, note=student._load_failure.headline)
        points = 0.0
        first = None
        for check in checks:
            limited = replace(check, timeout_s=min(check.timeout_s, CHECK_LIMIT_S))
            result = outcome(limited, student, SETTINGS, None)
            points += result.points
            first = first or (None if result.verdict == "passed" else result)
            if result.verdict == "timeout":
                break  # the others would wait for it as well
    return Standing(topic, points, file, first)


def progress() -> None:
    """For a notebook: shows where you stand in each topic of the course around it, judged anew from its files.

    Raises:
        CourseError: there is no course around the working directory.
    """
    course = find_course(Path.cwd())
    try:
        from IPython.display import HTML, display
    except ImportError:
        print_progress(course, console_for(plain=True), plain=True)
        return
    from grader.report.progress_html import progress_html

    html = progress_html(course.title, list(standings(course)))
    display(HTML(html))


def print_progress(course: Course, console: Console, *, plain: bool = False) -> None:
    """Prints a line per topic as it is known, the sum, and what to do next."""
    found: list[Standing] = []
    console.print(Text(course.title, style="bold"))
    for one in standings(course):
        found.append(one)
        console.print(_sentence(one) if plain else _line(one))
    earned, total = sum(one.points for one in found), sum(one.topic.points for one in found)
    console.print(Text(f"{earned:g} of {total:g} points", style="bold"))
    console.print()
    for line in what_next(found):
        console.print(Text(visible(line)))


def bar(part: float, whole: float) -> str:
    """Ten signs: how much of the whole there is; full only if it is all.

    >>> bar(19.9, 20), bar(20, 20), bar(0, 20)
    ('#########-', '##########', '----------')
    """
    full = min(_BAR, int(_BAR * part / whole + 1e-9))
    return "#" * full + "-" * (_BAR - full)


def what_next(found: Sequence[Standing]) -> Iterator[str]:
    """The first topic that is not done, what is wrong there, and the commands that help."""
    left = next((one for one in found if not one.done and one.note != "not handed out yet"), None)
    if left is None:
        yield "Nothing is left to do: every check of every topic that you have passes."
        return
    number = left.topic.name[:2]
    yield f"Next: {number} {left.topic.title}"
    if left.first is not None:
        yield f"  {left.first.title}"
        yield f"  {(left.first.message.splitlines() or [''])[0]}"
    else:
        yield f"  {left.note}"
    yield f"  grader watch {number}      answers whenever you save"
    yield f"  grader hint {number}       helps without giving it away"


def _line(one: Standing) -> Text:
    title = visible(one.topic.title)
    title = title if len(title) <= 40 else title[:37] + "..."
    line = Text(f"  {one.topic.name[:2]} {title:<40} ")
    style = "green" if one.done else "yellow" if one.points else ""
    line.append(bar(one.points, one.topic.points), style=style)
    line.append(f" {one.points:>5g} of {one.topic.points:g}")
    if one.note:
        line.append(f"\n     {visible(one.note)}", style="dim")
    return line


def _sentence(one: Standing) -> Text:
    state = "done" if one.done else one.note or "not done yet"
    return Text(
        f"{one.topic.name[:2]} {visible(one.topic.title)}: {one.points:g} of {one.topic.points:g} points, "
        f"{visible(state)}"
    )
