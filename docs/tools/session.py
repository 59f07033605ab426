"""Runs a tutorial's commands in a student's copy of the course, and shows what they print.

In the page, a block `python title="FILE"` holds functions that a reader writes into FILE, in the place of those of the same
name; a block `console` holds a command behind `$ ` and what it prints. Where the printed part is out of date, the page is.

python docs/tools/session.py PAGE            # exit code 1 if it is out of date
python docs/tools/session.py --write PAGE    # brings it up to date
"""

import argparse
import ast
import re
import sys
import tempfile
from pathlib import Path

from terminal import Terminal, students_copy

_BLOCK = re.compile(
    r'^(?P<margin> *)```(?P<kind>python title="(?P<file>[^"]+)"|console)\n(?P<body>.*?)^(?P=margin)```$',
    re.MULTILINE | re.DOTALL,
)


def brought_up_to_date(page: str, *topics: str) -> str:
    """The page with what its commands print today.

    Args:
        page: Markdown.
        topics: the topics that a reader has.
    """
    with tempfile.TemporaryDirectory() as name, Terminal() as terminal:
        folder = students_copy(Path(name), *topics)

        def done(block: re.Match[str]) -> str:
            if block["file"]:
                write_into(folder / block["file"], _without_margin(block))
                return block[0]
            command = block["body"].strip().splitlines()[0].removeprefix("$ ")
            printed = _from_the_first_test(terminal.shows(command, folder))
            lines = ["```console", f"$ {command}", *printed, "```"]
            return "\n".join(f"{block['margin']}{line}".rstrip() for line in lines)

        return _BLOCK.sub(done, page)


def _without_margin(block: re.Match[str]) -> str:
    width = len(block["margin"])
    return "\n".join(line[width:] for line in block["body"].splitlines()) + "\n"


def _from_the_first_test(printed: str) -> list[str]:
    """The lines without pytest's head, which tells of the machine."""
    lines = printed.splitlines()
    first = next((n for n, line in enumerate(lines) if line.startswith("collected ")), 0)
    return lines[first:]


def write_into(file: Path, source: str) -> None:
    """Puts the functions and classes of a source in the place of those of the same name in a file.

    Raises:
        StopIteration: the file has none of that name.
    """
    for new in ast.parse(source).body:
        text = file.read_text()
        old = next(n for n in ast.parse(text).body if getattr(n, "name", "") == new.name)  # type: ignore[attr-defined]
        lines = text.splitlines(keepends=True)
        lines[old.lineno - 1 : old.end_lineno] = [f"{ast.get_source_segment(source, new)}\n"]
        file.write_text("".join(lines))


def main() -> int:
    """Exit code 1 if the page is out of date and was not written."""
    parser = argparse.ArgumentParser()
    parser.add_argument("page", type=Path)
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    page = arguments.page.read_text()
    topics = sorted(set(re.findall(r"exercises/(\d\d_\w+)", page)))
    today = brought_up_to_date(page, *topics)
    if arguments.write:
        arguments.page.write_text(today)
    elif today != page:
        print(f"{arguments.page} is out of date: run it with --write")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
