"""What the outputs lose by one weight, or one activation, that is quantized alone."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from ..nn._operator import INPUTS, OUTPUT, WEIGHT, Operator
from ..quantization._flops import flops_cells, flops_of
from ..quantization._layers import producer
from ..quantization._record.graph import Layer, Recording
from ..quantization._reports.tables import table
from ._infos import number
from ._metrics import Metric
from ._progress import watched
from ._select import Selection
from ._states import alone, is_on, turn_off
from ._streaming import streamed, type_name

_log = logging.getLogger("twofold.profiler")

Outputs = dict[str, torch.Tensor]


@dataclass
class Unit:
    """A layer's "weight", or its "activation" for all its readers, and what quantizes it."""

    name: str
    kind: str
    op_name: str
    type_name: str
    quantizers: list[nn.Module] = field(default_factory=list)
    values: dict[str, float] = field(default_factory=dict)  # the metric of every output
    matters: bool = False  # whether any output changes

    @property
    def dtype(self) -> str:
        """Of the layer's own quantizer, or of the first reader's."""
        return str(self.quantizers[0].dtype)


@dataclass
class Units:
    """All units of a model, in the order in which they run.

    `others` are inputs that readers quantize and that no operator computes: constants, and the
    model's inputs where it has no QuantStub. `flops` are the cells of layers.
    """

    units: list[Unit]
    others: list[Unit]
    flops: dict[str, str]


def units_of(model: nn.Module, run: Callable[[], Any]) -> Units:
    """Of what quantizes in the model's state, which is float afterwards; `run` calls the model."""
    on = {quantizer for quantizer in _quantizers(model) if is_on(quantizer)}
    turn_off(model)
    with streamed(model, lambda layer, inputs, result: None) as recording:
        run()
    found: dict[tuple[str, str], Unit] = {}
    others: list[Unit] = []
    layers = [
        layer
        for layer in recording.layers
        if isinstance(layer.module, Operator) and layer.call == 0
    ]
    for layer in layers:
        for kind, part in (("weight", WEIGHT), ("activation", OUTPUT)):
            unit = Unit(layer.name, kind, layer.op.name, type_name(layer))
            quantizer = getattr(layer.module, part, None)
            unit.quantizers += [quantizer] if quantizer in on else []
            found[layer.name, kind] = unit
    for layer in layers:
        for position, quantizer in _own_inputs(layer):
            if quantizer in on:
                _of_input(layer, position, found, others).quantizers.append(quantizer)
    names = [layer.name for layer in recording.computing()]
    units = [unit for unit in found.values() if unit.quantizers]
    return Units(units, others, flops_cells(flops_of(recording), names))


def _quantizers(model: nn.Module) -> list[nn.Module]:
    return [
        module
        for module in model.modules()
        if hasattr(module, "fake_quant_state") and str(module.dtype) != "torch.float32"
    ]


def _own_inputs(layer: Layer) -> Iterable[tuple[int, nn.Module]]:
    own = getattr(layer.module, INPUTS, None) or {}
    return [(int(position), quantizer) for position, quantizer in own.items()]


def _of_input(
    layer: Layer, position: int, found: dict[tuple[str, str], Unit], others: list[Unit]
) -> Unit:
    """The unit of what an input of a layer holds."""
    source = producer(Recording.source(layer.inputs[position]))
    unit = None if source is None else found.get((source.name, "activation"))
    if unit is None:
        name = f"{layer.name}.{INPUTS}.{position}"
        unit = Unit(name, "activation", layer.op.name, type_name(layer))
        others.append(unit)
    return unit


def measure(
    units: Units,
    cases: Mapping[int, Callable[[], Outputs]],
    wanted: Mapping[str, Iterable[int]],
    metric: Metric,
    selection: Selection,
) -> list[Unit]:
    """Give units their values: of every output of `wanted` the mean over its cases.

    `cases` run the model, which is float but for the unit; the reference is the same model in
    float. Returns the units that were selected.
    """
    references = {number: run() for number, run in cases.items()}
    selection.check(unit.name for unit in units.units)
    chosen = [unit for unit in units.units if selection.takes(unit.name, unit.op_name)]
    for unit in watched([*chosen, *units.others], "sensitivity", len(chosen) + len(units.others)):
        with alone(unit.quantizers):
            results = {number: run() for number, run in cases.items()}
        unit.matters = any(
            not torch.equal(references[n][name], results[n][name])
            for name, numbers in wanted.items()
            for n in numbers
        )
        for name, numbers in wanted.items():
            values = [
                metric.of_output(name, references[n][name], results[n][name]) for n in numbers
            ]
            unit.values[name] = sum(values) / len(values)
    return chosen


def sensitivity_rows(
    units: Iterable[Unit], output: str, metric: Metric, flops: Mapping[str, str], reverse: bool
) -> list[list[Any]]:
    """A table's rows, the worst first; with `reverse` last."""
    ordered = sorted(units, key=lambda unit: metric.badness(unit.values[output]), reverse=True)
    return [
        [
            unit.name,
            unit.kind,
            unit.type_name,
            unit.values[output],
            unit.dtype,
            flops.get(unit.name, "0(0%)"),
        ]
        for unit in (ordered[::-1] if reverse else ordered)
    ]


def sensitivity_text(rows: Iterable[list[Any]], metric: Metric) -> str:
    """..._sensitive_ops.txt."""
    headings = ("op_name", "sensitive_type", "op_type", metric.name, "quant_dtype", "flops")
    return table(headings, [[*row[:3], number(row[3]), *row[4:]] for row in rows])


def say_others(others: list[Unit], output: str, metric: Metric) -> None:
    """Warn of inputs that the table cannot have, since a setter could not name them."""
    others = [unit for unit in others if unit.matters]
    if not others:
        return
    worst = sorted(others, key=lambda unit: metric.badness(unit.values[output]), reverse=True)[:5]
    listed = ", ".join(
        f"{unit.name} ({metric.name} {number(unit.values[output])})" for unit in worst
    )
    _log.warning(
        "%d inputs are quantized where they are read, and have no row, since no operator computes "
        "them: %s. They are constants, results of float functions, or inputs of a model without "
        "QuantStub; the input dtype of their readers decides about them",
        len(others),
        listed,
    )
