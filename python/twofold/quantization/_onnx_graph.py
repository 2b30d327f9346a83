"""Recorded calls as an ONNX model, and which of its operands get integers."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import onnx
import torch

from .. import _twofold
from ..nn._operator import OUTPUT, Operator
from ._ops import OPS_BY_NAME
from ._ops.onnx_model import OnnxModel
from ._ops.op import Kind
from ._ops.products import weight_axis
from ._ops.stubs import DEQUANT
from ._record.graph import Layer, Recording, Value

# Operators of ONNX that only move numbers, which many calls are written with.
_MOVERS = frozenset({"Reshape", "Transpose", "Unsqueeze", "Squeeze", "Slice", "Gather", "Expand"})


def node_name(layer: Layer) -> str:
    """What its node is called: the module's path, with a number for calls after the first.

    A model that is a single operator has no path.
    """
    name = layer.name or "model"
    return name if layer.call == 0 else f"{name}({layer.call})"


@dataclass
class Integers:
    """What an operand becomes: a row of `quantize_operands`."""

    node: str
    operand: str
    quantizer: Any
    axis: int = -1

    def row(self) -> tuple:
        """(node, operand, precision, scales, zero points, axis)."""
        precision, scales, zero_points = self.quantizer.grid()
        if not any(zero_points):
            zero_points = []
        return self.node, self.operand, precision, scales, zero_points, self.axis


@dataclass
class Written:
    """A float model, and the operands that get integers."""

    model: OnnxModel
    operands: list[Integers] = field(default_factory=list)
    names: dict[Value, str] = field(default_factory=dict)  # of tensors
    # By layer: the node behind whose first output its integers are.
    results: dict[str, str] = field(default_factory=dict)

    def proto(self) -> onnx.ModelProto:
        """The float model."""
        return self.model.build()

    def quantized(self) -> bytes:
        """The file with QuantizeLinear and DequantizeLinear."""
        return _twofold.quantize_operands(self.proto().SerializeToString(), self._rows())

    def plan(self) -> str:
        """The text of a plan file for the float model."""
        return _twofold.plan_of_operands(self.proto().SerializeToString(), self._rows())

    def _rows(self) -> list[tuple]:
        return [operand.row() for operand in self.operands]


class GraphWriter:
    """Writes layers, one by one, as ONNX nodes."""

    def __init__(self, name: str = "model"):
        self.written = Written(OnnxModel(name))
        self._grids: dict[str, Any] = {}  # by tensor: what its numbers were rounded by

    def add_input(self, name: str, value: Value, grid: Any = None) -> None:
        """An input of the model; `grid`: what its numbers are on the grid of."""
        self.written.names[value] = self.written.model.input(name, value.tensor)
        if grid is not None:
            self._grids[name] = grid

    def add(self, layer: Layer) -> None:
        """A layer whose inputs are there."""
        if layer.op is DEQUANT:  # the same tensor by another name
            self.written.names[layer.outputs[0]] = self.written.names[layer.inputs[0]]
            return
        model = self.written.model
        inputs = [self._input(layer, i, value) for i, value in enumerate(layer.inputs)]
        results, is_product = self._emitted(layer, inputs)
        clamp = getattr(layer.module, "clamp", None)
        if clamp is not None:
            with model.call(f"{node_name(layer)}/clamp"):
                results[0] = OPS_BY_NAME[clamp[0]].emit(model, [results[0]], clamp[1])
        for value, name in zip(layer.outputs, results, strict=False):
            self.written.names[value] = name
        if layer.kind is not Kind.MOVE and isinstance(layer.module, Operator):
            self._quantized(layer, results[0], is_product)

    def _emitted(self, layer: Layer, inputs: list[str]) -> tuple[list[str], bool]:
        """The tensors computed, and whether the node of the layer's name holds their numbers."""
        model = self.written.model
        first = len(model.nodes)
        try:
            with model.call(node_name(layer)) as call:
                results = layer.op.emit(model, inputs, layer.attributes)
        except (_twofold.Error, TypeError, ValueError) as error:
            raise _twofold.Error(f"{layer.line}: {error}") from error
        for node in model.nodes[first:]:
            if layer.kind is Kind.MOVE or node.op_type in _MOVERS:
                self._move_integers(node)
        tensors = [results] if isinstance(results, str) else list(results)
        return tensors, call.result == call.name

    def add_output(self, name: str, value: Value) -> None:
        """An output of the model."""
        self.written.model.output(name, self.written.names[value], value.tensor)

    def _input(self, layer: Layer, position: int, value: Value | None) -> str:
        if value is None:
            return ""
        quantizer = self._own_quantizer(layer, position)
        if quantizer is not None and quantizer.dtype == torch.float16:
            call = f"{node_name(layer)}/input{position}"
            return self._through_float16(call, self._written(layer, value))
        if quantizer is not None and value.is_constant and quantizer.dtype == "qint4":
            # int8 holds more than these integers: beyond them the weight is cut here.
            return self._product_input(
                layer, position, value, quantizer, self._rounded(value, quantizer)
            )
        name = self._written(layer, value)
        if layer.kind is Kind.GEMM and isinstance(layer.module, Operator):
            return self._product_input(layer, position, value, quantizer, name)
        if quantizer is None:
            return name
        requantized = f"{node_name(layer)}/input{position}"
        with self.written.model.call(requantized):
            name = self.written.model.node("Identity", [name])
        self.written.operands.append(Integers(requantized, "output0", quantizer))
        return name

    def _own_quantizer(self, layer: Layer, position: int) -> Any:
        """What the layer itself rounds an input with."""
        if not isinstance(layer.module, Operator):
            return None
        quantizer = layer.module.quantizer_of(position)
        return None if quantizer is None or quantizer.dtype == torch.float32 else quantizer

    def _through_float16(self, call: str, name: str) -> str:
        """The tensor rounded to float16, as FakeCast does it."""
        model = self.written.model
        with model.call(call):
            half = model.node("Cast", [name], to=onnx.TensorProto.FLOAT16)
            return model.node("Cast", [half], to=onnx.TensorProto.FLOAT)

    def _written(self, layer: Layer, value: Value) -> str:
        """The tensor's name; a constant is written when it is first read."""
        if value not in self.written.names:
            if not value.is_constant:
                raise KeyError(f"{layer.name} reads a tensor that nothing has written")
            self.written.names[value] = self.written.model.constant(value.tensor)
        return self.written.names[value]

    def _rounded(self, value: Value, quantizer: Any) -> str:
        return self.written.model.constant(quantizer.quantize(value.tensor.detach()))

    def _product_input(
        self, layer: Layer, position: int, value: Value, quantizer: Any, name: str
    ) -> str:
        quantizer = quantizer or self._grids.get(name)
        if position > 1 or quantizer is None or not quantizer.is_integer:
            return name
        is_weight = position == 1 and value.is_constant and quantizer.scale.numel() > 1
        axis = weight_axis(layer.op.name, value.tensor.dim()) if is_weight else -1
        self.written.operands.append(
            Integers(node_name(layer), f"input{position}", quantizer, axis)
        )
        return name

    def _move_integers(self, node: onnx.NodeProto) -> None:
        """Integers stay integers: the same ones behind what only moves them.

        Without that, ONNX Runtime 1.32 moves DequantizeLinear there by itself, and then refuses its
        own work (output_dtype INT8 does not match y_zero_point type UINT8).
        """
        grid = self._grids.get(node.input[0])
        if grid is None:
            return
        for i, name in enumerate(node.output):
            if self.written.model.dtype(name) == torch.float32:  # not so indices
                self._grids[name] = grid
                self.written.operands.append(Integers(node.name, f"output{i}", grid))

    def _quantized(self, layer: Layer, result: str, is_product: bool) -> None:
        quantizer = getattr(layer.module, OUTPUT, None)
        if quantizer is not None and quantizer.dtype == torch.float16:
            name = self._through_float16(f"{node_name(layer)}/float16", result)
            self.written.names[layer.outputs[0]] = name
        if quantizer is None or not quantizer.is_integer:
            return
        self._grids[result] = quantizer
        node = self.written.results[layer.name] = self._result(result, quantizer)
        # Of a product that is reshaped behind, the accumulators are what is rounded. Not so where
        # something is added to it (addmm): the product alone may be larger than the sum.
        unclamped = layer.module.clamp is None
        if layer.kind is Kind.GEMM and is_product and unclamped and node != node_name(layer):
            self.written.operands.append(Integers(node_name(layer), "output0", quantizer))

    def _result(self, tensor: str, quantizer: Any) -> str:
        """Quantize what a node computes; its name."""
        node, output = self.written.model.computed_by(tensor)
        self.written.operands.append(Integers(node, f"output{output}", quantizer))
        return node


