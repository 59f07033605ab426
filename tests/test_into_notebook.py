"""`grader notebook`: no code of the file is lost, what it defines stands in its cell, and work is not overwritten."""

import ast
import json
from collections import Counter
from pathlib import Path

import pytest

from grader.build import build
from grader.cli import run
from grader.content.notebook import notebook_of
from grader.course import load_course
from grader.into_notebook import NoSuchCells, chunks, filled_notebook
from grader.submission import read_submission, submission_from_bytes

ROOT = Path(__file__).parents[1]
HANDED_OUT = json.loads(
    notebook_of(
        '# %% [markdown]\n# # A topic\n\n# %%\nimport numpy as np\n\n\n# %%\ndef f(x):\n    raise NotImplementedError("f")\n\n\n'
        '# %%\ndef g(x):\n    raise NotImplementedError("g")\n'
    )
)


def cells(source):
    """The code cells of the filled notebook, as texts."""
    filled = filled_notebook(HANDED_OUT, source)
    return ["".join(cell["source"]) for cell in filled["cells"] if cell["cell_type"] == "code"]


def test_each_function_in_its_cell():
    """Imports in the first cell, a helper and a comment with the function behind them, the rest behind the last."""
    got = cells(
        "import numpy as np\nfrom math import sqrt\n\n# how far\nSCALE = 2.0\n\ndef _help(x):\n    return x\n\n\n"
        "# the first\n@property\ndef f(x):\n    return _help(x)  # sure\n\n# %% [markdown]\n# ## Text\n\n"
        "# %%\ndef g(x):\n    return x\n\ng.mark = 1\n"
    )
    assert got == [
        "import numpy as np\nfrom math import sqrt",
        (
            "# how far\nSCALE = 2.0\n\n\ndef _help(x):\n    return x\n\n\n"
            "# the first\n@property\ndef f(x):\n    return _help(x)  # sure"
        ),
        "def g(x):\n    return x\n\n\ng.mark = 1",
    ]


def test_what_is_not_written_stays_as_it_was():
    """A function that the file lacks keeps its stub; the notebook's imports stay where the file does without them."""
    got = cells("import math\ndef g(x):\n    return math.exp(x)\n")
    assert got == [
        "import numpy as np\nimport math",
        'def f(x):\n    raise NotImplementedError("f")',
        "def g(x):\n    return math.exp(x)",
    ]


def test_names_that_one_statement_binds():
    """No stub comes after the definition and takes its place."""
    got = cells("def make():\n    return lambda x: x\n\nf = g = make()\n")
    assert got[1].endswith("f = g = make()")
    assert got[2] == "# g is defined with f."


@pytest.mark.parametrize(
    "source",
    [
        "class Base:\n    pass\n\ndef g(x):\n    return Base()\n\nclass f(Base):\n    pass\n",
        "TABLE = [1]\ndef g(x):\n    return TABLE\n\ndef f(x, table=TABLE):\n    return table\n",
        "def wrap(h):\n    return h\ndef g(x):\n    return x\n\n@wrap\ndef f(x):\n    return x\n",
        "def g(x):\n    return x\n\nHALF = g(0.5)\n\ndef f(x):\n    return x\n",
        (
            "def one():\n    return two()\n\ndef f(x):\n    return x\n\n"
            "def two():\n    return 2\n\ndef g(x):\n    return x\n\nONE = one()\n"
        ),
    ],
    ids=["a base class", "a default", "a decorator", "a call", "a call in a call"],
)
def test_what_runs_first_stands_first(source):
    """The notebook's order may be another than the file's: its cells, run in turn, define what the file does."""
    names = {}
    exec("\n\n".join(cells(source)), names)
    own = {}
    exec(source, own)
    for name in own.keys() - {"__builtins__"}:
        assert type(names[name]) is type(own[name])
    assert "NotImplementedError" not in "".join(cells(source))


def test_a_function_that_is_defined_twice():
    """Both stay, in their order: the second is the one that counts."""
    got = cells("def f(x):\n    return 1\n\n\ndef f(x):\n    return 2\n")
    assert got[1].index("return 1") < got[1].index("return 2")


def test_a_file_of_something_else():
    """It is told what the notebook asks for."""
    with pytest.raises(NoSuchCells, match="defines none of f, g"):
        filled_notebook(HANDED_OUT, "def h(x):\n    return x\n")


def test_comments_and_statements_on_one_line():
    """Nothing is taken twice."""
    assert [chunk.source for chunk in chunks("a = 1; b = 2\n# why\nc = 3\n# the end\n")] == [
        "a = 1; b = 2",
        "# why\nc = 3\n\n# the end",
    ]


@pytest.mark.parametrize(
    "file",
    sorted((ROOT / "tests/right_answers").glob("*/*.py")),
    ids=lambda path: f"{path.parent.name}/{path.stem}",
)
def test_no_code_is_lost(file):
    """Right answers in many styles: every statement of the file is in the notebook, and stubs only of what it lacks."""
    topic = load_course(ROOT).topic(file.parent.name)
    filled = filled_notebook(json.loads(topic.notebook.read_text()), file.read_text())
    notebook = submission_from_bytes(json.dumps(filled).encode(), topic.notebook.name)
    before, after = (
        Counter(ast.dump(node) for cell in one.cells for node in ast.parse(cell.source).body)
        for one in (read_submission(file), notebook)
    )
    assert not before - after
    assert set(after - before) <= {ast.dump(ast.parse("import numpy as np").body[0])}


def test_the_command(small_course, monkeypatch, capsys):
    """It writes beside the file, and refuses to overwrite a notebook with work of its own."""
    build(load_course(small_course.root).topics)
    monkeypatch.chdir(small_course.root)
    file = small_course.write("mine/doubling.py", "def double(x):\n    return x + x\n")
    assert run(["notebook", str(file)]) == 0
    notebook = file.with_suffix(".ipynb")
    assert run(["check", "--in-process", "--examples", "0", str(notebook)]) == 1
    assert "2 of 3 points" in capsys.readouterr().out
    assert run(["notebook", str(file)]) == 2
    assert "holds work of its own" in capsys.readouterr().err
    assert run(["notebook", str(notebook)]) == 2
    assert "is no .py file" in capsys.readouterr().err


def test_work_in_the_notebook_handed_out_is_kept(small_course, monkeypatch, capsys):
    """In the folder that was handed out, the notebook to fill may be the one that a student has written in."""
    build(load_course(small_course.root).topics)
    monkeypatch.chdir(small_course.root / "exercises/01_doubling")
    file = small_course.write(
        "exercises/01_doubling/doubling.py", "def double(x):\n    return x + x\n"
    )
    assert run(["notebook", "doubling.py"]) == 0
    written = file.with_suffix(".ipynb").read_text()
    assert "return x + x" in written
    assert run(["notebook", "doubling.py"]) == 0
    file.with_suffix(".ipynb").write_text(written.replace("return x + x", "return 2 * x"))
    assert run(["notebook", "doubling.py"]) == 2
    assert "holds work of its own" in capsys.readouterr().err
    assert "return 2 * x" in file.with_suffix(".ipynb").read_text()
