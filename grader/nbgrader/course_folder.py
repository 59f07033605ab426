"""`grader nbgrader init`: a course folder in which nbgrader's own commands do everything."""

import json
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

from grader.atomic import write_atomically
from grader.course import FORMAT, Course, CourseError, Topic
from grader.nbgrader.config_file import CONFIG
from grader.nbgrader.source import source_notebook

_CONFIG = '''\
"""nbgrader's settings for {title}. Made by `grader nbgrader init`, yours to change."""

import os
import sys
from pathlib import Path

from nbgrader.preprocessors import (
    AssignLatePenalties,
    CheckCellMetadata,
    ClearHiddenTests,
    ClearMarkScheme,
    ClearOutput,
    ComputeChecksums,
    IncludeHeaderFooter,
    LimitOutput,
    LockCells,
    SaveCells,
)

from grader.nbgrader import (
    ClearSolutions,
    GradeInSandbox,
    SaveReportGrades,
    SubmissionExporter,
    escaped_markdown,
)

c = get_config()  # noqa: F821  # nbgrader defines it

# nbgrader starts `alembic` by its name when it makes a gradebook.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])

c.CourseDirectory.course_id = {course_id!r}
c.CourseDirectory.root = str(Path(__file__).parent)
{db_url}

# The release: stubs that say what is yours to write.
c.GenerateAssignment.preprocessors = [
    IncludeHeaderFooter,
    LockCells,
    ClearSolutions,
    ClearOutput,
    CheckCellMetadata,
    ComputeChecksums,
    SaveCells,
    ClearHiddenTests,
    ClearMarkScheme,
    ComputeChecksums,
    CheckCellMetadata,
]

# Grading: no kernel is started; a sandbox runs the students' functions, and points come from the report alone.
c.Autograde.exporter_class = SubmissionExporter
c.Autograde.autograde_preprocessors = [
    GradeInSandbox,
    LimitOutput,
    SaveReportGrades,
    AssignLatePenalties,
    CheckCellMetadata,
]
c.OverwriteCells.add_missing_cells = True

# What a student wrote must not run in the browser of whoever marks it.
c.HTMLExporter.filters = {{"markdown2html": escaped_markdown}}

c.GradeInSandbox.course = {course!r}
# Keep it to yourself: with it a student could try the very examples that grading uses.
c.GradeInSandbox.seed = {seed}
c.GradeInSandbox.examples = 25
# Reports are kept here, so that `grader grade` can fill the folder beforehand, on all cores or a cluster.
c.GradeInSandbox.cache = ".grader"
'''


def init_course(
    course: Course, folder: Path, *, course_id: str | None, db_url: str | None
) -> list[Path]:
    """Makes or completes a course folder for nbgrader.

    Args:
        course: whose topics become assignments; only those with a source.
        folder: nbgrader's course folder.
        course_id: nbgrader's name of the course; made from the title unless given.
        db_url: the gradebook's URL; nbgrader's default (SQLite in the folder) unless given.

    Returns:
        The files that were written. Existing ones stay: a source notebook may have been edited, and the seed must not change
        between two runs of grading.

    Raises:
        CourseError: a topic breaks a rule, no topic has a source, or the name is none.
    """
    topics = [topic for topic in course.topics if topic.source.is_file()]
    if not topics:
        raise CourseError(
            f"{course.root / 'solutions'} has no topic's source: nothing to hand out."
        )
    course_id = course_id or re.sub(r"[^a-z0-9]+", "-", course.title.lower()).strip("-") or "course"
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", course_id):
        raise CourseError(
            f"The course id is {course_id!r}, but should be letters, digits, '-', '_' and '.'."
        )
    files = {folder / CONFIG: _config(course, course_id, db_url)}
    for topic in topics:
        files.update(_files_of(topic, folder / "source" / topic.name))
    written = [path for path in files if not path.exists()]
    for path in written:
        write_atomically(path, files[path])
    return written


def _config(course: Course, course_id: str, db_url: str | None) -> str:
    line = '# c.CourseDirectory.db_url = "postgresql+psycopg://user@host/gradebook"  # default: SQLite, gradebook.db'
    if db_url is not None:
        line = f"c.CourseDirectory.db_url = {db_url!r}"
    return _CONFIG.format(
        title=course.title.replace('"', "'").replace("\\", ""),
        course_id=course_id,
        db_url=line,
        course=str(course.root),
        seed=secrets.randbelow(2**31),
    )


def _files_of(topic: Topic, folder: Path) -> Iterator[tuple[Path, str]]:
    """What is handed out with the notebook makes the folder a course of its own, in which pytest and `check` work."""
    yield folder / f"{topic.module}.ipynb", source_notebook(topic)
    yield folder / "course.toml", _course_of_one(topic)
    figures = [topic.figures] if topic.figures.is_file() else []
    for path in (topic.stub, topic.checks, topic.fingerprints, *figures):
        if not path.is_file():
            raise CourseError(f"{path} does not exist: run `grader build` first.")
        yield folder / path.name, path.read_text(encoding="utf-8")


def _course_of_one(topic: Topic) -> str:
    title = json.dumps(topic.title, ensure_ascii=False)
    return (
        f"format = {FORMAT}\ntitle = {title}\n\n"
        f'[[topic]]\nname = "{topic.name}"\ntitle = {title}\npoints = {topic.points:g}\n'
    )
