"""VALIDATION on a GPU: what torch computes there with the engine's bits."""

from typing import Any

import torch

from ..dtype import qint8, qint16
from ..nn._operator import INPUTS, OUTPUT, Operator
from ..qtensor import plain
from ._exact_products import product
from ._ops.op import Bound, Kind

# One float32 operation for each number, correctly rounded on CPU and GPU, or none: nothing that a
# compiler may contract to a fused multiply-add. Not so division, which PyTorch makes a product with
# the reciprocal of a number on CUDA, nor anything with a sum or a function inside. The sign of zero
# and NaN may be a device's own; integers have neither.
_ONE_OPERATION = frozenset(
    {
        *("abs", "add", "clamp", "hardtanh", "masked_fill", "maximum", "minimum", "mul", "neg"),
        *("relu", "relu6", "sub", "where"),
    }
)


def run_on_device(operator: Operator, bound: Bound) -> Any:
    """What the operator gives in the exported model, to the bit; None where only the engine can.

    Products are sums of integers in float64; one operation of float32 is itself.
    """
    if operator.op.kind is Kind.GEMM:
        return product(operator, bound)
    if not _is_one_operation(operator, bound):
        return None
    inputs = [
        _rounded(operator.quantizer_of(i), plain(tensor)) for i, tensor in enumerate(bound.inputs)
    ]
    return _rounded(operator._modules.get(OUTPUT), operator.compute(inputs, bound.attributes))


def _is_one_operation(operator: Operator, bound: Bound) -> bool:
    """Whether it is, of float32 numbers, and its result is integers."""
    if operator.op_name not in _ONE_OPERATION or bound.attributes.get("alpha", 1) != 1:
        return False
    tensors = [plain(tensor) for tensor in bound.inputs if tensor is not None]
    if any(tensor.dtype not in (torch.float32, torch.bool) for tensor in tensors):
        return False
    inputs: Any = operator._modules.get(INPUTS) or {}
    if any(quantizer.dtype not in (qint8, qint16, torch.float32) for quantizer in inputs.values()):
        return False
    output = operator._modules.get(OUTPUT)
    return output is not None and output.dtype in (qint8, qint16)


def _rounded(quantizer: Any, x: torch.Tensor | None) -> torch.Tensor | None:
    if x is None or quantizer is None or not quantizer.is_integer:
        return x
    quantizer.check_scale()
    return quantizer.quantize(x)
