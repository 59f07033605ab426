"""The rules that hold at every call, whatever the check."""

import bdb

import numpy as np
import pytest

from grader import overwriting, reveal, unpack
from grader.failure import Failure, Missing, StudentError


@pytest.mark.parametrize(
    ("body", "aspect"),
    [
        ("x += 1; return x", "modified"),
        ("global kept; kept = globals().get('kept', 0) + 1; return x * kept", "determinism"),
        ("return x + np.random.random()", "rng"),
        ("import random; return x * random.random()", "rng"),
        ("np.random.seed(0); return x", "rng"),
    ],
)
def test_rules_hold_at_every_call(student_of, body, aspect):
    """Modified arguments, kept state and global randomness are failures."""
    student = student_of(f"import numpy as np\ndef f(x): {body}")
    with pytest.raises(Failure) as failure:
        student.f(np.ones(3))
    assert failure.value.aspect == aspect


def test_a_global_seed_is_seen_again_and_again(student_of):
    """Setting the same seed at every call does not hide behind the state it restores."""
    student = student_of(
        "import numpy as np\ndef f(x): np.random.seed(0); return x + np.random.random()"
    )
    for _ in range(3):
        student._begin(repeat=True)
        with pytest.raises(Failure, match="global random state"):
            student.f(np.ones(2))


@pytest.mark.parametrize("error", ["bdb.BdbQuit", "pytest.exit.Exception", "KeyboardInterrupt"])
def test_who_leaves_the_debugger_is_out(student_of, error):
    """`q` at breakpoint() ends the run; it is not an exception of the function's."""
    student = student_of(f"import bdb, pytest\ndef f(x): raise {error}()")
    with pytest.raises((bdb.BdbQuit, pytest.exit.Exception, KeyboardInterrupt)):
        student.f(1)


@pytest.mark.parametrize("first", [0, 100])
def test_a_shared_buffer_is_found(student_of, first):
    """Also by one that is used from the hundredth call on, in an example with many calls."""
    student = student_of(
        f"import numpy as np\nbuffer, calls = np.zeros(2), []\ndef f(x):\n    calls.append(1)\n    if len(calls) < {first}: "
        "return x\n    buffer[:] = x\n    return buffer"
    )
    student._begin(repeat=False)
    for number in range(max(first, 1)):
        student.f(np.full(2, float(number)))
    with pytest.raises(Failure, match="changes what f returned earlier"):
        student.f(np.full(2, -1.0))


def test_a_changed_cache_is_a_modified_argument(student_of):
    """A backward that writes into its cache is found at once."""
    student = student_of(
        """
        def forward(x): return x * 2, {"x": x.copy()}
        def backward(g, cache):
            cache["x"] *= g
            return cache["x"]
        """
    )
    _, cache = student.forward(np.ones(2))
    with pytest.raises(Failure, match="backward modifies its argument"):
        student.backward(np.full(2, 3.0), cache)


def test_what_was_returned_earlier_must_not_change(student_of):
    """A buffer that is used again changes an earlier answer."""
    student = student_of(
        """
        import numpy as np
        buffer = np.zeros(2)
        def f(x):
            buffer[...] = x
            return buffer
        """
    )
    student.f(np.ones(2))
    with pytest.raises(Failure, match="changes what f returned earlier"):
        student.f(np.zeros(2))


def test_returning_the_argument_itself_is_right(student_of):
    """An identity answer may be the argument."""
    x = np.arange(3.0)
    assert np.array_equal(student_of("def f(x): return x").f(x), x)


def test_the_judges_arrays_stay_its_own(student_of):
    """Even a failing answer cannot change what the judge compares with."""
    x = np.ones(3)
    with pytest.raises(Failure):
        student_of("def f(x): x[:] = 5; return x").f(x)
    assert np.array_equal(x, np.ones(3))


@pytest.mark.parametrize("layout", ["F", "transposed", "strided", "reversed", "readonly"])
def test_layouts_reach_the_student(student_of, layout):
    """Strides and flags are part of the argument."""
    from grader.checks.strategies import laid_out

    x = laid_out(np.arange(12.0).reshape(3, 4), layout)
    student = student_of("def f(x): return [str(x.strides), x.flags.writeable, x * 1]")
    strides, writeable, same = student.f(x)
    assert strides == str(x.strides)
    assert writeable == x.flags.writeable
    assert np.array_equal(same, x)


def test_writing_into_a_read_only_argument_is_told_as_such(student_of):
    """Not as numpy's own message."""
    x = np.ones(2)
    x.flags.writeable = False
    with pytest.raises(Failure, match="writes into one of its arguments"):
        student_of("def f(x): x += 1; return x").f(x)


def test_missing_and_unfinished(student_of):
    """Both are `missing`, and say which."""
    student = student_of("def f(x): raise NotImplementedError")
    with pytest.raises(Missing, match="`f` is not written yet"):
        student.f(1.0)
    with pytest.raises(Missing, match=r"`g` is not defined in answer.py"):
        student.g(1.0)


def test_a_wrong_signature_is_told_with_the_courses(student_of):
    """What it takes against what it should take."""
    student = student_of("def f(a, b, c): return a", signatures={"f": "(grad_out, cache)"})
    with pytest.raises(
        StudentError,
        match=r"takes 3 arguments, the course's takes 2 arguments: \(grad_out, cache\)",
    ):
        student.f(1.0, 2.0)


