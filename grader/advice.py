"""What a student should know of the file that was judged, beside the verdicts."""

import ast
from pathlib import Path

from grader.course import Topic
from grader.submission import (
    Submission,
    SubmissionError,
    imports_beyond_grading,
    read_submission,
)
from grader.words import ONLY_NUMPY, UNWRITTEN


def advice_on(submission: Submission, topic: Topic) -> list[str]:
    """Sentences on a submission that was judged in this process.

    It says which imports grading does not have, and that the notebook beside an exercise's file has the answers.
    """
    found = []
    beyond = imports_beyond_grading(submission)
    if beyond and submission.filename.endswith(".py"):  # a notebook's imports are passed over
        found.append(f"{submission.filename} imports {' and '.join(beyond)}. {ONLY_NUMPY}")
    notebook = topic.notebook
    if submission.path == topic.stub and not _answers(submission) and _has_answers(notebook):
        found.append(
            f"{topic.stub.name} is as it was handed out, but {notebook.name} has answers: "
            f"--submission {_short(notebook)} judges them."
        )
    return found


def _has_answers(path: Path) -> bool:
    try:
        return bool(_answers(read_submission(path, follow_links=True)))
    except SubmissionError:
        return False


def _answers(submission: Submission) -> set[str]:
    """The functions and classes that are not as the stub has them."""
    return {
        node.name
        for cell in submission.cells
        for node in ast.parse(cell.source).body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef))
        and UNWRITTEN not in (ast.get_source_segment(cell.source, node) or "")
    }


def _short(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
