"""From a submission's file to the `student` that the checks see."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grader.course import Topic
from grader.diagnosis.fingerprints import fingerprints_of
from grader.failure import Failure, StudentError
from grader.student import InProcess, RaisedError, Student
from grader.submission import Submission, SubmissionError, read_submission
from grader.words import why_absent
from grader.worker.program import Raised
from grader.worker.sandbox import SandboxName


class Unreadable(StudentError):
    """The file cannot be graded: not read, no Python, or it raises while it is loaded."""


def open_submission(path: Path, *, own: bool = False) -> "Submission | Unreadable":
    """Reads a submission; what is wrong with the file is the student's error.

    Args:
        path: a .py or .ipynb file.
        own: the file is the caller's own, so that symbolic links are followed.
    """
    try:
        return read_submission(path, follow_links=own)
    except SubmissionError as error:
        return Unreadable(str(error), aspect="load")


def the_student(
    submission: "Submission | Unreadable",
    topic: Topic,
    *,
    isolated: bool,
    sandbox: SandboxName | None = None,
    signatures: Mapping[str, str] | None = None,
    ahead: bool = False,
) -> Student:
    """The submission loaded, ready for the checks of the topic.

    Args:
        submission: what `open_submission` made of the file.
        topic: the topic that it answers.
        isolated: load it in a worker, not in this process.
        sandbox: the worker's; None for the best that works here.
        signatures: the course's, instead of those in the topic's fingerprints.
        ahead: send a worker requests before the checks come to them, as `Isolated` does.
    """
    if isinstance(submission, Unreadable):
        return Student(InProcess(), filename=f"{topic.module}.py", load_failure=submission)
    cells = [(cell.label, cell.source) for cell in submission.cells]
    stop = submission.filename.endswith(".py")
    backend: Any = InProcess()
    if isolated:
        from grader.worker.client import Isolated
        from grader.worker.pool import the_pool

        backend = Isolated(the_pool(sandbox), ahead=ahead)
    failure: Failure | None = None
    notes: list[str] = []
    try:
        backend.load(cells, name=topic.module, stop_at_error=stop)
        notes = list(backend.notes)
    except Raised as raised:
        failure = Unreadable(
            f"{submission.filename} cannot be loaded: {RaisedError('it', raised).headline.removeprefix('it ')}",
            details=(*why_absent(raised.type_names), *raised.trace.splitlines()),
            aspect="load",
        )
    except StudentError as error:
        failure = error
    return Student(
        backend,
        filename=submission.filename,
        signatures=fingerprints_of(topic).signatures if signatures is None else signatures,
        load_failure=failure,
        notes=notes,
    )
