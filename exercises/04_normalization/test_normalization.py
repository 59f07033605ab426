"""The checks of topic 04, normalization: torch's functions are the reference, in float64."""

import torch
import torch.nn.functional as F  # noqa: N812  # torch's own name for it

from grader import (
    assert_close,
    assert_raises,
    axis,
    cases,
    check_backward,
    check_forward,
    given,
    points,
    positive,
    unpack,
)

EPSILONS = [1e-5, 1e-3, 0.1, 1.0]
MOMENTA = [0.1, 0.25, 0.0, 0.6, 0.9, 1.0]
IMAGES_OR_ROWS = ["N C H W", "N C"]


def options_of(case):
    """The case's options; every fourth case leaves eps and momentum at the course's defaults."""
    if case.plan.seed % 4:
        return case.options
    return {name: value for name, value in case.options.items() if name not in ("eps", "momentum")}


def several_values(dims):
    """Training statistics need two values per channel."""
    return dims["N"] * dims.get("H", 1) * dims.get("W", 1) > 1


def batch_norm_cases(**options):
    return cases(
        x=IMAGES_OR_ROWS,
        gamma="C",
        beta="C",
        running_mean="C",
        running_var=positive("C"),
        where=options.pop("where", several_values),
        options={"eps": EPSILONS, "momentum": MOMENTA, **options},
    )


def batch_norm(x, gamma, beta, running_mean, running_var, *, training, momentum=0.1, eps=1e-5):
    """torch updates the running statistics in place; here they are returned."""
    mean, var = running_mean.detach().clone(), running_var.detach().clone()
    out = F.batch_norm(x, mean, var, gamma, beta, training=training, momentum=momentum, eps=eps)
    return out, mean, var


BATCH_NORM_RETURNS = ("out", None, "new_running_mean", "new_running_var")


@points(2)
@given(case=batch_norm_cases())
def test_batch_norm_forward_training(student, case):
    """Training normalizes each channel with the batch's own mean and biased variance."""
    check_forward(
        student.batch_norm_forward,
        reference=batch_norm,
        inputs=case.inputs,
        options={**options_of(case), "training": True},
        returns=BATCH_NORM_RETURNS,
    )


@points(1.5)
@given(case=batch_norm_cases(where=None))
def test_batch_norm_forward_eval(student, case):
    """Evaluation normalizes with the running statistics and leaves them as they are."""
    check_forward(
        student.batch_norm_forward,
        reference=batch_norm,
        inputs=case.inputs,
        options={**options_of(case), "training": False},
        returns=BATCH_NORM_RETURNS,
    )


@points(1)
@given(case=batch_norm_cases())
def test_batch_norm_forward_running_statistics(student, case):
    """Over several batches the running statistics follow torch's momentum and unbiased variance."""
    mean, var = case.running_mean, case.running_var
    expected_mean = torch.from_numpy(mean.astype("float64").copy())
    expected_var = torch.from_numpy(var.astype("float64").copy())
    largest = float(abs(case.x).max())
    for factor in (1.0, -2.0, 0.5):
        batch = (case.x * factor + factor * largest).astype(case.x.dtype)
        _, _, mean, var = unpack(
            student.batch_norm_forward(
                batch, case.gamma, case.beta, mean, var, training=True, **case.options
            ),
            "out",
            "cache",
            "new_running_mean",
            "new_running_var",
            what="batch_norm_forward",
        )
        F.batch_norm(
            torch.from_numpy(batch.astype("float64", order="C")),
            expected_mean,
            expected_var,
            training=True,
            momentum=case.momentum,
        )
    scale = (
        4.0 * largest
    )  # the largest value of a batch: means partly cancel, squares in the variance do
    for name, actual, expected, magnitude in (
        ("new_running_mean", mean, expected_mean, scale),
        ("new_running_var", var, expected_var, scale**2),
    ):
        what = f"{name} after three batches"
        assert_close(actual, expected, what=what, dtype=case.dtype, scale=magnitude)


@points(0.5)
@given(
    case=cases(
        x=["1 C", "1 C 1 1"],
        gamma="C",
        beta="C",
        running_mean="C",
        running_var=positive("C"),
        layouts=("C",),
    )
)
def test_batch_norm_forward_refuses_one_value_per_channel(student, case):
    """Training with a single value per channel raises ValueError; evaluation does not."""
    assert_raises(
        ValueError,
        student.batch_norm_forward,
        *case.inputs.values(),
        training=True,
        because="one value per channel has no variance",
    )
    check_forward(
        student.batch_norm_forward,
        reference=batch_norm,
        inputs=case.inputs,
        options={"training": False, "momentum": 0.1, "eps": 1e-5},
        returns=BATCH_NORM_RETURNS,
    )


@points(0.5)
@given(
    case=cases(
        x=["0 C", "0 C H W"], gamma="C", beta="C", running_mean="C", running_var=positive("C")
    )
)
def test_batch_norm_forward_empty_batch(student, case):
    """An empty batch gives an empty answer and leaves the running statistics unchanged."""
    for training in (True, False):
        out, _, mean, var = unpack(
            student.batch_norm_forward(*case.inputs.values(), training=training),
            "out",
            "cache",
            "new_running_mean",
            "new_running_var",
            what="batch_norm_forward",
        )
        assert_close(out, case.x, what="out of batch_norm_forward")
        assert_close(mean, case.running_mean, what="new_running_mean of an empty batch")
        assert_close(var, case.running_var, what="new_running_var of an empty batch")


