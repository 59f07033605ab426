"""What a check can see of a submission: too much is slow, too little would be a wrong verdict."""

import textwrap

import pytest

from grader.cells import Cell
from grader.watch.reach import Reach

SOURCE = """\
import numpy as np

SCALE = 2.0
TABLE = {}


def _helper(x):
    return x * SCALE


def forward(x):
    return _helper(x)


def backward(x):
    return -x


def remembers(x):
    TABLE[1] = x
    return x


def recalls(x):
    return TABLE.get(1, x)


class Mean:
    def update(self, value):
        return backward(value)
"""
CALLS = ("forward", "backward", "remembers", "recalls", "Mean")


def changed(old, new, source=SOURCE, **options):
    """The functions whose calls may see the difference, where `old` becomes `new`."""
    assert old in source
    before = Reach([Cell("answer.py", textwrap.dedent(source))])
    after = Reach([Cell("answer.py", textwrap.dedent(source.replace(old, new)))])
    options = {"with_places": False, **options}
    return {c for c in CALLS if before.digest([c], **options) != after.digest([c], **options)}


@pytest.mark.parametrize(
    ("old", "new", "seen_by"),
    [
        ("return -x", "return 1 - x", {"backward", "Mean"}),
        ("x * SCALE", "x / SCALE", {"forward"}),
        ("return -x", "# nothing\n    return -x", set()),
        ("SCALE = 2.0", "SCALE = 3.0", set(CALLS)),
        ("import numpy as np", "import numpy as np, math", set(CALLS)),
        ("TABLE[1] = x\n", "TABLE[1] = 2 * x\n", {"remembers", "recalls"}),
        ("TABLE.get(1, x)", "TABLE.get(2, x)", {"remembers", "recalls"}),
        ("def update", "def renew", {"Mean"}),
        ("def _helper", "def backward(x):\n    return x\n\n\ndef _helper", {"backward", "Mean"}),
    ],
)
def test_who_sees_a_change(old, new, seen_by):
    """Callers, the callers of these, and whoever shares a table."""
    assert changed(old, new) == seen_by


def test_a_moved_function_means_the_same_in_another_place():
    """Its place counts where a message may show its line."""
    old, new = "def backward", "# a comment\ndef backward"
    assert changed(old, new) == set()
    assert changed(old, new, with_places=True) == {"backward", "remembers", "recalls", "Mean"}


@pytest.mark.parametrize(
    "dark",
    [
        "def dark():\n    global SCALE\n    SCALE = 3",
        "def dark():\n    np.mean = None",
        "def dark():\n    forward.memo = 1",
        "def dark():\n    np.seterr(all='raise')",
        "def dark():\n    exec('SCALE = 3')",
        "def dark():\n    import sys",
        "def dark():\n    globals()['SCALE'] = 3",
        "def dark(:",
    ],
)
def test_where_reading_cannot_tell_everything_counts(dark):
    """One such line, and every change is seen by all."""
    source = f"{SOURCE}\n\n{dark}\n"
    assert changed("return -x", "return 1 - x", source=source) == set(CALLS)


def test_a_definition_at_import_time():
    """What runs while the module is loaded is seen by all."""
    source = f"{SOURCE}\n\nSTART = backward(1.0)\n"
    assert changed("return -x", "return 1 - x", source=source) == set(CALLS)
    assert changed("x * SCALE", "x / SCALE", source=source) == {"forward"}
