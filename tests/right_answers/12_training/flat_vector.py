"""All parameters in one vector for the optimizer; closures as caches; the last width's matrix Jacobian written out."""

import numpy as np


def init_network(sizes, *, rng):
    layers = [f"block{i}" for i in range(len(sizes) - 2)] + ["head"]
    shapes = {}
    for name, fan_in, width in zip(layers, sizes, sizes[1:]):
        shapes[f"{name}.weight"] = (width, fan_in)
        for part in ("bias",) if name == "head" else ("bias", "gamma", "beta"):
            shapes[f"{name}.{part}"] = (width,)
    params = {}
    for name, shape in reversed(shapes.items()):
        if len(shape) == 2:
            params[name] = np.asfortranarray(rng.normal(scale=(shape[1] / 2) ** -0.5, size=shape))
        else:
            params[name] = np.full(shape, float(name.endswith("gamma")))
    return params


def _block(weight, bias, gamma, beta, h, keep):
    """The block's output, and a closure from the gradient of it to those of its five arrays."""
    dtype = h.dtype
    u = (weight @ h.T).T + bias
    width = u.shape[1]
    centering = np.eye(width, dtype=dtype) - np.asarray(1 / width, dtype)
    c = u - u.mean(axis=1, keepdims=True)
    s = (np.einsum("nd,nd->n", c, c) / width + 1e-5).astype(dtype)[:, None] ** -0.5
    z = gamma * c * s + beta
    on = (z > 0) * keep
    add = z * on
    short = u.shape[1] == h.shape[1]

    def back(g):
        gz = g * on.astype(dtype)
        gc = gz * gamma
        gu = (gc * s - c * s**3 * (gc * c).mean(axis=1, keepdims=True)) @ centering
        gh = gu @ weight + (g if short else 0)
        parts = (gu.T @ h, gu.sum(0), (gz * c * s).sum(0), gz.sum(0))
        return gh.astype(dtype), parts

    return (h + add if short else add).astype(dtype), back


PARTS = ("weight", "bias", "gamma", "beta")


def network_forward(params, x, *, training, dropout, rng):
    count = len({name.split(".")[0] for name in params}) - 1
    h, backs = x, []
    for i in range(count):
        arrays = [params[f"block{i}.{part}"] for part in PARTS]
        draws = rng.uniform(size=(len(x), len(arrays[1])))
        keep = (draws > dropout) / (1 - dropout) if training else np.ones_like(draws)
        h, back = _block(*arrays, h, keep.astype(x.dtype))
        backs.append(back)
    head = params["head.weight"]

    def backward(g):
        grads = {"head.bias": np.ones(len(g), g.dtype) @ g, "head.weight": (h.T @ g).T}
        g = g @ head
        for i in range(count - 1, -1, -1):
            g, parts = backs[i](g)
            grads.update({f"block{i}.{part}": value for part, value in zip(PARTS, parts)})
        return grads

    return h @ head.T + params["head.bias"], backward


def network_backward(grad_logits, cache):
    return cache(grad_logits)


def _log_softmax(logits):
    top = np.max(logits, axis=-1, keepdims=True)
    return logits - top - np.log(np.sum(np.exp(logits - top), axis=-1, keepdims=True))


def train_step(params, state, x, targets, *, lr, weight_decay, dropout, rng):
    logits, backward = network_forward(params, x, training=True, dropout=dropout, rng=rng)
    log_p = _log_softmax(logits)
    hot = (targets[:, None] == np.arange(logits.shape[1])).astype(logits.dtype)
    grads = backward((np.exp(log_p) - hot) / np.asarray(len(x), logits.dtype))
    names = sorted(params)
    theta, g = (np.concatenate([tree[name].ravel() for name in names]) for tree in (params, grads))
    if "history" in state:
        m, v, b1, b2 = state["history"]
    else:
        m, v, b1, b2 = np.zeros_like(g), np.zeros_like(g), 1.0, 1.0
    m, v, b1, b2 = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g, 0.9 * b1, 0.999 * b2
    theta = theta - lr * weight_decay * theta
    theta = theta - lr * (m / (1 - b1)) / (np.sqrt(v / (1 - b2)) + 1e-8)
    new, at = {}, 0
    for name in names:
        size = params[name].size
        new[name] = theta[at : at + size].reshape(params[name].shape)
        at += size
    loss = -(log_p * hot).sum() / np.asarray(len(x), logits.dtype)
    return new, {"history": (m, v, b1, b2)}, np.asarray(loss)


def _shift(images, rng):
    dx, dy = rng.integers(-1, 2, size=(2, len(images)))
    out = np.zeros_like(images)
    for a in (-1, 0, 1):
        for b in (-1, 0, 1):
            which = (dx == a) & (dy == b)
            moved = np.roll(images[which], (b, a), axis=(2, 3))
            if a:
                moved[..., 0 if a > 0 else -1] = 0
            if b:
                moved[..., 0 if b > 0 else -1, :] = 0
            out[which] = moved
    return out


def fit(data, *, epochs, batch_size, base_lr, weight_decay, dropout, patience, rng):
    x, y, vx, vy = (data[k] for k in ("train_images", "train_targets", "val_images", "val_targets"))
    n, state, step = len(x), {}, 0
    params = init_network([x[0].size, 96, 96, y.max() + 1], rng=rng)
    steps = sum(1 for _ in range(0, n, batch_size)) * epochs
    warm = max(1, steps // 10)
    best, waited, history = (np.inf, None), 0, {k: np.empty(0) for k in ("lr", "train_loss", "val_loss", "val_accuracy")}  # fmt: skip
    for _ in range(epochs):
        order, total, count = rng.permutation(n), 0.0, 0
        while len(order):
            batch, order = order[:batch_size], order[batch_size:]
            rise = base_lr / 3 + (base_lr - base_lr / 3) * step / warm
            lr = rise if step < warm else base_lr * (0.5 + 0.5 * np.cos(np.pi * (step - warm) / (steps - warm)))  # fmt: skip
            images = _shift(x[batch], rng)
            params, state, loss = train_step(
                params, state, images.reshape(len(batch), -1), y[batch],
                lr=lr, weight_decay=weight_decay, dropout=dropout, rng=rng,
            )  # fmt: skip
            total, count, step = total + float(loss), count + 1, step + 1
        logits, _ = network_forward(
            params, vx.reshape(len(vx), -1), training=False, dropout=0.0, rng=rng
        )
        val = -np.mean(_log_softmax(logits)[np.arange(len(vy)), vy])
        for name, value in zip(history, (lr, total / count, val, (logits.argmax(1) == vy).mean())):
            history[name] = np.append(history[name], value)
        waited = 0 if val < best[0] else waited + 1
        if waited == 0:
            best = (val, {name: value.copy() for name, value in params.items()})
        if waited == patience:
            break
    return best[1], {name: values.tolist() for name, values in history.items()}
