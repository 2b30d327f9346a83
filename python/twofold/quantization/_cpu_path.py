"""Fake quantization by the C++ kernel, which reads and writes the tensors' memory.

Arguments are those of `_torch_path`, on the CPU. Scales are checked: twofold.Error tells of one
that is not positive, and of a zero point out of range.
"""

import numpy as np
import torch
from torch import Tensor

from .. import _twofold
from ._torch_path import Integers


def forward(
    x: Tensor, scale: Tensor, zero_point: Tensor | None, integers: Integers, y: Tensor
) -> None:
    """Write to y what x stands for once it is quantized."""
    _twofold.fake_quantize(
        x.numpy(), scale.numpy(), _zeros(zero_point), integers, y.numpy(), torch.get_num_threads()
    )


def backward(
    y_gradient: Tensor,
    x: Tensor,
    scale: Tensor,
    zero_point: Tensor | None,
    integers: Integers,
    x_gradient: Tensor,
) -> None:
    """Write the straight-through gradient."""
    _twofold.fake_quantize_backward(
        y_gradient.numpy(),
        x.numpy(),
        scale.numpy(),
        _zeros(zero_point),
        integers,
        x_gradient.numpy(),
        torch.get_num_threads(),
    )


def learned_backward(
    y_gradient: Tensor,
    x: Tensor,
    scale: Tensor,
    zero_point: Tensor | None,
    integers: Integers,
    factor: float,
    x_gradient: Tensor,
    scale_gradient: Tensor,
) -> None:
    """Write the straight-through gradient, and that of the scales."""
    _twofold.fake_quantize_learned_backward(
        y_gradient.numpy(),
        x.numpy(),
        scale.numpy(),
        _zeros(zero_point),
        integers,
        factor,
        x_gradient.numpy(),
        scale_gradient.numpy(),
        torch.get_num_threads(),
    )


def _zeros(zero_point: Tensor | None) -> np.ndarray | None:
    return None if zero_point is None else zero_point.numpy()
