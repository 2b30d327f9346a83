"""A recording as the rows that `twofold.resolve` plans."""

from typing import Any

import numpy as np
import onnx
from onnx import helper

from .._onnx_graph import node_name
from .._ops.op import Kind
from .._record.graph import Layer, Recording


def rows_of(model: onnx.ModelProto, origins: dict[str, list[str]] | None = None) -> dict[str, Any]:
    """The graph without its numbers. `origins`: other names of nodes that a config may use."""
    graph = model.graph
    origins = origins or {}
    return {
        "inputs": [_tensor(value) for value in graph.input],
        "outputs": [value.name for value in graph.output],
        "constants": [
            {"name": c.name, "dtype": _dtype(c.data_type), "shape": list(c.dims)}
            for c in graph.initializer
        ],
        "nodes": [_node(node, origins.get(node.name, [])) for node in graph.node],
    }


def rows_of_products(recording: Recording) -> dict[str, Any]:
    """Its products alone, each for itself: what there is to plan where no shapes are known."""
    rows: dict[str, Any] = {"inputs": [], "outputs": [], "constants": [], "nodes": []}
    for layer in recording.layers:
        if layer.kind is not Kind.GEMM:
            continue
        name = node_name(layer)
        for position, value in enumerate(layer.inputs[:2]):
            kind = "constants" if value.is_constant else "inputs"
            shape = list(value.tensor.shape) if value.is_constant else [-1]
            rows[kind].append({"name": f"{name}:{position}", "dtype": "float32", "shape": shape})
        rows["nodes"].append(
            {
                "name": name,
                "op_type": _product_type(layer),
                "inputs": [f"{name}:0", f"{name}:1"],
                "outputs": [f"{name}:out"],
                "attributes": {},
                "origins": [],
            }
        )
        rows["outputs"].append(f"{name}:out")
    return rows


def _product_type(layer: Layer) -> str:
    name = layer.op.name
    if name.startswith("conv"):
        return "ConvTranspose" if name.startswith("conv_transpose") else "Conv"
    return "Gemm" if name in ("linear", "addmm") else "MatMul"


def _dtype(number: int) -> str:
    return (
        "bfloat16"
        if number == onnx.TensorProto.BFLOAT16
        else np.dtype(helper.tensor_dtype_to_np_dtype(number)).name
    )


def _tensor(value: onnx.ValueInfoProto) -> dict[str, Any]:
    tensor = value.type.tensor_type
    shape = [dim.dim_value if dim.HasField("dim_value") else -1 for dim in tensor.shape.dim]
    return {"name": value.name, "dtype": _dtype(tensor.elem_type), "shape": shape}


def _node(node: onnx.NodeProto, origins: list[str]) -> dict[str, Any]:
    attributes = {a.name: _attribute(a) for a in node.attribute}
    return {
        "name": node.name,
        "op_type": node.op_type,
        "inputs": list(node.input),
        "outputs": list(node.output),
        "attributes": {name: value for name, value in attributes.items() if value is not None},
        "origins": origins,
    }


def _attribute(attribute: onnx.AttributeProto) -> Any:
    value = helper.get_attribute_value(attribute)
    if isinstance(value, bytes):
        return value.decode()
    if isinstance(value, onnx.TensorProto | onnx.GraphProto):
        return None
    if isinstance(value, list | tuple) and value and isinstance(value[0], bytes):
        return [item.decode() for item in value]
    return list(value) if not isinstance(value, int | float | str) else value