def write(
    recording: Recording, input_names: Iterable[str] = (), output_names: Iterable[str] = ()
) -> Written:
    """A whole recording. Names that are not given are input_0, output_0, and so on.

    Raises twofold.Error with the line of the model for a call that ONNX cannot say.
    """
    return _write(recording, [*input_names], [*output_names], GraphWriter.add)


def write_known(recording: Recording) -> Written:
    """What of a recording can be written; the results of all else are inputs of the model."""

    def add(writer: GraphWriter, layer: Layer) -> None:
        try:
            writer.add(layer)
        except _twofold.Error:
            for i, value in enumerate(layer.outputs):
                writer.add_input(f"{node_name(layer)}:{i}", value)

    return _write(recording, [], [], add)


def _write(
    recording: Recording,
    input_names: list[str],
    output_names: list[str],
    add: Callable[[GraphWriter, Layer], None],
) -> Written:
    writer = GraphWriter()
    for i, value in enumerate(recording.inputs):
        writer.add_input(input_names[i] if i < len(input_names) else f"input_{i}", value)
    for layer in _needed(recording):
        add(writer, layer)
    for i, value in enumerate(recording.outputs):
        writer.add_output(output_names[i] if i < len(output_names) else f"output_{i}", value)
    return writer.written


def _needed(recording: Recording) -> list[Layer]:
    """The layers that some output depends on, in order."""
    needed: set[Layer] = set()
    values = [*recording.outputs]
    while values:
        layer = values.pop().layer
        if layer is not None and layer not in needed:
            needed.add(layer)
            values += filter(None, layer.inputs)
    return [layer for layer in recording.layers if layer in needed]
