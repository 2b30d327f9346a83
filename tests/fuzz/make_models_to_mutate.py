"""Writes the models that mutated_models changes.

They are ONNX's own cases, the seeds of the reader's fuzzer, small networks, and what quantize makes
of them.

Usage: make_models_to_mutate.py FOLDER
"""

import sys
from pathlib import Path

import numpy as np
import onnx
import twofold
from make_onnx_seeds import node, seeds
from onnx import TensorProto, helper, numpy_helper

sys.path.append(str(Path(__file__).parent.parent / "conformance"))
from onnx_cases import CASES, FOREIGN_CASES

RANDOM = np.random.default_rng(0)


def weight(*shape):
    return (RANDOM.standard_normal(shape) / np.sqrt(np.prod(shape[1:]))).astype(np.float32)


def network(nodes, shape, weights):
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def networks():
    yield (
        "convolutions",
        network(
            [
                node("Conv", ["x", "w", "b"], ["a"], pads=[1, 1, 1, 1], name="first"),
                node("BatchNormalization", ["a", "b", "b", "b", "v"], ["n"]),
                node("Relu", ["n"], ["r"]),
                node("Conv", ["r", "d"], ["s"], group=4, pads=[1, 1, 1, 1]),
                node("Add", ["s", "r"], ["t"]),
                node("MaxPool", ["t"], ["p"], kernel_shape=[2, 2], strides=[2, 2]),
                node("GlobalAveragePool", ["p"], ["q"]),
                node("Flatten", ["q"], ["f"]),
                node("Gemm", ["f", "g"], ["h"], transB=1),
                node("Softmax", ["h"], ["y"], axis=-1),
            ],
            [1, 3, 8, 8],
            {
                "w": weight(4, 3, 3, 3),
                "b": weight(4),
                "v": np.abs(weight(4)) + 1,
                "d": weight(4, 1, 3, 3),
                "g": weight(5, 4),
            },
        ),
    )
    yield (
        "attention",
        network(
            [
                node("MatMul", ["x", "wq"], ["q"]),
                node("MatMul", ["x", "wk"], ["k"]),
                node("MatMul", ["x", "wv"], ["v"]),
                node("Transpose", ["k"], ["kt"], perm=[0, 2, 1]),
                node("MatMul", ["q", "kt"], ["s"]),
                node("Mul", ["s", "half"], ["m"]),
                node("Softmax", ["m"], ["p"]),
                node("MatMul", ["p", "v"], ["o"]),
                node("Add", ["o", "x"], ["r"]),
                node("LayerNormalization", ["r", "g", "g"], ["l"]),
                node("Gelu", ["l"], ["y"], domain="com.microsoft"),
            ],
            [1, 5, 8],
            {name: weight(8, 8) for name in ("wq", "wk", "wv")}
            | {"half": np.float32(0.5).reshape(()), "g": np.ones(8, np.float32)},
        ),
    )
    yield (
        "recurrent",
        network(
            [
                node("LSTM", ["x", "w", "r"], ["h", "", ""], hidden_size=4),
                node("Squeeze", ["h", "one"], ["s"]),
                node("Slice", ["s", "zero", "two", "zero"], ["t"]),
                node("Concat", ["t", "t"], ["c"], axis=-1),
                node("Clip", ["c", "low", "high"], ["y"]),
            ],
            [3, 1, 6],
            {
                "w": weight(1, 16, 6),
                "r": weight(1, 16, 4),
                "one": np.int64([1]),
                "zero": np.int64([0]),
                "two": np.int64([2]),
                "low": np.float32(-0.5).reshape(()),
                "high": np.float32(0.5).reshape(()),
            },
        ),
    )
    yield (
        "resampling",
        network(
            [
                node("Pad", ["x", "p"], ["a"]),
                node("ConvTranspose", ["a", "w"], ["t"], strides=[2, 2]),
                node("Resize", ["t", "", "s"], ["r"], mode="nearest"),
                node("DepthToSpace", ["r"], ["d"], blocksize=2),
                node("ReduceMean", ["d"], ["m"], axes=[2, 3]),
                node("Split", ["d"], ["e", "f"], axis=2),
                node("Mul", ["e", "m"], ["y"]),
                node("HardSwish", ["f"], ["z"]),
            ],
            [1, 2, 4, 4],
            {
                "p": np.int64([0, 0, 1, 1, 0, 0, 1, 1]),
                "w": weight(2, 4, 2, 2),
                "s": np.float32([1, 1, 2, 2]),
            },
        ),
    )


def inputs_of(model):
    """Random numbers for inputs that are all float32, else None."""
    arrays = {}
    initialized = {tensor.name for tensor in model.graph.initializer}
    for value in model.graph.input:
        kind = value.type.tensor_type
        if value.name in initialized:
            continue
        if kind.elem_type != TensorProto.FLOAT or not kind.HasField("shape"):
            return None
        shape = [dim.dim_value or 2 for dim in kind.shape.dim]
        arrays[value.name] = RANDOM.standard_normal(shape).astype(np.float32)
    return arrays or None


def write_quantized(path, model):
    inputs = inputs_of(model)
    if inputs is None:
        return
    quantized = path.with_name(path.stem + "_quantized.onnx")
    try:
        twofold.quantize(path, [inputs], output=quantized)
    except twofold.Error:
        quantized.unlink(missing_ok=True)


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    models = dict(networks()) | dict(seeds())
    models |= {name: case.model for name, case in (CASES | FOREIGN_CASES).items()}
    for name, model in models.items():
        path = folder / f"{name}.onnx"
        onnx.save(model, path)
        if path.stat().st_size > 20000:
            path.unlink()
        elif "expanded" not in name:
            write_quantized(path, model)


if __name__ == "__main__":
    main()
