"""LSTM and GRU quantized from data: what a config makes of them, what the file holds, and how far
it is from the float model, here and on ONNX Runtime."""

import json

import numpy as np
import onnx
import onnxruntime
import pytest
import twofold
from command_line import succeed
from onnx import numpy_helper
from small_models import node, save

STEPS, BATCH, SIZE, HIDDEN, CLASSES = 12, 2, 10, 16, 4
PLAIN = {"activation": {"calibration_type": "max"}, "weight": {"rounding": "nearest"}}


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    """x [T,N,10] -> lstm, both ways -> gru -> head -> y [N,4], and samples."""
    folder = tmp_path_factory.mktemp("network")
    rng = np.random.default_rng(7)

    def uniform(*shape):
        return rng.uniform(-1, 1, shape).astype(np.float32) / np.float32(np.sqrt(HIDDEN))

    constants = {
        "w1": uniform(2, 4 * HIDDEN, SIZE) * 2,
        "r1": uniform(2, 4 * HIDDEN, HIDDEN) * 2,
        "b1": uniform(2, 8 * HIDDEN),
        "w2": uniform(1, 3 * HIDDEN, 2 * HIDDEN),
        "r2": uniform(1, 3 * HIDDEN, HIDDEN) * 2,
        "b2": uniform(1, 6 * HIDDEN),
        "w3": uniform(HIDDEN, CLASSES) * 4,
        "joined": np.array([0, 0, 2 * HIDDEN]),
        "zero": np.array([0]),
    }
    nodes = [
        node("LSTM", "x w1 r1 b1", "y1", "lstm", hidden_size=HIDDEN, direction="bidirectional"),
        node("Transpose", "y1", "t1", "turn", perm=[0, 2, 1, 3]),
        node("Reshape", "t1 joined", "j1", "join"),
        onnx.helper.make_node(
            "GRU", ["j1", "w2", "r2", "b2"], ["", "h2"], name="gru", hidden_size=HIDDEN,
            linear_before_reset=1,
        ),
        node("Squeeze", "h2 zero", "s2", "last"),
        node("MatMul", "s2 w3", "y", "head"),
    ]  # fmt: skip
    shapes = {"x": [STEPS, BATCH, SIZE]}, {"y": [BATCH, CLASSES]}
    model = save(folder / "model.onnx", nodes, *shapes, constants)
    samples = rng.normal(0, 1, (16, STEPS, BATCH, SIZE)).astype(np.float32)
    np.savez(folder / "x.npz", x=samples)
    return model, folder / "x.npz", samples


class Quantized:
    def __init__(self, network, folder, config, **options):
        self.float_model, data, self.samples = network
        self.path, self.plan_file = folder / "quantized.onnx", folder / "plan.json"
        config = {"model_config": PLAIN, **config}
        if "model_config" in config:
            config["model_config"] = PLAIN | config["model_config"]
        self.report = twofold.quantize(
            self.float_model, data, config, output=self.path, plan=self.plan_file, **options
        )
        self.model = onnx.load(self.path)
        self.operands = json.loads(self.plan_file.read_text())["operands"]
        self.constants = {t.name: numpy_helper.to_array(t) for t in self.model.graph.initializer}
        self.producers = {n.output[0]: n for n in self.model.graph.node}

    def granted(self, name):
        return [
            o["granted"] for o in self.operands if o["node"] == name and "input" in o["operand"]
        ]

    def node(self, name):
        return next(n for n in self.model.graph.node if n.name == name)

    def dequantized(self, name, i):
        """The DequantizeLinear in front of input i; none where it is float32."""
        found = self.producers.get(self.node(name).input[i])
        return found if found is not None and found.op_type == "DequantizeLinear" else None

    def results(self, model=None):
        session = twofold.Session(model or self.path, threads=1)
        return np.stack([session.run({"x": x})["y"] for x in self.samples])

    def sqnr(self):
        reference = self.results(self.float_model).astype(np.float64)
        error = self.results() - reference
        return 10 * np.log10((reference**2).sum() / (error**2).sum())

    def of_onnx_runtime(self):
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.add_session_config_entry("session.x64quantprecision", "1")
        session = onnxruntime.InferenceSession(
            self.path, options, providers=["CPUExecutionProvider"]
        )
        return np.stack([session.run(None, {"x": x})[0] for x in self.samples])


