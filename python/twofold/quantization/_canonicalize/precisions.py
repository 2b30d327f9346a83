"""The dtypes that qconfigs ask for, layer by layer, and a log of every change to them."""

import copy
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch

from ...dtype import QuantDType, ec, qint8, qint16
from .._factory import Factory
from .._fixed_scale import FixedScaleObserver
from .._layers import data_positions, producer, quantizable, weight_position
from .._qconfig import QConfig
from .._qconfig_parts import dtype_of, factory_dtype, factory_with_dtype
from .._record.graph import Layer, Recording
from ..fake_quantize import FakeQuantize

_BITS = {"qint4": 4, "quint4": 4, "qint8": 8, "qint16": 16, "ec": 16, "qint32": 32}


class Change(NamedTuple):
    """A row of the changelog: of which layer what ("input0", "weight", "output") became what."""

    layer: str
    what: str
    before: str
    after: str
    why: str


def bits_of(dtype: Any) -> int:
    """How wide numbers are; floats are wider than all integers."""
    if isinstance(dtype, QuantDType):
        return _BITS[str(dtype)]
    return 64 if dtype == torch.float16 else 128


def is_integer(dtype: Any) -> bool:
    """Whether numbers of the dtype are quantized."""
    return isinstance(dtype, QuantDType)


def has_fixed_scale(part: Factory | None) -> bool:
    """Whether a part of a qconfig comes with its scale."""
    if part is None or not issubclass(part.func, FakeQuantize):
        return False
    observer = part.keywords.get("observer")
    observer = observer.func if isinstance(observer, Factory) else observer
    return isinstance(observer, type) and issubclass(observer, FixedScaleObserver)


class Precisions:
    """What every operand is asked to be.

    `outputs` and `weights` hold dtypes by layer, torch.float32 where nothing is quantized;
    `requests` those of inputs that ask for one of their own, by (layer, position). Layers without
    a qconfig are in none of them: they are float.
    """

    def __init__(self, recording: Recording, qconfigs: Mapping[str, QConfig | None]):
        self.recording = recording
        self.layers = [layer for layer in quantizable(recording) if qconfigs.get(layer.name)]
        self.qconfigs = {layer.name: qconfigs[layer.name] for layer in self.layers}
        self.outputs: dict[str, Any] = {}
        self.weights: dict[str, Any] = {}
        self.requests: dict[tuple[str, int], Any] = {}
        self.changes: list[Change] = []
        for layer in self.layers:
            self._read(layer, self.qconfigs[layer.name])

    def copy(self) -> "Precisions":
        """One to try something with."""
        other = copy.copy(self)
        other.outputs, other.weights = dict(self.outputs), dict(self.weights)
        other.requests, other.changes = dict(self.requests), []
        return other

    def input(self, layer: Layer, position: int) -> Any:
        """What an input is: as it asks, or as its producer's output.

        Of a producer that nobody has seen, what the layer's own output is, else int8.
        """
        if position == weight_position(layer):
            return self.weights.get(layer.name, torch.float32)
        request = self.requests.get((layer.name, position))
        if request is not None:
            return request
        if layer.inputs[position].is_unknown:
            output = self.outputs.get(layer.name)
            return output if is_integer(output) else qint8
        source = producer(layer.inputs[position])
        return torch.float32 if source is None else self.outputs.get(source.name, torch.float32)

    def set_output(self, layer: Layer, dtype: Any, why: str) -> None:
        """Change an output, and say why."""
        self._log(layer.name, "output", self.outputs[layer.name], dtype, why)
        self.outputs[layer.name] = dtype

    def set_weight(self, layer: Layer, dtype: Any, why: str) -> None:
        """Change a weight, and say why."""
        self._log(layer.name, "weight", self.weights[layer.name], dtype, why)
        self.weights[layer.name] = dtype

    def set_input(
        self, layer: Layer, position: int, dtype: Any, why: str, before: Any = None
    ) -> None:
        """Let an input ask for a dtype, and say why. `before`: what it would have been else."""
        before = self.input(layer, position) if before is None else before
        self._log(layer.name, f"input{position}", before, dtype, why)
        self.requests[layer.name, position] = dtype

    def keep_output(self, layer: Layer, why: str) -> None:
        """Note that an output stays what it is, though something else was wished for."""
        before = self.outputs[layer.name]
        self._log(layer.name, "output", before, before, why)

    def has_fixed_output(self, layer: Layer) -> bool:
        """Whether a qconfig gives the output's scale, and so its dtype."""
        return has_fixed_scale(self.qconfigs[layer.name].output)

    def has_fixed_input(self, layer: Layer, position: int) -> bool:
        """Whether a qconfig gives the scale of an input."""
        return has_fixed_scale(_at(self.qconfigs[layer.name].input, position))

    def as_qconfigs(self) -> dict[str, QConfig]:
        """Qconfigs that ask for just this; the input is a tuple with a part per position."""
        return {layer.name: self._qconfig(layer) for layer in self.layers}

    def _qconfig(self, layer: Layer) -> QConfig:
        given = self.qconfigs[layer.name]
        weight = given.weight
        if layer.name in self.weights:
            weight = changed(weight, self.weights[layer.name])
        return QConfig(
            input=self._input_parts(layer, given),
            weight=weight,
            output=changed(given.output, self.outputs[layer.name]),
        )

    def _input_parts(self, layer: Layer, given: QConfig) -> tuple[Factory | None, ...] | None:
        parts = []
        for position in range(len(layer.inputs)):
            dtype = self.requests.get((layer.name, position))
            part = _at(given.input, position)
            if dtype is None:
                part = None
            elif part is None:
                like = None if has_fixed_scale(given.output) else given.output
                part = factory_with_dtype(like, dtype)
            else:
                part = changed(part, dtype)
            parts.append(part)
        while parts and parts[-1] is None:
            parts.pop()
        return tuple(parts) or None

    def _read(self, layer: Layer, qconfig: QConfig) -> None:
        self.outputs[layer.name] = _or_float32(dtype_of(qconfig, "output"))
        if weight_position(layer) is not None:
            self.weights[layer.name] = _or_float32(dtype_of(qconfig, "weight"))
        for position in data_positions(layer):
            dtype = factory_dtype(_at(qconfig.input, position))
            if dtype is not None:
                # Which of its two forms 16 bits of an activation get, the target decides.
                self.requests[layer.name, position] = qint16 if dtype == ec else dtype

    def _log(self, name: str, what: str, before: Any, after: Any, why: str) -> None:
        self.changes.append(Change(name, what, word_of(before), word_of(after), why))


def word_of(dtype: Any) -> str:
    """As reports write it: "qint8", "torch.float32"."""
    return str(torch.float32 if dtype is None else dtype)


def _or_float32(dtype: Any) -> Any:
    return torch.float32 if dtype is None else dtype


def changed(part: Factory | None, dtype: Any) -> Factory | None:
    """A part with another dtype; a fixed scale keeps its range, as far as integers go."""
    before = factory_dtype(part)
    if dtype == before:
        return part
    if dtype == torch.float32:
        return None
    changed = factory_with_dtype(part, dtype)
    if not has_fixed_scale(part) or not has_fixed_scale(changed):
        return changed
    scale = torch.as_tensor(part.keywords["scale"], dtype=torch.float32)
    return changed.with_args(scale=scale * (before.min / dtype.min))


def _at(parts: Any, position: int) -> Factory | None:
    if not isinstance(parts, tuple):
        return parts
    return parts[position] if position < len(parts) else None
