"""Quantized files of other tools: they load, run on integers and agree with ONNX Runtime."""

import pathlib
from dataclasses import dataclass

import numpy as np
import onnx
import pytest
import twofold
from exact_onnxruntime import exact_session
from onnx import numpy_helper

FOREIGN = pathlib.Path(__file__).resolve().parents[1] / "data" / "foreign"
GEMMS = {"Conv", "ConvTranspose", "MatMul", "Gemm"}


@dataclass
class Expected:
    """Operators of GEMMS on integers and in float; how far outputs may be from ONNX Runtime's.

    In steps of the output where it is quantized, else relative to the largest output: an integer
    inside that is rounded the other way moves it by a part of a step.
    """

    integer: int
    float: int
    steps: int = 1
    relative: float = 0.01


EXPECTED = {
    "esp_ppq_espdl_int8": Expected(10, 0),
    "esp_ppq_trt_int8": Expected(10, 0),
    # What NNCF leaves in float, the operators behind means and the Softmax; per channel, one more.
    "nncf_mixed": Expected(13, 4),
    "nncf_transformer": Expected(11, 6),
    "onnxruntime_qdq_s16s8": Expected(17, 0),
    "onnxruntime_qdq_s8s8": Expected(17, 0),
    "onnxruntime_qdq_u8s8": Expected(17, 0),
    # ONNX Runtime has no QLinearConvTranspose.
    "onnxruntime_qoperator_u8s8": Expected(16, 1),
    "onnxruntime_qoperator_u8u8": Expected(16, 1),
    # The ConvTranspose was left in float by its maker.
    "pytorch_fake_quantize": Expected(15, 2, steps=2),
}


def samples():
    return np.random.default_rng(7).standard_normal((8, 1, 3, 32, 32)).astype(np.float32)


def run_onnxruntime(path, feeds):
    """Without graph optimization: dequantize, float operator, quantize."""
    session = exact_session(path)
    return np.concatenate([session.run(None, {"x": x})[0] for x in feeds])


def output_step(path):
    """The scale of the DequantizeLinear that makes the output, if one does."""
    graph = onnx.load(path).graph
    constants = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    for node in graph.node:
        if node.output[0] != graph.output[0].name or node.op_type != "DequantizeLinear":
            continue
        return constants[node.input[1]].item() if node.input[1] in constants else None
    return None


def test_every_file_is_tested():
    assert {path.stem for path in FOREIGN.glob("*.onnx")} == EXPECTED.keys()


@pytest.mark.parametrize("name", EXPECTED)
def test_agrees_with_onnxruntime(name):
    path, expected = FOREIGN / f"{name}.onnx", EXPECTED[name]
    session = twofold.Session(path)
    got = np.concatenate([session.run({"x": x})["y"] for x in samples()])
    reference = run_onnxruntime(path, samples())
    difference = np.abs(got - reference)
    step = output_step(path)
    if step:
        steps = np.rint(difference / step)
        assert steps.max() <= expected.steps
        assert np.mean(steps == 0) >= 0.8
    else:
        assert difference.max() <= expected.relative * np.abs(reference).max()


@pytest.mark.parametrize("name", EXPECTED)
def test_runs_on_integers(name):
    rows = twofold.inspect(FOREIGN / f"{name}.onnx")["lowered"]
    gemms = [row for row in rows if row["op_type"].removeprefix("Integer") in GEMMS]
    floats = [row["name"] for row in gemms if row["kind"] == "float"]
    assert len(floats) == EXPECTED[name].float, floats
    assert len(gemms) - len(floats) == EXPECTED[name].integer
