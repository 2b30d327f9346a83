"""Scales that are given."""

from typing import Any

import torch

from ..dtype import QuantDType, qint8
from ._observer import Observer

__all__ = ["FixedScaleObserver"]


class FixedScaleObserver(Observer):
    """The scale is the given one, to the bit of float32, whatever is seen or loaded.

    `scale` and `zero_point` are numbers, or tensors of one element, or of one per index of
    `ch_axis`.
    """

    def __init__(
        self,
        scale: Any,
        zero_point: Any = 0,
        dtype: QuantDType | str = qint8,
        qscheme: torch.qscheme = torch.per_tensor_symmetric,
        ch_axis: int = -1,
        **named: Any,
    ):
        """Raises ValueError for scales that are not above 0, and for too many of them."""
        super().__init__(0, ch_axis, dtype, qscheme, **named)
        self.scale = torch.as_tensor(scale, dtype=torch.float32).detach().clone().view(-1)
        self.zero_point = torch.as_tensor(zero_point, dtype=torch.int64).detach().clone().view(-1)
        self.zero_point = self.zero_point.expand(self.scale.shape).clone()
        self._check_values()

    def observe(self, x: torch.Tensor, scale: torch.Tensor | None) -> torch.Tensor:
        """The given scale."""
        return self.scale

    def calculate_qparams(self) -> tuple[torch.Tensor, torch.Tensor]:
        """(scale, zero point) as given."""
        return self.scale, self.zero_point

    def extra_repr(self) -> str:
        """Both."""
        return f"scale={self.scale},zero_point={self.zero_point}"

    def _check_values(self) -> None:
        if self.ch_axis < 0 and self.scale.numel() != 1:
            raise ValueError(
                f"FixedScaleObserver: {self.scale.numel()} scales need ch_axis, their axis"
            )
        if not bool((self.scale.isfinite() & (self.scale > 0)).all()):
            raise ValueError(f"FixedScaleObserver: scale is {self.scale}; it must be above 0")
        low, high = self.dtype.min, self.dtype.max
        if not bool(((self.zero_point >= low) & (self.zero_point <= high)).all()):
            raise ValueError(
                f"FixedScaleObserver: zero_point is {self.zero_point}; that of {self.dtype} is "
                f"from {low} to {high}"
            )
        if self.dtype == "ec" and bool(self.zero_point.any()):
            raise ValueError("FixedScaleObserver: ec has no zero point")
