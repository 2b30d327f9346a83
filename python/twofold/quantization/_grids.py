"""The integers that float numbers become (docs/numerics.md, rules 1 and 3), by torch operations."""

from typing import Any

import torch

from ..dtype import QuantDType, ec, qint8
from ._scales import along

__all__ = ["integers_of"]


def integers_of(
    x: torch.Tensor, scale: torch.Tensor, zero_point: torch.Tensor, dtype: QuantDType, ch_axis: int
) -> torch.Tensor:
    """Numbers of any shape as int32; as `ec` 254 q1 + q2. Scales are [1] or, along ch_axis, [C]."""
    x = x.detach().float()
    scale = along(scale.detach(), ch_axis, x.dim())
    if dtype != ec:
        return _steps(x, scale, along(zero_point, ch_axis, x.dim()), dtype)
    first = _steps(x, scale, 0, qint8)
    rest = scale / torch.full_like(scale, 254)
    return 254 * first + _steps(x - first * scale, rest, 0, qint8)


def _steps(
    x: torch.Tensor, scale: torch.Tensor, zero_point: Any, dtype: QuantDType
) -> torch.Tensor:
    steps = torch.round(x / scale).nan_to_num(nan=0, posinf=torch.inf, neginf=-torch.inf)
    return (steps + zero_point).clamp(dtype.min, dtype.max).to(torch.int32)
