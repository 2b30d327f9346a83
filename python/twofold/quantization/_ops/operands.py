"""Numbers among tensors, and the types that PyTorch computes mixed operands in."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from .onnx_model import element_type
from .op import Builder

_CASTS = "casts"


def operand(value: Any, other: Any) -> Tensor:
    """A number that meets the tensor `other`, as a tensor () of the type it then has, beside it.

    Beside float16 and bfloat16 it stays float32, since PyTorch rounds the result alone. Where
    `other` is a number too, the type is PyTorch's for numbers: float32, int64 or bool.
    """
    if isinstance(value, Tensor):
        return value
    if not isinstance(value, (bool, int, float)):
        raise TypeError(f"a tensor or a real number is needed, not {type(value).__name__}")
    if not isinstance(other, Tensor):
        tensor = torch.tensor(value)
        return tensor.to(torch.float32) if isinstance(value, float) else tensor
    if other.dtype in (torch.float16, torch.bfloat16) and other.dim() > 0:
        dtype = torch.float32
    else:
        dtype = torch.result_type(other, value)
    return torch.tensor(value, dtype=dtype, device=other.device)


def operands(first: Any, second: Any) -> list[Tensor]:
    """Both, numbers as tensors."""
    return [operand(first, second), operand(second, first)]


def casts(inputs: Sequence[Tensor], to_float: bool = False) -> dict[str, Any]:
    """An attribute that says which inputs take another type before ONNX computes with them.

    PyTorch promotes operands of different types, and integers where a function gives fractions
    (`to_float`); ONNX does neither. Empty where all have the type already.
    """
    dtype = torch.result_type(*inputs) if len(inputs) == 2 else inputs[0].dtype
    if to_float and not dtype.is_floating_point:
        dtype = torch.get_default_dtype()
    needed = tuple(None if x.dtype == dtype else dtype for x in inputs)
    return {_CASTS: needed} if any(needed) else {}


def cast(builder: Builder, inputs: Sequence[str], attributes: dict[str, Any]) -> list[str]:
    """The inputs in the types that `casts` asked for."""
    wanted = attributes.get(_CASTS, (None,) * len(inputs))
    return [
        name if dtype is None else builder.node("Cast", [name], to=element_type(dtype))
        for name, dtype in zip(inputs, wanted, strict=True)
    ]
