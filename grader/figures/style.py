"""How all pictures look: colours that colour-blind readers tell apart, type sizes, title and caption.

The colours are those of M. Okabe and K. Ito, "Color Universal Design" (2008).
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BLACK = "#000000"
ORANGE = "#E69F00"
SKY = "#56B4E9"
GREEN = "#009E73"
YELLOW = "#F0E442"
BLUE = "#0072B2"
VERMILION = "#D55E00"
PURPLE = "#CC79A7"
GREY = "#8C8C8C"

SEQUENTIAL = "cividis"
"""The colour map of surfaces: its lightness rises evenly."""

_CYCLE = (BLUE, ORANGE, GREEN, VERMILION, PURPLE, SKY, BLACK)
_CAPTION_PT = 9.0
_LINE_INCHES = _CAPTION_PT * 1.35 / 72
_MARGIN_INCHES = 0.12
_TITLE_INCHES = 0.36  # its line, and the margin above


def settings() -> Any:
    """matplotlib's settings for every picture, a dict."""
    from cycler import cycler

    return {
        "axes.prop_cycle": cycler(color=_CYCLE),
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.titlesize": 10,
        "grid.color": "#E6E6E6",
        "grid.linewidth": 0.6,
        "font.size": 9.5,
        "figure.titlesize": 12,
        "figure.titleweight": "bold",
        "image.cmap": SEQUENTIAL,
        "legend.frameon": False,
        "legend.fontsize": 8.5,
        "lines.linewidth": 1.8,
        "savefig.dpi": 150,
        "svg.fonttype": "none",  # text stays text: it can be searched and read aloud
        "svg.hashsalt": "figures",  # the same picture is the same file
    }


def put_words(fig: "Figure", title: str, caption: str) -> None:
    """Adds title and caption; the axes share what room is left."""
    width, height = fig.get_size_inches()
    lines = list(_wrapped(caption, fig, width - 2 * _MARGIN_INCHES))
    below = (len(lines) * _LINE_INCHES + 2 * _MARGIN_INCHES) / height
    fig.suptitle(title, y=1 - _MARGIN_INCHES / height, va="top")
    fig.text(
        _MARGIN_INCHES / width,
        _MARGIN_INCHES / height,
        "\n".join(lines),
        fontsize=_CAPTION_PT,
        linespacing=1.35,
        va="bottom",
        color="#333333",
    )
    engine: Any = fig.get_layout_engine()
    if engine is not None:
        engine.set(rect=(0.01, below, 0.98, 1 - below - _TITLE_INCHES / height))


def _wrapped(text: str, fig: "Figure", width_inches: float) -> Iterator[str]:
    """The lines of a caption, as long as fit; letters differ too much in width to be counted."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.font_manager import FontProperties

    canvas: Any = FigureCanvasAgg(fig)
    renderer = canvas.get_renderer()
    font = FontProperties(size=_CAPTION_PT)
    at_most = width_inches * fig.dpi
    line = ""
    for word in text.split():
        longer = f"{line} {word}".lstrip()
        width, _, _ = renderer.get_text_width_height_descent(longer, font, ismath=False)
        if line and width > at_most:
            yield line
            longer = word
        line = longer
    yield line
