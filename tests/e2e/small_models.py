"""Models of a few nodes, with samples for them."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def save(path, nodes, inputs, outputs, constants):
    """`inputs` and `outputs`: {name: shape}, or (shape, type); float32 where there is no type."""
    graph = helper.make_graph(
        nodes,
        "small",
        [_described(name, shape) for name, shape in inputs.items()],
        [_described(name, shape) for name, shape in outputs.items()],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path


def _described(name, shape):
    shape, kind = shape if isinstance(shape, tuple) else (shape, TensorProto.FLOAT)
    return helper.make_tensor_value_info(name, kind, shape)


def weights(seed, *shape):
    return np.random.default_rng(seed).normal(0, 1, shape).astype(np.float32)


def node(op_type, inputs, outputs, name, **attributes):
    return helper.make_node(op_type, inputs.split(), outputs.split(), name=name, **attributes)


def conv_and_matmul(folder):
    """x [N,3,6,6] -> /c/Conv -> /c/Relu -> Flatten -> /m/MatMul -> + b -> y, and five samples."""
    nodes = [
        node("Conv", "x w", "c", "/c/Conv", pads=[1, 1, 1, 1]),
        node("Relu", "c", "r", "/c/Relu"),
        node("Flatten", "r", "f", "/Flatten"),
        node("MatMul", "f m", "p", "/m/MatMul"),
        node("Add", "p b", "y", "/m/Add"),
    ]
    constants = {"w": weights(1, 4, 3, 3, 3), "m": weights(2, 144, 5), "b": weights(3, 5)}
    model = save(folder / "model.onnx", nodes, {"x": ["n", 3, 6, 6]}, {"y": ["n", 5]}, constants)
    data = folder / "samples.npz"
    np.savez(data, x=np.random.default_rng(4).normal(0, 1, (5, 3, 6, 6)).astype(np.float32))
    return model, data


def one_matmul(folder, name="one.onnx"):
    """x [1,8] -> mm -> y, and four samples."""
    model = save(
        folder / name,
        [node("MatMul", "x w", "y", "mm")],
        {"x": [1, 8]},
        {"y": [1, 8]},
        {"w": weights(5, 8, 8)},
    )
    data = folder / "x.npz"
    np.savez(data, x=np.random.default_rng(6).uniform(-1, 1, (4, 1, 8)).astype(np.float32))
    return model, data
