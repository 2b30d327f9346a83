"""Why numbers are compared with exact_onnxruntime: what ONNX Runtime computes without VNNI.

Its kernels multiply uint8 by int8 with vpmaddubsw there, which adds two neighbouring products in
int16 and saturates at 32767. VNNI's vpdpbusd adds four of them to an int32, and is exact.
"""

import platform
from pathlib import Path

import numpy as np
import onnx
import pytest
import twofold
from exact_onnxruntime import default_session, exact_session
from onnx import TensorProto, helper, numpy_helper
from onnxruntime import GraphOptimizationLevel

K = 64
STEP = 20000
# Weights are 127, activations 255 (uint8) or 127 (int8). To the latter ONNX Runtime adds 128, and
# subtracts 128 sums of the weights again. A pair of products is 2 * 255 * 127 = 64770: saturated.
SATURATED_PAIRS = K // 2 * 32767
EXACT = {"uint8": K * 255 * 127, "int8": K * 127 * 127}
SATURATED = {"uint8": SATURATED_PAIRS, "int8": SATURATED_PAIRS - 128 * K * 127}


def pairs_saturate():
    """True on x86 whose CPU has neither AVX-VNNI nor AVX-512 VNNI."""
    is_x86 = platform.machine() in ("x86_64", "AMD64")
    return is_x86 and "vnni" not in Path("/proc/cpuinfo").read_text()


def write(path, qtype, nodes):
    """A model from x [4,K] to y [4,32], both float32, whose activations are of `qtype`."""
    constants = {
        "w": np.full((K, 32), 127, np.int8),
        "w_zero": np.int8(0),
        "zero": np.dtype(qtype).type(0),
        "one": np.float32(1),
        "step": np.float32(STEP),
    }
    graph = helper.make_graph(
        nodes,
        "product",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [4, K])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [4, 32])],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", 21)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=10), path)
    return path


QUANTIZE = helper.make_node("QuantizeLinear", ["x", "one", "zero"], ["a"])
DEQUANTIZE = helper.make_node("DequantizeLinear", ["c", "step", "zero"], ["y"])


def write_qdq(path, qtype):
    """What Twofold writes: MatMul between Q/DQ."""
    nodes = [
        QUANTIZE,
        helper.make_node("DequantizeLinear", ["a", "one", "zero"], ["a_real"]),
        helper.make_node("DequantizeLinear", ["w", "one", "w_zero"], ["w_real"]),
        helper.make_node("MatMul", ["a_real", "w_real"], ["product"]),
        helper.make_node("QuantizeLinear", ["product", "step", "zero"], ["c"]),
        DEQUANTIZE,
    ]
    return write(path, qtype, nodes)


def write_qoperator(path, qtype):
    """The same as QLinearMatMul."""
    inputs = ["a", "one", "zero", "w", "one", "w_zero", "step", "zero"]
    nodes = [QUANTIZE, helper.make_node("QLinearMatMul", inputs, ["c"]), DEQUANTIZE]
    return write(path, qtype, nodes)


def feed(qtype):
    return {"x": np.full((4, K), np.iinfo(qtype).max, np.float32)}


@pytest.mark.parametrize("qtype", EXACT)
def test_default_saturates_pairs_without_vnni(tmp_path, qtype):
    path = write_qdq(tmp_path / "qdq.onnx", qtype)
    y = default_session(path).run(None, feed(qtype))[0]
    steps = round((SATURATED if pairs_saturate() else EXACT)[qtype] / STEP)
    np.testing.assert_array_equal(y, np.full((4, 32), steps * STEP, np.float32))


@pytest.mark.parametrize("level", ["ORT_DISABLE_ALL", "ORT_ENABLE_BASIC", "ORT_ENABLE_ALL"])
@pytest.mark.parametrize(
    ("written", "qtype"), [(write_qdq, "uint8"), (write_qdq, "int8"), (write_qoperator, "uint8")]
)
def test_exact_session_is_exact(tmp_path, written, qtype, level):
    path = written(tmp_path / "product.onnx", qtype)
    expected = np.full((4, 32), round(EXACT[qtype] / STEP) * STEP, np.float32)
    exact = exact_session(path, getattr(GraphOptimizationLevel, level))
    np.testing.assert_array_equal(exact.run(None, feed(qtype))[0], expected)
    np.testing.assert_array_equal(twofold.Session(path).run(feed(qtype))["y"], expected)
