"""A plan makes its model again without data; statistics of parts serve as those of the whole."""

import json
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import twofold
from command_line import run
from onnx import numpy_helper

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "examples/digits/digits.onnx"
IMAGES = np.load(ROOT / "examples/digits/calibration.npz")["image"][:24]
CONFIGS = {
    "int8": {},
    "ec": {
        "model_config": {"all_node_type": "int16"},
        "op_config": {op: {"qtype": "int16-ec"} for op in ("Conv", "MatMul", "Gemm")},
    },
    "corrected": {
        "model_config": {"weight": {"bias_correction": {"num_sample": 2, "metric": "mse"}}}
    },
    "searched": {"model_config": {"layerwise_search": {"metric": "mse"}}},
}
# Nothing in it needs to run the model.
CLOSED = {
    "model_config": {
        "all_node_type": "int8",
        "activation": {"calibration_type": "mse"},
        "weight": {"rounding": "preserve_sum"},
    }
}


def samples(first=0, last=24):
    """Some of the images, a sample each."""
    return [{"image": image[None]} for image in IMAGES[first:last]]


def retrained(path):
    """Write the digits model with twice the weights in its last product; returns that node."""
    model = onnx.load(MODEL)
    users = [n for n in model.graph.node if n.op_type in ("Gemm", "MatMul")]
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    changed = next(n for n in reversed(users) if n.input[1] in weights)
    tensor = weights[changed.input[1]]
    tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor) * 2, tensor.name))
    onnx.save(model, path)
    return changed.name


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.parametrize("activations", ["int8", "uint8"])
def test_a_plan_makes_the_same_file_without_data(tmp_path, name, activations):
    twofold.quantize(
        MODEL,
        samples(),
        CONFIGS[name],
        output=tmp_path / "a.onnx",
        plan=tmp_path / "a.json",
        activation_format=activations,
    )
    report = twofold.quantize(
        MODEL, from_plan=tmp_path / "a.json", output=tmp_path / "b.onnx", plan=tmp_path / "b.json"
    )
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()
    assert report["outputs"] == []
    done = run("quantize", MODEL, "--from-plan", tmp_path / "a.json", "-o", tmp_path / "c.onnx")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "c.onnx").read_bytes()


def test_corrections_that_differ_are_plans_that_differ(tmp_path):
    plans = []
    for i, data in enumerate((samples(), samples()[::-1])):
        twofold.quantize(MODEL, data, CONFIGS["corrected"], plan=tmp_path / f"{i}.json", threads=1)
        plans.append(twofold.Plan.load(tmp_path / f"{i}.json"))
    shifts = [[row.get("bias_shift") for row in plan.operands] for plan in plans]
    assert any(shifts[0])
    assert shifts[0] != shifts[1]
    assert plans[0] != plans[1]


def test_a_plan_of_another_model_is_refused_or_carried_over(tmp_path):
    plan = tmp_path / "plan.json"
    twofold.quantize(MODEL, samples(), CONFIGS["corrected"], plan=plan)
    changed = retrained(tmp_path / "retrained.onnx")
    with pytest.raises(twofold.Error, match="made for another model; 1 difference:") as error:
        twofold.quantize(tmp_path / "retrained.onnx", from_plan=plan, output=tmp_path / "none.onnx")
    assert "has other weights or attributes than in the plan" in str(error.value)
    assert not (tmp_path / "none.onnx").exists()

    report = twofold.quantize(
        tmp_path / "retrained.onnx",
        from_plan=plan,
        by_name=True,
        output=tmp_path / "carried.onnx",
        plan=tmp_path / "carried.json",
    )
    assert any("scales of its constants are computed again" in note for note in report["notes"])
    before, after = (
        {(row["node"], row["operand"]): row for row in twofold.Plan.load(path).operands}
        for path in (plan, tmp_path / "carried.json")
    )
    assert before.keys() == after.keys()
    different = {key for key in before if before[key] != after[key]}
    assert len(different) == 1
    key = different.pop()
    assert key == (changed, "input1")
    np.testing.assert_array_equal(
        np.float32(after[key]["params"]["scale"]), 2 * np.float32(before[key]["params"]["scale"])
    )


@pytest.mark.parametrize(
    "arguments",
    [
        {"config": {}, "target": "cpu"},
        {"strict": True},
        {"activation_format": "uint8"},
        {"statistics": ["x"]},
        {"save_statistics": "x"},
    ],
)
def test_what_a_plan_decides_is_not_asked_for_again(tmp_path, arguments):
    plan = tmp_path / "plan.json"
    twofold.quantize(MODEL, samples(), CLOSED, plan=plan)
    if "statistics" in arguments:
        statistics = twofold.Statistics.observe(MODEL, samples(0, 2))
        arguments = {"statistics": [statistics]}
    with pytest.raises(twofold.Error, match="plan"):
        twofold.quantize(MODEL, from_plan=plan, **arguments)


