"""Everything in float64 inside and cast back at the end; the state is a frozen dataclass inside the dict."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np


@dataclass(frozen=True)
class _Memory:
    steps: int = 0
    mean: Any = 0.0
    square: Any = 0.0
    largest: Any = 0.0
    velocity: Any = 0.0


def _wide(*arrays):
    return [np.array(array, dtype=np.float64) for array in arrays]


def _narrow(value, param):
    return np.asfortranarray(np.asarray(value, dtype=param.dtype)).reshape(np.shape(param))


def _require(options, betas=()):
    for name in ("lr", "eps", "weight_decay"):
        if options.get(name, 0) < 0:
            raise ValueError(f"{name} < 0")
    if betas and (min(betas) < 0 or max(betas) >= 1):
        raise ValueError("betas outside [0, 1)")


def sgd_step(param, grad, state, *, lr, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False, maximize=False):  # fmt: skip  # noqa: E501
    _require({"lr": lr, "weight_decay": weight_decay})
    if nesterov and (momentum <= 0 or dampening):
        raise ValueError("nesterov with this momentum or dampening")
    memory = state.get("memory", _Memory())
    theta, slope = _wide(param, grad)
    slope = np.negative(slope) if maximize else slope
    slope = slope + weight_decay * theta
    share = 1.0 if memory.steps == 0 else 1.0 - dampening
    velocity = momentum * memory.velocity + share * slope
    if nesterov:
        theta = theta - lr * slope - lr * momentum * velocity
    else:
        theta = theta - lr * (velocity if momentum else slope)
    memory = replace(memory, steps=memory.steps + 1, velocity=velocity)
    return _narrow(theta, param), {"memory": memory}


def rmsprop_step(param, grad, state, *, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0.0, momentum=0.0, centered=False):  # fmt: skip  # noqa: E501
    _require({"lr": lr, "eps": eps, "weight_decay": weight_decay})
    memory = state.get("memory", _Memory())
    theta, slope = _wide(param, grad)
    slope = slope + weight_decay * theta
    square = alpha * memory.square + (1 - alpha) * slope**2
    mean = alpha * memory.mean + (1 - alpha) * slope
    spread = np.maximum(square - mean**2, 0.0) if centered else square
    velocity = momentum * memory.velocity + slope / (np.sqrt(spread) + eps)
    memory = _Memory(memory.steps + 1, mean, square, 0.0, velocity)
    return _narrow(theta - lr * velocity, param), {"memory": memory}


def _direction(slope, memory, betas, eps, amsgrad):
    steps = memory.steps + 1
    mean = betas[0] * memory.mean + (1 - betas[0]) * slope
    square = betas[1] * memory.square + (1 - betas[1]) * slope**2
    largest = np.maximum(memory.largest, square)
    root = np.sqrt(largest if amsgrad else square) / np.sqrt(1 - betas[1] ** steps)
    direction = mean / ((1 - betas[0] ** steps) * (root + eps))
    return direction, _Memory(steps, mean, square, largest)


def adam_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, amsgrad=False, maximize=False):  # fmt: skip  # noqa: E501
    _require({"lr": lr, "eps": eps, "weight_decay": weight_decay}, betas)
    theta, slope = _wide(param, grad)
    slope = (-slope if maximize else slope) + weight_decay * theta
    direction, memory = _direction(slope, state.get("memory", _Memory()), betas, eps, amsgrad)
    return _narrow(theta - lr * direction, param), {"memory": memory}


def adamw_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2, amsgrad=False, maximize=False):  # fmt: skip  # noqa: E501
    _require({"lr": lr, "eps": eps, "weight_decay": weight_decay}, betas)
    theta, slope = _wide(param, grad)
    slope = -slope if maximize else slope
    direction, memory = _direction(slope, state.get("memory", _Memory()), betas, eps, amsgrad)
    return _narrow(theta - lr * (direction + weight_decay * theta), param), {"memory": memory}


def clip_gradient_norm(grads, max_norm):
    wide = _wide(*grads)
    total = np.sqrt(sum((array**2).sum() for array in wide))
    factor = np.clip(max_norm / (total + 1e-6), None, 1.0)
    return [
        (factor * array).astype(grad.dtype) for array, grad in zip(wide, grads, strict=True)
    ], total
