"""Small networks in which exactly one thing is wrong, and what that is."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


@dataclass
class Planted:
    """A model, its samples, the config that it is ruined by, and the nodes to blame."""

    model: onnx.ModelProto
    samples: dict[str, np.ndarray]
    nodes: set[str]
    config: dict = field(default_factory=dict)


# Ranges that nothing has to be searched for, and uneven channels left uneven.
BY_MAX = {
    "model_config": {
        "equalization": False,
        "all_node_type": "int8",
        "activation": {"calibration_type": "max", "asymmetric": False},
    }
}


def _model(nodes, weights, x_shape, y_shape):
    graph = helper.make_graph(
        nodes,
        "planted",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, x_shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, y_shape)],
        [
            numpy_helper.from_array(value.astype(np.float32), name)
            for name, value in weights.items()
        ],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)


def _conv(name, x, w, y):
    return helper.make_node("Conv", [x, w], [y], name=name, pads=[1, 1, 1, 1])


def _filters(random, outputs, inputs):
    return random.normal(0, 1, (outputs, inputs, 3, 3)) / np.sqrt(9 * inputs)


def _three_convs(random, middle_scale=None, first_scale=None):
    """x -> /first -> /middle -> /last -> y, and the scales of the channels that /first gives."""
    weights = {
        "w1": _filters(random, 16, 8),
        "w2": _filters(random, 16, 16),
        "w3": _filters(random, 4, 16),
    }
    if first_scale is not None:
        weights["w1"] *= first_scale[:, None, None, None]
    if middle_scale is not None:
        weights["w2"] *= middle_scale[None, :, None, None]
    nodes = [
        _conv("/first/Conv", "x", "w1", "a"),
        _conv("/middle/Conv", "a", "w2", "b"),
        _conv("/last/Conv", "b", "w3", "y"),
    ]
    return _model(nodes, weights, [1, 8, 12, 12], [1, 4, 12, 12])


def _images(random, count=8):
    return {"x": random.uniform(-1, 1, (count, 1, 8, 12, 12)).astype(np.float32)}


def nothing() -> Planted:
    """Int8 is good enough."""
    random = np.random.default_rng(1)
    return Planted(_three_convs(random), _images(random), set(), BY_MAX)


def clipping() -> Planted:
    """One tensor has rare large numbers, which the percentile that is asked for cuts off."""
    random = np.random.default_rng(2)
    model = _three_convs(random)
    spikes = onnx.helper.make_node("Mul", ["a", "rare"], ["spiked"], name="/spikes/Mul")
    rare = np.ones((1, 16, 12, 12))
    rare.reshape(-1)[random.choice(rare.size, 20, replace=False)] = 6
    model.graph.node.insert(1, spikes)
    model.graph.node[2].input[0] = "spiked"
    model.graph.initializer.append(numpy_helper.from_array(rare.astype(np.float32), "rare"))
    config = {
        "model_config": {"activation": {"calibration_type": "percentile", "max_percentile": 0.99}},
        "op_config": {"Mul": {"qtype": "float32"}},
    }
    # All other ranges have hardly any tails to lose.
    samples = {"x": np.sign(random.normal(0, 1, (8, 1, 8, 12, 12))).astype(np.float32)}
    return Planted(model, samples, {"/middle/Conv"}, config)


def one_channel() -> Planted:
    """One channel of /middle's input is far larger than the others, and counts nothing."""
    random = np.random.default_rng(3)
    size, counts = np.ones(16), np.ones(16)
    size[5], counts[5] = 300, 0
    return Planted(_three_convs(random, counts, size), _images(random), {"/middle/Conv"}, BY_MAX)


def both_inputs_of_a_conv() -> Planted:
    """/middle's input has one channel that is too large, and its filters one that is."""
    random = np.random.default_rng(4)
    scale = np.ones(16)
    scale[3], scale[9] = 60, 1 / 60
    return Planted(
        _three_convs(random, 1 / scale, scale), _images(random), {"/middle/Conv"}, BY_MAX
    )


