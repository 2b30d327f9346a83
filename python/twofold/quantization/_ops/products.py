"""Products of matrices, and the layers made of them."""

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from . import convolution, einsum
from .calls import operator
from .layout import reshape
from .op import Bound, Builder, Kind, Op
from .spellings import spellings

# Those of which both factors may be computed; what is configured as a matmul.
MATMULS = frozenset({"matmul", "mm", "bmm", "mv", "addmm", "baddbmm", "einsum"})


def weight_axis(op_name: str, rank: int) -> int | None:
    """Along which axis of a constant `inputs[1]` the output channels run; the same in ONNX.

    `inputs[1]` is as PyTorch holds it, and goes to ONNX as it is: of convolutions [out, in /
    groups, ...], axis 0; of transposed ones [in, out / groups, ...], axis 1, the scales being
    shared by the groups; of linear [out, in], axis 0; of other products [..., K, N], the last.
    None where there is none: of vectors, and of einsum, which takes axes in any order.
    """
    if op_name.startswith("conv_transpose"):
        return 1
    if op_name == "linear" or op_name.startswith("conv"):
        return 0
    return rank - 1 if op_name in MATMULS - {"einsum"} and rank >= 2 else None


def _linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Bound:
    if weight.dim() != 2:
        raise ValueError(f"linear: a weight [out, in] is needed, not {list(weight.shape)}.")
    return Bound([input, weight, bias], {})


def _linear_module(module: nn.Linear, input: Tensor) -> Bound:
    return _linear(input, module.weight, module.bias)


def _emit_linear(builder: Builder, inputs: Sequence[str], attributes: dict[str, Any]) -> str:
    """One Gemm, since only that has a bias that is among its integers; MatMul has none."""
    x, weight, bias = inputs
    shape = builder.shape(x)
    out = builder.shape(weight)[0]
    matrix = x if len(shape) == 2 else reshape(builder, x, [prod(shape[:-1]), shape[-1]])
    product = builder.node("Gemm", [matrix, weight, bias] if bias else [matrix, weight], transB=1)
    return product if len(shape) == 2 else reshape(builder, product, [*shape[:-1], out])


def _emit_matmul(builder: Builder, inputs: Sequence[str], attributes: dict[str, Any]) -> str:
    return builder.node("MatMul", inputs)


def _factors(second: str) -> Callable[..., Bound]:
    """Of a product whose second factor is called `second`."""
    if second == "other":
        return lambda input, other: Bound([input, other], {})
    if second == "vec":
        return lambda input, vec: Bound([input, vec], {})
    return lambda input, mat2: Bound([input, mat2], {})


def _product(name: str, function: Callable, second: str) -> Op:
    return operator(
        name,
        Kind.GEMM,
        spellings(_factors(second), name, dunder=name)
        | ({torch.linalg.matmul: _factors(second)} if name == "matmul" else {}),
        lambda inputs, _: function(*inputs),
        _emit_matmul,
    )


def _addmm(
    input: Tensor, mat1: Tensor, mat2: Tensor, *, beta: float = 1, alpha: float = 1
) -> Bound:
    return Bound([mat1, mat2, input], {"beta": beta, "alpha": alpha})


def _baddbmm(
    input: Tensor, batch1: Tensor, batch2: Tensor, *, beta: float = 1, alpha: float = 1
) -> Bound:
    return Bound([batch1, batch2, input], {"beta": beta, "alpha": alpha})


def _emit_added(builder: Builder, inputs: Sequence[str], attributes: dict[str, Any]) -> str:
    a, b, c = inputs
    alpha, beta = attributes["alpha"], attributes["beta"]
    added = builder.shape(c)
    is_bias = len(added) < 2 or (len(added) == 2 and added[0] == 1)
    if alpha == 1 and beta == 1 and is_bias and len(builder.shape(a)) == 2:
        return builder.node("Gemm", [a, b, c])
    product = builder.node("MatMul", [a, b])
    if alpha != 1:
        product = builder.node("Mul", [product, builder.constant(float(alpha))])
    if beta == 0:  # then `input` is not looked at, even where it is NaN
        return product
    if beta != 1:
        c = builder.node("Mul", [c, builder.constant(float(beta))])
    return builder.node("Add", [product, c])


def _added(name: str, function: Callable, bind: Callable[..., Bound]) -> Op:
    def compute(inputs: Sequence[Tensor], attributes: dict[str, Any]) -> Tensor:
        a, b, c = inputs
        return function(c, a, b, beta=attributes["beta"], alpha=attributes["alpha"])

    functions = spellings(bind, name)
    return operator(name, Kind.GEMM, functions, compute, _emit_added, quantized=(0, 1))


OPS = [
    *convolution.OPS,
    operator(
        "linear",
        Kind.GEMM,
        {F.linear: _linear},
        lambda inputs, _: F.linear(*inputs),
        _emit_linear,
        {nn.Linear: _linear_module},
        quantized=(0, 1),
    ),
    _product("matmul", torch.matmul, "other"),
    _product("mm", torch.mm, "mat2"),
    _product("bmm", torch.bmm, "mat2"),
    _product("mv", torch.mv, "vec"),
    _added("addmm", torch.addmm, _addmm),
    _added("baddbmm", torch.baddbmm, _baddbmm),
    einsum.EINSUM,
]
