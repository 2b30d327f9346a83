"""Resizing as a module."""

from torch import nn

__all__ = ["Interpolate"]


class Interpolate(nn.Upsample):
    """torch.nn.functional.interpolate with its arguments: [N, C, ...] to [N, C, ...].

    `size`, `scale_factor`, `mode` ("nearest"), `align_corners` and `recompute_scale_factor`.
    """
