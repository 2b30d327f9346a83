"""Functional calls as modules that the user's model holds: `self.add = FloatFunctional()`."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import torch
from torch import nn

from ..quantization._record.scopes import frames, scope

__all__ = ["FloatFunctional", "take_over"]


def _in_own_scope(method: Callable) -> Callable:
    """The call that it makes belongs to this module, not to the one whose forward is running."""

    @wraps(method)
    def called(self: nn.Module, *args: Any, **kwargs: Any) -> torch.Tensor:
        frames().append(scope(self))
        try:
            return method(self, *args, **kwargs)
        finally:
            frames().pop()

    return called


class FloatFunctional(nn.Module):
    """One functional call as a module, which configs may name. Each instance is for one call.

    Tensors are float32 of shapes that broadcast, as the torch function of the same name takes them.
    """

    # Its calls are in scopes of their own; it has no forward that could be watched.
    has_scope = True

    def forward(self, *_args: Any) -> torch.Tensor:
        """Not called: use a method, such as add."""
        raise RuntimeError(
            "a FloatFunctional is not called itself; call .add, .mul or another method"
        )

    @property
    def activation_post_process(self) -> nn.Module | None:
        """The fake quantizer of the call, in a prepared model."""
        for child in self.children():
            return getattr(child, "activation_post_process", None)
        return None

    @_in_own_scope
    def add(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """x + y."""
        return torch.add(x, y)

    @_in_own_scope
    def sub(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """x - y."""
        return torch.sub(x, y)

    @_in_own_scope
    def mul(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """x y, element by element."""
        return torch.mul(x, y)

    @_in_own_scope
    def matmul(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """The product of matrices [..., m, k] and [..., k, n]."""
        return torch.matmul(x, y)

    @_in_own_scope
    def cat(self, tensors: list[torch.Tensor], dim: int = 0) -> torch.Tensor:
        """Joined along an axis."""
        return torch.cat(tuple(tensors), dim=dim)

    @_in_own_scope
    def sum(self, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        """torch.sum."""
        return torch.sum(x, *args, **kwargs)

    @_in_own_scope
    def mean(self, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        """torch.mean."""
        return torch.mean(x, *args, **kwargs)

    @_in_own_scope
    def add_scalar(self, x: torch.Tensor, y: float) -> torch.Tensor:
        """x + y."""
        return torch.add(x, y)

    @_in_own_scope
    def mul_scalar(self, x: torch.Tensor, y: float) -> torch.Tensor:
        """x y."""
        return torch.mul(x, y)

    @_in_own_scope
    def add_relu(self, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """max(x + y, 0)."""
        return torch.relu(torch.add(x, y))


def take_over(model: nn.Module) -> None:
    """Make torch's FloatFunctionals in a model ours, in their places."""
    for module in model.modules():
        if type(module) is torch.ao.nn.quantized.FloatFunctional:
            module._modules.pop("activation_post_process", None)
            module.__class__ = FloatFunctional
