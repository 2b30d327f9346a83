"""Fake quantization of tensors in whatever type and memory layout, by one of the paths of devices.

`path` is a module with the functions of `_torch_path`, which take dense float32 arrays [outer,
channels, inner]; here tensors become such, without a copy where they are dense. Other arguments are
those of the operators in `_kernels`.
"""

from types import ModuleType

import torch
from torch import Tensor

from . import _cpu_path, _torch_path
from ._torch_path import Integers


def path_of(x: Tensor) -> ModuleType:
    """That of its device."""
    return _cpu_path if x.is_cpu else _torch_path


def dense(t: Tensor, like: Tensor) -> Tensor:
    """The numbers as float32, in memory as `like`, which is dense: the tensor itself if it is."""
    if t.dtype == torch.float32 and t.stride() == like.stride():
        return t.detach()
    return torch.empty_like(like, dtype=torch.float32).copy_(t)


def view(t: Tensor, axis: int) -> Tensor:
    """A dense tensor as [outer, channels, inner], in the order that it has in memory."""
    if axis < 0 or t.size(axis) == 1:
        return t.as_strided((1, 1, t.numel()), (t.numel(), t.numel(), 1))
    channels, inner = t.size(axis), t.stride(axis)
    return t.as_strided(
        (t.numel() // (channels * inner), channels, inner), (channels * inner, inner, 1)
    )


def _scales(scale: Tensor) -> Tensor:
    return scale.detach().to(torch.float32).contiguous()


def _zeros(zero_point: Tensor | None) -> Tensor | None:
    return None if zero_point is None else zero_point.to(torch.int32).contiguous()


def check(x: Tensor, scale: Tensor, zero_point: Tensor | None, axis: int) -> None:
    """Raises TypeError and ValueError where arguments do not fit."""
    if not x.is_floating_point():
        raise TypeError(f"fake quantization is of floats, and x is {x.dtype}")
    if not -1 <= axis < x.dim():
        raise ValueError(f"a tensor of shape {tuple(x.shape)} has no axis {axis}; -1 is for all")
    expected = (1 if axis < 0 else x.shape[axis],)
    for name, t in (("scale", scale), ("zero_point", zero_point)):
        if t is not None and t.shape != expected:
            raise ValueError(
                f"{name} has the shape {tuple(t.shape)}; for axis {axis} of a tensor of shape "
                f"{tuple(x.shape)} it is {expected}"
            )


def forward(
    path: ModuleType,
    x: Tensor,
    scale: Tensor,
    zero_point: Tensor | None,
    integers: Integers,
    axis: int,
) -> Tensor:
    """y, in x's type; raises as `_kernels.fake_quantize`."""
    check(x, scale, zero_point, axis)
    y = torch.empty_like(x, dtype=torch.float32)
    if y.numel():
        path.forward(
            view(dense(x, y), axis), _scales(scale), _zeros(zero_point), integers, view(y, axis)
        )
    return y.to(x.dtype)


def backward(
    path: ModuleType,
    y_gradient: Tensor,
    x: Tensor,
    scale: Tensor,
    zero_point: Tensor | None,
    integers: Integers,
    axis: int,
) -> Tensor:
    """The gradient of x."""
    gradient = torch.empty_like(x, dtype=torch.float32)
    if gradient.numel():
        path.backward(
            view(dense(y_gradient, gradient), axis),
            view(dense(x, gradient), axis),
            _scales(scale),
            _zeros(zero_point),
            integers,
            view(gradient, axis),
        )
    return gradient.to(x.dtype)


def learned_backward(
    path: ModuleType,
    y_gradient: Tensor,
    x: Tensor,
    scale: Tensor,
    zero_point: Tensor | None,
    integers: Integers,
    axis: int,
    grad_factor: float,
) -> tuple[Tensor, Tensor]:
    """The gradients of x and of scale."""
    gradient = torch.empty_like(x, dtype=torch.float32)
    scale_gradient = torch.zeros_like(scale, dtype=torch.float32)
    if gradient.numel():
        path.learned_backward(
            view(dense(y_gradient, gradient), axis),
            view(dense(x, gradient), axis),
            _scales(scale),
            _zeros(zero_point),
            integers,
            grad_factor,
            view(gradient, axis),
            scale_gradient,
        )
    return gradient.to(x.dtype), scale_gradient.to(scale.dtype)
