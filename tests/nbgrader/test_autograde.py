"""nbgrader's own commands over a class of honest, unlucky and hostile submissions."""

import copy
import json
import os
import shutil

import pytest
from nbgrader_folder import (
    TOPIC,
    NbgraderFolder,
    cell_of,
    marks_of_reports,
    without,
)

from grader.cli import run

STUB = 'def double(x):\n    raise NotImplementedError("double is yours to write")\n'
FULL = {"test_double": 2.0, "test_counting": 1.0, "hidden": 2.0}
ONLY_COUNTING = {**FULL, "test_double": 0.0, "hidden": 0.0}
NOTHING = dict.fromkeys(FULL, 0.0)

MEDDLING = {
    "minus_one": "-1.0",
    "nan": "float('nan')",
    "text": "'full marks'",
    "half": "import numpy as np\nnp.float64(0.5)",
    "edited": "pass",
    "defines": "def double(x):\n    return x + x",
    "leaves": "import os\nos._exit(0)",
}
"""What a student wrote into the check's cell instead; `double` itself is not written."""

HOSTILE = {
    "equal": (
        "class Equal:\n    def __eq__(self, other): return True\n    def __ne__(self, other): return False\n"
        "    def __array__(self, *a, **k): return self\n"
        "def double(x):\n    return Equal()\n"
    ),
    "exits": "import os\ndef double(x):\n    os._exit(0)\n",
    "reads": "def double(x):\n    exec(open('../../../source/01_doubling/doubling.ipynb').read())\n",
    "writes": (
        "import glob\n"
        "def double(x):\n"
        "    for path in ['gradebook.db', '../../../gradebook.db', *glob.glob('/tmp/**/gradebook.db', recursive=True)]:\n"
        "        open(path, 'w').write('mine')\n"
        "    return x\n"
    ),
    "prints": "def double(x):\n    print('SECRET LEAKED', x)\n    raise ValueError(f'SECRET LEAKED {x}')\n",
    "names": "def double(x):\n    raise type(f'Leak{float(x[0])}'.replace('.', '_'), (Exception,), {})()\n",
}


def noisy():
    return (
        "import sys, warnings\nimport numpy as np\n"
        "def double(x):\n    warnings.warn('deprecated')\n    print('oh', file=sys.stderr)\n"
        "    np.log(np.array([-1.0]))\n    return x + x\n"
    )


def retyped(notebook):
    changed = copy.deepcopy(notebook)
    cell = cell_of(changed, "test_double")
    cell["cell_type"] = "markdown"
    del cell["outputs"], cell["execution_count"]
    return changed


def with_metadata(notebook, name, **metadata):
    changed = copy.deepcopy(notebook)
    cell_of(changed, name)["metadata"]["nbgrader"].update(metadata)
    return changed


def twice(notebook, name, source):
    changed = copy.deepcopy(notebook)
    second = copy.deepcopy(cell_of(changed, name))
    second["source"] = source
    changed["cells"].append(second)
    return changed


