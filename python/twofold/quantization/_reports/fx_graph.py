"""fx_graph.txt: the recorded calls as torch.fx lists a graph."""

from typing import Any

import torch

from .._record.graph import Layer, Recording, Value
from .tables import table

_HEADINGS = ("opcode", "name", "target", "args", "kwargs")


def fx_graph_text(recording: Recording) -> str:
    """A row per input, constant, call and output, in the order in which they run."""
    names: dict[Value, str] = {}
    rows, constants = [], 0
    for number, value in enumerate(recording.inputs):
        names[value] = f"input_{number}"
        rows.append(["placeholder", names[value], names[value], "()", "{}"])
    for layer in recording.layers:
        for value in _inputs(layer):
            if value is not None and value not in names:
                constants += 1
                names[value] = f"constant_{constants}"
                rows.append(["get_attr", names[value], _shape(value.tensor), "()", "{}"])
        rows.append(_call(layer, names))
    rows.append(["output", "output", "output", _names(recording.outputs, names), "{}"])
    return table(_HEADINGS, rows)


def _inputs(layer: Layer) -> list[Value | None]:
    """All but what the module itself holds."""
    own = set() if layer.module is None else {id(p) for p in layer.module.parameters(recurse=False)}
    return [value for value in layer.inputs if value is None or id(value.tensor) not in own]


def _call(layer: Layer, names: dict[Value, str]) -> list[str]:
    name = layer.name.replace(".", "_") + (f"_{layer.call}" if layer.call else "")
    args = _names(_inputs(layer), names)
    for number, value in enumerate(layer.outputs):
        names[value] = name if number == 0 else f"{name}[{number}]"
    is_module = layer.module is not None
    return [
        "call_module" if is_module else "call_function",
        name,
        layer.name if is_module else layer.op.name,
        args,
        _attributes(layer.attributes),
    ]


def _names(values: list[Value | None], names: dict[Value, str]) -> str:
    listed = ["None" if value is None else names.get(value, "?") for value in values]
    return f"({', '.join(listed)}{',' if len(listed) == 1 else ''})"


def _attributes(attributes: dict[str, Any]) -> str:
    shown = {
        name: _shape(value) if isinstance(value, torch.Tensor) else repr(value)
        for name, value in attributes.items()
    }
    return "{" + ", ".join(f"{name}: {value}" for name, value in shown.items()) + "}"


def _shape(tensor: torch.Tensor) -> str:
    return f"tensor{list(tensor.shape)}"
