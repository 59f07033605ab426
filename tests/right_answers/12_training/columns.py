"""Samples as columns, recursion over the blocks, layer norm through its moments; generators for rates and batches."""

import numpy as np

SHAPES = {
    "weight": lambda wide, narrow: (wide, narrow),
    "bias": lambda wide, _: (wide,),
    "gamma": lambda wide, _: (wide,),
    "beta": lambda wide, _: (wide,),
}


def init_network(sizes, *, rng):
    streams = rng.spawn(len(sizes) - 1)
    params = {}
    for i, stream in enumerate(streams):
        last = i == len(streams) - 1
        name = "head" if last else f"block{i}"
        for part in ("weight", "bias") if last else SHAPES:
            shape = SHAPES[part](sizes[i + 1], sizes[i])
            if part == "weight":
                params[f"{name}.{part}"] = stream.normal(0, (2 / shape[1]) ** 0.5, shape)
            else:
                params[f"{name}.{part}"] = np.full(shape, 1.0 * (part == "gamma"))
    return params


def _up(params, i, h, keep, trail):
    """From block i on to the logits, both as columns."""
    if f"block{i}.weight" not in params:
        trail.append(h)
        return params["head.weight"] @ h + params["head.bias"][:, None]
    weight, bias, gamma, beta = (params[f"block{i}.{part}"] for part in SHAPES)
    u = weight @ h + bias[:, None]
    c = u - np.average(u, axis=0)
    var = np.add.reduce(c**2, axis=0) / np.asarray(len(c), c.dtype)
    inverse = np.reciprocal(np.sqrt(var + np.asarray(1e-5, c.dtype)))
    z = gamma[:, None] * (c * inverse) + beta[:, None]
    gate = np.heaviside(z, 0).astype(z.dtype)
    mask = keep(z.shape)
    gate = gate if mask is None else gate * mask.astype(z.dtype)
    trail.append((h, c, inverse, gate, weight, gamma))
    out = gate * z
    return _up(params, i + 1, h + out if h.shape == out.shape else out, keep, trail)


def network_forward(params, x, *, training, dropout, rng):
    def keep(shape):
        if not training:
            return None
        return (rng.permuted(rng.random(shape[::-1]), axis=0).T > dropout) / (1 - dropout)

    trail = []
    logits = _up(params, 0, x.T, keep, trail)
    return logits.T, {"trail": tuple(trail), "head": params["head.weight"]}


def network_backward(grad_logits, cache):
    *blocks, top = cache["trail"]
    g = grad_logits.T
    grads = {"head.weight": g @ top.T, "head.bias": g.sum(axis=1)}
    g = cache["head"].T @ g
    while blocks:
        h, c, inverse, gate, weight, gamma = blocks.pop()
        name = f"block{len(blocks)}"
        gz = gate * g
        grads[f"{name}.gamma"] = (gz * c * inverse).sum(axis=1)
        grads[f"{name}.beta"] = gz.sum(axis=1)
        gn = gamma[:, None] * gz
        # the normalized value is c / sqrt(mean(c^2) + eps): by the quotient rule, then through the mean
        gc = inverse * gn - c * inverse**3 * np.average(gn * c, axis=0)
        gu = gc - np.average(gc, axis=0)
        grads[f"{name}.weight"], grads[f"{name}.bias"] = gu @ h.T, gu.sum(axis=1)
        below = weight.T @ gu
        g = below + g if h.shape == gz.shape else below
    return grads


def _logsumexp(logits):
    top = logits.max(axis=1)
    return top + np.log(np.exp(logits - top[:, None]).sum(axis=1))


def _mean_loss(logits, targets):
    return (_logsumexp(logits) - logits[np.arange(len(targets)), targets]).mean()


def train_step(params, state, x, targets, *, lr, weight_decay, dropout, rng):
    logits, cache = network_forward(params, x, training=True, dropout=dropout, rng=rng)
    grad = np.exp(logits - _logsumexp(logits)[:, None])
    grad[np.arange(len(x)), targets] -= 1
    grads = network_backward(grad / np.asarray(len(x), grad.dtype), cache)
    steps = state.get("steps", 0) + 1
    slots = {name: list(pair) for name, pair in state.get("slots", {}).items()}
    fresh = {name: value.copy() for name, value in params.items()}
    for name, value in fresh.items():
        slot = slots.setdefault(name, [np.zeros_like(value), np.zeros_like(value)])
        slot[0] = slot[0] * 0.9 + 0.1 * grads[name]
        slot[1] = slot[1] * 0.999 + 0.001 * np.square(grads[name])
        value *= 1 - lr * weight_decay
        value -= lr * (slot[0] / (1 - 0.9**steps)) / (np.sqrt(slot[1] / (1 - 0.999**steps)) + 1e-8)
    return fresh, {"steps": steps, "slots": slots}, _mean_loss(logits, targets)


def _rates(base_lr, total):
    warmup = max(1, total // 10)
    for step in range(warmup):
        yield base_lr / 3 * (1 + 2 * step / warmup)
    for step in range(total - warmup):
        yield 0.5 * base_lr * (1 + np.cos(step / (total - warmup) * np.pi))


def _batches(images, targets, size, rng):
    order = list(range(len(images)))
    rng.shuffle(order)
    while order:
        batch, order = order[:size], order[size:]
        yield np.array([_jolt(images[i, 0], rng) for i in batch]), targets[batch]


def _jolt(image, rng):
    for axis in (0, 1):
        by = rng.integers(3) - 1
        image = np.roll(image, by, axis=axis)
        if by:
            edge = [slice(None), slice(None)]
            edge[axis] = 0 if by == 1 else -1
            image[tuple(edge)] = 0.0
    return image.ravel()


def fit(data, *, epochs, batch_size, base_lr, weight_decay, dropout, patience, rng):
    images, targets = data["train_images"], data["train_targets"]
    pixels = images.reshape(len(images), -1).shape[1]
    params, state = init_network((pixels, 128, targets.max() + 1), rng=rng), {}
    rates = _rates(base_lr, epochs * ((len(images) + batch_size - 1) // batch_size))
    table, best = [], None
    for _ in range(epochs):
        losses = []
        for x, labels in _batches(images, targets, batch_size, rng):
            rate = next(rates)
            params, state, loss = train_step(
                params, state, x, labels, lr=rate, weight_decay=weight_decay, dropout=dropout, rng=rng
            )  # fmt: skip
            losses.append(loss)
        flat = data["val_images"].reshape(-1, pixels)
        logits, _ = network_forward(params, flat, training=False, dropout=0.0, rng=rng)
        loss = _mean_loss(logits, data["val_targets"])
        accuracy = np.mean(np.argmax(logits, axis=1) == data["val_targets"])
        table.append([rate, sum(losses) / len(losses), loss, accuracy])
        if best is None or loss < best[0]:
            best = loss, len(table), params
        if len(table) == best[1] + patience:
            break
    columns = np.array(table).T
    return best[2], dict(zip(("lr", "train_loss", "val_loss", "val_accuracy"), columns))
