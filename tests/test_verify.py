"""What `grader verify` refuses, and what it says to do."""

import pytest

from grader.build import build, out_of_date, outdated
from grader.course import load_course
from grader.verify import verify

CHECKS = "exercises/01_doubling/test_doubling.py"
STUB = "exercises/01_doubling/doubling.py"
SOURCE = "solutions/01_doubling/doubling.py"
BANK = "solutions/01_doubling/misconceptions.toml"
HIDDEN = "solutions/01_doubling/test_hidden.py"


@pytest.fixture
def built(small_course):
    """The small course with its generated files."""
    build(load_course(small_course.root).topics)
    return small_course


def problems_of(built):
    """The problems as (file, rule) pairs; each says what to do."""
    course = load_course(built.root)
    problems = verify(course, course.topics)
    assert all(problem.what_to_do for problem in problems)
    return [(problem.file, problem.rule) for problem in problems]


def test_a_sound_course(built):
    """Nothing to say; what tools leave behind is no problem, nor are hidden checks."""
    (built.exercise / "__pycache__").mkdir(exist_ok=True)
    built.write("solutions/01_doubling/test_hidden.py", "")
    assert problems_of(built) == []


@pytest.mark.parametrize("tree", ["exercises", "solutions"])
def test_a_topic_in_one_tree_only(built, tree):
    """Both trees have every topic."""
    (built.root / tree / "01_doubling").rename(built.root / "elsewhere")
    assert problems_of(built) == [
        (f"{tree}/01_doubling", f"topic 01_doubling has no folder in {tree}")
    ]


def test_a_folder_that_is_no_topic(built):
    """A topic that course.toml forgot is not silently left out."""
    (built.root / "solutions/02_tripling").mkdir()
    assert problems_of(built) == [
        ("solutions/02_tripling", "a folder that is no topic of course.toml")
    ]


@pytest.mark.parametrize("name", [STUB, CHECKS, SOURCE, BANK])
def test_a_missing_file(built, name):
    """Each file of a topic is needed."""
    (built.root / name).unlink()
    assert problems_of(built) == [(name, "the file is missing")]


@pytest.mark.parametrize(
    "name", ["exercises/01_doubling/notes.txt", "solutions/01_doubling/old.py"]
)
def test_an_unexpected_file(built, name):
    """A stray file might be a solution that is handed out."""
    built.write(name, "x = 1\n")
    assert problems_of(built) == [(name, "an unexpected file")]


def test_a_check_without_points(built):
    """Every test of a topic is worth something; the sum shows it too."""
    built.change(CHECKS, "@points(1)\n", "")
    assert problems_of(built) == [
        (f"{CHECKS}:12", "test_counting has no points"),
        (CHECKS, "the points sum to 2, but course.toml gives the topic 3"),
    ]


def test_a_check_without_docstring(built):
    """A student reads the docstring, not the code."""
    built.change(CHECKS, '    """A counter goes up by one."""\n', "")
    assert problems_of(built) == [(f"{CHECKS}:13", "test_counting has no docstring")]


def test_two_checks_of_one_title(built):
    """In a table a student would not know which is which."""
    built.change(CHECKS, "A counter goes up by one.", "The double of every element.")
    assert (f"{CHECKS}:13", "test_counting has the title of test_double") in problems_of(built)


def test_a_check_in_a_class(built):
    """Checks are functions."""
    with (built.root / CHECKS).open("a") as file:
        file.write(
            '\nclass TestMore:\n    @points(1)\n    def test_a(self, student):\n        "A."\n'
        )
    assert (f"{CHECKS}:19", "TestMore.test_a is a method") in problems_of(built)


def test_points_that_do_not_sum(built):
    """The checks' points are the topic's."""
    built.change("course.toml", "points = 3", "points = 4")
    assert problems_of(built) == [
        (CHECKS, "the points sum to 3, but course.toml gives the topic 4")
    ]


def test_a_signature_that_differs(built):
    """The stub asks for what the solution does."""
    built.change(STUB, "def double(x)", "def double(x, y)")
    assert problems_of(built) == [
        (STUB, "double takes (x, y), but the solution's takes (x)"),
    ]


