"""Fake quantizers where the plan says: at producers, and at readers that want it otherwise."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from ...dtype import to_dtype
from ...nn._operator import INPUTS, OUTPUT, WEIGHT
from .._canonicalize.precisions import changed
from .._canonicalize.run import input_dtypes
from .._layers import data_positions, producer, quantizable, readers, weight_position
from .._ops.op import Kind
from .._ops.products import weight_axis
from .._ops.stubs import DEQUANT, QUANT
from .._qconfig_parts import dtype_of, factory_dtype
from .._record.graph import Layer, Recording
from ..qconfig import get_qconfig
from .resolve import Granted, Request

_BITS = {"float32": 0, "float16": 0, "int8": 8, "int16": 16, "ec": 16}
_DTYPES = {"int8": "qint8", "int16": "qint16", "ec": "ec"}


def precision_of(dtype: Any) -> str:
    """The word of a plan for a dtype of a qconfig."""
    name = str(dtype)
    return {"qint4": "int8", "qint8": "int8", "qint16": "int16", "ec": "ec"}.get(name, "float32")


def requests_of(recording: Recording, qconfigs: Mapping[str, Any]) -> dict[Request, str]:
    """What every operand asks for: inputs and weights, and the outputs of products."""
    requests = {
        (layer, f"input{position}"): precision_of(dtype)
        for (layer, position), dtype in input_dtypes(recording, qconfigs).items()
    }
    for layer in quantizable(recording):
        qconfig = qconfigs.get(layer.name)
        if layer.kind is Kind.GEMM and qconfig is not None:
            requests[layer.name, "output0"] = precision_of(dtype_of(qconfig, "output"))
    return requests


def place(recording: Recording, qconfigs: Mapping[str, Any], granted: Granted) -> None:
    """Give operators their fake quantizers, named after them.

    What comes out of one is quantized once, as its qconfig says; readers that want other integers
    make them of these themselves.
    """
    read = _read_in_integers(recording, granted)
    for layer in quantizable(recording):
        if qconfigs.get(layer.name) is not None:
            _place_output(layer, qconfigs[layer.name], granted, layer.module in read)
    for layer in quantizable(recording):
        if qconfigs.get(layer.name) is not None:
            _place_inputs(layer, qconfigs[layer.name], granted)
            _place_weight(layer, qconfigs[layer.name], granted)


def _read_in_integers(recording: Recording, granted: Granted) -> set[nn.Module]:
    """The operators whose result somebody wants in integers."""
    found = set()
    for layer in quantizable(recording):
        for position in data_positions(layer):
            source = producer(layer.inputs[position])
            precision = granted.precisions.get((layer.name, f"input{position}"), "float32")
            if source is not None and _BITS[precision] > 0:
                found.add(source.module)
    return found


def _place_output(layer: Layer, qconfig: Any, granted: Granted, is_read: bool) -> None:
    if layer.call > 0:
        return
    own = (layer.name, "output0")
    precision = granted.precisions.get(own) or precision_of(dtype_of(qconfig, "output"))
    if _BITS[precision] == 0 or not (is_read or _leaves(layer)):
        return
    quantizer = _fixed_stub(layer, precision) or _made(qconfig.output, precision)
    attach(layer.module, OUTPUT, quantizer, layer.name)


def _made(factory: Any, precision: str) -> nn.Module:
    """A fake quantizer as a qconfig says, of the dtype that was granted."""
    if factory is None or precision_of(factory_dtype(factory)) != precision:
        factory = changed(factory, to_dtype(_DTYPES[precision]))
    return factory()


def _leaves(layer: Layer) -> bool:
    """Whether its numbers leave the quantized part as they are."""
    outside = [reader for reader, _ in readers(layer)]
    return any(reader.op is DEQUANT for reader in outside) or not outside


def _fixed_stub(layer: Layer, precision: str) -> nn.Module | None:
    """The quantizer of a QuantStub with a scale of its own."""
    if layer.op is not QUANT or getattr(layer.module, "scale", None) is None:
        return None
    from ..fake_quantize import FakeQuantize
    from ..observer_v2 import FixedScaleObserver

    zero_point = layer.module.zero_point
    return FakeQuantize(
        observer=FixedScaleObserver,
        dtype=_DTYPES[precision],
        scale=layer.module.scale,
        zero_point=0 if zero_point is None else zero_point,
    )


def _place_inputs(layer: Layer, qconfig: Any, granted: Granted) -> None:
    for position in data_positions(layer):
        precision = granted.precisions.get((layer.name, f"input{position}"), "float32")
        if _BITS[precision] == 0 or layer.call > 0:
            continue
        source = producer(layer.inputs[position])
        there = None if source is None else getattr(source.module, OUTPUT, None)
        if there is not None and precision_of(there.dtype) == precision:
            continue
        if not hasattr(layer.module, INPUTS):
            setattr(layer.module, INPUTS, nn.ModuleDict())
        quantizer = _made(_of_input(qconfig, position) or qconfig.output, precision)
        quantizer.name = f"{layer.name}.{INPUTS}.{position}"
        getattr(layer.module, INPUTS)[str(position)] = quantizer.train(layer.module.training)


def _of_input(qconfig: Any, position: int) -> Any:
    """What makes the fake quantizer of an input, where the qconfig says."""
    if not isinstance(qconfig.input, tuple):
        return qconfig.input
    return qconfig.input[position] if position < len(qconfig.input) else None


def _place_weight(layer: Layer, qconfig: Any, granted: Granted) -> None:
    if weight_position(layer) is None or layer.call > 0:
        return
    precision = granted.precisions.get((layer.name, "input1"), "float32")
    if _BITS[precision] == 0:
        return
    factory = qconfig.weight or get_qconfig().weight
    if factory.keywords.get("ch_axis", -1) >= 0:
        axis = weight_axis(layer.op.name, layer.inputs[1].tensor.dim())
        factory = factory.with_args(ch_axis=axis)
    attach(layer.module, WEIGHT, _made(factory, precision), layer.name)


def attach(module: nn.Module, part: str, quantizer: nn.Module, name: str) -> None:
    """Make it the module's; it knows where it is, for messages."""
    quantizer.name = f"{name}.{part}"
    weight = getattr(module, "weight", None)
    if isinstance(weight, torch.Tensor):
        quantizer.to(weight.device)
    setattr(module, part, quantizer.train(module.training))
