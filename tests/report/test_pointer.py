"""Where a failing check points to in the topic's text."""

from pathlib import Path

import pytest

from grader.build import build
from grader.content.text_rules import checks_in
from grader.course import find_course, load_course
from grader.report.pointer import pointer

COURSE = find_course(Path(__file__))


@pytest.mark.parametrize("topic", COURSE.topics, ids=lambda topic: topic.name)
def test_every_check_points_to_a_section(topic):
    """A heading that stands in the file which the student edits."""
    text = topic.stub.read_text(encoding="utf-8")
    for check in checks_in(topic):
        where = pointer(topic, check.name)
        assert where.startswith('Read "'), check.name
        assert f"# {where.split(chr(34))[1]}\n" in text


def test_the_function_that_failed_comes_before_the_one_that_was_tried(small_course):
    """A check of one function may find another one wrong."""
    topic = load_course(small_course.root).topics[0]
    assert pointer(topic, "test_double") == "", "the stub is not built yet"
    small_course.change(
        "solutions/01_doubling/doubling.py",
        "# %%\nclass Counter",
        "# %% [markdown]\n# ## Counting\n# One by one.\n\n# %%\nclass Counter",
    )
    build([topic])
    assert pointer(topic, "test_double") == 'Read "Doubling" in doubling.py.'
    assert pointer(topic, "test_counter_steps") == 'Read "Counting" in doubling.py.'
    assert pointer(topic, "test_double", "Counter raised") == 'Read "Counting" in doubling.py.'
    assert pointer(topic, "test_elsewhere") == ""
