"""The figures of a topic, read from its figures.py."""

import importlib.util
import sys

from grader.course import Course, CourseError, Topic
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
    for drawing in drawings:
        for what, text in (("title", drawing.title), ("caption", drawing.caption)):
            if not text.strip():
                raise CourseError(
                    f"{topic.figures}: {drawing.name} has no {what}: say what there is to see."
                )
    return drawings


def other_topics(drawing: Drawing, course: Course, topic: Topic) -> list[Topic]:
    """The other topics whose functions a figure asks for.

    Raises:
        CourseError: it asks for something else.
    """
    known = {other.module: other for other in course.topics if other != topic}
    wanted = [name for name in drawing.parameters if name not in GIVEN]
    for name in wanted:
        if name not in known:
            raise CourseError(
                f"{topic.figures}: {drawing.name} asks for {name!r}, but a figure is given fig, student, "
                "and other topics of the course by their module's name."
            )
    return [known[name] for name in wanted]


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
