"""Generated cases: what is always among them, and that they are a pure function of their plan."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis.strategies import integers

from grader import axis, cases, given, labels, points, positive, uniform
from grader.checks.check import Check
from grader.checks.strategies import KINDS, LAYOUTS, edge_cases, laid_out, random_cases


def all_of(strategy, examples=25):
    """Every case of a check that is given the strategy."""

    @points(1)
    @given(case=strategy)
    def test_it(student, case):
        """It."""

    return [example["case"] for example in Check.of(test_it).examples(0, examples)]


def test_edge_cases_are_always_there():
    """Each convention of the course has a case."""
    found = edge_cases(cases(x="N C H W", gamma="C", options={"eps": [1e-5, 0.1, 1.0]}), seed=1)
    arrays = [case.x for case in found]
    assert any(x.shape[0] == 1 and x.size > 1 for x in arrays), "batch of 1"
    assert any(x.shape[1] == 1 and x.size > 1 for x in arrays), "one feature"
    assert any(x.size == 1 for x in arrays), "a single value"
    assert any(x.dtype == np.float32 for x in arrays)
    assert any(x.flags.f_contiguous and not x.flags.c_contiguous for x in arrays), "Fortran order"
    assert any(min(x.strides) < 0 for x in arrays), "negative strides"
    assert any(not x.flags.writeable for x in arrays), "read-only"
    assert any(x.shape[2] != x.shape[3] and min(x.shape) > 1 for x in arrays), "height != width"
    assert any(np.abs(x).max(initial=0) > 1e5 for x in arrays), "huge"
    assert any(0 < np.abs(x).max(initial=0) < 1e-4 for x in arrays), "tiny"
    assert {case.eps for case in found} == {1e-5, 0.1, 1.0}
    assert {case.plan.kind for case in found} >= set(KINDS) - {"zeros"}
    assert all(case.gamma.shape == (case.x.shape[1],) for case in found)


def test_same_seed_same_cases():
    """And another seed, others."""
    first, again = (edge_cases(cases(x="N D"), seed=3) for _ in range(2))
    other = edge_cases(cases(x="N D"), seed=4)
    assert all(np.array_equal(a.x, b.x) for a, b in zip(first, again, strict=True))
    assert not all(np.array_equal(a.x, b.x) for a, b in zip(first, other, strict=True))


def test_axes_products_options_and_labels():
    """Products of axes, extents as options, class labels, positive values, ranges."""
    strategy = cases(
        x="N G*K",
        t=labels("N", "K"),
        v=positive("K"),
        dims={"K": (2, 3)},
        options={"groups": axis("G"), "rate": uniform(0.1, 0.9)},
    )
    for case in all_of(strategy):
        assert case.x.shape[1] == case.groups * case.dims["K"]
        assert case.t.dtype == np.int64
        assert case.t.max(initial=0) < case.dims["K"]
        assert (case.v > 0).all()
        assert case.dims["K"] in (2, 3)
        assert 0.1 <= case.rate <= 0.9


def test_empty_axes_only_where_asked():
    """`empty` adds cases with no element."""
    assert any(case.x.size == 0 for case in all_of(cases(x="N D", empty=("N",))))
    assert all(case.x.size > 0 for case in all_of(cases(x="N D")))


def test_where_rejects():
    """No case breaks the condition."""
    strategy = cases(x="N C", where=lambda dims: dims["N"] > 1)
    assert all(case.x.shape[0] > 1 for case in all_of(strategy))


def test_leading_axes_and_alternatives():
    """0 to 3 leading axes; alternatives take turns."""
    assert {case.x.ndim for case in all_of(cases(x="... D"))} == {1, 2, 3, 4}
    assert {case.x.ndim for case in all_of(cases(x=["N C", "N C H W"]))} == {2, 4}


def test_builder():
    """A builder makes what named axes cannot say; its options are told apart."""

    def build(draw):
        sizes = [draw.integer(1, 4) for _ in range(3)]
        weights = [draw.array(b, a) for a, b in pairwise(sizes)]
        return {"weights": weights, "activation": draw.choice(["relu", "tanh"])}

    found = all_of(cases(build, options_of=("activation",)))
    assert {case.activation for case in found} == {"relu", "tanh"}
    assert all(list(case.inputs) == ["weights"] for case in found)


def test_wrong_use_is_told():
    """The message names the value and the rule."""
    with pytest.raises(ValueError, match="either a builder or arrays"):
        cases()
    with pytest.raises(ValueError, match="'enormous'"):
        cases(x="N", kinds=("enormous",))
    with pytest.raises(ValueError, match="rejects every extent"):
        edge_cases(cases(x="N", where=lambda _: False), seed=0)
    with pytest.raises(ValueError, match="points must be positive"):
        points(0)


def test_rng_of_a_case_is_the_same_each_time():
    """Streams differ."""
    case = all_of(cases(x="N"))[0]
    assert case.rng().random() == case.rng().random()
    assert case.rng(1).random() != case.rng().random()
    with pytest.raises(AttributeError, match="no input or option 'y'"):
        _ = case.y


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (0, 2)])
def test_layouts_hold_the_same_values(layout, shape):
    """Of arrays without an axis and without an element too."""
    values = np.arange(np.prod(shape, dtype=int), dtype=np.float32).reshape(shape)
    laid = laid_out(values.copy(), layout)
    assert type(laid) is np.ndarray
    assert laid.dtype == values.dtype
    assert np.array_equal(laid, values)
    assert laid.flags.writeable == (layout != "readonly")


def test_changed_inputs_are_the_case():
    """What a change returns takes the place of what was drawn, in the plan's dtype and layout, options too."""

    def change(draw, drawn):
        return {"y": draw.laid_out(np.abs(drawn["x"])), "largest": float(np.max(drawn["x"]))}

    found = all_of(cases(x="N D", change=change, options_of=("largest",), options={"eps": [0.1]}))
    assert all(list(case.inputs) == ["y"] and (case.y >= 0).all() for case in found)
    assert all(set(case.options) == {"largest", "eps"} for case in found)
    assert {case.y.dtype.name for case in found} == {"float64", "float32"}
    assert any(not case.y.flags.c_contiguous for case in found)
    assert any(not case.y.flags.writeable for case in found)


