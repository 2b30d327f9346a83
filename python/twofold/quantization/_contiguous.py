"""Fake quantization of contiguous float32 tensors on the CPU: the bits of `_arrays`, sooner.

The difference is 7 us a call, in views of tensors that are made on the way.
"""

from math import prod

import numpy as np
import torch
from torch import Tensor

from .. import _twofold
from . import _arrays
from ._torch_path import Integers


def takes(x: Tensor, scale: Tensor) -> bool:
    """Whether these are tensors for this file. x is on the CPU and float32."""
    return (
        x.is_contiguous()
        and x.numel() > 0
        and scale.dtype == torch.float32
        and scale.is_contiguous()
    )


def forward(
    x: Tensor, scale: Tensor, zero_point: Tensor | None, integers: Integers, axis: int
) -> Tensor:
    """y; raises as `_kernels.fake_quantize`."""
    _arrays.check(x, scale, zero_point, axis)
    y, shape = torch.empty_like(x), _shape(x, axis)
    _twofold.fake_quantize(
        _array(x, shape),
        scale.detach().numpy(),
        _zeros(zero_point),
        integers,
        _array(y, shape),
        torch.get_num_threads(),
    )
    return y


def backward(
    y_gradient: Tensor,
    x: Tensor,
    scale: Tensor,
    zero_point: Tensor | None,
    integers: Integers,
    axis: int,
) -> Tensor:
    """The gradient of x. y_gradient is of any layout, float32."""
    gradient, shape = torch.empty_like(x), _shape(x, axis)
    _twofold.fake_quantize_backward(
        _array(y_gradient.contiguous(), shape),
        _array(x, shape),
        scale.detach().numpy(),
        _zeros(zero_point),
        integers,
        _array(gradient, shape),
        torch.get_num_threads(),
    )
    return gradient


def _shape(x: Tensor, axis: int) -> tuple[int, int, int]:
    """Outer, channels, inner."""
    if axis < 0:
        return 1, 1, x.numel()
    return -1, x.shape[axis], prod(x.shape[axis + 1 :])


def _array(t: Tensor, shape: tuple[int, int, int]) -> np.ndarray:
    return t.detach().numpy().reshape(shape)


def _zeros(zero_point: Tensor | None) -> np.ndarray | None:
    return None if zero_point is None else zero_point.numpy().astype(np.int32)
