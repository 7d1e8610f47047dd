"""Nested lists, tuples and dicts, with anything in their places."""

from collections.abc import Callable
from typing import Any

__all__ = ["tree_leaves", "tree_map"]


def tree_map(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """The same structure, with function(leaf, *leaves of the others there) in each place.

    A leaf is whatever is no list, tuple or dict. Where `tree` has a leaf, the others may have
    anything; where it has a list, tuple or dict, they must have one of the same length or keys.

    Raises:
        ValueError: if they have not.
    """
    if isinstance(tree, dict):
        if any(not isinstance(o, dict) or o.keys() != tree.keys() for o in others):
            raise ValueError(f"expected a dict with the keys {list(tree)}, got {others}")
        return {k: tree_map(function, v, *(o[k] for o in others)) for k, v in tree.items()}
    if isinstance(tree, list | tuple):
        if any(not isinstance(o, list | tuple) or len(o) != len(tree) for o in others):
            raise ValueError(f"expected a list or tuple of {len(tree)}, got {others}")
        items = [tree_map(function, *parts) for parts in zip(tree, *others, strict=True)]
        return type(tree)(*items) if hasattr(tree, "_fields") else type(tree)(items)
    return function(tree, *others)


def tree_leaves(tree: Any) -> list[Any]:
    """The leaves in order."""
    leaves: list[Any] = []
    tree_map(leaves.append, tree)
    return leaves
