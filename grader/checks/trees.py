"""Trees: an array or tensor, or nested lists, tuples and dicts of them, as inputs and gradients are."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

Tree = Any
"""An array or tensor, or nested lists, tuples and dicts of them."""


def the_torch() -> Any:
    """Torch on one thread: on arrays of this size more only wait for each other."""
    import torch

    if torch.get_num_threads() != 1:
        torch.set_num_threads(1)
    return torch


def to_tensor(tree: Tree, dtype: str = "float64") -> Tree:
    """float64 (integers: int64) tensors, C-ordered copies: torch is wrong on some other layouts.

    >>> to_tensor(np.ones((2, 3), dtype=np.float32)).dtype
    torch.float64
    """
    torch = the_torch()

    if isinstance(tree, (list, tuple)):
        return type(tree)(to_tensor(item, dtype) for item in tree)
    if isinstance(tree, dict):
        return {key: to_tensor(item, dtype) for key, item in tree.items()}
    if isinstance(tree, np.ndarray):
        wide = tree.astype(dtype if tree.dtype.kind == "f" else tree.dtype, order="C")
        return torch.from_numpy(np.array(wide, order="C", copy=True))
    return tree


def float_dtype(inputs: Mapping[str, Any]) -> str:
    """The dtype that a function must return: the first float input's."""
    for array in leaves(list(inputs.values())):
        if array.dtype.kind == "f":
            return str(array.dtype)
    return "float64"


def widened(tree: Tree) -> Tree:
    """The tree with its float arrays in float64."""
    return mapped(lambda leaf: leaf.astype(np.float64) if leaf.dtype.kind == "f" else leaf, tree)


def scaled(tree: Tree, factor: float) -> Tree:
    """The tree times a number."""
    return mapped(lambda leaf: factor * leaf, tree)


def as_numpy(tree: Any) -> Any:
    """The tree with arrays in the place of tensors, and lists in that of tuples."""
    if isinstance(tree, (list, tuple)):
        return [as_numpy(item) for item in tree]
    if isinstance(tree, dict):
        return {key: as_numpy(item) for key, item in tree.items()}
    return tree.detach().numpy() if hasattr(tree, "detach") else tree


def leaves(tree: Tree) -> list[Any]:
    """Its arrays or tensors, in order."""
    if isinstance(tree, (list, tuple)):
        return [leaf for item in tree for leaf in leaves(item)]
    if isinstance(tree, dict):
        return leaves(list(tree.values()))
    return [tree] if hasattr(tree, "dtype") else []


def is_float(tree: Tree) -> bool:
    """Whether it holds floats, and nothing else."""
    found = leaves(tree)
    return bool(found) and all(leaf.dtype.kind == "f" for leaf in found)


def mapped(function: Callable[[Any], Any], tree: Tree) -> Tree:
    """The function of every leaf, in the same structure."""
    if isinstance(tree, (list, tuple)):
        return type(tree)(mapped(function, item) for item in tree)
    if isinstance(tree, dict):
        return {key: mapped(function, item) for key, item in tree.items()}
    return function(tree)


def zipped(function: Callable[..., Any], *trees: Tree) -> Tree:
    """The function of the leaves at the same place of several trees, as lists and dicts."""
    if isinstance(trees[0], (list, tuple)):
        return [zipped(function, *items) for items in zip(*trees, strict=True)]
    if isinstance(trees[0], dict):
        return {key: zipped(function, *(tree[key] for tree in trees)) for key in trees[0]}
    return function(*trees)
