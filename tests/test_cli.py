"""The command line: exit codes, one line for what is wrong, formats that scripts rely on."""

import json
import subprocess
import sys

import pytest

from grader.build import build
from grader.cli import run
from grader.course import load_course

CHECK = ("check", "--in-process")


@pytest.fixture
def course(small_course, monkeypatch):
    """The small course, built, as the working directory."""
    build(load_course(small_course.root).topics)
    monkeypatch.chdir(small_course.root)
    return small_course


def refusal(capsys):
    """The one line on stderr."""
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    return captured.err


def test_full_marks(course, capsys):
    """Exit code 0, and the points on the terminal."""
    assert run([*CHECK, "solutions/01_doubling/doubling.py"]) == 0
    assert "3 of 3" in capsys.readouterr().out


def test_not_full_marks(course, capsys):
    """Exit code 1."""
    assert run([*CHECK, "exercises/01_doubling/doubling.py"]) == 1
    assert "0 of 3" in capsys.readouterr().out


def test_a_notebook(course, capsys):
    """The generated notebook is a submission too."""
    assert run([*CHECK, "exercises/01_doubling/doubling.ipynb"]) == 1


def test_code_that_does_not_compile(course, capsys):
    """It is the student's error: a report with 0 points that says the line."""
    course.write("doubling.py", "def double(x:\n")
    assert run([*CHECK, "doubling.py"]) == 1
    assert "line 1" in capsys.readouterr().out


def test_the_report_as_json(course, capsys):
    """`--json -` prints the Report and nothing else."""
    options = ["--json", "-", "--seed", "7", "--examples", "3"]
    assert run([*CHECK, "solutions/01_doubling/doubling.py", *options]) == 0
    report = json.loads(capsys.readouterr().out)
    assert list(report) == [
        "schema",
        "submission",
        "topic",
        "points",
        "max_points",
        "settings",
        "checks",
    ]
    assert (report["schema"], report["submission"]) == (1, "doubling.py")
    assert (report["points"], report["max_points"]) == (3, 3)
    assert report["settings"] == {"seed": 7, "examples": 3, "isolated": False}
    check = report["checks"][0]
    assert (check["name"], check["verdict"]) == ("test_double", "passed")
    assert check["title"] == "The double of every element."


def test_the_report_in_a_file(course, capsys):
    """`--json FILE` writes it beside what is shown."""
    assert run([*CHECK, "exercises/01_doubling/doubling.py", "--json", "out/report.json"]) == 1
    report = json.loads((course.root / "out/report.json").read_text())
    assert {check["verdict"] for check in report["checks"]} == {"missing"}
    assert "0 of 3" in capsys.readouterr().out


def test_other_reports(course, monkeypatch, capsys):
    """JUnit XML, a summary for GitHub Actions and forms by name, from one run."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "steps.md")
    options = ["--junit", "junit.xml", "--github-summary", "--format", "gradescope=results.json"]
    assert run([*CHECK, "solutions/01_doubling/doubling.py", *options]) == 0
    assert "3 of 3" in capsys.readouterr().out
    assert 'tests="2" failures="0" errors="0"' in (course.root / "junit.xml").read_text()
    assert "doubling.py: 3 of 3 points" in (course.root / "steps.md").read_text()
    assert json.loads((course.root / "results.json").read_text())["score"] == 3
    course.write("folder/file", "")
    assert run([*CHECK, "solutions/01_doubling/doubling.py", "--summary", "folder"]) == 3
    assert capsys.readouterr().err == "grader: folder: Is a directory\n"


def test_the_topic_by_name(course, capsys):
    """A file of any name, with --topic."""
    course.write("answer.py", "def double(x):\n    return x + x\n")
    assert run([*CHECK, "answer.py", "--topic", "doubling"]) == 1
    assert "2 of 3" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Missing command"),
        (["mark"], "No such command 'mark'"),
        (["check"], "Missing argument 'FILE'"),
        (["check", "nowhere.py"], "nowhere.py does not exist"),
        (["check", "exercises"], "exercises is a folder: name a .py or .ipynb file"),
        (["check", "course.toml"], "does not tell its topic: add --topic, one of 01_doubling"),
        (["check", "course.toml", "--topic", "a"], "no topic 'a'"),
        (["check", "course.toml", "--seed", "one"], "--seed"),
        (["check", "course.toml", "--examples", "-1"], "--examples"),
        (["check", "course.toml", "--frob"], "--frob"),
        (["check", "course.toml", "--format", "pdf=a.pdf"], "no report format 'pdf'; there are: "),
        (["check", "course.toml", "--format", "junit"], "--format junit: write NAME=FILE"),
        (["check", "course.toml", "--github-summary"], "$GITHUB_STEP_SUMMARY is not set"),
        (["verify", "a"], "no topic 'a'"),
    ],
)
def test_wrong_use(course, monkeypatch, capsys, arguments, message):
    """Exit code 2 and one line that says what is wrong."""
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    assert run(arguments) == 2
    assert message in refusal(capsys)


def test_outside_of_a_course(tmp_path, monkeypatch, capsys):
    """The message says where course.toml was looked for."""
    monkeypatch.chdir(tmp_path)
    assert run(["verify"]) == 2
    assert "There is no course.toml in" in refusal(capsys)


def test_a_file_in_a_course_elsewhere(course, tmp_path, monkeypatch, capsys):
    """Outside of a course the file's own counts."""
    monkeypatch.chdir(tmp_path)
    assert run([*CHECK, str(course.solution / "doubling.py")]) == 0


