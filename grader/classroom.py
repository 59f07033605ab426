"""Grades a class into a folder: reports, feedback pages, grades.csv and report.html."""

from concurrent.futures import Executor
from pathlib import Path
from urllib.parse import quote

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from grader.atomic import write_atomically
from grader.batch import Outcome, Task, find_tasks, grade_tasks
from grader.course import Course
from grader.grading import Report, Settings
from grader.report.class_page import class_page, student_page
from grader.report.gradebook_csv import grades_csv
from grader.report.ranking import as_json, ranked_misconceptions


def grade_class(
    folder: Path,
    out: Path,
    course: Course,
    settings: Settings,
    *,
    topic: str | None = None,
    jobs: int = 1,
    executor: Executor | None = None,
    console: Console | None = None,
    cache: Path | None = None,
) -> list[Outcome]:
    """Grades every submission in a folder and writes the results to `out`.

    Args:
        folder: the class, in one of the layouts of `find_tasks`.
        out: gets reports/STUDENT/TOPIC.json, feedback/STUDENT.html, grades.csv, misconceptions.json, report.html, and
            the cache of reports.
        course: whose checks judge.
        settings: seed, examples, isolation; the same for all.
        topic: only this one.
        jobs: judge processes.
        executor: takes the place of the pool of processes.
        console: where the progress bar is drawn; standard error unless given.
        cache: folder of reports by hash; `out/.cache` unless given.

    Returns:
        An outcome per submission, in the order of students and topics.

    Raises:
        NothingToGrade: the folder holds no submissions.
        OSError: `out` cannot be written; what is cached stays, and the next run goes on from there.
    """
    tasks = find_tasks(folder, course, topic)
    write = _Writer(out)
    with _progress(console) as progress:
        bar = progress.add_task("grading", total=len(tasks))

        def done(outcome: Outcome) -> None:
            write.report(outcome)
            progress.update(bar, advance=1)

        outcomes = grade_tasks(
            tasks,
            course,
            settings,
            cache=cache or out / ".cache",
            jobs=jobs,
            done=done,
            executor=executor,
        )
    write.summary(course, outcomes)
    return outcomes


def by_student(outcomes: list[Outcome]) -> dict[str, dict[str, Report]]:
    """Student -> topic -> report, of those that have one."""
    found: dict[str, dict[str, Report]] = {}
    for outcome in outcomes:
        if outcome.report is not None:
            found.setdefault(outcome.task.student, {})[outcome.task.topic] = outcome.report
    return found


class _Writer:
    def __init__(self, out: Path) -> None:
        self.out = out

    def report(self, outcome: Outcome) -> None:
        if outcome.report is not None:
            task: Task = outcome.task
            path = self.out / "reports" / task.student / f"{task.topic}.json"
            write_atomically(path, outcome.report.to_json().decode() + "\n")

    def summary(self, course: Course, outcomes: list[Outcome]) -> None:
        students = by_student(outcomes)
        graded = {outcome.task.topic for outcome in outcomes}
        topics = [topic.name for topic in course.topics if topic.name in graded]
        problems = [
            f"{one.task.student}, {one.task.topic}: {one.problem}"
            for one in outcomes
            if one.report is None
        ]
        pages = {student: f"feedback/{quote(student)}.html" for student in students}
        for student, reports in students.items():
            text = student_page(course.title, student, reports)
            write_atomically(self.out / "feedback" / f"{student}.html", text)
        write_atomically(self.out / "grades.csv", grades_csv(students, topics))
        ranking = as_json(ranked_misconceptions(students, topics))
        write_atomically(self.out / "misconceptions.json", ranking)
        write_atomically(
            self.out / "report.html", class_page(course.title, students, topics, pages, problems)
        )


def _progress(console: Console | None) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console or Console(stderr=True),
        transient=True,
    )
