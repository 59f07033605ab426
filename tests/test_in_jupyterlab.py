"""What `check` and `progress` show in a real JupyterLab, in a real browser: readable in every theme that it ships."""

import json
import os
from pathlib import Path

import nbformat
import pytest
from browser import TOKEN, chromium, jupyter
from nbclient import NotebookClient
from nbformat.sign import NotebookNotary
from nbgrader_folder import COUNTER
from playwright.sync_api import sync_playwright
from small_course import SmallCourse

from grader.build import build
from grader.course import load_course

THEMES = {"JupyterLab Light": True, "JupyterLab Dark": False, "JupyterLab Dark High Contrast": False}  # fmt: skip
"""Name -> whether its page is light."""

CELLS = (
    "from grader.notebook import check, progress",
    "def double(x):\n    return x * x",
    'check("test_double")',
    'check("test_counting")',
    COUNTER,
    'check("test_counting")',
    "progress()",
    "!cp ../../solutions/01_doubling/doubling.py .",
    "progress()",
)
LEAST_CONTRAST = 4.5  # of WCAG 2.2, level AA

TEXTS = """
() => {
    const pen = Object.assign(document.createElement("canvas"), {width: 1, height: 1})
        .getContext("2d", {willReadFrequently: true})
    const paint = colour => { pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1) }
    const luminance = () => {
        const linear = [...pen.getImageData(0, 0, 1, 1).data.slice(0, 3)]
            .map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    }
    const found = []
    for (const root of document.querySelectorAll(".grader-check, .grader-progress")) {
        const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT)
        while (walker.nextNode()) {
            const text = walker.currentNode.data.trim()
            if (!text) continue
            const above = []
            for (let one = walker.currentNode.parentElement; one; one = one.parentElement) above.unshift(one)
            paint("white")
            for (const one of above) paint(getComputedStyle(one).backgroundColor)
            const back = luminance()
            paint(getComputedStyle(above.at(-1)).color)
            const fore = luminance()
            const contrast = (Math.max(back, fore) + 0.05) / (Math.min(back, fore) + 0.05)
            found.push({text, back, contrast})
        }
    }
    return found
}
"""
"""Each text of ours, the luminance behind it and its contrast: as computed, translucent colours laid over what is below."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The page of a trusted notebook that was run (wrong, missing, right, and the progress twice); nobody's settings matter."""
    root = tmp_path_factory.mktemp("lab")
    course = SmallCourse(root / "course")
    build(load_course(course.root).topics)
    course.change(
        "exercises/01_doubling/doubling.py",
        'raise NotImplementedError("double is yours to write")',
        "return x + x",
    )
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    NotebookClient(notebook, timeout=120, allow_errors=True,
                   resources={"metadata": {"path": str(course.exercise)}}).execute()  # fmt: skip
    nbformat.write(notebook, course.exercise / "mine.ipynb")
    places = {
        name: str(root / name.lower())
        for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR",
                     "JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR")
    }  # fmt: skip
    Path(places["JUPYTER_DATA_DIR"]).mkdir()
    NotebookNotary(data_dir=places["JUPYTER_DATA_DIR"]).sign(notebook)  # as `jupyter trust` does
    settings = Path(places["JUPYTERLAB_SETTINGS_DIR"], "@jupyterlab/apputils-extension")
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text(
        json.dumps({"fetchNews": "false", "checkForUpdates": False})
    )
    server = jupyter(course.exercise, "jupyterlab", "--LabApp.expose_app_in_browser=True",
                     environment={**os.environ, **places})  # fmt: skip
    with server as address, sync_playwright() as playwright, chromium(playwright) as browser:
        page = browser.new_page(viewport={"width": 1200, "height": 1500})
        page.set_default_timeout(60_000)
        page.goto(f"{address}/lab/tree/mine.ipynb?token={TOKEN}")
        page.locator(".grader-progress").last.wait_for()
        yield page


@pytest.mark.parametrize(("theme", "light"), THEMES.items(), ids=THEMES)
def test_readable(lab, theme, light, tmp_path):
    """The headline, the cases and the table are to be seen, and every text stands out from what is behind it."""
    lab.evaluate(f"jupyterapp.commands.execute('apputils:change-theme', {{theme: {theme!r}}})")
    lab.wait_for_function(f"document.body.dataset.jpThemeName === {theme!r}")
    for verdict, words in {
        "failed": "double is 9 at [1], but should be -6.",
        "missing": "`Counter` is not defined in this notebook",
        "passed": "A counter goes up by one.",
    }.items():
        shown = lab.locator(f".grader-{verdict}")
        assert shown.is_visible()
        assert shown.get_by_text(words).is_visible()
    begun, done = lab.locator(".grader-progress").all()
    assert begun.get_by_text("grader watch 01").is_visible()
    rows = [one.get_by_role("row", name="01 Doubling").inner_text() for one in (begun, done)]
    assert [row.split("\t")[2:] for row in rows] == [["2 of 3", ""], ["3 of 3", "done"]]
    lab.screenshot(path=tmp_path / "lab.png")
    found = lab.evaluate(TEXTS)
    assert len(found) > 25
    assert {one["back"] > 0.5 for one in found} == {light}, "the theme is on, behind each of them"
    assert [one for one in found if one["contrast"] < LEAST_CONTRAST] == []
