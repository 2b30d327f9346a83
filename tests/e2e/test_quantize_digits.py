"""The main job on the digits model: every precision, in Twofold and in ONNX Runtime."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import twofold
from exact_onnxruntime import exact_session
from onnxruntime import GraphOptimizationLevel

DIGITS = Path(__file__).parents[2] / "examples" / "digits"
MODEL = DIGITS / "digits.onnx"
CALIBRATION = DIGITS / "calibration.npz"
GEMM_TYPE = ("Conv", "MatMul", "Gemm")


def gemm_config(qtype):
    return {
        "model_config": {"all_node_type": "int16"},
        "op_config": {op: {"qtype": qtype} for op in GEMM_TYPE},
    }


CONFIGS = {
    "int8": {},
    "uint8": {},
    "int16": {"model_config": {"all_node_type": "int16"}},
    "dual-int16": gemm_config("dual-int16"),
    "int16-ec": gemm_config("int16-ec"),
}
# Lowest sqnr (dB) of the logits against float that is still right; measured 15.5, 15.5, 44.6, 57.7,
# 57.4 over the whole evaluation set.
FLOAT_SQNR = {"int8": 14, "uint8": 14, "int16": 40, "dual-int16": 55, "int16-ec": 55}
# The same between Twofold and ONNX Runtime on one file: they differ where a float32 sum of ONNX
# Runtime rounds a tie the other way. Measured without graph optimizations: 68.4, 68.4, 81.7, 84.7,
# 83.9. Files must be written so that no optimization of ONNX Runtime costs accuracy: it turns a
# float32 bias behind Q/DQ into int32 without looking whether it fits, and a MatMul whose int8
# weight is dequantized along axis 1 (rather than -1) into one that rounds its input to 8 bits.
RUNTIME_SQNR = {"int8": 55, "uint8": 55, "int16": 75, "dual-int16": 75, "int16-ec": 75}


def sqnr(reference, other):
    a = reference.astype(np.float64)
    noise = np.sum((a - other) ** 2)
    return np.inf if noise == 0 else 10 * np.log10(np.sum(a**2) / noise)


def run_onnxruntime(model, image, level=GraphOptimizationLevel.ORT_ENABLE_ALL):
    return exact_session(model, level).run(None, {"image": image})[0]


def run_twofold(model, image, threads=1):
    return twofold.Session(model, threads=threads).run({"image": image})["logits"]


def quantize(name, folder, threads=1):
    model, plan = folder / f"{name}.onnx", folder / f"{name}.json"
    report = twofold.quantize(
        MODEL,
        CALIBRATION,
        CONFIGS[name],
        output=model,
        plan=plan,
        activation_format="uint8" if name == "uint8" else "int8",
        threads=threads,
    )
    return model, json.loads(plan.read_text()), report


@pytest.fixture(scope="module")
def images():
    return np.load(DIGITS / "evaluation.npz")["image"]


@pytest.fixture(scope="module")
def float_logits(images):
    return run_onnxruntime(MODEL, images)


@pytest.fixture(scope="module")
def quantized(tmp_path_factory):
    """Name of a config -> (file, plan, report), made when first asked for."""
    folder = tmp_path_factory.mktemp("digits")
    made = {}

    def get(name):
        if name not in made:
            made[name] = quantize(name, folder)
        return made[name]

    return get


every_config = pytest.mark.parametrize("name", CONFIGS)


@every_config
def test_file_is_valid(quantized, name):
    model = onnx.load(quantized(name)[0])
    onnx.checker.check_model(model, full_check=True)
    assert [(o.domain, o.version) for o in model.opset_import] == [("", 21)]
    assert {n.domain for n in model.graph.node} <= {"", "ai.onnx"}


@every_config
def test_near_float(quantized, images, float_logits, name):
    assert sqnr(float_logits, run_twofold(quantized(name)[0], images)) > FLOAT_SQNR[name]


@every_config
@pytest.mark.parametrize("level", ["ORT_DISABLE_ALL", "ORT_ENABLE_BASIC", "ORT_ENABLE_ALL"])
def test_onnx_runtime_agrees(quantized, images, name, level):
    model, some = quantized(name)[0], images[:200]
    other = run_onnxruntime(model, some, getattr(GraphOptimizationLevel, level))
    difference = sqnr(run_twofold(model, some), other)
    assert difference > RUNTIME_SQNR[name]


def test_uint8_is_int8(quantized, images):
    int8, uint8 = quantized("int8")[0], quantized("uint8")[0]
    np.testing.assert_array_equal(run_twofold(int8, images), run_twofold(uint8, images))
    graph = onnx.load(uint8).graph
    constants = {i.name: onnx.numpy_helper.to_array(i) for i in graph.initializer}
    points = [constants[n.input[2]] for n in graph.node if n.op_type == "QuantizeLinear"]
    other = {i.name: onnx.numpy_helper.to_array(i) for i in onnx.load(int8).graph.initializer}
    signed = [
        other[n.input[2]] for n in onnx.load(int8).graph.node if n.op_type == "QuantizeLinear"
    ]
    assert all(p.dtype == np.uint8 for p in points)
    assert [int(p) for p in points] == [int(p) + 128 for p in signed]


def test_ec_is_as_good_as_int16(quantized, images, float_logits):
    int16 = sqnr(float_logits, run_twofold(quantized("dual-int16")[0], images))
    ec = sqnr(float_logits, run_twofold(quantized("int16-ec")[0], images))
    assert abs(ec - int16) < 1


def test_dual_agrees_with_float_on_every_image(quantized, images, float_logits):
    logits = run_twofold(quantized("dual-int16")[0], images)
    np.testing.assert_array_equal(logits.argmax(axis=1), float_logits.argmax(axis=1))


def test_mixed_config_keeps_the_accuracy(tmp_path, images, float_logits):
    output = tmp_path / "mixed.onnx"
    report = twofold.quantize(MODEL, CALIBRATION, DIGITS / "mixed.yaml", output=output, threads=1)
    granted = {(o["node"], o["operand"]): o["granted"] for o in report["operands"]}
    assert granted["/edges/Conv", "input0"] == granted["/edges/Conv", "input1"] == "int16"
    assert sum(g == "int16" for (node, _), g in granted.items() if node != "/edges/Conv") <= 2
    answers = run_twofold(output, images).argmax(axis=1)
    assert np.mean(answers == float_logits.argmax(axis=1)) >= 0.99


def granted(plan, operand):
    """(node, granted) of one operand of every Conv, MatMul and Gemm in a plan."""
    return [
        (o["node"], o["granted"])
        for o in plan["operands"]
        if o["op_type"] in GEMM_TYPE and o["operand"] == operand
    ]


@pytest.mark.parametrize(
    ("name", "activation", "weight"),
    [
        ("int8", "int8", "int8"),
        ("uint8", "int8", "int8"),
        ("int16", "int16", "int8"),
        ("dual-int16", "int16", "int16"),
        ("int16-ec", "int16", "ec"),
    ],
)
def test_plan_says_what_was_asked(quantized, name, activation, weight):
    _, plan, report = quantized(name)
    dynamic = ("/attention/MatMul", "/attention/MatMul_1")  # both inputs are computed
    for node, qtype in granted(plan, "input0"):
        assert qtype == activation, node
    for node, qtype in granted(plan, "input1"):
        expected = activation if name == "int16" and node in dynamic else weight
        assert qtype == expected, node
    assert len(granted(plan, "input1")) == 16
    assert sum(report["operand_counts"].values()) == len(report["operands"])


@every_config
def test_names_survive(quantized, name):
    graph = onnx.load(quantized(name)[0]).graph
    assert [i.name for i in graph.input] == ["image"]
    assert [o.name for o in graph.output] == ["logits"]
    nodes = {n.name for n in graph.node}
    tensors = {t for n in graph.node for t in n.output}
    for node in twofold.inspect(MODEL)["simplified"]:
        assert node["name"] in nodes
        assert set(node["outputs"]) <= tensors
    assert len(nodes) == len(graph.node), "names of nodes are unique"


@every_config
def test_every_run_writes_the_same_bytes(quantized, tmp_path, name):
    again, plan, report = quantize(name, tmp_path)
    assert again.read_bytes() == quantized(name)[0].read_bytes()
    assert plan == quantized(name)[1]
    assert report["file_bytes"] == again.stat().st_size


@every_config
def test_threads_do_not_change_integers(quantized, images, name):
    model = quantized(name)[0]
    one, two = (run_twofold(model, images[:100], threads) for threads in (1, 2))
    np.testing.assert_array_equal(one, two)


def test_ec_in_two_passes_changes_nothing(quantized, images):
    model = quantized("int16-ec")[0]
    expected = run_twofold(model, images[:100])
    for threads in (1, 2):
        session = twofold.Session(model, threads=threads, ec_in_two_passes=True)
        np.testing.assert_array_equal(session.run({"image": images[:100]})["logits"], expected)


def test_batch_does_not_change_integers(quantized, images):
    session = twofold.Session(quantized("dual-int16")[0], threads=1)
    whole = session.run({"image": images[:20]})["logits"]
    for i in range(20):
        single = session.run({"image": images[i : i + 1]})["logits"]
        np.testing.assert_array_equal(single[0], whole[i])


def test_report_has_what_json_promises(quantized):
    report = quantized("int8")[2]
    assert {s["stage"] for s in report["stages"]} >= {"import", "simplify", "evaluate", "export"}
    assert all(s["seconds"] >= 0 and s["peak_memory_bytes"] > 0 for s in report["stages"])
    metrics = {"cosine-similarity", "mse", "mae", "mre", "sqnr", "chebyshev"}
    assert [o["tensor"] for o in report["outputs"]] == ["logits"]
    for row in report["outputs"] + report["tensors"]:
        assert set(row["metrics"]) == metrics
    for row in report["operands"]:
        assert row["granted"] == row["asked"] or row["reason"]
        assert (row["threshold"] > 0) == (row["granted"] in ("int8", "int16", "ec"))
