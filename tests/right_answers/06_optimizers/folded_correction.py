"""The bias corrections folded into the step size and the root, as torch's own loop does; keys as in torch."""

import math

import numpy as np


def _validate(**values):
    bad = [name for name, value in values.items() if value < 0]
    if bad:
        raise ValueError(f"invalid {' and '.join(bad)}")


def sgd_step(param, grad, state, *, lr, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False, maximize=False):  # fmt: skip  # noqa: E501
    _validate(lr=lr, weight_decay=weight_decay)
    if nesterov and (momentum == 0 or dampening != 0):
        raise ValueError("nesterov requires a momentum and zero dampening")
    if maximize:
        grad = -grad
    if weight_decay != 0:
        grad = grad + weight_decay * param
    buffer = None
    if momentum != 0:
        buffer = state.get("momentum_buffer")
        buffer = grad if buffer is None else momentum * buffer + (1 - dampening) * grad
        grad = grad + momentum * buffer if nesterov else buffer
    return param - lr * grad, {"momentum_buffer": buffer}


def rmsprop_step(param, grad, state, *, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0.0, momentum=0.0, centered=False):  # fmt: skip  # noqa: E501
    _validate(lr=lr, eps=eps, weight_decay=weight_decay)
    if weight_decay != 0:
        grad = grad + weight_decay * param
    new = {"square_avg": state.get("square_avg", 0 * param) * alpha + (1 - alpha) * grad * grad}
    average = new["square_avg"]
    if centered:
        new["grad_avg"] = state.get("grad_avg", 0 * param) * alpha + (1 - alpha) * grad
        average = average - new["grad_avg"] ** 2
    average = np.sqrt(average) + eps
    if momentum == 0:
        return param - lr * (grad / average), new
    new["momentum_buffer"] = momentum * state.get("momentum_buffer", 0 * param) + grad / average
    return param - lr * new["momentum_buffer"], new


def _adam(param, grad, state, lr, betas, eps, amsgrad):
    beta1, beta2 = betas
    if not 0 <= beta1 < 1 or not 0 <= beta2 < 1:
        raise ValueError("invalid betas")
    step = state.get("step", 0) + 1
    exp_avg = state.get("exp_avg", 0 * param)
    exp_avg = exp_avg + (1 - beta1) * (grad - exp_avg)
    exp_avg_sq = beta2 * state.get("exp_avg_sq", 0 * param) + (1 - beta2) * grad * grad
    new = {"step": step, "exp_avg": exp_avg, "exp_avg_sq": exp_avg_sq}
    if amsgrad:
        new["max_exp_avg_sq"] = np.maximum(state.get("max_exp_avg_sq", 0 * param), exp_avg_sq)
    step_size = lr / (1 - beta1**step)
    bias_root = math.sqrt(1 - beta2**step)
    root = np.sqrt(new.get("max_exp_avg_sq", exp_avg_sq))
    return param - step_size * exp_avg / (root / bias_root + eps), new


def adam_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, amsgrad=False, maximize=False):  # fmt: skip  # noqa: E501
    _validate(lr=lr, eps=eps, weight_decay=weight_decay)
    grad = weight_decay * param - grad if maximize else grad + weight_decay * param
    return _adam(param, grad, state, lr, betas, eps, amsgrad)


def adamw_step(param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2, amsgrad=False, maximize=False):  # fmt: skip  # noqa: E501
    _validate(lr=lr, eps=eps, weight_decay=weight_decay)
    grad = -grad if maximize else grad
    return _adam(param * (1 - lr * weight_decay), grad, state, lr, betas, eps, amsgrad)


def clip_gradient_norm(grads, max_norm):
    total = np.linalg.norm([np.linalg.norm(np.ravel(grad)) for grad in grads])
    coefficient = min(max_norm / (float(total) + 1e-6), 1.0)
    return [coefficient * grad for grad in grads], np.array(total)
