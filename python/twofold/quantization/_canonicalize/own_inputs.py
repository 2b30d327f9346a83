"""Numbers that nothing in front quantizes are quantized by who reads them."""

from ...dtype import qint8
from .._layers import data_positions, producer
from .._ops.op import Kind
from .._record.graph import Layer
from .precisions import Precisions, is_integer


def quantize_own_inputs(precisions: Precisions, *, products: bool) -> None:
    """Let inputs ask for the dtype of their layer's output, where their producer has none.

    Either those of `products`, or of all other layers, whose outputs are to be settled before.

    Producers have none that are constants, inputs of the model, or layers that are float by choice.
    A product with a float output asks for int8, if the other factor is one of integers; other
    layers with a float output ask for nothing.
    """
    for layer in precisions.layers:
        if (layer.kind is Kind.GEMM) is not products:
            continue
        output = precisions.outputs[layer.name]
        if not is_integer(output) and not _multiplies_integers(precisions, layer):
            continue
        for position in data_positions(layer):
            source = producer(layer.inputs[position])
            if source is not None and source.name in precisions.outputs:
                continue
            if (layer.name, position) in precisions.requests:
                continue
            what = "a constant" if layer.inputs[position].is_constant else "float"
            dtype = output if is_integer(output) else qint8
            why = f"it is {what}, and nothing in front quantizes it"
            precisions.set_input(layer, position, dtype, why)


def _multiplies_integers(precisions: Precisions, layer: Layer) -> bool:
    if layer.kind is not Kind.GEMM:
        return False
    return any(is_integer(precisions.input(layer, position)) for position in (0, 1))
