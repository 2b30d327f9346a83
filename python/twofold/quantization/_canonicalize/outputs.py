"""The result of a product that leaves the quantized part need not be rounded."""

import torch

from .._layers import is_output, readers
from .._ops.op import Kind
from .precisions import Precisions, is_integer


def keep_outputs_precise(precisions: Precisions) -> None:
    """High precision where a Gemm-type operator's output goes to DeQuantStubs alone.

    A fixed scale stays: somebody chose it.
    """
    for layer in precisions.layers:
        if layer.kind is not Kind.GEMM or precisions.has_fixed_output(layer):
            continue
        if not is_integer(precisions.outputs[layer.name]):
            continue
        to = [reader for reader, _ in readers(layer)]
        leaves = bool(to) and all(reader.op.name == "dequant" for reader in to)
        if leaves and not is_output(precisions.recording, layer):
            precisions.set_output(layer, torch.float32, "only a DeQuantStub reads it")
