"""Numbers that nothing in front quantizes are quantized by who reads them."""

from torch import nn

from ...dtype import qint8
from .._layers import data_positions, producer
from .._ops.op import Kind
from .._record.graph import Layer, Value
from .grid import is_grid
from .precisions import Precisions, is_integer


def quantize_own_inputs(precisions: Precisions, *, products: bool) -> None:
    """Let inputs ask for the dtype of their layer's output, where their producer has none.

    Either those of `products`, or of all other layers, whose outputs are to be settled before.

    Producers have none that are constants, inputs of the model, or layers that are float by choice.
    A product with a float output asks for int8, if the other factor is one of integers; other
    layers with a float output ask for nothing, nor do grids of grid_sample (`widen_grids`), nor
    tensors of zeros, such as the first state of an LSTM, which any scale holds.
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
            value = layer.inputs[position]
            if value.is_unknown or is_grid(layer, position) or _is_zero(value):
                continue
            if (layer.name, position) in precisions.requests:
                continue
            what = "a constant" if value.is_constant else "float"
            dtype = output if is_integer(output) else qint8
            why = f"it is {what}, and nothing in front quantizes it"
            precisions.set_input(layer, position, dtype, why)


def _is_zero(value: Value) -> bool:
    """Whether it is 0 and stays so; a parameter learns."""
    is_fixed = value.is_constant and not isinstance(value.tensor, nn.Parameter)
    return is_fixed and not bool(value.tensor.any())


def _multiplies_integers(precisions: Precisions, layer: Layer) -> bool:
    if layer.kind is not Kind.GEMM:
        return False
    return any(is_integer(precisions.input(layer, position)) for position in (0, 1))
