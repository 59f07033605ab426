"""Torch's optimizers, loaded ahead of the checks that use them."""


def load_optimizers() -> None:
    """Loads what torch loads with a program's first optimizer: its compiler, seconds on a busy machine.

    A checks file that builds optimizers calls it once, at the top, so that no check's time limit pays for it.

    >>> load_optimizers()
    """
    import torch

    torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
