"""What the target makes of the requested precisions: the plan that PTQ would make."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...ptq import resolve
from .._canonicalize.precisions import Change
from .._onnx_graph import node_name, write_known
from .._ops.op import Kind
from .._record.graph import Layer, Recording
from .rows import rows_of

Request = tuple[str, str]  # the name of a layer, and "input0", "output0" ...


@dataclass
class Granted:
    """A precision for every operand that asked for one, and why some are others."""

    precisions: dict[Request, str]  # "int8", "int16", "ec", "float32"
    changes: list[Change] = field(default_factory=list)


def grant(recording: Recording, requests: Mapping[Request, str], target: str) -> Granted:
    """Ask `twofold.resolve` for the graph of a recording.

    Products are asked for; other operators, which are several nodes in ONNX at times, get what they
    ask for on every target that computes them at all.
    """
    granted = Granted(dict(requests))
    products = {node_name(layer): layer for layer in recording.layers if layer.kind is Kind.GEMM}
    config = {
        "model_config": {"all_node_type": "float32"},
        "node_config": {
            name: asked for name, layer in products.items() if (asked := _asked(layer, requests))
        },
    }
    if not config["node_config"]:
        return granted
    plan = resolve(rows_of(write_known(recording).proto()), config, target=target)
    for row in plan["operands"]:
        layer = products.get(row["node"])
        request = (layer.name, row["operand"]) if layer is not None else None
        if request in requests and row["granted"] != requests[request]:
            asked, granted.precisions[request] = requests[request], row["granted"]
            why = row.get("reason", "")
            granted.changes.append(Change(layer.name, row["operand"], asked, row["granted"], why))
    return granted


def _asked(layer: Layer, requests: Mapping[Request, str]) -> dict[str, str]:
    operands = ("input0", "input1", "output0")
    return {
        operand: requests[layer.name, operand]
        for operand in operands
        if (layer.name, operand) in requests
    }
