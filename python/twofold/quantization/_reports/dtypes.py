"""qconfig_dtypes.pt and .pt.py: the dtypes of every layer, to look at, edit and use again."""

from pprint import pformat
from typing import Any

from torch import nn

from .._layers import data_positions
from .._record.graph import Recording
from .rows import dtype_of, layer_rows


def qconfig_dtypes(model: nn.Module, recording: Recording) -> dict[str, dict[str, Any]]:
    """{layer: {"input": [dtype per input], "weight": dtype, "output": dtype}}, as strings.

    Layers have the parts that they have. ModuleNameTemplate takes each as {"dtype": ...}.
    """
    found: dict[str, dict[str, Any]] = {}
    for row in layer_rows(model, recording):
        if row.layer.call > 0 or row.layer.op.name == "dequant":
            continue
        dtypes: dict[str, Any] = {}
        if data_positions(row.layer):
            dtypes["input"] = [str(dtype) for dtype in row.inputs]
        if row.has_weight:
            dtypes["weight"] = str(dtype_of(row.weight))
        found[row.layer.name] = {**dtypes, "output": str(dtype_of(row.output))}
    return found


def as_python(dtypes: dict[str, dict[str, Any]]) -> str:
    """The same as a file of Python: `qconfig_dtypes`."""
    return (
        '"""Dtypes of the prepared model. ModuleNameTemplate({name: {"dtype": dtypes}, ...}) asks '
        f'for them."""\n\nqconfig_dtypes = {pformat(dtypes, sort_dicts=False, width=100)}\n'
    )
