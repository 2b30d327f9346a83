"""Whatever Twofold writes is valid ONNX, and ONNX Runtime computes the same at its default level.

TWOFOLD_RANDOM_NETWORKS in the environment is how many networks are tried, 100 without it.
"""

import os

import numpy as np
import onnx
import onnxruntime
import pytest
import twofold
from exact_onnxruntime import exact_session
from onnxruntime import GraphOptimizationLevel
from random_networks import RandomNetwork

NETWORKS = int(os.environ.get("TWOFOLD_RANDOM_NETWORKS", "100"))
BATCH = 25
# Requantizing in float32, as ONNX Runtime's integer operators do, gives another integer where a
# result is close to a tie: one step of a few elements.
LEAST_SQNR = 25
# Without its integer operators, what differs is the rounding of float32.
LEAST_SQNR_IN_FLOAT = 60


def sqnr(expected, actual):
    """In dB; of the worst of several tensors."""
    worst = np.inf
    for a, b in zip(expected, actual, strict=True):
        a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
        assert a.shape == b.shape
        noise = ((a - b) ** 2).sum()
        if noise > 0:
            worst = min(worst, 10 * np.log10(((a**2).sum() + 1e-12) / noise))
    return worst


def check(seed, folder):
    network = RandomNetwork(seed)
    samples = network.samples()
    config, arguments = network.settings()
    onnx.save(network.model(), folder / "float.onnx")
    path = folder / "quantized.onnx"
    twofold.quantize(
        folder / "float.onnx", samples, config, output=path, progress=False, **arguments
    )
    onnx.checker.check_model(path, full_check=True)
    session = twofold.Session(path)
    names = [output["name"] for output in session.outputs]
    own = [session.run(sample)[name] for sample in samples for name in names]

    def difference(level):
        other = exact_session(path, level)
        return sqnr(own, [y for sample in samples for y in other.run(names, sample)])

    described = f"seed {seed}: {[n.op_type for n in network.nodes]} {config} {arguments}"
    assert difference(GraphOptimizationLevel.ORT_ENABLE_ALL) > LEAST_SQNR, described
    assert difference(GraphOptimizationLevel.ORT_DISABLE_ALL) > LEAST_SQNR_IN_FLOAT, described


@pytest.mark.parametrize("first", range(0, NETWORKS, BATCH))
def test_random_networks(tmp_path, first):
    for seed in range(first, min(first + BATCH, NETWORKS)):
        try:
            check(seed, tmp_path)
        except Exception as error:
            raise AssertionError(f"seed {seed}: {error}") from error


def quantized(folder, nodes, shape, constants, config, **arguments):
    """A quantized model of `nodes` from "x" to "y"."""
    graph = onnx.helper.make_graph(
        nodes,
        "small",
        [onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, shape)],
        [onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, None)],
        [onnx.numpy_helper.from_array(v, n) for n, v in constants.items()],
    )
    opsets = [onnx.helper.make_opsetid("", 22)]
    onnx.save(onnx.helper.make_model(graph, opset_imports=opsets, ir_version=10), folder / "f.onnx")
    samples = [{"x": np.random.default_rng(0).standard_normal(shape).astype(np.float32)}]
    path = folder / "q.onnx"
    twofold.quantize(folder / "f.onnx", samples, config, output=path, progress=False, **arguments)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    np.testing.assert_allclose(
        session.run(["y"], samples[0])[0], twofold.Session(path).run(samples[0])["y"], atol=0.05
    )
    return onnx.load(path)


def weights(*shape):
    return (np.random.default_rng(1).standard_normal(shape) / 4).astype(np.float32)


@pytest.mark.parametrize("activations", ["int8", "uint8"])
@pytest.mark.parametrize("stack", [(1, 6, 5), (3, 6, 5), (1, 1, 6, 5)])
def test_stacks_of_weights(tmp_path, stack, activations):
    nodes = [onnx.helper.make_node("MatMul", ["x", "w"], ["y"])]
    quantized(
        tmp_path, nodes, [3, 4, 6], {"w": weights(*stack)}, None, activation_format=activations
    )


def test_linear_layers_of_a_fixed_shape(tmp_path):
    """Whose int8 and int16 share a file, so that its opset is 21."""
    nodes = [
        onnx.helper.make_node("MatMul", ["x", "w"], ["m"], "first"),
        onnx.helper.make_node("Add", ["m", "b"], ["a"]),
        onnx.helper.make_node("MatMul", ["a", "v"], ["y"], "second"),
    ]
    constants = {"w": weights(16, 16), "b": weights(16), "v": weights(16, 4)}
    for config in (None, {"node_config": {"second": {"qtype": "int16"}}}):
        quantized(tmp_path, nodes, [1, 8, 16], constants, config)


@pytest.mark.parametrize("op_type", ["Reshape", "Transpose", "MaxPool", "Slice", "Unsqueeze"])
def test_integers_that_only_move(tmp_path, op_type):
    inputs = {
        "Reshape": ["shape"],
        "Slice": ["ones", "ends", "axes"],
        "Unsqueeze": ["axes"],
    }.get(op_type, [])
    attributes = {"kernel_shape": [2, 2]} if op_type == "MaxPool" else {}
    nodes = [
        onnx.helper.make_node("Conv", ["x", "w"], ["c"], "conv"),
        onnx.helper.make_node(op_type, ["c", *inputs], ["y"], **attributes),
    ]
    constants = {
        "w": weights(4, 3, 3, 3),
        "shape": np.array([1, -1]),
        "ones": np.array([1]),
        "ends": np.array([3]),
        "axes": np.array([2]),
    }
    config = {"node_config": {"conv": {"output0": "int8"}}}
    model = quantized(tmp_path, nodes, [1, 3, 6, 6], constants, config)
    operators = [node.op_type for node in model.graph.node]
    assert operators[-3:] == [op_type, "QuantizeLinear", "DequantizeLinear"]


def test_pools_that_round_up(tmp_path):
    """The last window would begin in the padding, which ONNX ignores from opset 22 on."""
    pool = {"kernel_shape": [1, 1], "strides": [2, 2], "ceil_mode": 1}
    nodes = [
        onnx.helper.make_node("Conv", ["x", "w"], ["c"]),
        onnx.helper.make_node("MaxPool", ["c"], ["y"], **pool),
    ]
    model = quantized(tmp_path, nodes, [1, 3, 6, 6], {"w": weights(4, 3, 3, 3)}, None)
    model.graph.output[0].CopyFrom(
        onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1, 4, 2, 2])
    )
    onnx.checker.check_model(model, full_check=True)
