"""all_node_type: auto, which is what no config means: what is not a product gets the cheapest
precision that does not limit the model."""

import numpy as np
import onnx
import pytest
import twofold
from onnx import TensorProto, helper, numpy_helper

PLAIN = {"activation": {"calibration_type": "max"}, "weight": {"rounding": "nearest"}}
AUTO = {"model_config": PLAIN}
WIDTH = 32
SAMPLES = 8


def write_residual(path, outlier, seed=5):
    """x -> two products -> Add -> LayerNormalization -> product -> y; the sum is an output, too.

    One channel of the sum is `outlier` times as large as the others, and is scaled down again
    behind the normalization: the product behind has nothing to suffer, the Add has. Since the sum
    is read elsewhere, the Add is no part of the normalization.
    """
    random = np.random.default_rng(seed)
    gain, back = np.ones(WIDTH), np.ones(WIDTH)
    gain[3], back[3] = outlier, 1 / outlier
    first = random.normal(0, 1, (WIDTH, WIDTH)) / np.sqrt(WIDTH)
    second = random.normal(0, 1, (WIDTH, WIDTH)) / np.sqrt(WIDTH)
    weights = {
        "w1": first * gain,
        "w2": second * gain,
        "gamma": back,
        "beta": np.zeros(WIDTH),
        "w3": random.normal(0, 1, (WIDTH, 8)) / np.sqrt(WIDTH),
    }
    nodes = [
        helper.make_node("MatMul", ["x", "w1"], ["a"], name="first"),
        helper.make_node("MatMul", ["x", "w2"], ["b"], name="second"),
        helper.make_node("Add", ["a", "b"], ["sum"], name="residual"),
        helper.make_node(
            "LayerNormalization", ["sum", "gamma", "beta"], ["n"], name="norm", axis=-1
        ),
        helper.make_node("MatMul", ["n", "w3"], ["y"], name="last"),
    ]
    graph = helper.make_graph(
        nodes,
        "residual",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [16, WIDTH])],
        [
            helper.make_tensor_value_info("y", TensorProto.FLOAT, [16, 8]),
            helper.make_tensor_value_info("sum", TensorProto.FLOAT, [16, WIDTH]),
        ],
        [numpy_helper.from_array(v.astype(np.float32), name) for name, v in weights.items()],
    )
    opsets = [helper.make_opsetid("", 21)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=10), path)
    return [{"x": x} for x in random.normal(0, 1, (SAMPLES, 16, WIDTH)).astype(np.float32)]


def noise(model, quantized, samples):
    """Energy of the error over that of the signal: the mean over the samples, the worst output."""
    shares = {"y": [], "sum": []}
    float_session, session = twofold.Session(model), twofold.Session(quantized)
    for sample in samples:
        reference, result = float_session.run(sample), session.run(sample)
        for name, values in shares.items():
            a = reference[name].astype(np.float64)
            values.append(((a - result[name]) ** 2).sum() / (a**2).sum())
    return max(float(np.mean(values)) for values in shares.values())


def granted(report, node):
    """{input: (precision, who decided)} of a node."""
    return {
        row["operand"]: (row["granted"], row["decided_by"])
        for row in report["operands"]
        if row["node"] == node and row["operand"].startswith("input")
    }


def quantize(folder, model, samples, config, **options):
    return twofold.quantize(
        model, samples, config, output=folder / "q.onnx", progress=False, **options
    )


@pytest.mark.parametrize("outlier", [1, 4, 16, 64, 256, 10_000, 1e6])
def test_a_kind_gets_the_cheapest_precision_that_adds_little(tmp_path, outlier):
    model = tmp_path / "model.onnx"
    samples = write_residual(model, outlier)

    # What the products, and the Add at either precision, leave alone: quantized one at a time.
    def alone(op_types, qtype):
        others = {"MatMul", "Add"} - set(op_types)
        config = {
            "model_config": {"all_node_type": "int8", **PLAIN},
            "op_config": {op: {"qtype": "float32"} for op in others}
            | {op: {"qtype": qtype} for op in op_types},
        }
        quantize(tmp_path, model, samples, config)
        return noise(model, tmp_path / "q.onnx", samples)

    budget = 0.25 * alone(["MatMul"], "int8")
    expected = "float32"
    for qtype in ("int16", "int8"):
        if alone(["Add"], qtype) <= budget:
            expected = qtype

    report = quantize(tmp_path, model, samples, AUTO)
    decided_by = "default" if expected == "int8" else "search"
    assert set(granted(report, "residual").values()) == {(expected, decided_by)}
    assert {p for p, _ in granted(report, "first").values()} == {"int8"}
    notes = [note for note in report["notes"] if "all_node_type auto" in note]
    assert len(notes) == (expected != "int8")
    for note in notes:
        assert f"{expected} for Add (1 node): alone at int8 " in note


