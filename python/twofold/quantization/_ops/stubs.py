"""The boundaries of the quantized part, and calls that leave numbers as they are."""

import torch
from torch import nn

from ..stubs import DeQuantStub, QuantStub
from .op import Bound, Kind, Op

# torch.ao's stubs mean the same.
QUANT_STUBS = (QuantStub, torch.ao.quantization.QuantStub)
DEQUANT_STUBS = (DeQuantStub, torch.ao.quantization.DeQuantStub)


def _bind(_module: nn.Module, args: tuple, kwargs: dict) -> Bound:
    return Bound([*args, *kwargs.values()][:1], {})


def _stub(name: str, types: tuple[type, ...]) -> Op:
    return Op(
        name,
        Kind.COMPUTE,
        {},
        lambda inputs, _: inputs[0],
        lambda builder, inputs, _: builder.node("Identity", inputs),
        dict.fromkeys(types, _bind),
        quantized=(),
    )


QUANT = _stub("quant", QUANT_STUBS)
DEQUANT = _stub("dequant", DEQUANT_STUBS)
OPS = [QUANT, DEQUANT]
