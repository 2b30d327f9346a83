"""Arithmetic between tensors, with broadcasting; numbers among the operands become constants."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from .calls import operator
from .op import Bound, Builder, Kind, Op
from .operands import cast, casts, operands
from .spellings import spellings


def _binary(input: Any, other: Any) -> Bound:
    inputs = operands(input, other)
    return Bound(inputs, casts(inputs))


def _scaled(input: Any, other: Any, *, alpha: float = 1) -> Bound:
    inputs = operands(input, other)
    if torch.result_type(*inputs).is_floating_point:
        alpha = float(alpha)
    return Bound(inputs, {"alpha": alpha, **casts(inputs)})


def _emit_as(op_type: str) -> Callable:
    def emit(builder: Builder, inputs: Sequence[str], attributes: dict[str, Any]) -> str:
        return builder.node(op_type, cast(builder, inputs, attributes))

    return emit


def _sum(name: str, function: Callable, op_type: str, functions: dict) -> Op:
    def compute(inputs: Sequence[Tensor], attributes: dict[str, Any]) -> Tensor:
        return function(*inputs, alpha=attributes["alpha"])

    def emit(builder: Builder, inputs: Sequence[str], attributes: dict[str, Any]) -> str:
        a, b = cast(builder, inputs, attributes)
        if attributes["alpha"] != 1:
            b = builder.node("Mul", [b, builder.constant(attributes["alpha"])])
        return builder.node(op_type, [a, b])

    return operator(name, Kind.COMPUTE, functions, compute, emit)


def _divide(input: Any, other: Any, *, rounding_mode: str | None = None) -> Bound | None:
    if rounding_mode is not None:
        return None  # floor_divide's
    inputs = operands(input, other)
    return Bound(inputs, {"by_reciprocal": False, **casts(inputs, to_float=True)})


def _divided_by(self: Tensor, other: Any) -> Bound:
    """other / self, which PyTorch computes as (1 / self) * other."""
    bound = _divide(other, self)
    return Bound(bound.inputs, {**bound.attributes, "by_reciprocal": True})


def _compute_divide(inputs: Sequence[Tensor], attributes: dict[str, Any]) -> Tensor:
    a, b = inputs
    return b.reciprocal() * a if attributes["by_reciprocal"] else torch.div(a, b)


def _rounded(input: Any, other: Any, *, rounding_mode: str | None) -> Bound | None:
    if rounding_mode is None:
        return None  # div's
    inputs = operands(input, other)
    attributes = casts(inputs)
    is_float = torch.result_type(*inputs).is_floating_point
    return Bound(inputs, {"rounding_mode": rounding_mode, "is_float": is_float, **attributes})


def _floored(input: Any, other: Any) -> Bound | None:
    return _rounded(input, other, rounding_mode="floor")


def _compute_rounded(inputs: Sequence[Tensor], attributes: dict[str, Any]) -> Tensor:
    return torch.div(*inputs, rounding_mode=attributes["rounding_mode"])


def _emit_rounded(builder: Builder, inputs: Sequence[str], attributes: dict[str, Any]) -> str:
    """Of floats, the quotient rounded to float32 first: one less or more next to integers."""
    a, b = cast(builder, inputs, attributes)
    down = attributes["rounding_mode"] == "floor"
    if not attributes["is_float"]:
        # ONNX's Div of integers truncates; its Mod has the divisor's sign.
        a = builder.node("Sub", [a, builder.node("Mod", [a, b])]) if down else a
        return builder.node("Div", [a, b])
    quotient = builder.node("Div", [a, b])
    if down:
        return builder.node("Floor", [quotient])
    size = builder.node("Floor", [builder.node("Abs", [quotient])])
    return builder.node("Mul", [builder.node("Sign", [quotient]), size])


def _power(input: Any, exponent: Any) -> Bound:
    if not isinstance(exponent, Tensor):  # numbers as 2 and 0.5 have shorter ways of their own
        dtype = torch.result_type(input, exponent)
        attributes = casts([input], to_float=dtype.is_floating_point)
        number = float(exponent) if dtype.is_floating_point else exponent
        return Bound([input], {"exponent": number, **attributes})
    inputs = operands(input, exponent)
    return Bound(inputs, casts(inputs))


def _compute_power(inputs: Sequence[Tensor], attributes: dict[str, Any]) -> Tensor:
    return torch.pow(*inputs) if len(inputs) == 2 else torch.pow(inputs[0], attributes["exponent"])


def _emit_power(builder: Builder, inputs: Sequence[str], attributes: dict[str, Any]) -> str:
    inputs = cast(builder, inputs, attributes)
    if len(inputs) == 1:
        inputs = [*inputs, builder.constant(attributes["exponent"])]
    return builder.node("Pow", inputs)


def _extremum(input: Any, *args: Any, **kwargs: Any) -> Bound | None:
    """Of two tensors only; torch.max of one, or along an axis, is a reduction."""
    others = [*args, *kwargs.values()]
    is_pair = len(others) == 1 and isinstance(others[0], Tensor)
    return _binary(input, others[0]) if is_pair else None


def _max_or_min(name: str, function: Callable, op_type: str, short: str) -> Op:
    functions = spellings(_extremum, name, short)
    return operator(
        name, Kind.COMPUTE, functions, lambda inputs, _: function(*inputs), _emit_as(op_type)
    )


def _where(condition: Tensor, input: Any = None, other: Any = None) -> Bound | None:
    if input is None or other is None:
        return None  # the places where it is true
    values = operands(input, other)
    return Bound([condition, *values], casts(values))


def _where_method(self: Tensor, condition: Tensor, other: Any = None) -> Bound | None:
    return _where(condition, self, other)


def _emit_where(builder: Builder, inputs: Sequence[str], attributes: dict[str, Any]) -> str:
    return builder.node("Where", [inputs[0], *cast(builder, inputs[1:], attributes)])


def _masked_fill(input: Tensor, mask: Tensor, value: Any) -> Bound:
    if not isinstance(value, Tensor):
        value = torch.tensor(value, dtype=input.dtype, device=input.device)
    return Bound([input, mask, value], {})


def _emit_masked_fill(builder: Builder, inputs: Sequence[str], attributes: dict[str, Any]) -> str:
    x, mask, value = inputs
    return builder.node("Where", [mask, value, x])


OPS = [
    _sum("add", torch.add, "Add", spellings(_scaled, "add", dunder="add")),
    _sum(
        "sub",
        torch.sub,
        "Sub",
        spellings(_scaled, "sub", "subtract", dunder="sub")
        | {torch.rsub: lambda input, other, *, alpha=1: _scaled(other, input, alpha=alpha)},
    ),
    operator(
        "mul",
        Kind.COMPUTE,
        spellings(_binary, "mul", "multiply", dunder="mul"),
        lambda inputs, _: torch.mul(*inputs),
        _emit_as("Mul"),
    ),
    operator(
        "div",
        Kind.COMPUTE,
        spellings(_divide, "div", "divide", "true_divide", dunder="truediv")
        | {torch.Tensor.__rtruediv__: _divided_by},
        _compute_divide,
        _emit_as("Div"),
    ),
    operator(
        "floor_divide",
        Kind.COMPUTE,
        spellings(_rounded, "div", "divide")
        | spellings(_floored, "floor_divide", dunder="floordiv"),
        _compute_rounded,
        _emit_rounded,
        quantized=(),
    ),
    operator(
        "pow",
        Kind.COMPUTE,
        spellings(_power, "pow", dunder="pow"),
        _compute_power,
        _emit_power,
    ),
    _max_or_min("maximum", torch.maximum, "Max", "max"),
    _max_or_min("minimum", torch.minimum, "Min", "min"),
    operator(
        "where",
        Kind.COMPUTE,
        {torch.where: _where, torch.Tensor.where: _where_method},
        lambda inputs, _: torch.where(*inputs),
        _emit_where,
        quantized=(1, 2),
    ),
    operator(
        "masked_fill",
        Kind.COMPUTE,
        spellings(_masked_fill, "masked_fill"),
        lambda inputs, _: torch.masked_fill(*inputs),
        _emit_masked_fill,
        quantized=(0,),
    ),
]
