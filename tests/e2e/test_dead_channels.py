"""Channels whose weights are next to nothing still have their bias."""

import numpy as np
import onnx
import pytest
import twofold
from onnx import helper, numpy_helper
from qdq_model import QdqModel

BIASES = np.array([0.5, -0.45, -0.8, 0.3], np.float32)
# The largest weight of each channel: a living one, and what pruning or batch normalization left.
LARGEST = np.array([0.2, 1e-15, 1e-38, 1e-10], np.float32).reshape(4, 1, 1, 1)


def float_model(op_type):
    """A Conv or ConvTranspose of 3 x 3 on 2 channels, and HardSwish, which is not monotonic."""
    weight = np.random.default_rng(1).uniform(-1, 1, (4, 2, 3, 3)).astype(np.float32) * LARGEST
    weight = weight if op_type == "Conv" else weight.transpose(1, 0, 2, 3)
    graph = helper.make_graph(
        [
            helper.make_node(op_type, ["x", "w", "b"], ["y"], name="conv", pads=[1, 1, 1, 1]),
            helper.make_node("HardSwish", ["y"], ["z"], name="act"),
            helper.make_node(op_type, ["z", "v"], ["out"], name="next"),
        ],
        "dead",
        [helper.make_tensor_value_info("x", 1, [1, 2, 8, 8])],
        [helper.make_tensor_value_info("out", 1, [1, 4, 8, 8])],
        [
            numpy_helper.from_array(np.ascontiguousarray(weight), "w"),
            numpy_helper.from_array(BIASES, "b"),
            numpy_helper.from_array(np.eye(4, dtype=np.float32).reshape(4, 4, 1, 1), "v"),
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


@pytest.mark.parametrize("qtype", ["int8", "int16", "dual-int16", "int16-ec"])
@pytest.mark.parametrize("op_type", ["Conv", "ConvTranspose"])
def test_a_dead_channel_keeps_its_bias(tmp_path, op_type, qtype):
    onnx.save(float_model(op_type), tmp_path / "float.onnx")
    feed = {"x": np.random.default_rng(2).standard_normal((1, 2, 8, 8)).astype(np.float32)}
    config = {
        "model_config": {"activation": {"calibration_type": "max"}},
        "op_config": {op_type: {"qtype": qtype}},
    }
    quantized = tmp_path / "quantized.onnx"
    twofold.quantize(tmp_path / "float.onnx", [feed], config, output=quantized)
    expected = twofold.Session(tmp_path / "float.onnx").run(feed)["out"]
    got = twofold.Session(quantized).run(feed)["out"]
    step = np.abs(expected).max() / 127
    assert np.abs(got - expected)[:, 1:].max() <= step
    kinds = {row["kind"] for row in twofold.inspect(quantized)["lowered"]}
    assert "float" not in kinds


def test_a_bias_of_too_many_steps_is_computed_in_float():
    """A file of another tool: the weights' scale is the smallest that float32 has."""
    model = QdqModel()
    x = model.dequantize(model.input("x", np.uint8, [1, 1, 4, 4]), 0.05, np.uint8(128))
    w = model.dequantize(
        model.constant(np.ones((1, 1, 1, 1), np.int8)), np.float32(1.2e-38), np.int8(0)
    )
    y = model.node("Conv", x, w, model.constant(np.array([-0.8], np.float32)))
    q = model.quantize(y, 0.01, np.uint8(128))
    model.nodes[-1].output[0] = "q"
    model.output("q", np.uint8, 4)
    assert q
    got = twofold.Session(model.bytes()).run({"x": np.full((1, 1, 4, 4), 9, np.uint8)})["q"]
    assert np.all(got == 128 - 80)
