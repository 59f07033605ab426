"""The figures of a topic, read from its figures.py."""

import importlib.util
import sys

from grader.course import CourseError, Topic, load_course
from grader.figures.mark import Drawing

GIVEN = ("fig", "student")
"""What a figure may ask for, beside the modules of other topics."""

_WHILE_LOADING = (
    AttributeError,
    ImportError,
    LookupError,
    NameError,
    SyntaxError,
    TypeError,
    ValueError,
)


def figures_of(topic: Topic) -> tuple[Drawing, ...]:
    """The figures of a topic in the order of its figures.py; none where it has no such file.

    Raises:
        CourseError: figures.py cannot be loaded, or a figure breaks a rule.
    """
    if not topic.figures.is_file():
        return ()
    drawings = tuple(value for value in _names_of(topic).values() if isinstance(value, Drawing))
    if not drawings:
        raise CourseError(
            f"{topic.figures} has no figure: mark a function with @figure(title, caption=...)."
        )
    modules = [other.module for other in load_course(topic.root).topics if other != topic]
    for drawing in drawings:
        where = f"{topic.figures}: {drawing.name}"
        for what, text in (("title", drawing.title), ("caption", drawing.caption)):
            if not text.strip():
                raise CourseError(f"{where} has no {what}: say what there is to see.")
        for parameter in drawing.parameters:
            if parameter not in (*GIVEN, *modules):
                raise CourseError(
                    f"{where} asks for {parameter!r}, but a figure is given fig, student, "
                    "and other topics by their module's name."
                )
    return drawings


def _names_of(topic: Topic) -> dict[str, object]:
    name = f"figures_of_{topic.name}"
    spec = importlib.util.spec_from_file_location(name, topic.figures)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except _WHILE_LOADING as error:
        raise CourseError(
            f"{topic.figures} cannot be loaded: {type(error).__name__}: {error}."
        ) from error
    finally:
        del sys.modules[name]
    return vars(module)
