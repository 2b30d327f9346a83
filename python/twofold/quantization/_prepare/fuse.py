"""What an operator computes along with the ones behind it: BatchNorm in its weights, and clamps."""

from collections.abc import Iterable

import torch
from torch import nn

from ...nn._norm_inside import NORM, fold_into, keep_norm, norm_of
from ...nn._operator import FusedAway
from ...qat_mode import QATMode, get_qat_mode
from .._ops.activations import CLAMPS
from .._ops.op import Kind
from .._record.blocks import Block
from .._record.graph import Layer, Recording

# Layers that are gone, each with the one that does their work: name -> name.
Members = dict[str, str]


def fuse(model: nn.Module, recording: Recording, only_declared: bool = False) -> Members:
    """Put BatchNorms into the products in front, as `set_qat_mode` says, and let producers clamp.

    `recording` loses the fused layers; in the model a module that passes its input on takes the
    place of each. With `only_declared`, groups are those that `fuse_modules` was told.
    """
    members = members_of(model)
    for layer in [*recording.layers]:
        is_norm = layer.op.name == "batch_norm"
        if not is_norm and layer.op.name not in CLAMPS:
            continue
        producer = only_producer(recording, layer)
        if producer is None or (only_declared and not is_declared(producer.module, layer.module)):
            continue
        if is_norm and is_foldable(producer, layer):
            _take_in(producer, layer, members)
            _drop(model, recording, layer, producer, members)
        elif not is_norm and _can_clamp(producer, layer):
            producer.clamp = (layer.op.name, layer.attributes)
            _drop(model, recording, layer, producer, members)
    return members


def declare(owner: nn.Module, behind: Iterable[nn.Module]) -> None:
    """Note that a module is to do the work of others, which run behind it."""
    owner.fused_behind = [*behind]  # in a list, so that they are no children


def is_declared(owner: nn.Module | None, behind: nn.Module | None) -> bool:
    """Whether `declare` was told so."""
    return any(behind is module for module in getattr(owner, "fused_behind", ()))


def note_members(model: nn.Module, members: Members) -> None:
    """Let what was fused away know who does its work."""
    for name, owner in members.items():
        model.get_submodule(name).fused_into = [model.get_submodule(owner)]


def members_of(model: nn.Module) -> Members:
    """{path: path of the one that does its work} of all that was fused away in a model."""
    paths = {module: name for name, module in model.named_modules()}
    return {
        name: paths[module.fused_into[0]]
        for module, name in paths.items()
        if hasattr(module, "fused_into") and module.fused_into[0] in paths
    }


def only_producer(recording: Recording, layer: Layer) -> Layer | None:
    """Who computes the first input for this layer alone, called once as it is."""
    value = layer.inputs[0]
    producer = value.layer
    if producer is None or producer.kind is Kind.MOVE or len(value.readers) != 1:
        return None
    if len(producer.outputs) != 1 or not value.quantized or value in recording.outputs:
        return None
    if layer.stays_float or producer.stays_float:
        return None
    return producer if layer.called_once and producer.called_once else None


def is_foldable(product: Layer, norm: Layer) -> bool:
    """Whether a BatchNorm can be a part of the product in front."""
    module = product.module
    if product.kind is not Kind.GEMM or module is None or norm.module is None:
        return False
    if product.clamp is not None:
        return False
    if norm_of(module) is not None or norm.module.running_mean is None:
        return False
    # Of a Linear's [N, L, C], a BatchNorm1d normalizes L.
    is_matrix = product.op.name != "linear" or product.outputs[0].tensor.dim() == 2
    return is_matrix and is_foldable_weight(module)


def is_foldable_weight(product: nn.Module) -> bool:
    """Whether the weight is held, and not computed anew in each forward (weight_norm)."""
    return isinstance(product._parameters.get("weight"), nn.Parameter)


def _take_in(product: Layer, norm: Layer, members: Members) -> None:
    mode = get_qat_mode()
    if mode == QATMode.FuseBN:
        fold(product.module, norm.module)
        return
    keep_norm(product.module, norm.module, reverse=mode == QATMode.WithBNReverseFold)
    members[f"{product.name}.{NORM}"] = product.name


def _can_clamp(producer: Layer, clamp: Layer) -> bool:
    plain_input = all(value is None for value in clamp.inputs[1:])
    return producer.clamp is None and plain_input and producer.op.quantized != ()


def fold(product: nn.Module, norm: nn.Module) -> None:
    """Fold a norm's running statistics, once and for all, into a product's weight and bias."""
    weight, bias = fold_into(product, norm)
    with torch.no_grad():
        product.weight.copy_(weight)
    product.bias = nn.Parameter(bias.to(product.weight.dtype))


def _drop(
    model: nn.Module, recording: Recording, layer: Layer, owner: Layer, members: Members
) -> None:
    """Take a layer out; what it gave is the owner's now."""
    (taken,), (kept,) = owner.outputs, layer.outputs
    recording.layers.remove(layer)
    kept.layer, owner.outputs = owner, [kept]
    taken.readers.clear()
    for name, other in members.items():
        if other == layer.name:
            members[name] = owner.name
    members[layer.name] = owner.name
    if layer.module is None:
        set_module(model, layer.name, FusedAway())
    else:
        set_module(model, layer.name, nn.Identity().train(layer.module.training))


def set_module(model: nn.Module, name: str, module: nn.Module) -> None:
    """Put a module at a path, in place of what was there. Blocks on the way are made."""
    *path, last = name.split(".")
    for child in path:
        if child not in model._modules:
            model.add_module(child, Block())
        model = model.get_submodule(child)
    model.add_module(last, module)