def test_random_cases_are_a_function_of_the_seed_and_vary():
    """Every kind, layout and dtype that is allowed comes up; another seed gives others."""
    strategy = cases(x="N D", kinds=["normal", "wide"], layouts=["C", "strided"])
    plans = [case.plan for case in random_cases(strategy, 3, 200)]
    assert plans == [case.plan for case in random_cases(strategy, 3, 200)]
    assert plans[:5] == [case.plan for case in random_cases(strategy, 3, 5)]
    assert plans != [case.plan for case in random_cases(strategy, 4, 200)]
    assert {plan.kind for plan in plans} == {"normal", "wide"}
    assert {plan.layout for plan in plans} == {"C", "strided"}
    assert {plan.dtype for plan in plans} == {"float64", "float32"}
    assert {plan.size for plan in plans} == {1, 2, 3, 4, 5, 6}
    assert len({plan.seed for plan in plans}) > 190


def test_several_arguments_are_drawn_apart():
    """Two arguments of the same strategy do not move together; what is no `cases` is hypothesis's."""

    @points(1)
    @given(one=cases(x="N"), other=cases(x="N"), n=integers(0, 9))
    def test_it(student, one, other, n):
        """It."""

    examples = Check.of(test_it).examples(0, 25)
    assert {tuple(example) for example in examples} == {("one", "other", "n")}
    assert any(example["one"].plan != example["other"].plan for example in examples)
    assert len({example["n"] for example in examples}) > 3
