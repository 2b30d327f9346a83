"""What the fake quantizers of a prepared model make of every layer."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from ...nn._operator import INPUTS, OUTPUT, WEIGHT, GeneratedOperator
from ...nn.quantized import FloatFunctional
from .._layers import data_positions, is_quantizable, producer, weight_position
from .._record.graph import Layer, Recording


@dataclass
class LayerRow:
    """One call of a layer; quantizers are None where there are none."""

    layer: Layer
    name: str  # "conv1", "conv1(1)" in its second call, "join[add]" of a FloatFunctional
    inputs: list[Any]  # dtypes, one per input
    own_inputs: list[nn.Module | None]  # what quantizes them at this layer
    weight: nn.Module | None
    output: nn.Module | None

    @property
    def type_name(self) -> str:
        """The printed class, or the operator of a functional call; and what is fused to it."""
        module, clamp = self.layer.module, self.layer.clamp
        is_generated = isinstance(module, GeneratedOperator)
        name = f"generated {self.layer.op.name}" if is_generated else str(type(module))
        return name if clamp is None else f"{name} + {clamp[0]}"

    @property
    def has_weight(self) -> bool:
        """Whether it is a Conv or Linear with a weight of its own."""
        return weight_position(self.layer) is not None


def layer_rows(model: nn.Module, recording: Recording) -> Iterator[LayerRow]:
    """All layers that were quantized or could have been, and what leaves the quantized part."""
    for layer in recording.layers:
        if is_quantizable(layer) or (layer.op.name == "dequant" and layer.module is not None):
            yield _row(layer, _name(model, layer))


def _name(model: nn.Module, layer: Layer) -> str:
    name, scope = layer.name, layer.name.rpartition(".")[0]
    is_generated = isinstance(layer.module, GeneratedOperator)
    if is_generated and isinstance(model.get_submodule(scope), FloatFunctional):
        name = f"{scope}[{layer.op.name}]"
    return f"{name}({layer.call})" if layer.call else name


def _row(layer: Layer, name: str) -> LayerRow:
    positions = data_positions(layer) or [
        position
        for position, value in enumerate(layer.inputs)
        if value is not None and not value.is_constant and value.tensor.is_floating_point()
    ]
    own = [_own_input(layer, position) for position in positions]
    return LayerRow(
        layer,
        name,
        [_input_dtype(layer, p, q) for p, q in zip(positions, own, strict=True)],
        own,
        getattr(layer.module, WEIGHT, None),
        getattr(layer.module, OUTPUT, None),
    )


def dtype_of(quantizer: nn.Module | None) -> Any:
    """torch.float32 where there is none."""
    return torch.float32 if quantizer is None else quantizer.dtype


def dtype_cell(dtype: Any) -> str:
    """Inside of a list: 'qint8' in quotes, torch.float32 without."""
    return str(dtype) if isinstance(dtype, torch.dtype) else repr(str(dtype))


def observer_cell(quantizer: nn.Module | None) -> str:
    """`MinMaxObserver(averaging_constant=0.01)`, `FakeCast(dtype=...)`, "None" without any."""
    if quantizer is None:
        return "None"
    shown = getattr(quantizer, "activation_post_process", quantizer)
    return f"{type(shown).__name__}({shown.extra_repr()})"


def ch_axis_cell(quantizer: nn.Module | None) -> int:
    """-1 where there is one scale, or none."""
    return getattr(quantizer, "ch_axis", -1)


def _own_input(layer: Layer, position: int) -> nn.Module | None:
    own = getattr(layer.module, INPUTS, None)
    return own[str(position)] if own is not None and str(position) in own else None


def _input_dtype(layer: Layer, position: int, own: nn.Module | None) -> Any:
    if own is not None:
        return own.dtype
    source = producer(layer.inputs[position])
    return dtype_of(None if source is None else getattr(source.module, OUTPUT, None))
