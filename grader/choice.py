"""Which file of a folder is graded, where a topic was answered in a notebook and in a .py beside it."""

import ast
import warnings
from pathlib import Path
from typing import NamedTuple

from grader.course import Topic
from grader.submission import SubmissionError, read_submission

SUFFIXES = (".ipynb", ".py")
"""Of submissions, the ones that count first."""


class Chosen(NamedTuple):
    """The file to grade.

    Attributes:
        path: the file.
        note: why this one, where there were two; else empty.
    """

    path: Path
    note: str = ""


def chosen_file(folder: Path, topic: Topic) -> Chosen | None:
    """The submission of a topic in a folder: of a notebook and a .py the edited one; of two edited ones the notebook.

    A file counts as edited when its code differs from what was handed out, in more than comments and white space.
    Without a file of the topic's name, the only .py or .ipynb of a folder named after the topic; else None.
    """
    notebook, script = (folder / f"{topic.module}{suffix}" for suffix in SUFFIXES)
    there = [path for path in (notebook, script) if path.exists() or path.is_symlink()]
    if not there:
        named = [path for path in sorted(folder.iterdir()) if path.suffix in SUFFIXES]
        return Chosen(named[0]) if len(named) == 1 and folder.name == topic.name else None
    if len(there) == 1:
        return Chosen(there[0])
    if not _is_edited(script, topic.stub):
        return Chosen(
            notebook, f"{script.name} is as it was handed out: {notebook.name} is graded."
        )
    try:
        edited = _code(notebook) != _code_handed_out(topic.notebook)
    except SubmissionError as error:
        return Chosen(script, f"{script.name} is graded, because of the notebook: {error}")
    if not edited:
        return Chosen(script, f"{notebook.name} is as it was handed out: {script.name} is graded.")
    return Chosen(
        notebook,
        f"Both {notebook.name} and {script.name} were edited: the notebook counts, {script.name} is not graded.",
    )


def is_edited(path: Path, topic: Topic) -> bool:
    """Whether the code of a .py or .ipynb differs from what was handed out; a file that cannot be read does."""
    return _is_edited(path, topic.notebook if path.suffix == ".ipynb" else topic.stub)


def _is_edited(path: Path, handed_out: Path) -> bool:
    try:
        return _code(path) != _code_handed_out(handed_out)
    except SubmissionError:
        return True


def _code_handed_out(path: Path) -> str | None:
    """None where the course has no such file: then whatever was handed in is the student's."""
    try:
        return _code(path, own=True)
    except SubmissionError:
        return None


def _code(path: Path, *, own: bool = False) -> str:
    """A submission's code without comments and layout."""
    submission = read_submission(path, follow_links=own)
    text = "\n".join(cell.source for cell in submission.cells)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.dump(ast.parse(text))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return text