INT8 = {"model_config": {"all_node_type": "int8"}}
FLOAT = {"model_config": {"all_node_type": "float32"}}


def of_recurrent(setting, base=FLOAT):
    return {**base, "op_config": {"LSTM": setting, "GRU": setting}}


def test_the_file_holds_dequantized_operands(network, tmp_path):
    """X, W and R; one scale per row of the gates, which both directions share."""
    found = Quantized(network, tmp_path, INT8)
    for name, gates in (("lstm", 4), ("gru", 3)):
        assert found.granted(name) == ["int8"] * 3
        assert found.dequantized(name, 0) is not None and found.dequantized(name, 3) is None
        for i in (1, 2):
            read = found.dequantized(name, i)
            integers, scale = found.constants[read.input[0]], found.constants[read.input[1]]
            axis = {a.name: a.i for a in read.attribute}["axis"]
            assert integers.dtype == np.int8 and integers.ndim == 3
            assert axis == 1 and scale.shape == (gates * HIDDEN,)
    weight = numpy_helper.to_array(
        next(t for t in onnx.load(network[0]).graph.initializer if t.name == "w1")
    )
    read = found.dequantized("lstm", 1)
    scale = (np.abs(weight).max(axis=(0, 2)) / np.float32(127)).astype(np.float32)
    np.testing.assert_array_equal(found.constants[read.input[1]], scale)
    expected = np.clip(np.rint(weight / scale[:, None]), -128, 127)
    np.testing.assert_array_equal(found.constants[read.input[0]], expected)


@pytest.mark.parametrize(
    ("setting", "granted"),
    [
        ({"qtype": "int8"}, ["int8", "int8", "int8"]),
        ({"qtype": "int16"}, ["int16", "int8", "int8"]),
        ({"qtype": "dual-int16"}, ["int16", "int16", "int16"]),
        ({"qtype": "int16-ec"}, ["int16", "int16", "int16"]),
        ({"input0": "int8", "input1": "int16"}, ["int8", "int16", "float32"]),
        ({"qtype": "int8", "input2": "float32"}, ["int8", "int8", "float32"]),
        ({"input1": "int8", "input2": "float16"}, ["float32", "int8", "float16"]),
    ],
)
def test_every_operand_takes_what_a_config_says(network, tmp_path, setting, granted):
    found = Quantized(network, tmp_path, of_recurrent(setting))
    for name in ("lstm", "gru"):
        assert found.granted(name) == granted
        for i, precision in enumerate(granted):
            read = found.dequantized(name, i)
            assert (read is not None) == precision.startswith("int")
            if read is not None:
                assert found.constants[read.input[2]].dtype.name == precision
    np.testing.assert_allclose(found.results(), found.of_onnx_runtime(), rtol=0, atol=1e-5)
    lowered = {row["name"]: row["kind"] for row in twofold.inspect(found.path)["lowered"]}
    products_of_integers = granted[0].startswith("int") and granted[1].startswith("int")
    assert ("lstm_input" in lowered) == products_of_integers == ("gru_input" in lowered)


def test_more_bits_are_closer_to_the_float_model(network, tmp_path):
    noise = {
        qtype: Quantized(network, tmp_path, of_recurrent({"qtype": qtype})).sqnr()
        for qtype in ("int8", "int16", "dual-int16")
    }
    assert noise["int8"] > 25
    assert noise["int16"] > noise["int8"]
    assert noise["dual-int16"] > noise["int8"] + 35


def test_auto_raises_what_limits_the_model(network, tmp_path):
    """Behind the recurrent layers one small product alone has 8 bits, and hardly disturbs."""
    found = Quantized(network, tmp_path, {})
    assert found.granted("lstm") == ["int16"] * 3 == found.granted("gru")
    notes = json.loads(found.plan_file.read_text())["notes"]
    assert any("all_node_type auto: int16 for LSTM (1 node)" in note for note in notes)
    assert found.sqnr() > Quantized(network, tmp_path, INT8).sqnr() + 3


