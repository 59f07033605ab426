"""Fixtures of watch's tests."""

import pytest

from grader.build import build
from grader.course import load_course


@pytest.fixture
def topic(small_course):
    """The small course's topic, built."""
    topic = load_course(small_course.root).topics[0]
    build([topic])
    return topic
