"""Canvas's and Moodle's files from a real gradebook, through the real `nbgrader export`; every cell is compared."""

import csv
import subprocess
import sys

import pytest
from nbgrader.api import Gradebook
from nbgrader.apps import ExportApp

from grader.nbgrader.canvas_roster import BrokenRoster, read_roster
from grader.nbgrader.exports import CanvasExport, MoodleExport

NORMALIZATION, DROPOUT = "04_normalization", "05_dropout"
COLUMNS = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section"]
FORMULA = "=cmd|' /C calc'!A0"

ROSTER = '''\
\ufeffStudent,ID,SIS User ID,SIS Login ID,Section,Normalization (501),Dropout (502),Current Score,Final Score
,,,,,Manual Posting,,,
    Points Possible,,,,,20,100,(read only),(read only)
"Lovelace, Ada",11,s-1,ada,Lab 1,,,,
"Pascal, ""Blaise""",12,s-2,Blaise@Example.org,"Lab 2, late",3,,97,97
"Chien, Shiung",13,s-3,chien,Lab 1,,,,
"Elsewhere, Someone",99,s-9,someone,Lab 1,1,1,1,1
'''


def add_student(gradebook, student, marks, **about):
    """A student with marks: assignment -> (automatic, manual, extra credit, penalty); manual None waits for a person."""
    gradebook.add_student(student, **about)
    for assignment, (automatic, manual, extra, penalty) in marks.items():
        submission = gradebook.add_submission(assignment, student)
        (notebook,) = submission.notebooks
        notebook.late_submission_penalty = penalty
        for grade in notebook.grades:
            if grade.cell.name == "written":
                grade.manual_score = manual
                grade.needs_manual_grade = manual is None
            else:
                grade.auto_score = automatic
                grade.extra_credit = extra
                grade.needs_manual_grade = False
    gradebook.db.commit()


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """The URL of a gradebook on SQLite: two assignments, six students."""
    url = f"sqlite:///{tmp_path_factory.mktemp('gradebook') / 'gradebook.db'}"
    with Gradebook(url) as gradebook:
        for name, written in ((NORMALIZATION, 4), (DROPOUT, 0)):
            gradebook.add_assignment(name)
            gradebook.add_notebook(name, name)
            gradebook.add_grade_cell("test_x", name, name, max_score=16, cell_type="code")
            if written:
                gradebook.add_grade_cell(
                    "written", name, name, max_score=written, cell_type="markdown"
                )
        add_student(
            gradebook,
            "ada",
            {NORMALIZATION: (16, 3.5, 1, 0.25), DROPOUT: (0.1 + 0.2, 0, None, None)},
            first_name="Ada",
            last_name="Lovelace",
            email="ada@example.org",
            lms_user_id="11",
        )
        add_student(
            gradebook,
            "blaise",
            {NORMALIZATION: (12.5, None, None, None), DROPOUT: (2, 0, None, 5)},
            first_name="Blaise",
            last_name="Pascal",
            email="blaise@example.org",
        )
        add_student(
            gradebook,
            "chien",
            {DROPOUT: (16, 0, None, None)},
            first_name="Shiung\nWu",
            last_name="Chien",
        )
        add_student(
            gradebook,
            FORMULA,
            {NORMALIZATION: (0, 0, None, None)},
            first_name="+1",
            last_name="@sum",
            email="-2@example.org",
            lms_user_id="x-4",
        )
        add_student(gradebook, "zero", {}, email="0", lms_user_id="x-4")
        add_student(
            gradebook, "twin", {}, last_name="Twin", email="t@example.org", lms_user_id="13"
        )
    return url


@pytest.fixture
def gradebook(database):
    """The gradebook, opened."""
    with Gradebook(database) as gradebook:
        yield gradebook


