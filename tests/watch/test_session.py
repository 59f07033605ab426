"""`grader watch` as a student has it: a terminal, saves, keys, an endless loop."""

import os
import re
import signal
import sys
import time

import pexpect
import pytest

from grader.build import build
from grader.course import load_course

KEYS = "q quit"


@pytest.fixture
def course(small_course):
    """The small course with a second topic, both built."""
    small_course.write(
        "course.toml",
        (small_course.root / "course.toml").read_text()
        + '\n[[topic]]\nname = "02_tripling"\ntitle = "Tripling"\npoints = 3\n',
    )
    for tree, name in (
        ("exercises", "test_doubling.py"),
        ("solutions", "doubling.py"),
        ("solutions", "misconceptions.toml"),
    ):
        text = (small_course.root / tree / "01_doubling" / name).read_text()
        small_course.write(f"{tree}/02_tripling/{name.replace('doubling', 'tripling')}", text)
    build(load_course(small_course.root).topics)
    return small_course


@pytest.fixture
def watch(course):
    """A function that starts `grader watch` in a terminal of 80 columns; it has answered once when this returns."""
    started = []

    def start(*arguments, encoding="utf-8", **environment):
        child = pexpect.spawn(
            sys.executable,
            ["-m", "grader", "watch", *arguments],
            cwd=str(course.root),
            env={**os.environ, "TERM": "xterm", "PYTHONIOENCODING": encoding, **environment},
            dimensions=(40, 80),
            encoding=encoding,
            timeout=40,
        )
        started.append(child)
        child.expect(r"of \d points.*" + KEYS)
        child.seen = child.before + child.after
        return child

    yield start
    for child in started:
        if child.isalive():
            child.kill(signal.SIGKILL)
        child.close()


def test_saves_keys_and_an_endless_loop(course, watch):
    """Each save has its verdict at once; nothing that a student saves ends the watch but `q`."""
    stub = course.exercise / "doubling.py"
    whole = (course.solution / "doubling.py").read_text()
    child = watch()
    assert "`double` is not written yet." in child.seen
    assert "0 of 3 points" in child.seen

    began = time.monotonic()
    stub.write_text(whole)
    child.expect("3 of 3 points")
    assert time.monotonic() - began < 5
    child.expect("Everything passes")

    stub.write_text(whole.replace("return _twice(x)", "return x * x"))
    child.expect("1 of 3 points")
    child.expect("test_double fails now")
    child.expect("but should be -6")

    stub.write_text("def double(x:\n")
    child.expect("is not valid Python: line 1")
    stub.unlink()
    child.expect("doubling.py is gone")

    stub.write_text(whole.replace("return _twice(x)", "while True: pass"))
    time.sleep(1.0)  # the loop runs; a new save ends it long before its time is up
    began = time.monotonic()
    stub.write_text(whole)
    child.expect("3 of 3 points")
    assert time.monotonic() - began < 5

    stub.write_text(whole.replace("return _twice(x)", "while True: pass"))
    child.expect("is there an endless loop")
    child.expect("1 of 3 points")

    child.send("l")
    child.expect("> 01 Doubling")
    child.expect("02 Tripling")
    child.send("h")
    child.expect("What it must do")
    child.expect("press h again")
    child.send("h")
    child.expect("What the checks look at")
    child.send("n")
    child.expect("02_tripling: Doubling|02_tripling: Tripling")
    child.expect(KEYS)

    part = course.exercise / "doubling.part"  # as an editor does that writes a new file
    part.write_text(whole)
    part.replace(stub)
    child.expect("01_doubling: Doubling")
    child.expect("3 of 3 points")
    notebook = course.exercise / "doubling.ipynb"
    text = notebook.read_text()
    notebook.write_text(text[:100])
    child.expect("is not a notebook")
    notebook.write_text(text)
    child.expect("0 of 3 points")

    child.send("q")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_isolated_and_plain(course, watch):
    """In the sandbox as grading does, in sentences; Ctrl-C ends it too."""
    child = watch("01", "--isolated", "--plain")
    assert "missing, 0 of 2 points: The double of every element." in child.seen
    (course.exercise / "doubling.py").write_bytes((course.solution / "doubling.py").read_bytes())
    child.expect("passed, 2 of 2 points")
    child.expect("3 of 3 points")
    child.expect(KEYS)
    child.sendintr()
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert "Traceback" not in child.before


def test_a_narrow_console_without_colour(course, watch):
    """On cp1252 other letters stand for what it lacks; NO_COLOR leaves none."""
    course.change("course.toml", '"Doubling"', '"Doubling: \u03b3 \u2192 2\u03b3"')
    course.change(
        "solutions/01_doubling/doubling.py",
        "return _twice(x)",
        'raise ValueError("\u03b3 \u2264 0, caf\u00e9 \u6f22")',
    )
    (course.exercise / "doubling.py").write_bytes((course.solution / "doubling.py").read_bytes())
    child = watch("01", encoding="cp1252", NO_COLOR="1")
    assert "double raised ValueError: gamma <= 0, caf\u00e9" in child.seen
    assert "Doubling: gamma -> 2gamma" in child.seen
    colours = re.findall(r"\x1b\[([\d;]+)m", child.seen)
    assert set(colours) <= {"0", "1", "2"}
    child.send("q")
    child.expect(pexpect.EOF)
    assert "Traceback" not in child.before
