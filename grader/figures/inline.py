"""A figure in a notebook, below the cell that asks for it, drawn by the notebook's own functions."""

import sys
from collections.abc import Mapping
from pathlib import Path
from types import FunctionType
from typing import Any

from grader.course import CourseError, Topic, find_course
from grader.diagnosis.fingerprints import fingerprints_of
from grader.figures.choice import Choice
from grader.figures.drawing import NotDrawn, pictures_of
from grader.figures.finding import figures_of
from grader.figures.mark import Drawing
from grader.opening import open_submission, the_student
from grader.student import InProcess, Student

_PIXELS_PER_INCH = 96
"""A browser's."""


def draw(topic: str, name: str) -> None:
    """Shows a figure with the functions that the notebook defines; where it cannot be drawn, a line says why.

    Args:
        topic: a topic of the course that the notebook lies in, by name, number or module.
        name: the figure's name in the topic's figures.py.
    """
    names = sys._getframe(1).f_globals
    try:
        drawing, picture = _picture(topic, name, names)
    except (CourseError, NotDrawn) as problem:
        sys.stdout.write(f"{name} is not drawn: {problem}\n")
        return
    try:
        from IPython.display import Image, display
    except ImportError:
        sys.stdout.write("`draw` shows figures in a notebook; `grader figures` writes files.\n")
        return
    width = round(drawing.size[0] * _PIXELS_PER_INCH)
    display(Image(picture, width=width, alt=f"{drawing.title}. {drawing.caption}"))


def _picture(topic_name: str, name: str, names: Mapping[str, Any]) -> tuple[Drawing, bytes]:
    """The figure, and its picture as PNG."""
    course = find_course(Path.cwd())
    topic = course.topic(topic_name)
    drawings = {drawing.name: drawing for drawing in figures_of(topic)}
    if name not in drawings:
        raise CourseError(
            f"{topic.name} has {', '.join(drawings) or 'no figure'}, but no {name!r}."
        )
    opened: dict[Path, Student] = {}

    def functions(of: Topic, file: Path) -> Student:
        if file not in opened:
            opened[file] = the_student(open_submission(file, own=True), of, isolated=False)
        return opened[file]

    own = Student(
        Running(names), filename="this notebook", signatures=fingerprints_of(topic).signatures
    )
    choice = Choice({}, folder=None)
    drawing = drawings[name]
    (png,) = pictures_of(drawing, course, topic, own, choice, functions, formats=("png",))
    return drawing, png


class Running(InProcess):
    """A host of functions that are defined already, by the cells that were run.

    Args:
        names: the notebook's namespace.
    """

    def __init__(self, names: Mapping[str, Any]) -> None:
        super().__init__()
        self.module.__dict__.update(names)
        for value in names.values():
            for function in (value, *vars(value).values()) if isinstance(value, type) else (value,):
                if isinstance(function, FunctionType):
                    self._files.add(function.__code__.co_filename)
