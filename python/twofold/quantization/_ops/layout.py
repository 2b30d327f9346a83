"""Axes, sizes and element types, as several operators write them in ONNX."""

from collections.abc import Callable, Sequence

import torch

from ..._twofold import Error
from .op import Builder


def refuse(op: str, reason: str) -> Error:
    """The error of a call that PyTorch can compute but no fixed ONNX graph says."""
    return Error(f"{op}: {reason}")


def axis_of(dim: int, rank: int) -> int:
    """`dim` counted from the front; of a scalar, 0 and -1 are allowed as in PyTorch."""
    return dim % max(rank, 1)


def axes_of(dims: Sequence[int] | None, rank: int) -> list[int]:
    """Several, in order; None and () mean all, as in PyTorch's reductions."""
    return sorted(axis_of(dim, rank) for dim in dims) if dims else list(range(rank))


def integers(builder: Builder, values: Sequence[int]) -> str:
    """A constant of int64, also where there are none."""
    return builder.constant(torch.tensor(list(values), dtype=torch.int64))


def reshape(builder: Builder, x: str, shape: Sequence[int]) -> str:
    """To a fixed shape; -1 and 0 as ONNX's Reshape has them."""
    return builder.node("Reshape", [x, integers(builder, shape)])


def unsqueeze(builder: Builder, x: str, axes: Sequence[int]) -> str:
    """New axes of size 1; `axes` count in the result."""
    return builder.node("Unsqueeze", [x, integers(builder, axes)])


def squeeze(builder: Builder, x: str, axes: Sequence[int]) -> str:
    """Without these axes of size 1."""
    return builder.node("Squeeze", [x, integers(builder, axes)])


def with_batch(
    builder: Builder, x: str, rank: int, write: Callable[[str, tuple[int, ...]], str | list[str]]
) -> str | list[str]:
    """What `write(x, shape)` gives for a tensor of `rank` axes, of which the first may be missing.

    PyTorch's pools take (C, H, W) as well as (N, C, H, W); ONNX's only the latter.
    """
    shape = builder.shape(x)
    if len(shape) == rank:
        return write(x, shape)
    written = write(unsqueeze(builder, x, [0]), (1, *shape))
    if isinstance(written, str):
        return squeeze(builder, written, [0])
    return [squeeze(builder, result, [0]) for result in written]


def affine(builder: Builder, weight: str, bias: str, shape: tuple[int, ...]) -> tuple[str, str]:
    """Ones and zeros for what is left out."""
    weight = weight or builder.constant(torch.ones(shape))
    return weight, bias or builder.constant(torch.zeros(shape))
