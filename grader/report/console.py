"""Consoles that show what they can: encodings without Greek letters, terminals without colour, screen readers."""

import codecs
import sys
import unicodedata

from rich.console import Console

_ERRORS = "grader.readable"
_IN_ASCII = {
    "\N{RIGHTWARDS ARROW}": "->",
    "\N{LESS-THAN OR EQUAL TO}": "<=",
    "\N{GREATER-THAN OR EQUAL TO}": ">=",
    "\N{NOT EQUAL TO}": "!=",
    "\N{MINUS SIGN}": "-",
    "\N{ALMOST EQUAL TO}": "~",
    "\N{SQUARE ROOT}": "sqrt",
    "\N{INFINITY}": "inf",
}


def console_for(*, plain: bool = False) -> Console:
    """The console of standard output.

    Args:
        plain: no colour, no bold, nothing that only eyes can read.
    """
    if plain:
        return Console(highlight=False, soft_wrap=True, color_system=None, force_terminal=False)
    return Console(highlight=False, soft_wrap=True)


def make_streams_readable() -> None:
    """Lets standard output and error write any text: a character that their encoding lacks becomes one that it has."""
    codecs.register_error(_ERRORS, _readable)
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None and not stream.encoding.lower().startswith("utf"):
            reconfigure(errors=_ERRORS)


def _readable(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(map(_replacement, lacking)), error.end


def _replacement(character: str) -> str:
    r"""ASCII that reads alike, else the name of a letter, else an escape.

    >>> [_replacement(one) for one in "\u2192\u03b3\u0151\U0001f600"]
    ['->', 'gamma', 'o', '\\U0001f600']
    """
    if character in _IN_ASCII:
        return _IN_ASCII[character]
    plain = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()
    name = unicodedata.name(character, "")
    if not plain and name.startswith("GREEK SMALL LETTER "):
        plain = name.removeprefix("GREEK SMALL LETTER ").split()[0].lower()
    return plain or character.encode("ascii", "backslashreplace").decode()
