"""The checks of topic 05, dropout: random answers, judged by their structure and their law."""

import numpy as np
import torch

from grader import (
    assert_close,
    assert_raises,
    assert_true,
    cases,
    check_frequency,
    check_rng,
    check_uncorrelated,
    given,
    points,
    unpack,
)

RATES = [0.5, 0.1, 0.3, 0.8, 0.95]
KEEP = [0.5, 0.9, 0.7, 0.2, 1.0]


def nonzero(array):
    """The values with zeros replaced by one, so that a zero in the answer is a dropped element."""
    values = np.where(array == 0, 1, array).astype(array.dtype)
    return values


def forward(function, x, rate, *, training, rng):
    out, cache = unpack(
        function(x, rate, training=training, rng=rng), "out", "cache", what=function.__name__
    )
    require_array(out, x.shape, x.dtype, f"out of {function.__name__}")
    return out, cache


def require_array(actual, shape, dtype, what):
    """An array of that shape and dtype, whatever its values: said before anything about a law."""
    if type(actual) is not np.ndarray or actual.shape != shape or actual.dtype != dtype:
        assert_close(actual, np.zeros(shape, dtype), what=what)


def mask_of(out, x, scale, what):
    """Which elements were kept; every element must be 0 or `scale` times its x."""
    assert_close(
        out, np.where(out == 0, 0, scale * x).astype(x.dtype), what=f"{what}, kept elements"
    )
    return out != 0


def masks(function, rate, *, case, shape):
    """The mask that one call draws for ones of the given shape."""
    out, _ = forward(function, np.ones(shape), rate, training=True, rng=case.rng())
    return out != 0


def check_independent(kept, rate_kept, what):
    """Frequency, and independence between neighbours along every axis of a mask."""
    for number in range(kept.ndim):
        along = np.moveaxis(kept, number, 0)
        check_uncorrelated(along[1:], along[:-1], what=f"neighbours on axis {number} of {what}")
        if 0.3 <= rate_kept <= 0.7 and along[0].size >= 60:
            slices = along.reshape(len(along), -1)
            assert_true(
                len(np.unique(slices, axis=0)) == len(slices),
                f"{what} repeats a mask: two slices along axis {number} are dropped alike.",
                "Each element is dropped by a draw of its own.",
                aspect="law",
            )
    check_frequency(int(kept.sum()), kept.size, rate_kept, what=f"elements kept by {what}")


def check_counts_vary(function, rate, case, *, shape, axes, what):
    """The number of kept elements is random too: its variance over 400 calls is that of the binomial law.

    Nor do masks come back, as they do when a generator is seeded with a small number: by chance alone two of 400 masks are
    alike with a probability below 1e-10.
    """
    rng = case.rng(3)
    kept = []
    for _ in range(400):
        out, _ = forward(function, np.ones(shape), rate, training=True, rng=rng)
        kept.append((out != 0).any(axis=axes) if axes else out != 0)
    size = int(np.prod([n for axis, n in enumerate(shape) if axis not in axes]))
    if 400**2 / 2 * (rate**2 + (1 - rate) ** 2) ** size < 1e-10:
        assert_true(
            len({mask.tobytes() for mask in kept}) == len(kept),
            f"{what} draws the same mask of {size} elements twice in 400 calls.",
            "Draw from rng itself, not from a generator that is seeded with a small number.",
            aspect="law",
        )
    counts = [int(mask.sum()) for mask in kept]
    expected = float(size * rate * (1 - rate))
    ratio = np.var(counts) / expected
    assert_true(
        0.3 < ratio < 2.2,
        f"{what} keeps {min(counts)} to {max(counts)} of {size} in 400 calls: variance {np.var(counts):.3g}, "
        f"but should be about {expected:.3g}.",
        "Each element is dropped by a draw of its own, not a fixed number of them.",
        aspect="law",
    )


@points(2)
@given(case=cases(x=["N D", "N C H W", "D"], empty=("N",), options={"p": RATES}))
def test_dropout_forward_scaling(student, case):
    """In training an element is either zeroed or divided by 1 - p."""
    x = nonzero(case.x)
    out, _ = forward(student.dropout_forward, x, case.p, training=True, rng=case.rng())
    mask_of(out, x, 1 / (1 - case.p), "out of dropout_forward")


@points(1.5, repeat=False)
@given(
    case=cases(x="1", options={"p": RATES}, layouts=("C",), dtypes=("float64",), kinds=("normal",))
)
def test_dropout_forward_rate(student, case):
    """Elements are zeroed with probability p, independently of their neighbours."""
    kept = masks(student.dropout_forward, case.p, case=case, shape=(60, 70))
    check_independent(kept, 1 - case.p, "dropout_forward")
    images = masks(student.dropout_forward, case.p, case=case, shape=(30, 7, 4, 5))
    check_independent(images, 1 - case.p, "dropout_forward on images")


