"""Precisions of a plan, which PTQ or the search found on an exported ONNX file, for training."""

import os
from collections.abc import Iterable
from typing import Any

import torch

from ..._twofold import Error
from ...dtype import ec, qint8, qint16
from ...plan import Plan
from .._canonicalize.precisions import bits_of, is_integer
from .._classic_qconfigs import default_calib_8bit_fake_quant_qconfig
from .._factory import Factory
from .._fixed_scale import FixedScaleObserver
from .._layers import data_positions, is_output, producer, readers, weight_position
from .._qconfig import QConfig
from .._qconfig_parts import factory_with_dtype
from .._record.graph import Layer
from ..fake_quantize import FakeQuantize
from .base import QconfigSetterBase
from .context import SetterContext
from .provenance import Provenance

_DTYPES = {
    "int8": qint8,
    "int16": qint16,
    "ec": ec,
    "float16": torch.float16,
    "float32": torch.float32,
}

_PRODUCTS = ("Conv", "ConvTranspose", "Gemm", "MatMul")

Operand = dict[str, Any]


class PlanQconfigSetter(QconfigSetterBase):
    """Every layer that the plan has a node of gets the precisions that the node was granted.

    `plan` is a plan file or a `twofold.Plan`. Nodes are found by name: the path of the layer, as in
    Twofold's own export, the scopes of torch.onnx.export, or the name of the weight. Nodes that are
    found nowhere are listed; it is a twofold.Error if all are. Layers without a node are left to
    the setters behind.

    With `scales`, activations also take over scale and zero point, and keep them
    (FixedScaleObserver); else they are found anew, symmetric. Quantizers are made as in
    `reference_qconfig`. What of the plan does not cross (roundings and bias corrections of weights,
    equalizations, with the scales of the tensors concerned, and without `scales` zero points) is
    named in a message.
    """

    def __init__(
        self,
        plan: "str | os.PathLike[str] | Plan",
        *,
        scales: bool = False,
        reference_qconfig: QConfig = default_calib_8bit_fake_quant_qconfig,
    ):
        self.plan = plan if isinstance(plan, Plan) else Plan.load(plan)
        self.scales = scales
        self.reference = reference_qconfig

    def apply(self, context: SetterContext) -> None:
        """Decide about the layers that are found."""
        granted = _Granted(context, self.plan)
        granted.say_what_is_lost(context, self.scales)
        made = {
            layer: self._output(context, granted, layer)
            for layer in context.layers.values()
            if granted.has(layer) or layer.op.name == "quant"
        }
        for layer, output in made.items():
            if granted.has(layer) or output is not None:
                context.decide(layer.name, self._qconfig(granted, layer, made), "PlanQconfigSetter")

    def _output(self, context: SetterContext, granted: "_Granted", layer: Layer) -> Factory | None:
        """What quantizes a result: as the widest of its readers has it; None: float, or unknown."""
        operands = granted.of_readers(context, layer)
        if not operands:
            return None if layer.op.name == "quant" else self.reference.output
        widest = max(operands, key=lambda operand: bits_of(_dtype(operand)))
        return self._part(widest)

    def _qconfig(
        self, granted: "_Granted", layer: Layer, made: dict[Layer, Factory | None]
    ) -> QConfig:
        inputs: list[Factory | None] = [None] * (1 + max(data_positions(layer), default=-1))
        for position in data_positions(layer):
            operand = granted.operands.get((layer.name, position))
            part = None if operand is None else self._part(operand)
            source = producer(layer.inputs[position])
            if source is None or not _is_same(part, made.get(source)):
                inputs[position] = part
        weight = self.reference.weight
        operand = granted.operands.get((layer.name, weight_position(layer)))
        if operand is not None:
            dtype = _dtype(operand)
            weight = None if dtype == torch.float32 else factory_with_dtype(weight, dtype)
        return QConfig(input=tuple(inputs) or None, weight=weight, output=made[layer])

    def _part(self, operand: Operand) -> Factory | None:
        """What quantizes an activation as this operand; None where it is float."""
        dtype = _dtype(operand)
        if dtype == torch.float32:
            return None
        dtype = qint16 if dtype == ec else dtype
        params = operand.get("params")
        if not self.scales or params is None or not is_integer(dtype):
            return factory_with_dtype(self.reference.output, dtype)
        scale = params["scale"][0] / (1 if operand["granted"] != "ec" else 254)
        return FakeQuantize.with_args(
            observer=FixedScaleObserver,
            dtype=dtype,
            scale=scale,
            zero_point=(params.get("zero_point") or [0])[0],
        )


