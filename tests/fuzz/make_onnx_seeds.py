"""Writes seed models for onnx_reader_fuzz: small ones of each theme, which mutate well.

Usage: make_onnx_seeds.py FOLDER (tests/fuzz/seeds/onnx_reader_fuzz)
"""

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

FLOAT = TensorProto.FLOAT
MICROSOFT = "com.microsoft"
VECTOR = [helper.make_tensor_value_info("x", FLOAT, [2, 3, 4])]
RESULT = [helper.make_tensor_value_info("y", FLOAT, None)]


def model(nodes, opset, initializers=None, functions=()):
    graph = helper.make_graph(
        nodes,
        "g",
        VECTOR,
        RESULT,
        [numpy_helper.from_array(array, name) for name, array in (initializers or {}).items()],
    )
    opsets = [
        helper.make_opsetid("", opset),
        helper.make_opsetid("com.microsoft", 1),
        helper.make_opsetid("f", 1),
    ]
    return helper.make_model(graph, opset_imports=opsets, functions=functions, ir_version=8)


def node(op_type, inputs, outputs, **attributes):
    return helper.make_node(op_type, inputs, outputs, **attributes)


def seeds():
    weight = np.ones((4,), np.float32)
    scale, zero = np.float32(0.5).reshape(()), np.int8(1).reshape(())
    quantization = {"s": scale, "z": zero, "w": weight}
    yield (
        "plain",
        model(
            [node("Relu", ["x"], ["t"], name="r"), node("Add", ["t", "w"], ["y"])],
            21,
            {"w": weight},
        ),
    )
    yield "softmax", model([node("Relu", ["x"], ["t"]), node("Softmax", ["t"], ["y"], axis=1)], 11)
    yield "clip", model([node("Clip", ["x"], ["y"], min=0.0, max=6.0)], 7)
    yield "split", model([node("Split", ["x"], ["y", "z"], axis=1, split=[1, 2])], 11)
    yield "upsample", model([node("Upsample", ["x"], ["y"], scales=[1.0, 2.0, 2.0])], 7)
    yield (
        "constant",
        model(
            [node("Constant", [], ["c"], value_floats=[1.0]), node("Add", ["x", "c"], ["y"])], 13
        ),
    )
    yield (
        "qdq",
        model(
            [
                node("QuantizeLinear", ["x", "s", "z"], ["q"]),
                node("Transpose", ["q"], ["t"]),
                node("DequantizeLinear", ["t", "s", "z"], ["y"]),
            ],
            21,
            quantization,
        ),
    )
    qlinear = node(
        "QLinearAdd", ["q", "s", "z", "q", "s", "z", "s", "z"], ["y"], domain="com.microsoft"
    )
    yield (
        "qlinear",
        model([node("QuantizeLinear", ["x", "s", "z"], ["q"]), qlinear], 17, quantization),
    )
    body = helper.make_graph(
        [
            node("Identity", ["go"], ["go2"]),
            node("Add", ["state", "w"], ["a"]),
            node("Mul", ["a", "r"], ["next"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("state", FLOAT, None),
        ],
        [
            helper.make_tensor_value_info("go2", TensorProto.BOOL, []),
            helper.make_tensor_value_info("next", FLOAT, None),
        ],
    )
    loop = [node("Relu", ["x"], ["r"]), node("Loop", ["n", "", "x"], ["y"], body=body)]
    yield "loop", model(loop, 21, {"n": np.int64(3).reshape(()), "w": weight})
    function = helper.make_function(
        "f",
        "F",
        ["a"],
        ["b"],
        [node("Elu", ["a"], ["t"]), node("Add", ["t", "a"], ["b"])],
        [helper.make_opsetid("", 21)],
        ["alpha"],
    )
    reference = function.node[0].attribute.add()
    reference.name, reference.ref_attr_name, reference.type = (
        "alpha",
        "alpha",
        onnx.AttributeProto.FLOAT,
    )
    call = node("F", ["x"], ["y"], domain="f", alpha=0.5)
    yield "function", model([call], 21, functions=[function])
    sparse = model([node("Add", ["x", "w"], ["y"])], 21)
    values = numpy_helper.from_array(np.float32([1.0, 2.0]), "w")
    indices = numpy_helper.from_array(np.int64([0, 3]), "i")
    sparse.graph.sparse_initializer.append(helper.make_sparse_tensor(values, indices, [4]))
    yield "sparse", sparse


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, seed in seeds():
        (folder / name).write_bytes(seed.SerializeToString())


if __name__ == "__main__":
    main()
