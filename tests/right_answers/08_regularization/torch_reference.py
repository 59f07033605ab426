"""torch's own autograd, softshrink and SGD, with numpy at both ends; early stopping as it is usually written."""

import copy
import math

import numpy as np
import torch
import torch.nn.functional as F


def _tensor(array):
    return torch.from_numpy(np.array(array))


def _penalty(params, strength, size):
    leaves = [_tensor(param).requires_grad_() for param in params]
    value = strength * sum(size(leaf) for leaf in leaves)
    value.backward()
    return value.item(), [leaf.grad.numpy() for leaf in leaves]


def l2_penalty(params, strength):
    return _penalty(params, strength, lambda leaf: leaf.pow(2).sum() / 2)


def l1_penalty(params, strength):
    return _penalty(params, strength, lambda leaf: leaf.abs().sum())


def soft_threshold(x, threshold):
    if threshold < 0:
        raise ValueError(f"threshold is {threshold}")
    return F.softshrink(_tensor(x), threshold).numpy()


def decayed_sgd_step(param, grad, *, lr, weight_decay):
    tensor = torch.nn.Parameter(_tensor(param))
    tensor.grad = _tensor(grad)
    torch.optim.SGD([tensor], lr=lr, weight_decay=weight_decay).step()
    return tensor.detach().numpy()


class EarlyStopping:
    def __init__(self, *, patience, min_delta=0.0):
        if patience < 1:
            raise ValueError("patience must be positive")
        self.patience, self.min_delta = patience, min_delta
        self.best_loss, self.best_params, self.best_step = math.inf, None, None
        self.now = -1

    def step(self, val_loss, params):
        self.now += 1
        if val_loss < self.best_loss - self.min_delta:
            self.best_loss, self.best_step = val_loss, self.now
            self.best_params = copy.deepcopy(params)
        last = -1 if self.best_step is None else self.best_step
        return self.now - last >= self.patience
