"""Functions as modules that a model may hold, to be named in configs: each is one operator."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ..quantization._ops import add_module_type, bind_function
from ..quantization._ops.op import Bound

__all__ = ["Cos", "Div", "Exp", "HardLog", "Matmul", "Reciprocal", "Sin"]


class Exp(nn.Module):
    """e to the power of x."""

    def forward(self, x: Tensor) -> Tensor:
        """[...] to [...]."""
        return torch.exp(x)


class Reciprocal(nn.Module):
    """1 / x."""

    def forward(self, x: Tensor) -> Tensor:
        """[...] to [...]."""
        return torch.reciprocal(x)


class HardLog(nn.Module):
    """The natural logarithm of x: torch.log, minus infinity at 0."""

    def forward(self, x: Tensor) -> Tensor:
        """[...] to [...]."""
        return torch.log(x)


class Sin(nn.Module):
    """The sine of x, in radians. `single_period` has no effect: all x have the same accuracy."""

    def __init__(self, single_period: bool = False):
        """`single_period`: whether x stays within one period."""
        super().__init__()
        self.single_period = single_period

    def forward(self, x: Tensor) -> Tensor:
        """[...] to [...]."""
        return torch.sin(x)


class Cos(nn.Module):
    """The cosine of x, in radians. `single_period` has no effect: all x have the same accuracy."""

    def __init__(self, single_period: bool = False):
        """`single_period`: whether x stays within one period."""
        super().__init__()
        self.single_period = single_period

    def forward(self, x: Tensor) -> Tensor:
        """[...] to [...]."""
        return torch.cos(x)


class Div(nn.Module):
    """x / y, of shapes that broadcast."""

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """[...] and [...] to their broadcast shape."""
        return torch.div(x, y)


class Matmul(nn.Module):
    """The product of matrices."""

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """[..., m, k] and [..., k, n] to [..., m, n]."""
        return torch.matmul(x, y)


def _as_call_of(function: Callable) -> Callable[..., Bound]:
    def bind_unary(_module: nn.Module, x: Any) -> Bound:
        return bind_function(function, (x,), {})[1]

    return bind_unary


def _as_call_of_two(function: Callable) -> Callable[..., Bound]:
    def bind_binary(_module: nn.Module, x: Any, y: Any) -> Bound:
        return bind_function(function, (x, y), {})[1]

    return bind_binary


add_module_type("exp", Exp, _as_call_of(torch.exp))
add_module_type("reciprocal", Reciprocal, _as_call_of(torch.reciprocal))
add_module_type("log", HardLog, _as_call_of(torch.log))
add_module_type("sin", Sin, _as_call_of(torch.sin))
add_module_type("cos", Cos, _as_call_of(torch.cos))
add_module_type("div", Div, _as_call_of_two(torch.div))
add_module_type("matmul", Matmul, _as_call_of_two(torch.matmul))
