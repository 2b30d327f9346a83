"""A grid says where to sample: 8 bits are too few for places in an image."""

from ...dtype import qint16
from .._layers import data_positions, producer
from .._ops.op import Kind
from .._record.graph import Layer
from .precisions import Precisions, bits_of

_GRID_POSITION = 1


def is_grid(layer: Layer, position: int) -> bool:
    """Whether an input says where to sample."""
    return layer.op.name == "grid_sample" and position == _GRID_POSITION


def widen_grids(precisions: Precisions) -> None:
    """int16 from the grid of grid_sample up to the next Gemm-type operator, its output too."""
    for layer in precisions.recording.layers:
        if layer.op.name != "grid_sample":
            continue
        _widen_upwards(precisions, layer, _GRID_POSITION, layer.name)
        source = producer(layer.inputs[_GRID_POSITION])
        is_float = source is None or source.name not in precisions.outputs
        if is_float and layer.name in precisions.outputs:
            why = "it is the grid, and nothing in front quantizes it"
            precisions.set_input(layer, _GRID_POSITION, qint16, why)


def _widen_upwards(precisions: Precisions, reader: Layer, position: int, sampler: str) -> None:
    source = producer(reader.inputs[position])
    if source is None or source.name not in precisions.outputs:
        return
    if bits_of(precisions.outputs[source.name]) < bits_of(qint16):
        why = f"it is on the way to the grid of '{sampler}'"
        if precisions.has_fixed_output(source):
            precisions.keep_output(source, f"stays, as its qconfig has a fixed scale: {why}")
        else:
            precisions.set_output(source, qint16, why)
    if source.kind is Kind.GEMM:
        return
    for above in data_positions(source):
        wanted = precisions.requests.get((source.name, above))
        if wanted is not None and bits_of(wanted) < bits_of(qint16):
            why = f"it is on the way to the grid of '{sampler}'"
            precisions.set_input(source, above, qint16, why)
        _widen_upwards(precisions, source, above, sampler)
