"""torch.optim itself, with numpy at both ends; the optimizer's state_dict is the state."""

import copy

import numpy as np
import torch


def _step(rule, param, grad, state, lr, **options):
    tensor = torch.nn.Parameter(torch.from_numpy(np.array(param)))
    optimizer = rule([tensor], lr=lr, **options)
    if state:
        optimizer.load_state_dict(copy.deepcopy(state["torch"]))
        optimizer.param_groups[0]["lr"] = lr
    tensor.grad = torch.from_numpy(np.array(grad))
    optimizer.step()
    return tensor.detach().numpy().copy(), {"torch": copy.deepcopy(optimizer.state_dict())}


def sgd_step(param, grad, state, *, lr, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False, maximize=False):  # fmt: skip  # noqa: E501
    return _step(
        torch.optim.SGD, param, grad, state, lr, momentum=momentum, dampening=dampening,
        weight_decay=weight_decay, nesterov=nesterov, maximize=maximize,
    )  # fmt: skip


def rmsprop_step(param, grad, state, *, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0.0, momentum=0.0, centered=False):  # fmt: skip  # noqa: E501
    return _step(
        torch.optim.RMSprop, param, grad, state, lr, alpha=alpha, eps=eps,
        weight_decay=weight_decay, momentum=momentum, centered=centered,
    )  # fmt: skip


def adam_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, amsgrad=False, maximize=False):  # fmt: skip  # noqa: E501
    return _step(
        torch.optim.Adam, param, grad, state, lr, betas=betas, eps=eps,
        weight_decay=weight_decay, amsgrad=amsgrad, maximize=maximize,
    )  # fmt: skip


def adamw_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2, amsgrad=False, maximize=False):  # fmt: skip  # noqa: E501
    return _step(
        torch.optim.AdamW, param, grad, state, lr, betas=betas, eps=eps,
        weight_decay=weight_decay, amsgrad=amsgrad, maximize=maximize,
    )  # fmt: skip


def clip_gradient_norm(grads, max_norm):
    tensors = [torch.nn.Parameter(torch.from_numpy(np.array(grad))) for grad in grads]
    for tensor in tensors:
        tensor.grad = tensor.detach().clone()
    norm = torch.nn.utils.clip_grad_norm_(tensors, max_norm)
    return [tensor.grad.numpy() for tensor in tensors], float(norm)
