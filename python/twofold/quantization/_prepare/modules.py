"""The operators of a model that nobody has seen running: PrepareMethod.EAGER without inputs."""

import inspect

import torch
from torch import nn

from ...nn._operator import Operator
from .._ops import bind_module, op_of_module
from .._ops.activations import CLAMPS
from .._ops.op import Kind, Op
from .._ops.stubs import DEQUANT
from .._record.graph import Layer, Recording, Value


def record_modules(model: nn.Module) -> Recording:
    """Every module that is an operator, as called once; who computes its inputs is not known.

    Only of the groups that `fuse_modules` was told it is.
    """
    recording = Recording(has_shapes=False)
    results: dict[nn.Module, Value] = {}
    for name, module in model.named_modules():
        op = module.op if isinstance(module, Operator) else op_of_module(type(module))
        if op is not None and type(module) is not nn.Identity:
            layer = _layer(name, module, op)
            recording.layers.append(layer)
            results[module] = layer.outputs[0]
    by_module = {layer.module: layer for layer in recording.layers}
    for owner in by_module:
        chain = [owner, *getattr(owner, "fused_behind", ())]
        for before, behind in zip(chain, chain[1:], strict=False):
            if before in by_module and behind in by_module:
                _connect(by_module[before], by_module[behind])
    recording.layers.sort(key=lambda layer: _depth(layer))
    return recording


def _layer(name: str, module: nn.Module, op: Op) -> Layer:
    if op.kind is Kind.GEMM and hasattr(module, "weight"):
        bias = None if module.bias is None else Value(module.bias)
        inputs = [Value(_number(), is_unknown=True), Value(module.weight), bias]
    else:
        inputs = [Value(_number(), is_unknown=True) for _ in range(_count_of_inputs(module))]
    attributes = {}
    if op.name in CLAMPS and not isinstance(module, Operator):
        attributes = bind_module(module, (_number(),), {}).attributes
    layer = Layer(name, op, module, inputs, attributes)
    layer.outputs = [Value(_number(), layer, quantized=op is not DEQUANT)]
    for position, value in enumerate(inputs):
        if value is not None:
            value.readers.append((layer, position))
    return layer


def _count_of_inputs(module: nn.Module) -> int:
    """How many tensors a forward needs; 1 of what says nothing about it."""
    parameters = inspect.signature(module.forward).parameters.values()
    named = [p for p in parameters if p.kind is not p.VAR_POSITIONAL]
    return max(1, sum(p.default is p.empty for p in named))


def _connect(before: Layer, behind: Layer) -> None:
    behind.inputs[0] = before.outputs[0]
    before.outputs[0].readers.append((behind, 0))


def _depth(layer: Layer) -> int:
    """How many of its group run before it."""
    source = layer.inputs[0].layer
    return 0 if source is None else 1 + _depth(source)


def _number() -> torch.Tensor:
    return torch.zeros(1)
