"""model_check_result.txt: what is worth a look before hours of training."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import nn

from ...dtype import ec, qint8, qint16
from ...nn._operator import Operator
from .._ops import op_of_module
from .._ops.activations import CLAMPS
from .._ops.op import Kind
from .._record.graph import Layer, Recording
from .rows import (
    LayerRow,
    ch_axis_cell,
    dtype_cell,
    dtype_of,
    layer_rows,
    observer_cell,
)
from .tables import table

_FUSABLE = CLAMPS | {"batch_norm"}


def model_check_text(
    model: nn.Module, recording: Recording, members: Mapping[str, str] | None = None
) -> str:
    """The file's text, of a prepared model and what was recorded of it.

    `members` are layers that others compute along: {"bn1": "conv1"}.
    """
    rows = list(layer_rows(model, recording))
    sections = [
        ("Fusable modules are listed below:", fusable_text(recording)),
        ("Each module called times:", _called_times(model, recording, members or {})),
        ("input dtype statistics:", _statistics(rows, lambda row: row.inputs or [torch.float32])),
        ("output dtype statistics:", _statistics(rows, lambda row: [dtype_of(row.output)])),
        ("Each layer out qconfig:", outputs_text(rows)),
        ("Weight qconfig:", weights_text(rows)),
        ("OPs with inputs of mixed precision:", _mixed(rows)),
        ("Please check if these OPs qconfigs are expected..", unusual_text(rows)),
    ]
    return "\n".join(f"{heading}\n{body}" for heading, body in sections)


def unfused(recording: Recording) -> list[list[str]]:
    """[name, type] of what could be fused by its kind, and is not."""
    found: dict[Layer, None] = {}
    for layer in recording.computing():
        if layer.op.name not in _FUSABLE or layer.module is None or layer.inputs[0] is None:
            continue
        source = layer.inputs[0].layer
        if source is not None and source.kind is Kind.GEMM and layer.outputs[0].quantized:
            found.update({source: None, layer: None})
    return [[_shared_name(layer), str(type(layer.module))] for layer in found]


def fusable_text(recording: Recording) -> str:
    """The table of "Fusable modules are listed below:", or a sentence where there are none."""
    rows = unfused(recording)
    if not rows:
        return "All fusable modules are fused in model!\n"
    return table(["Module Name", "Module Type"], rows)


def _shared_name(layer: Layer) -> str:
    return layer.name if layer.called_once else f"{layer.name}(shared)"


def _called_times(model: nn.Module, recording: Recording, members: Mapping[str, str]) -> str:
    calls = Counter(layer.name for layer in recording.layers)
    rows = [
        [name, calls[name]]
        for name, module in model.named_modules()
        if _is_layer(module) and name not in members and calls[name] != 1
    ]
    if not rows:
        return "All modules in the model run exactly once.\n"
    return table(["Module Name", "called times"], rows)


def _is_layer(module: nn.Module) -> bool:
    return isinstance(module, Operator) or op_of_module(type(module)) is not None


def _statistics(rows: Iterable[LayerRow], dtypes_of: Any) -> str:
    counts: dict[str, Counter] = {}
    for row in rows:
        counts.setdefault(row.type_name, Counter()).update(map(str, dtypes_of(row)))
    total = sum(counts.values(), Counter())
    always = [str(torch.float32), str(qint8), str(qint16)]
    columns = [*always, *sorted(set(total) - set(always))]
    lines = [[kind, *(counts[kind][c] for c in columns)] for kind in counts]
    return table(["module type", *columns], [*lines, ["total", *(total[c] for c in columns)]])


def outputs_text(rows: Iterable[LayerRow]) -> str:
    """The table of "Each layer out qconfig:"."""
    headings = ["Module Name", "Module Type", "Input dtype", "out dtype", "ch_axis", "observer"]
    return table(
        headings,
        [
            [
                row.name,
                row.type_name,
                _inputs_cell(row),
                dtype_of(row.output),
                ch_axis_cell(row.output),
                _quantizer_cell(row, row.output),
            ]
            for row in rows
        ],
    )


def weights_text(rows: Iterable[LayerRow]) -> str:
    """The table of "Weight qconfig:"."""
    return table(
        ["Module Name", "Module Type", "weight dtype", "ch_axis", "observer"],
        [
            [
                row.name,
                row.type_name,
                dtype_of(row.weight),
                ch_axis_cell(row.weight),
                _quantizer_cell(row, row.weight),
            ]
            for row in rows
            if row.has_weight
        ],
    )


def _mixed(rows: Iterable[LayerRow]) -> str:
    lines = [
        [row.name, row.type_name, _inputs_cell(row)]
        for row in rows
        if len(set(map(str, row.inputs))) > 1
    ]
    if not lines:
        return "All inputs of each OP have the same dtype.\n"
    return table(["Module Name", "Module Type", "Input dtype"], lines)


def unusual_text(rows: Iterable[LayerRow]) -> str:
    """The table of what should be looked at, or a sentence where there is nothing."""
    lines = [[row.name, row.type_name, msg] for row in rows for msg in _messages(row)]
    if not lines:
        return "Nothing unusual.\n"
    return table(["Module Name", "Module Type", "Msg"], lines)


def _messages(row: LayerRow) -> Iterable[str]:
    for quantizer in (row.output, *row.own_inputs, row.weight):
        if quantizer is not None and getattr(quantizer, "is_fixed", False):
            scale = quantizer.scale.flatten()
            of = "" if scale.numel() == 1 else f" and {scale.numel() - 1} more"
            yield f"Fixed scale {scale[0].item():.3g}{of}"
    if row.weight is not None and row.weight.dtype in (qint16, ec):
        yield f"{row.weight.dtype} weight!!!"


def _inputs_cell(row: LayerRow) -> str:
    return f"[{', '.join(map(dtype_cell, row.inputs))}]"


def _quantizer_cell(row: LayerRow, quantizer: nn.Module | None) -> str:
    has_qconfig = getattr(row.layer.module, "qconfig", None) is not None
    return observer_cell(quantizer) if has_qconfig or quantizer is not None else "qconfig = None"
