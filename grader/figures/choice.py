"""Which topics are drawn, and with whose files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.course import Course, CourseError, Topic


@dataclass(frozen=True)
class Choice:
    """What the command line asks for.

    Attributes:
        files: the topics to draw, each with the file whose functions draw.
        folder: where answers to other topics lie; None for those under exercises/.
    """

    files: dict[Topic, Path]
    folder: Path | None

    def answers_to(self, topic: Topic) -> list[Path]:
        """The files that may answer a topic, the likeliest first: the submission, the exercise's own, the solution.

        They need not exist.
        """
        own = [file for file in (self.files.get(topic), _in_folder(self.folder, topic)) if file]
        return [*own[:1], topic.stub, topic.notebook, topic.source]


def chosen(course: Course, name: str | None, submission: Path | None) -> Choice:
    """The topics to draw: the one named, else those that the submission answers, else all.

    Args:
        course: the course.
        name: a topic's name, number or module; None for all.
        submission: a file, or a folder with a folder per topic; None for the course's exercises/.

    Raises:
        CourseError: there is no such topic or file, or nothing to draw.
    """
    topics = course.topics if name is None else (course.topic(name),)
    folder = submission
    if submission is None:
        files = {topic: topic.stub for topic in topics if topic.stub.is_file()}
    elif submission.is_dir():
        found = {topic: _in_folder(submission, topic) for topic in topics}
        files = {topic: file for topic, file in found.items() if file is not None}
        if not files:
            layout = f"{topics[0].name}/{topics[0].module}.py"
            raise CourseError(f"{submission} holds no submission, such as {layout}.")
    elif submission.is_file():
        only = topics[0] if name is not None else course.topic_of(submission)
        if only is None:
            raise CourseError(
                f"{submission.name} does not tell its topic: write the topic before --submission."
            )
        files, folder = {only: submission}, None
    else:
        raise CourseError(f"{submission} does not exist.")
    with_figures = {topic: file for topic, file in files.items() if topic.figures.is_file()}
    if not with_figures:
        raise CourseError(f"There is nothing to draw: no figures.py for {_listed(tuple(files))}.")
    return Choice(with_figures, folder)


def _in_folder(folder: Path | None, topic: Topic) -> Path | None:
    """The topic's file in a folder that has a folder per topic."""
    if folder is None:
        return None
    files = [folder / topic.name / f"{topic.module}{suffix}" for suffix in (".py", ".ipynb")]
    return next((file for file in files if file.is_file()), None)


def _listed(topics: Sequence[Topic]) -> str:
    return ", ".join(topic.name for topic in topics) or "any topic with a submission"
