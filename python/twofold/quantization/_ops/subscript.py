"""x[...]: numbers, ranges, None and "..." in any order, and tensors of places.

An index is kept as a tuple with one item per axis that it reads, of int, slice, None and Ellipsis.
Tensors are among the call's inputs, and a Place stands for each; lists are constants. The axes that
several tensors (or lists) pick together come together where they stand side by side, else first.
"""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from .layout import integers, refuse, squeeze, unsqueeze
from .onnx_model import element_type
from .op import Bound, Builder

_TO_THE_END = 2**63 - 1
_MASK = (
    "a mask picks a number of elements that depends on values; use torch.where, or multiply by the "
    "mask."
)


class Place(NamedTuple):
    """The tensor at `position` of the call's inputs, of `rank` axes."""

    position: int
    rank: int
    is_mask: bool


def bind(input: Tensor, index: Any) -> Bound:
    """Of Tensor.__getitem__."""
    items = index if isinstance(index, tuple) else (index,)
    inputs = [input]
    return Bound(inputs, {"index": tuple(_item(item, inputs) for item in items)})


def compute(inputs: list[Tensor], attributes: dict[str, Any]) -> Tensor:
    """As PyTorch does."""
    index = attributes["index"]
    return inputs[0][tuple(inputs[i.position] if isinstance(i, Place) else i for i in index)]


def emit(builder: Builder, inputs: list[str], attributes: dict[str, Any]) -> str:
    """Ranges first, then single places, new axes, and last what tensors pick."""
    items = _without_ellipsis(attributes["index"], len(builder.shape(inputs[0])))
    x = _ranges(builder, inputs[0], items)
    x = _single_places(builder, x, inputs, items)
    kept = [item for item in items if not _is_single(item)]
    new = [axis for axis, item in enumerate(kept) if item is None]
    if new:
        x = unsqueeze(builder, x, new)
    picked = [axis for axis, item in enumerate(kept) if isinstance(item, (Place, list))]
    if picked:
        indices = [_indices(builder, inputs, kept[axis]) for axis in picked]
        x = _pick(builder, x, len(kept), picked, indices)
    return builder.node("Identity", [x]) if x == inputs[0] else x


def _item(item: Any, inputs: list[Tensor]) -> Any:
    if item is None or item is Ellipsis or isinstance(item, bool):
        return item
    if isinstance(item, slice):
        bounds = (item.start, item.stop, item.step)
        return slice(*(None if bound is None else int(bound) for bound in bounds))
    if isinstance(item, Tensor):
        inputs.append(item)
        return Place(len(inputs) - 1, item.dim(), item.dtype in (torch.bool, torch.uint8))
    if isinstance(item, (list, tuple, range, np.ndarray)):
        return np.asarray(item).tolist()
    if hasattr(item, "__index__"):
        return int(item)
    raise TypeError(f"an index of type {type(item).__name__} is not there")


def _is_mask(item: Any) -> bool:
    if isinstance(item, list):
        return np.asarray(item).dtype == bool
    return isinstance(item, bool) or (isinstance(item, Place) and item.is_mask)


def _without_ellipsis(index: tuple, rank: int) -> list[Any]:
    """One item for each axis of x, and None for each new one."""
    if any(_is_mask(item) for item in index):
        raise refuse("getitem", _MASK)
    reads = sum(item is not None and item is not Ellipsis for item in index)
    rest = [slice(None)] * (rank - reads)
    if not any(item is Ellipsis for item in index):
        return [*index, *rest]
    at = next(i for i, item in enumerate(index) if item is Ellipsis)
    return [*index[:at], *rest, *index[at + 1 :]]


def _is_single(item: Any) -> bool:
    """Takes one place of an axis, which is gone then."""
    return isinstance(item, int) or (isinstance(item, Place) and item.rank == 0)


def _ranges(builder: Builder, x: str, items: list[Any]) -> str:
    """All slices at once, and single numbers as slices of length 1."""
    bounds: list[tuple[int, int, int, int]] = []
    for axis, item in enumerate(item for item in items if item is not None):
        if isinstance(item, int):
            bounds.append((axis, item, item + 1 if item != -1 else _TO_THE_END, 1))
        elif isinstance(item, slice) and item != slice(None):
            stop = _TO_THE_END if item.stop is None else item.stop
            bounds.append((axis, item.start or 0, stop, item.step or 1))
    if not bounds:
        return x
    axes, starts, stops, steps = (integers(builder, values) for values in zip(*bounds, strict=True))
    return builder.node("Slice", [x, starts, stops, axes, steps])


def _single_places(builder: Builder, x: str, inputs: list[str], items: list[Any]) -> str:
    """Without the axes of which one place is taken; those of tensors from the last on."""
    axes = [(axis, item) for axis, item in enumerate(i for i in items if i is not None)]
    for axis, item in reversed(axes):
        if isinstance(item, Place) and item.rank == 0:
            x = builder.node("Gather", [x, inputs[item.position]], axis=axis)
    left = [item for _, item in axes if not (isinstance(item, Place) and item.rank == 0)]
    ones = [axis for axis, item in enumerate(left) if isinstance(item, int)]
    return squeeze(builder, x, ones) if ones else x


def _indices(builder: Builder, inputs: list[str], item: Any) -> tuple[str, tuple[int, ...]]:
    """The tensor's name and shape."""
    if isinstance(item, Place):
        return inputs[item.position], builder.shape(inputs[item.position])
    return builder.constant(torch.tensor(item, dtype=torch.int64)), np.asarray(item).shape


def _pick(
    builder: Builder,
    x: str,
    rank: int,
    axes: list[int],
    indices: list[tuple[str, tuple[int, ...]]],
) -> str:
    if len(axes) == 1:
        return builder.node("Gather", [x, indices[0][0]], axis=axes[0])
    shape = np.broadcast_shapes(*(shape for _, shape in indices))
    columns = []
    for name, own in indices:
        name = builder.node("Cast", [name], to=element_type(torch.int64))
        if own != shape:
            name = builder.node("Expand", [name, integers(builder, shape)])
        columns.append(unsqueeze(builder, name, [len(shape)]))
    places = builder.node("Concat", columns, axis=-1)
    others = [axis for axis in range(rank) if axis not in axes]
    x = builder.node("Transpose", [x], perm=axes + others)
    x = builder.node("GatherND", [x, places])
    if axes != list(range(axes[0], axes[0] + len(axes))) or axes[0] == 0:
        return x
    front = list(range(len(shape)))  # the picked axes, which belong where the first one was
    behind = [len(shape) + i for i in range(len(others))]
    return builder.node("Transpose", [x], perm=behind[: axes[0]] + front + behind[axes[0] :])
