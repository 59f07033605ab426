"""torch's own functions, in float64, with numpy at both ends."""

import numpy as np
import torch
import torch.nn.functional as F


def _tensor(values):
    return torch.from_numpy(np.array(values, dtype=np.float64, order="C"))


def _array(tensor, like):
    return tensor.detach().numpy().astype(like.dtype)


def polynomial_features(x, degree):
    return _array(torch.vander(_tensor(x), degree + 1, increasing=True), x)


def least_squares(features, targets):
    solution = torch.linalg.lstsq(_tensor(features), _tensor(targets)[:, None], driver="gelsd")
    return _array(solution.solution[:, 0], features)


def ridge(features, targets, strength):
    X, y = _tensor(features), _tensor(targets)
    return _array(
        torch.linalg.solve(X.T @ X + strength * torch.eye(X.shape[1], dtype=X.dtype), X.T @ y),
        features,
    )


def train_test_error(x_train, y_train, x_test, y_test, degrees):
    def powers(x, degree):
        return torch.vander(_tensor(x), degree + 1, increasing=True)

    errors = torch.empty(2, len(degrees), dtype=torch.float64)
    for column, degree in enumerate(degrees):
        weights = torch.linalg.pinv(powers(x_train, degree)) @ _tensor(y_train)
        for row, (x, y) in enumerate(((x_train, y_train), (x_test, y_test))):
            errors[row, column] = F.mse_loss(powers(x, degree) @ weights, _tensor(y))
    return _array(errors[0], x_train), _array(errors[1], x_train)


def gradient_descent(features, targets, *, lr, steps, start=None):
    X, y = _tensor(features), _tensor(targets)
    w = torch.zeros(X.shape[1], dtype=X.dtype) if start is None else _tensor(start)
    for _ in range(steps):
        w = torch.sub(w, torch.mv(X.T, torch.mv(X, w) - y), alpha=lr / len(y))
    return _array(w, features)


def minibatch_gradient(features, targets, weights, *, batch_size, rng):
    if batch_size > len(features):
        raise ValueError(f"batch_size {batch_size} exceeds the number of samples")
    generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
    chosen = torch.randperm(len(features), generator=generator)[:batch_size]
    w = _tensor(weights).requires_grad_()
    loss = F.mse_loss(_tensor(features)[chosen] @ w, _tensor(targets)[chosen]) / 2
    (gradient,) = torch.autograd.grad(loss, w)
    return _array(gradient, features)
