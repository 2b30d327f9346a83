"""Values between the places of an image."""

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from ..quantization._ops import add_module_type, bind_function
from ..quantization._ops.op import Bound

__all__ = ["GridSample", "warp"]


class GridSample(nn.Module):
    """torch.nn.functional.grid_sample as a module. Setters give its grid 16 bits."""

    def __init__(
        self,
        mode: str = "bilinear",
        padding_mode: str = "zeros",
        align_corners: bool | None = None,
    ):
        """As arguments of grid_sample."""
        super().__init__()
        self.mode, self.padding_mode, self.align_corners = mode, padding_mode, align_corners

    def forward(self, x: Tensor, grid: Tensor) -> Tensor:
        """[N, C, H, W] and places [N, H', W', 2] as (x, y) in [-1, 1] to [N, C, H', W']."""
        return F.grid_sample(x, grid, self.mode, self.padding_mode, self.align_corners)


def _bind(module: GridSample, x: Tensor, grid: Tensor) -> Bound:
    arguments = (x, grid, module.mode, module.padding_mode, module.align_corners)
    return bind_function(F.grid_sample, arguments, {})[1]


add_module_type("grid_sample", GridSample, _bind)


def warp(
    x: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Tensor:
    """An image along a field of offsets: each result is taken from its own place plus the offset.

    `x` is [N, C, H, W], `grid` [N, H', W', 2] with offsets (right, down) in pixels of `x`; the
    result is [N, C, H', W']. All else as in torch.nn.functional.grid_sample.
    """
    height, width = x.shape[-2:]
    options = {"dtype": torch.float32, "device": grid.device}
    down = torch.arange(grid.shape[1], **options).view(-1, 1).expand(*grid.shape[1:3])
    right = torch.arange(grid.shape[2], **options).expand(*grid.shape[1:3])
    if align_corners:
        step = torch.tensor([2 / max(width - 1, 1), 2 / max(height - 1, 1)], **options)
        start = torch.tensor([-1.0, -1.0], **options)
    else:
        step = torch.tensor([2 / width, 2 / height], **options)
        start = step / 2 - 1
    places = torch.stack([right, down], -1) * step + start
    return F.grid_sample(x, grid * step + places, mode, padding_mode, align_corners)
