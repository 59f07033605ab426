"""The tutorials do what they say: their files are written, their commands run, their output is what is shown."""

import re
import shlex
from pathlib import Path

import pytest

from grader.cli import run

TUTORIAL = Path(__file__).parent.parent / "docs/tutorial/write-an-exercise.md"
TEXT = TUTORIAL.read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", TEXT, re.DOTALL)
FILES = re.findall(r"`([\w/.]+)`:\n\n```(?:python|toml)\n(.*?)```", TEXT, re.DOTALL)


def steps():
    """Every file and command of the page, in its order."""
    pattern = re.compile(
        r"`(?P<file>[\w/.]+)`:\n\n```(?:python|toml)\n(?P<text>.*?)```|```sh\n(?P<shell>.*?)```",
        re.DOTALL,
    )
    for found in pattern.finditer(TEXT):
        if found["file"]:
            yield "write", found["file"], found["text"]
            continue
        for command, *shown in (
            part.strip().splitlines() for part in found["shell"].split("$ ") if part.strip()
        ):
            yield "run", command, shown


def test_the_tutorial_ends_with_a_sound_exercise(tmp_path, monkeypatch, capsys):
    """Its commands run in a course of their own, and print what the page shows."""
    monkeypatch.chdir(tmp_path)
    done = []
    for kind, what, rest in steps():
        done.append(what)
        if kind == "write":
            assert Path(what).is_file(), f"{what} is no file of the skeleton"
            Path(what).write_text(rest, encoding="utf-8")
        elif what.startswith("cd "):
            monkeypatch.chdir(what.removeprefix("cd "))
        else:
            program, *arguments = shlex.split(what)
            assert program == "grader"
            code = run(arguments)
            printed = capsys.readouterr()
            for line in rest:
                assert line in printed.out + printed.err, what
            todos_left = what == "grader verify" and "TODO" in "".join(rest)
            assert code == (2 if todos_left else 0), printed.err
    assert done.count("grader verify") == 2
    assert len([what for what in done if what.endswith((".py", ".toml"))]) >= 4


def test_an_exercise_takes_at_most_sixty_lines():
    """Of the author's own: checks, wrong answers and solutions; the text that students read is not counted."""
    files = dict(FILES)
    source = files["solutions/01_attention/attention.py"]
    solutions = "".join(re.findall(r"### BEGIN SOLUTION\n(.*?)### END", source, re.DOTALL))
    checks = files["exercises/01_attention/test_attention.py"]
    wrong = files["solutions/01_attention/misconceptions.toml"]
    lines = [line for line in (solutions + checks + wrong).splitlines() if line.strip()]
    for helper in (
        "check_forward",
        "check_backward",
        "assert_raises",
        "lambda q, k, v: v.new_ones",
    ):
        assert helper in checks
    assert len(lines) <= 60


@pytest.mark.parametrize("language", ["sh", "python", "toml"])
def test_every_block_is_run_or_written(language):
    """No block of the page is out of the test's sight."""
    blocks = [text for kind, text in BLOCKS if kind == language]
    seen = (
        [text for _, text in FILES]
        if language != "sh"
        else [text for text in blocks if text.startswith("$ grader")]
    )
    assert blocks
    assert set(blocks) <= set(seen)
