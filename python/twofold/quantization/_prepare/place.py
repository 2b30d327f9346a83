"""Fake quantizers where the plan says: at producers, and at readers that want it otherwise."""

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from ..._twofold import Error
from ...dtype import to_dtype
from ...nn._operator import INPUTS, OUTPUT, WEIGHT
from .._canonicalize.precisions import changed
from .._canonicalize.run import call_dtypes
from .._layers import data_positions, producer, quantizable, readers, weight_position
from .._onnx_graph import node_name
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
    """What every operand of every call asks for: inputs and weights, and outputs of products."""
    requests = {
        (node_name(layer), f"input{position}"): precision_of(dtype)
        for layer, position, dtype in call_dtypes(recording, qconfigs)
    }
    for layer in quantizable(recording):
        qconfig = qconfigs.get(layer.name)
        if layer.kind is Kind.GEMM and qconfig is not None:
            requests[node_name(layer), "output0"] = precision_of(dtype_of(qconfig, "output"))
    return requests


def place(recording: Recording, qconfigs: Mapping[str, Any], granted: Granted) -> None:
    """Give operators their fake quantizers, named after them.

    What comes out of one is quantized once, as its qconfig says; readers that want other integers
    make them of these themselves. Raises twofold.Error for a module of which two calls would need
    different ones.
    """
    read = _read_in_integers(recording, granted)
    modules: dict[str, list[Layer]] = {}
    for layer in quantizable(recording):
        if qconfigs.get(layer.name) is not None:
            modules.setdefault(layer.name, []).append(layer)
    for name, calls in modules.items():
        _place_output(calls, qconfigs[name], granted, calls[0].module in read)
    for name, calls in modules.items():
        _place_inputs(calls, qconfigs[name], granted)
        _place_weight(calls, qconfigs[name], granted)


def _read_in_integers(recording: Recording, granted: Granted) -> set[nn.Module]:
    """The operators whose result somebody wants in integers."""
    found = set()
    for layer in quantizable(recording):
        for position in data_positions(layer):
            source = producer(layer.inputs[position])
            if source is not None and _BITS[_input_precision(layer, position, granted)] > 0:
                found.add(source.module)
    return found


def _input_precision(layer: Layer, position: int, granted: Granted) -> str:
    return granted.precisions.get((node_name(layer), f"input{position}"), "float32")


def _same(calls: list[Layer], what: str, precision: Callable[[Layer], str]) -> str:
    """What all calls of a module have; twofold.Error that names two of them where they differ."""
    first = precision(calls[0])
    for other in calls[1:]:
        found = precision(other)
        if found != first:
            raise Error(
                f"'{other.name}' is one module with one set of fake quantizers, but its {what} "
                f"would be {first} at {calls[0].line} and {found} at {other.line}: make it two "
                f"modules, or give it one dtype, as ModuleNameTemplate({{'{other.name}': "
                "{'input': qint8}})"
            )
    return first


def _place_output(calls: list[Layer], qconfig: Any, granted: Granted, is_read: bool) -> None:
    layer = calls[0]
    asked = precision_of(dtype_of(qconfig, "output"))
    precision = _same(
        calls, "output", lambda call: granted.precisions.get((node_name(call), "output0"), asked)
    )
    if _BITS[precision] == 0 and dtype_of(qconfig, "output") == torch.float16:
        _attach(layer, OUTPUT, qconfig.output())
    if _BITS[precision] == 0 or not (is_read or any(map(_leaves, calls))):
        return
    quantizer = _fixed_stub(layer, precision) or _made(qconfig.output, precision)
    _attach(layer, OUTPUT, quantizer)


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


def _place_inputs(calls: list[Layer], qconfig: Any, granted: Granted) -> None:
    layer = calls[0]
    for position in data_positions(layer):
        if all(_comes_so(call, position, qconfig, granted) for call in calls):
            continue
        precision = _same(
            calls, f"input{position}", lambda call, at=position: _input_precision(call, at, granted)
        )
        if not hasattr(layer.module, INPUTS):
            setattr(layer.module, INPUTS, nn.ModuleDict())
        factory = _of_input(qconfig, position)
        is_half = _BITS[precision] == 0
        quantizer = factory() if is_half else _made(factory or qconfig.output, precision)
        inputs = getattr(layer.module, INPUTS)
        inputs[str(position)] = _at(layer, f"{INPUTS}.{position}", quantizer)


def _comes_so(layer: Layer, position: int, qconfig: Any, granted: Granted) -> bool:
    """Whether an input needs nothing: it is float, or what its producer gives, known or not."""
    precision = _input_precision(layer, position, granted)
    asked = _of_input(qconfig, position)
    value = layer.inputs[position]
    source = producer(value)
    there = None if source is None else getattr(source.module, OUTPUT, None)
    if _BITS[precision] == 0:
        is_half = factory_dtype(asked) == torch.float16
        return not is_half or (there is not None and there.dtype == torch.float16)
    if value.is_unknown:
        return asked is None
    return there is not None and precision_of(there.dtype) == precision


def _of_input(qconfig: Any, position: int) -> Any:
    """What makes the fake quantizer of an input, where the qconfig says."""
    if not isinstance(qconfig.input, tuple):
        return qconfig.input
    return qconfig.input[position] if position < len(qconfig.input) else None


def _place_weight(calls: list[Layer], qconfig: Any, granted: Granted) -> None:
    layer = calls[0]
    if weight_position(layer) is None:
        return
    precision = _same(calls, "weight", lambda call: _input_precision(call, 1, granted))
    if _BITS[precision] == 0:
        if dtype_of(qconfig, "weight") == torch.float16:
            _attach(layer, WEIGHT, qconfig.weight())
        return
    factory = qconfig.weight or get_qconfig().weight
    if factory.keywords.get("ch_axis", -1) >= 0:
        axis = weight_axis(layer.op.name, layer.inputs[1].tensor.dim())
        factory = factory.with_args(ch_axis=axis)
    _attach(layer, WEIGHT, _made(factory, precision))


def _attach(layer: Layer, part: str, quantizer: nn.Module) -> None:
    """Make it the module's."""
    setattr(layer.module, part, _at(layer, part, quantizer))


def _at(layer: Layer, place: str, quantizer: nn.Module) -> nn.Module:
    """The same, where the layer's tensors are; it knows its place, for messages."""
    quantizer.name = f"{layer.name}.{place}"
    return quantizer.to(layer.outputs[0].tensor.device).train(layer.module.training)
