"""Fake quantization as operators of PyTorch, which autograd, AMP and torch.compile know.

    q = saturate(round_half_even(x / scale) + zero_point)
    y = (q - zero_point) * scale

in float32, to the bit (docs/numerics.md, rules 1 and 3), whatever the device: the C++ kernel on the
CPU, operations of PyTorch elsewhere. Floats of other types are computed in float32 and cast back,
but under autocast y is float32, as of torch.fake_quantize_per_tensor_affine. y lies in memory as x
does, channels last say.

axis is -1, and scale has one element; or that of the channels, each of which has a scale. The
gradient of x is that of y where x is rounded, and 0 where it is clipped or NaN.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from . import _arrays, _direct
from ._torch_path import Integers


def fake_quantize(
    x: Tensor,
    scale: Tensor,
    zero_point: Tensor | None,
    qmin: int,
    qmax: int,
    axis: int = -1,
    *,
    fits: bool = False,
) -> Tensor:
    """Fake quantization to the integers from qmin to qmax; x's shape and type.

    x: of any shape. scale: float32 [1] or [channels], positive; it gets no gradient. zero_point:
    int32 or int64 of scale's shape, from qmin to qmax, or None for 0. fits: the caller knows that
    zero points are 0, nothing is clipped and nothing is NaN; then the gradient is y's own.
    Raises ValueError where a shape does not fit, and on the CPU twofold.Error where a scale or zero
    point is out of range.
    """
    return _called(x, scale, zero_point, (qmin, qmax), axis, None, fits)


def fake_quantize_learned(
    x: Tensor,
    scale: Tensor,
    zero_point: Tensor | None,
    qmin: int,
    qmax: int,
    axis: int = -1,
    grad_factor: float = 1.0,
) -> Tensor:
    """As fake_quantize, with a gradient for scale too (learned step size, Esser et al. 2020).

    That of a scale is grad_factor times the sum over its elements of y's gradient times
    q - zero_point - x / scale, or q - zero_point where x is clipped.
    """
    return _called(x, scale, zero_point, (qmin, qmax), axis, grad_factor)


def fake_quantize_ec(x: Tensor, scale: Tensor, axis: int = -1, *, fits: bool = False) -> Tensor:
    """Fake quantization to two int8 digits; scale is that of the first one."""
    return _called(x, scale, None, None, axis, None, fits)


def _called(
    x: Tensor,
    scale: Tensor,
    zero_point: Tensor | None,
    integers: Integers,
    axis: int,
    grad_factor: float | None,
    fits: bool = False,
) -> Tensor:
    if _direct.is_possible(x):
        return _direct.apply(x, scale, (zero_point, integers, axis, grad_factor, fits))
    return torch.ops.twofold.fake_quantize(x, scale, zero_point, integers, axis, grad_factor)


# The operators: the function with the path of the device, and what is known without numbers.


def _forward_op(x: Tensor, *grid: Any) -> Tensor:
    return _arrays.forward(_arrays.path_of(x), x, *grid[:-1])  # all but grad_factor


def _backward_op(y_gradient: Tensor, x: Tensor, *grid: Any) -> Tensor:
    return _arrays.backward(_arrays.path_of(x), y_gradient, x, *grid)


def _learned_backward_op(y_gradient: Tensor, x: Tensor, *grid: Any) -> tuple[Tensor, Tensor]:
    return _arrays.learned_backward(_arrays.path_of(x), y_gradient, x, *grid)


def _fake_forward(
    x: Tensor, scale: Tensor, zero_point: Tensor | None, integers: Any, axis: int, *_: Any
) -> Tensor:
    _arrays.check(x, scale, zero_point, axis)
    return torch.empty_like(x)


def _fake_backward(y_gradient: Tensor, x: Tensor, *_: Any) -> Tensor:
    return torch.empty_like(x)


def _fake_learned_backward(
    y_gradient: Tensor, x: Tensor, scale: Tensor, *_: Any
) -> tuple[Tensor, Tensor]:
    return torch.empty_like(x), torch.empty_like(scale)


def _save(ctx: Any, inputs: tuple, output: Tensor) -> None:
    x, scale, zero_point, ctx.integers, ctx.axis, ctx.grad_factor = inputs
    ctx.save_for_backward(x, scale, zero_point)


def _gradients(ctx: Any, y_gradient: Tensor) -> tuple[Tensor | None, ...]:
    arguments = (y_gradient, *ctx.saved_tensors, ctx.integers, ctx.axis)
    scale_gradient = None
    if ctx.grad_factor is None or not ctx.needs_input_grad[1]:
        gradient = torch.ops.twofold.fake_quantize_backward(*arguments)
    else:
        gradient, scale_gradient = torch.ops.twofold.fake_quantize_learned_backward(
            *arguments, ctx.grad_factor
        )
    return gradient, scale_gradient, None, None, None, None


_library = torch.library.Library("twofold", "FRAGMENT")


def _define(name: str, schema: str, compute: Callable, fake: Callable) -> None:
    _library.define(f"{name}{schema}", tags=(torch.Tag.pt2_compliant_tag,))
    _library.impl(name, compute, "CompositeExplicitAutograd")
    torch.library.register_fake(f"twofold::{name}", fake, lib=_library)


# `integers` are the lowest and the highest, or None for ec; without grad_factor scale has no
# gradient.
_GRID = "Tensor x, Tensor scale, Tensor? zero_point, int[]? integers, int axis"
_define("fake_quantize", f"({_GRID}, float? grad_factor) -> Tensor", _forward_op, _fake_forward)
_define(
    "fake_quantize_backward",
    f"(Tensor y_gradient, {_GRID}) -> Tensor",
    _backward_op,
    _fake_backward,
)
_define(
    "fake_quantize_learned_backward",
    f"(Tensor y_gradient, {_GRID}, float grad_factor) -> (Tensor, Tensor)",
    _learned_backward_op,
    _fake_learned_backward,
)
torch.library.register_autograd(
    "twofold::fake_quantize", _gradients, setup_context=_save, lib=_library
)
for _device in ("cpu", "cuda"):
    torch.library.register_autocast("twofold::fake_quantize", _device, torch.float32, lib=_library)
