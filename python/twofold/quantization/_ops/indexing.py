"""Parts of a tensor: by index, by ranges, by tensors of places, and in pieces."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from . import subscript
from .calls import numbers, operator
from .layout import axis_of, integers, reshape, unsqueeze
from .op import Bound, Builder, Kind

_TO_THE_END = 2**63 - 1


def _narrow(input: Tensor, dim: int, start: int, length: int) -> Bound:
    return Bound([input], {"dim": dim, "start": int(start), "length": length})


def _emit_narrow(builder: Builder, inputs: list[str], attributes: dict[str, Any]) -> str:
    start = attributes["start"]
    end = start + attributes["length"]
    if end == 0 and start < 0:
        end = _TO_THE_END
    return _slice(builder, inputs[0], start, end, attributes["dim"])


def _slice(builder: Builder, x: str, start: int, end: int, axis: int, step: int = 1) -> str:
    ranges = [integers(builder, [value]) for value in (start, end, axis, step)]
    return builder.node("Slice", [x, *ranges])


def _select(input: Tensor, dim: int, index: int) -> Bound:
    return Bound([input], {"dim": dim, "index": int(index)})


def _emit_select(builder: Builder, inputs: list[str], attributes: dict[str, Any]) -> str:
    index = builder.constant(attributes["index"])
    return builder.node("Gather", [inputs[0], index], axis=attributes["dim"])


def _split(tensor: Tensor, split_size_or_sections: Any, dim: int = 0) -> Bound:
    if isinstance(split_size_or_sections, (tuple, list)):
        return _pieces(tensor, numbers([split_size_or_sections]), dim)
    return _pieces(tensor, _equal(tensor.shape[dim], int(split_size_or_sections)), dim)


def _split_with_sizes(input: Tensor, split_sizes: Sequence[int], dim: int = 0) -> Bound:
    return _pieces(input, numbers([split_sizes]), dim)


def _chunk(input: Tensor, chunks: int, dim: int = 0) -> Bound:
    return _pieces(input, _equal(input.shape[dim], -(-input.shape[dim] // chunks)), dim)


def _tensor_split(
    input: Tensor,
    given: Any = None,
    dim: int = 0,
    *,
    indices: Any = None,
    sections: Any = None,
    indices_or_sections: Any = None,
) -> Bound:
    given = next(x for x in (given, indices, sections, indices_or_sections, ()) if x is not None)
    size = input.shape[dim]
    if isinstance(given, int):
        longer = size % given
        return _pieces(input, [size // given + (i < longer) for i in range(given)], dim)
    bounds = [0, *numbers([given]), size]
    sizes = [len(range(size)[a:b]) for a, b in zip(bounds, bounds[1:], strict=False)]
    if sum(sizes) != size:
        raise TypeError(f"the indices {given} do not ascend")
    return _pieces(input, sizes, dim)


def _equal(size: int, piece: int) -> list[int]:
    """Pieces of one size, of which the last may be smaller."""
    return [min(piece, size - start) for start in range(0, size, piece)]


def _pieces(input: Tensor, sizes: Sequence[int], dim: int) -> Bound:
    return Bound([input], {"sizes": list(sizes), "dim": dim})


def _emit_split(builder: Builder, inputs: list[str], attributes: dict[str, Any]) -> list[str]:
    sizes = attributes["sizes"]
    where = [inputs[0], integers(builder, sizes)]
    pieces = builder.node("Split", where, outputs=len(sizes), axis=attributes["dim"])
    return [pieces] if len(sizes) == 1 else pieces


def _unbind(input: Tensor, dim: int = 0) -> Bound:
    return Bound([input], {"dim": dim})


def _emit_unbind(builder: Builder, inputs: list[str], attributes: dict[str, Any]) -> list[str]:
    x, axis = inputs[0], attributes["dim"]
    return [
        builder.node("Gather", [x, builder.constant(i)], axis=axis)
        for i in range(builder.shape(x)[axis])
    ]


def _index_select(input: Tensor, dim: int, index: Tensor) -> Bound:
    return Bound([input, index], {"dim": dim})


def _emit_index_select(builder: Builder, inputs: list[str], attributes: dict[str, Any]) -> str:
    x, index = inputs
    if builder.shape(index) == ():
        index = unsqueeze(builder, index, [0])
    return builder.node("Gather", [x, index], axis=attributes["dim"])


def _gather(input: Tensor, dim: int, index: Tensor, *, sparse_grad: bool = False) -> Bound:
    return Bound([input, index], {"dim": dim})


def _emit_gather(builder: Builder, inputs: list[str], attributes: dict[str, Any]) -> str:
    return builder.node("GatherElements", inputs, axis=attributes["dim"])


def _take_along_dim(input: Tensor, indices: Tensor, dim: int | None = None) -> Bound:
    return Bound([input, indices], {"dim": dim})


def _compute_take_along_dim(inputs: list[Tensor], attributes: dict[str, Any]) -> Tensor:
    return torch.take_along_dim(*inputs, **attributes)


def _emit_take_along_dim(builder: Builder, inputs: list[str], attributes: dict[str, Any]) -> str:
    if attributes["dim"] is None:
        flat = [reshape(builder, name, [-1]) for name in inputs]
        return builder.node("GatherElements", flat, axis=0)
    shapes = [list(builder.shape(name)) for name in inputs]
    axis = axis_of(attributes["dim"], len(shapes[0]))
    # Both are broadcast to each other, but along the axis itself.
    common = [max(a, b) if 0 not in (a, b) else 0 for a, b in zip(*shapes, strict=True)]
    spread = []
    for name, shape in zip(inputs, shapes, strict=True):
        size = [*common[:axis], shape[axis], *common[axis + 1 :]]
        same = size == shape
        spread.append(name if same else builder.node("Expand", [name, integers(builder, size)]))
    return builder.node("GatherElements", spread, axis=axis)


OPS = [
    operator(
        "getitem",
        Kind.MOVE,
        {Tensor.__getitem__: subscript.bind},
        subscript.compute,
        subscript.emit,
        quantized=(0,),
    ),
    operator(
        "narrow",
        Kind.MOVE,
        {torch.narrow: _narrow, Tensor.narrow: _narrow},
        lambda inputs, attributes: inputs[0].narrow(**attributes),
        _emit_narrow,
    ),
    operator(
        "select",
        Kind.MOVE,
        {torch.select: _select, Tensor.select: _select},
        lambda inputs, attributes: inputs[0].select(**attributes),
        _emit_select,
    ),
    operator(
        "split",
        Kind.MOVE,
        {
            torch.split: _split,
            Tensor.split: _split,
            torch.split_with_sizes: _split_with_sizes,
            Tensor.split_with_sizes: _split_with_sizes,
            torch.chunk: _chunk,
            Tensor.chunk: _chunk,
            torch.tensor_split: _tensor_split,
            Tensor.tensor_split: _tensor_split,
        },
        lambda inputs, attributes: inputs[0].split(attributes["sizes"], attributes["dim"]),
        _emit_split,
    ),
    operator(
        "unbind",
        Kind.MOVE,
        {torch.unbind: _unbind, Tensor.unbind: _unbind},
        lambda inputs, attributes: inputs[0].unbind(attributes["dim"]),
        _emit_unbind,
    ),
    operator(
        "index_select",
        Kind.MOVE,
        {torch.index_select: _index_select, Tensor.index_select: _index_select},
        lambda inputs, attributes: inputs[0].index_select(attributes["dim"], inputs[1]),
        _emit_index_select,
        quantized=(0,),
    ),
    operator(
        "gather",
        Kind.MOVE,
        {torch.gather: _gather, Tensor.gather: _gather},
        lambda inputs, attributes: inputs[0].gather(attributes["dim"], inputs[1]),
        _emit_gather,
        quantized=(0,),
    ),
    operator(
        "take_along_dim",
        Kind.MOVE,
        {torch.take_along_dim: _take_along_dim, Tensor.take_along_dim: _take_along_dim},
        _compute_take_along_dim,
        _emit_take_along_dim,
        quantized=(0,),
    ),
]
