"""A small reverse-mode tape whose nodes are the caches; convolution gradients are convolutions themselves."""

import numpy as np


class Node:
    """A value, the nodes it came from, and how a gradient passes to each of them."""

    def __init__(self, value, *edges):
        self.value = value
        self.edges = edges
        self.depth = 1 + max((parent.depth for parent, _ in edges), default=0)

    def __add__(self, other):
        def to_other(g):
            return g if other.value.shape == g.shape else g.sum(axis=0)

        return Node(self.value + other.value, (self, lambda g: g), (other, to_other))

    def linear(self, weight):
        a, w = self.value, weight.value
        return Node(a.dot(w.T), (self, lambda g: g.dot(w)), (weight, lambda g: (a.T.dot(g)).T))

    def relu(self):
        on = self.value > 0
        return Node(
            np.where(on, self.value, self.value.dtype.type(0)), (self, lambda g: np.multiply(g, on))
        )

    def convolve(self, weight, stride, padding):
        padded = _pad(self.value, padding, padding)
        w = weight.value
        kh, kw = w.shape[2:]

        def spread(g):
            """The gradient at stride 1: zeros between its entries."""
            n, _, height, width = padded.shape
            wide = np.zeros((n, len(w), height - kh + 1, width - kw + 1), g.dtype)
            wide[:, :, ::stride, ::stride] = g
            return wide

        def to_image(g):
            flipped = np.flip(w, axis=(2, 3)).swapaxes(0, 1)
            full = _correlate(_pad(spread(g), kh - 1, kw - 1), flipped)
            bottom, right = full.shape[2] - padding, full.shape[3] - padding
            return full[:, :, padding:bottom, padding:right]

        def to_weight(g):
            return _correlate(padded.swapaxes(0, 1), spread(g).swapaxes(0, 1)).swapaxes(0, 1)

        out = _correlate(padded, w)[:, :, ::stride, ::stride]
        return Node(out, (self, to_image), (weight, to_weight))

    def add_channels(self, bias):
        out = self.value + bias.value.reshape(-1, 1, 1)
        return Node(out, (self, lambda g: g), (bias, lambda g: np.einsum("nohw->o", g)))

    def pull(self, grad_out, wanted):
        """Gradients of sum(value * grad_out) by each wanted node; the tape itself stays as it is."""
        grads = {self: grad_out}
        waiting = {self}
        while waiting:
            node = max(waiting, key=lambda item: item.depth)
            waiting.remove(node)
            for parent, passes in node.edges:
                part = passes(grads[node])
                grads[parent] = grads[parent] + part if parent in grads else part
                waiting.add(parent)
        return [grads[node] for node in wanted]


def _pad(a, rows, cols):
    return np.pad(a, [(0, 0), (0, 0), (rows, rows), (cols, cols)])


def _correlate(a, w):
    view = np.lib.stride_tricks.sliding_window_view(a, w.shape[2:], axis=(2, 3))
    return np.moveaxis(np.tensordot(view, w, axes=([1, 4, 5], [1, 2, 3])), -1, 1)


def _branch(x, w1, b1, w2, b2):
    return (x.linear(w1) + b1).relu().linear(w2) + b2


def residual_forward(x, w1, b1, w2, b2):
    leaves = [Node(a) for a in (x, w1, b1, w2, b2)]
    top = leaves[0] + _branch(*leaves)
    return np.asfortranarray(top.value), (top, leaves)


def residual_backward(grad_out, cache):
    top, leaves = cache
    return top.pull(grad_out, leaves)


def projection_residual_forward(x, w1, b1, w2, b2, w_skip):
    leaves = [Node(a) for a in (x, w1, b1, w2, b2, w_skip)]
    top = leaves[0].linear(leaves[5]) + _branch(*leaves[:5])
    return [top.value, (top, leaves)]


def projection_residual_backward(grad_out, cache):
    top, leaves = cache
    return tuple(top.pull(grad_out, leaves))


def residual_stack_forward(x, blocks):
    start = top = Node(x)
    leaves = [[Node(a) for a in block] for block in blocks]
    for block in leaves:
        top = top + _branch(top, *block)
    return top.value, {"top": top, "start": start, "leaves": leaves}


def residual_stack_backward(grad_out, cache):
    top, leaves = cache["top"], cache["leaves"]
    grad_x, *flat = top.pull(grad_out, [cache["start"], *sum(leaves, [])])
    return grad_x, list(zip(*[iter(flat)] * 4))


def conv2d_forward(x, weight, bias, *, stride=1, padding=0):
    room = np.array(x.shape[2:]) + 2 * padding
    if np.any(room < weight.shape[2:]):
        raise ValueError(
            f"the kernel of weight, {weight.shape[2:]}, is larger than the padded image"
        )
    leaves = [Node(x), Node(weight), Node(bias)]
    top = leaves[0].convolve(leaves[1], stride, padding).add_channels(leaves[2])
    return top.value, (top, leaves)


def conv2d_backward(grad_out, cache):
    top, leaves = cache
    return top.pull(grad_out, leaves)


def basic_block_forward(x, w1, w2):
    leaves = image, first, second = [Node(x), Node(w1), Node(w2)]
    top = (image + image.convolve(first, 1, 1).relu().convolve(second, 1, 1)).relu()
    return top.value, (top, leaves)


def basic_block_backward(grad_out, cache):
    top, leaves = cache
    return top.pull(grad_out, leaves)


def gradient_signal(grad_out, x, blocks, *, skip):
    stops = [Node(x)]
    for block in blocks:
        after = _branch(stops[-1], *map(Node, block))
        stops.append(stops[-1] + after if skip else after)
    grads = stops[-1].pull(grad_out, stops)
    return np.array([np.hypot.reduce(g, axis=None) for g in grads], dtype=grad_out.dtype)
