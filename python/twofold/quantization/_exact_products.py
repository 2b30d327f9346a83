"""Products of integers in float64, on any device that has it (docs/numerics.md, rules 4 and 5).

Integers below 2^53 are exact in float64, and so is every sum of them in whatever order it is made,
with fused multiply-adds or without: as long as products are summed as they stand. Transforms (FFT,
Winograd) do not, so that cuDNN, which has some for float64, is left out: PyTorch's own convolutions
gather windows and multiply matrices, or sum up in a loop. TF32 and the like concern float32 alone.
"""

from math import inf, prod
from threading import Lock
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ..dtype import QuantDType, ec, qint4, qint8, qint16
from ..nn._operator import OUTPUT, Operator
from ..qtensor import QTensor, plain
from ._ops.einsum import contraction
from ._ops.op import Bound
from ._ops.products import weight_axis
from ._scales import along

# A factor less its zero point is at most 2^16, a bias at most 2^52 steps: with as many products in
# a sum none passes 2^53.
_MOST_PRODUCTS = 2**20
_MOST_BIAS = 2.0**52
_LARGEST_INT32 = 2.0**31 - 1
_SMALLEST_NORMAL = torch.finfo(torch.float32).tiny
_EC_BASE = 254.0


class _NoCudnn:
    """A context without cuDNN, which is on or off for all threads: until the last has left."""

    def __init__(self) -> None:
        self._lock, self._inside, self._was_on = Lock(), 0, True

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._was_on = torch.backends.cudnn.enabled
                torch.backends.cudnn.enabled = False
            self._inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0:
                torch.backends.cudnn.enabled = self._was_on


_NO_CUDNN = _NoCudnn()


class _Factor(NamedTuple):
    """One of both factors: integers less their zero point, float64, and what one of them is.

    `step` is float32, [1] or one per output channel; `scale` is that of the first digit of ec, and
    else the step.
    """

    integers: Tensor
    step: Tensor
    scale: Tensor
    dtype: QuantDType


def product(operator: Operator, bound: Bound) -> Tensor | None:
    """What a product gives in the exported model, to the bit; float32, on the output's grid.

    None where that is not computed from such sums: a factor is float, or the engine computes more
    than one product and what the output is rounded by.
    """
    if not _is_single(operator):
        return None
    first, second, *rest = bound.inputs
    if _products_of_a_sum(operator.op_name, first, second, bound) > _MOST_PRODUCTS:
        return None
    a, b = _factor(operator, 0, first), _factor(operator, 1, second)
    if a is None or b is None or a.step.numel() > 1:
        return None
    bias = rest[0] if rest else None
    if isinstance(bias, QTensor):
        return None
    steps = torch.zeros(1, dtype=torch.float64, device=a.step.device)
    if bias is not None:
        steps = _bias_steps(bias, a, b)
        if not (steps.abs() < _MOST_BIAS).all():
            return None
    with _NO_CUDNN:
        sums = operator.op.compute([a.integers, b.integers, *[None] * len(rest)], bound.attributes)
    unit = a.step.double() * b.step.double()
    axis = _channel_axis(operator.op_name, sums, second)
    steps, unit = (_beside(values, axis, sums) for values in (steps, unit))
    # A zero is added where there is no bias: 0 * -5 is -0, which no integer is.
    return _stored(operator, sums + steps, unit, _is_reshaped(operator.op_name, first, second))


def _is_single(operator: Operator) -> bool:
    """Whether it is one product in ONNX, whose sums are what is rounded."""
    output = operator._modules.get(OUTPUT)
    if output is not None and output.dtype not in (qint8, qint16, torch.float32):
        return False
    # What is fused behind an einsum may stand behind changes of its shape, or not.
    is_known = operator.op_name != "einsum" or operator.clamp is None
    return is_known and operator.op_name not in ("addmm", "baddbmm")


def _is_reshaped(op_name: str, first: Tensor, second: Tensor) -> bool:
    """Whether the result is, in ONNX, in front of what is fused behind."""
    if op_name == "linear":
        return first.dim() != 2
    return op_name.startswith("conv") and first.dim() != second.dim()


def _factor(operator: Operator, position: int, tensor: Tensor) -> _Factor | None:
    """An input as its integers; None where it has none, or such as only the file can say."""
    quantizer = operator.quantizer_of(position)
    if quantizer is None or quantizer.dtype == torch.float32:
        quantizer = getattr(tensor, "_quantizer", None)
    if quantizer is None or not quantizer.is_integer:
        return None
    quantizer.check_scale()
    is_constant = position == 1 and not isinstance(tensor, QTensor)
    known = {qint8, qint16}
    if is_constant:
        known |= {qint4, ec}
    elif not operator.op_name.startswith("conv"):
        known.add(ec)
    scale, x = quantizer.scale.detach(), plain(tensor).detach()
    if quantizer.dtype not in known or x.dtype != torch.float32:
        return None
    if scale.numel() > 1:
        axis = weight_axis(operator.op_name, x.dim()) if is_constant else None
        if axis is None or axis != quantizer.ch_axis % x.dim():
            return None
    integers = quantizer.integers(x).double()
    if quantizer.dtype == ec:
        return _Factor(integers, scale / torch.full_like(scale, _EC_BASE), scale, ec)
    if scale.numel() == 1:
        integers -= quantizer.zero_point
    else:
        integers -= along(quantizer.zero_point, quantizer.ch_axis, x.dim())
    return _Factor(integers, scale, scale, quantizer.dtype)