@pytest.mark.parametrize("target", ["generic", "journey6-oe3.1", "journey6-oe3.2"])
def test_devices_keep_them_float_and_say_so(network, tmp_path, target):
    found = Quantized(network, tmp_path, INT8, target=target)
    assert found.granted("lstm") == ["float32"] * 3
    assert found.granted("head") == ["int8"] * 2
    asked = Quantized(network, tmp_path, of_recurrent({"qtype": "int8"}, INT8), target=target)
    assert asked.granted("gru") == ["float32"] * 3
    reasons = [o["reason"] for o in asked.operands if o["node"] == "gru" and "reason" in o]
    assert len(reasons) == 3
    assert all("has no GRU with inputs (int8, int8, int8)" in r for r in reasons)
    assert all("operators with a state stay float here" in r for r in reasons)


def test_other_operands_are_refused_with_the_reason(network, tmp_path):
    found = Quantized(network, tmp_path, {**INT8, "node_config": {"lstm": {"input3": "int8"}}})
    operand = next(o for o in found.operands if (o["node"], o["operand"]) == ("lstm", "input3"))
    assert operand["granted"] == "float32"
    assert operand["reason"] == "it is not an operand of LSTM that can be quantized"


def test_activations_may_be_written_as_uint8(network, tmp_path):
    signed = Quantized(network, tmp_path, INT8)
    expected = signed.results()
    found = Quantized(network, tmp_path, INT8, activation_format="uint8")
    read = found.dequantized("gru", 0)
    assert found.constants[read.input[2]].dtype == np.uint8
    np.testing.assert_array_equal(found.results(), expected)


def test_a_plan_makes_the_file_again(network, tmp_path):
    found = Quantized(network, tmp_path, of_recurrent({"qtype": "int16"}, INT8))
    again = tmp_path / "again.onnx"
    twofold.quantize(network[0], output=again, from_plan=found.plan_file)
    assert again.read_bytes() == found.path.read_bytes()


def test_verify_compares_every_output(network, tmp_path):
    found = Quantized(network, tmp_path, INT8)
    report = twofold.verify(network[0], found.path, network[1])
    (output,) = report["outputs"]
    assert output["metrics"]["sqnr"] > 25


def test_the_debugger_offers_more_bits_for_an_lstm(network, tmp_path):
    """One channel of x leaves nothing of the others at 8 bits, and W makes it small again."""
    model, samples = onnx.load(network[0]), network[2].copy()
    weight = next(t for t in model.graph.initializer if t.name == "w1")
    scaled = numpy_helper.to_array(weight).copy()
    samples[..., 3] *= 300
    scaled[..., 3] /= 300
    weight.CopyFrom(numpy_helper.from_array(scaled, "w1"))
    onnx.save(model, tmp_path / "model.onnx")
    np.savez(tmp_path / "x.npz", x=samples)
    config = tmp_path / "config.yaml"
    config.write_text("model_config: {all_node_type: int8}\n")
    options = ["-c", config, "-s", tmp_path / "s"]
    said = succeed("debug", "runall", tmp_path / "model.onnx", tmp_path / "x.npz", *options)
    assert "LSTM 'lstm' loses accuracy by a few channels" in said
    assert "  lstm: {input0: int16, input1: int16, input2: int16}" in said


@pytest.mark.parametrize(
    ("unit", "names"),
    [
        ("node", {"lstm", "gru", "head"}),
        ("weight", {"w1", "r1", "w2", "r2", "w3"}),
        ("activation", {"x", "j1", "s2"}),
    ],
)
def test_the_debugger_takes_them_as_units(network, tmp_path, unit, names):
    plan = Quantized(network, tmp_path, INT8).plan_file
    report = tmp_path / "report.json"
    options = ["--plan", plan, "-n", unit, "-s", tmp_path / "s", "-m", "[sqnr]", "--json", report]
    succeed("debug", "get-sensitivity-of-nodes", network[0], network[1], *options)
    found = json.loads(report.read_text())
    assert {row["name"] for row in found["rows"]} >= names
