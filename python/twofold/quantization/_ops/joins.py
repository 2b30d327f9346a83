"""Several tensors that become one: each brings numbers of a scale of its own."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from .calls import operator
from .layout import axis_of, refuse, reshape, unsqueeze
from .op import Bound, Builder, Kind


def _cat(tensors: Sequence[Tensor], dim: int = 0) -> Bound:
    return Bound(list(tensors), {"dim": dim})


def _emit_cat(builder: Builder, inputs: list[str], attributes: dict[str, Any]) -> str:
    # PyTorch passes over tensors of shape (0,), with which people begin lists.
    joined = [name for name in inputs if builder.shape(name) != (0,)]
    if not joined:
        raise refuse("cat", "all tensors are empty.")
    return builder.node("Concat", joined, axis=attributes["dim"])


def _stack(tensors: Sequence[Tensor], dim: int = 0) -> Bound:
    return Bound(list(tensors), {"dim": dim})


def _emit_stack(builder: Builder, inputs: list[str], attributes: dict[str, Any]) -> str:
    axis = axis_of(attributes["dim"], len(builder.shape(inputs[0])) + 1)
    layers = [unsqueeze(builder, name, [axis]) for name in inputs]
    return builder.node("Concat", layers, axis=axis)


def _beside(tensors: Sequence[Tensor]) -> Bound:
    return Bound(list(tensors), {})


def _emit_hstack(builder: Builder, inputs: list[str], attributes: dict[str, Any]) -> str:
    shapes = [builder.shape(name) for name in inputs]
    rows = [
        name if shape else reshape(builder, name, [1])
        for name, shape in zip(inputs, shapes, strict=True)
    ]
    return builder.node("Concat", rows, axis=0 if len(shapes[0]) < 2 else 1)


def _emit_vstack(builder: Builder, inputs: list[str], attributes: dict[str, Any]) -> str:
    rows = [
        name if len(builder.shape(name)) > 1 else reshape(builder, name, [1, -1]) for name in inputs
    ]
    return builder.node("Concat", rows, axis=0)


def _embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Bound:
    attributes = {
        "padding_idx": padding_idx,
        "max_norm": max_norm,
        "norm_type": norm_type,
        "scale_grad_by_freq": scale_grad_by_freq,
        "sparse": sparse,
    }
    return Bound([weight, input], attributes)


def _embedding_module(module: nn.Embedding, input: Tensor) -> Bound:
    return _embedding(
        input,
        module.weight,
        module.padding_idx,
        module.max_norm,
        module.norm_type,
        module.scale_grad_by_freq,
        module.sparse,
    )


def _compute_embedding(inputs: list[Tensor | None], attributes: dict[str, Any]) -> Tensor:
    return F.embedding(inputs[1], inputs[0], **attributes)


def _emit_embedding(builder: Builder, inputs: list[str], attributes: dict[str, Any]) -> str:
    return builder.node("Gather", inputs, axis=0)


OPS = [
    operator(
        "cat",
        Kind.COMPUTE,
        {torch.cat: _cat, torch.concat: _cat, torch.concatenate: _cat},
        lambda inputs, attributes: torch.cat(inputs, attributes["dim"]),
        _emit_cat,
    ),
    operator(
        "stack",
        Kind.COMPUTE,
        {torch.stack: _stack},
        lambda inputs, attributes: torch.stack(inputs, attributes["dim"]),
        _emit_stack,
    ),
    operator(
        "hstack",
        Kind.COMPUTE,
        {torch.hstack: _beside},
        lambda inputs, _: torch.hstack(inputs),
        _emit_hstack,
    ),
    operator(
        "vstack",
        Kind.COMPUTE,
        {torch.vstack: _beside, torch.row_stack: _beside},
        lambda inputs, _: torch.vstack(inputs),
        _emit_vstack,
    ),
    operator(
        "embedding",
        Kind.COMPUTE,
        {F.embedding: _embedding},
        _compute_embedding,
        _emit_embedding,
        {nn.Embedding: _embedding_module},
        quantized=(),
    ),
]