class _Granted:
    """The operands of a plan, by layer and position of its inputs."""

    def __init__(self, context: SetterContext, plan: Plan):
        nodes = [node["name"] for node in plan.nodes]
        provenance = Provenance(context, nodes)
        self.operands: dict[tuple[str, int], Operand] = {}
        self._outputs: dict[str, Operand] = {}
        found: dict[str, str | None] = {}
        for operand in plan.operands:
            node = operand["node"]
            found[node] = found.get(node) or _find(provenance, operand)
        uneven = _equalized(plan)
        for operand in plan.operands:
            node, which = operand["node"], operand["operand"]
            layer = found[node]
            if (node, which) in uneven:
                # The scale is one of numbers that this model does not have.
                operand = {key: value for key, value in operand.items() if key != "params"}
            if which == "output0":
                self._outputs[layer or provenance.layer_around(node) or ""] = operand
            elif layer is not None and which.startswith("input"):
                self.operands[layer, int(which.removeprefix("input"))] = operand
        self._uneven = list(dict.fromkeys(node for node, _ in uneven))
        self._layers = {layer for layer in found.values() if layer is not None}
        self._unknown = _nodes(
            operand
            for operand in plan.operands
            if found[operand["node"]] is None
            and operand["granted"] != "float32"
            and not operand.get("moves_data")
        )
        if not self._layers:
            raise Error(
                "PlanQconfigSetter: no node of the plan is a layer of this model, so that it was "
                f"made for another one; its nodes are {_some(nodes)}"
            )

    def has(self, layer: Layer) -> bool:
        """Whether the plan has a node of it."""
        return layer.name in self._layers

    def of_readers(self, context: SetterContext, layer: Layer) -> list[Operand]:
        """What a layer's result is to its readers, as far as the plan knows them."""
        operands = [self.operands.get((r.name, position)) for r, position in readers(layer)]
        leaves = any(reader.op.name == "dequant" for reader, _ in readers(layer))
        if leaves or is_output(context.recording, layer):
            operands.append(self._outputs.get(layer.name, {"granted": "float32"}))
        return [operand for operand in operands if operand is not None]

    def say_what_is_lost(self, context: SetterContext, scales: bool) -> None:
        """One message, if there is something to say."""
        known = self.operands.values()
        asymmetric = [o for o in known if any(o.get("params", {}).get("zero_point", ()))]
        summed = [o for o in known if o.get("weight", {}).get("rounding") == ["preserve_sum"]]
        shifted = [o for o in known if o.get("bias_shift")]
        for nodes, loss in (
            (
                [] if scales else _nodes(asymmetric),
                "zero points stay behind; scales=True has them",
            ),
            (_nodes(summed), "weights were rounded to keep their sums, and are to nearest here"),
            (self._uneven, "their inputs were equalized, and are not here; scales are found anew"),
            (_nodes(shifted), "corrections of biases are left out; training finds them"),
            (self._unknown, "they are no layers here, or cannot be told apart; left out"),
        ):
            if nodes:
                context.say(f"PlanQconfigSetter: {len(nodes)} nodes ({_some(nodes)}): {loss}")


def _equalized(plan: Plan) -> list[tuple[str, str]]:
    """The operands, as (node, operand), that are activations of the equalized model alone."""
    found = []
    for equalization in plan.equalizations:
        nodes = equalization["nodes"]
        # A Mul in front of the products is no node of the model.
        producer, *others = [None, *nodes] if equalization.get("inserted") else nodes
        for operand in plan.operands:
            node, which = operand["node"], operand["operand"]
            if which.startswith("input"):
                is_divided = node in others and not operand.get("is_weight")
            else:
                hands_on = node == producer or operand["op_type"] not in _PRODUCTS
                is_divided = node in nodes and hands_on
            if is_divided:
                found.append((node, which))
    return found


def _find(provenance: Provenance, operand: Operand) -> str | None:
    layer = provenance.layer_of_node(operand["node"])
    if layer is None and operand.get("is_weight"):
        layer = provenance.layer_of_constant(operand["value"])
    return layer


def _dtype(operand: Operand) -> Any:
    return _DTYPES[operand["granted"]]


def _is_same(part: Factory | None, other: Factory | None) -> bool:
    """Whether both make the same quantizer."""
    if part is None or other is None:
        return part is other
    return part.func is other.func and part.keywords == other.keywords


def _nodes(operands: Iterable[Operand]) -> list[str]:
    return list(dict.fromkeys(operand["node"] for operand in operands))


def _some(names: list[str]) -> str:
    listed = ", ".join(f"'{name}'" for name in names[:5])
    return listed + (f" and {len(names) - 5} more" if len(names) > 5 else "")