def submissions(folder):
    """Student -> (notebook or bytes, the marks that were earned)."""
    right = folder.answered()
    found = {
        "right": (right, FULL),
        "square": (folder.answered(double=STUB.replace("raise", "return x * x #")), ONLY_COUNTING),
    }
    for name, text in MEDDLING.items():
        found[name] = (folder.answered(double=STUB, test_double=text), ONLY_COUNTING)
    for name, text in HOSTILE.items():
        found[name] = (folder.answered(double=text), ONLY_COUNTING)
    found["noisy"] = (folder.answered(double=noisy()), FULL)
    found["exits_early"] = (folder.answered(double="import os\nos._exit(0)\n"), NOTHING)
    found["deleted"] = (without(right, "test_double"), FULL)
    found["deleted_all"] = (
        without(
            without(without(without(right, "test_double"), "double"), "test_counting"), "hidden"
        ),
        {**NOTHING, "test_counting": 1.0},
    )
    found["duplicated"] = (twice(right, "test_double", "100.0"), FULL)
    found["retyped"] = (retyped(right), FULL)
    found["more_points"] = (
        with_metadata(folder.answered(double=STUB), "test_double", points=100),
        ONLY_COUNTING,
    )
    found["old_schema"] = (with_metadata(right, "test_double", schema_version=1), FULL)
    found["new_schema"] = (with_metadata(right, "test_counting", schema_version=99), FULL)
    found["swapped"] = (
        with_metadata(right, "test_double", grade=False, solution=True, locked=False),
        FULL,
    )
    odd = copy.deepcopy(right)
    odd["cells"][0]["metadata"] = {"nbgrader": ["no", "table"]}
    odd["cells"] += [
        "no cell",
        {"cell_type": "video"},
        {"cell_type": "markdown", "source": [1], "metadata": None},
    ]
    found["odd_cells"] = (odd, FULL)
    inside = copy.deepcopy(right)
    cell_of(inside, "written")["source"] += "\n\nBecause three twice is six."
    found["answered_in_the_question"] = (inside, FULL)
    found["no_json"] = (b"{not json", NOTHING)
    found["format_3"] = (
        json.dumps({"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": []}).encode(),
        NOTHING,
    )
    found["no_kernelspec"] = ({**right, "metadata": {}}, FULL)
    big = copy.deepcopy(right)
    big["cells"][3]["outputs"] = [
        {"output_type": "stream", "name": "stdout", "text": "x" * 50_000_000}
    ]
    found["big"] = (big, NOTHING)
    same = copy.deepcopy(right)
    for cell in same["cells"]:
        cell["id"] = "same"
    found["same_ids"] = (same, FULL)
    found["no_cells"] = ({**right, "cells": []}, NOTHING)
    script = copy.deepcopy(right)
    script["cells"].append({"cell_type": "markdown", "id": "m", "metadata": {}, "source": "<script>alert(1)</script>"
                            '<img src="x" onerror="alert(2)"> an honest remark'})  # fmt: skip
    script["cells"].append({"cell_type": "markdown", "id": "n", "metadata": {}, "attachments": {"empty.png": {}},
                            "source": "![a curve](attachment:gone.png) ![b](attachment:empty.png)"})  # fmt: skip
    found["script"] = (script, FULL)
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The whole class: handed out, handed in, graded by `grader grade`, then by nbgrader's commands."""
    folder = NbgraderFolder(tmp_path_factory.mktemp("traps"))
    folder.nbgrader("generate_assignment", TOPIC)
    folder.expected = {}
    for student, (notebook, marks) in submissions(folder).items():
        folder.hand_in(student, notebook)
        folder.expected[student] = marks
    link = folder.hand_in("linked", folder.answered())
    link.unlink()
    link.symlink_to(folder.root / "source" / TOPIC / "doubling.ipynb")
    folder.expected["linked"] = NOTHING
    thief = folder.hand_in("thief", folder.answered())
    (thief.parent / "notes.txt").symlink_to(folder.root / "nbgrader_config.py")
    os.mkfifo(thief.parent / "pipe")
    (thief.parent / "timestamp.txt").write_text("yesterday or so")
    folder.expected["thief"] = FULL
    odd = folder.hand_in("odd_folders", folder.answered()).parent
    (odd / "timestamp.txt").mkdir()
    (odd / "locked").mkdir()
    (odd / "locked" / "link").symlink_to(folder.root / "nbgrader_config.py")
    (odd / "locked").chmod(0o555)
    folder.expected["odd_folders"] = FULL
    folder.out = folder.root / "graded"
    assert (
        run(["grade", str(folder.root / "submitted"), "--out", str(folder.out), "--jobs", "1"]) == 0
    )
    folder.kept = sorted((folder.root / ".grader").iterdir())
    folder.nbgrader("autograde", TOPIC)
    folder.nbgrader("generate_feedback", TOPIC, "--student", "s[cq]*")  # script and square
    return folder


