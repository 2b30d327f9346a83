"""Where the quantized part of a model begins and ends."""

from typing import Any

import torch
from torch import nn

__all__ = ["DeQuantStub", "QuantStub"]


class QuantStub(nn.Module):
    """The quantized part begins: the tensor is quantized here.

    `scale`, a number or a float32 tensor, and `zero_point` make a fixed scale, which is kept
    exactly as given; without them the scale is observed. `qconfig` as any module's.
    """

    def __init__(self, scale: Any = None, zero_point: Any = None, qconfig: Any = None):
        """All may be left out."""
        super().__init__()
        self.scale = None if scale is None else torch.as_tensor(scale, dtype=torch.float32).view(-1)
        self.zero_point = (
            None if zero_point is None else torch.as_tensor(zero_point, dtype=torch.int64).view(-1)
        )
        if qconfig is not None:
            self.qconfig = qconfig

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The tensor itself, in a float model."""
        return x


class DeQuantStub(nn.Module):
    """The quantized part ends: what comes out is a plain float tensor."""

    def __init__(self, qconfig: Any = None):
        """`qconfig` may be left out."""
        super().__init__()
        if qconfig is not None:
            self.qconfig = qconfig

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The tensor itself."""
        return x
