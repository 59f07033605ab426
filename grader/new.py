"""`grader new`: skeletons of a topic and of a course, sound from the start but for the TODOs that `grader verify` names."""

import re
from pathlib import Path

from grader.atomic import write_atomically
from grader.course import Course, CourseError, Topic, added, load_course

_POINTS = 2
"""Of the skeleton's checks together."""

_HEADER = """\
# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

"""

_SOURCE = (
    _HEADER
    + '''\
# %% [markdown]
# # {title}
#
# TODO: say what the topic is about, and why it matters.

# %%
import numpy as np

# %% [markdown]
# ## First function
#
# TODO: lead to the function, with its formula.
#
# *Hint:* TODO: one step of the way, not the code.


# %%
def {module}(x):
    """TODO: what it returns, in one line.

    Args:
        x: TODO: what it is, shape (N, D).

    Returns:
        TODO: what comes out, shape (N, D).

    Raises:
        ValueError: TODO: when; here, x has not two axes.
    """
    ### BEGIN SOLUTION
    if x.ndim != 2:  # TODO: the right answer
        raise ValueError(f"x has {{x.ndim}} axes, but should have 2")
    return np.maximum(x, 0)
    ### END SOLUTION
'''
)

_CHECKS = '''\
"""The checks of topic {number}, {module}."""

import numpy as np

from grader import assert_close, assert_raises, cases, given, points


@points(1)
@given(case=cases(x="N D"))
def test_{module}(student, case):
    """TODO: what must hold, as a student reads it."""
    # TODO: the expected value, from a reference that you trust
    assert_close(student.{module}(case.x), np.maximum(case.x, 0), what="{module}", dtype=case.dtype)


@points(1)
def test_{module}_refuses_bad_arguments(student):
    """TODO: which arguments are refused."""
    assert_raises(ValueError, student.{module}, np.zeros(3), because="x has one axis")
'''

_MISCONCEPTIONS = """\
format = 1

[[misconception]]
id = "sign"
functions = ["{module}"]
find = "np.maximum(x, 0)"
replace = "np.minimum(x, 0)"
text = "TODO: the idea behind a mistake that students really make, without the code."
"""

_ENTRY = """
[[topic]]
name = "{name}"
title = "{title}"
points = 2
"""

_IGNORED = """\
.hypothesis/
.ipynb_checkpoints/
.pytest_cache/
__pycache__/
"""


def new_topic(course: Course, name: str) -> Topic:
    """Adds a topic to a course: its entry in course.toml, its source, its checks, its bank of wrong answers.

    Args:
        course: which gets it.
        name: such as "attention", or with a number of its own, "13_attention".

    Returns:
        The topic, behind all others.

    Raises:
        CourseError: the name is no topic's name, or taken, or its folders exist.
    """
    number = max((int(topic.name[:2]) for topic in course.topics), default=0) + 1
    full = name if re.match(r"\d\d_", name) else f"{number:02d}_{name}"
    title = full[3:].replace("_", " ").capitalize()
    topic = added(course, full, title, _POINTS).topics[-1]
    for folder in (topic.exercise_dir, topic.solution_dir):
        if folder.exists():
            raise CourseError(f"{folder} exists already: choose another name, or remove it.")
    values = {"module": topic.module, "title": title, "number": full[:2], "name": full}
    write_atomically(topic.source, _SOURCE.format(**values))
    write_atomically(topic.checks, _CHECKS.format(**values))
    write_atomically(topic.misconceptions, _MISCONCEPTIONS.format(**values))
    file = course.root / "course.toml"
    before = file.read_text(encoding="utf-8") if file.exists() else _head(course.title)
    write_atomically(file, before.rstrip("\n") + "\n" + _ENTRY.format(**values))
    return topic


def new_course(folder: Path, topic: str) -> Course:
    """A course of one topic in a new folder.

    Args:
        folder: where; it must be empty or not exist yet.
        topic: the topic's name, such as "attention".

    Raises:
        CourseError: there is something in the folder, or the name is no topic's name.
    """
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise CourseError(f"{folder} is not empty: name a folder that does not exist yet.")
    folder = folder.absolute()
    title = re.sub(r"[\W_]+", " ", folder.name).strip().capitalize() or "A course"
    new_topic(Course(folder, title, ()), topic)
    write_atomically(folder / ".gitignore", _IGNORED)
    return load_course(folder)


def _head(title: str) -> str:
    return f'format = 1\ntitle = "{title}"\n'  # the title is letters, digits and blanks