@points(1.5, repeat=False)
@given(
    case=cases(
        x="1", options={"p": [0.5, 0.3]}, layouts=("C",), dtypes=("float64",), kinds=("tiny",)
    )
)
def test_dropout_forward_draws_from_rng(student, case):
    """Masks come from rng alone: the same state, the same mask; the next call, another one."""
    function = student.dropout_forward
    check_rng(
        lambda rng: forward(function, np.ones((8, 9)), case.p, training=True, rng=rng)[0],
        what="dropout_forward",
        seed=case.seed,
    )
    if case.plan.index is not None and case.plan.index < 4:
        check_counts_vary(function, 1 - case.p, case, shape=(8, 9), axes=(), what="dropout_forward")


@points(1)
@given(case=cases(x=["N D", "N C H W"], empty=("N",), options={"p": [0.5, 0.0, 0.3, 1.0]}))
def test_dropout_forward_eval_and_extremes(student, case):
    """Evaluation changes nothing; p = 0 drops nothing, p = 1 drops everything."""
    function = student.dropout_forward
    out, _ = forward(function, case.x, case.p, training=False, rng=case.rng())
    assert_close(out, case.x, what="out of dropout_forward in evaluation")
    for p in (0.0, 1.0):
        out, _ = forward(function, case.x, p, training=True, rng=case.rng())
        assert_close(
            out, (1 - p) * case.x, what=f"out of dropout_forward for p = {p:g}", dtype=case.x.dtype
        )


@points(1)
@given(case=cases(x="N D", layouts=("C",), options={"p": [-0.1, 1.1, 2.0, -1.0]}))
def test_dropout_forward_refuses_p_outside_0_1(student, case):
    """A probability outside [0, 1] raises ValueError, in both modes."""
    for training in (True, False):
        assert_raises(
            ValueError,
            student.dropout_forward,
            case.x,
            case.p,
            training=training,
            rng=case.rng(),
            because=f"p = {case.p} lies outside [0, 1]",
        )
    forward(student.dropout_forward, case.x, 1.0, training=True, rng=case.rng())
    forward(student.dropout_forward, case.x, 0.0, training=True, rng=case.rng())


def check_mask_in_backward(forward_pass, backward_pass, x, rate, scale, case):
    """The gradient is the mask of the forward times its scale, for two upstream gradients."""
    out, cache = forward(forward_pass, x, rate, training=True, rng=case.rng())
    kept = mask_of(out, x, scale, f"out of {forward_pass.__name__}")
    other = 0.5 if rate != 0.5 else 0.25
    forward(forward_pass, -2 * x, other, training=True, rng=case.rng(1))
    forward(forward_pass, 3 * x, other, training=False, rng=case.rng(2))
    upstream = np.random.default_rng(case.seed).standard_normal(x.shape).astype(x.dtype)
    for factor in (1, -3, 0):
        gradient = backward_pass((factor * upstream).astype(x.dtype), cache)
        assert_close(
            gradient,
            (kept * scale * factor * upstream).astype(x.dtype),
            what=f"grad_x of {backward_pass.__name__}",
        )


@points(2)
@given(case=cases(x=["N D", "N C H W", "D"], empty=("N",), options={"p": RATES}))
def test_dropout_backward_same_mask(student, case):
    """The gradient passes where the forward kept the element, with the same scale."""
    check_mask_in_backward(
        student.dropout_forward,
        student.dropout_backward,
        nonzero(case.x),
        case.p,
        1 / (1 - case.p),
        case,
    )


@points(1)
@given(case=cases(x=["N D", "N C H W"], options={"p": [0.5, 0.3, 0.0, 1.0]}))
def test_dropout_backward_eval_and_extremes(student, case):
    """The mask does not depend on x; the gradient of evaluation is grad_out itself; p = 1 gives zero."""
    functions = student.dropout_forward, student.dropout_backward
    upstream = nonzero(case.x[..., ::-1])
    _, cache = forward(functions[0], case.x, case.p, training=False, rng=case.rng())
    assert_close(functions[1](upstream, cache), upstream, what="grad_x after evaluation")
    for p in (0.0, 1.0):
        _, cache = forward(functions[0], case.x, p, training=True, rng=case.rng())
        expected = ((1 - p) * upstream).astype(case.x.dtype)
        assert_close(functions[1](upstream, cache), expected, what=f"grad_x for p = {p:g}")
    _, cache = forward(functions[0], np.zeros((30, 40)), 0.3, training=True, rng=case.rng())
    gradient = functions[1](np.ones((30, 40)), cache)
    mask_of(gradient, np.ones((30, 40)), 1 / 0.7, "grad_x where x is zero")
    check_frequency(
        int((gradient != 0).sum()), 1200, 0.7, what="gradients that pass where x is zero"
    )


