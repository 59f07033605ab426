"""`grader figures`: what is drawn, what is left out and why."""

import base64
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path

import nbclient
import nbformat
import pytest

from grader.build import build
from grader.cli import run
from grader.course import load_course
from grader.figures.finding import figures_of
from grader.submission import read_submission
from grader.verify import verify

ROOT = Path(__file__).parents[1]

FIGURES = """\
from grader.figures import figure


@figure("Doubles", caption="The double of a number is twice as large.")
def doubles(fig, student):
    ax = fig.subplots()
    ax.plot([0.0, 1.0], [student.double(0.0), student.double(1.0)])
    ax.set(xlabel="number (metres)", ylabel="double (metres)")


@figure("Counting", caption="A counter goes up.")
def counting(fig, student):
    counter = student.Counter(2)
    ax = fig.subplots()
    ax.plot([counter.step() for _ in range(4)])
    ax.set(xlabel="call", ylabel="count")
"""

HALF = """\
def double(x):
    return 2 * x


class Counter:
    def __init__(self, start=0, *, by=1):
        raise NotImplementedError("Counter.__init__ is yours to write")
"""


def texts(svg):
    """What one can read in a picture."""
    root = ET.parse(svg).getroot()
    return {
        " ".join("".join(node.itertext()).split())
        for node in root.iter("{http://www.w3.org/2000/svg}text")
    }


@pytest.fixture
def course(small_course, monkeypatch):
    """The small course with figures, as the working directory."""
    small_course.write("exercises/01_doubling/figures.py", FIGURES)
    build(load_course(small_course.root).topics)
    monkeypatch.chdir(small_course.root)
    return small_course


@pytest.fixture
def two_topics(course):
    """The small course with a second topic, whose figure doubles by the first topic's function."""
    course.change(
        "course.toml",
        "points = 3\n",
        'points = 3\n\n[[topic]]\nname = "02_halving"\ntitle = "Halving"\npoints = 1\n',
    )
    course.write("exercises/02_halving/halving.py", "def halve(x):\n    return x / 2\n")
    course.write(
        "exercises/02_halving/figures.py",
        """\
        import numpy as np

        from grader.figures import figure


        @figure("Halves", caption="Half of the double is the number.")
        def halves(fig, student, doubling):
            ax = fig.subplots()
            ax.plot([student.halve(doubling.double(np.full(1, x))) for x in (0.0, 1.0)])
            ax.set(xlabel="index", ylabel="number")
        """,
    )
    return course


@pytest.mark.parametrize("topic", ["02_residual", "07_schedules"])
def test_the_solutions_draw_every_figure_of_a_topic(topic, tmp_path, monkeypatch, capsys):
    """SVG and PNG of each, with title, axis labels and caption as text."""
    monkeypatch.chdir(ROOT)
    assert run(["figures", topic, "--submission", "solutions", "--out", str(tmp_path)]) == 0
    drawings = figures_of(load_course(ROOT).topic(topic))
    expected = {f"{drawing.name}.{kind}" for drawing in drawings for kind in ("svg", "png")}
    assert {path.name for path in (tmp_path / topic).iterdir()} == expected
    for drawing in drawings:
        words = texts(tmp_path / topic / f"{drawing.name}.svg")
        assert drawing.title in words
        assert drawing.caption.split()[0] in " ".join(words)
        assert words & {"block (0 is the input, 40 the output)", "step"}
        assert words & {"gradient norm relative to the output's", "learning rate"}
        picture = (tmp_path / topic / f"{drawing.name}.png").read_bytes()
        assert picture.startswith(b"\x89PNG")


def test_every_topic_of_the_course_has_its_pictures():
    """Reading them refuses a figure without title or caption, and one that asks for what there is not."""
    topics = load_course(ROOT).topics
    assert all(figures_of(topic) for topic in topics)
    names = [(topic.name, drawing.name) for topic in topics for drawing in figures_of(topic)]
    assert len(set(names)) == len(names)


