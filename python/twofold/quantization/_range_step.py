"""What MinMaxObserver does to every tensor in a step of training, with little to call for it.

The scales are those of `Observer.observe`, to the bit: 20 operations of PyTorch on a handful of
numbers take 30 us, as much as looking at 500,000 numbers does.
"""

import math

import torch
from torch import Tensor

from ..dtype import QuantDType
from ._scales import rows, scale_of

# Beyond a half step more than the steps there are, numbers are clipped.
_LESS_THAN_HALF = 0.4


def moved_scale(
    x: Tensor, ch_axis: int, scale: Tensor, dtype: QuantDType, share: float
) -> tuple[Tensor, bool]:
    """The scales, [1] or [C], moved by `share` of the way to those of x; and whether x fits them.

    x: on the CPU, float32, some numbers; scale: without a gradient. x fits where no number is
    clipped, with zero points of 0, nor NaN. Channels with NaN or infinity keep their scale.
    """
    one = _of_one if ch_axis < 0 else _of_channels
    return one(x.detach(), ch_axis, scale, dtype, share)


def _of_one(
    x: Tensor, _axis: int, scale: Tensor, dtype: QuantDType, share: float
) -> tuple[Tensor, bool]:
    largest = max(-x.amin().item(), x.amax().item())
    if not largest < math.inf:
        return scale, False
    # Rounded to float32, the quotient in float64 is that in float32.
    steps = dtype.steps
    smallest = torch.finfo(torch.float32).tiny
    new = torch.full_like(scale, max(largest / steps, smallest) if largest else 1.0)
    moved = _on_the_way(scale, new, share)
    return moved, largest <= moved.item() * (steps + _LESS_THAN_HALF)


def _of_channels(
    x: Tensor, axis: int, scale: Tensor, dtype: QuantDType, share: float
) -> tuple[Tensor, bool]:
    channels = rows(x, axis)
    largest = torch.maximum(-channels.amin(1), channels.amax(1))
    moved = _on_the_way(scale, scale_of(largest, dtype), share)
    if not largest.amax().item() < math.inf:
        return torch.where(largest < math.inf, moved, scale), False
    return moved, share == 1 or bool((largest <= moved * (dtype.steps + _LESS_THAN_HALF)).all())


def _on_the_way(scale: Tensor, new: Tensor, share: float) -> Tensor:
    return new if share == 1 else torch.lerp(scale, new, share)
