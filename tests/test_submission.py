"""Uploads: what is read, and what is refused with which message."""

import json
import os

import pytest

from grader.submission import SubmissionError, read_submission, submission_from_bytes


def notebook(*cells, **changes):
    """A notebook; a cell is its source, or a dict that is one."""
    filled = [
        cell if isinstance(cell, dict) else {"cell_type": "code", "source": cell, "metadata": {}}
        for cell in cells
    ]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "cells": filled, **changes}).encode()


def sources(*cells):
    """The sources that are left of a notebook's cells."""
    return [cell.source for cell in submission_from_bytes(notebook(*cells), "a.ipynb").cells]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_python_file_is_one_cell(tmp_path, mark):
    """With or without a byte-order mark, with any line ends."""
    path = tmp_path / "doubling.py"
    path.write_bytes(mark + "x = 'ä'\r\ny = 2\r".encode())
    submission = read_submission(path)
    assert (submission.filename, submission.path) == ("doubling.py", path)
    assert submission.cells == (("doubling.py", "x = 'ä'\ny = 2\n"),)


def test_a_notebook_has_a_cell_per_code_cell():
    """Cells are numbered among the code cells; text, blank cells and comments are left out."""
    data = notebook(
        {"cell_type": "markdown", "source": "# text"}, "x = 1", " \n# a plan", ["y = 2\n", "z = 3"]
    )
    assert submission_from_bytes(data, "a.ipynb").cells == (
        ("a.ipynb, code cell 1", "x = 1"),
        ("a.ipynb, code cell 3", "y = 2\nz = 3"),
    )


@pytest.mark.parametrize(
    "metadata",
    [
        {"nbgrader": {"grade": True, "solution": False, "grade_id": "a"}},
        {"tags": ["check"]},
        {"tags": ["other", "plot"]},
    ],
)
def test_checks_and_plots_are_left_out(metadata):
    """Cells that are not the student's answer are not loaded."""
    cell = {"cell_type": "code", "source": "assert False", "metadata": metadata}
    assert sources("x = 1", cell) == ["x = 1"]


def test_an_answer_that_nbgrader_grades_is_loaded():
    """A manually graded solution cell is the student's code."""
    cell = {
        "cell_type": "code",
        "source": "x = 1",
        "metadata": {"nbgrader": {"grade": True, "solution": True}},
    }
    assert sources(cell) == ["x = 1"]


@pytest.mark.parametrize(
    "check", ['check("double")', 'from grader import check\ncheck("a"); grader.check("b")']
)
def test_cells_of_check_calls_are_left_out(check):
    """A cell that only asks for the verdict is no answer; one that also defines something is."""
    assert sources("x = 1", check) == ["x = 1"]
    assert len(sources("x = 1", f"{check}\ny = 1")) == 2


@pytest.mark.parametrize(
    ("source", "plain"),
    [
        ("%matplotlib inline\nx = 1", "pass\nx = 1"),
        ("!pip install numpy\n%load_ext a\nx = 1", "pass\npass\nx = 1"),
        ("if True:\n    %time f()\nx = 1", "if True:\n    pass\nx = 1"),
        ("files = !ls\nx = 1", "pass\nx = 1"),
        ("took = %timeit -o f()\nx = 1", "pass\nx = 1"),
        ("?np.sum\nnp.sum??\nx = 1", "pass\npass\nx = 1"),
        ("!echo 'it is \\\n  long'\nx = 1", "pass\n\nx = 1"),
        ("%%time\nx = 1", "\nx = 1"),
        ("\n%%capture out\nx = 1", "\n\nx = 1"),
        ("x = 1\n!echo \"it's\ny = 2", "x = 1\npass\ny = 2"),
    ],
)
def test_magics_go_and_line_numbers_stay(source, plain):
    """What only IPython understands does not make a cell a syntax error."""
    assert sources(source) == [plain]


@pytest.mark.parametrize(
    "source",
    ["x = (7\n  % 2)", 's = """\n%time\n!ls\n"""', "x = 5 % 3", "s = 'why?'", "a = b = 1  # ok?"],
)
def test_what_is_no_magic_stays(source):
    """A `%` in a formula or a text is Python."""
    assert sources(source) == [source]


@pytest.mark.parametrize("magic", ["%%bash\nls", "%%html\n<b>", "%%writefile a.py\nx = 1"])
def test_cells_in_another_language_are_left_out(magic):
    """Only Python is loaded."""
    assert sources("x = 1", magic) == ["x = 1"]


def test_a_broken_cell_does_not_cost_the_others():
    """As at a notebook: the cell fails when it is run, the next one runs."""
    assert sources("def f(:", "x = 1") == ["def f(:", "x = 1"]


