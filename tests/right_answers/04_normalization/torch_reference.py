"""torch's own functions, numpy in and numpy out; autograd for the backward."""

import numpy as np
import torch
import torch.nn.functional as F


def tensor(value):
    return torch.from_numpy(np.array(value, dtype=np.float64, order="C"))


def run(function, arrays):
    tensors = [tensor(array).requires_grad_() for array in arrays]
    return tensors, function(*tensors)


def back(grad_out, cache):
    tensors, out, dtype = cache
    grads = torch.autograd.grad(out, tensors, tensor(grad_out), retain_graph=True)
    return tuple(grad.numpy().astype(dtype) for grad in grads)


def forward(function, arrays):
    tensors, out = run(function, arrays)
    dtype = arrays[0].dtype
    return out.detach().numpy().astype(dtype), (tensors, out, dtype)


def batch_norm_forward(
    x, gamma, beta, running_mean, running_var, *, training, momentum=0.1, eps=1e-5
):
    mean, var = tensor(running_mean), tensor(running_var)
    if training and x.size == 0:
        return (
            np.array(x),
            forward(lambda x, g, b: x * g.sum() * b.sum(), (x, gamma, beta))[1],
            running_mean,
            running_var,
        )
    out, cache = forward(
        lambda x, gamma, beta: F.batch_norm(
            x, mean, var, gamma, beta, training=training, momentum=momentum, eps=eps
        ),
        (x, gamma, beta),
    )
    return out, cache, mean.numpy().astype(x.dtype), var.numpy().astype(x.dtype)


def layer_norm_forward(x, gamma, beta, *, eps=1e-5):
    return forward(lambda x, g, b: F.layer_norm(x, x.shape[-1:], g, b, eps), (x, gamma, beta))


def instance_norm_forward(x, gamma, beta, *, eps=1e-5):
    return forward(lambda x, g, b: F.instance_norm(x, weight=g, bias=b, eps=eps), (x, gamma, beta))


def group_norm_forward(x, gamma, beta, *, num_groups, eps=1e-5):
    if x.shape[1] % num_groups:
        raise ValueError("num_groups must divide the channels")
    return forward(lambda x, g, b: F.group_norm(x, num_groups, g, b, eps), (x, gamma, beta))


def rms_norm_forward(x, gamma, *, eps=1e-5):
    return forward(lambda x, g: F.rms_norm(x, x.shape[-1:], g, eps), (x, gamma))


batch_norm_backward = layer_norm_backward = instance_norm_backward = back
group_norm_backward = rms_norm_backward = back
