"""What `grader build` generates from a topic's source."""

import json

import nbformat
import pytest
from small_course import SOURCE, STUB

from grader.build import build, build_topic, outdated
from grader.content.regions import stub_of
from grader.content.signatures import signatures_of
from grader.course import CourseError, load_course


def topics_of(small_course):
    """The course's topics."""
    return load_course(small_course.root).topics


def test_the_stub_is_the_source_without_its_regions():
    """Bodies raise, private helpers and their cells are gone, everything else stays."""
    assert stub_of(SOURCE, "doubling.py") == STUB


def test_a_region_may_be_a_part_of_a_body():
    """What stands before and behind a region stays, at its indentation."""
    source = (
        "def f(x):\n    y = x\n    if y:\n        ### BEGIN SOLUTION\n        y = 2\n"
        "        ### END SOLUTION\n    return y\n"
    )
    assert stub_of(source, "a.py") == (
        "def f(x):\n    y = x\n    if y:\n"
        '        raise NotImplementedError("f is yours to write")\n    return y\n'
    )


def test_a_function_in_a_region_does_not_name_it():
    """The message names the function that the student writes, not the solution's inner one."""
    source = (
        "def f(x):\n    ### BEGIN SOLUTION\n    def g():\n        return x\n\n    return g()\n"
        "    ### END SOLUTION\n"
    )
    assert stub_of(source, "a.py") == (
        'def f(x):\n    raise NotImplementedError("f is yours to write")\n'
    )


def test_private_methods_go():
    """A region in a class but outside of its methods is a helper of the solution."""
    source = (
        "class A:\n    b = 1\n    ### BEGIN SOLUTION\n    def _c(self):\n        return 2\n"
        "    ### END SOLUTION\n"
    )
    assert stub_of(source, "a.py") == "class A:\n    b = 1\n"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("x = 1\n### BEGIN SOLUTION\n", "a.py:2: ### BEGIN SOLUTION without ### END SOLUTION"),
        ("### END SOLUTION\n", "a.py:1: ### END SOLUTION without ### BEGIN SOLUTION"),
        (
            "### BEGIN SOLUTION\n\n### BEGIN SOLUTION\n### END SOLUTION\n",
            "a.py:3: ### BEGIN SOLUTION inside the region of line 1",
        ),
        ("#### begin solution\n", "a.py:1: '#### begin solution' is not a marker"),
        ("# BEGIN SOLUTIONS\n", "a.py:1: .* is not a marker"),
        ("def f(:\n", "a.py:1: not valid Python"),
        (
            "class A:\n    ### BEGIN SOLUTION\n    x = 1\n    ### END SOLUTION\n",
            "a.py: without its solution regions it is not valid Python",
        ),
    ],
)
def test_markers_that_would_give_the_solution_away(source, message):
    """A marker without a partner, or nearly one, is refused with file and line."""
    with pytest.raises(CourseError, match=message):
        stub_of(source, "a.py")


def test_signatures():
    """As the caller sees them: no self, no annotations, no private names."""
    source = (
        "import numpy as np\n"
        "def f(x: np.ndarray, gamma, *, eps: float = 1e-5, **more) -> None: ...\n"
        "def _private(x): ...\n"
        "class A:\n"
        "    def __init__(self, lr, *, patience=10): ...\n"
        "    def step(self, metric): ...\n"
        "    def _hidden(self): ...\n"
        "    @property\n    def best(self): ...\n"
        "    @staticmethod\n    def of(x): ...\n"
        "class B:\n    x = 1\n"
        "if True:\n    def inner(): ...\n"
    )
    assert signatures_of(source, "a.py") == {
        "f": "(x, gamma, *, eps=1e-05, **more)",
        "A": "(lr, *, patience=10)",
        "A.step": "(metric)",
        "A.of": "(x)",
    }


