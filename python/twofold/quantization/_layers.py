"""What of a recorded layer can get integers, and who feeds whom."""

from collections.abc import Iterator

from ..nn._norm_inside import norm_of
from ._ops.op import Kind
from ._record.graph import Layer, Recording, Value


def weight_position(layer: Layer) -> int | None:
    """Of the weight that a Conv's or Linear's module holds; None of all other layers."""
    if layer.kind is not Kind.GEMM or len(layer.inputs) < 2 or layer.inputs[1] is None:
        return None
    is_own = layer.inputs[1].tensor is getattr(layer.module, "weight", None)
    return 1 if is_own or norm_of(layer.module) is not None else None


def data_positions(layer: Layer) -> list[int]:
    """Of the inputs that may get integers, without the weight, in the operator's order.

    They are also positions in a list that is given as `QConfig.input`.
    """
    weight, allowed = weight_position(layer), layer.op.quantized
    return [
        position
        for position, value in enumerate(layer.inputs)
        if value is not None
        and value.tensor.is_floating_point()
        and position != weight
        and (allowed is None or position in allowed)
    ]


def is_quantizable(layer: Layer) -> bool:
    """Whether a module computes float numbers in the part that is to be quantized."""
    if layer.module is None or layer.kind is Kind.MOVE or not layer.outputs or layer.stays_float:
        return False
    return layer.outputs[0].quantized and layer.outputs[0].tensor.is_floating_point()


def quantizable(recording: Recording) -> Iterator[Layer]:
    """All such layers, in the order in which they run; a shared module's once for every call."""
    return filter(is_quantizable, recording.layers)


def producer(value: Value) -> Layer | None:
    """The quantizable layer that computed these numbers; None of constants and float values."""
    layer = Recording.source(value).layer
    return layer if layer is not None and is_quantizable(layer) else None


def readers(layer: Layer) -> list[tuple[Layer, int]]:
    """Who computes with its output: (layer, position), a layer several times where it does so."""
    return list(Recording.numbers_readers(layer.outputs[0]))


def is_output(recording: Recording, layer: Layer) -> bool:
    """Whether the model returns the layer's numbers."""
    return any(Recording.source(value) is layer.outputs[0] for value in recording.outputs)
