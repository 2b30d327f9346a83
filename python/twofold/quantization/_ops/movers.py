"""The same numbers in another shape or order, or repeated."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from .calls import as_tuple, numbers, operator
from .layout import axes_of, axis_of, integers, reshape, squeeze, unsqueeze
from .op import Bound, Builder, Kind
from .spellings import spellings


def _numbers(given: tuple, *named: Any) -> tuple[int, ...]:
    """Sizes or axes, given one by one, as one sequence, or by a name that PyTorch has for them."""
    return numbers([*given, *(value for value in named if value is not None)])


def _reshape(input: Tensor, *given: Any, shape: Any = None, size: Any = None) -> Bound:
    if given and isinstance(given[0], torch.dtype):
        raise TypeError(f"a view as {given[0]} is not there, only views of other shapes")
    return Bound([input], {"shape": _numbers(given, shape, size)})


def _reshape_as(input: Tensor, other: Tensor) -> Bound:
    return Bound([input], {"shape": tuple(other.shape)})


def _emit_reshape(builder: Builder, inputs: list[str], attributes: dict[str, Any]) -> str:
    return reshape(builder, inputs[0], attributes["shape"])


def _flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Bound:
    return Bound([input], {"start_dim": start_dim, "end_dim": end_dim})


def _emit_flatten(builder: Builder, inputs: list[str], attributes: dict[str, Any]) -> str:
    shape = builder.shape(inputs[0])
    first = axis_of(attributes["start_dim"], len(shape))
    last = axis_of(attributes["end_dim"], len(shape))
    # In ONNX, a 0 stands for the size that is there.
    return reshape(builder, inputs[0], [0] * first + [-1, *shape[last + 1 :]])


def _unflatten(input: Tensor, dim: int, sizes: Sequence[int]) -> Bound:
    return Bound([input], {"dim": dim, "sizes": numbers([sizes])})


def _emit_unflatten(builder: Builder, inputs: list[str], attributes: dict[str, Any]) -> str:
    shape = builder.shape(inputs[0])
    axis = axis_of(attributes["dim"], len(shape))
    return reshape(builder, inputs[0], [0] * axis + [*attributes["sizes"], *shape[axis + 1 :]])


def _permute(input: Tensor, *given: Any, dims: Any = None) -> Bound:
    rank = input.dim()
    return Bound([input], {"dims": tuple(axis_of(dim, rank) for dim in _numbers(given, dims))})


def _transpose(input: Tensor, dim0: int, dim1: int) -> Bound:
    order = list(range(input.dim()))
    if order:
        order[dim0], order[dim1] = order[dim1], order[dim0]
    return Bound([input], {"dims": tuple(order)})


def _swapaxes(input: Tensor, axis0: int, axis1: int) -> Bound:
    return _transpose(input, axis0, axis1)


def _reversed(input: Tensor) -> Bound:
    return Bound([input], {"dims": tuple(reversed(range(input.dim())))})


def _matrix_transposed(input: Tensor) -> Bound:
    return _transpose(input, -2, -1)


def _movedim(input: Tensor, source: Any, destination: Any) -> Bound:
    rank = input.dim()
    sources = [axis_of(dim, rank) for dim in as_tuple(source)]
    targets = [axis_of(dim, rank) for dim in as_tuple(destination)]
    order = [axis for axis in range(rank) if axis not in sources]
    for target, moved in sorted(zip(targets, sources, strict=True)):
        order.insert(target, moved)
    return Bound([input], {"dims": tuple(order)})


def _emit_permute(builder: Builder, inputs: list[str], attributes: dict[str, Any]) -> str:
    return builder.node("Transpose", inputs, perm=list(attributes["dims"]))


def _squeeze(input: Tensor, dim: Any = None) -> Bound:
    return Bound([input], {"dim": as_tuple(dim)})


def _compute_squeeze(inputs: list[Tensor], attributes: dict[str, Any]) -> Tensor:
    dims = attributes["dim"]
    return inputs[0].squeeze() if dims is None else inputs[0].squeeze(dims)


def _emit_squeeze(builder: Builder, inputs: list[str], attributes: dict[str, Any]) -> str:
    shape, dims = builder.shape(inputs[0]), attributes["dim"]
    axes = axes_of(dims, len(shape)) if dims != () else []
    axes = [axis for axis in axes if shape[axis] == 1]  # PyTorch leaves the others alone
    # To ONNX, no axes are all.
    return squeeze(builder, inputs[0], axes) if axes else builder.node("Identity", inputs)


def _unsqueeze(input: Tensor, dim: int) -> Bound:
    return Bound([input], {"dim": dim})


def _emit_unsqueeze(builder: Builder, inputs: list[str], attributes: dict[str, Any]) -> str:
    return unsqueeze(builder, inputs[0], [attributes["dim"]])


def _expand(input: Tensor, *given: Any, size: Any = None, implicit: bool = False) -> Bound:
    return Bound([input], {"size": _numbers(given, size)})


def _expand_as(input: Tensor, other: Tensor) -> Bound:
    return Bound([input], {"size": tuple(other.shape)})


def _emit_expand(builder: Builder, inputs: list[str], attributes: dict[str, Any]) -> str:
    # To PyTorch -1 says "as it is", which to ONNX 1 does.
    size = [max(size, 1) for size in attributes["size"]]
    return builder.node("Expand", [inputs[0], integers(builder, size)])


def _repeat(input: Tensor, *given: Any, repeats: Any = None) -> Bound:
    return Bound([input], {"repeats": _numbers(given, repeats)})


def _tile(input: Tensor, *given: Any, dims: Any = None) -> Bound:
    repeats = _numbers(given, dims)
    return Bound([input], {"repeats": (1,) * (input.dim() - len(repeats)) + repeats})


def _emit_repeat(builder: Builder, inputs: list[str], attributes: dict[str, Any]) -> str:
    x, repeats, shape = inputs[0], attributes["repeats"], builder.shape(inputs[0])
    if len(repeats) > len(shape):
        x = reshape(builder, x, [1] * (len(repeats) - len(shape)) + list(shape))
    return builder.node("Tile", [x, integers(builder, repeats)])


def _repeat_interleave(
    input: Tensor, repeats: Any, dim: int | None = None, *, output_size: int | None = None
) -> Bound:
    if not isinstance(repeats, int):
        raise TypeError("repeats is a tensor; only one number for all is there")
    return Bound([input], {"repeats": repeats, "dim": dim})


def _compute_repeat_interleave(inputs: list[Tensor], attributes: dict[str, Any]) -> Tensor:
    return inputs[0].repeat_interleave(attributes["repeats"], attributes["dim"])


def _emit_repeat_interleave(builder: Builder, inputs: list[str], attributes: dict[str, Any]) -> str:
    x, shape, repeats = inputs[0], list(builder.shape(inputs[0])), attributes["repeats"]
    if attributes["dim"] is None:
        x, shape, axis = reshape(builder, x, [-1]), [math.prod(shape)], 0
    else:
        axis = axis_of(attributes["dim"], len(shape))
    size = [1] * (len(shape) + 1)
    size[axis + 1] = repeats
    x = builder.node("Expand", [unsqueeze(builder, x, [axis + 1]), integers(builder, size)])
    shape[axis] *= repeats
    return reshape(builder, x, shape)


def _roll(input: Tensor, shifts: Any, dims: Any = None) -> Bound:
    return Bound([input], {"shifts": shifts, "dims": dims})


def _compute_roll(inputs: list[Tensor], attributes: dict[str, Any]) -> Tensor:
    shifts, dims = attributes["shifts"], attributes["dims"]
    return inputs[0].roll(shifts) if dims is None else inputs[0].roll(shifts, dims)


def _emit_roll(builder: Builder, inputs: list[str], attributes: dict[str, Any]) -> str:
    x, shape = inputs[0], builder.shape(inputs[0])
    shifts, dims = as_tuple(attributes["shifts"]), as_tuple(attributes["dims"])
    if not dims:
        flat = _rolled(builder, reshape(builder, x, [-1]), math.prod(shape), shifts[0], 0)
        return reshape(builder, flat, shape)
    for shift, dim in zip(shifts, dims, strict=True):
        x = _rolled(builder, x, shape[dim], shift, dim)
    return x


def _rolled(builder: Builder, x: str, size: int, shift: int, axis: int) -> str:
    places = integers(builder, [(i - shift) % size for i in range(size)])
    return builder.node("Gather", [x, places], axis=axis)


def _flip(input: Tensor, *given: Any, dims: Any = None) -> Bound:
    return Bound([input], {"dims": _numbers(given, dims)})


def _emit_flip(builder: Builder, inputs: list[str], attributes: dict[str, Any]) -> str:
    dims = attributes["dims"]
    if not dims:
        return builder.node("Identity", inputs)
    last, before_first, back = [-1], [-(2**63)], [-1]
    ranges = [integers(builder, values * len(dims)) for values in (last, before_first)]
    axes, steps = integers(builder, dims), integers(builder, back * len(dims))
    return builder.node("Slice", [inputs[0], *ranges, axes, steps])


OPS = [
    operator(
        "reshape",
        Kind.MOVE,
        {
            torch.reshape: _reshape,
            Tensor.reshape: _reshape,
            Tensor.view: _reshape,
            Tensor.reshape_as: _reshape_as,
            Tensor.view_as: _reshape_as,
        },
        lambda inputs, attributes: inputs[0].reshape(attributes["shape"]),
        _emit_reshape,
    ),
    operator(
        "flatten",
        Kind.MOVE,
        {
            torch.flatten: _flatten,
            Tensor.flatten: _flatten,
            torch.ravel: lambda input: _flatten(input),
            Tensor.ravel: lambda input: _flatten(input),
        },
        lambda inputs, attributes: inputs[0].flatten(**attributes),
        _emit_flatten,
        {nn.Flatten: lambda module, input: _flatten(input, module.start_dim, module.end_dim)},
    ),
    operator(
        "unflatten",
        Kind.MOVE,
        {torch.unflatten: _unflatten, Tensor.unflatten: _unflatten},
        lambda inputs, attributes: inputs[0].unflatten(attributes["dim"], attributes["sizes"]),
        _emit_unflatten,
        {
            nn.Unflatten: lambda module, input: _unflatten(
                input, module.dim, module.unflattened_size
            )
        },
    ),
    operator(
        "permute",
        Kind.MOVE,
        {
            torch.permute: _permute,
            Tensor.permute: _permute,
            **spellings(_transpose, "transpose", "swapdims"),
            **spellings(_swapaxes, "swapaxes"),
            **spellings(_reversed, "t"),
            Tensor.T.__get__: _reversed,
            Tensor.H.__get__: _reversed,
            Tensor.mT.__get__: _matrix_transposed,
            Tensor.mH.__get__: _matrix_transposed,
            torch.adjoint: _matrix_transposed,
            Tensor.adjoint: _matrix_transposed,
            torch.movedim: _movedim,
            Tensor.movedim: _movedim,
            torch.moveaxis: _movedim,
            Tensor.moveaxis: _movedim,
        },
        lambda inputs, attributes: inputs[0].permute(attributes["dims"]),
        _emit_permute,
    ),
    operator(
        "squeeze",
        Kind.MOVE,
        spellings(_squeeze, "squeeze"),
        _compute_squeeze,
        _emit_squeeze,
    ),
    operator(
        "unsqueeze",
        Kind.MOVE,
        spellings(_unsqueeze, "unsqueeze"),
        lambda inputs, attributes: inputs[0].unsqueeze(attributes["dim"]),
        _emit_unsqueeze,
    ),
    operator(
        "expand",
        Kind.MOVE,
        {
            Tensor.expand: _expand,
            Tensor.expand_as: _expand_as,
            torch.broadcast_to: _expand,
            Tensor.broadcast_to: _expand,
        },
        lambda inputs, attributes: inputs[0].expand(attributes["size"]),
        _emit_expand,
    ),
    operator(
        "repeat",
        Kind.MOVE,
        {Tensor.repeat: _repeat, torch.tile: _tile, Tensor.tile: _tile},
        lambda inputs, attributes: inputs[0].repeat(attributes["repeats"]),
        _emit_repeat,
    ),
    operator(
        "repeat_interleave",
        Kind.MOVE,
        {
            torch.repeat_interleave: _repeat_interleave,
            Tensor.repeat_interleave: _repeat_interleave,
        },
        _compute_repeat_interleave,
        _emit_repeat_interleave,
    ),
    operator(
        "roll",
        Kind.MOVE,
        {torch.roll: _roll, Tensor.roll: _roll},
        _compute_roll,
        _emit_roll,
    ),
    operator(
        "flip",
        Kind.MOVE,
        {
            torch.flip: _flip,
            Tensor.flip: _flip,
            torch.fliplr: lambda input: _flip(input, 1),
            Tensor.fliplr: lambda input: _flip(input, 1),
            torch.flipud: lambda input: _flip(input, 0),
            Tensor.flipud: lambda input: _flip(input, 0),
        },
        lambda inputs, attributes: inputs[0].flip(attributes["dims"]),
        _emit_flip,
    ),
]
