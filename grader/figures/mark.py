"""The mark that makes a function of a topic's figures.py a figure."""

from collections.abc import Callable
from dataclasses import dataclass
from inspect import signature
from typing import Any


@dataclass(frozen=True)
class Drawing:
    """A figure, not drawn yet; callable as the function that it marks.

    Attributes:
        title: what stands above the picture.
        caption: what stands below: what there is to see.
        size: width and height in inches, title and caption included.
        draw: the author's function.
    """

    title: str
    caption: str
    size: tuple[float, float]
    draw: Callable[..., None]

    @property
    def name(self) -> str:
        """The function's name, and the name of its files."""
        return self.draw.__name__

    @property
    def parameters(self) -> tuple[str, ...]:
        """What the function asks for by name."""
        return tuple(signature(self.draw).parameters)

    def __call__(self, *args: Any, **kwargs: Any) -> None:
        self.draw(*args, **kwargs)


def figure(
    title: str, *, caption: str, size: tuple[float, float] = (7.0, 5.0)
) -> Callable[[Callable[..., None]], Drawing]:
    """Marks a function of figures.py as a figure of its topic.

    The function asks by name for what it needs: `fig`, an empty matplotlib figure that it draws into; `student`, whose
    attributes are the student's functions of this topic; and the module of another topic, such as `gradient_flow`, whose
    functions come from that topic's submission, else from its solution. It labels its axes; title and caption are added.

    Args:
        title: what stands above the picture.
        caption: what there is to see, in whole sentences.
        size: width and height in inches, title and caption included.
    """

    def mark(draw: Callable[..., None]) -> Drawing:
        return Drawing(title, caption, size, draw)

    return mark