def _products_of_a_sum(op_name: str, first: Tensor, second: Tensor, bound: Bound) -> int:
    """At most so many products are added up for one number."""
    if op_name.startswith("conv_transpose"):
        return second.shape[0] * prod(second.shape[2:])
    if op_name.startswith("conv"):
        return prod(second.shape[1:])
    if op_name == "einsum":
        parts = contraction(bound.attributes["equation"], [first.dim(), second.dim()])
        sizes = dict(zip(parts.first, first.shape, strict=True))
        return prod(sizes[label] for label in parts.summed)
    return first.shape[-1]


def _channel_axis(op_name: str, result: Tensor, weight: Tensor) -> int:
    """Where the output channels are in the result; of a convolution the batch may be missing."""
    is_convolution = op_name.startswith("conv")
    return result.dim() - (weight.dim() - 1 if is_convolution else 1)


def _beside(values: Tensor, axis: int, result: Tensor) -> Tensor:
    """One for all, or one for each output channel or for each of a group, to compute with."""
    if values.numel() == 1:
        return values
    return along(_repeated(values, result.shape[axis]), axis, result.dim())


def _repeated(values: Tensor, channels: int) -> Tensor:
    """One for each channel; groups of a transposed convolution share theirs."""
    return values.repeat(channels // values.numel())


def _bias_steps(bias: Tensor, a: _Factor, b: _Factor) -> Tensor:
    """A bias in steps of both factors, rounded as the file holds it; float64, [channels].

    The file has int32: in steps times 2^k beside int16, as two digits beside ec weights. What does
    not fit stays float there, and is rounded when the model is loaded. (src/quantize/apply.cc)
    """
    real = bias.detach().double()
    step = _repeated(b.step.double(), real.numel()) * a.step.double()
    nearest = torch.round(real / step)
    if a.dtype == ec:
        return nearest
    if b.dtype == ec:
        coarse = _repeated(b.scale.double(), real.numel()) * a.scale.double()
        first = torch.round(real / coarse)
        in_file = _EC_BASE * first + torch.round((real - first * coarse) / step)
        fits = (first.abs() <= _LARGEST_INT32).all()
    elif qint16 in (a.dtype, b.dtype):
        in_file = _shifted(real / step)
        fits = torch.ones((), dtype=torch.bool, device=real.device)
    else:
        return nearest
    digit = b.scale / torch.full_like(b.scale, _EC_BASE)
    is_normal = ((a.scale.double() * digit.double()).float() >= _SMALLEST_NORMAL).all()
    return torch.where(fits & is_normal, in_file, nearest)


def _shifted(steps: Tensor) -> Tensor:
    """The nearest of int32 times 2^k, with the smallest k for which there is one."""
    _, exponent = torch.frexp(steps)
    unit = torch.ones_like(steps, dtype=torch.int64) << (exponent - 31).clamp(0, 52)
    too_large = torch.round(steps / unit).abs() > _LARGEST_INT32
    unit = torch.where(too_large, 2 * unit, unit).double()
    return torch.round(steps / unit) * unit


def _stored(operator: Operator, sums: Tensor, unit: Tensor, is_reshaped: bool) -> Tensor:
    """Sums, each worth `unit`, as the operator gives them: on the output's grid, or float32.

    In front of a change of shape they are float32 too, unless nothing is fused behind.
    """
    quantizer: Any = operator._modules.get(OUTPUT)
    if quantizer is None or not quantizer.is_integer:
        return operator.clamped((sums * unit).float())
    quantizer.check_scale()
    if is_reshaped and operator.clamp is not None:
        return quantizer.quantize(operator.clamped((sums * unit).float()))
    scale, zero_point = quantizer.scale.detach(), quantizer.zero_point
    dtype = quantizer.dtype
    # What is fused behind narrows the range: to what it makes of the largest numbers.
    ends = operator.clamped(torch.tensor([-inf, inf], device=sums.device))
    low, high = (torch.round(ends / scale) + zero_point).clamp(dtype.min, dtype.max).double()
    steps = torch.round(sums * (unit / scale.double())) + zero_point
    return (steps.clamp(low, high) - zero_point).float() * scale
