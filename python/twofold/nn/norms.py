"""Normalizations with the arguments of torch.nn's, and an axis."""

from typing import Any

import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

__all__ = ["LayerNorm", "SplitLayerNorm"]


class LayerNorm(nn.LayerNorm):
    """torch.nn.LayerNorm; with `dim`, along that one axis instead of the last ones.

    `normalized_shape` then has as many numbers as the axis is long, such as [C, 1, 1] for dim=1 of
    [N, C, H, W]; weight and bias have that shape.
    """

    def __new__(cls, *args: Any, dim: int | None = None, **named: Any) -> "LayerNorm":
        """With `dim`, one that is no single operator of torch.nn."""
        return super().__new__(LayerNormAlong if dim is not None else cls)

    def __init__(self, *args: Any, dim: int | None = None, **named: Any):
        """Arguments of torch.nn.LayerNorm, and the axis."""
        super().__init__(*args, **named)
        self.dim = dim


class LayerNormAlong(LayerNorm):
    """LayerNorm along one axis."""

    def forward(self, x: Tensor) -> Tensor:
        """[...] to [...]."""
        weight = None if self.weight is None else self.weight.flatten()
        bias = None if self.bias is None else self.bias.flatten()
        x = x.movedim(self.dim, -1)
        return F.layer_norm(x, x.shape[-1:], weight, bias, self.eps).movedim(-1, self.dim)


# No norm is taken apart here: what is inside of one stays float32.
SplitLayerNorm = LayerNorm