def test_every_mark_is_the_one_that_was_earned(folder):
    """Nothing that a student writes, prints, deletes or forges changes a mark; every cell agrees with `grader grade`."""
    scores = folder.scores()
    marks = {
        student: {cell: score for cell, (score, _, _) in cells.items() if cell != "written"}
        for student, cells in scores.items()
    }
    assert marks == folder.expected
    assert marks == marks_of_reports(folder.out, TOPIC)
    for cells in scores.values():
        assert {cell: most for cell, (_, most, _) in cells.items()} == {**FULL, "written": 4.0}


def test_only_the_written_answer_waits_for_a_person(folder):
    """Autograded cells need no review, the written question does."""
    for cells in folder.scores().values():
        assert {cell for cell, (_, _, waiting) in cells.items() if waiting} == {"written"}


def test_autograding_only_writes_what_was_graded_before(folder):
    """`grader grade` has filled the cache; nbgrader's run adds nothing to it."""
    assert folder.kept
    assert sorted((folder.root / ".grader").iterdir()) == folder.kept


def test_feedback_stands_in_the_cells(folder):
    """The check's output says what is wrong; the cell itself is the one that was handed out, once."""
    for student in ("square", "edited", "deleted", "retyped", "duplicated"):
        notebook = folder.autograded(student)
        ids = [cell["metadata"].get("nbgrader", {}).get("grade_id") for cell in notebook["cells"]]
        assert ids.count("test_double") == 1, student
        assert "".join(cell_of(notebook, "test_double")["source"]) == 'check("test_double")'
    html = "".join(
        cell_of(folder.autograded("square"), "test_double")["outputs"][0]["data"]["text/html"]
    )
    assert "double is 9 at [1], but should be -6." in html
    assert "A known mistake behaves just like this." in html
    page = (folder.root / "feedback/square" / TOPIC / "doubling.html").read_text()
    assert "double is 9 at [1], but should be -6." in page


def test_an_answer_written_into_the_question_is_seen(folder):
    """Whoever marks it reads it behind the question, which is the one handed out; of others nothing stands twice."""
    for student, count in (("answered_in_the_question", 2), ("right", 1)):
        texts = ["".join(cell["source"]) for cell in folder.autograded(student)["cells"]]
        assert sum("Why is *twice* not the square?" in text for text in texts) == count
    notebook = folder.autograded("answered_in_the_question")
    at = notebook["cells"].index(cell_of(notebook, "written"))
    assert "SECRET SCHEME" in "".join(notebook["cells"][at]["source"])
    assert "three twice is six" not in "".join(notebook["cells"][at]["source"])
    assert "".join(notebook["cells"][at + 1]["source"]).endswith("Because three twice is six.")


def test_a_missing_cell_is_where_it_was(folder):
    """Behind the solution that it checks, or where that would be."""
    ids = [
        cell["metadata"].get("nbgrader", {}).get("grade_id")
        for cell in folder.autograded("deleted")["cells"]
    ]
    order = ["setup", "double", "test_double", "Counter", "test_counting", "hidden", "written"]
    assert [one for one in ids if one] == order


@pytest.mark.parametrize(
    ("student", "words"),
    [
        ("no_json", "is not a notebook: its contents are not JSON"),
        ("format_3", "is in notebook format 3"),
        ("big", "is larger than 10 MiB"),
        ("no_cells", "has no code cell that can be graded"),
        ("linked", "is a symbolic link"),
    ],
)
def test_a_bad_notebook_is_told_why(folder, student, words):
    """In the notebook that the instructor sees, and in the Report."""
    first = "".join(folder.autograded(student)["cells"][0]["source"]).replace("\\", "")
    assert words in first
    report = json.loads((folder.out / "reports" / student / f"{TOPIC}.json").read_text())
    assert words in report["checks"][0]["message"]


