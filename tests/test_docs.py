"""The site: it builds without a warning, says everything that there is to say, and shows what really happens."""

import ast
import html
import importlib
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
import typer

import grader
from grader import cli
from grader.cli import shared

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def tools():
    """The modules of docs/tools by name."""
    sys.path.insert(0, str(DOCS / "tools"))
    yield importlib.import_module
    sys.path.remove(str(DOCS / "tools"))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The built site's folder; a warning is an error, and so is a broken link or anchor."""
    folder = tmp_path_factory.mktemp("site")
    build = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", folder],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (build.returncode, build.stderr) == (0, "")
    return folder


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "benchmarks/README.md"])
def test_links_outside_of_the_site_lead_somewhere(page):
    """What is read beside the code links to files that exist."""
    folder = (ROOT / page).parent
    targets = re.findall(r"\]\(([^)#\s]+)", (ROOT / page).read_text())
    for target in targets:
        assert target.startswith("https://") or (folder / target).exists(), target


def text_of(site, page):
    """A built page without its tags."""
    return html.unescape(re.sub(r"<[^>]+>", "", (site / page).read_text()))


def test_every_page_is_built(site):
    """Each Markdown file has its page."""
    for path in DOCS.rglob("*.md"):
        assert (site / path.relative_to(DOCS).with_suffix(".html")).is_file()


def test_the_command_line_is_complete(site, tools):
    """Every command with every option."""
    page = text_of(site, "reference/command-line.html")
    found = dict(tools("generated").walk(typer.main.get_command(cli.app), "grader"))
    assert {"grader check", "grader grade", "grader build", "grader verify"} <= set(found)
    for name, command in found.items():
        section = page.partition(f"{name}¶")[2].partition("¶")[0]
        options = [o for param in command.params if not param.hidden for o in param.opts]
        for option in options:
            assert not option.startswith("-") or option in section, (name, option)


def test_pytests_page_is_complete(site):
    """The plugin's options, markers and fixtures."""
    page = text_of(site, "reference/pytest.html")
    source = inspect.getsource(importlib.import_module("grader.plugin"))
    options = re.findall(r'"(--[a-z-]+)"', source)
    fixtures = re.findall(r"@pytest\.fixture.*\ndef (\w+)", source)
    markers = re.findall(r'"markers", "(\w+)', source)
    assert options
    assert fixtures
    assert markers
    for name in (*options, *fixtures, *(f"@pytest.mark.{marker}" for marker in markers)):
        assert name in page


def test_the_face_is_complete(site):
    """Every name that a check may import has a heading of its own."""
    page = (site / "reference/checks.html").read_text()
    for name in grader.__all__:
        assert re.search(rf'<h3 id="grader\.[\w.]+\.{name}"', page), name


def test_every_exit_code_is_told(site):
    """The constants of the command line."""
    tree = ast.parse(Path(shared.__file__).read_text())
    first = next(node for node in tree.body if isinstance(node, ast.Assign))
    codes = [name.id for name in first.targets[0].elts]
    page = text_of(site, "reference/exit-codes.html")
    assert len(codes) >= 4
    for code in codes:
        assert re.search(rf"^{getattr(shared, code)}$", page, re.MULTILINE), code


def tables(kind):
    """What a table of formats.md describes, and the names in its first column."""
    page = (DOCS / "reference" / "formats.md").read_text()
    for place in re.finditer(rf"<!-- {kind}: ([\w.]+) -->\n\n((?:\|.*\n)+)", page):
        rows = re.findall(r"^\| `(\w+)` \|", place[2], re.MULTILINE)
        module, _, name = place[1].rpartition(".")
        yield getattr(importlib.import_module(module), name), rows


def structs(cls):
    """A plain-data class and those that its fields hold."""
    yield cls
    for field in msgspec.structs.fields(cls):
        for name in re.findall(r"[A-Z]\w+", str(field.type)):
            inner = getattr(sys.modules[cls.__module__], name, None)
            if inspect.isclass(inner) and issubclass(inner, msgspec.Struct):
                yield from structs(inner)


def test_json_formats_are_complete():
    """Each field of each struct, in the order in which it is written."""
    told = dict(tables("fields"))
    for cls, names in told.items():
        assert names == [field.encode_name for field in msgspec.structs.fields(cls)], cls
    from grader.diagnosis.fingerprints import Fingerprints
    from grader.grading import Report
    from grader.report.ranking import Ranked

    for root in (Report, Fingerprints, Ranked):
        assert set(structs(root)) <= set(told)


def test_toml_formats_are_complete():
    """Each key that the reader takes."""
    told = list(tables("keys"))
    assert len(told) == 5
    for reader, names in told:
        source = inspect.getsource(reader)
        taken = re.findall(r'\.take(?:_if_there)?\(\s*"(\w+)"', source)
        if "read_table(" in source:  # which takes the format
            taken.append("format")
        assert sorted(names) == sorted(taken), reader


def test_figures_are_those_of_the_code():
    """A row whose first cell names a constant has its value in the second."""
    rows = [
        row
        for path in DOCS.rglob("*.md")
        for row in re.findall(
            r"^\| `(grader\.[\w.]+)([^`]*)` \| (\S+) \|$", path.read_text(), re.MULTILINE
        )
    ]
    assert len(rows) >= 8
    for name, behind, value in rows:
        module, _, constant = name.rpartition(".")
        found = getattr(importlib.import_module(module), constant)
        assert eval(f"found{behind}", {"found": found}) == float(value), name  # the page's own text


def test_the_first_tutorial_is_up_to_date(tools):
    """Its commands print what it shows, and end with full marks."""
    page = (DOCS / "tutorial" / "first-topic.md").read_text()
    assert tools("session").brought_up_to_date(page, "08_regularization") == page
    assert "\n20 of 20 points\n```" in page


def test_the_gallery_is_up_to_date(tools):
    """Two of its entries, run again; `make gallery` writes the page."""
    gallery = tools("gallery")
    page = gallery.PAGE.read_text()
    by_heading = {entry.heading: entry for entry in gallery.ENTRIES}
    with gallery.Terminal() as terminal:
        for heading in ("A wrong value, and the mistake is known", "Not Python"):
            assert gallery.block(by_heading[heading], terminal) in page
    for entry in gallery.ENTRIES:
        assert f"## {entry.heading}\n" in page
