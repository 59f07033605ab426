"""The pictures of topic 04, drawn by the student's own functions: `grader figures 04`."""

import numpy as np

from grader.figures import BLUE, ORANGE, VERMILION, figure

SAMPLES, CHANNELS, HEIGHT, WIDTH = 3, 4, 2, 2
PIXELS = HEIGHT * WIDTH


def normalizations(student):
    """Each normalization as a function of images alone."""

    def units(x):
        return np.ones(x.shape[1]), np.zeros(x.shape[1])

    def batch_norm(x):
        ones, zeros = units(x)
        return student.batch_norm_forward(x, ones, zeros, zeros, ones, training=True)[0]

    def layer_norm(x):
        flat = x.reshape(len(x), -1)
        return student.layer_norm_forward(flat, *units(flat))[0].reshape(x.shape)

    def instance_norm(x):
        return student.instance_norm_forward(x, *units(x))[0]

    def group_norm(x):
        return student.group_norm_forward(x, *units(x), num_groups=2)[0]

    return {
        "batch norm": batch_norm,
        "layer norm": layer_norm,
        "instance norm": instance_norm,
        "group norm (2 groups)": group_norm,
    }


@figure(
    "What each normalization averages over",
    caption="A batch of 3 samples with 4 channels of 2 x 2 pixels. One value (orange) was changed, and every output that "
    "changed with it is blue: those values share a mean and a variance. Batch norm takes one channel of all samples, layer "
    "norm one sample, instance norm one channel of one sample, group norm some channels of one sample. Only in batch norm "
    "does the answer to one sample depend on the others.",
    size=(10.0, 4.2),
)
def what_each_averages_over(fig, student):
    """The cubes, found by changing one input of the student's function."""
    x = np.random.default_rng(0).standard_normal((SAMPLES, CHANNELS, HEIGHT, WIDTH))
    moved = x.copy()
    moved[0, -1, -1, -1] += 1.0
    axes = fig.subplots(1, 4, subplot_kw={"projection": "3d"})
    for ax, (name, normalize) in zip(axes, normalizations(student).items(), strict=True):
        touched = np.abs(normalize(moved) - normalize(x)) > 1e-9
        cells = touched.reshape(SAMPLES, CHANNELS, PIXELS).transpose(1, 0, 2)
        colours = np.where(cells, BLUE, "#ECECEC").astype(object)
        colours[-1, 0, -1] = ORANGE
        ax.voxels(np.ones_like(cells), facecolors=colours, edgecolor="#606060", lw=0.6, shade=False)
        ax.view_init(elev=24, azim=-52)
        ax.set_box_aspect((CHANNELS, SAMPLES, PIXELS), zoom=1.02)
        ax.set(xticks=(), yticks=(), zticks=(), title=name)
        ax.set_xlabel("channel", labelpad=-12)
        ax.set_ylabel("sample", labelpad=-12)
        ax.set_zlabel("pixel", labelpad=-14)


@figure(
    "Activations before and after each normalization",
    caption="Four channels on scales of their own (left; note its axis). Each box holds the middle half of a channel's values "
    "over all samples and pixels, the line is the median. Batch and instance norm put all channels on one scale. Layer norm "
    "and group norm divide several channels by one number, so that among these the larger ones stay larger.",
    size=(10.0, 4.6),
)
def before_and_after(fig, student):
    """Boxes per channel."""
    rng = np.random.default_rng(1)
    means = np.array([-4.0, 0.0, 3.0, 8.0]).reshape(1, -1, 1, 1)
    scales = np.array([0.5, 1.0, 2.0, 4.0]).reshape(1, -1, 1, 1)
    x = means + scales * rng.standard_normal((16, CHANNELS, 4, 4))
    panels = {"before": x}
    panels |= {name: normalize(x) for name, normalize in normalizations(student).items()}
    axes = fig.subplots(1, len(panels))
    for ax, (name, values) in zip(axes, panels.items(), strict=True):
        box = ax.boxplot(
            [np.ravel(values[:, channel]) for channel in range(CHANNELS)],
            patch_artist=True,
            showfliers=False,
            widths=0.6,
            medianprops={"color": "black"},
        )
        for patch in box["boxes"]:
            patch.set_facecolor(VERMILION if name == "before" else BLUE)
            patch.set_alpha(0.6)
        ax.set(title=name, xlabel="channel")
        if name != "before":
            ax.set_ylim(-4, 4)
    axes[0].set_ylabel("activation")
    axes[1].set_ylabel("normalized activation")
