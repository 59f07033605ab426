"""Writes a graded class straight into nbgrader's gradebook, without converting notebooks."""

import contextlib
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from nbformat.v4 import new_notebook
from nbgrader.api import Gradebook, GradeCell, MissingEntry, Notebook
from nbgrader.preprocessors import AssignLatePenalties
from sqlalchemy.exc import SQLAlchemyError
from traitlets.config import Config, PyFileConfigLoader

from grader.batch import Outcome
from grader.course import Course, CourseError
from grader.nbgrader.config_file import CONFIG
from grader.nbgrader.scores import points_of, set_auto_score
from grader.nbgrader.uploads import handed_in_at


class ClassGradebook:
    """The gradebook of a course.

    Args:
        db_url: SQLAlchemy's URL, as in nbgrader's `CourseDirectory.db_url`.
        course: whose topics are nbgrader's assignments.
        submitted: the class's folder, `student/topic/file`; the nbgrader_config.py beside it says what lateness costs.
    """

    def __init__(self, db_url: str, course: Course, submitted: Path) -> None:
        self._db_url = db_url
        self._course = course
        self._submitted = submitted
        self._config = _config_beside(submitted)

    def expect(self, topics: Iterable[str]) -> None:
        """Looks whether the gradebook can take the grades of these topics.

        Raises:
            CourseError: it cannot be opened, or does not know one of them.
        """
        with self._opened() as gradebook:
            for topic in topics:
                self._notebook(gradebook, topic)

    def write(self, outcomes: Iterable[Outcome]) -> int:
        """Writes every report's points, cell by cell, and returns how many reports there were.

        Scores given by hand stay, and are marked to be looked at again, as `nbgrader autograde` does.

        Raises:
            CourseError: the gradebook cannot be written, or does not know a topic.
        """
        graded = [one for one in outcomes if one.report is not None]
        with self._opened() as gradebook:
            for outcome in graded:
                self._write(gradebook, outcome)
        return len(graded)

    @contextlib.contextmanager
    def _opened(self) -> Iterator[Gradebook]:
        here = str(Path(sys.executable).parent)  # nbgrader starts `alembic` by its name
        path = os.environ.get("PATH", "")
        os.environ["PATH"] = path if here in path.split(os.pathsep) else f"{here}{os.pathsep}{path}"
        try:
            with Gradebook(self._db_url) as gradebook:
                yield gradebook
        except (SQLAlchemyError, ImportError) as error:  # a driver that is not installed, for one
            first = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise CourseError(f"The gradebook cannot be used: {first}") from None

    def _notebook(self, gradebook: Gradebook, topic: str) -> Notebook:
        try:
            notebooks = gradebook.find_assignment(topic).notebooks
        except MissingEntry:
            notebooks = []
        for notebook in notebooks:
            if self._course.topic_of(Path(topic, notebook.name)) == self._course.topic(topic):
                return notebook
        raise CourseError(
            f"The gradebook has no notebook of {topic}: run `nbgrader generate_assignment {topic}` first."
        )

    def _write(self, gradebook: Gradebook, outcome: Outcome) -> None:
        student, topic = outcome.task.student, outcome.task.topic
        notebook = self._notebook(gradebook, topic).name
        gradebook.update_or_create_student(student)
        moment = handed_in_at(self._submitted / student / topic)
        handed_in = {} if moment is None else {"timestamp": moment}
        gradebook.update_or_create_submission(topic, student, **handed_in)
        entry = gradebook.find_submission_notebook(notebook, topic, student)
        for grade in entry.grades:
            if isinstance(grade.cell, GradeCell) and grade.cell.cell_type == "code":
                set_auto_score(grade, points_of(grade.name, outcome.report))
        gradebook.db.commit()
        names = {"student": student, "assignment": topic, "notebook": notebook}
        resources = {"nbgrader": {**names, "db_url": self._db_url}}
        AssignLatePenalties(config=self._config).preprocess(new_notebook(), resources)


def _config_beside(submitted: Path) -> Config:
    folder = submitted.absolute().parent
    if not (folder / CONFIG).is_file():
        return Config()
    return PyFileConfigLoader(CONFIG, path=str(folder)).load_config()
