"""What an operator computes along with the ones behind it: BatchNorm in its weights, and clamps."""

from dataclasses import dataclass, field

import torch
from torch import nn

from ...nn._operator import FusedAway
from .._ops.activations import CLAMPS
from .._ops.op import Kind
from .._record.graph import Layer, Recording, Value


@dataclass
class Fusions:
    """Layers that are gone, each with the one that does their work: name -> name."""

    members: dict[str, str] = field(default_factory=dict)

    def owner(self, name: str) -> str:
        """Under which name a layer stands."""
        return self.members.get(name, name)


def fuse(model: nn.Module, recording: Recording) -> Fusions:
    """Fold BatchNorms into the weights in front, and let producers clamp.

    `recording` loses the fused layers; in the model a module that passes its input on takes the
    place of each.
    """
    fusions = Fusions()
    for layer in [*recording.layers]:
        if layer.op.name == "batch_norm":
            product = _only_producer(layer, layer.inputs[0], Kind.GEMM)
            if product is not None and _foldable(product, layer):
                _fold(product.module, layer.module)
                _drop(model, recording, layer, product, fusions)
        elif layer.op.name in CLAMPS:
            producer = _only_producer(layer, layer.inputs[0], Kind.GEMM, Kind.COMPUTE)
            if producer is not None and _can_clamp(producer, layer):
                producer.clamp = (layer.op.name, layer.attributes)
                _drop(model, recording, layer, producer, fusions)
    return fusions


def _only_producer(layer: Layer, value: Value, *kinds: Kind) -> Layer | None:
    """Who computes the value for this layer alone, called once as it is."""
    producer = value.layer
    if producer is None or producer.kind not in kinds or len(value.readers) != 1:
        return None
    if len(producer.outputs) != 1 or not value.quantized:
        return None
    return producer if layer.called_once and producer.called_once else None


def _foldable(product: Layer, norm: Layer) -> bool:
    if product.module is None or norm.module is None or product.clamp is not None:
        return False
    return norm.module.running_mean is not None


def _can_clamp(producer: Layer, clamp: Layer) -> bool:
    plain_input = all(value is None for value in clamp.inputs[1:])
    return producer.clamp is None and plain_input and producer.op.quantized != ()


def _fold(product: nn.Module, norm: nn.Module) -> None:
    """W' = W g and b' = (b - mean) g + beta, with g = gamma / sqrt(var + eps), in float64."""
    mean, variance = norm.running_mean.double(), norm.running_var.double()
    gain = (variance + norm.eps).rsqrt()
    if norm.weight is not None:
        gain = gain * norm.weight.detach().double()
    weight = product.weight.detach().double()
    if isinstance(product, nn.modules.conv._ConvTransposeNd):
        # [in, out / groups, ...]: a group's output channels meet its own inputs.
        groups = product.groups
        shape = (groups, weight.shape[0] // groups, *weight.shape[1:])
        by_group = gain.reshape(groups, 1, -1, *[1] * (weight.dim() - 2))
        folded = (weight.reshape(shape) * by_group).reshape(weight.shape)
    else:
        folded = weight * gain.reshape(-1, *[1] * (weight.dim() - 1))
    bias = -mean if product.bias is None else product.bias.detach().double() - mean
    bias = bias * gain
    if norm.bias is not None:
        bias = bias + norm.bias.detach().double()
    with torch.no_grad():
        product.weight.copy_(folded)
    product.bias = nn.Parameter(bias.to(product.weight.dtype))


def _drop(
    model: nn.Module, recording: Recording, layer: Layer, owner: Layer, fusions: Fusions
) -> None:
    """Take a layer out; what it gave is the owner's now."""
    (taken,), (kept,) = owner.outputs, layer.outputs
    recording.layers.remove(layer)
    kept.layer, owner.outputs = owner, [kept]
    taken.readers.clear()
    for name, other in fusions.members.items():
        if other == layer.name:
            fusions.members[name] = owner.name
    fusions.members[layer.name] = owner.name
    if layer.module is not None:
        set_module(model, layer.name, nn.Identity().train(layer.module.training))
    else:
        set_module(model, layer.name, FusedAway())


def set_module(model: nn.Module, name: str, module: nn.Module) -> None:
    """Put a module at a path, in place of what was there."""
    scope, _, last = name.rpartition(".")
    model.get_submodule(scope).add_module(last, module)
