"""einsum everywhere; the cache is a closure that computes the gradients."""

import numpy as np


def norm(x3, eps):
    """x3 of shape (A, B, M): statistics over the last axis."""
    m = x3.shape[-1]
    mean = np.einsum("abm->ab", x3) / m
    centred = x3 - mean[..., None]
    var = np.einsum("abm,abm->ab", centred, centred) / m
    root = np.sqrt(var + eps)
    return centred / root[..., None], root


def unnorm(g3, hat, root):
    m = g3.shape[-1]
    first = np.einsum("abm->ab", g3) / m
    second = np.einsum("abm,abm->ab", g3, hat) / m
    return (g3 - first[..., None] - np.einsum("ab,abm->abm", second, hat)) / root[..., None]


def as_ncm(x):
    return x.reshape(x.shape[0], x.shape[1], -1) if x.size else x.reshape(x.shape[0], x.shape[1], 1)


def affine(hat_ncm, gamma, beta):
    return np.einsum("ncm,c->ncm", hat_ncm, gamma) + beta[None, :, None]


def closure(shape, hat_ncm, gamma, of_x):
    def backward(grad_out):
        g = as_ncm(grad_out)
        dx = of_x(np.einsum("ncm,c->ncm", g, gamma)).reshape(shape)
        return dx, np.einsum("ncm,ncm->c", g, hat_ncm), np.einsum("ncm->c", g)

    return backward


def apply(grad_out, cache):
    return cache(grad_out)


def batch_norm_forward(
    x, gamma, beta, running_mean, running_var, *, training, momentum=0.1, eps=1e-5
):
    ncm = as_ncm(x)
    n, c, m = ncm.shape
    if training and n * m == 1:
        raise ValueError("training batch norm needs more than one value of x per channel")
    if training and n > 0:
        hat, root = norm(ncm.transpose(1, 0, 2).reshape(1, c, n * m), eps)

        def of_x(g):
            rows = g.transpose(1, 0, 2).reshape(1, c, n * m)
            return unnorm(rows, hat, root).reshape(c, n, m).transpose(1, 0, 2)

        hat_ncm = hat.reshape(c, n, m).transpose(1, 0, 2)
        mean = np.einsum("ncm->c", ncm) / (n * m)
        spread = ncm - mean[None, :, None]
        var = np.einsum("ncm,ncm->c", spread, spread) / (n * m - 1)
        running_mean = running_mean + momentum * (mean - running_mean)
        running_var = running_var + momentum * (var - running_var)
    else:
        root = np.sqrt(running_var + eps)
        hat_ncm = (ncm - running_mean[None, :, None]) / root[None, :, None]

        def of_x(g):
            return g / root[None, :, None]

    out = affine(hat_ncm, gamma, beta).reshape(x.shape)
    return out, closure(x.shape, hat_ncm, gamma, of_x), running_mean, running_var


def layer_norm_forward(x, gamma, beta, *, eps=1e-5):
    rows = x.reshape(1, -1, x.shape[-1])
    hat, root = norm(rows, eps)
    out = (np.einsum("abm,m->abm", hat, gamma) + beta).reshape(x.shape)

    def backward(grad_out):
        g = grad_out.reshape(rows.shape)
        dx = unnorm(np.einsum("abm,m->abm", g, gamma), hat, root).reshape(x.shape)
        return dx, np.einsum("abm,abm->m", g, hat), np.einsum("abm->m", g)

    return out, backward


def instance_norm_forward(x, gamma, beta, *, eps=1e-5):
    hat, root = norm(as_ncm(x), eps)
    out = affine(hat, gamma, beta).reshape(x.shape)
    return out, closure(x.shape, hat, gamma, lambda g: unnorm(g, hat, root))


def group_norm_forward(x, gamma, beta, *, num_groups, eps=1e-5):
    if x.shape[1] / num_groups != x.shape[1] // num_groups:
        raise ValueError(f"{num_groups=} must divide {x.shape[1]}")
    ncm = as_ncm(x)
    grouped = (x.shape[0], num_groups, ncm.shape[1] // num_groups * ncm.shape[2])
    hat, root = norm(ncm.reshape(grouped), eps)
    hat_ncm = hat.reshape(ncm.shape)
    out = affine(hat_ncm, gamma, beta).reshape(x.shape)
    return out, closure(
        x.shape, hat_ncm, gamma, lambda g: unnorm(g.reshape(grouped), hat, root).reshape(ncm.shape)
    )


def rms_norm_forward(x, gamma, *, eps=1e-5):
    d = x.shape[-1]
    root = np.sqrt(np.einsum("...d,...d->...", x, x) / d + eps)
    hat = np.einsum("...d,...->...d", x, 1 / root)

    def backward(grad_out):
        g = grad_out * gamma
        second = np.einsum("...d,...d->...", g, hat) / d
        dx = (g - hat * second[..., None]) / root[..., None]
        return dx, np.einsum("ad,ad->d", grad_out.reshape(-1, d), hat.reshape(-1, d))

    return np.einsum("...d,d->...d", hat, gamma), backward


batch_norm_backward = layer_norm_backward = instance_norm_backward = apply
group_norm_backward = rms_norm_backward = apply
