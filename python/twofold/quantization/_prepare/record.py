"""What a model calls, found out in the way of a PrepareMethod."""

import logging
from typing import Any

import torch
from torch import nn

from ..._twofold import Error
from .._ops.stubs import QUANT
from .._record.graph import Recording
from .._record.recorder import UNKNOWN, Recorder
from .._record.symbolic import check_traceable, record_symbolically
from .._record.tree import map_tensors
from .method import PrepareMethod
from .modules import record_modules

_log = logging.getLogger("twofold.quantization")


def record(
    model: nn.Module, method: PrepareMethod, inputs: tuple[tuple, dict[str, Any]] | None
) -> Recording:
    """The calls of one run on `inputs`, (args, kwargs); None where there are none.

    twofold.Error where the method needs inputs, where torch.fx cannot trace the model though it has
    to, and where inputs reach no QuantStub.
    """
    if inputs is None:
        if method is PrepareMethod.SYMBOLIC:
            return record_symbolically(model)
        if method is PrepareMethod.EAGER:
            return record_modules(model)
        raise Error(
            f"prepare runs the model by method {method.value}: give it example_inputs, one call's "
            "arguments"
        )
    if method is PrepareMethod.SYMBOLIC:
        check_traceable(model, *inputs)
    return _run(model, method, *inputs)


def unknown_calls(recording: Recording) -> list[str]:
    """What users are told of calls that no operator is known for; it goes to the log, too."""
    lines: dict[str, str] = {}
    for layer in recording.layers:
        if layer.name.startswith(UNKNOWN) and any(value.quantized for value in layer.outputs):
            lines.setdefault(layer.line, layer.op.name)
    messages = [
        f"{line}: {name} is no operator that Twofold knows: it stays float, and cannot be exported"
        for line, name in lines.items()
    ]
    for message in messages:
        _log.warning(message)
    return messages


def _run(model: nn.Module, method: PrepareMethod, args: tuple, kwargs: dict) -> Recording:
    """Run it once, and leave its buffers as they were."""
    recorder = Recorder(model, functions_stay_float=method is PrepareMethod.EAGER)
    between_stubs = method is not PrepareMethod.JIT and not recorder.all_inside
    if method is PrepareMethod.JIT:
        recorder.all_inside = True
    device = next((p.device for p in model.parameters()), torch.device("cpu"))
    args, kwargs = (map_tensors(lambda t: t.to(device), tree) for tree in (args, kwargs))
    buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
    with torch.no_grad():
        recorder.run(args, kwargs, between_stubs)
        for name, buffer in model.named_buffers():
            buffer.copy_(buffers[name])
    if between_stubs and not any(layer.op is QUANT for layer in recorder.recording.layers):
        raise Error(
            "the example inputs reach no QuantStub, so nothing is quantized; call it in forward, "
            "or leave stubs out to quantize everything"
        )
    return recorder.recording
