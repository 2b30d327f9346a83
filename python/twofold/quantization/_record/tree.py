"""Tensors inside of tuples, lists and dicts."""

from collections.abc import Callable, Iterator
from typing import Any

import torch


def map_tensors(change: Callable[[torch.Tensor], Any], tree: Any) -> Any:
    """The same structure with every tensor changed; types of containers stay as they are."""
    if isinstance(tree, torch.Tensor):
        return change(tree)
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*(map_tensors(change, item) for item in tree))
    if isinstance(tree, list | tuple):
        items = [map_tensors(change, item) for item in tree]
        if type(tree) in (list, tuple):
            return type(tree)(items)
        # torch.return_types and the like take one sequence.
        return type(tree)(items) if any(isinstance(item, torch.Tensor) for item in items) else tree
    if isinstance(tree, dict):
        changed = {key: map_tensors(change, item) for key, item in tree.items()}
        if type(tree) is dict:
            return changed
        try:
            return type(tree)(changed)
        except TypeError:
            return tree
    return tree


def tensors_of(tree: Any) -> Iterator[torch.Tensor]:
    """All tensors, in order."""
    if isinstance(tree, torch.Tensor):
        yield tree
    elif isinstance(tree, list | tuple):
        for item in tree:
            yield from tensors_of(item)
    elif isinstance(tree, dict):
        for item in tree.values():
            yield from tensors_of(item)
