"""A torch.nn.Module under torch.optim.AdamW, with numpy at both ends; torch.optim.lr_scheduler in `fit`."""

import math

import numpy as np
import torch
import torch.nn.functional as F


def _tensors(params):
    return {name: torch.from_numpy(np.array(value)) for name, value in params.items()}


def _arrays(tensors):
    return {name: tensor.detach().numpy().copy() for name, tensor in tensors.items()}


def _run(params, x, masks=None):
    h = x
    for i in range((len(params) - 2) // 4):
        bias = params[f"block{i}.bias"]
        u = F.linear(h, params[f"block{i}.weight"], bias)
        u = F.layer_norm(u, bias.shape, params[f"block{i}.gamma"], params[f"block{i}.beta"])
        out = F.relu(u) if masks is None else F.relu(u) * masks[i].to(u.dtype)
        h = h + out if h.shape[1] == out.shape[1] else out
    return F.linear(h, params["head.weight"], params["head.bias"])


def _masks(params, rows, p, rng):
    found = []
    for i in range((len(params) - 2) // 4):
        shape = (rows, len(params[f"block{i}.bias"]))
        found.append(torch.from_numpy((rng.random(shape) >= p) / (1 - p)))
    return found


def init_network(sizes, *, rng):
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    params = {}
    for i, (fan_in, width) in enumerate(zip(sizes, sizes[1:])):
        name = f"block{i}" if i < len(sizes) - 2 else "head"
        weight = torch.empty(width, fan_in, dtype=torch.float64)
        torch.nn.init.kaiming_normal_(weight, nonlinearity="relu", generator=generator)
        params[f"{name}.weight"] = weight
        params[f"{name}.bias"] = torch.zeros(width, dtype=torch.float64)
        if name != "head":
            params[f"{name}.gamma"] = torch.ones(width, dtype=torch.float64)
            params[f"{name}.beta"] = torch.zeros(width, dtype=torch.float64)
    return _arrays(params)


def network_forward(params, x, *, training, dropout, rng):
    masks = _masks(params, len(x), dropout, rng) if training else None
    leaves = {name: tensor.requires_grad_() for name, tensor in _tensors(params).items()}
    logits = _run(leaves, torch.from_numpy(np.array(x)), masks)
    return logits.detach().numpy(), (leaves, logits)


def network_backward(grad_logits, cache):
    leaves, logits = cache
    upstream = torch.from_numpy(np.array(grad_logits))
    grads = torch.autograd.grad((logits * upstream).sum(), leaves.values(), retain_graph=True)
    return {name: grad.numpy() for name, grad in zip(leaves, grads)}


def train_step(params, state, x, targets, *, lr, weight_decay, dropout, rng):
    leaves = {name: torch.nn.Parameter(tensor) for name, tensor in _tensors(params).items()}
    rule = torch.optim.AdamW(leaves.values(), lr=lr, weight_decay=weight_decay)
    for name, leaf in leaves.items():
        if name in state:
            mean, square = (torch.from_numpy(value.copy()) for value in state[name])
            step = torch.tensor(float(state["step"]))
            rule.state[leaf] = {"step": step, "exp_avg": mean, "exp_avg_sq": square}
    masks = _masks(params, len(x), dropout, rng)
    loss = F.cross_entropy(
        _run(leaves, torch.from_numpy(np.array(x)), masks), torch.from_numpy(targets)
    )
    loss.backward()
    rule.step()
    new_state = {"step": state.get("step", 0) + 1}
    for name, leaf in leaves.items():
        kept = rule.state[leaf]
        new_state[name] = kept["exp_avg"].numpy(), kept["exp_avg_sq"].numpy()
    return _arrays(leaves), new_state, loss.item()


def _moved(images, rng):
    padded = F.pad(images, (1, 1, 1, 1))
    height, width = images.shape[2:]
    windows = padded[:, 0].unfold(1, height, 1).unfold(2, width, 1)
    top, left = torch.from_numpy(rng.integers(0, 3, size=(2, len(images))))
    return windows[torch.arange(len(images)), top, left].flatten(1)


def fit(data, *, epochs, batch_size, base_lr, weight_decay, dropout, patience, rng):
    images, targets, val_images, val_targets = (
        torch.from_numpy(np.array(data[f"{part}_{what}"]))
        for part in ("train", "val")
        for what in ("images", "targets")
    )
    sizes = [images[0].numel(), 112, 96, int(targets.max()) + 1]
    first = init_network(sizes, rng=rng)
    leaves = {name: torch.nn.Parameter(tensor) for name, tensor in _tensors(first).items()}
    rule = torch.optim.AdamW(leaves.values(), lr=base_lr, weight_decay=weight_decay)
    total = epochs * math.ceil(len(images) / batch_size)
    warmup = max(1, total // 10)

    def share(step):
        if step < warmup:
            return 1 / 3 + 2 / 3 * step / warmup
        return (1 + math.cos(math.pi * (step - warmup) / max(1, total - warmup))) / 2

    schedule = torch.optim.lr_scheduler.LambdaLR(rule, share)
    history = {name: [] for name in ("lr", "train_loss", "val_loss", "val_accuracy")}
    best = None
    for epoch in range(epochs):
        losses = []
        for batch in torch.from_numpy(rng.permutation(len(images))).split(batch_size):
            rule.zero_grad()
            masks = _masks(leaves, len(batch), dropout, rng)
            loss = F.cross_entropy(_run(leaves, _moved(images[batch], rng), masks), targets[batch])
            loss.backward()
            rule.step()
            losses.append(loss.item())
            rate = schedule.get_last_lr()[0]
            schedule.step()
        with torch.no_grad():
            logits = _run(leaves, val_images.flatten(1))
        history["lr"].append(rate)
        history["train_loss"].append(sum(losses) / len(losses))
        history["val_loss"].append(F.cross_entropy(logits, val_targets).item())
        history["val_accuracy"].append((logits.argmax(1) == val_targets).double().mean().item())
        if best is None or history["val_loss"][-1] < best[0]:
            best = history["val_loss"][-1], epoch, _arrays(leaves)
        if epoch - best[1] == patience:
            break
    return best[2], history
