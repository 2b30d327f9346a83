"""A trained model's plan, for PTQ."""

import json

import numpy as np
import pytest
import qat_networks as networks
import torch
import twofold
from test_validation import PRECISIONS, validated
from twofold.quantization.export import exported


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("kind", [networks.Residual, networks.Transformer])
def test_ptq_makes_the_exported_model_of_it(tmp_path, kind, precision):
    network = networks.make(kind)
    x = networks.inputs_of(network)
    model = validated(network, precision, x)
    file = exported(model, (x,))
    file.save_float(tmp_path / "float.onnx", tmp_path / "plan.json")
    twofold.quantize(
        tmp_path / "float.onnx",
        from_plan=tmp_path / "plan.json",
        output=tmp_path / "ptq.onnx",
        progress=False,
    )
    feed = {"input_0": x.numpy()}
    (expected,) = file.session().run(feed).values()
    (found,) = twofold.Session(tmp_path / "ptq.onnx").run(feed).values()
    assert np.array_equal(found, expected)


def test_the_plan_crosses_to_a_retrained_model_by_names(tmp_path):
    network = networks.make(networks.Residual)
    x = networks.inputs_of(network)
    exported(validated(network, "dual int16", x), (x,)).save_float(
        tmp_path / "old.onnx", tmp_path / "plan.json"
    )
    torch.manual_seed(7)
    with torch.no_grad():
        network.head.weight.normal_(0, 0.1)
    exported(validated(network, "int8", x), (x,)).save_float(
        tmp_path / "new.onnx", tmp_path / "int8.json"
    )
    report = twofold.quantize(
        tmp_path / "new.onnx",
        from_plan=tmp_path / "plan.json",
        by_name=True,
        plan=tmp_path / "carried.json",
        progress=False,
    )
    granted = {(r["node"], r["operand"]): r["granted"] for r in report["operands"]}
    assert granted["head", "input0"] == granted["head", "input1"] == "int16"
    scales = [
        next(
            row["params"]["scale"]
            for row in json.loads((tmp_path / file).read_text())["operands"]
            if (row["node"], row["operand"]) == ("head", "input0")
        )
        for file in ("plan.json", "carried.json")
    ]
    assert scales[0] == scales[1]