def test_a_broken_course(course, capsys):
    """Exit code 2; the line names file and rule."""
    course.change("course.toml", "format = 1", "format = 3")
    assert run(["verify"]) == 2
    assert "course.toml: format is 3" in refusal(capsys)


def test_build_and_its_check(course, capsys):
    """--check writes nothing and names each file that differs."""
    stub = course.exercise / "doubling.py"
    assert run(["build", "--check"]) == 0
    stub.write_text("x = 1\n")
    assert run(["build", "--check"]) == 2
    assert "exercises/01_doubling/doubling.py differs from its source" in refusal(capsys)
    assert stub.read_text() == "x = 1\n"
    assert run(["build"]) == 0
    assert capsys.readouterr().out == "wrote exercises/01_doubling/doubling.py\n"
    assert run(["build", "--check"]) == 0


def test_build_of_one_topic(course, capsys):
    """By name, number or module; the others are left alone."""
    table = '[[topic]]\nname = "02_halving"\ntitle = "Halving"\npoints = 3\n'
    course.write("course.toml", (course.root / "course.toml").read_text() + table)
    source = (course.root / "solutions/01_doubling/doubling.py").read_text()
    course.write("solutions/02_halving/halving.py", source)
    assert run(["build", "01", "--check"]) == 0
    assert run(["build", "halving", "--check"]) == 2
    assert "exercises/02_halving/halving.py differs" in capsys.readouterr().err
    assert run(["build", "03"]) == 2
    assert "has no topic '03'" in refusal(capsys)


def test_build_in_a_students_checkout(course, capsys):
    """Without solutions/ there is nothing to generate from."""
    (course.root / "solutions").rename(course.root / "elsewhere")
    assert run(["build"]) == 2
    assert "solutions has no topic's source" in refusal(capsys)


def test_verify(course, capsys):
    """Exit code 0 for a sound course, 2 and a line per problem otherwise."""
    assert run(["verify"]) == 0
    assert run(["verify", "01"]) == 0
    assert capsys.readouterr().out == "01_doubling: sound\n" * 2
    course.write("exercises/01_doubling/notes.txt", "")
    assert run(["verify"]) == 2
    assert refusal(capsys) == (
        "exercises/01_doubling/notes.txt: an unexpected file: "
        "remove it, or keep it outside of the topic's folders\n"
    )


def test_the_command_itself(course):
    """The exit code reaches the shell, and no traceback is shown."""
    done = subprocess.run(
        [sys.executable, "-m", "grader", "check", "nowhere.py"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "grader: nowhere.py does not exist.\n"


def test_without_a_sandbox_by_name(course, capsys):
    """`--no-sandbox` is said in the report; with --in-process it makes no sense."""
    assert run(["check", "solutions/01_doubling/doubling.py", "--no-sandbox"]) == 0
    assert "graded in a worker without a sandbox" in capsys.readouterr().out
    assert run([*CHECK, "solutions/01_doubling/doubling.py", "--no-sandbox"]) == 2
    assert "exclude each other" in refusal(capsys)


def test_what_the_submission_prints(course, capsys):
    """Shown behind the checks, made visible; in this process kept out of the JSON."""
    course.write("doubling.py", "print('two\\x1b[31m')\ndef double(x):\n    return 2 * x\n")
    assert run(["check", "doubling.py"]) == 1
    assert "  two\\x1b[31m\n" in capsys.readouterr().out
    assert run([*CHECK, "doubling.py", "--json", "-"]) == 1
    captured = capsys.readouterr()
    assert json.loads(captured.out)["points"] == 2
    assert captured.err == "two\x1b[31m\n"