def test_generated_files(small_course):
    """Stub, notebook and fingerprints, at their places."""
    (topic,) = topics_of(small_course)
    files = build_topic(topic)
    assert set(files) == {topic.stub, topic.notebook, topic.fingerprints}
    assert files[topic.stub] == STUB
    fingerprints = json.loads(files[topic.fingerprints])
    assert fingerprints["format"] == 4
    assert fingerprints["signatures"] == {
        "double": "(x)",
        "Counter": "(start=0, *, by=1)",
        "Counter.step": "()",
    }
    assert {name: list(one["traces"]) for name, one in fingerprints["misconceptions"].items()} == {
        "square": ["test_double"],
        "stays": ["test_counting"],
    }
    assert "x * x" not in files[topic.fingerprints], "no edit is shipped"
    assert files == build_topic(topic), "the same source gives the same bytes"


def test_the_notebook(small_course):
    """A valid notebook without outputs or solution, whose cells keep their ids."""
    (topic,) = topics_of(small_course)
    text = build_topic(topic)[topic.notebook]
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.kernelspec.name == "python3"
    assert [cell.cell_type for cell in notebook.cells] == ["markdown", "code", "code", "code"]
    assert [cell.id for cell in notebook.cells][2:] == ["double", "Counter"]
    assert "_twice" not in text
    ids = [cell.id for cell in notebook.cells]
    small_course.write(
        "solutions/01_doubling/doubling.py", f"# %% [markdown]\n# More to read.\n\n{SOURCE}"
    )
    again = nbformat.reads(build_topic(topic)[topic.notebook], as_version=4)
    assert [cell.id for cell in again.cells][1:] == ids


def test_equal_cells_have_ids_of_their_own(small_course):
    """Nbformat wants unique ids."""
    (topic,) = topics_of(small_course)
    small_course.write("solutions/01_doubling/doubling.py", "# %%\nx = 1\n\n# %%\nx = 1\n")
    nbformat.validate(nbformat.reads(build_topic(topic)[topic.notebook], as_version=4))


def test_build_writes_what_differs(small_course):
    """A second build writes nothing; a changed file is put back."""
    topics = topics_of(small_course)
    written = build(topics)
    assert len(written) == 3
    assert build(topics) == []
    assert outdated(topics) == {}
    topics[0].stub.write_text("x = 1\n")
    assert list(outdated(topics)) == [topics[0].stub]
    assert build(topics) == [topics[0].stub]
    assert topics[0].stub.read_text() == STUB
    assert sorted(path.name for path in topics[0].exercise_dir.iterdir()) == [
        "doubling.ipynb",
        "doubling.py",
        "fingerprints.json",
        "test_doubling.py",
    ]


def test_a_broken_source_writes_nothing(small_course):
    """The message names the file; the generated files stay as they are."""
    small_course.change("solutions/01_doubling/doubling.py", "### END SOLUTION", "")
    topics = topics_of(small_course)
    with pytest.raises(CourseError, match=r"doubling\.py:\d+: ### BEGIN SOLUTION inside"):
        build(topics)
    assert not topics[0].stub.exists()


def test_topics_are_built_side_by_side(small_course):
    """Each gets what it gets alone, and a broken one is named."""
    small_course.append(
        "course.toml", '\n[[topic]]\nname = "02_twice"\ntitle = "Again"\npoints = 3\n'
    )
    for one, other in (
        ("solutions/01_doubling/doubling.py", "solutions/02_twice/twice.py"),
        ("solutions/01_doubling/misconceptions.toml", "solutions/02_twice/misconceptions.toml"),
        ("exercises/01_doubling/test_doubling.py", "exercises/02_twice/test_twice.py"),
    ):
        small_course.write(other, (small_course.root / one).read_text())
    first, second = topics_of(small_course)
    files = outdated([first, second])
    assert files == {**build_topic(first), **build_topic(second)}
    assert len(files) == 6
    small_course.change("solutions/02_twice/twice.py", "### END SOLUTION", "")
    with pytest.raises(CourseError, match=r"02_twice/twice\.py:\d+: ### BEGIN SOLUTION inside"):
        build([first, second])
    assert not first.stub.exists()


def test_no_source(small_course):
    """A student's checkout has no solutions."""
    (topic,) = topics_of(small_course)
    topic.source.unlink()
    with pytest.raises(CourseError, match=r"solutions/01_doubling/doubling\.py does not exist"):
        build_topic(topic)
