"""einsum of two operands, which is a product of matrices between changes of shape."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor

from .calls import operator
from .layout import refuse, reshape
from .op import Bound, Builder, Kind

# What an ellipsis stands for, from the last axis on. Equations have letters only.
_ELLIPSIS_LABELS = "0123456789"


@dataclass(frozen=True)
class Contraction:
    """Labels of axes: of both operands, and the result, by what becomes of them."""

    first: str
    second: str
    batch: str  # in both, and in the result
    summed: str  # in both, and gone
    rows: str  # of the first alone
    columns: str  # of the second alone
    result: str


def contraction(equation: str, ranks: Sequence[int]) -> Contraction:
    """Take an equation apart. Error where it is no product of two matrices, or batches of them."""
    sides = equation.replace(" ", "").split("->")
    terms = sides[0].split(",")
    if len(terms) != 2 or len(ranks) != 2:
        raise refuse(
            "einsum",
            f"{equation!r} has {len(terms)} operands; write it as products of two, or as "
            "sum, permute and so on where it is one.",
        )
    widths = [rank - len(term.replace("...", "")) for term, rank in zip(terms, ranks, strict=True)]
    hidden = [_ELLIPSIS_LABELS[:width][::-1] for width in widths]
    first, second = (term.replace("...", axes) for term, axes in zip(terms, hidden, strict=True))
    widest = max(hidden, key=len)
    labels = sorted(set(first + second) - set(_ELLIPSIS_LABELS))
    once = "".join(label for label in labels if (first + second).count(label) == 1)
    result = sides[1].replace("...", widest) if len(sides) == 2 else widest + once
    for term in (first, second, result):
        if len(set(term)) != len(term):
            raise refuse("einsum", f"{equation!r} repeats an index in one term; take a diagonal.")
    both = [label for label in first if label in second]
    batch = "".join(sorted({*hidden[0], *hidden[1]} & set(result), reverse=True))
    batch += "".join(label for label in both if label in result and label not in batch)
    parts = Contraction(
        first,
        second,
        batch,
        "".join(label for label in both if label not in result),
        "".join(label for label in first if label not in second and label not in batch),
        "".join(label for label in second if label not in first and label not in batch),
        result,
    )
    lost = set(first + second) - set(parts.summed + result)
    if lost:
        raise refuse(
            "einsum",
            f"{equation!r} sums {', '.join(sorted(lost))} of one operand alone; call sum before.",
        )
    return parts


def _bind(equation: Any, *operands: Any) -> Bound:
    if not isinstance(equation, str):
        raise refuse("einsum", "lists of axes are not taken; write the equation as a string.")
    if len(operands) == 1 and isinstance(operands[0], (tuple, list)):
        operands = operands[0]
    contraction(equation, [operand.dim() for operand in operands])
    return Bound(list(operands), {"equation": equation})


def _matrices(
    builder: Builder, x: str, labels: str, parts: Contraction, axes: tuple[str, str]
) -> str:
    """As batches of matrices, with one axis for all labels of each of `axes`."""
    sizes = dict(zip(labels, builder.shape(x), strict=True))
    order = [label for label in parts.batch + axes[0] + axes[1] if label in sizes]
    if order != list(labels):
        x = builder.node("Transpose", [x], perm=[labels.index(label) for label in order])
    batch = [sizes.get(label, 1) for label in parts.batch]
    matrix = [prod(sizes[label] for label in group) for group in axes]
    shape = [*batch, *matrix]
    return x if [sizes[label] for label in order] == shape else reshape(builder, x, shape)


def _emit(builder: Builder, inputs: Sequence[str], attributes: dict[str, Any]) -> str:
    shapes = [builder.shape(name) for name in inputs]
    parts = contraction(attributes["equation"], [len(shape) for shape in shapes])
    a = _matrices(builder, inputs[0], parts.first, parts, (parts.rows, parts.summed))
    b = _matrices(builder, inputs[1], parts.second, parts, (parts.summed, parts.columns))
    x = builder.node("MatMul", [a, b])
    sizes: dict[str, int] = {}
    for labels, shape in zip((parts.first, parts.second), shapes, strict=True):
        for label, size in zip(labels, shape, strict=True):
            sizes[label] = max(size, sizes.get(label, 1))
    order = parts.batch + parts.rows + parts.columns
    if len(parts.rows) != 1 or len(parts.columns) != 1:
        x = reshape(builder, x, [sizes[label] for label in order])
    if order == parts.result:
        return x
    return builder.node("Transpose", [x], perm=[order.index(label) for label in parts.result])


def _compute(inputs: Sequence[Tensor], attributes: dict[str, Any]) -> Tensor:
    return torch.einsum(attributes["equation"], *inputs)


EINSUM = operator("einsum", Kind.GEMM, {torch.einsum: _bind}, _compute, _emit)
