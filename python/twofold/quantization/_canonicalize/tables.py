"""A table of a function is worth its name with 16 bits."""

from ...dtype import qint16
from .._layers import data_positions
from .precisions import Precisions, bits_of


def widen_tables(precisions: Precisions) -> None:
    """int16 for the input and the output of every SegmentLUT that is quantized."""
    why = "a SegmentLUT takes and gives int16"
    for layer in precisions.layers:
        if layer.op.name != "segment_lut":
            continue
        if precisions.has_fixed_output(layer):
            precisions.keep_output(layer, f"stays, as its qconfig has a fixed scale: {why}")
        elif bits_of(precisions.outputs[layer.name]) < bits_of(qint16):
            precisions.set_output(layer, qint16, why)
        for position in data_positions(layer):
            if bits_of(precisions.input(layer, position)) < bits_of(qint16):
                precisions.set_input(layer, position, qint16, why)
