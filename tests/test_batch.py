"""Many submissions: judges that die, disks that are full, files that cannot be read, a cluster."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from grader.batch import find_tasks, grade_tasks
from grader.build import build
from grader.cli import run
from grader.course import load_course
from grader.grading import Settings

RIGHT = "def double(x):\n    return 2 * x\n"
KILLER = "def double(x):\n    return None\n"
HERE = Settings(examples=0, isolated=False)


@pytest.fixture
def course(small_course, monkeypatch):
    """The small course, built; its check of `double` kills its judge when the answer is None."""
    small_course.change(
        "exercises/01_doubling/test_doubling.py",
        "    assert_close(student.double(x), 2 * x",
        "    if student.double(x) is None:\n        import os\n        os._exit(9)\n"
        "    assert_close(student.double(x), 2 * x",
    )
    build(load_course(small_course.root).topics)
    monkeypatch.chdir(small_course.root)
    return small_course


def a_class(course, **sources):
    for student, source in sources.items():
        course.write(f"class/{student}/01_doubling/doubling.py", source)
    return course.root / "class"


def points(out):
    return {
        path.parent.name: json.loads(path.read_text())["points"]
        for path in sorted(out.glob("reports/*/*.json"))
    }


def without_seconds(folder):
    found = {}
    for path in sorted(folder.glob("reports/*/*.json")):
        report = json.loads(path.read_text())
        for check in report["checks"]:
            del check["seconds"]
        found[path.parent.name] = report
    return found


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_judge_that_dies_costs_one_report(course, capsys, jobs):
    """The others have theirs; the exit code and a line say which has none; the next run grades only that."""
    names = {f"s{i}": KILLER if i == 2 else RIGHT + f"# {i}\n" for i in range(7)}
    folder, out = a_class(course, **names), course.root / "out"
    command = ["grade", str(folder), "--out", str(out), "--in-process", "--jobs", jobs]
    assert run(command) == 1
    printed = capsys.readouterr().out
    assert "no report" in printed
    assert "the judge's process died" in printed
    assert "s2/01_doubling/doubling.py" in printed.replace("\n", "")
    assert points(out) == dict.fromkeys(sorted(set(names) - {"s2"}), 2)
    assert "s2" in (out / "report.html").read_text()
    before = (out / "reports/s0/01_doubling.json").read_bytes()
    a_class(course, s2=RIGHT)
    assert run(command) == 0
    assert points(out) == dict.fromkeys(sorted(names), 2)
    assert (out / "reports/s0/01_doubling.json").read_bytes() == before, "from the cache"


def test_a_full_disk_loses_nothing(course):
    """A line that names the place and exit code 3; with room again the run goes on where it was."""
    folder = a_class(course, **{f"s{i:02}": RIGHT + f"# {i}\n" for i in range(40)})
    out = course.root / "small_disk"
    out.mkdir()
    grade = [sys.executable, "-m", "grader", "grade", str(folder), "--out", str(out)]
    steps = (
        f"head -c 1200000 /dev/zero > {out}/ballast; "
        f"{' '.join(grade)} --in-process --examples 0 --jobs 1; echo first=$?; "
        f"find {out} -name '*.part' | wc -l; find {out}/.cache -name '*.json' | wc -l; "
        f"find {out}/.cache -name '*.json' -size 0 | wc -l; rm {out}/ballast; "
        f"{' '.join(grade)} --in-process --examples 0 --jobs 1 >/dev/null; echo second=$?; "
        f"ls {out}/reports | wc -l; ls {out}/grades.csv {out}/report.html | wc -l"
    )
    command = ["bwrap", "--dev-bind", "/", "/", "--size", "1400000", "--tmpfs", str(out)]
    done = subprocess.run(
        [*command, "sh", "-c", steps], capture_output=True, text=True, check=False
    )
    assert "No space left on device; what was graded is kept" in done.stderr
    assert str(out) in done.stderr
    first, parts, cached, empty, second, reports, pages = done.stdout.split()
    assert (first, second) == ("first=3", "second=0")
    assert int(parts) == int(empty) == 0
    assert 0 < int(cached) < 40
    assert (int(reports), int(pages)) == (40, 2)


def test_submissions_that_cannot_be_read(course, capsys):
    """A folder, a pipe, a link, no permission: 0 points and the reason; the class goes on."""
    folder = a_class(course, right=RIGHT)
    for student in ("folder", "pipe", "link", "gone"):
        (folder / student / "01_doubling").mkdir(parents=True)
    (folder / "folder/01_doubling/doubling.py").mkdir()
    os.mkfifo(folder / "pipe/01_doubling/doubling.py")
    (folder / "link/01_doubling/doubling.py").symlink_to(course.solution / "doubling.py")
    (folder / "gone/01_doubling/doubling.py").symlink_to(course.root / "nowhere")
    out = course.root / "out"
    assert run(["grade", str(folder), "--out", str(out), "--in-process", "--jobs", "1"]) == 0
    assert points(out) == {"folder": 0, "gone": 0, "link": 0, "pipe": 0, "right": 2}
    messages = {
        student: report["checks"][0]["message"] for student, report in without_seconds(out).items()
    }
    assert "a folder" in messages["folder"]
    assert "symbolic link" in messages["link"]
    assert "pipe" in messages["pipe"] or "regular file" in messages["pipe"]


def test_a_file_that_vanishes(course):
    """Between listing the class and grading: a report, not an end."""
    folder = a_class(course, ann=RIGHT, bob=RIGHT + "# b\n")
    tasks = find_tasks(folder, load_course(course.root), None)
    shutil.rmtree(folder / "ann")
    outcomes = grade_tasks(
        tasks,
        load_course(course.root),
        HERE,
        cache=course.root / "c",
        jobs=1,
        done=lambda _: None,
    )
    assert [outcome.report.points for outcome in outcomes] == [0, 2]


def test_on_a_cluster(course, capsys):
    """On real worker processes, several threads each: the same reports as here; a second run is from the cache."""
    from distributed import LocalCluster

    names = {f"s{i}": RIGHT + f"# {i}\n" for i in range(5)}
    names["wrong"] = "def double(x):\n    print('hello')\n    return x * x\n"
    folder, there, here = a_class(course, **names), course.root / "there", course.root / "here"
    with LocalCluster(
        n_workers=2, threads_per_worker=2, processes=True, dashboard_address=None
    ) as cluster:
        address = cluster.scheduler_address
        command = ["grade", str(folder), "--out", str(there), "--cluster", address]
        assert run(command) == 0
    assert run(["grade", str(folder), "--out", str(here), "--jobs", "1"]) == 0
    assert without_seconds(there) == without_seconds(here)
    assert points(there) == dict.fromkeys(names, 2) | {"wrong": 0}
    assert without_seconds(there)["s0"]["settings"]["sandbox"] in ("bubblewrap", "landlock")


def test_a_cluster_that_is_not_there(course, capsys):
    """Wrong use, in one line."""
    folder = a_class(course, ann=RIGHT)
    command = ["grade", str(folder), "--out", str(course.root / "out"), "--in-process"]
    assert run([*command, "--cluster", "nonsense://x"]) == 2
    assert "nonsense" in capsys.readouterr().err
