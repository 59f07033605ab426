"""A course of one small topic, for tests of build, verify and the command line."""

import textwrap

import pytest

COURSE = """\
format = 1
title = "A small course"

[[topic]]
name = "01_doubling"
title = "Doubling"
points = 3
"""

SOURCE = '''\
# %% [markdown]
# # Doubling
# Twice as much: $y = 2x$.

# %%
import numpy as np


# %%
### BEGIN SOLUTION
def _twice(x):
    return x + x
### END SOLUTION


# %%
def double(x):
    """The double of every element, shape (N,)."""
    ### BEGIN SOLUTION
    return _twice(x)
    ### END SOLUTION


# %%
class Counter:
    """Counts."""

    def __init__(self, start: int = 0, *, by=1):
        ### BEGIN SOLUTION
        self.value = start
        self.by = by
        ### END SOLUTION

    def step(self):
        """The next value."""
        ### BEGIN SOLUTION
        self.value = self.value + self.by
        return self.value
        ### END SOLUTION
'''

STUB = '''\
# %% [markdown]
# # Doubling
# Twice as much: $y = 2x$.

# %%
import numpy as np


# %%
def double(x):
    """The double of every element, shape (N,)."""
    raise NotImplementedError("double is yours to write")


# %%
class Counter:
    """Counts."""

    def __init__(self, start: int = 0, *, by=1):
        raise NotImplementedError("Counter.__init__ is yours to write")

    def step(self):
        """The next value."""
        raise NotImplementedError("Counter.step is yours to write")
'''

CHECKS = '''\
import numpy as np
from grader import assert_close, assert_equal, points


@points(2)
def test_double(student):
    """The double of every element."""
    x = np.array([1.0, -3.0])
    assert_close(student.double(x), 2 * x, what="double")


@points(1)
def test_counting(student):
    """A counter goes up by one."""
    assert_equal(student.Counter(4).step(), 5, what="the next value")
'''

MISCONCEPTIONS = """\
format = 1

[[misconception]]
id = "square"
functions = ["double"]
find = "x + x"
replace = "x * x"
text = "The double is the sum of a number with itself, not the product."

[[misconception]]
id = "stays"
functions = ["Counter"]
find = "self.value = self.value + self.by"
replace = "pass"
text = "A step changes the value."
"""


DOUBLE = "def double(x):\n    return x + x\n"
COUNTER = """\
class Counter:
    def __init__(self, start=0, *, by=1):
        self.value, self.by = start, by

    def step(self):
        self.value += self.by
        return self.value
"""
"""A right answer, in two pieces."""


class SmallCourse:
    """A course's files, to be changed by a test."""

    def __init__(self, root):
        self.root = root
        self.exercise = root / "exercises/01_doubling"
        self.solution = root / "solutions/01_doubling"
        self.write("course.toml", COURSE)
        self.write("exercises/01_doubling/test_doubling.py", CHECKS)
        self.write("solutions/01_doubling/doubling.py", SOURCE)
        self.write("solutions/01_doubling/misconceptions.toml", MISCONCEPTIONS)

    def write(self, name, text):
        """Writes a file of the course."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    def append(self, name, text):
        """Adds a text at the end of a file of the course."""
        return self.write(
            name, (self.root / name).read_text(encoding="utf-8") + textwrap.dedent(text)
        )

    def change(self, name, old, new):
        """Changes a text that occurs in a file."""
        text = (self.root / name).read_text(encoding="utf-8")
        assert old in text
        return self.write(name, text.replace(old, new))


@pytest.fixture
def small_course(tmp_path):
    """A course of one topic in a folder of its own; nothing is generated yet."""
    return SmallCourse(tmp_path / "course")
