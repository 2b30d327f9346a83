"""What operators cost, as tables have it: `36720(100.00%)`."""

from collections.abc import Iterable, Mapping
from math import prod

from ._ops.einsum import contraction
from ._ops.op import Kind
from ._record.graph import Layer, Recording


def multiply_accumulates(layer: Layer) -> int:
    """Of one call on the example inputs. What is no product of tensors counts 0."""
    if layer.kind is not Kind.GEMM or not layer.outputs:
        return 0
    first, second = (value.tensor for value in layer.inputs[:2])
    output = layer.outputs[0].tensor
    if layer.op.name.startswith("conv_transpose"):
        return first.numel() * prod(second.shape[1:])
    if layer.op.name.startswith("conv"):
        return output.numel() * prod(second.shape[1:])
    if layer.op.name == "einsum":
        parts = contraction(layer.attributes["equation"], [first.dim(), second.dim()])
        sizes = dict(zip(parts.first, first.shape, strict=True))
        return output.numel() * prod(sizes[label] for label in parts.summed)
    return output.numel() * first.shape[-1]


def flops_of(recording: Recording) -> dict[str, int]:
    """Multiply-accumulates of every layer by name, over all its calls."""
    total: dict[str, int] = {}
    for layer in recording.computing():
        total[layer.name] = total.get(layer.name, 0) + multiply_accumulates(layer)
    return total


def flops_cells(flops: Mapping[str, int], names: Iterable[str]) -> dict[str, str]:
    """The cell of each name: the number, and its share of all."""
    whole = sum(flops.values())
    return {name: _cell(flops.get(name, 0), whole) for name in names}


def _cell(number: int, whole: int) -> str:
    return f"{number}({number / whole:.2%})" if number else "0(0%)"