def test_half_a_character_does_no_harm():
    """A lone surrogate, which JSON can carry, does not reach the worker."""
    assert sources("x = '\ud800'") == ["x = '?'"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("x = 1\ndef f(:\n", "a.py is not valid Python: line 2: invalid syntax: def f"),
        ("x = " + "-" * 10**5 + "1", "line 1: too deeply nested"),
        ("x = " + "(" * 500 + ")" * 500, "line 1: too many nested parentheses"),
        ("x = 1\0", "line 1: .*null"),
        ("return 1", "line 1: 'return' outside function"),
        ("x = '\u202e'\n  y", r"line 2: unexpected indent: y"),
    ],
)
def test_code_that_does_not_compile(source, message):
    """The message says the line and what Python says."""
    with pytest.raises(SubmissionError, match=message):
        submission_from_bytes(source.encode(), "a.py")


def test_warnings_of_the_compiler_are_not_shown(recwarn):
    """A warning costs nothing and is not printed among the results."""
    submission_from_bytes(b"x = '\\d'\nassert (x, 'always')", "a.py")
    assert not recwarn.list


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"{", "its contents are not JSON"),
        (b"[" * 10**6, "its contents are not JSON"),
        (b"[]", "it has no nbformat"),
        (b'{"nbformat": "4"}', "it has no nbformat"),
        (b'{"nbformat": 3, "worksheets": []}', "notebook format 3, but format 4 is read"),
        (b'{"nbformat": 4}', "no list of cells"),
        (b'{"nbformat": 4, "cells": []}', "no code cell"),
        (notebook({"cell_type": "markdown", "source": "x"}, 7, {}), "no code cell"),
        (notebook("def f(:"), "code cell 1 is not valid Python: line 1"),
        (b"\xff\xfe{", "not UTF-8"),
    ],
)
def test_what_is_no_notebook(data, message):
    """Each kind of broken notebook has its message, with the file's name."""
    with pytest.raises(SubmissionError, match=message) as raised:
        submission_from_bytes(data, "a.ipynb")
    assert "a.ipynb" in str(raised.value)


def test_not_utf8():
    """The message says where the first bad byte is."""
    with pytest.raises(SubmissionError, match=r"a\.py is not UTF-8 \(line 2\)"):
        submission_from_bytes(b"x = 1\ny = '\xe4'", "a.py")


@pytest.mark.parametrize("name", ["a.txt", "a", "a.pyc", "a.py.zip"])
def test_other_files_are_not_graded(name):
    """Only .py and .ipynb."""
    with pytest.raises(SubmissionError, match=r"only \.py and \.ipynb"):
        submission_from_bytes(b"x = 1", name)


def test_much_code_is_refused():
    """Code is limited more tightly than the file, whose figures may be large."""
    with pytest.raises(SubmissionError, match="at most 1 Mi"):
        submission_from_bytes(b"x = 1\n" * 200_000, "a.py")
    output = {"cell_type": "code", "source": "x = 1", "metadata": {}, "outputs": ["a" * 2**21]}
    assert len(submission_from_bytes(notebook(output), "a.ipynb").cells) == 1


def test_a_file_too_large(tmp_path):
    """Nothing of it is parsed."""
    path = tmp_path / "a.ipynb"
    path.write_bytes(b" " * (10 * 2**20 + 1))
    with pytest.raises(SubmissionError, match=r"a\.ipynb is larger than 10 MiB"):
        read_submission(path)


def test_no_file(tmp_path):
    """A path with nothing there."""
    with pytest.raises(SubmissionError, match=r"a\.py does not exist"):
        read_submission(tmp_path / "a.py")


def test_a_folder(tmp_path):
    """A folder is no submission."""
    (tmp_path / "a.py").mkdir()
    with pytest.raises(SubmissionError, match=r"a\.py is a folder"):
        read_submission(tmp_path / "a.py")


def test_a_pipe(tmp_path):
    """A pipe is refused at once: nobody waits for a writer."""
    os.mkfifo(tmp_path / "a.py")
    with pytest.raises(SubmissionError, match="a pipe or a device"):
        read_submission(tmp_path / "a.py")


def test_a_link_is_followed_only_for_the_own_file(tmp_path):
    """An uploaded link would hand out any file that the judge can read."""
    (tmp_path / "secret.py").write_text("x = 1")
    (tmp_path / "a.py").symlink_to(tmp_path / "secret.py")
    with pytest.raises(SubmissionError, match=r"a\.py is a symbolic link"):
        read_submission(tmp_path / "a.py")
    assert read_submission(tmp_path / "a.py", follow_links=True).cells[0].source == "x = 1"


def test_names_are_shown_harmlessly():
    """A file's name cannot move the cursor of whoever reads the message."""
    with pytest.raises(SubmissionError, match=r"^\?\[2Ja\.txt"):
        submission_from_bytes(b"", "\x1b[2Ja.txt")
