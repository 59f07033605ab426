"""The checks of topic 30: plain Python is the reference."""

from hypothesis import strategies as st

from grader import assert_equal, given, points

WORDS = st.text(alphabet="ab", max_size=4)


@points(1)
def test_count_words(student):
    """Each word is counted, whatever its case."""
    expected = {"to": 2, "be": 2, "or": 1, "not": 1}
    assert_equal(student.count_words("To be or not to Be"), expected, what="count_words")
    assert_equal(student.count_words("  "), {}, what="count_words of blanks")


def distance(a, b):
    """The definition, by recursion."""
    if not a or not b:
        return len(a) + len(b)
    return min(
        distance(a[:-1], b[:-1]) + (a[-1] != b[-1]),
        distance(a[:-1], b) + 1,
        distance(a, b[:-1]) + 1,
    )


@points(2)
@given(a=WORDS, b=WORDS)
def test_edit_distance(student, a, b):
    """The fewest edits, as the definition counts them."""
    assert_equal(student.edit_distance(a, b), distance(a, b), what="edit_distance")
