"""Fake quantization of contiguous float32 tensors on the CPU: the bits of `_arrays`, sooner.

The kernel gets addresses: the views and arrays of tensors that are made on the way else take longer
than the numbers of a small tensor.
"""

from math import prod

import torch
from torch import Tensor

from .. import _twofold
from ._torch_path import Integers


def takes(x: Tensor, scale: Tensor, zero_point: Tensor | None, axis: int) -> bool:
    """Whether these are tensors for this file, and fit. x is on the CPU and float32.

    Each function raises as `_kernels.fake_quantize` for scales and zero points out of range.
    """
    if not x.is_contiguous() or x.numel() == 0 or axis >= x.dim():
        return False
    expected = 1 if axis < 0 else x.shape[axis]
    if zero_point is not None and not _is_vector(zero_point, torch.int64, expected):
        return False
    return _is_vector(scale, torch.float32, expected)


def forward(
    x: Tensor, scale: Tensor, zero_point: Tensor | None, integers: Integers, axis: int
) -> Tensor:
    """y."""
    y = torch.empty_like(x)
    _twofold.fake_quantize_at(
        x.data_ptr(),
        *_grid(x, scale, zero_point, integers, axis),
        y.data_ptr(),
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
    gradient, y_gradient = torch.empty_like(x), y_gradient.contiguous()
    _twofold.fake_quantize_backward_at(
        y_gradient.data_ptr(),
        x.data_ptr(),
        *_grid(x, scale, zero_point, integers, axis),
        gradient.data_ptr(),
        torch.get_num_threads(),
    )
    return gradient


def learned_backward(
    y_gradient: Tensor,
    x: Tensor,
    scale: Tensor,
    zero_point: Tensor | None,
    integers: Integers,
    axis: int,
    grad_factor: float,
) -> tuple[Tensor, Tensor]:
    """The gradients of x and of scale."""
    gradient, scale_gradient = torch.empty_like(x), torch.empty_like(scale)
    y_gradient = y_gradient.contiguous()
    _twofold.fake_quantize_learned_backward_at(
        y_gradient.data_ptr(),
        x.data_ptr(),
        *_grid(x, scale, zero_point, integers, axis),
        grad_factor,
        gradient.data_ptr(),
        scale_gradient.data_ptr(),
        torch.get_num_threads(),
    )
    return gradient, scale_gradient


def _is_vector(values: Tensor, dtype: torch.dtype, size: int) -> bool:
    return (
        values.shape == (size,)
        and values.dtype == dtype
        and values.is_cpu
        and values.is_contiguous()
    )


def _grid(
    x: Tensor, scale: Tensor, zero_point: Tensor | None, integers: Integers, axis: int
) -> tuple[int, int, int, int, int, Integers]:
    """Outer, channels, inner; where the scales and zero points are; the integers."""
    shape = x.shape
    sizes = (
        (1, 1, x.numel())
        if axis < 0
        else (prod(shape[:axis]), shape[axis], prod(shape[axis + 1 :]))
    )
    zeros = 0 if zero_point is None else zero_point.data_ptr()
    return *sizes, scale.data_ptr(), zeros, integers
