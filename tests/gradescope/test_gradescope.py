"""The archive for Gradescope: what is in it, and run_autograder run for real in a folder laid out as /autograder."""

import io
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from small_course import COUNTER, DOUBLE, SOURCE, SmallCourse

from grader.build import build
from grader.cli import run
from grader.course import CourseError, load_course
from grader.gradescope import autograde
from grader.gradescope.archive import archive, requirements
from grader.gradescope.order import Order, order_in
from grader.worker.selftest import SandboxUnavailable

# Writes results.json where Gradescope and this test expect it, reads the checks, then leaves without an answer.
HOSTILE = """
import os
ROOT = {root!r}
for path in (ROOT + "/results/results.json", "/autograder/results/results.json"):
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as file:
            file.write('{{"score": 1000}}')
    except OSError:
        pass
def double(x):
    for folder, _, names in os.walk(ROOT):
        return names
    print('{{"score": 1000}}')
    os._exit(0)
"""


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """The small course, built."""
    course = SmallCourse(tmp_path_factory.mktemp("course"))
    build(load_course(course.root).topics)
    course.write("solutions/01_doubling/test_hidden.py", "HIDDEN = True\n")
    return course


@pytest.fixture(scope="module")
def data(course):
    """The archive."""
    return archive(load_course(course.root).topics[0], Order("01_doubling", seed=5, examples=2))


@pytest.fixture
def autograder(tmp_path, data):
    """A folder laid out as /autograder: the archive in source/, run_autograder copied, submission/ and results/ empty."""
    for name in ("source", "submission", "results"):
        (tmp_path / name).mkdir()
    unpack(data, tmp_path / "source")
    script = tmp_path / "run_autograder"
    script.write_bytes((tmp_path / "source/run_autograder").read_bytes())
    script.chmod(0o755)
    return tmp_path


def unpack(data, folder):
    """Unzips as unzip does, permissions too."""
    with zipfile.ZipFile(io.BytesIO(data)) as zipped:
        for info in zipped.infolist():
            path = Path(zipped.extract(info, folder))
            path.chmod(info.external_attr >> 16 & 0o777)