def test_a_half_finished_submission_draws_what_it_can(course, capsys):
    """The message names the function, and an older picture that cannot be drawn now is gone."""
    course.write("mine/doubling.py", HALF)
    old = course.write("out/01_doubling/counting.png", "")
    assert run(["figures", "--submission", "mine/doubling.py", "--out", "out"]) == 1
    captured = capsys.readouterr()
    assert "Doubles: out/01_doubling/doubles.svg" in captured.out
    assert captured.err == "01_doubling: Counting: not drawn: `Counter` is not written yet.\n"
    assert {"Doubles", "number (metres)", "double (metres)"} <= texts("out/01_doubling/doubles.svg")
    assert not old.exists()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return None", "double returned None (is a `return` missing?)."),
        ("return x / 0", "double raised ZeroDivisionError: float division by zero"),
        (
            "return np.ones((2, 3))",
            "double returned one array of shape (2, 3), which cannot be drawn (ValueError: ",
        ),
        ("return float('nan')", "double returned NaN or infinity, which cannot be drawn."),
    ],
)
def test_a_wrong_answer_is_named(course, capsys, body, message):
    """Whether it raises, or the picture cannot be drawn with what it returned."""
    course.write("mine/doubling.py", f"import numpy as np\ndef double(x):\n    {body}\n")
    assert run(["figures", "--submission", "mine/doubling.py"]) == 1
    assert f"Doubles: not drawn: {message}" in capsys.readouterr().err


def test_stubs_draw_nothing(course, capsys):
    """Without --submission the exercises' own files draw; a file that does not load is said per figure."""
    assert run(["figures"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Doubles: not drawn: `double` is not written yet." in captured.err


def test_another_topics_functions_come_from_its_submission(two_topics, capsys):
    """Else from its solution, where there is one."""
    assert run(["figures", "02"]) == 0  # the stub of topic 01 cannot double, its solution can
    shutil.rmtree("solutions")
    assert run(["figures", "02"]) == 1
    assert "`double` is not written yet. (topic 01_doubling)" in capsys.readouterr().err
    two_topics.write("exercises/01_doubling/doubling.py", "def double(x):\n    return 2 * x\n")
    assert run(["figures", "02"]) == 0


def cell_of(name):
    """A figure's cell, as `grader build` writes it."""
    return f'from grader.figures import draw\n\ndraw("01_doubling", "{name}")'


def test_the_notebook_has_a_cell_for_each_figure(course):
    """Behind its functions, with the tag of cells that are not graded."""
    (topic,) = load_course(course.root).topics
    notebook = nbformat.read(topic.notebook, as_version=4)
    nbformat.validate(notebook)
    plots = [cell for cell in notebook.cells if "plot" in cell.metadata.get("tags", ())]
    assert [cell.source for cell in plots] == [cell_of("doubles"), cell_of("counting")]
    assert notebook.cells[-2:] == plots
    code = read_submission(topic.notebook).cells
    assert len(code) > 0
    assert not any("draw" in cell.source for cell in code)


def test_a_notebook_draws_with_its_own_functions(course):
    """In a real kernel: a stub is named, the function that the student then writes draws, nothing raises."""
    (topic,) = load_course(course.root).topics
    notebook = nbformat.read(topic.notebook, as_version=4)
    written = nbformat.v4.new_code_cell("def double(x):\n    return 2 * x")
    notebook.cells += [written, nbformat.v4.new_code_cell(cell_of("doubles"))]
    resources = {"metadata": {"path": str(topic.exercise_dir)}}
    nbclient.NotebookClient(notebook, timeout=60, resources=resources).execute()
    stub, counting, _, drawn = (cell.get("outputs") for cell in notebook.cells[-4:])
    assert [out.text for out in stub] == ["doubles is not drawn: `double` is not written yet.\n"]
    assert [out.text for out in counting] == [
        "counting is not drawn: `Counter` is not written yet.\n"
    ]
    (picture,) = drawn
    assert base64.b64decode(picture.data["image/png"]).startswith(b"\x89PNG")
    assert picture.metadata["image/png"]["width"] == 672


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return x + None", "double raised TypeError: unsupported operand type(s)"),
        ("return None", "double returned None (is a `return` missing?)."),
    ],
)
def test_a_notebooks_wrong_function_is_named(course, capsys, body, message):
    """Also where it raises what a call with other arguments would raise."""
    names = {}
    exec(f"def double(x):\n    {body}\n", names)
    exec(cell_of("doubles"), names)
    assert capsys.readouterr().out.startswith(f"doubles is not drawn: {message}")


