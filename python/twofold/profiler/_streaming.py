"""Recording a run without keeping its tensors."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from ..nn._operator import GeneratedOperator
from ..qtensor import plain
from ..quantization._ops import OPS_BY_NAME
from ..quantization._ops.op import Kind
from ..quantization._ops.stubs import QUANT
from ..quantization._record.graph import Layer, Recording
from ..quantization._record.recorder import Recorder
from ..quantization._record.tree import map_tensors, tensors_of

Sink = Callable[[Layer, list[torch.Tensor], Any], None]


class _Streaming(Recorder):
    """Hands every layer on as it has computed: (layer, its inputs, its results)."""

    def __init__(self, model: nn.Module, sink: Sink):
        super().__init__(model)
        self._sink = sink

    def _add(self, name: str, op: Any, module: Any, bound: Any, result: Any) -> Layer:
        layer = super()._add(name, op, module, bound, result)
        if is_layer(layer):
            self._sink(layer, bound.inputs, result)
        for value in layer.outputs:
            value.tensor = torch.empty_like(value.tensor, device="meta")
        return layer


@contextmanager
def streamed(model: nn.Module, sink: Sink) -> Iterator[Recording]:
    """What `model` computes in here, call by call; the recording has shapes and no numbers.

    Of a model with QuantStubs that is what lies behind these.
    """
    recorder = _Streaming(model, sink)
    between_stubs = has_stubs(model)

    def follow(_module: nn.Module, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
        return map_tensors(recorder.input, args), map_tensors(recorder.input, kwargs)

    hooks = []
    if not between_stubs:
        hooks.append(model.register_forward_pre_hook(follow, prepend=True, with_kwargs=True))
    try:
        with recorder.following(between_stubs):
            yield recorder.recording
    finally:
        for hook in hooks:
            hook.remove()


def has_stubs(model: nn.Module) -> bool:
    """Whether a QuantStub says where the quantized part begins."""
    types = tuple(QUANT.modules)
    return any(isinstance(module, types) for module in model.modules())


def is_layer(layer: Layer) -> bool:
    """Whether it computes something that Twofold knows."""
    return layer.kind is not Kind.MOVE and OPS_BY_NAME.get(layer.op.name) is layer.op


def call_name(layer: Layer) -> str:
    """The module's path, with a number for calls after the first."""
    return f"{layer.name}({layer.call})" if layer.call else layer.name


def type_name(layer: Layer) -> str:
    """The printed class, or the operator of a functional call; and what is fused to it."""
    module = layer.module
    is_generated = module is None or isinstance(module, GeneratedOperator)
    name = f"generated {layer.op.name}" if is_generated else str(type(module))
    clamp = getattr(module, "clamp", None)
    return name if clamp is None else f"{name} + {clamp[0]}"


def results_of(result: Any) -> list[torch.Tensor]:
    """The tensors of a result, plain."""
    return [plain(tensor).detach() for tensor in tensors_of(result)]