@points(1.5)
@given(case=cases(x=["N D", "N C H W", "D"], empty=("N",), options={"keep_prob": KEEP}))
def test_classic_dropout_forward(student, case):
    """Training keeps elements as they are or zeroes them; evaluation scales all by keep_prob."""
    function, x = student.classic_dropout_forward, nonzero(case.x)
    out, _ = forward(function, x, case.keep_prob, training=True, rng=case.rng())
    mask_of(out, x, 1.0, "out of classic_dropout_forward")
    out, _ = forward(function, x, case.keep_prob, training=False, rng=case.rng())
    assert_close(
        out,
        case.keep_prob * x.astype(np.float64),
        what="out of classic_dropout_forward in evaluation",
        dtype=x.dtype,
    )


@points(1, repeat=False)
@given(
    case=cases(
        x="1",
        options={"keep_prob": KEEP[:-1]},
        layouts=("C",),
        dtypes=("float64",),
        kinds=("tiny",),
    )
)
def test_classic_dropout_forward_rate(student, case):
    """keep_prob is the probability of keeping; draws are independent and come from rng."""
    function = student.classic_dropout_forward
    kept = masks(function, case.keep_prob, case=case, shape=(60, 70))
    check_independent(kept, case.keep_prob, "classic_dropout_forward")
    images = masks(function, case.keep_prob, case=case, shape=(30, 7, 4, 5))
    check_independent(images, case.keep_prob, "classic_dropout_forward on images")
    check_rng(
        lambda rng: forward(function, np.ones((20, 20)), case.keep_prob, training=True, rng=rng)[0],
        what="classic_dropout_forward",
        seed=case.seed,
    )
    if case.plan.index is not None and case.plan.index < 4:
        check_counts_vary(
            function, case.keep_prob, case, shape=(8, 9), axes=(), what="classic_dropout_forward"
        )


@points(0.5)
@given(case=cases(x="N D", layouts=("C",), options={"keep_prob": [0.0, 1.1, -0.5, 2.0]}))
def test_classic_dropout_forward_refuses_keep_prob_outside_0_1(student, case):
    """A keep_prob outside (0, 1], zero included, raises ValueError."""
    for training in (True, False):
        assert_raises(
            ValueError,
            student.classic_dropout_forward,
            case.x,
            case.keep_prob,
            training=training,
            rng=case.rng(),
            because=f"keep_prob = {case.keep_prob} lies outside (0, 1]",
        )
    out, _ = forward(student.classic_dropout_forward, case.x, 1.0, training=True, rng=case.rng())
    assert_close(out, case.x, what="out of classic_dropout_forward for keep_prob = 1")


@points(1)
@given(case=cases(x=["N D", "N C H W", "D"], empty=("N",), options={"keep_prob": KEEP}))
def test_classic_dropout_backward_training(student, case):
    """After training the gradient passes where the forward kept the element, unscaled."""
    check_mask_in_backward(
        student.classic_dropout_forward,
        student.classic_dropout_backward,
        nonzero(case.x),
        case.keep_prob,
        1.0,
        case,
    )


@points(0.5)
@given(case=cases(x=["N D", "N C H W", "D"], options={"keep_prob": KEEP}))
def test_classic_dropout_backward_eval(student, case):
    """After evaluation the gradient is scaled by keep_prob everywhere, whatever x is."""
    functions = student.classic_dropout_forward, student.classic_dropout_backward
    _, cache = forward(functions[0], case.x, case.keep_prob, training=False, rng=case.rng())
    forward(functions[0], case.x, case.keep_prob, training=True, rng=case.rng())
    assert_close(
        functions[1](case.x, cache),
        case.keep_prob * case.x.astype(np.float64),
        what="grad_x of classic_dropout_backward after evaluation",
        dtype=case.x.dtype,
    )
    _, cache = forward(functions[0], np.zeros((30, 40)), 0.7, training=True, rng=case.rng())
    gradient = functions[1](np.ones((30, 40)), cache)
    check_frequency(
        int((gradient != 0).sum()), 1200, 0.7, what="gradients that pass where x is zero"
    )


