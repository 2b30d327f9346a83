"""Graphs as rows: the plan of a simplified ONNX model, found again from its rows."""

import json

import pytest
import twofold
from command_line import ROOT

DIGITS = ROOT / "examples" / "digits"

MATMUL = {
    "inputs": [{"name": "x", "dtype": "float32", "shape": [-1, 8]}],
    "constants": [{"name": "w", "dtype": "float32", "shape": [8, 4]}],
    "outputs": ["y"],
    "nodes": [
        {"name": "product", "op_type": "MatMul", "inputs": ["x", "w"], "outputs": ["p"]},
        {"name": "activation", "op_type": "Relu", "inputs": ["p"], "outputs": ["y"]},
    ],
}


def test_a_graph_written_by_hand():
    plan = twofold.resolve(MATMUL, {"node_config": {"product": {"input0": "int16"}}})
    granted = {(o["node"], o["operand"]): o["granted"] for o in plan["operands"]}
    assert granted[("product", "input0")] == "int16"
    assert granted[("product", "input1")] == "int8"
    assert granted[("activation", "output0")] == "float32"


def test_rows_of_a_model_get_its_plan(tmp_path):
    model, config = DIGITS / "digits.onnx", DIGITS / "mixed.yaml"
    path = tmp_path / "plan.json"
    twofold.quantize(model, DIGITS / "calibration.npz", config, plan=path)
    made = json.loads(path.read_text())
    resolved = twofold.resolve(twofold.graph_rows(model), config)
    assert resolved["model_hash"] == made["model_hash"]
    names = ("name", "op_type", "hash")
    assert [{k: n[k] for k in names} for n in made["nodes"]] == resolved["nodes"]
    assert "content_hash" in made and "content_hash" not in resolved
    keys = ("node", "op_type", "operand", "value", "asked", "granted", "reason", "activation")
    assert [[o.get(k) for k in keys] for o in resolved["operands"]] == [
        [o.get(k) for k in keys] for o in made["operands"]
    ]


def test_mistakes_are_named():
    broken = {**MATMUL, "constants": []}
    with pytest.raises(twofold.Error, match="node 'product' .MatMul. names tensor 'w'"):
        twofold.resolve(broken)
    with pytest.raises(twofold.Error, match="graph: node: unknown key"):
        twofold.resolve({"node": []})
    with pytest.raises(twofold.Error, match="node_config: the model has no node 'prodct'"):
        twofold.resolve(MATMUL, {"node_config": {"prodct": {"qtype": "int8"}}})
