"""Models that are quantized as a whole: all that comes in is followed, without QuantStubs."""

from typing import Any

import torch

from ...qtensor import QTensor, wrap
from .tree import map_tensors


def follow_inputs(model: torch.nn.Module) -> None:
    """Let the model's functional calls be followed from its inputs on."""
    model.follows_inputs = True
    model.register_forward_pre_hook(_wrap_inputs, with_kwargs=True)


def follows_inputs(model: torch.nn.Module) -> bool:
    """Whether it has been told so."""
    return getattr(model, "follows_inputs", False)


def _wrap_inputs(_module: torch.nn.Module, args: tuple, kwargs: dict[str, Any]) -> tuple:
    return map_tensors(_wrapped, args), map_tensors(_wrapped, kwargs)


def _wrapped(tensor: torch.Tensor) -> QTensor:
    return tensor if isinstance(tensor, QTensor) else wrap(tensor)