@points(2)
@given(case=batch_norm_cases())
def test_batch_norm_backward_training(student, case):
    """In training the gradient flows through the batch's mean and variance."""
    check_backward(
        student.batch_norm_forward,
        student.batch_norm_backward,
        reference=batch_norm,
        inputs=case.inputs,
        options={**options_of(case), "training": True},
        constant=("running_mean", "running_var"),
        returns=("out", "cache", "new_running_mean", "new_running_var"),
    )


@points(1)
@given(case=batch_norm_cases(where=None))
def test_batch_norm_backward_eval(student, case):
    """In evaluation the running statistics are constants, and the gradient is a plain scaling."""
    check_backward(
        student.batch_norm_forward,
        student.batch_norm_backward,
        reference=batch_norm,
        inputs=case.inputs,
        options={**options_of(case), "training": False},
        constant=("running_mean", "running_var"),
        returns=("out", "cache", "new_running_mean", "new_running_var"),
    )


def layer_norm(x, gamma, beta, *, eps=1e-5):
    return F.layer_norm(x, gamma.shape, gamma, beta, eps)


@points(1.5)
@given(case=cases(x="... D", gamma="D", beta="D", empty=("A",), options={"eps": EPSILONS}))
def test_layer_norm_forward(student, case):
    """Each row is normalized over its own features, then scaled by gamma and shifted by beta."""
    check_forward(
        student.layer_norm_forward,
        reference=layer_norm,
        inputs=case.inputs,
        options=options_of(case),
        returns=("out", None),
    )


@points(2)
@given(case=cases(x="... D", gamma="D", beta="D", empty=("A",), options={"eps": EPSILONS}))
def test_layer_norm_backward(student, case):
    """The gradient of layer norm flows through the mean and the variance of each row."""
    check_backward(
        student.layer_norm_forward,
        student.layer_norm_backward,
        reference=layer_norm,
        inputs=case.inputs,
        options=options_of(case),
    )


def more_than_one_pixel(dims):
    return dims["H"] * dims["W"] > 1


def instance_norm_cases():
    return cases(
        x="N C H W", gamma="C", beta="C", where=more_than_one_pixel, options={"eps": EPSILONS}
    )


def instance_norm(x, gamma, beta, *, eps=1e-5):
    return F.instance_norm(x, weight=gamma, bias=beta, eps=eps)


@points(1)
@given(case=instance_norm_cases())
def test_instance_norm_forward(student, case):
    """Each channel of each image is normalized over its own pixels."""
    check_forward(
        student.instance_norm_forward,
        reference=instance_norm,
        inputs=case.inputs,
        options=options_of(case),
        returns=("out", None),
    )


@points(1.5)
@given(case=instance_norm_cases())
def test_instance_norm_backward(student, case):
    """The gradient of instance norm stays within an image for x, and sums over images for gamma and beta."""
    check_backward(
        student.instance_norm_forward,
        student.instance_norm_backward,
        reference=instance_norm,
        inputs=case.inputs,
        options=options_of(case),
    )


def group_norm_cases():
    return cases(
        x=["N G*K H W", "N G*K"],
        gamma="G*K",
        beta="G*K",
        dims={"G": (1, 3), "K": (1, 4)},
        where=lambda dims: dims["K"] * dims.get("H", 1) * dims.get("W", 1) > 1,
        options={"eps": EPSILONS, "num_groups": axis("G")},
    )


def group_norm(x, gamma, beta, *, num_groups, eps=1e-5):
    return F.group_norm(x, num_groups, gamma, beta, eps)


@points(1)
@given(case=group_norm_cases())
def test_group_norm_forward(student, case):
    """Each group of neighbouring channels of each sample is normalized together."""
    check_forward(
        student.group_norm_forward,
        reference=group_norm,
        inputs=case.inputs,
        options=options_of(case),
        returns=("out", None),
    )


@points(1.5)
@given(case=group_norm_cases())
def test_group_norm_backward(student, case):
    """The gradient of group norm flows through the statistics of each group."""
    check_backward(
        student.group_norm_forward,
        student.group_norm_backward,
        reference=group_norm,
        inputs=case.inputs,
        options=options_of(case),
    )


@points(0.5)
@given(case=cases(x=["N C H W", "N C"], gamma="C", beta="C", dims={"C": (2, 6)}, layouts=("C",)))
def test_group_norm_forward_refuses_uneven_groups(student, case):
    """A number of groups that does not divide the channels raises ValueError."""
    channels = case.dims["C"]
    for num_groups in range(2, channels + 2):
        if channels % num_groups:
            assert_raises(
                ValueError,
                student.group_norm_forward,
                *case.inputs.values(),
                num_groups=num_groups,
                because=f"{channels} channels in {num_groups} groups",
            )


def rms_norm(x, gamma, *, eps=1e-5):
    return F.rms_norm(x, gamma.shape, gamma, eps)


@points(1)
@given(case=cases(x="... D", gamma="D", empty=("A",), options={"eps": EPSILONS}))
def test_rms_norm_forward(student, case):
    """Each row is divided by its root mean square; no mean is subtracted."""
    check_forward(
        student.rms_norm_forward,
        reference=rms_norm,
        inputs=case.inputs,
        options=options_of(case),
        returns=("out", None),
    )


@points(1.5)
@given(case=cases(x="... D", gamma="D", empty=("A",), options={"eps": EPSILONS}))
def test_rms_norm_backward(student, case):
    """The gradient of RMS norm flows through the root mean square."""
    check_backward(
        student.rms_norm_forward,
        student.rms_norm_backward,
        reference=rms_norm,
        inputs=case.inputs,
        options=options_of(case),
    )
