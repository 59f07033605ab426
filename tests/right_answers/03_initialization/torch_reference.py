"""torch.nn.init itself, seeded from rng; autograd for the gap."""

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  # torch's own name for it
from torch.nn import init


def filled(function, shape, rng, *args, **options):
    generator = torch.Generator().manual_seed(int(rng.integers(2**63 - 1)))
    tensor = torch.empty(shape, dtype=torch.float64)
    function(tensor, *args, generator=generator, **options)
    return tensor.numpy()


def fan_in_and_fan_out(shape):
    return init._calculate_fan_in_and_fan_out(torch.empty(shape))


def gain(nonlinearity, param=None):
    return init.calculate_gain(nonlinearity, param)


def xavier_uniform(shape, rng, *, gain=1.0):
    return filled(init.xavier_uniform_, shape, rng, gain)


def xavier_normal(shape, rng, *, gain=1.0):
    return filled(init.xavier_normal_, shape, rng, gain)


def kaiming_uniform(shape, rng, *, a=0.0, mode="fan_in", nonlinearity="leaky_relu"):
    return filled(init.kaiming_uniform_, shape, rng, a, mode, nonlinearity)


def kaiming_normal(shape, rng, *, a=0.0, mode="fan_in", nonlinearity="leaky_relu"):
    return filled(init.kaiming_normal_, shape, rng, a, mode, nonlinearity)


def orthogonal(shape, rng, *, gain=1.0):
    return filled(init.orthogonal_, shape, rng, gain)


def truncated_normal(shape, rng, *, mean=0.0, std=1.0, low=-2.0, high=2.0):
    return filled(init.trunc_normal_, shape, rng, mean, std, low, high)


def tensors(arrays):
    return [torch.from_numpy(np.array(array, order="C")) for array in arrays]


def activation_scales(x, weights, *, activation):
    function = {"identity": lambda z: z}.get(activation) or getattr(torch, activation)
    layers = tensors([x])
    for weight in tensors(weights):
        layers.append(function(F.linear(layers[-1], weight)))
    return torch.stack([layer.pow(2).mean().sqrt() for layer in layers]).numpy()


def symmetry_gap(x, target, w1, w2):
    x, target, w1, w2 = tensors([x, target, w1, w2])
    w1.requires_grad_()
    F.mse_loss(F.linear(torch.tanh(F.linear(x, w1)), w2), target).backward()
    return torch.max(torch.abs(w1.grad.unsqueeze(0) - w1.grad.unsqueeze(1))).item()
