"""Comparisons, and logic of what they give. Their results are bool, and get no integers."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from .calls import operator
from .op import Bound, Builder, Kind, Op
from .operands import cast, casts, operands
from .spellings import spellings

# PyTorch's names and ONNX's operator.
_COMPARISONS = {
    "eq": "Equal",
    "ne": "Equal",  # and Not
    "lt": "Less",
    "le": "LessOrEqual",
    "gt": "Greater",
    "ge": "GreaterOrEqual",
}
_LONG_NAMES = {
    "ne": "not_equal",
    "lt": "less",
    "le": "less_equal",
    "gt": "greater",
    "ge": "greater_equal",
}


def _compare(input: Any, other: Any) -> Bound:
    inputs = operands(input, other)
    return Bound(inputs, casts(inputs))


def _comparison(name: str, op_type: str) -> Op:
    function = getattr(torch, name)
    names = [name, _LONG_NAMES[name]] if name in _LONG_NAMES else [name]

    def emit(builder: Builder, inputs: Sequence[str], attributes: dict[str, Any]) -> str:
        result = builder.node(op_type, cast(builder, inputs, attributes))
        return builder.node("Not", [result]) if name == "ne" else result

    return operator(
        name,
        Kind.COMPUTE,
        spellings(_compare, *names, dunder=name),
        lambda inputs, _: function(*inputs),
        emit,
        quantized=(),
    )


def _truths(input: Any, other: Any) -> Bound:
    inputs = operands(input, other)
    return Bound(inputs, _as_bool(inputs))


def _truth(input: Tensor) -> Bound:
    return Bound([input], _as_bool([input]))


def _as_bool(inputs: Sequence[Tensor]) -> dict[str, Any]:
    needed = tuple(None if x.dtype == torch.bool else torch.bool for x in inputs)
    return {"casts": needed} if any(needed) else {}


def _of_bool(bind: Callable[..., Bound]) -> Callable[..., Bound | None]:
    """The bitwise call of the same name, where its operands are bool; of integers it is another."""

    def bind_bool(*args: Any) -> Bound | None:
        bound = bind(*args)
        return None if "casts" in bound.attributes else bound

    return bind_bool


def _logic(word: str, op_type: str, bind: Callable[..., Bound], dunder: str) -> Op:
    function = getattr(torch, f"logical_{word}")

    def emit(builder: Builder, inputs: Sequence[str], attributes: dict[str, Any]) -> str:
        return builder.node(op_type, cast(builder, inputs, attributes))

    return operator(
        f"logical_{word}",
        Kind.COMPUTE,
        spellings(bind, f"logical_{word}")
        | spellings(_of_bool(bind), f"bitwise_{word}", dunder=dunder),
        lambda inputs, _: function(*inputs),
        emit,
        quantized=(),
    )


OPS = [
    *(_comparison(name, op_type) for name, op_type in _COMPARISONS.items()),
    _logic("and", "And", _truths, "and"),
    _logic("or", "Or", _truths, "or"),
    _logic("xor", "Xor", _truths, "xor"),
    _logic("not", "Not", _truth, "invert"),
]
