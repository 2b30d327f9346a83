"""Fake quantization in operations of PyTorch: the bits of the C++ kernel, on any device.

Arrays are dense float32 tensors [outer, channels, inner]. Divisors are tensors of the device
throughout: on CUDA PyTorch multiplies by the reciprocal of a number instead of dividing by it,
which rounds otherwise.
"""

import torch
from torch import Tensor

# Lowest and highest; None: the two digits of ec.
Integers = tuple[int, int] | None

_EC_BASE = 254.0


def forward(
    x: Tensor, scale: Tensor, zero_point: Tensor | None, integers: Integers, y: Tensor
) -> None:
    """Write to y what x stands for once it is quantized."""
    scale = _column(scale)
    if integers is None:
        first, second, fine = _ec_digits(x, scale)
        torch.mul(first.mul_(_EC_BASE).add_(_saturated(second, -128.0, 127.0)), fine, out=y)
    else:
        rounded = torch.round(x / scale)
        torch.mul(_saturated(rounded, *_limits(integers, zero_point)), scale, out=y)


def backward(
    y_gradient: Tensor,
    x: Tensor,
    scale: Tensor,
    zero_point: Tensor | None,
    integers: Integers,
    x_gradient: Tensor,
) -> None:
    """Write the straight-through gradient."""
    scale = _column(scale)
    if integers is None:
        rounded, limits = _ec_digits(x, scale)[1], (-128.0, 127.0)
    else:
        rounded, limits = torch.round(x / scale), _limits(integers, zero_point)
    x_gradient.copy_(torch.where(_saturated(rounded, *limits) == rounded, y_gradient, 0.0))


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
    """Write the straight-through gradient, and that of the scales.

    The terms of the latter's sum have the kernel's bits; the order in which they are added up, in
    float64, is the device's own.
    """
    steps = x / _column(scale)
    rounded = torch.round(steps)
    q = _saturated(rounded, *_limits(integers, zero_point))
    inside = q == rounded
    x_gradient.copy_(torch.where(inside, y_gradient, 0.0))
    terms = torch.where(inside, q - steps, q).mul_(y_gradient)
    scale_gradient.copy_(terms.sum(dim=(0, 2), dtype=torch.float64).mul_(factor))


def _column(scale: Tensor) -> Tensor:
    return scale[:, None]


def _limits(
    integers: tuple[int, int], zero_point: Tensor | None
) -> tuple[Tensor, Tensor] | tuple[float, float]:
    low, high = integers
    if zero_point is None:
        return float(low), float(high)
    zero = _column(zero_point).to(torch.float32)
    return low - zero, high - zero


def _saturated(rounded: Tensor, low: Tensor | float, high: Tensor | float) -> Tensor:
    # NaN is 0 steps; an infinity becomes large enough to saturate. Integers have no -0, which
    # round() gives: -0 + 0 is 0.
    return rounded.nan_to_num().clamp_(low, high).add_(0.0)


def _ec_digits(x: Tensor, scale: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The first digit, the second one before it saturates, and the second one's scale."""
    fine = scale / torch.full_like(scale, _EC_BASE)
    first = _saturated(torch.round(x / scale), -128.0, 127.0)
    return first, torch.round((x - first * scale) / fine), fine