def test_nothing_hidden_gets_out(folder):
    """Neither the hidden checks' text nor their inputs nor the mark scheme is in any release, Report or feedback."""
    shown = [
        *(folder.root / "release").rglob("*"),
        *folder.out.rglob("*.json"),
        *folder.out.rglob("*.html"),
    ]
    shown += [*(folder.root / "autograded").rglob("*"), *(folder.root / "feedback").rglob("*.html")]
    assert len(shown) > 100
    for path in filter(lambda path: path.is_file(), shown):
        text = path.read_text(encoding="utf-8", errors="replace")
        for secret in ("SECRET_INPUT", "777.125", "777_125", "test_secret_name", "A secret title"):
            assert secret not in text, (path, secret)
        if "release" in path.relative_to(folder.root).parts:
            assert "SECRET SCHEME" not in text, path
            assert "x + x" not in text, path
    hidden = cell_of(folder.autograded("prints"), "hidden")["outputs"][0]["data"]["text/plain"]
    assert "".join(hidden).endswith("in a case that is not shown. It raised ValueError.")


def test_links_are_not_copied(folder):
    """What a link in a submission leads to is no part of what nbgrader hands back."""
    copied = folder.root / "autograded/thief" / TOPIC
    assert not (copied / "notes.txt").exists()
    assert not any(
        "GradeInSandbox" in path.read_text(errors="replace") for path in copied.iterdir()
    )


def test_no_script_of_a_student_reaches_the_marker(folder):
    """Feedback and formgrader are made by the same exporter: it drops scripts, and keeps the text."""
    page = (folder.root / "feedback/script" / TOPIC / "doubling.html").read_text()
    assert "an honest remark" in page
    assert "alert(1)</script>" not in page
    assert "<img" not in page[page.index("an honest remark") - 300 : page.index("an honest remark")]
    assert '<div class="grader-check' in page
    assert "[a curve: the picture attachment:gone.png is missing]" in page


def test_marks_by_hand_extra_credit_and_lateness(folder):
    """A score given by hand stays and is to be looked at again; extra credit counts; lateness costs what the config says."""
    from nbgrader.api import Gradebook

    student = "late"
    shutil.copytree(folder.root / "submitted/right", folder.root / "submitted" / student)
    (folder.root / "submitted" / student / TOPIC / "timestamp.txt").write_text(
        "2026-02-01 10:00:00 UTC"
    )
    url = f"sqlite:///{folder.root / 'gradebook.db'}"
    config = folder.root / "nbgrader_config.py"
    before = config.read_text()
    with Gradebook(url) as gradebook:
        gradebook.update_or_create_assignment(TOPIC, duedate="2026-01-31 10:00:00 UTC")
        grade = gradebook.find_grade("test_double", "doubling", TOPIC, "right")
        grade.manual_score, grade.extra_credit = 0.5, 0.25
        gradebook.db.commit()
    config.write_text(before + '\nc.LateSubmissionPlugin.penalty_method = "zero"\n')
    try:
        folder.nbgrader("autograde", TOPIC, "--student", "right", "--force")
        folder.nbgrader("autograde", TOPIC, "--student", student)
        with Gradebook(url) as gradebook:
            grade = gradebook.find_grade("test_double", "doubling", TOPIC, "right")
            assert (grade.auto_score, grade.manual_score, grade.needs_manual_grade) == (
                2.0,
                0.5,
                True,
            )
            notebook = gradebook.find_submission_notebook("doubling", TOPIC, "right")
            assert notebook.score == 0.5 + 0.25 + 1.0 + 2.0
            late = gradebook.find_submission_notebook("doubling", TOPIC, student)
            assert (late.score, late.late_submission_penalty) == (5.0, 5.0)
    finally:
        config.write_text(before)


def test_submissions_that_came_another_way(folder, tmp_path_factory):
    """`nbgrader zip_collect` sorts files from another system into the folder that is graded."""
    archive = folder.root / "downloaded" / TOPIC / "archive"
    archive.mkdir(parents=True)
    (archive / "zoe_doubling.ipynb").write_text(json.dumps(folder.answered()))
    pattern = r".*/(?P<student_id>[a-z]+)_(?P<file_id>\w+)"
    folder.nbgrader("zip_collect", TOPIC, f"--FileNameCollectorPlugin.named_regexp={pattern}")
    folder.nbgrader("autograde", TOPIC, "--student", "zoe")
    marks = {cell: score for cell, (score, _, _) in folder.scores()["zoe"].items()}
    assert marks == {**FULL, "written": None}