def test_a_type_error_inside_is_no_wrong_signature(student_of):
    """The traceback shows the student's own line, and none of the engine's."""
    student = student_of("def f(a):\n    return len(5)", signatures={"f": "(a)"})
    with pytest.raises(StudentError) as error:
        student.f(1.0)
    assert "f raised TypeError" in str(error.value)
    assert "answer.py" in str(error.value)
    assert "grader/" not in str(error.value)


def test_rng_goes_on_where_the_student_left_it(student_of):
    """The judge's generator advances as the student's copy did, spawned children included."""
    student = student_of("def f(rng): rng.spawn(2); return rng.random(3)")
    rng = np.random.default_rng(5)
    other = np.random.default_rng(5)
    first = student.f(rng)
    other.spawn(2)
    assert np.array_equal(first, other.random(3))
    assert rng.random() == other.random()
    assert rng.spawn(1)[0].random() == other.spawn(1)[0].random()


def test_objects_stay_with_the_student(student_of):
    """Methods and attributes work; reveal looks into plain containers."""
    student = student_of(
        """
        class Stopper:
            def __init__(self, patience): self.patience, self.seen = patience, []
            def step(self, loss): self.seen.append(loss); return len(self.seen) > self.patience
            @property
            def best(self): return {"loss": min(self.seen)}
        """
    )
    stopper = student.Stopper(patience=1)
    assert stopper.step(3.0) is False
    assert stopper.step(2.0) is True
    assert reveal(stopper.best) == {"loss": 2.0}
    with pytest.raises(Missing, match="`worst` is not defined"):
        _ = stopper.worst


@pytest.mark.parametrize("layout", ["C", "F", "strided", "readonly"])
@pytest.mark.parametrize("box", [list, tuple, lambda arrays: dict(enumerate(arrays))])
def test_overwritten_arguments_show_what_was_not_copied(student_of, layout, box):
    """Only what the object copied survives; nobody writes into read-only arrays or into the judge's own."""
    from grader.checks.strategies import laid_out

    student = student_of(
        """
        import copy
        class Keeper:
            def step(self, params):
                self.kept, self.copied = params, copy.deepcopy(params)
                return True
        """
    )
    keeper = student.Keeper()
    params = box([laid_out(np.arange(4.0).reshape(2, 2), layout), laid_out(np.ones(3), layout)])
    assert overwriting(keeper.step)(params) is True
    values = params.values() if isinstance(params, dict) else params
    lost = reveal(keeper.kept)
    survived = reveal(keeper.copied)
    for index, value in enumerate(values):
        assert np.array_equal(survived[index], value)
        assert np.array_equal(lost[index], value) == (layout == "readonly")


def test_a_cache_is_never_overwritten(student_of):
    """What stays with the student belongs to the student."""
    student = student_of(
        """
        import numpy as np
        class Keeper:
            def __init__(self): self.kept = {"x": np.ones(2)}
            def step(self, x): return True
            def cache(self): return self.kept
        """
    )
    keeper = student.Keeper()
    overwriting(keeper.step)([keeper.cache()])
    assert np.array_equal(reveal(keeper.kept)["x"], np.ones(2))


def test_a_str_of_numpys_making_is_a_str(student_of):
    """An element of an array of strings counts as a str, alone, in a sequence and where reveal finds it."""
    student = student_of(
        """
        import numpy as np
        kind = np.array(["minimum", "saddle"])[1]
        def one(): return kind
        def two(): return kind, [kind]
        """
    )
    assert student.one() == "saddle"
    assert reveal(student.two()) == ("saddle", ["saddle"])


def test_scalars_of_any_float_type(student_of):
    """A long double counts as a float: alone, as a 0-d array, in a sequence."""
    student = student_of(
        """
        import numpy as np
        def one(): return np.longdouble(0.25)
        def two(): return np.array(0.5, dtype=np.longdouble), [np.longdouble(2.0)]
        """
    )
    assert student.one() == 0.25
    assert reveal(student.two()) == (0.5, [2.0])


def test_further_lines_keep_where_it_was_raised():
    """A debugger that is opened on the failure lands in the check."""
    try:
        raise Failure("wrong")
    except Failure as failure:
        more = failure.with_details("a line")
    assert more.details == ("a line",)
    assert str(more) == "wrong\na line"
    assert more.__traceback__ is not None


def test_unpack():
    """Anything else than that many items is the student's error, in words."""
    assert unpack([1, 2], "out", "cache", what="f") == (1, 2)
    with pytest.raises(StudentError, match=r"f returned None .* but should return \(out, cache\)"):
        unpack(None, "out", "cache", what="f")
    with pytest.raises(StudentError, match="one array of shape"):
        unpack(np.ones(2), "out", "cache", what="f")


def test_printing_and_warnings_cost_nothing(student_of):
    """Only what is returned counts."""
    student = student_of(
        "import warnings\ndef f(x):\n    print('hello'); warnings.warn('careful'); return x"
    )
    with pytest.warns(UserWarning, match="careful"):
        assert student.f(2.0) == 2.0
