"""Softmax and its kin, and glu: activations along an axis."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from .calls import operator
from .layout import axis_of
from .onnx_model import element_type
from .op import Bound, Builder, Kind, Op
from .spellings import reads, spellings


def _bind(
    input: Tensor,
    dim: int | None = None,
    _stacklevel: int = 3,
    dtype: torch.dtype | None = None,
) -> Bound:
    """Of F.softmax. Without `dim` it is PyTorch's old choice: 0 for 0, 1 or 3 axes, else 1."""
    if dim is None:
        dim = 0 if input.dim() in (0, 1, 3) else 1
    wanted = None if dtype == input.dtype else dtype
    return Bound([input], {"dim": axis_of(dim, input.dim()), "dtype": wanted})


def _bind_method(input: Tensor, dim: int, dtype: torch.dtype | None = None) -> Bound:
    """Of torch.softmax and Tensor.softmax."""
    return _bind(input, dim, dtype=dtype)


def _softmax_2d(module: nn.Softmax2d, input: Tensor) -> Bound:
    if input.dim() not in (3, 4):
        raise ValueError(f"Softmax2d: 3 or 4 axes are needed, not {input.dim()}.")
    return _bind(input, -3)


def _along_axis(
    name: str,
    op_type: str,
    function: Callable,
    modules: dict[type, Callable],
    *,
    negated: bool = False,
) -> Op:
    def compute(inputs: Sequence[Tensor], attributes: dict[str, Any]) -> Tensor:
        return function(inputs[0], dim=attributes["dim"], dtype=attributes["dtype"])

    def emit(builder: Builder, inputs: Sequence[str], attributes: dict[str, Any]) -> str:
        x, dtype = inputs[0], attributes["dtype"]
        x = builder.node("Neg", [x]) if negated else x
        x = x if dtype is None else builder.node("Cast", [x], to=element_type(dtype))
        return builder.node(op_type, [x], axis=attributes["dim"])

    functions = spellings(_bind_method, name) | {getattr(F, name): _bind}
    return operator(name, Kind.COMPUTE, functions, compute, emit, modules)


def _glu(input: Tensor, dim: int = -1) -> Bound:
    return Bound([input], {"dim": axis_of(dim, input.dim())})


def _emit_glu(builder: Builder, inputs: Sequence[str], attributes: dict[str, Any]) -> str:
    a, b = builder.node("Split", inputs, 2, axis=attributes["dim"], num_outputs=2)
    return builder.node("Mul", [a, builder.node("Sigmoid", [b])])


OPS = [
    _along_axis(
        "softmax",
        "Softmax",
        F.softmax,
        {nn.Softmax: reads(_bind, "dim"), nn.Softmax2d: _softmax_2d},
    ),
    _along_axis("log_softmax", "LogSoftmax", F.log_softmax, {nn.LogSoftmax: reads(_bind, "dim")}),
    _along_axis("softmin", "Softmax", F.softmin, {nn.Softmin: reads(_bind, "dim")}, negated=True),
    operator(
        "glu",
        Kind.COMPUTE,
        spellings(_glu, "glu"),
        lambda inputs, attributes: F.glu(inputs[0], attributes["dim"]),
        _emit_glu,
        {nn.GLU: reads(_glu, "dim")},
    ),
]