def both_inputs_of_a_matmul() -> Planted:
    """The same of two computed tensors: a large column of one meets a small row of the other."""
    random = np.random.default_rng(5)
    scale = np.ones(32)
    scale[3], scale[9] = 60, 1 / 60
    weights = {
        "w1": random.normal(0, 1, (32, 32)) / np.sqrt(32) * scale[None, :],
        "w2": random.normal(0, 1, (32, 32)) / np.sqrt(32) / scale[None, :],
        "w3": random.normal(0, 1, (24, 8)),
    }
    nodes = [
        helper.make_node("MatMul", ["x", "w1"], ["q"], name="/query/MatMul"),
        helper.make_node("MatMul", ["x", "w2"], ["k"], name="/key/MatMul"),
        helper.make_node("Transpose", ["k"], ["kt"], name="/Transpose", perm=[0, 2, 1]),
        helper.make_node("MatMul", ["q", "kt"], ["s"], name="/scores/MatMul"),
        helper.make_node("MatMul", ["s", "w3"], ["y"], name="/out/MatMul"),
    ]
    samples = {"x": random.uniform(-1, 1, (8, 1, 24, 32)).astype(np.float32)}
    return Planted(
        _model(nodes, weights, [1, 24, 32], [1, 24, 8]), samples, {"/scores/MatMul"}, BY_MAX
    )


def group() -> Planted:
    """Forty additions, each of which loses next to nothing."""
    random = np.random.default_rng(6)
    nodes, weights, names = [], {}, set()
    tensor = "x"
    for i in range(40):
        weights[f"c{i}"] = random.normal(0, 0.05, (1, 64))
        name, result = f"/residual/{i}/Add", f"t{i}"
        names.add(name)
        nodes.append(helper.make_node("Add", [tensor, f"c{i}"], [result], name=name))
        tensor = result
    weights["w"] = random.normal(0, 1, (64, 8)) / 8
    nodes.append(helper.make_node("MatMul", [tensor, "w"], ["y"], name="/head/MatMul"))
    x = np.clip(random.standard_t(4, (8, 4, 64)), -8, 8).astype(np.float32)
    return Planted(_model(nodes, weights, [4, 64], [4, 8]), {"x": x}, names, BY_MAX)


def written_out_norm() -> Planted:
    """A normalization in single steps, asked to be int8: its squares span decades."""
    random = np.random.default_rng(7)
    weights = {"w1": random.normal(0, 1, (32, 32)) / 6, "w2": random.normal(0, 1, (32, 8)) / 6}
    weights["two"] = np.array(2.0)
    weights["eps"] = np.array(1e-5)
    nodes = [
        helper.make_node("MatMul", ["x", "w1"], ["a"], name="/in/MatMul"),
        helper.make_node("Pow", ["a", "two"], ["squares"], name="/norm/Pow"),
        helper.make_node("ReduceMean", ["squares", "axis"], ["mean"], name="/norm/ReduceMean"),
        helper.make_node("Add", ["mean", "eps"], ["moved"], name="/norm/Add"),
        helper.make_node("Sqrt", ["moved"], ["root"], name="/norm/Sqrt"),
        helper.make_node("Add", ["root", "root"], ["twice"], name="/norm/Add_1"),
        helper.make_node("Div", ["a", "twice"], ["n"], name="/norm/Div"),
        helper.make_node("MatMul", ["n", "w2"], ["y"], name="/out/MatMul"),
    ]
    model = _model(nodes, weights, [1, 24, 32], [1, 24, 8])
    model.graph.initializer.append(numpy_helper.from_array(np.array([-1], np.int64), "axis"))
    size = 8.0 ** random.uniform(-1, 1, (8, 1, 24, 1))
    samples = {"x": (size * random.normal(0, 1, (8, 1, 24, 32))).astype(np.float32)}
    config = BY_MAX | {
        "op_config": {op: {"qtype": "int8"} for op in ("ReduceMean", "Sqrt", "Pow", "Add")},
        "node_config": {"/in/MatMul": {"input0": "int16"}},
    }
    blamed = {f"/norm/{op}" for op in ("Pow", "ReduceMean", "Add", "Sqrt", "Add_1")}
    return Planted(model, samples, blamed, config)


ALL: dict[str, Callable[[], Planted]] = {
    f.__name__: f
    for f in (
        clipping,
        one_channel,
        both_inputs_of_a_conv,
        both_inputs_of_a_matmul,
        group,
        written_out_norm,
        nothing,
    )
}