def test_plans_of_older_versions_are_refused(tmp_path):
    path = tmp_path / "plan.json"
    twofold.quantize(MODEL, samples(), CLOSED, plan=path)
    content = json.loads(path.read_text())
    content["version"] = 1
    del content["content_hash"]
    for node in content["nodes"]:
        del node["content"]
    path.write_text(json.dumps(content))
    assert len(twofold.Plan.load(path).operands) > 10  # still readable
    with pytest.raises(twofold.Error, match=r"plan\.json: this plan was made by an older Twofold"):
        twofold.quantize(MODEL, from_plan=path)


def test_a_plan_is_rows_and_saves_what_it_read(tmp_path):
    path = tmp_path / "plan.json"
    report = twofold.quantize(MODEL, samples(), CLOSED, plan=path)
    plan = twofold.Plan.load(path)
    assert [(row["node"], row["operand"], row["granted"]) for row in plan.operands] == [
        (row["node"], row["operand"], row["granted"]) for row in report["operands"]
    ]
    plan.save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == path.read_bytes()
    assert plan.target == "cpu"
    with pytest.raises(twofold.Error, match="not a plan"):
        twofold.Plan("{", "some text")


OBSERVE = """
import sys, numpy, twofold
model, images, output = sys.argv[1:]
data = [{"image": image[None]} for image in numpy.load(images)]
twofold.Statistics.observe(model, data, threads=1).save(output)
"""


def test_statistics_of_two_processes_are_those_of_one(tmp_path):
    for i, part in enumerate((IMAGES[:7], IMAGES[7:24])):
        np.save(tmp_path / f"{i}.npy", part)
        subprocess.run(
            [sys.executable, "-c", OBSERVE, MODEL, tmp_path / f"{i}.npy", tmp_path / f"{i}.stats"],
            check=True,
        )
    whole = twofold.Statistics.observe(MODEL, samples(), threads=1)
    merged = twofold.Statistics.load(tmp_path / "1.stats")
    merged.merge(twofold.Statistics.load(tmp_path / "0.stats"))
    assert merged == whole
    assert merged.num_samples == 24
    assert pickle.loads(pickle.dumps(merged)) == whole

    outputs = []
    for i, statistics in enumerate(
        ([whole], [merged], [tmp_path / "0.stats", tmp_path / "1.stats"])
    ):
        outputs.append(tmp_path / f"{i}.onnx")
        twofold.quantize(MODEL, config=CLOSED, statistics=statistics, output=outputs[-1])
    done = run(
        "quantize", MODEL, "--data", tmp_path / "0.npy", "--save-statistics", tmp_path / "c.stats"
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "c.stats").read_bytes() == (tmp_path / "0.stats").read_bytes()
    assert len({path.read_bytes() for path in outputs}) == 1


def test_statistics_are_of_one_model_and_say_what_needs_data(tmp_path):
    statistics = twofold.Statistics.observe(MODEL, samples(0, 4))
    rows = {row["tensor"]: row for row in statistics.tensors}
    assert rows["image"]["elements"] == 4 * 28 * 28
    assert rows["image"]["channels"] == 1
    retrained(tmp_path / "retrained.onnx")
    with pytest.raises(twofold.Error, match="the statistics are of another model"):
        twofold.quantize(tmp_path / "retrained.onnx", config=CLOSED, statistics=[statistics])
    with pytest.raises(twofold.Error, match="no data to choose precisions on"):
        twofold.quantize(MODEL, statistics=[statistics])
    with pytest.raises(twofold.Error, match="no data to choose between roundings of weights"):
        config = {"model_config": {"all_node_type": "int8"}}
        twofold.quantize(MODEL, config=config, statistics=[statistics])
    with pytest.raises(twofold.Error, match="no data to search ranges on"):
        config = {"model_config": {"all_node_type": "int8", "weight": {"rounding": "nearest"}}}
        twofold.quantize(MODEL, config=config, statistics=[statistics])
    with pytest.raises(twofold.Error, match="there are no data to calibrate with"):
        twofold.quantize(MODEL, config=CLOSED)
    (tmp_path / "bad.stats").write_bytes(statistics.to_bytes()[:-5])
    with pytest.raises(twofold.Error, match=r"bad\.stats: damaged: it ends too early"):
        twofold.Statistics.load(tmp_path / "bad.stats")