@pytest.mark.parametrize(
    ("figure", "folder", "message"),
    [
        ("trebles", ".", "01_doubling has doubles, counting, but no 'trebles'."),
        ("doubles", "..", "There is no course.toml in "),
    ],
)
def test_a_cell_out_of_place_says_so(course, capsys, monkeypatch, figure, folder, message):
    """In one line, without a traceback."""
    monkeypatch.chdir(folder)
    exec(cell_of(figure), {})
    out = capsys.readouterr().out
    assert out.startswith(f"{figure} is not drawn: {message}")
    assert out.count("\n") == 1


def test_a_notebook_that_answers_another_topic_lends_its_functions(two_topics):
    """Students who write notebooks leave the stub beside it as it was."""
    (first, _) = load_course(two_topics.root).topics
    shutil.rmtree("solutions")
    first.notebook.write_text(
        nbformat.writes(
            nbformat.v4.new_notebook(
                cells=[nbformat.v4.new_code_cell("def double(x):\n    return 2 * x")]
            )
        )
    )
    assert run(["figures", "02"]) == 0


def test_a_function_that_was_given_nonsense_says_by_whom(two_topics, capsys):
    """It raises, but the fault may be another one's."""
    two_topics.write("solutions/01_doubling/doubling.py", "def double(x):\n    return [2]\n")
    assert run(["figures", "02"]) == 1
    assert (
        "Halves: not drawn: halve raised TypeError: unsupported operand type(s) for /: 'list' and 'int' "
        "(it was given what double returned)\n"
    ) in capsys.readouterr().err


def test_the_same_figure_is_the_same_file(course):
    """No date, no random name."""
    for out in ("first", "second"):
        assert run(["figures", "--submission", "solutions", "--out", out]) == 0
    for name in ("doubles.svg", "doubles.png"):
        first, second = (Path(out, "01_doubling", name) for out in ("first", "second"))
        assert first.read_bytes() == second.read_bytes()


def test_the_sandbox_draws_the_same(course):
    """With --isolated the functions run in a worker."""
    for out, options in (("here", []), ("there", ["--isolated"])):
        assert run(["figures", "--submission", "solutions", "--out", out, *options]) == 0
    here, there = (Path(out, "01_doubling", "counting.svg") for out in ("here", "there"))
    assert here.read_bytes() == there.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["figures", "09"], "has no topic '09'"),
        (["figures", "--submission", "no.py"], "no.py does not exist."),
        (["figures", "--submission", "course.toml"], "course.toml does not tell its topic"),
        (["figures", "--submission", "tests"], "tests holds no submission"),
    ],
)
def test_wrong_use(course, capsys, arguments, message):
    """Exit code 2 and one line."""
    (course.root / "tests").mkdir()
    assert run(arguments) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1


def test_a_course_without_figures(course, capsys):
    """There is nothing to draw: said, not passed over."""
    (course.exercise / "figures.py").unlink()
    assert run(["figures"]) == 2
    assert "There is nothing to draw: no figures.py for 01_doubling." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("fig, student", "fig, pupil", "asks for 'pupil'"),
        ('"A counter goes up."', '""', "counting has no caption"),
        ("from grader.figures", "from nowhere", "No module named 'nowhere'"),
    ],
)
def test_verify_reads_figures(course, old, new, rule):
    """A sound figures.py is no stranger; one that breaks a rule is a problem, without being drawn."""
    loaded = load_course(course.root)
    assert verify(loaded, loaded.topics) == []
    course.change("exercises/01_doubling/figures.py", old, new)
    (problem,) = verify(loaded, loaded.topics)
    assert problem.file == "exercises/01_doubling/figures.py"
    assert rule in problem.rule
