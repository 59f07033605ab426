"""The pictures of topic 07, drawn by the student's own functions: `grader figures 07`."""

import numpy as np

from grader.figures import BLACK, BLUE, GREEN, ORANGE, PURPLE, VERMILION, figure

STEPS = 100


@figure(
    "All schedules",
    caption="The learning rate at each of 100 steps, all with a base (one cycle: a peak) of 0.1. Left: it only falls, in "
    "stairs, by a factor or along a curve; the plateau schedule waits for a loss that stops falling at step 40. Right: "
    "it rises first, while the network is still far from sensible gradients, or starts anew to leave a narrow minimum.",
    size=(9.5, 5.4),
)
def all_schedules(fig, student):
    """Ten ways to change the learning rate."""
    steps = range(STEPS)
    base, total = {"base_lr": 0.1}, {"total_steps": STEPS}

    def rates(schedule, **options):
        return [float(schedule(step, **options)) for step in steps]

    plateau = student.ReduceOnPlateau(0.1, factor=0.4, patience=9)
    losses = np.maximum(1.0 - np.arange(STEPS) / 40, 0.0) + 0.2
    falling = (
        ("step decay", rates(student.step_decay, **base, step_size=30, gamma=0.5), BLUE, "-"),
        (
            "multistep decay",
            rates(student.multistep_decay, **base, milestones=[20, 60, 85], gamma=0.3),
            ORANGE,
            "--",
        ),
        ("exponential decay", rates(student.exponential_decay, **base, gamma=0.96), GREEN, "-."),
        (
            "polynomial decay, power 2",
            rates(student.polynomial_decay, **base, **total, power=2.0),
            PURPLE,
            "-",
        ),
        ("cosine annealing", rates(student.cosine_annealing, **base, **total), VERMILION, "--"),
        ("reduce on plateau", [float(plateau.step(float(loss))) for loss in losses], BLACK, ":"),
    )
    rising = (
        ("linear warmup", rates(student.linear_warmup, **base, warmup_steps=15), BLUE, "-"),
        (
            "cosine warm restarts",
            rates(student.cosine_warm_restarts, **base, period=14, period_mult=2),
            ORANGE,
            "--",
        ),
        (
            "warmup, then cosine",
            rates(student.warmup_cosine, **base, **total, warmup_steps=15),
            GREEN,
            "-.",
        ),
        ("one cycle", rates(student.one_cycle, max_lr=0.1, **total), VERMILION, ":"),
    )
    axes = fig.subplots(1, 2, sharey=True)
    for ax, schedules in zip(axes, (falling, rising), strict=True):
        for name, values, colour, line in schedules:
            stairs = "steps-post" if len(set(values)) < 10 else "default"
            ax.plot(steps, values, linestyle=line, color=colour, drawstyle=stairs, label=name)
        ax.set(xlabel="step", ylabel="learning rate", ylim=(0, 0.105))
        ax.label_outer()
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.15), ncols=2)
    axes[0].set(title="falling")
    axes[1].set(title="rising first, or again")
