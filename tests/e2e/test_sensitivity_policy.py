"""quantize --sensitivity: which of two 16-bit inputs the fallback policy v1 keeps."""

import json

import numpy as np
import onnx
import planted_models
import pytest
import twofold
from command_line import fail, succeed

CONFIG = {
    "model_config": {"activation": {"calibration_type": "max"}},
    "op_config": {"MatMul": {"qtype": "dual-int16"}},
}
TARGET = "journey6-oe3.1"  # at most one input of 16 bits


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model of matrix products, its samples, and what was measured of weights and activations."""
    folder = tmp_path_factory.mktemp("policy")
    planted = planted_models.both_inputs_of_a_matmul()
    onnx.save(planted.model, folder / "model.onnx")
    np.savez(folder / "samples.npz", **planted.samples)
    (folder / "int8.json").write_text(json.dumps(planted.config))
    (folder / "config.json").write_text(json.dumps(CONFIG))
    for unit, more in (("weight", []), ("activation", ["--resume"])):
        measure(folder, unit, *more)
    return folder


def measure(folder, unit, *options):
    succeed(
        *("debug", "get-sensitivity-of-nodes", folder / "model.onnx", folder / "samples.npz"),
        *("-c", folder / "int8.json", "-n", unit, "-s", folder / "debug", *options),
    )


def granted(folder, *options):
    """(node, operand) -> precision."""
    report = folder / "report.json"
    succeed(
        *("quantize", folder / "model.onnx", "--data", folder / "samples.npz", "--target", TARGET),
        *("-c", folder / "config.json", "--json", report, *options),
    )
    rows = json.loads(report.read_text())["operands"]
    return {(row["node"], row["operand"]): row for row in rows}


def errors(folder):
    """Tensor -> mean squared error of the output, as the debugger's tables have it."""
    found = {}
    for unit in ("weight", "activation"):
        rows = twofold.debug.get_sensitivity_of_nodes(
            folder / "model.onnx",
            "mse",
            folder / "samples.npz",
            node_type=unit,
            data_num=1,
            config=folder / "int8.json",
        )
        found |= {name: row["mse"] for name, row in rows.items()}
    return found


def test_the_more_sensitive_input_keeps_16_bits(folder):
    rows = granted(folder, "--sensitivity", folder / "debug" / "sensitivity.jsonl")
    error = errors(folder)
    chosen = set()
    for node in ("/query/MatMul", "/key/MatMul", "/scores/MatMul", "/out/MatMul"):
        inputs = [rows[node, "input0"], rows[node, "input1"]]
        precisions = [row["granted"] for row in inputs]
        worse = int(error[inputs[1]["tensor"]] > error[inputs[0]["tensor"]])
        assert precisions == (["int8", "int16"] if worse else ["int16", "int8"]), node
        assert "the more sensitive one" in inputs[1 - worse]["reason"]
        chosen.add(worse)
    assert chosen == {0, 1}  # that it is not always the first


def test_without_it_the_first_input_does(folder):
    rows = granted(folder)
    assert rows["/scores/MatMul", "input0"]["granted"] == "int16"
    assert "no sensitivity is given" in rows["/scores/MatMul", "input1"]["reason"]


def test_python_takes_it_too(folder):
    results = folder / "debug" / "sensitivity.jsonl"
    report = twofold.quantize(
        *(folder / "model.onnx", folder / "samples.npz", folder / "config.json"),
        target=TARGET,
        sensitivity=results,
    )
    expected = granted(folder, "--sensitivity", results)
    assert {(row["node"], row["operand"]): row for row in report["operands"]} == expected


def test_a_file_of_another_model_is_refused(folder, tmp_path):
    planted = planted_models.group()
    onnx.save(planted.model, tmp_path / "other.onnx")
    np.savez(tmp_path / "samples.npz", **planted.samples)
    message = fail(
        *("quantize", tmp_path / "other.onnx", "--data", tmp_path / "samples.npz"),
        *("--sensitivity", folder / "debug" / "sensitivity.jsonl"),
    )
    assert "these results are of another model" in message


def test_results_of_nodes_alone_say_what_is_missing(folder, tmp_path):
    succeed(
        *("debug", "get-sensitivity-of-nodes", folder / "model.onnx", folder / "samples.npz"),
        *("-s", tmp_path),
    )
    message = fail(
        *("quantize", folder / "model.onnx", "--data", folder / "samples.npz"),
        *("--sensitivity", tmp_path / "sensitivity.jsonl"),
    )
    assert "measure weights and activations" in message


def test_a_plan_needs_none(folder, tmp_path):
    plan = tmp_path / "plan.json"
    succeed("quantize", folder / "model.onnx", "--data", folder / "samples.npz", "--plan", plan)
    message = fail(
        *("quantize", folder / "model.onnx", "--from-plan", plan),
        *("--sensitivity", folder / "debug" / "sensitivity.jsonl"),
    )
    assert message.startswith("a plan says everything")
