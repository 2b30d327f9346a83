"""Scales from thresholds, as docs/numerics.md, rule 2 has them, and the axis they lie along."""

import torch

from ..dtype import QuantDType

__all__ = ["along", "rows", "scale_of"]


def scale_of(threshold: torch.Tensor, dtype: QuantDType) -> torch.Tensor:
    """The scales of symmetric ranges: float32, threshold / steps; 1 where the threshold is 0."""
    # By a tensor: with a number, CUDA would multiply by its reciprocal, which rounds otherwise.
    scale = threshold / torch.full_like(threshold, dtype.steps)
    smallest = torch.finfo(torch.float32).tiny
    return torch.where(threshold == 0, torch.ones_like(scale), scale.clamp(min=smallest))


def rows(x: torch.Tensor, ch_axis: int) -> torch.Tensor:
    """A tensor as [C, numbers of the channel]; C is 1 where ch_axis is -1."""
    if ch_axis < 0:
        return x.reshape(1, -1)
    if ch_axis == 0 and x.dim() > 1:
        return x.flatten(1)
    return x.movedim(ch_axis, 0).unsqueeze(-1).flatten(1)


def along(values: torch.Tensor, ch_axis: int, rank: int) -> torch.Tensor:
    """[C] values in a shape that broadcasts along one axis of `rank`; as they are for axis -1."""
    if ch_axis < 0:
        return values
    return values.view([-1 if axis == ch_axis else 1 for axis in range(rank)])
