"""Calls on the tensors that followed ones stand for."""

from collections.abc import Callable, Mapping
from typing import Any

import torch

from ...qtensor import plain
from .tree import map_tensors


def call_plain(func: Callable, args: tuple, kwargs: Mapping[str, Any]) -> Any:
    """The call on plain tensors."""
    with torch._C.DisableTorchFunctionSubclass():
        return func(*map_tensors(plain, args), **map_tensors(plain, dict(kwargs)))
