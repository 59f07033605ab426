import numpy as np


def _nonneg(name, value):
    if value < 0:
        raise ValueError("%s must not be negative" % name)


def sgd_step(
    param, grad, state, *, lr, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False, maximize=False
):
    _nonneg("lr", lr)
    _nonneg("weight_decay", weight_decay)
    if nesterov and (momentum == 0 or dampening != 0):
        raise ValueError("nesterov needs momentum and no dampening")
    g = weight_decay * param + (-grad if maximize else grad)
    if momentum == 0:
        return param - lr * g, {}
    if state:
        v = momentum * state["v"] + (1 - dampening) * g
    else:
        v = g
    step = g + momentum * v if nesterov else v
    return param - lr * step, {"v": v}


def rmsprop_step(
    param, grad, state, *, lr=1e-2, alpha=0.99, eps=1e-8, weight_decay=0.0, momentum=0.0, centered=False
):
    _nonneg("lr", lr)
    _nonneg("eps", eps)
    _nonneg("weight_decay", weight_decay)
    g = grad + weight_decay * param
    s, m, v = state.get("all", (0 * g, 0 * g, 0 * g))
    s = alpha * s + (1 - alpha) * g**2
    m = alpha * m + (1 - alpha) * g
    root = np.sqrt(np.maximum(s - m**2, 0)) if centered else np.sqrt(s)
    v = momentum * v + g / (root + eps)
    return param - lr * v, {"all": (s, m, v)}


def _adam(g, state, betas, eps, amsgrad):
    for b in betas:
        if not 0 <= b < 1:
            raise ValueError("betas must be in [0, 1)")
    t, m, v, top = state.get("all", (0, 0 * g, 0 * g, 0 * g))
    t += 1
    m = betas[0] * m + (1 - betas[0]) * g
    v = betas[1] * v + (1 - betas[1]) * g**2
    top = np.maximum(top, v)
<<<<<<< HEAD
    v_hat = (top if amsgrad else v) / (1 - betas[1] ** t)
=======
    v_hat = v / (1 - betas[1] ** t)
>>>>>>> adam without amsgrad
    return m / (1 - betas[0] ** t) / (np.sqrt(v_hat) + eps), {"all": (t, m, v, top)}


def adam_step(
    param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0, amsgrad=False, maximize=False
):
    _nonneg("lr", lr)
    _nonneg("eps", eps)
    _nonneg("weight_decay", weight_decay)
    g = weight_decay * param + (-grad if maximize else grad)
    d, state = _adam(g, state, betas, eps, amsgrad)
    return param - lr * d, state


def adamw_step(
    param, grad, state, *, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2, amsgrad=False, maximize=False
):
    _nonneg("lr", lr)
    _nonneg("eps", eps)
    _nonneg("weight_decay", weight_decay)
    d, state = _adam(-grad if maximize else grad, state, betas, eps, amsgrad)
    return (1 - lr * weight_decay) * param - lr * d, state


def clip_gradient_norm(grads, max_norm):
    total = np.sqrt(sum(np.sum(g**2) for g in grads))
    if total + 1e-6 > max_norm:
        return [g * float(max_norm / (total + 1e-6)) for g in grads], total
    return grads, total