@points(1.5)
@given(case=cases(x="N C H W", empty=("N",), options={"p": [*RATES, 0.0, 1.0]}))
def test_channel_dropout_forward(student, case):
    """A channel of an image is zeroed whole or divided by 1 - p whole; evaluation changes nothing."""
    function, x = student.channel_dropout_forward, nonzero(case.x)
    out, _ = forward(function, x, case.p, training=True, rng=case.rng())
    kept = mask_of(
        out, x, 1 / (1 - case.p) if case.p < 1 else 0.0, "out of channel_dropout_forward"
    )
    whole = kept.all(axis=(2, 3)) | ~kept.any(axis=(2, 3))
    assert_true(
        bool(whole.all()),
        "channel_dropout_forward drops a part of a channel: pixels of a channel share a draw.",
    )
    out, _ = forward(function, x, case.p, training=False, rng=case.rng())
    assert_close(out, x, what="out of channel_dropout_forward in evaluation")


@points(1, repeat=False)
@given(
    case=cases(x="1", options={"p": RATES}, layouts=("C",), dtypes=("float64",), kinds=("tiny",))
)
def test_channel_dropout_forward_rate(student, case):
    """Channels are dropped with probability p, independently within an image and between images."""
    function = student.channel_dropout_forward
    kept = masks(function, case.p, case=case, shape=(60, 70, 2, 1))[:, :, 0, 0]
    check_independent(kept, 1 - case.p, "channel_dropout_forward")
    check_rng(
        lambda rng: forward(function, np.ones((20, 20, 1, 2)), case.p, training=True, rng=rng)[0],
        what="channel_dropout_forward",
        seed=case.seed,
    )
    if case.plan.index is not None and case.plan.index < 4:
        check_counts_vary(
            function,
            1 - case.p,
            case,
            shape=(8, 9, 2, 1),
            axes=(2, 3),
            what="channel_dropout_forward",
        )


@points(1)
@given(case=cases(x="N C H W", options={"p": RATES}))
def test_channel_dropout_backward(student, case):
    """The gradient passes through the channels that the forward kept; after evaluation through all."""
    functions = student.channel_dropout_forward, student.channel_dropout_backward
    check_mask_in_backward(*functions, nonzero(case.x), case.p, 1 / (1 - case.p), case)
    _, cache = forward(functions[0], case.x, case.p, training=False, rng=case.rng())
    assert_close(functions[1](case.x, cache), case.x, what="grad_x after evaluation")
    _, cache = forward(functions[0], np.zeros((30, 40, 1, 1)), 0.3, training=True, rng=case.rng())
    gradient = functions[1](np.ones((30, 40, 1, 1)), cache)
    check_frequency(
        int((gradient != 0).sum()), 1200, 0.7, what="gradients that pass where x is zero"
    )


def predict(student, case, *, samples, p, inputs=None):
    values = inputs or case.inputs
    return unpack(
        student.mc_dropout_predict(*values.values(), p, samples=samples, rng=case.rng()),
        "mean",
        "std",
        what="mc_dropout_predict",
    )


@points(1)
@given(
    case=cases(
        x="N I",
        w1="1 I",
        b1="1",
        w2="O 1",
        b2="O",
        options={"p": RATES, "samples": [2, 1, 3, 7, 20]},
        kinds=("integers", "normal", "offset"),
    )
)
def test_mc_dropout_predict_one_unit(student, case):
    """With one hidden unit a pass has two outcomes: mean and population spread fit a number of kept passes."""
    mean, std = predict(student, case, samples=case.samples, p=case.p)
    x, w1, b1, w2, b2 = (np.asarray(value, dtype=np.float64) for value in case.inputs.values())
    hidden = np.maximum(x @ w1.T + b1, 0)
    step = hidden @ w2.T / (1 - case.p)
    require_array(mean, step.shape, np.dtype(case.dtype), "mean of mc_dropout_predict")
    share = np.zeros((len(x), 1))
    for row in range(len(x)):
        wide = int(np.argmax(np.abs(step[row])))
        if step[row, wide] != 0:
            count = (float(mean[row, wide]) - b2[wide]) / step[row, wide] * case.samples
            share[row] = (
                min(max(round(count), 0), case.samples) / case.samples if np.isfinite(count) else 0
            )
    scale = float(np.max(np.abs(step), initial=0.0) + np.max(np.abs(b2), initial=0.0))
    assert_close(
        mean, b2 + share * step, what="mean of mc_dropout_predict", dtype=case.dtype, scale=scale
    )
    spread = np.abs(step) * np.sqrt(share * (1 - share))
    # A spread of zero is computed as the root of a rounding error: the root of the unit is what it may be off by.
    tolerance = 1e3 if case.dtype == "float64" else 20
    assert_close(
        std,
        spread,
        what="std of mc_dropout_predict",
        dtype=case.dtype,
        scale=scale,
        tolerance=tolerance,
    )