def test_precisions_that_a_config_names_are_left_alone(tmp_path):
    model = tmp_path / "model.onnx"
    samples = write_residual(model, 64)
    named = AUTO | {"op_config": {"Add": {"qtype": "int8"}}}
    report = quantize(tmp_path, model, samples, named)
    assert set(granted(report, "residual").values()) == {("int8", "op")}
    assert not [note for note in report["notes"] if "auto" in note]
    by_node = AUTO | {"node_config": {"residual": {"input0": "int8"}}}
    report = quantize(tmp_path, model, samples, by_node)
    assert granted(report, "residual")["input0"] == ("int8", "node")


def test_int8_keeps_its_meaning(tmp_path):
    model = tmp_path / "model.onnx"
    samples = write_residual(model, 64)
    report = quantize(
        tmp_path, model, samples, {"model_config": {"all_node_type": "int8", **PLAIN}}
    )
    assert set(granted(report, "residual").values()) == {("int8", "default")}


def test_auto_and_no_word_are_the_same(tmp_path):
    model = tmp_path / "model.onnx"
    samples = write_residual(model, 64)
    quantize(tmp_path, model, samples, AUTO)
    expected = (tmp_path / "q.onnx").read_bytes()
    quantize(tmp_path, model, samples, {"model_config": {"all_node_type": "auto", **PLAIN}})
    assert (tmp_path / "q.onnx").read_bytes() == expected


def test_a_plan_makes_the_same_file(tmp_path):
    model, plan = tmp_path / "model.onnx", tmp_path / "plan.json"
    samples = write_residual(model, 64)
    quantize(tmp_path, model, samples, AUTO, plan=plan)
    expected = (tmp_path / "q.onnx").read_bytes()
    again = tmp_path / "again.onnx"
    twofold.quantize(model, from_plan=plan, output=again, progress=False)
    assert again.read_bytes() == expected


def test_16_bit_products_are_told_what_limits_them(tmp_path):
    model = tmp_path / "model.onnx"
    samples = write_residual(model, 64)
    config = {
        "model_config": {"all_node_type": "int8", **PLAIN},
        "op_config": {"MatMul": {"qtype": "dual-int16"}},
    }
    report = quantize(tmp_path, model, samples, config)
    limited = [note for note in report["notes"] if "limited" in note]
    assert len(limited) == 1
    assert "the result is limited by Add at int8 (1 node): alone at int8 " in limited[0]
    assert ", at int16 " in limited[0]
    assert set(granted(report, "residual").values()) == {("int8", "default")}


TARGET = """
name: no-int16-add
description: 16 bits in products only.
operators:
  - ops: [MatMul]
    combinations: [{each_input: [int8, int16, float32]}]
  - ops: "*"
    combinations: [{each_input: [int8]}, {each_input: [float32], cost: 4}]
"""


def test_a_target_without_the_precision_is_not_asked_for_it(tmp_path):
    model, target = tmp_path / "model.onnx", tmp_path / "target.yaml"
    target.write_text(TARGET)
    samples = write_residual(model, 64)
    report = quantize(tmp_path, model, samples, AUTO, target=str(target), strict=True)
    assert set(granted(report, "residual").values()) == {("float32", "search")}


def test_a_whole_ptq_file_means_int8_unless_it_says_auto(tmp_path):
    model = tmp_path / "model.onnx"
    samples = write_residual(model, 64)
    for word, expected in ((None, "int8"), ("auto", "int16")):
        model_config = dict(PLAIN) if word is None else {"all_node_type": word, **PLAIN}
        config = {
            "model_parameters": {"onnx_model": str(model)},
            "calibration_parameters": {"quant_config": {"model_config": model_config}},
        }
        report = quantize(tmp_path, model, samples, config)
        assert {p for p, _ in granted(report, "residual").values()} == {expected}, word


def test_without_data_auto_stands_for_int8():
    rows = {
        "inputs": [{"name": "x", "shape": [2, 4]}],
        "outputs": ["y"],
        "nodes": [{"name": "sum", "op_type": "Add", "inputs": ["x", "x"], "outputs": ["y"]}],
    }
    plan = twofold.resolve(rows, {"model_config": {"all_node_type": "auto"}})
    inputs = [row for row in plan["operands"] if row["operand"].startswith("input")]
    assert {row["granted"] for row in inputs} == {"int8"}