def nbgrader_export(folder, database, exporter, *options):
    """Runs the command in a folder; its exit code and log."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "nbgrader", "export", "--db", database),
            *("--exporter", f"grader.nbgrader.exports.{exporter}", *options),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def started(exporter, database, *options):
    """Runs the command's application in this process."""
    app = ExportApp()
    app.initialize(
        ["--db", database, "--exporter", f"grader.nbgrader.exports.{exporter}", *options]
    )
    app.start()


def table(path):
    """The rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def exported(plugin, gradebook, folder, **options):
    """The rows that a plugin writes, in this process."""
    path = folder / "out.csv"
    plugin(to=str(path), **options).export(gradebook)
    return table(path)


def test_canvas(gradebook, tmp_path, caplog):
    """Documented columns and rows; no mark where it is not final; formulas are text; the log names what is left out."""
    assert exported(CanvasExport, gradebook, tmp_path) == [
        *(
            [*COLUMNS, NORMALIZATION, DROPOUT],
            ["    Points Possible", "", "", "", "", "20", "16"],
            ["zero", "", "", "zero", "", "", ""],
            ["'@sum, +1", "", "", f"'{FORMULA}", "", "0", ""],
            ["Chien, Shiung Wu", "", "", "chien", "", "", "16"],
            ["Lovelace, Ada", "11", "", "ada", "", "20.25", "0.3"],
            ["Pascal, Blaise", "", "", "blaise", "", "", "0"],
            ["Twin", "13", "", "twin", "", "", ""],
        ),
    ]
    log = caplog.messages
    assert f"Not graded yet, left without a mark: blaise, {NORMALIZATION}" in log
    missing = [f"zero, {NORMALIZATION}", f"zero, {DROPOUT}", f"{FORMULA}, {DROPOUT}"]
    missing += [f"chien, {NORMALIZATION}", f"twin, {NORMALIZATION}", f"twin, {DROPOUT}"]
    assert f"Nothing handed in, left without a mark: {', '.join(missing)}" in log
    assert "No id of 05_dropout in Canvas is known: Canvas looks for its title" in log


def test_canvas_with_a_roster_and_options_from_the_config(tmp_path, database):
    """Students and assignments have Canvas's ids, names and sections; who is not in the course there is left out."""
    (tmp_path / "roster.csv").write_text(ROSTER, encoding="utf-8")
    (tmp_path / "nbgrader_config.py").write_text(
        "c = get_config()\n"
        "c.CanvasExport.roster = 'roster.csv'\n"
        f"c.CanvasExport.titles = {{'{NORMALIZATION}': 'Normalization', '{DROPOUT}': 'Dropout'}}\n"
        "c.CanvasExport.missing_as_zero = True\n"
        "c.CanvasExport.ungraded_as_partial = True\n"
    )
    code, log = nbgrader_export(tmp_path, database, "CanvasExport")
    assert code == 0, log
    assert table(tmp_path / "canvas.csv") == [
        *(
            [*COLUMNS, "Normalization (501)", "Dropout (502)"],
            ["    Points Possible", "", "", "", "", "20", "16"],
            ["Lovelace, Ada", "11", "s-1", "ada", "Lab 1", "20.25", "0.3"],
            ['Pascal, "Blaise"', "12", "s-2", "Blaise@Example.org", "Lab 2, late", "12.5", "0"],
        ),
    ]
    assert f"Not in the roster, left out: zero, {FORMULA}\n" in log
    assert "The same student in Canvas, left out: chien, twin\n" in log
    assert "Dropout (502) is worth 100 points in Canvas, but 16 here" in log
    assert "Normalization (501) is worth" not in log


