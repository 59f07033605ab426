"""course.toml and the paths of a topic."""

import pytest

from grader.course import CourseError, find_course, load_course

TOPIC = '[[topic]]\nname = "01_doubling"\ntitle = "Doubling"\npoints = 3\n'


def course_of(tmp_path, text):
    """The course that a course.toml describes."""
    (tmp_path / "course.toml").write_text(text)
    return load_course(tmp_path)


def test_topics_and_their_paths(tmp_path):
    """A topic knows where its files lie, whether they exist or not."""
    course = course_of(tmp_path, f'format = 1\ntitle = "A course"\n{TOPIC}')
    (topic,) = course.topics
    assert (course.title, topic.name, topic.title, topic.points) == (
        "A course",
        "01_doubling",
        "Doubling",
        3,
    )
    paths = {
        "stub": "exercises/01_doubling/doubling.py",
        "notebook": "exercises/01_doubling/doubling.ipynb",
        "checks": "exercises/01_doubling/test_doubling.py",
        "fingerprints": "exercises/01_doubling/fingerprints.json",
        "source": "solutions/01_doubling/doubling.py",
        "hidden_checks": "solutions/01_doubling/test_hidden.py",
        "misconceptions": "solutions/01_doubling/misconceptions.toml",
    }
    for attribute, path in paths.items():
        assert getattr(topic, attribute) == tmp_path / path


def test_found_from_a_folder_below(tmp_path):
    """A course is found from any file or folder in it."""
    course = course_of(tmp_path, f'format = 1\ntitle = "A course"\n{TOPIC}')
    course.topics[0].exercise_dir.mkdir(parents=True)
    assert find_course(course.topics[0].exercise_dir) == course
    assert find_course(course.topics[0].stub) == course


def test_not_found(tmp_path):
    """Outside of a course the message says where it was looked for."""
    with pytest.raises(CourseError, match=r"no course\.toml in .*somewhere"):
        find_course(tmp_path / "somewhere")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the key 'format' is missing"),
        ("format = 1\n", "the key 'title' is missing"),
        ('format = 1\ntitle = "A"\n', "the key 'topic' is missing"),
        ('format = 1\ntitle = "A"\ntopic = []\n', "there is no topic"),
        (f'format = 2\ntitle = "A"\n{TOPIC}', "format is 2, but this grader reads format 1"),
        (f'format = true\ntitle = "A"\n{TOPIC}', "format is True, but should be a whole number"),
        (f'format = 1\ntitle = " "\n{TOPIC}', "title is empty"),
        (f"format = 1\ntitle = 7\n{TOPIC}", "title is 7, but should be a text"),
        (f'format = 1\ntitle = "A"\nauthor = "B"\n{TOPIC}', "unknown key 'author'"),
        (f'format = 1\ntitle = "A"\n{TOPIC}late = 1\n', "topic 1: unknown key 'late'"),
        (f'format = 1\ntitle = "A"\n{TOPIC}{TOPIC}', "two topics have the name '01_doubling'"),
        ('format = 1\ntitle = "A"\ntopic = ["a"]\n', r"topic 1 is 'a', but should be a table"),
        (
            'format = 1\ntitle = "A"\n[[topic]]\nname = "01_a"\n',
            "topic 1: the key 'title' is missing",
        ),
        ("format = 1\ntitle = ", "not valid TOML"),
    ],
)
def test_broken(tmp_path, text, message):
    """Each broken rule is named, with the file."""
    with pytest.raises(CourseError, match=message) as raised:
        course_of(tmp_path, text)
    assert str(tmp_path / "course.toml") in str(raised.value)


@pytest.mark.parametrize(
    "name", ["doubling", "1_doubling", "01_Doubling", "01-a", "01_", "../01_a"]
)
def test_a_topic_needs_number_and_python_name(tmp_path, name):
    """A topic's name is also its module's."""
    with pytest.raises(CourseError, match="two digits, an underscore and a Python name"):
        course_of(tmp_path, 'format = 1\ntitle = "A"\n' + TOPIC.replace("01_doubling", name))


@pytest.mark.parametrize("name", ["01_random", "01_class", "01_numpy", "01_grader"])
def test_a_topic_does_not_hide_a_module(tmp_path, name):
    """A module of the library, of the judge, or a keyword is no topic."""
    with pytest.raises(CourseError, match="choose another name"):
        course_of(tmp_path, 'format = 1\ntitle = "A"\n' + TOPIC.replace("01_doubling", name))


@pytest.mark.parametrize("points", ["0", "-1", "nan", "inf"])
def test_points_are_positive(tmp_path, points):
    """A topic is worth something finite."""
    with pytest.raises(CourseError, match=r"points is .* but should be a number above 0"):
        course_of(tmp_path, 'format = 1\ntitle = "A"\n' + TOPIC.replace("= 3", f"= {points}"))


@pytest.mark.parametrize(
    "text", [f'{TOPIC}[[topic]]\nname = "01_other"\ntitle = "O"\npoints = 1\n']
)
def test_numbers_are_unique(tmp_path, text):
    """Two topics do not share a number."""
    with pytest.raises(CourseError, match="two topics have the number '01'"):
        course_of(tmp_path, f'format = 1\ntitle = "A"\n{text}')


def test_a_topic_by_name_number_or_module(tmp_path):
    """Any of its names finds a topic; another one lists them."""
    course = course_of(tmp_path, f'format = 1\ntitle = "A"\n{TOPIC}')
    for name in ("01_doubling", "01", "1", "doubling"):
        assert course.topic(name).name == "01_doubling"
    with pytest.raises(CourseError, match="no topic 'tripling'; its topics are: 01_doubling"):
        course.topic("tripling")
    for name in ("", "0", "001", "11"):
        with pytest.raises(CourseError, match="no topic"):
            course.topic(name)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("doubling.py", "01_doubling"),
        ("Doubling.ipynb", "01_doubling"),
        ("class/ada/01_doubling/answer.py", "01_doubling"),
        ("ada_doubling.py", "01_doubling"),
        ("doubling-2.py", "01_doubling"),
        ("redoubling.py", None),
        ("doubling_halving.py", None),
        ("02_halving/doubling.py", "01_doubling"),
        ("answer.py", None),
    ],
)
def test_the_topic_of_a_file(tmp_path, path, found):
    """A file's name, else its folder, tells the topic; where both would do, neither."""
    other = TOPIC.replace("01_doubling", "02_halving")
    course = course_of(tmp_path, f'format = 1\ntitle = "A"\n{TOPIC}{other}')
    topic = course.topic_of(tmp_path / path)
    assert (topic and topic.name) == found
