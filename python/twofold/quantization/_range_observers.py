"""Observers that need no more than a few numbers of a tensor: they run where the tensor is."""

from typing import Any

import torch

from ._direct import is_possible
from ._observer import Observer
from ._range_step import moved_scale
from ._ranks import sum_over_ranks
from ._scales import rows

__all__ = ["ClipObserver", "ClipStd", "MinMaxObserver"]


class MinMaxObserver(Observer):
    """T is the largest magnitude: PTQ's method `max`."""

    def observe(self, x: torch.Tensor, scale: torch.Tensor | None) -> torch.Tensor | None:
        """As of all observers."""
        if self._is_step_of_training(x, scale):
            scale, fits = moved_scale(x, self.ch_axis, scale, self.dtype, self.step())
            vars(self)["fits"] = fits  # past nn.Module, which looks whether it is a parameter
            return scale
        self.fits = False
        return super().observe(x, scale)

    def _is_step_of_training(self, x: torch.Tensor, scale: torch.Tensor | None) -> bool:
        if scale is None or self.calibrating or self.is_shared or not is_possible(x):
            return False
        channels = 1 if self.ch_axis < 0 else x.shape[self.ch_axis]
        is_range = type(self).threshold is MinMaxObserver.threshold
        return is_range and scale.numel() == channels and x.numel() > 0 and self.step() > 0

    def threshold(self, x: torch.Tensor) -> torch.Tensor:
        """The largest |x|."""
        return self.largest(x)


class ClipObserver(Observer):
    """T is the largest magnitude of the numbers clipped to [xmin, xmax]."""

    def __init__(
        self, xmin: float | None = None, xmax: float | None = None, *common: Any, **named: Any
    ):
        super().__init__(*common, **named)
        if xmin is None or xmax is None or not xmin < xmax:
            raise ValueError(
                f"ClipObserver: xmin is {xmin}, xmax is {xmax}; give both ends of the range that "
                "numbers are clipped to, xmin < xmax"
            )
        self.xmin, self.xmax = xmin, xmax

    def threshold(self, x: torch.Tensor) -> torch.Tensor:
        """The largest |x| behind the clipping."""
        largest = self.largest(x)
        clipped = self.largest(x.detach().clamp(self.xmin, self.xmax))
        return torch.where(largest.isfinite(), clipped, largest)

    def extra_repr(self) -> str:
        """The range, and the averaging constant."""
        return f"xmin={self.xmin},xmax={self.xmax},{super().extra_repr()}"


class ClipStd(Observer):
    """T is the far end of mean ± std_scale standard deviations, and at most the largest |x|."""

    def __init__(self, std_scale: float = 3.0, *common: Any, **named: Any):
        super().__init__(*common, **named)
        if not std_scale > 0:
            raise ValueError(f"ClipStd: std_scale is {std_scale}; it must be above 0")
        self.std_scale = std_scale

    def threshold(self, x: torch.Tensor) -> torch.Tensor:
        """From the mean and the deviation (of the population) of all processes' numbers."""
        numbers = rows(x.detach(), self.ch_axis).double()
        count = numbers.new_full((len(numbers),), numbers.shape[1])
        sums = torch.stack([count, numbers.sum(1), (numbers**2).sum(1)])
        count, total, squares = sum_over_ranks(sums) if self.is_shared else sums
        mean = total / count
        deviation = (squares / count - mean**2).clamp(min=0).sqrt()
        largest = self.largest(x)
        far_end = (mean.abs() + self.std_scale * deviation).float()
        return torch.where(largest.isfinite() & (largest >= 0), far_end.minimum(largest), largest)

    def extra_repr(self) -> str:
        """How many deviations, and the averaging constant."""
        return f"std_scale={self.std_scale},{super().extra_repr()}"
