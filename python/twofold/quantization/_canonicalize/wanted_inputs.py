"""What a reader wants its input to be moves to the producer's output."""

from typing import Any

from .._layers import data_positions, producer, readers
from .._record.graph import Layer
from .precisions import Precisions, bits_of, is_integer

# Operators that hand on the numbers of several inputs, or a part of their range: 16 bits behind
# them are worth nothing where 8 bits go in.
HAND_ON = frozenset(
    {
        "cat",
        "clamp",
        "hardtanh",
        "hstack",
        "masked_fill",
        "maximum",
        "minimum",
        "relu",
        "relu6",
        "stack",
        "vstack",
        "where",
    }
)


def move_to_producers(precisions: Precisions) -> None:
    """Give producers the widest dtype that a reader wants.

    Readers that want less requantize at their own input; those that want nothing take what comes.
    Where a producer keeps a fixed scale of a dtype, the wish is dropped, and the log says so.
    """
    for layer in precisions.layers:
        for position in data_positions(layer):
            wanted = precisions.requests.get((layer.name, position))
            source = producer(layer.inputs[position])
            if wanted is None or source is None or source.name not in precisions.outputs:
                continue
            if bits_of(wanted) <= bits_of(precisions.outputs[source.name]):
                continue
            if precisions.has_fixed_input(layer, position):
                continue
            _widen(precisions, source, wanted, f"'{layer.name}' wants it as input{position}")
            if bits_of(precisions.outputs[source.name]) < bits_of(wanted):
                del precisions.requests[layer.name, position]


def drop_met_requests(precisions: Precisions) -> None:
    """An input that wants what its producer gives anyway has nothing to quantize."""
    unmet = set()  # of a shared module's calls, one is enough
    for layer in precisions.layers:
        for position in data_positions(layer):
            wanted = precisions.requests.get((layer.name, position))
            source = producer(layer.inputs[position])
            is_met = source is not None and precisions.outputs.get(source.name) == wanted
            if not is_met or precisions.has_fixed_input(layer, position):
                unmet.add((layer.name, position))
    precisions.requests = {k: v for k, v in precisions.requests.items() if k in unmet}


def stub_scale(layer: Layer) -> Any:
    """The fixed scale of a QuantStub; None of other layers."""
    return getattr(layer.module, "scale", None) if layer.op.name == "quant" else None


def _widen(precisions: Precisions, layer: Layer, dtype: Any, why: str) -> None:
    """Make an output wider, and what it only hands on."""
    before = precisions.outputs.get(layer.name)
    if before is None or bits_of(before) >= bits_of(dtype):
        return
    if precisions.has_fixed_output(layer):
        reason = f"stays: {why} as {dtype}, but its qconfig has a fixed scale of {before}"
        precisions.keep_output(layer, reason)
        return
    if stub_scale(layer) is not None:
        why += "; its fixed scale stays, so that there are more steps, and none finer"
    if not is_integer(dtype):
        _keep_for_others(precisions, layer)
    precisions.set_output(layer, dtype, why)
    if layer.op.name not in HAND_ON:
        return
    for position in data_positions(layer):
        if (layer.name, position) in precisions.requests:
            continue
        source = producer(layer.inputs[position])
        if source is not None:
            _widen(precisions, source, dtype, f"'{layer.name}' hands its numbers on")


def _keep_for_others(precisions: Precisions, layer: Layer) -> None:
    """Whoever took a float producer's integers so far now makes them himself."""
    before = precisions.outputs[layer.name]
    for reader, position in readers(layer):
        if reader.name not in precisions.outputs or position not in data_positions(reader):
            continue
        if (reader.name, position) not in precisions.requests:
            why = f"as before, now that '{layer.name}' stays float"
            precisions.set_input(reader, position, before, why)
