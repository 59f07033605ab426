"""Which file of a folder is graded, where a topic was answered in a notebook and in a .py beside it."""

import ast
import warnings
from pathlib import Path
from typing import NamedTuple

from grader.course import Topic
from grader.submission import SubmissionError, read_submission

SUFFIXES = (".ipynb", ".py")
"""Of submissions, the ones that count first."""

_DEFINITION = ("FunctionDef(", "AsyncFunctionDef(", "ClassDef(")


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

    A file counts as edited when it defines a function otherwise than it was handed out, in more than comments and white space:
    a cell that tries something out is no answer.
    Without a file of the topic's name, the only .py or .ipynb of a folder named after the topic; else None.
    """
    notebook, script = (folder / f"{topic.module}{suffix}" for suffix in SUFFIXES)
    there = [path for path in (notebook, script) if path.exists() or path.is_symlink()]
    if not there:
        named = [path for path in sorted(folder.iterdir()) if path.suffix in SUFFIXES]
        return Chosen(named[0]) if len(named) == 1 and folder.name == topic.name else None
    if len(there) == 1:
        return Chosen(there[0])
    if not _answers(script, topic.stub):
        return Chosen(notebook, f"{_unanswered(script, topic)}: {notebook.name} is graded.")
    try:
        read_submission(notebook)
    except SubmissionError as error:
        return Chosen(script, f"{script.name} is graded, because of the notebook: {error}")
    if not _answers(notebook, topic.notebook):
        return Chosen(script, f"{_unanswered(notebook, topic)}: {script.name} is graded.")
    return Chosen(
        notebook,
        f"Both {notebook.name} and {script.name} were edited: the notebook counts, {script.name} is not graded.",
    )


def _unanswered(path: Path, topic: Topic) -> str:
    why = "holds no answer of its own" if is_edited(path, topic) else "is as it was handed out"
    return f"{path.name} {why}"


def _answers(path: Path, handed_out: Path) -> bool:
    """Whether a file defines anything that was handed out otherwise than it was; one that cannot be read might."""
    try:
        found, given = _bindings(path), _bindings(handed_out, own=True)
    except (SubmissionError, SyntaxError, ValueError, RecursionError, MemoryError):
        return _is_edited(path, handed_out)
    stubs = {name: text for name, text in given.items() if text.startswith(_DEFINITION)}
    return not stubs or any(found.get(name, text) != text for name, text in stubs.items())


def _bindings(path: Path, *, own: bool = False) -> dict[str, str]:
    """Name -> the last statement at the top level that binds it, without comments and layout."""
    found: dict[str, str] = {}
    for node in _parsed(_text(path, own=own)).body:
        text = ast.dump(node)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            found[node.name] = text
            continue
        for child in ast.walk(node):
            if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
                found[child.id] = text
            elif isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                found[child.name] = text
            elif isinstance(child, ast.alias):
                found[child.asname or child.name.partition(".")[0]] = text
    return found


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
    text = _text(path, own=own)
    try:
        return ast.dump(_parsed(text))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return text


def _text(path: Path, *, own: bool) -> str:
    submission = read_submission(path, follow_links=own)
    return "\n".join(cell.source for cell in submission.cells)


def _parsed(text: str) -> ast.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text)