def test_a_function_that_the_stub_lacks(built):
    """A public helper of the solution is not known to the student."""
    built.change(SOURCE, "_twice", "twice")
    built.change(BANK, 'functions = ["double"]', 'functions = ["twice"]')
    assert problems_of(built) == [(STUB, "twice of the solution is not in the stub")]


def test_a_stub_that_passes(built):
    """Points for nothing."""
    built.change(STUB, 'raise NotImplementedError("double is yours to write")', "return 2 * x")
    assert problems_of(built) == [
        (STUB, "the stub's verdict in test_double is passed, but should be missing")
    ]


def test_a_stub_that_is_wrong_instead_of_missing(built):
    """A check that judges before it calls tells a beginner that they are wrong."""
    built.change(STUB, 'raise NotImplementedError("double is yours to write")', "return 7.0")
    ((file, rule),) = problems_of(built)
    assert (file, "but should be missing" in rule) == (STUB, True)


def test_a_solution_without_full_marks(built):
    """The message says which check, and why."""
    built.change(SOURCE, "x + x", "x + 2 * x")
    built.change(BANK, "x + x", "x + 2 * x")
    (problem, *others) = problems_of(built)
    assert problem[0] == SOURCE
    assert problem[1].startswith("the solution's verdict in test_double is failed: ")
    assert others == []


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("format = 1", "format = 2", "format is 2, but this grader reads format 1"),
        ("format = 1", "format", "not valid TOML"),
        ('id = "square"', 'id = "stays"', "two misconceptions have the id 'stays'"),
        ('id = "square"', 'id = "The Square"', "id should be in kebab-case"),
        ('id = "square"\n', "", "the key 'id' is missing"),
        ('["double"]', "[]", "functions is []"),
        ('["double"]', '["triple"]', "the solution has no 'triple'"),
        ('"x + x"', '"x"', "`find` occurs"),
        ('"x + x"', '"x - x"', "`find` occurs 0 times"),
        ('"x * x"', '"x + x"', "find and replace are the same"),
        ('"x * x"', '"x * "', "not valid Python"),
    ],
)
def test_a_malformed_bank(built, old, new, rule):
    """Each broken rule of misconceptions.toml is named."""
    built.change(BANK, old, new)
    ((file, found),) = problems_of(built)
    assert file == BANK
    assert rule in found


def test_a_misconception_that_passes(built):
    """The proof that the checks bite."""
    built.change(BANK, '"x * x"', '"2 * x"')
    assert problems_of(built) == [
        (BANK, "misconception square passes the 1 checks of double"),
    ]


def test_a_misconception_is_rejected_by_its_own_functions_checks(built):
    """A failure elsewhere is luck: the function's own checks must see it."""
    built.change(BANK, 'functions = ["double"]', 'functions = ["Counter"]')
    assert problems_of(built) == [
        (BANK, "misconception square passes the 1 checks of Counter"),
    ]


def test_a_misconception_names_every_function_that_it_makes_wrong(built):
    """An edit of a shared helper makes others wrong too; what uses the named function may fail with it."""
    triple = """

        # %%
        def triple(x):
            \"\"\"Three times every element, shape (N,).\"\"\"
            ### BEGIN SOLUTION
            return BODY + x
            ### END SOLUTION
        """
    check = """

        @points(1)
        def test_triple(student):
            \"\"\"Three times every element.\"\"\"
            assert_close(student.triple(np.array([1.0, -3.0])), np.array([3.0, -9.0]), what="triple")
        """
    built.append(SOURCE, triple.replace("BODY", "_twice(x)"))
    built.append(CHECKS, check)
    built.change("course.toml", "points = 3", "points = 4")
    build(load_course(built.root).topics)
    rule = "misconception square fails test_triple, which uses none of double"
    assert problems_of(built) == [(BANK, rule)]
    built.change(BANK, 'functions = ["double"]', 'functions = ["double", "triple"]')
    build(load_course(built.root).topics)
    assert problems_of(built) == []
    built.change(BANK, 'functions = ["double", "triple"]', 'functions = ["double"]')
    built.change(SOURCE, "return _twice(x) + x", "return double(x) + x")
    build(load_course(built.root).topics)
    assert problems_of(built) == []


