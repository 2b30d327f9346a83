"""Values that a model keeps from one call to the next, as memories of videos are."""

import copy
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import reduce
from typing import Any

import torch
from torch import nn

from ..qtensor import plain
from ..quantization._record.tree import map_tensors


def snapshot(model: nn.Module, names: Iterable[str]) -> dict[str, Any]:
    """Copies of attributes, "head.memory". Raises ValueError for one that is not there."""
    found = {}
    for name in names:
        try:
            value = reduce(getattr, name.split("."), model)
        except AttributeError:
            raise ValueError(
                f"cached_attrs: {type(model).__name__} has no attribute {name!r}"
            ) from None
        found[name] = copied(value)
    return found


def put_back(model: nn.Module, values: dict[str, Any]) -> None:
    """Set attributes to copies of these."""
    for name, value in values.items():
        scope, _, last = name.rpartition(".")
        setattr(reduce(getattr, scope.split("."), model) if scope else model, last, copied(value))


def copied(value: Any) -> Any:
    """Tensors in containers apart from the originals; anything else by copy.deepcopy."""
    if isinstance(value, torch.Tensor | list | tuple | dict):
        return map_tensors(lambda tensor: plain(tensor).detach().clone(), value)
    return copy.deepcopy(value)


@contextmanager
def unchanged(names: Iterable[str], *models: nn.Module) -> Iterator[None]:
    """Put attributes of these names and all buffers back at the end."""
    names = [*names]
    buffers = [(buffer, buffer.clone()) for model in models for buffer in model.buffers()]
    attributes = [snapshot(model, names) for model in models]
    try:
        yield
    finally:
        for model, values in zip(models, attributes, strict=True):
            put_back(model, values)
        for buffer, value in buffers:
            if not torch.equal(buffer, value):
                buffer.copy_(value)
