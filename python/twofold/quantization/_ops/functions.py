"""Functions of one number, without parameters."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from .calls import operator
from .op import Bound, Builder, Kind, Op
from .operands import cast, casts
from .spellings import spellings

# Of each: what it is in ONNX, and other names of it. Of integers they give fractions.
_FRACTIONS = {
    "sqrt": ("Sqrt",),
    "exp": ("Exp",),
    "log": ("Log",),
    "reciprocal": ("Reciprocal",),
    "sin": ("Sin",),
    "cos": ("Cos",),
    "tan": ("Tan",),
    "asin": ("Asin", "arcsin"),
    "acos": ("Acos", "arccos"),
    "atan": ("Atan", "arctan"),
    "sinh": ("Sinh",),
    "cosh": ("Cosh",),
    "erf": ("Erf",),
}
# Of integers they give integers.
_SAME = {"neg": ("Neg", "negative"), "abs": ("Abs", "absolute"), "sign": ("Sign",)}
# Their results are integers, of whatever type; that of rounding twice is another.
_ROUNDINGS = {"floor": ("Floor",), "ceil": ("Ceil",)}


def _fraction(input: Tensor) -> Bound:
    return Bound([input], casts([input], to_float=True))


def _same(input: Tensor) -> Bound:
    return Bound([input], {})


def _emit_as(op_type: str) -> Callable:
    def emit(builder: Builder, inputs: Sequence[str], attributes: dict[str, Any]) -> str:
        return builder.node(op_type, cast(builder, inputs, attributes))

    return emit


def _function(
    name: str,
    op_type: str,
    *others: str,
    bind: Callable[[Tensor], Bound],
    quantized: tuple[int, ...] | None = None,
) -> Op:
    compute = getattr(torch, name)
    return operator(
        name,
        Kind.COMPUTE,
        spellings(bind, name, *others, dunder=name),
        lambda inputs, _: compute(inputs[0]),
        _emit_as(op_type),
        quantized=quantized,
    )


def _emit_rsqrt(builder: Builder, inputs: Sequence[str], attributes: dict[str, Any]) -> str:
    (x,) = cast(builder, inputs, attributes)
    return builder.node("Reciprocal", [builder.node("Sqrt", [x])])


def _emit_square(builder: Builder, inputs: Sequence[str], attributes: dict[str, Any]) -> str:
    return builder.node("Pow", [inputs[0], builder.constant(2.0)])


def _round(input: Tensor, *, decimals: int = 0) -> Bound:
    if decimals != 0:
        raise ValueError("round: decimals are not taken; multiply before, and divide behind.")
    return Bound([input], {})


OPS = [
    *(_function(name, *words, bind=_fraction) for name, words in _FRACTIONS.items()),
    *(_function(name, *words, bind=_same) for name, words in _SAME.items()),
    *(_function(name, *words, bind=_same, quantized=()) for name, words in _ROUNDINGS.items()),
    operator(
        "rsqrt",
        Kind.COMPUTE,
        spellings(_fraction, "rsqrt"),
        lambda inputs, _: torch.rsqrt(inputs[0]),
        _emit_rsqrt,
    ),
    operator(
        "square",
        Kind.COMPUTE,
        spellings(_same, "square"),
        lambda inputs, _: torch.square(inputs[0]),
        _emit_square,
    ),
    operator(
        "round",
        Kind.COMPUTE,
        spellings(_round, "round"),
        lambda inputs, _: torch.round(inputs[0]),
        _emit_as("Round"),
        quantized=(),
    ),
]