def run_autograder(root):
    """Runs the script with the tests' interpreter; its exit code, output and results.json (None if there is none)."""
    environment = {
        "PATH": os.environ["PATH"],
        "AUTOGRADER_ROOT": str(root),
        "AUTOGRADER_PYTHON": sys.executable,
    }
    done = subprocess.run(
        [root / "run_autograder"],
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    file = root / "results/results.json"
    results = json.loads(file.read_text()) if file.exists() else None
    return done.returncode, done.stdout + done.stderr, results


def assert_as_specified(results):
    """results.json has the keys, types and values of Gradescope's specification."""
    assert results.keys() == {
        *("score", "execution_time", "output", "output_format", "test_output_format"),
        *("test_name_format", "visibility", "stdout_visibility", "extra_data", "tests"),
    }
    visibilities = {"hidden", "after_due_date", "after_published", "visible"}
    assert results["visibility"] in visibilities
    assert results["stdout_visibility"] in visibilities
    assert type(results["execution_time"]) in (int, float)
    assert isinstance(results["output"], str)
    for test in results["tests"]:
        assert test.keys() == {
            *("score", "max_score", "status", "name", "name_format", "output", "output_format"),
            *("visibility", "extra_data"),
        }
        assert 0 <= test["score"] <= test["max_score"]
        assert test["status"] in ("passed", "failed")
        assert test["visibility"] in visibilities
        assert test["output_format"] == test["name_format"] == "text"
        assert isinstance(test["name"], str)
        assert isinstance(test["output"], str)
    assert results["score"] == sum(test["score"] for test in results["tests"])


def test_what_is_in_the_archive(data):
    """Scripts at the root, executable; the engine, the checks; nothing of solutions/, and no trace of it."""
    with zipfile.ZipFile(io.BytesIO(data)) as zipped:
        assert zipped.testzip() is None
        contents = {info.filename: zipped.read(info) for info in zipped.infolist()}
        modes = {info.filename: info.external_attr >> 16 for info in zipped.infolist()}
    outside = {name for name in contents if not name.startswith("engine/grader/")}
    assert outside == {
        *("autograder.json", "course.toml", "requirements.txt", "run_autograder", "setup.sh"),
        *(
            f"exercises/01_doubling/{name}"
            for name in ("doubling.ipynb", "doubling.py", "fingerprints.json", "test_doubling.py")
        ),
    }
    assert {name for name, mode in modes.items() if mode & 0o111} == {"run_autograder", "setup.sh"}
    assert "engine/grader/worker/program.py" in contents
    assert "engine/grader/report/templates/page.html" in contents
    secret = SOURCE.partition("### BEGIN SOLUTION\n")[2].partition("\n### END")[0].encode()
    assert not [name for name, content in contents.items() if secret in content]
    assert not [name for name in contents if "test_hidden" in name or name.endswith(".pyc")]


def test_the_same_course_gives_the_same_archive(course, data):
    """Byte for byte."""
    order = Order("01_doubling", seed=5, examples=2)
    assert archive(load_course(course.root).topics[0], order) == data


def test_requirements():
    """What the engine needs, pinned; torch without CUDA's libraries; no extras, no local versions."""
    lines = requirements().splitlines()
    assert lines[0] == "--extra-index-url https://download.pytorch.org/whl/cpu"
    names = {line.partition("==")[0].lower() for line in lines[1:]}
    assert {"numpy", "torch", "pytest", "hypothesis", "msgspec"} <= names
    assert not names & {"nbgrader", "jupytext", "ruff"}
    assert all("==" in line and "+" not in line for line in lines[1:])


@pytest.mark.parametrize("name", ["setup.sh", "run_autograder"])
def test_scripts_are_shell(autograder, name):
    """bash reads them without an error, and they stop at the first command that fails."""
    script = autograder / "source" / name
    subprocess.run(["bash", "-n", script], check=True)
    assert "set -euo pipefail" in script.read_text()


@pytest.mark.parametrize("recent", [True, False])
def test_setup(autograder, recent):
    """It makes the environment from the image's Python, or from python3.11 where that one is older than 3.11."""
    programs = autograder / "programs"
    programs.mkdir()
    stub(programs / "apt-get", "")
    stub(programs / "chmod", "")
    stub(programs / "python3", f"case $1 in -c) exit {int(not recent)};; esac")
    stub(programs / "python3.11", "")
    (autograder / "venv/bin").mkdir(parents=True)
    stub(autograder / "venv/bin/python", "")
    environment = {"PATH": f"{programs}:/usr/bin:/bin", "AUTOGRADER_ROOT": str(autograder)}
    subprocess.run(["bash", autograder / "source/setup.sh"], env=environment, check=True)
    calls = (autograder / "calls").read_text().splitlines()
    used = "python3" if recent else "python3.11"
    assert f"{used} -m venv {autograder}/venv" in calls
    install = f"--requirement {autograder}/source/requirements.txt"
    assert f"python -m pip install --quiet --no-cache-dir {install}" in calls
    packages = [call.split() for call in calls if call.startswith("apt-get install")]
    assert any("bubblewrap" in call for call in packages)
    assert any("python3.11-venv" in call for call in packages) is not recent


def stub(path, body):
    """A program that notes how it was called, in a file that all share."""
    path.write_text(f'#!/bin/sh\necho "${{0##*/}} $*" >> "$AUTOGRADER_ROOT/calls"\n{body}\n')
    path.chmod(0o755)


def test_a_right_answer(autograder):
    """Full marks, with the order's seed; students do not see what the script prints."""
    (autograder / "submission/doubling.py").write_text(DOUBLE + COUNTER)
    code, output, results = run_autograder(autograder)
    assert (code, output) == (0, "graded doubling.py: 3 of 3\n")
    assert_as_specified(results)
    assert results["score"] == 3
    assert {test["status"] for test in results["tests"]} == {"passed"}
    assert results["stdout_visibility"] == "hidden"
    assert results["extra_data"] == {"topic": "01_doubling", "seed": 5}
    assert results["output"].startswith("3 of 3 points, graded in ")


def test_a_wrong_answer_in_a_folder(autograder):
    """The wrong function's check says what is wrong, the other one has its point; the upload may be a folder."""
    (autograder / "submission/__MACOSX").mkdir()
    (autograder / "submission/__MACOSX/doubling.py").write_text("nothing")
    (autograder / "submission/mine").mkdir()
    (autograder / "submission/mine/doubling.py").write_text(
        DOUBLE.replace("x + x", "x * x") + COUNTER
    )
    code, _, results = run_autograder(autograder)
    assert code == 0
    assert_as_specified(results)
    assert results["score"] == 1
    wrong, right = results["tests"]
    assert (wrong["name"], wrong["status"]) == ("The double of every element.", "failed")
    assert "double is 9 at [1], but should be -6." in wrong["output"]
    assert (
        "The double is the sum of a number\n  with itself" in wrong["output"]
    )  # the misconception
    assert (right["score"], right["status"], right["output"]) == (1, "passed", "")


def test_a_hostile_answer(autograder):
    """Writing results.json, printing a score and leaving with exit code 0 earn nothing; the mark is the judge's."""
    source = HOSTILE.format(root=str(autograder))
    (autograder / "submission/doubling.py").write_text(source + COUNTER)
    code, output, results = run_autograder(autograder)
    assert (code, output) == (0, "graded doubling.py: 1 of 3\n")
    assert_as_specified(results)
    assert results["score"] == 1  # the honest counter
    assert results["tests"][0]["score"] == 0
    assert not Path("/autograder/results/results.json").exists()


def in_process(root, monkeypatch, capsys):
    """Runs the program in this process; exit code, what was printed, results.json."""
    monkeypatch.setenv("AUTOGRADER_ROOT", str(root))
    code = autograde.main()
    file = root / "results/results.json"
    captured = capsys.readouterr()
    results = json.loads(file.read_text()) if file.exists() else None
    return code, captured.out + captured.err, results


def test_nothing_to_grade(autograder, monkeypatch, capsys):
    """An upload without the topic's file has 0 points, and every check says what was expected and what was found."""
    for name in ("one.py", "two.py", "notes.txt"):
        (autograder / "submission" / name).write_text("")
    code, output, results = in_process(autograder, monkeypatch, capsys)
    assert (code, output) == (0, "graded nothing: 0 of 3\n")
    assert_as_specified(results)
    assert results["score"] == 0
    message = "Expected doubling.py or doubling.ipynb, but found one.py, two.py: submit that file."
    assert all(message in test["output"] for test in results["tests"])


def test_a_file_of_another_name(autograder):
    """The only Python file of an upload is the one that is meant; links are not followed."""
    (autograder / "submission/homework.py").write_text(DOUBLE)
    (autograder / "submission/loop").symlink_to(autograder)
    topic = load_course(autograder / "source").topics[0]
    assert autograde.submitted(autograder / "submission", topic) == (
        autograder / "submission/homework.py",
        "",
    )


def test_of_two_files_the_student_reads_which_one_counts(autograder, monkeypatch, capsys):
    """The notebook as it was handed out is not graded, and the results say so."""
    for suffix in (".py", ".ipynb"):
        handed_out = autograder / "source/exercises/01_doubling/doubling"
        (autograder / f"submission/doubling{suffix}").write_bytes(
            handed_out.with_suffix(suffix).read_bytes()
        )
    (autograder / "submission/doubling.py").write_text(DOUBLE + COUNTER)
    code, _, results = in_process(autograder, monkeypatch, capsys)
    assert (code, results["score"]) == (0, 3)
    assert_as_specified(results)
    assert results["output"].endswith(
        "\ndoubling.ipynb is as it was handed out: doubling.py is graded."
    )


def test_without_a_sandbox(autograder, monkeypatch, capsys):
    """No score is recorded, the instructor reads why; an order that allows it grades without, and the output says so."""

    def none_works(wanted=None):
        if wanted != "none":
            raise SandboxUnavailable("No sandbox works here.\n  bubblewrap: refused\n--no-sandbox")
        return wanted

    monkeypatch.setattr("grader.grading.usable_sandbox", none_works)
    (autograder / "submission/doubling.py").write_text(DOUBLE + COUNTER)
    (autograder / "results/results.json").write_text('{"score": 3}')  # of an earlier run
    code, output, results = in_process(autograder, monkeypatch, capsys)
    assert (code, results) == (3, None)
    assert output.startswith("This submission was not graded. No sandbox works here.\n  bubblewrap")
    assert "grader export gradescope --no-sandbox" in output
    allowed = Order("01_doubling", examples=0, no_sandbox=True)
    (autograder / "source/autograder.json").write_text(allowed.to_json())
    code, _, results = in_process(autograder, monkeypatch, capsys)
    assert (code, results["score"]) == (0, 3)
    assert results["output"] == "3 of 3 points, graded in a worker without a sandbox."


def test_the_command(course, tmp_path, monkeypatch, capsys):
    """It writes the zip with the options given, and refuses what cannot be meant in one line."""
    monkeypatch.chdir(course.root)
    out = tmp_path / "new/doubling.zip"
    options = ["--seed", "7", "--examples", "9", "--visibility", "after_published"]
    assert run(["export", "gradescope", "doubling", "--out", str(out), *options]) == 0
    assert "upload it as the autograder of 01_doubling, 3 points" in capsys.readouterr().out
    unpack(out.read_bytes(), tmp_path / "there")
    assert order_in(tmp_path / "there") == Order("01_doubling", 7, 9, "after_published")
    for arguments, message in (
        (["word", "--out", str(out)], "no topic 'word'"),
        (["doubling", "--out", str(out), "--visibility", "never"], "--visibility never: expected"),
        (["doubling", "--out", str(course.root)], f"{course.root} cannot be written: Is a"),
        (["doubling"], "Missing option '--out'"),
    ):
        assert run(["export", "gradescope", *arguments]) == 2
        captured = capsys.readouterr()
        assert message in captured.err
        assert captured.err.count("\n") == 1


def test_a_topic_without_checks(small_course):
    """The message names the file."""
    (small_course.exercise / "test_doubling.py").unlink()
    with pytest.raises(CourseError, match=r"test_doubling\.py does not exist"):
        archive(load_course(small_course.root).topics[0], Order("01_doubling"))