def test_generated_files_that_are_out_of_date(built):
    """What `grader build --check` would say, once all else is sound."""
    built.change(SOURCE, "# Twice as much", "# Two times as much")
    rule = "the file differs from its source"
    generated = ["doubling.py", "doubling.ipynb", "fingerprints.json"]
    assert problems_of(built) == [(f"exercises/01_doubling/{name}", rule) for name in generated]
    (topic,) = load_course(built.root).topics
    assert out_of_date(topic) == list(outdated([topic]))
    build([topic])
    assert out_of_date(topic) == []
    built.append(CHECKS, "\n")
    assert problems_of(built) == [("exercises/01_doubling/fingerprints.json", rule)]
    assert out_of_date(topic) == list(outdated([topic]))


@pytest.mark.parametrize("line", ["x = np.array(1) + None", "student.double(x)[0].nothing"])
def test_a_check_that_itself_fails(built, line):
    """One line, whether it comes before the student's code or behind it; nothing else is said meanwhile."""
    built.change(
        CHECKS, "    x = np.array([1.0, -3.0])\n", f"    x = np.array([1.0])\n    {line}\n"
    )
    build(load_course(built.root).topics)
    ((file, rule),) = problems_of(built)
    assert file == CHECKS
    assert rule.startswith("test_double itself failed: ")
    assert "Error: " in rule


def test_a_check_that_itself_fails_on_a_wrong_answer(built):
    """The wrong answer is not rejected by it: a student would be told to call the instructor."""
    built.change(
        CHECKS, "assert_close(student", "y, z = student.double(x)\n    assert_close(student"
    )
    built.change(BANK, '"x * x"', '"x[0]"')
    build(load_course(built.root).topics)
    ((file, rule),) = problems_of(built)
    assert file == CHECKS
    assert rule.startswith("test_double itself failed on misconception square: TypeError: ")


def test_hidden_checks_that_themselves_fail(built):
    """They have a file of their own."""
    built.write(
        HIDDEN,
        '''
        from grader import points

        @points(1)
        def test_more(student):
            """More."""
            student.double(1.0).nothing
        ''',
    )
    ((file, rule),) = problems_of(built)
    assert file == HIDDEN
    assert rule.startswith("test_more itself failed: AttributeError: ")


@pytest.mark.parametrize("name", [CHECKS, HIDDEN])
def test_checks_that_cannot_be_loaded(built, name):
    """The exception in one line."""
    built.write(
        name, f"{(built.root / name).read_text() if name == CHECKS else ''}\nx = 1 + None\n"
    )
    ((file, rule),) = problems_of(built)
    assert file == name
    assert rule.startswith("it cannot be loaded: TypeError: ")


def test_what_a_problem_says(built):
    """A sentence that ends in a full stop is not followed by a colon; a file is named from the course's folder."""
    built.change(BANK, '"x + x"', '"x"')
    course = load_course(built.root)
    (problem,) = verify(course, course.topics)
    assert str(problem).endswith("in the solution, but should occur once: make it longer")
    built.change(BANK, '"x"', '"x + x"')
    built.change(SOURCE, "self.value + self.by", "self.value + 2")
    built.change(BANK, "self.value + self.by", "self.value + 2")
    (problem,) = verify(course, course.topics)
    assert str(problem).endswith(f"see `grader check --in-process {SOURCE}`")


def test_a_check_may_use_a_helper(built):
    """A check belongs to the functions that its helpers call."""
    built.change(
        CHECKS,
        "assert_equal(student.Counter(4).step(), 5, ",
        "count(student)\n\n\ndef count(student):\n    assert_equal(student.Counter(4).step(), 5, ",
    )
    build(load_course(built.root).topics)
    assert problems_of(built) == []
