"""Fake quantization of plain tensors on the CPU without PyTorch's dispatcher, whose ways are long.

What the operators of `_kernels` do, to the bit, where nobody needs to see the operators: they take
60 us more for forward and backward, as long as a tensor of 100,000 numbers.
"""

from typing import Any

import torch
from torch import Tensor

from . import _arrays, _contiguous, _cpu_path
from ._torch_path import Integers

_Grid = tuple[Tensor, Tensor, Tensor | None, Integers, int]


def is_possible(t: Tensor) -> bool:
    """Whether this is a tensor of numbers on the CPU, and nobody watches, traces or compiles."""
    return (
        type(t) in (Tensor, torch.nn.Parameter)
        and t.dtype == torch.float32  # others are what autocast decides on
        and t.is_cpu
        and not torch.compiler.is_compiling()
        and not torch.jit.is_tracing()
        and not t.is_neg()  # memory that holds the numbers negated: the imaginary part of a conj()
        and torch._C._len_torch_dispatch_stack() == 0
        and not torch._C._are_functorch_transforms_active()
    )


# The operator's zero point, integers, axis and grad_factor, and whether x fits.
Options = tuple[Tensor | None, Integers, int, float | None, bool]


class Function(torch.autograd.Function):
    """x that is known to fit has no clipped number, no NaN, and zero points of 0.

    Zero points are among the options, since each argument that is a tensor takes its time.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor, options: Options) -> Tensor:
        """y, float32."""
        ctx.save_for_backward(x, scale)
        ctx.options = options
        zero_point, integers, axis, _, fits = options
        if fits:
            zero_point = None
        if _contiguous.takes(x, scale, zero_point, axis):
            return _contiguous.forward(x, scale, zero_point, integers, axis)
        return _arrays.forward(_cpu_path, x, scale, zero_point, integers, axis)

    @staticmethod
    def backward(ctx: Any, y_gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of x, and of scale where it is learned."""
        zero_point, integers, axis, grad_factor, fits = ctx.options
        if fits:
            return y_gradient, None, None
        grid = *ctx.saved_tensors, zero_point, integers, axis
        # With create_graph the operators say that they have no second derivative.
        is_seen = torch.is_grad_enabled() or not is_possible(y_gradient)
        if grad_factor is not None and ctx.needs_input_grad[1]:
            return *_learned(y_gradient, grid, grad_factor, is_seen), None
        return _straight(y_gradient, grid, is_seen), None, None


# Past the part of Function.apply that is about functorch, whose transforms `is_possible` excludes.
apply = super(torch.autograd.Function, Function).apply


def _straight(y_gradient: Tensor, grid: _Grid, is_seen: bool) -> Tensor:
    if is_seen:
        return torch.ops.twofold.fake_quantize_backward(y_gradient, *grid)
    x, scale, zero_point, _, axis = grid
    if _contiguous.takes(x, scale, zero_point, axis):
        return _contiguous.backward(y_gradient, *grid)
    return _arrays.backward(_cpu_path, y_gradient, *grid)


def _learned(
    y_gradient: Tensor, grid: _Grid, grad_factor: float, is_seen: bool
) -> tuple[Tensor, Tensor]:
    if is_seen:
        return torch.ops.twofold.fake_quantize_learned_backward(y_gradient, *grid, grad_factor)
    x, scale, zero_point, _, axis = grid
    if _contiguous.takes(x, scale, zero_point, axis):
        return _contiguous.learned_backward(y_gradient, *grid, grad_factor)
    return _arrays.learned_backward(_cpu_path, y_gradient, *grid, grad_factor)
