"""One number out of many along axes: sums, extremes, spreads, norms, and running sums."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from .calls import as_tuple, operator
from .layout import axes_of, axis_of, integers, refuse, reshape
from .onnx_model import element_type
from .op import Bound, Builder, Kind, Op
from .spellings import spellings

Attributes = dict[str, Any]


def _reduced(builder: Builder, op_type: str, x: str, axes: list[int], keepdim: bool) -> str:
    return builder.node(op_type, [x, integers(builder, axes)], keepdims=int(keepdim))


def _axes(builder: Builder, x: str, attributes: Attributes) -> list[int]:
    return axes_of(attributes["dim"], len(builder.shape(x)))


def _cast(builder: Builder, x: str, dtype: torch.dtype | None) -> str:
    return x if dtype is None else builder.node("Cast", [x], to=element_type(dtype))


def _other_type(input: Tensor, dtype: torch.dtype | None, sums: bool) -> torch.dtype | None:
    """The type to compute in, where it is not that of the input: sums of integers are int64."""
    if dtype is None and sums and not input.dtype.is_floating_point:
        dtype = torch.int64
    return None if dtype == input.dtype else dtype


def _sum_or_mean(name: str, op_type: str) -> Op:
    function = getattr(torch, name)

    def bind(
        input: Tensor,
        dim: Any = None,
        keepdim: bool = False,
        *,
        dtype: torch.dtype | None = None,
    ) -> Bound:
        dtype = _other_type(input, dtype, sums=name == "sum")
        return Bound([input], {"dim": as_tuple(dim), "keepdim": keepdim, "dtype": dtype})

    def emit(builder: Builder, inputs: list[str], attributes: Attributes) -> str:
        axes = _axes(builder, inputs[0], attributes)
        x = _cast(builder, inputs[0], attributes["dtype"])
        return _reduced(builder, op_type, x, axes, attributes["keepdim"])

    return operator(
        name,
        Kind.COMPUTE,
        spellings(bind, name),
        lambda inputs, attributes: function(inputs[0], **attributes),
        emit,
    )


def _prod(
    input: Tensor,
    dim: int | None = None,
    keepdim: bool = False,
    *,
    dtype: torch.dtype | None = None,
) -> Bound:
    dtype = _other_type(input, dtype, sums=True)
    return Bound([input], {"dim": as_tuple(dim), "keepdim": keepdim, "dtype": dtype})


def _compute_prod(inputs: list[Tensor], attributes: Attributes) -> Tensor:
    dim, dtype = attributes["dim"], attributes["dtype"]
    if dim is None:
        return torch.prod(inputs[0], dtype=dtype)
    return torch.prod(inputs[0], dim[0], attributes["keepdim"], dtype=dtype)


def _emit_prod(builder: Builder, inputs: list[str], attributes: Attributes) -> str:
    axes = _axes(builder, inputs[0], attributes)
    x = _cast(builder, inputs[0], attributes["dtype"])
    return _reduced(builder, "ReduceProd", x, axes, attributes["keepdim"])


def _along(input: Tensor, dim: Any = (), keepdim: bool = False) -> Bound:
    return Bound([input], {"dim": as_tuple(dim), "keepdim": keepdim})


def _plain(name: str, op_type: str) -> Op:
    """A function that takes axes and keepdim, and one ONNX operator that does."""
    function = getattr(torch, name)

    def emit(builder: Builder, inputs: list[str], attributes: Attributes) -> str:
        axes = _axes(builder, inputs[0], attributes)
        return _reduced(builder, op_type, inputs[0], axes, attributes["keepdim"])

    def compute(inputs: list[Tensor], attributes: Attributes) -> Tensor:
        return function(inputs[0], attributes["dim"], attributes["keepdim"])

    return operator(name, Kind.COMPUTE, spellings(_along, name), compute, emit)


def _extreme(
    input: Tensor, dim: Any = None, keepdim: bool = False, *, other: Tensor | None = None
) -> Bound | None:
    """Of one tensor; of two, torch.max is torch.maximum."""
    if isinstance(dim, Tensor) or other is not None:
        return None
    return Bound([input], {"dim": dim, "keepdim": keepdim})


def _max_or_min(name: str) -> Op:
    """All in one number, or along one axis (values, indices)."""
    function, word = getattr(torch, name), name.capitalize()

    def compute(inputs: list[Tensor], attributes: Attributes) -> Any:
        if attributes["dim"] is None:
            return function(inputs[0])
        return function(inputs[0], attributes["dim"], attributes["keepdim"])

    def emit(builder: Builder, inputs: list[str], attributes: Attributes) -> Any:
        dim, keepdim = attributes["dim"], attributes["keepdim"]
        if dim is None:
            axes = _axes(builder, inputs[0], attributes)
            return _reduced(builder, f"Reduce{word}", inputs[0], axes, keepdim=False)
        indices = builder.node(f"Arg{word}", inputs, axis=dim, keepdims=int(keepdim))
        return [_reduced(builder, f"Reduce{word}", inputs[0], [dim], keepdim), indices]

    return operator(name, Kind.COMPUTE, spellings(_extreme, name), compute, emit)


def _place_of_extreme(name: str) -> Op:
    function = getattr(torch, name)
    op_type = {"argmax": "ArgMax", "argmin": "ArgMin"}[name]

    def bind(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Bound:
        return Bound([input], {"dim": dim, "keepdim": keepdim})

    def emit(builder: Builder, inputs: list[str], attributes: Attributes) -> str:
        x, dim, keepdim = inputs[0], attributes["dim"], attributes["keepdim"]
        if dim is not None:
            return builder.node(op_type, [x], axis=dim, keepdims=int(keepdim))
        place = builder.node(op_type, [reshape(builder, x, [-1])], axis=0, keepdims=0)
        return reshape(builder, place, [1] * len(builder.shape(x))) if keepdim else place

    return operator(
        name,
        Kind.COMPUTE,
        spellings(bind, name),
        lambda inputs, attributes: function(inputs[0], **attributes),
        emit,
        quantized=(),
    )


def _spread(
    input: Tensor,
    dim: Any = None,
    unbiased: bool | None = None,
    keepdim: bool = False,
    *,
    correction: float | None = None,
) -> Bound:
    if isinstance(dim, bool):  # var(x, unbiased)
        dim, unbiased = None, dim
    if correction is None:
        correction = 0 if unbiased is False else 1
    return Bound([input], {"dim": as_tuple(dim), "keepdim": keepdim, "correction": correction})


def _variance(builder: Builder, inputs: list[str], attributes: Attributes) -> str:
    x, keepdim = inputs[0], attributes["keepdim"]
    axes = _axes(builder, x, attributes)
    off = builder.node("Sub", [x, _reduced(builder, "ReduceMean", x, axes, keepdim=True)])
    square = builder.node("Mul", [off, off])
    variance = _reduced(builder, "ReduceMean", square, axes, keepdim)
    count = math.prod(builder.shape(x)[axis] for axis in axes)
    left = max(count - attributes["correction"], 0)
    # 0 times infinity is NaN, as PyTorch has it of a single number.
    factor = builder.constant(count / left if left else math.inf)
    return builder.node("Mul", [variance, factor]) if attributes["correction"] else variance


def _deviation(builder: Builder, inputs: list[str], attributes: Attributes) -> str:
    return builder.node("Sqrt", [_variance(builder, inputs, attributes)])


def _var_or_std(name: str, emit: Callable) -> Op:
    function = getattr(torch, name)
    return operator(
        name,
        Kind.COMPUTE,
        spellings(_spread, name),
        lambda inputs, attributes: function(inputs[0], **attributes),
        emit,
    )


def _norm(
    input: Tensor,
    p: float | str | None = "fro",
    dim: Any = None,
    keepdim: bool = False,
    dtype: torch.dtype | None = None,
) -> Bound:
    if p == "nuc":
        raise TypeError("the nuclear norm is not there, only those of vectors")
    order = 2.0 if p in ("fro", None) else float(p)
    dtype = _other_type(input, dtype, sums=False)
    return Bound([input], {"ord": order, "dim": as_tuple(dim), "keepdim": keepdim, "dtype": dtype})


def _vector_norm(
    x: Tensor,
    ord: float = 2,
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: torch.dtype | None = None,
) -> Bound:
    return _norm(x, ord, dim, keepdim, dtype)


def _linalg_norm(
    A: Tensor,  # noqa: N803, PyTorch's name
    ord: float | str | None = None,
    dim: Any = None,
    keepdim: bool = False,
    *,
    dtype: torch.dtype | None = None,
) -> Bound:
    axes = A.dim() if dim is None else len(as_tuple(dim))
    if ord not in (None, "fro") and axes == 2:
        raise TypeError(f"the matrix norm {ord!r} is not there, only norms of vectors")
    return _norm(A, ord, dim, keepdim, dtype)


def _compute_norm(inputs: list[Tensor], attributes: Attributes) -> Tensor:
    return torch.linalg.vector_norm(inputs[0], **attributes)


def _emit_norm(builder: Builder, inputs: list[str], attributes: Attributes) -> str:
    axes, order, keepdim = (
        _axes(builder, inputs[0], attributes),
        attributes["ord"],
        attributes["keepdim"],
    )
    x = _cast(builder, inputs[0], attributes["dtype"])
    if order == 0:
        raise refuse("norm", "the norm of order 0 is not there; count with (x != 0).sum().")
    if order in (1, 2):
        return _reduced(builder, f"ReduceL{order:.0f}", x, axes, keepdim)
    size = builder.node("Abs", [x])
    if math.isinf(order):
        return _reduced(builder, "ReduceMax" if order > 0 else "ReduceMin", size, axes, keepdim)
    powers = builder.node("Pow", [size, builder.constant(order)])
    total = _reduced(builder, "ReduceSum", powers, axes, keepdim)
    return builder.node("Pow", [total, builder.constant(1 / order)])


def _cumsum(input: Tensor, dim: int, *, dtype: torch.dtype | None = None) -> Bound:
    return Bound([input], {"dim": dim, "dtype": _other_type(input, dtype, sums=True)})


def _emit_cumsum(builder: Builder, inputs: list[str], attributes: Attributes) -> str:
    axis = axis_of(attributes["dim"], len(builder.shape(inputs[0])))
    x = _cast(builder, inputs[0], attributes["dtype"])
    return builder.node("CumSum", [x, builder.constant(axis)])


def _any_or_all(name: str, op_type: str) -> Op:
    function = getattr(torch, name)

    def bind(input: Tensor, dim: Any = None, keepdim: bool = False) -> Bound:
        return Bound([input], {"dim": as_tuple(dim), "keepdim": keepdim})

    def emit(builder: Builder, inputs: list[str], attributes: Attributes) -> str:
        axes = _axes(builder, inputs[0], attributes)
        truth = _cast(builder, _cast(builder, inputs[0], torch.bool), torch.int32)
        found = _reduced(builder, op_type, truth, axes, attributes["keepdim"])
        return _cast(builder, found, torch.bool)

    return operator(
        name,
        Kind.COMPUTE,
        spellings(bind, name),
        lambda inputs, attributes: function(inputs[0], **attributes),
        emit,
        quantized=(),
    )


OPS = [
    _sum_or_mean("sum", "ReduceSum"),
    _sum_or_mean("mean", "ReduceMean"),
    operator("prod", Kind.COMPUTE, spellings(_prod, "prod"), _compute_prod, _emit_prod),
    _plain("amax", "ReduceMax"),
    _plain("amin", "ReduceMin"),
    _plain("logsumexp", "ReduceLogSumExp"),
    _max_or_min("max"),
    _max_or_min("min"),
    _place_of_extreme("argmax"),
    _place_of_extreme("argmin"),
    _var_or_std("var", _variance),
    _var_or_std("std", _deviation),
    operator(
        "norm",
        Kind.COMPUTE,
        {
            torch.norm: _norm,
            Tensor.norm: _norm,
            torch.linalg.norm: _linalg_norm,
            torch.linalg.vector_norm: _vector_norm,
        },
        _compute_norm,
        _emit_norm,
    ),
    operator(
        "cumsum",
        Kind.COMPUTE,
        spellings(_cumsum, "cumsum"),
        lambda inputs, attributes: torch.cumsum(
            inputs[0], attributes["dim"], dtype=attributes["dtype"]
        ),
        _emit_cumsum,
    ),
    _any_or_all("any", "ReduceMax"),
    _any_or_all("all", "ReduceMin"),
]
