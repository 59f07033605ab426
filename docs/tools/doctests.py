"""Shows the examples of docstrings as code: an extension of griffe, which reads the docstrings for the reference."""

import re
from typing import Any

import griffe

_EXAMPLE = re.compile(r"(?:^>>> .*\n?(?:^(?!>>> )\S.*\n?|^ +.*\n?)*)+", re.MULTILINE)


class Doctests(griffe.Extension):
    """Fences each run of lines that begins with `>>> `."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Griffe calls this for every object that it has read."""
        if obj.docstring is not None and ">>> " in obj.docstring.value:
            obj.docstring.value = _EXAMPLE.sub(
                lambda found: f"```pycon\n{found[0].rstrip()}\n```\n", obj.docstring.value
            )
