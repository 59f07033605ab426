"""torch's own functions, with numpy at both ends; a torch generator is seeded from rng."""

import numpy as np
import torch
import torch.nn.functional as F


def _tensor(array):
    return torch.from_numpy(np.array(array))


def filter_normalized_direction(weights, *, rng):
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    direction = []
    for weight in map(_tensor, weights):
        part = torch.zeros_like(weight)
        if weight.dim() > 1:
            part = torch.randn(weight.shape, dtype=weight.dtype, generator=generator)
            axes = tuple(range(1, weight.dim()))
            lengths = [
                torch.linalg.vector_norm(one, dim=axes, keepdim=True) for one in (weight, part)
            ]
            part = part * (lengths[0] / lengths[1])
        direction.append(part.numpy())
    return direction


def loss_surface(x, targets, weights, biases, direction_a, direction_b, alphas, betas, *, skip):
    layers = [torch.nn.Linear(*weight.shape[::-1]) for weight in weights]
    surface = torch.empty(len(alphas), len(betas), dtype=torch.from_numpy(np.array(x)).dtype)
    with torch.no_grad():
        for i in range(len(alphas)):
            for j in range(len(betas)):
                h = _tensor(x)
                for k, layer in enumerate(layers):
                    moved = (
                        _tensor(weights[k])
                        + float(alphas[i]) * _tensor(direction_a[k])
                        + float(betas[j]) * _tensor(direction_b[k])
                    )
                    layer.weight = torch.nn.Parameter(moved)
                    layer.bias = torch.nn.Parameter(_tensor(biases[k]))
                    out = layer(h)
                    if k < len(layers) - 1:
                        out = out.tanh()
                        if skip and layer.in_features == layer.out_features:
                            out = out + h
                    h = out
                surface[i, j] = F.cross_entropy(h, _tensor(targets))
    return surface.numpy()


def classify_critical_point(hessian, *, tolerance=1e-8):
    matrix = _tensor(hessian)
    if not torch.allclose(matrix, matrix.T):
        raise ValueError("hessian must be symmetric")
    values = torch.linalg.eigvalsh(matrix)
    if values[0] < -tolerance and values[-1] > tolerance:
        return "saddle"
    if (values.abs() <= tolerance).any():
        return "degenerate"
    return "minimum" if values[0] > 0 else "maximum"


def descend(hessian, start, *, lr, momentum, steps):
    matrix = _tensor(hessian)
    position = torch.nn.Parameter(_tensor(start))
    optimizer = torch.optim.SGD([position], lr=lr, momentum=momentum)
    path = [position.detach().clone()]
    for _ in range(steps):
        optimizer.zero_grad()
        (0.5 * position @ matrix @ position).backward()
        optimizer.step()
        path.append(position.detach().clone())
    return torch.stack(path).numpy()
