"""The preprocessor in the place of nbgrader's Execute: grades a submission in the sandbox, and starts no kernel."""

from functools import cached_property
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_grade, is_solution
from traitlets import Integer, Unicode

from grader.batch import Task, grade_task
from grader.choice import chosen_file
from grader.course import Course, Topic, load_course
from grader.grading import CheckResult, Report, Settings
from grader.nbgrader.known_cells import HIDDEN
from grader.nbgrader.scores import REPORT
from grader.report.cell_html import cell_html
from grader.report.terminal import explanation


class GradeInSandbox(NbGraderPreprocessor):
    """Grades what was submitted with the course's checks, and writes the feedback into the autograded cells' outputs.

    The Report goes to `SaveReportGrades` through nbconvert's resources. It comes from the cache where `grader grade` has
    filled it. A notebook that belongs to no topic of the course is left alone: its autograded cells then need a person.
    """

    course = Unicode(help="The course's folder: the one with course.toml.").tag(config=True)
    seed = Integer(0, min=0, help="Seed of the random examples.").tag(config=True)
    examples = Integer(25, min=0, help="Random examples per check, beside the edge cases.").tag(
        config=True
    )
    cache = Unicode(
        ".grader", help="Folder of reports that are kept, in nbgrader's course folder."
    ).tag(config=True)

    @cached_property
    def _course(self) -> Course:
        return load_course(Path(self.course))

    @cached_property
    def _settings(self) -> Settings:
        return Settings(seed=self.seed, examples=self.examples).resolved()

    def preprocess(
        self, nb: NotebookNode, resources: dict[str, Any]
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """The notebook with feedback, and the Report in the resources."""
        names = resources["nbgrader"]
        topic = self._course.topic_of(Path(names["assignment"], f"{names['notebook']}.ipynb"))
        if topic is None:
            self.log.warning("%s is no topic of %s", names["notebook"], self.course)
            resources[REPORT] = None
            return nb, resources
        report = self._report(topic, names["assignment"], names["student"], names["notebook"])
        resources[REPORT] = report
        _write_feedback(nb, report, topic)
        return nb, resources

    def _report(self, topic: Topic, assignment: str, student: str, notebook: str) -> Report:
        courses = self.parent.parent.coursedir
        folder = Path(courses.format_path(courses.submitted_directory, student, assignment))
        chosen = chosen_file(folder, topic)
        path, note = chosen or (folder / f"{notebook}.ipynb", "")
        task = Task(student, topic.name, path, note)
        cache = Path(courses.root, self.cache)
        return grade_task(task, topic, self._settings, cache=cache)


def _write_feedback(nb: NotebookNode, report: Report, topic: Topic) -> None:
    results = {check.name: check for check in report.checks}
    notes = report.notes
    for cell in nb.cells:
        if cell.cell_type != "code":
            continue
        cell.outputs = []
        if not is_grade(cell) or is_solution(cell):
            continue
        name = cell.metadata.nbgrader["grade_id"]
        shown = [one for key, one in results.items() if key == name or _is_hidden(key, name)]
        cell.outputs = [_output(check, notes, topic) for check in shown]
        notes = ()  # beside the first check


def _is_hidden(check: str, cell: str) -> bool:
    return cell == HIDDEN and check.startswith("hidden_")


def _output(check: CheckResult, notes: tuple[str, ...], topic: Topic) -> NotebookNode:
    words = f"{check.verdict}: {check.title}\n{explanation(check, topic)}".strip()
    return new_output(
        "display_data", data={"text/html": cell_html(check, notes, topic), "text/plain": words}
    )
