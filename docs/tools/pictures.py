"""Draws the pictures of README.md and the site from real output.

python docs/tools/pictures.py         # failure.svg, class.svg, report.png; quick after `make demo`

`report.png` needs a Chromium (Debian package chromium).
"""

import io
import shutil
import subprocess
import tempfile
from pathlib import Path

from gallery import ENTRIES, answer_of
from rich.console import Console
from rich.text import Text
from terminal import ROOT, Terminal, students_copy

PICTURES = ROOT / "docs" / "pictures"
SHOWN = "The forward pass is right, the gradient is not"
"""The entry of the gallery that is drawn."""
WIDE = 150
"""Columns of a terminal in which the class's table has room."""


def failure(terminal: Terminal, folder: Path) -> None:
    """A failing check, in pytest's own colours."""
    entry = next(entry for entry in ENTRIES if entry.heading == SHOWN)
    module = entry.topic[3:]
    students_copy(folder, entry.topic)
    (folder / "exercises" / entry.topic / f"{module}.py").write_text(answer_of(entry))
    command = f"pytest exercises/{entry.topic} --color=yes -k layer_norm"
    draw(terminal, command, folder, PICTURES / "failure.svg", leave_out=4)


def report() -> None:
    """The sample class as `make demo` grades it: the table in the terminal, and report.html as a browser shows it."""
    command = "grader grade examples/class --out demo-out"
    with Terminal(columns=WIDE) as terminal:
        draw(terminal, command, ROOT, PICTURES / "class.svg", columns=WIDE)
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        raise SystemExit("report.png needs a browser: apt-get install chromium")
    screenshot(
        browser, ROOT / "demo-out" / "report.html", PICTURES / "report.png", width=1500, height=900
    )


def draw(
    terminal: Terminal,
    command: str,
    folder: Path,
    picture: Path,
    *,
    leave_out: int = 0,
    columns: int = 100,
) -> None:
    """Draws a command and what it prints, without its first lines (they tell of the machine)."""
    console = Console(record=True, width=columns, file=io.StringIO(), color_system="standard")
    typed = command.replace(" --color=yes", "")
    console.print(Text(f"$ {typed}\n", style="bold"))
    lines = terminal.shows(command, folder).strip().splitlines()[leave_out:]
    console.print(Text.from_ansi("\n".join(lines)))
    title = typed.split(" ")[0]
    svg = console.export_svg(title=title, font_aspect_ratio=0.61, unique_id=picture.stem)
    picture.write_text(without_web_fonts(svg))
    print(f"wrote {picture.relative_to(ROOT)}")


def without_web_fonts(svg: str) -> str:
    """The picture with the reader's own fonts: rich's would be loaded from elsewhere."""
    while "@font-face" in svg:
        head, _, rest = svg.partition("@font-face")
        svg = head + rest.partition("}")[2].lstrip()
    return svg.replace("Fira Code, monospace", "Menlo, Consolas, DejaVu Sans Mono, monospace")


def screenshot(browser: str, page: Path, picture: Path, *, width: int, height: int) -> None:
    """A page as a headless browser shows it."""
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run(
            [
                browser,
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--hide-scrollbars",
                f"--user-data-dir={profile}",
                f"--window-size={width},{height}",
                f"--screenshot={picture}",
                page.as_uri(),
            ],
            check=True,
            capture_output=True,
            timeout=120,
        )
    print(f"wrote {picture.relative_to(ROOT)}")


def main() -> None:
    """Draws them all."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name, Terminal() as terminal:
        failure(terminal, Path(name))
    report()


if __name__ == "__main__":
    main()
