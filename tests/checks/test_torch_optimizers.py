"""Torch's optimizers are loaded ahead."""

import subprocess
import sys


def test_the_first_optimizer_of_a_check_loads_nothing_more():
    """Building and stepping each kind after `load_optimizers` imports no part of torch's compiler."""
    code = """
import sys, torch
from grader import load_optimizers
load_optimizers()
before = set(sys.modules)
tensor = torch.zeros(1, requires_grad=True)
tensor.grad = torch.ones(1)
for kind in ("SGD", "RMSprop", "Adam", "AdamW"):
    getattr(torch.optim, kind)([tensor], lr=0.1).step()
print(*(name for name in set(sys.modules) - before if name.startswith("torch._dynamo")))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.split() == []