def test_moodle(tmp_path, database, monkeypatch, capfd):
    """One column identifies a student; who has none is left out, as Moodle would give the marks to someone else."""
    monkeypatch.chdir(tmp_path)
    started("MoodleExport", database, "--to", "moodle.csv", "--MoodleExport.missing_as_zero=True")
    log = capfd.readouterr().err
    assert table(tmp_path / "moodle.csv") == [
        *(
            ["First name", "Last name", "Email address", NORMALIZATION, DROPOUT],
            ["'+1", "'@sum", "'-2@example.org", "0", "0"],
            ["Ada", "Lovelace", "ada@example.org", "20.25", "0.3"],
            ["Blaise", "Pascal", "blaise@example.org", "-", "0"],
            ["", "Twin", "t@example.org", "0", "0"],
        ),
    ]
    assert "Without Email address (email) in the gradebook, left out: zero, chien\n" in log


def test_moodle_by_other_fields(gradebook, tmp_path):
    """idnumber and username; two students with one identity are both left out; no mark is "-"."""
    rows = exported(MoodleExport, gradebook, tmp_path, identify_by="idnumber")
    assert rows == [
        ["First name", "Last name", "ID number", NORMALIZATION, DROPOUT],
        ["Ada", "Lovelace", "11", "20.25", "0.3"],
        ["", "Twin", "13", "-", "-"],
    ]
    rows = exported(
        MoodleExport, gradebook, tmp_path, identify_by="username", titles={DROPOUT: "D"}
    )
    assert rows[0] == ["First name", "Last name", "Username", NORMALIZATION, "D"]
    assert [row[2] for row in rows[1:]] == ["zero", f"'{FORMULA}", "chien", "ada", "blaise", "twin"]


def test_only_some(gradebook, tmp_path):
    """--student and --assignment, as nbgrader's own export takes them."""
    chosen = {"student": ["ada"], "assignment": [DROPOUT]}
    assert exported(MoodleExport, gradebook, tmp_path, **chosen) == [
        ["First name", "Last name", "Email address", DROPOUT],
        ["Ada", "Lovelace", "ada@example.org", "0.3"],
    ]
    rows = exported(
        CanvasExport,
        gradebook,
        tmp_path,
        assignment_ids={DROPOUT: 7},
        student_id="SIS User ID",
        **chosen,
    )
    assert rows[0][5:] == [f"{DROPOUT} (7)"]
    assert rows[2] == ["Lovelace, Ada", "11", "ada", "", "", "0.3"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"student": ["nobody"]}, "the gradebook has no student 'nobody'; it has: "),
        ({"assignment": ["12"]}, "the gradebook has no assignment '12'; it has: 04_"),
        ({"roster": "nowhere.csv"}, "nowhere.csv: No such file or directory"),
    ],
)
def test_what_cannot_be_meant(gradebook, tmp_path, options, message):
    """The message names it, and nothing is written."""
    with pytest.raises(ValueError, match=message):
        exported(CanvasExport, gradebook, tmp_path, **options)
    assert not list(tmp_path.iterdir())


def test_one_line_from_the_command(database, tmp_path, monkeypatch, capfd):
    """What is wrong is one line of the log and exit code 1, not a traceback."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="1"):
        started("MoodleExport", database, "--ExportPlugin.assignment", "12")
    errors = [line for line in capfd.readouterr().err.splitlines() if "ERROR" in line]
    assert len(errors) == 1
    assert "the gradebook has no assignment '12'; it has: " in errors[0]


def test_rosters(tmp_path):
    """Semicolons are read too; a file that is no gradebook of Canvas is refused with what it lacks."""
    path = tmp_path / "roster.csv"
    path.write_text('Student;ID;SIS Login ID;Section;A (1) (2)\n"Doe, J";5;j;S;1,5\n')
    roster = read_roster(path)
    assert roster.students == [["Doe, J", "5", "j", "S"]]
    assert roster.assignments == {"A (1)": "A (1) (2)"}
    for text in ("", "name,points\n", "Student,Section,ID\n"):
        path.write_text(text)
        with pytest.raises(BrokenRoster, match="has not the columns Student, ID"):
            read_roster(path)
    path.write_bytes(b"Student,ID,Section\nM\xfcller,1,S\n")
    with pytest.raises(BrokenRoster, match="not UTF-8"):
        read_roster(path)
