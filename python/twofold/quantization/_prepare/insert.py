"""Operators in place of the float model's modules and functional calls."""

from torch import nn

from ...nn._operator import FusedAway, GeneratedOperator, Operator
from ...nn.qat import adopt
from .._ops import op_of_module
from .._ops.op import Kind
from .._record.graph import Layer, Recording
from .._record.scopes import watch
from .fuse import set_module


def insert(model: nn.Module, recording: Recording) -> None:
    """Make every recorded layer that computes in the quantized part an operator, and name it so.

    Modules of torch.nn become operators where they are; functional calls become modules at the
    path of their layer's name. `recording`'s layers refer to these from now on.
    """
    for layer in recording.layers:
        if layer.stays_float or not _is_inside(layer):
            continue
        if layer.module is not None:
            if not isinstance(layer.module, Operator):
                adopt(layer.module)
        elif layer.kind is not Kind.MOVE and layer.outputs[0].tensor.is_floating_point():
            layer.module = _generated(model, layer)
        if isinstance(layer.module, Operator) and layer.clamp is not None:
            layer.module.clamp = layer.clamp


def watch_scopes(model: nn.Module, functions_stay_float: bool = False) -> None:
    """Let every module that is no operator know which functional calls are its own."""
    for module in model.modules():
        is_operator = isinstance(module, Operator | FusedAway) or op_of_module(type(module))
        if not is_operator and not getattr(module, "has_scope", False):
            watch(module, functions_stay_float)
            module.has_scope = True


def _is_inside(layer: Layer) -> bool:
    if not layer.outputs:
        return False
    return any(value.quantized for value in (*layer.outputs, *filter(None, layer.inputs)))


def _generated(model: nn.Module, layer: Layer) -> nn.Module:
    if layer.call > 0:
        return model.get_submodule(layer.name)
    module = GeneratedOperator(layer.op)
    set_module(model, layer.name, module.train(model.training))
    return module
