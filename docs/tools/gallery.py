"""Writes docs/explanation/gallery.md: what failures look like, by running wrong answers.

python docs/tools/gallery.py          # all of them, a minute or two
"""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from terminal import ROOT, Terminal, students_copy

from grader.content.text_rules import wrong_answer
from grader.course import load_course
from grader.diagnosis.misconceptions import load_misconceptions

PAGE = ROOT / "docs" / "explanation" / "gallery.md"
INTRODUCTION = """# Gallery: what failures look like

Each of these is the output of a wrong answer that was really run, on a terminal of 80 columns. The page is written by
`docs/tools/gallery.py`, and a test compares some of its entries with what the checks say today.

A failure begins with the check's sentence. Then comes one line that says what is wrong; yours beside the expected; the error
beside the allowed one; the smallest case that was found. Where more is known (where the fault lies, where it begins, by which
factor, which known mistake it is) it is said, and otherwise not.
"""


class Entry(NamedTuple):
    """A wrong answer and the check that shows it.

    Attributes:
        heading: what is wrong, in a few words.
        told: a sentence or two to the reader of the page.
        topic: the folder's name.
        check: the check's name.
        answer: the id of a misconception of the topic's bank, or a file's whole text.
    """

    heading: str
    told: str
    topic: str
    check: str
    answer: str


ENTRIES = (
    Entry(
        "A wrong value, and the mistake is known",
        "eps was added to the standard deviation instead of the variance. The difference is in the third "
        "digit, and only where the variance "
        "is small; the diagnosis ran the answer on its recorded examples and recognized it.",
        "04_normalization",
        "test_layer_norm_forward",
        "eps-outside-the-root",
    ),
    Entry(
        "The forward pass is right, the gradient is not",
        "The gradient ignores that the mean depends on every x. Finite differences of the student's own "
        "forward pass agree with autograd, so "
        "the message can say which of the two functions to look at.",
        "04_normalization",
        "test_layer_norm_backward",
        "gradient-stops-at-the-mean",
    ),
    Entry(
        "Off by a factor",
        "The loss is a mean over all elements; here it is one over the batch. Across all examples the factor "
        "is the same, so it is named.",
        "01_gradient_flow",
        "test_mse_loss",
        "mse-mean-over-batch-only",
    ),
    Entry(
        "A wrong shape",
        "A sum with keepdims leaves an axis behind.",
        "01_gradient_flow",
        "test_linear_backward",
        "grad-bias-keepdims",
    ),
    Entry(
        "Right, but in another dtype",
        "A float64 buffer takes in float32 data. In a training loop this doubles the memory without a word.",
        "02_residual",
        "test_conv2d_forward",
        "conv-float64-buffer",
    ),
    Entry(
        "An argument is modified",
        "The skip connection was added with += into an array that belongs to the caller.",
        "02_residual",
        "test_residual_forward",
        "residual-adds-in-place",
    ),
    Entry(
        "A random answer of another scale",
        "Kaiming's standard deviation without its gain. No single draw is wrong; the law of many is.",
        "03_initialization",
        "test_kaiming_normal",
        "kaiming-normal-gain-forgotten",
    ),
    Entry(
        "Randomness from the wrong source",
        "The function draws from numpy's global state and not from the generator that it is given: nobody "
        "can repeat an experiment with it.",
        "05_dropout",
        "test_dropout_forward_draws_from_rng",
        "global-random-state",
    ),
    Entry(
        "Right at first, then not",
        "The maximum that gives AMSGrad its name is forgotten between steps. The whole trajectory is "
        "compared, and the step is named at which "
        "it leaves the right one.",
        "06_optimizers",
        "test_adam_step_amsgrad",
        "amsgrad-forgets-maximum",
    ),
    Entry(
        "An error that should have been raised",
        "A negative threshold means nothing, and the function promised to refuse it.",
        "08_regularization",
        "test_soft_threshold_refuses_negative_thresholds",
        "soft-threshold-negative-as-positive",
    ),
    Entry(
        "The code raises",
        "The traceback shows the student's own lines and none of the engine's.",
        "08_regularization",
        "test_soft_threshold",
        "import numpy as np\n\n\ndef soft_threshold(x, threshold):\n    size = np.linalg.norm(x, axis=1)\n"
        "    return np.sign(x) * np.maximum(size - threshold, 0)\n",
    ),
    Entry(
        "Not written yet",
        "This is no failure to read about, and pytest counts it apart.",
        "08_regularization",
        "test_soft_threshold",
        "",
    ),
    Entry(
        "An endless loop",
        "A call has a limit of its own, and so has a check; the other checks run on.",
        "08_regularization",
        "test_decayed_sgd_step",
        "def decayed_sgd_step(param, grad, *, lr, weight_decay):\n    while lr > 0:\n        pass\n    return param\n",
    ),
    Entry(
        "Not Python",
        "One line, with the place.",
        "08_regularization",
        "test_l2_penalty",
        "def l2_penalty(params, strength)\n    return 0.5 * strength * sum((p**2).sum() for p in params)\n",
    ),
)


def page(entries: tuple[Entry, ...] = ENTRIES) -> str:
    """The page's text."""
    with Terminal() as terminal:
        sections = [text for entry in entries for text in _section(entry, terminal)]
    return "\n".join([INTRODUCTION, *sections])


def _section(entry: Entry, terminal: Terminal) -> Iterator[str]:
    yield f"## {entry.heading}\n"
    yield f"{entry.told}\n"
    yield block(entry, terminal)


def block(entry: Entry, terminal: Terminal) -> str:
    """The command and what it prints, as a fenced block."""
    module = entry.topic[3:]
    command = f"pytest exercises/{entry.topic}/test_{module}.py::{entry.check}"
    with tempfile.TemporaryDirectory() as name:
        folder = students_copy(Path(name), entry.topic)
        if entry.answer:
            (folder / "exercises" / entry.topic / f"{module}.py").write_text(answer_of(entry))
        lines = terminal.shows(command, folder).splitlines()
    first = next(n for n, line in enumerate(lines) if _is_first(line))
    return "\n".join([f"```console\n$ {command}", "...", *lines[first:], "```\n"])


def _is_first(line: str) -> bool:
    """Whether a line is the first to show; what stands above tells of the machine."""
    return "= FAILURES =" in line or " m   " in line


def answer_of(entry: Entry) -> str:
    """The wrong answer's text."""
    if "\n" in entry.answer:
        return entry.answer
    topic = load_course(ROOT).topic(entry.topic)
    bank = {one.id: one for one in load_misconceptions(topic.misconceptions)}
    return wrong_answer(bank[entry.answer], topic).decode()


if __name__ == "__main__":
    text = page()
    PAGE.write_text(text)
    print(f"wrote {PAGE.relative_to(ROOT)}")
    sys.exit(0)
