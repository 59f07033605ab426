"""What the commands share: exit codes, what is refused, and which course, topic and settings are meant."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from grader.course import Course, CourseError, Topic, find_course

if TYPE_CHECKING:
    from grader.grading import Settings

DONE, NOT_FULL_MARKS, WRONG_USE, COULD_NOT_GRADE = 0, 1, 2, 3
"""Exit codes; scripts rely on them."""

Plain = Annotated[
    bool, typer.Option("--plain", help="No colour, no columns: sentences for a screen reader.")
]


class WrongUse(Exception):
    """The command cannot be carried out as it was given."""


def settings_of(seed: int, examples: int, *, in_process: bool, no_sandbox: bool) -> "Settings":
    import msgspec

    from grader.grading import Settings

    if in_process and no_sandbox:
        raise WrongUse("--in-process and --no-sandbox exclude each other.")
    settings = Settings(seed=seed, examples=examples, isolated=not in_process)
    if no_sandbox:
        settings = msgspec.structs.replace(settings, sandbox="none")
    return settings.resolved()


def topic_for(file: Path, name: str | None) -> Topic:
    """The topic that a file answers, in the course of the working directory, else in the file's own."""
    course = course_for(file)
    topic = course.topic_of(file) if name is None else course.topic(name)
    if topic is None:
        known = ", ".join(topic.name for topic in course.topics)
        raise WrongUse(f"{file.name} does not tell its topic: add --topic, one of {known}.")
    if not topic.checks.is_file():
        raise CourseError(f"{topic.checks} does not exist: topic {topic.name} has no checks.")
    return topic


def course_for(file: Path) -> Course:
    try:
        return find_course(Path.cwd())
    except CourseError:
        if not any((folder / "course.toml").exists() for folder in file.absolute().parents):
            raise
        return find_course(file.parent)


def without_nbgrader(error: ImportError) -> WrongUse:
    return WrongUse(f"{error.name} is not installed: pip install 'gradus-dl[nbgrader]'.")
