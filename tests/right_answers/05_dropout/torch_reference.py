"""torch's own dropout, seeded from rng; autograd for the backward."""

import numpy as np
import torch
import torch.nn.functional as F


def seeded(rng):
    torch.manual_seed(int(rng.integers(2**63 - 1)))


def forward(function, x, rng):
    seeded(rng)
    leaf = torch.from_numpy(np.array(x, order="C")).requires_grad_()
    out = function(leaf)
    return out.detach().numpy().copy(), (leaf, out)


def backward(grad_out, cache):
    leaf, out = cache
    grad = torch.from_numpy(np.array(grad_out, order="C"))
    return torch.autograd.grad(out, leaf, grad, retain_graph=True)[0].numpy().copy()


def refuse(p):
    if p < 0 or p > 1:
        raise ValueError(f"dropout probability p has to be between 0 and 1, but got {p}")


def dropout_forward(x, p, *, training, rng):
    refuse(p)
    return forward(lambda t: F.dropout(t * 1, p, training), x, rng)


def classic_dropout_forward(x, keep_prob, *, training, rng):
    if keep_prob <= 0 or keep_prob > 1:
        raise ValueError("keep_prob")
    if training:
        return forward(lambda t: t * torch.bernoulli(torch.full_like(t, keep_prob)), x, rng)
    return forward(lambda t: keep_prob * t, x, rng)


def channel_dropout_forward(x, p, *, training, rng):
    return forward(lambda t: F.dropout2d(t * 1, p, training), x, rng)


dropout_backward = classic_dropout_backward = channel_dropout_backward = backward


def mc_dropout_predict(x, w1, b1, w2, b2, p, *, samples, rng):
    seeded(rng)
    x, w1, b1, w2, b2 = (torch.from_numpy(np.array(a, order="C")) for a in (x, w1, b1, w2, b2))
    hidden = torch.relu(F.linear(x, w1, b1))
    passes = torch.stack([F.linear(F.dropout(hidden, p), w2, b2) for _ in range(samples)])
    return passes.mean(0).numpy(), passes.std(0, correction=0).numpy()
