"""A nested dict as the state, made whole at the first step; in-place arithmetic on copies of its own."""

import copy

import numpy as np


def _demand(condition, message):
    if not condition:
        raise ValueError(message)


def _opened(state, param):
    if not state:
        buffers = {name: np.zeros_like(param) for name in ("first", "second", "third")}
        return {"info": {"steps": 0}, "buffers": buffers}
    return copy.deepcopy(state)


def _keep(buffers, name, value):
    buffers[name] = np.asarray(value)


def sgd_step(param, grad, state, *, lr, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False, maximize=False):  # fmt: skip  # noqa: E501
    _demand(lr >= 0, f"lr {lr} is negative")
    _demand(weight_decay >= 0, f"weight_decay {weight_decay} is negative")
    _demand(
        not nesterov or (momentum > 0 and dampening == 0),
        "nesterov: momentum or dampening is unfit",
    )
    state = _opened(state, param)
    state["info"]["steps"] += 1
    change = np.array(grad)
    if maximize:
        change *= -1
    change += weight_decay * param
    velocity = state["buffers"]["first"]
    velocity *= momentum
    velocity += change * (1.0 if state["info"]["steps"] == 1 else 1.0 - dampening)
    if momentum == 0:
        velocity = change
    elif nesterov:
        velocity = change + momentum * velocity
    return param - lr * velocity, state


def rmsprop_step(param, grad, state, *, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0.0, momentum=0.0, centered=False):  # fmt: skip  # noqa: E501
    _demand(lr >= 0, f"lr {lr} is negative")
    _demand(eps >= 0, f"eps {eps} is negative")
    _demand(weight_decay >= 0, f"weight_decay {weight_decay} is negative")
    state = _opened(state, param)
    buffers = state["buffers"]
    grad = grad + weight_decay * param
    _keep(buffers, "second", alpha * buffers["second"] + (1 - alpha) * np.square(grad))
    root = buffers["second"]
    if centered:
        _keep(buffers, "first", buffers["first"] + (1 - alpha) * (grad - buffers["first"]))
        root = root - np.square(buffers["first"])
    step = grad / (np.sqrt(root) + eps)
    if momentum:
        _keep(buffers, "third", momentum * buffers["third"] + step)
        step = buffers["third"]
    return param - lr * step, state


def _adam(param, grad, state, lr, betas, eps, amsgrad):
    state = _opened(state, param)
    buffers, steps = state["buffers"], state["info"]["steps"] + 1
    state["info"]["steps"] = steps
    for name, beta, value in (("first", betas[0], grad), ("second", betas[1], grad * grad)):
        _keep(buffers, name, beta * buffers[name] + (1 - beta) * value)
    second = buffers["second"]
    if amsgrad:
        _keep(buffers, "third", np.maximum(buffers["third"], second))
        second = buffers["third"]
    upper = buffers["first"] / (1 - betas[0] ** steps)
    lower = np.sqrt(second / (1 - betas[1] ** steps)) + eps
    return param - lr * upper / lower, state


def _demand_adam(lr, betas, eps, weight_decay):
    for name, value in (("lr", lr), ("eps", eps), ("weight_decay", weight_decay)):
        _demand(value >= 0, f"{name} {value} is negative")
    for number, beta in enumerate(betas):
        _demand(0 <= beta < 1, f"betas[{number}] = {beta} is outside [0, 1)")


def adam_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, amsgrad=False, maximize=False):  # fmt: skip  # noqa: E501
    _demand_adam(lr, betas, eps, weight_decay)
    grad = (-1 if maximize else 1) * grad + weight_decay * param
    return _adam(param, grad, state, lr, betas, eps, amsgrad)


def adamw_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2, amsgrad=False, maximize=False):  # fmt: skip  # noqa: E501
    _demand_adam(lr, betas, eps, weight_decay)
    grad = -grad if maximize else grad
    return _adam(param - lr * weight_decay * param, grad, state, lr, betas, eps, amsgrad)


def clip_gradient_norm(grads, max_norm):
    flat = np.concatenate([np.ravel(grad) for grad in grads])
    total = np.linalg.norm(flat)
    factor = np.minimum(1.0, max_norm / (total + 1e-6))
    return tuple((grad * factor).astype(grad.dtype) for grad in grads), total
