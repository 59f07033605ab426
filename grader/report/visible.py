"""Text that came from a student, made safe to print: what cannot be seen is shown, what is long is shortened."""

import unicodedata

_LENGTH_AT_MOST = 2000
_LINE_AT_MOST = 300
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def visible(text: str) -> str:
    r"""The text with control, bidirectional and zero-width characters and lone surrogates as escapes.

    Newlines stay; long lines and long texts are cut, with a mark.

    >>> visible("a\x1b[31m\u202eb")
    'a\\x1b[31m\\u202eb'
    """
    if len(text) > _LENGTH_AT_MOST:
        text = text[:_LENGTH_AT_MOST] + " [cut]"
    return "\n".join(_line(line) for line in text.split("\n"))


def _line(line: str) -> str:
    if len(line) > _LINE_AT_MOST:
        line = line[:_LINE_AT_MOST] + " [cut]"
    return "".join(
        character.encode("unicode_escape").decode("ascii")
        if unicodedata.category(character) in _HIDDEN
        else character
        for character in line
    )


def spreadsheet_safe(cell: str) -> str:
    """A CSV cell that no spreadsheet takes for a formula.

    >>> spreadsheet_safe("=1+1")
    "'=1+1"
    """
    return f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
