"""What a topic's figures.py imports: the mark `figure` and the colours; and what a notebook imports, `draw`."""

from grader.figures.inline import draw
from grader.figures.mark import Drawing, figure
from grader.figures.style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SEQUENTIAL,
    SKY,
    VERMILION,
    YELLOW,
)

__all__ = [
    "BLACK",
    "BLUE",
    "GREEN",
    "GREY",
    "ORANGE",
    "PURPLE",
    "SEQUENTIAL",
    "SKY",
    "VERMILION",
    "YELLOW",
    "Drawing",
    "draw",
    "figure",
]