@points(1, repeat=False)
@given(
    case=cases(
        x="N I",
        w1="K I",
        b1="K",
        w2="O K",
        b2="O",
        dims={"N": (2, 3), "K": (2, 5), "O": (1, 3)},
        options={"p": RATES[:4]},
        kinds=("normal", "offset"),
        layouts=("C",),
        dtypes=("float64",),
    )
)
def test_mc_dropout_predict_many_passes(student, case):
    """Over many passes the mean is the network without dropout, and the spread that of independent units."""
    samples = 1500
    mean, std = predict(student, case, samples=samples, p=case.p)
    x, w1, b1, w2, b2 = (torch.from_numpy(np.array(value)) for value in case.inputs.values())
    hidden = torch.relu(x @ w1.T + b1)
    terms = hidden[:, None, :] * w2[None]  # (N, O, K)
    variance = (terms**2).sum(-1) * case.p / (1 - case.p)
    exact, spread = (terms.sum(-1) + b2).numpy(), variance.sqrt().numpy()
    require_array(mean, exact.shape, exact.dtype, "mean of mc_dropout_predict")
    require_array(std, exact.shape, exact.dtype, "std of mc_dropout_predict")
    largest = terms.abs().amax(-1).numpy() / (1 - case.p)
    allowed = 8 * spread / np.sqrt(samples) + 20 * largest / samples + 1e-9
    worst = np.abs(mean - exact) - allowed
    assert_true(
        bool((worst <= 0).all()),
        f"mean of mc_dropout_predict over {samples} passes is {np.ravel(mean)[np.argmax(worst)]:.4g}, but should be about "
        f"{np.ravel(exact)[np.argmax(worst)]:.4g}, as without dropout.",
        aspect="law",
    )
    # Relative standard error of a variance of sums of K independent two-point variables: at most sqrt((kurtosis + 2) / n).
    kurtosis = max(0.0, (1 - 6 * case.p * (1 - case.p)) / (case.p * (1 - case.p)))
    slack = 8 * np.sqrt((kurtosis + 2) / samples)
    ratio = np.where(spread > 0, np.square(std) / np.where(spread > 0, spread, 1) ** 2, 1.0)
    assert_true(
        bool((np.abs(ratio - 1) <= max(slack, 0.3)).all()),
        f"std of mc_dropout_predict is off by a factor of {np.sqrt(ratio.flat[np.argmax(np.abs(ratio - 1))]):.3g}: "
        "is a mask of its own drawn for each unit, row and pass?",
        aspect="law",
    )
    rows = {
        key: (np.repeat(value[:1], 300, axis=0) if key == "x" else value)
        for key, value in case.inputs.items()
    }
    first, _ = predict(student, case, samples=3, p=case.p, inputs=rows)
    if spread[0].max() > 0:
        column = np.asarray(first)[:, int(np.argmax(spread[0]))]
        assert_true(
            len(np.unique(column.round(9))) > 1,
            "300 equal rows all get the same mean over 3 passes: each row needs a mask of its own.",
            aspect="law",
        )
    if case.plan.index is not None and case.plan.index < 4:
        check_passes_and_rows(student, case)


def check_passes_and_rows(student, case):
    """One unit, many equal rows: how often it was kept is binomial in the passes, and independent between rows."""
    rows, samples = 1200, 120
    one = np.ones((1, 1))
    inputs = {"x": np.ones((rows, 1)), "w1": one, "b1": np.zeros(1), "w2": one, "b2": np.zeros(1)}
    mean, _ = predict(student, case, samples=samples, p=0.4, inputs=inputs)
    counts = np.asarray(mean)[:, 0] * 0.6 * samples
    assert_close(counts, np.round(counts), what="number of passes that kept the unit", tolerance=10)
    ratio = float(np.var(counts) / (samples * 0.4 * 0.6))
    # The relative standard error of the ratio is sqrt(2 / rows) = 4 %.
    assert_true(
        0.65 < ratio < 1.35,
        f"The mean over {samples} passes varies {ratio:.2f} times as much between rows as it should.",
        "Is every pass a draw of its own, and are there as many as asked for?",
        aspect="law",
    )
    for lag in (1, 2, rows // 2):
        check_uncorrelated(
            counts[lag:], counts[:-lag], what=f"rows that lie {lag} apart, over the passes,"
        )
