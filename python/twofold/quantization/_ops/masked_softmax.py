"""Softmax over the numbers that a mask leaves: one operator, so that minus infinity stays inside.

Attention that masks its scores first, and takes the softmax then, has minus infinity between two
operators. No scale holds that beside the scores: it would come back as a number a little below the
lowest score, and what was masked would be attended to.
"""

import math
from typing import Any

import torch
from torch import Tensor
from torch.overrides import handle_torch_function, has_torch_function

from .calls import operator
from .layout import axis_of, integers
from .op import Bound, Builder, Kind


def masked_softmax(scores: Tensor, mask: Tensor, dim: int = -1) -> Tensor:
    """Softmax of `scores` along `dim`, without the places that `mask` takes out.

    `mask` is broadcast to `scores`: bool, True for places that are left out and get 0; or float,
    added to the scores. Where all are left out, all get 0, as in scaled_dot_product_attention.
    """
    if has_torch_function((scores, mask)):
        return handle_torch_function(masked_softmax, (scores, mask), scores, mask, dim=dim)
    return _compute([scores, mask], {"dim": dim})


def _bind(scores: Tensor, mask: Tensor, dim: int = -1) -> Bound:
    return Bound([scores, mask], {"dim": dim, "is_bool": mask.dtype == torch.bool})


def _compute(inputs: list[Tensor], attributes: dict[str, Any]) -> Tensor:
    scores, mask = inputs
    dim, is_bool = attributes["dim"], mask.dtype == torch.bool
    scores = scores.masked_fill(mask, -math.inf) if is_bool else scores + mask
    nothing_left = scores.amax(dim, keepdim=True) == -math.inf
    # Before the softmax: NaN would come back in its gradient.
    return scores.masked_fill(nothing_left, 0).softmax(dim).masked_fill(nothing_left, 0)


def _emit(builder: Builder, inputs: list[str], attributes: dict[str, Any]) -> str:
    scores, mask = inputs
    infinity, zero = builder.constant(-math.inf), builder.constant(0.0)
    if attributes["is_bool"]:
        scores = builder.node("Where", [mask, infinity, scores])
    else:
        scores = builder.node("Add", [scores, mask])
    axis = axis_of(attributes["dim"], max(len(builder.shape(name)) for name in inputs))
    largest = builder.node("ReduceMax", [scores, integers(builder, [axis])], keepdims=1)
    nothing_left = builder.node("Equal", [largest, infinity])
    scores = builder.node("Where", [nothing_left, zero, scores])
    weights = builder.node("Softmax", [scores], axis=axis)
    return builder.node("Where", [nothing_left, zero, weights])


OPS = [
    operator(
        "masked_softmax",
        Kind.COMPUTE,
        {masked_softmax: _bind},
        _compute,
        _emit,
        quantized=(0,),
    )
]
