"""What the target makes of the requested precisions: the plan that PTQ would make."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..._twofold import Error
from ...ptq import resolve
from .._canonicalize.precisions import Change
from .._onnx_graph import node_name, write_known
from .._ops.op import Kind
from .._record.graph import Layer, Recording
from .rows import rows_of, rows_of_products

_log = logging.getLogger("twofold.quantization")

Request = tuple[str, str]  # the name of a call (`node_name`), and "input0", "output0" ...


@dataclass
class Granted:
    """A precision for every operand that asked for one, and why some are others."""

    precisions: dict[Request, str]  # "int8", "int16", "ec", "float32"
    changes: list[Change] = field(default_factory=list)


def grant(recording: Recording, requests: Mapping[Request, str], target: str) -> Granted:
    """Ask `twofold.resolve` for the graph of a recording.

    Products are asked for; other operators, which are several nodes in ONNX at times, get what they
    ask for on every target that computes them at all. Raises twofold.Error where products ask for
    integers, and the target has them for none.
    """
    granted = Granted(dict(requests))
    products = {node_name(layer): layer for layer in recording.layers if layer.kind is Kind.GEMM}
    config = {
        "model_config": {"all_node_type": "float32"},
        "node_config": {name: asked for name in products if (asked := _asked(name, requests))},
    }
    if not config["node_config"]:
        return granted
    for row in resolve(_rows(recording), config, target=target)["operands"]:
        request = (row["node"], row["operand"])
        if row["node"] in products and request in requests:
            granted.precisions[request] = row["granted"]
            if row["granted"] != requests[request]:
                change = requests[request], row["granted"], row.get("reason", "")
                granted.changes.append(Change(*request, *change))
    _say_changes(granted, requests, products, target)
    return granted


def _rows(recording: Recording) -> dict[str, Any]:
    if recording.has_shapes:
        return rows_of(write_known(recording).proto())
    return rows_of_products(recording)


def _asked(name: str, requests: Mapping[Request, str]) -> dict[str, str]:
    operands = ("input0", "input1", "output0")
    return {operand: requests[name, operand] for operand in operands if (name, operand) in requests}


def _say_changes(
    granted: Granted, requests: Mapping[Request, str], products: Mapping[str, Layer], target: str
) -> None:
    of_products = [request for request in requests if request[0] in products]
    asked = [r for r in of_products if r[1] != "output0" and requests[r] != "float32"]
    if asked and all(granted.precisions[request] == "float32" for request in asked):
        raise Error(
            f"target '{target}' has no integers for any product of this model: "
            f"{granted.changes[0].why}. Name another one: prepare(..., target=...)"
        )
    if granted.changes:
        _log.warning(
            "target '%s' grants %d of %d operands of products another precision than was asked "
            "for; qconfig_changelogs.txt says which, and why",
            target,
            len(granted.changes),
            len(of_products),
        )
