"""Models that are truncated, malicious or wrong: one error, never a crash or a wrong number."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import onnx
import pytest
import twofold
from command_line import fail, succeed
from onnx import TensorProto, helper, numpy_helper
from qdq_model import QdqModel

DIGITS = Path(__file__).parents[2] / "examples" / "digits"
I8, U8, I16 = np.int8, np.uint8, np.int16


def small_model(nodes, constants=(), shape=(2, 3), opset=21):
    """x float32 -> y float32."""
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(a), name) for name, a in constants],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


def error_of(model, feeds=None):
    """The message of the twofold.Error that loading or running the model must give."""
    content = model if isinstance(model, bytes) else model.SerializeToString()
    with pytest.raises(twofold.Error) as caught:
        twofold.Session(content, threads=1).run(feeds or {"x": np.zeros((2, 3), np.float32)})
    return str(caught.value)


def test_truncated_file(tmp_path):
    content = (DIGITS / "digits.onnx").read_bytes()
    for share in (0.0, 0.001, 0.1, 0.5, 0.9, 0.999):
        path = tmp_path / "cut.onnx"
        path.write_bytes(content[: int(len(content) * share)])
        assert "cut.onnx" in fail("inspect", path)
        with pytest.raises(twofold.Error, match="cut.onnx"):
            twofold.Session(path)


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"PK\3\4 not a model", b"\xff" * 4096])
def test_no_model_at_all(tmp_path, content):
    path = tmp_path / "junk.onnx"
    path.write_bytes(content)
    assert "junk.onnx" in fail("run", path, "--data", DIGITS / "calibration.npz", "-o", tmp_path)
    error_of(content)


def test_a_folder_or_nothing(tmp_path):
    assert str(tmp_path) in fail("inspect", tmp_path)
    assert "absent.onnx" in fail("inspect", tmp_path / "absent.onnx")
    with pytest.raises(twofold.Error, match="absent.onnx"):
        twofold.inspect(tmp_path / "absent.onnx")


def test_damaged_bytes_never_crash(tmp_path):
    """Flips bytes of a quantized model, in a process of its own: a crash would end this one."""
    model = QdqModel()
    x = model.dequantize(model.input("a", U8, (1, 3, 6, 6)), 0.1, U8(3))
    w = np.random.default_rng(0).integers(-128, 128, (4, 3, 3, 3), I8)
    x = model.node("Conv", x, model.dequantize(model.constant(w), 0.1, I8(0)), pads=[1] * 4)
    x = model.dequantize(model.quantize(x, 0.3, I16(0)), 0.3, I16(0))
    x = model.node("Reshape", x, model.constant(np.array([4, -1], np.int64)))
    x = model.node("Softmax", x, axis=-1)
    model.output(x, np.float32, 2)
    (tmp_path / "whole.onnx").write_bytes(model.bytes())
    script = f"""
        import numpy as np, twofold
        whole = open({str(tmp_path / "whole.onnx")!r}, "rb").read()
        rng = np.random.default_rng(1)
        a = np.zeros((1, 3, 6, 6), np.uint8)
        twofold.Session(whole, threads=1).run({{"a": a}})
        for _ in range(1500):
            damaged = bytearray(whole)
            for _ in range(rng.integers(1, 4)):
                damaged[rng.integers(len(damaged))] = rng.integers(256)
            open({str(tmp_path / "last.onnx")!r}, "wb").write(damaged)
            try:
                twofold.Session(bytes(damaged), threads=1).run({{"a": a}})
            except twofold.Error:
                pass
    """
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert result.returncode == 0, f"exit code {result.returncode}: {result.stderr[-2000:]}"


@pytest.mark.parametrize("location", ["weights.bin", "../weights.bin", "/etc/hostname", ""])
def test_external_data_that_is_not_there(tmp_path, location):
    weight = TensorProto(name="w", dims=[3, 4], data_type=TensorProto.FLOAT)
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value=location)
    model = small_model([helper.make_node("MatMul", ["x", "w"], ["y"], name="product")])
    model.graph.initializer.append(weight)
    path = tmp_path / "folder" / "model.onnx"
    path.parent.mkdir()
    path.write_bytes(model.SerializeToString())
    (tmp_path / "weights.bin").write_bytes(bytes(48))
    message = fail("inspect", path)
    assert "'w'" in message and location in message


@pytest.mark.parametrize(
    ("offset", "length"), [("0", "40"), ("8", "48"), ("-1", "48"), ("9" * 30, "48"), ("x", "48")]
)
def test_external_data_outside_the_file(tmp_path, offset, length):
    weight = TensorProto(name="w", dims=[3, 4], data_type=TensorProto.FLOAT)
    weight.data_location = TensorProto.EXTERNAL
    for key, value in [("location", "w.bin"), ("offset", offset), ("length", length)]:
        weight.external_data.add(key=key, value=value)
    model = small_model([helper.make_node("MatMul", ["x", "w"], ["y"])])
    model.graph.initializer.append(weight)
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    (tmp_path / "w.bin").write_bytes(bytes(48))
    assert "'w'" in fail("inspect", tmp_path / "m.onnx")


@pytest.mark.parametrize("dims", [[-1, 4], [1 << 62, 4], [1 << 32, 1 << 32], [1 << 40], [3, 5]])
def test_sizes_that_lie(dims):
    weight = TensorProto(name="w", dims=dims, data_type=TensorProto.FLOAT, raw_data=bytes(48))
    model = small_model([helper.make_node("MatMul", ["x", "w"], ["y"])])
    model.graph.initializer.append(weight)
    assert "'w'" in error_of(model)


@pytest.mark.parametrize(
    ("op", "value"),
    [
        ("Reshape", [1 << 40, 1 << 40]),
        ("Reshape", [-1, -1]),
        ("Reshape", [4, 4]),
        ("Expand", [1 << 30, 1 << 30, 2, 3]),
        ("Expand", [-5, 3]),
        ("Tile", [1 << 31, 1 << 31]),
        ("Tile", [-1, 1]),
        ("Pad", [1 << 40, 0, 1 << 40, 0]),
        ("Pad", [-9, 0, 0, 0]),
        ("Gather", [1 << 40]),
        ("Gather", [-3]),
    ],
)
def test_impossible_shapes_at_run_time(op, value):
    model = small_model(
        [helper.make_node(op, ["x", "v"], ["y"], name="culprit")],
        [("v", np.array(value, np.int64))],
    )
    assert "culprit" in error_of(model)


@pytest.mark.parametrize(
    ("kernel", "attributes"),
    [
        ((4, 3, 3, 3), {"strides": [0, 1]}),
        ((4, 3, 3, 3), {"strides": [-1, 1]}),
        ((4, 3, 3, 3), {"dilations": [0, 0]}),
        ((4, 3, 3, 3), {"dilations": [1 << 40, 1]}),
        ((4, 3, 3, 3), {"pads": [1 << 40, 0, 0, 0]}),
        ((4, 3, 3, 3), {"pads": [1, 1]}),
        ((4, 3, 3, 3), {"group": 0}),
        ((4, 3, 3, 3), {"group": 2}),
        ((4, 3, 3, 3), {"group": -1}),
        ((4, 2, 3, 3), {}),
        ((4, 3, 9, 9), {}),
        ((4, 3, 3, 3), {"kernel_shape": [5, 5]}),
        ((4, 3, 3, 3), {"auto_pad": "SOMEHOW"}),
        ((4, 3, 3), {}),
        ((0, 3, 3, 3), {"group": 3}),
    ],
)
@pytest.mark.parametrize("quantized", [False, True], ids=["float", "quantized"])
def test_impossible_convolutions(kernel, attributes, quantized):
    model = QdqModel()
    dtype = I8 if quantized else np.float32
    x, w = model.input("x", dtype, (1, 3, 6, 6)), model.constant(np.ones(kernel, dtype))
    if quantized:
        x, w = model.dequantize(x, 0.1, I8(0)), model.dequantize(w, 0.1, I8(0))
    y = model.node("Conv", x, w, **attributes)
    model.output(y, np.float32, 4)
    message = error_of(model.build(), {"x": np.ones((1, 3, 6, 6), dtype)})
    assert "n2" in message if quantized else "n0" in message


def test_names_that_are_no_text(tmp_path):
    """A name in a message may hold any bytes: still a twofold.Error, still one line."""
    model = small_model([helper.make_node("Relu", ["nowhere"], ["y"])]).SerializeToString()
    damaged = model.replace(b"nowhere", b"no\xd2\x0a\xffre")
    error_of(damaged)
    (tmp_path / "m.onnx").write_bytes(damaged)
    fail("inspect", tmp_path / "m.onnx", errors="replace")


@pytest.mark.parametrize("op", ["Conv", "ConvTranspose", "MatMul", "Gemm"])
@pytest.mark.parametrize("shape", [(), (1,), (3,), (3, 4), (3, 3, 3), (1, 1, 1, 1, 1, 1)])
def test_weights_of_the_wrong_rank(tmp_path, op, shape):
    """On the command line, since it may crash."""
    convolution = op.startswith("Conv")
    right = [2, 3, 4] if convolution else [1, 2, 3, 6] if op == "MatMul" else [2]
    if len(shape) in right:
        pytest.skip("valid")
    model = QdqModel()
    a_shape = (1, 3, 6, 6) if convolution else (2, 3)
    x = model.dequantize(model.input("x", I8, a_shape), 0.1, I8(0))
    w = model.dequantize(model.constant(np.ones(shape, I8)), 0.1, I8(0))
    y = model.node(op, x, w)
    model.output(y, np.float32, len(a_shape))
    (tmp_path / "m.onnx").write_bytes(model.build().SerializeToString())
    np.save(tmp_path / "x.npy", np.ones((1, *a_shape), I8))
    arguments = ("--data", tmp_path / "x.npy", "-o", tmp_path / "out")
    message = fail("run", tmp_path / "m.onnx", *arguments)
    assert "'n2'" in message and op in message


def test_nothing_computes_it():
    assert "'nowhere'" in error_of(small_model([helper.make_node("Relu", ["nowhere"], ["y"])]))
    assert "'y'" in error_of(small_model([helper.make_node("Relu", ["x"], ["z"])]))


def test_cycle():
    nodes = [
        helper.make_node("Add", ["x", "b"], ["a"], name="first"),
        helper.make_node("Relu", ["a"], ["b"], name="second"),
        helper.make_node("Relu", ["b"], ["y"], name="third"),
    ]
    message = error_of(small_model(nodes))
    assert "cycle" in message and ("first" in message or "second" in message)
    error_of(small_model([helper.make_node("Add", ["x", "y"], ["y"], name="itself")]))


def test_computed_twice():
    nodes = [helper.make_node("Relu", ["x"], ["y"]), helper.make_node("Neg", ["x"], ["y"])]
    assert "'y'" in error_of(small_model(nodes))


def test_function_that_calls_itself():
    call = helper.make_node("F", ["x"], ["y"], domain="own")
    opsets = [helper.make_opsetid("", 21), helper.make_opsetid("own", 1)]
    function = helper.make_function("own", "F", ["x"], ["y"], [call], opsets)
    model = small_model([call])
    model.opset_import.append(opsets[1])
    model.functions.append(function)
    assert "F" in error_of(model)


def test_operators_that_are_missing_are_told_all_at_once(tmp_path):
    nodes = [
        helper.make_node("Frobnicate", ["x"], ["a"], name="one"),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Twiddle", ["b"], ["y"], name="two", domain="acme"),
    ]
    model = small_model(nodes)
    model.opset_import.append(helper.make_opsetid("acme", 1))
    path = tmp_path / "m.onnx"
    path.write_bytes(model.SerializeToString())
    data = tmp_path / "x.npy"
    np.save(data, np.zeros((1, 2, 3), np.float32))
    for command in (["run", "-o", tmp_path / "out"], ["quantize"]):
        message = fail(command[0], path, "--data", data, *command[1:])
        assert "Frobnicate" in message and "Twiddle" in message
    assert not (tmp_path / "out").exists()
    assert len(twofold.inspect(path)["unsupported"]) == 2


@pytest.mark.parametrize("opset", [0, 6, -1])
def test_opsets_that_are_too_old(opset):
    assert str(opset) in error_of(
        small_model([helper.make_node("Relu", ["x"], ["y"])], opset=opset)
    )


def test_no_opset_and_no_graph():
    model = small_model([helper.make_node("Relu", ["x"], ["y"])])
    del model.opset_import[:]
    assert "opset" in error_of(model)
    error_of(onnx.ModelProto(ir_version=10))


BAD_SCALES = [0.0, -0.1, float("nan"), float("inf")]


@pytest.mark.parametrize("scale", BAD_SCALES)
@pytest.mark.parametrize("place", ["quantize", "dequantize", "weight", "bias", "output"])
def test_scales_that_are_no_positive_numbers(scale, place):
    """In every place of a quantized Conv."""
    model = QdqModel()
    s = dict.fromkeys(["quantize", "dequantize", "weight", "bias", "output"], 0.1)
    s[place] = scale
    x = model.quantize(model.input("x", np.float32, (1, 3, 6, 6)), s["quantize"], I8(0))
    x = model.dequantize(x, s["dequantize"], I8(0))
    w = model.dequantize(model.constant(np.ones((4, 3, 3, 3), I8)), s["weight"], I8(0))
    b = model.dequantize(model.constant(np.ones(4, np.int32)), s["bias"])
    y = model.quantize(model.node("Conv", x, w, b), s["output"], I8(0))
    model.output(y, I8, 4)
    message = error_of(model.build(), {"x": np.ones((1, 3, 6, 6), np.float32)})
    assert "scale" in message and "'n" in message


def test_denormal_scales_give_numbers():
    """The smallest positive float32 is a scale like any other."""
    model = QdqModel()
    tiny = np.float32(1e-45)
    x = model.dequantize(model.input("x", I8, (2, 3)), tiny, I8(0))
    y = model.node("MatMul", x, model.dequantize(model.constant(np.ones((3, 2), I8)), 1, I8(0)))
    z = model.quantize(y, tiny, I8(0))
    model.output(y, np.float32, 2)
    model.output(z, I8, 2)
    a = np.array([[1, 2, 3], [-4, 5, -6]], I8)
    got = twofold.Session(model.bytes(), threads=1).run({"x": a})
    np.testing.assert_array_equal(got[z], np.repeat(a.sum(axis=1, keepdims=True), 2, axis=1))
    expected = (a.sum(axis=1) * np.float64(tiny)).astype(np.float32)
    np.testing.assert_array_equal(got[y], np.stack([expected, expected], axis=1))


@pytest.mark.parametrize("axis", [1, 2, 3, 4, -5, 1 << 40])
def test_scale_along_the_wrong_axis(axis):
    """Four scales for a weight [4, 3, 3, 2]; only axis 0 has four channels."""
    model = QdqModel()
    x = model.dequantize(model.input("x", I8, (1, 3, 6, 6)), 0.1, I8(0))
    w = model.constant(np.ones((4, 3, 3, 2), I8))
    w = model.dequantize(w, np.full(4, 0.1), np.zeros(4, I8), axis=axis)
    y = model.node("Conv", x, w)
    model.output(y, np.float32, 4)
    message = error_of(model.build(), {"x": np.ones((1, 3, 6, 6), I8)})
    assert "scale" in message or "axis" in message


@pytest.mark.parametrize(("scales", "zeros"), [(3, 3), (8, 8), (2, 2), (4, 3), (4, 1), (0, 0)])
@pytest.mark.parametrize("op", ["Conv", "MatMul"])
def test_as_many_scales_as_channels(scales, zeros, op):
    model = QdqModel()
    shape, weight = ((1, 3, 6, 6), (4, 3, 3, 3)) if op == "Conv" else ((2, 3), (3, 4))
    x = model.dequantize(model.input("x", I8, shape), 0.1, I8(0))
    w = model.constant(np.ones(weight, I8))
    axis = 0 if op == "Conv" else 1
    w = model.dequantize(w, np.full(scales, 0.1), np.zeros(zeros, I8), axis=axis)
    y = model.quantize(model.node(op, x, w), 0.1, I8(0))
    model.output(y, I8, len(shape))
    error_of(model.build(), {"x": np.ones(shape, I8)})


@pytest.mark.parametrize("size", [1, 2, 3, 5, 8, 0])
@pytest.mark.parametrize("op", ["Conv", "ConvTranspose", "Gemm"])
def test_a_bias_of_the_wrong_size(size, op):
    """Four output channels. A Gemm may have one number for all of them."""
    if op == "Gemm" and size == 1:
        pytest.skip("valid")
    model = QdqModel()
    shape, weight = {
        "Conv": ((1, 3, 6, 6), (4, 3, 3, 3)),
        "ConvTranspose": ((1, 3, 6, 6), (3, 4, 3, 3)),
        "Gemm": ((2, 3), (3, 4)),
    }[op]
    x = model.dequantize(model.input("x", I8, shape), 0.1, I8(0))
    w = model.dequantize(model.constant(np.ones(weight, I8)), 0.1, I8(0))
    b = model.dequantize(model.constant(np.ones(size, np.int32)), 0.01)
    y = model.quantize(model.node(op, x, w, b), 0.1, I8(0))
    model.output(y, I8, len(shape))
    error_of(model.build(), {"x": np.ones(shape, I8)})


@pytest.mark.parametrize(
    ("x", "scale", "zero"),
    [
        (I8, np.float32(0.1), U8(0)),
        (I8, np.float64(0.1), I8(0)),
        (I8, np.int32(1), I8(0)),
        (I8, np.float32(0.1), np.float32(0)),
        (np.int64, np.float32(0.1), None),
        (np.float32, np.float32(0.1), None),
    ],
)
def test_types_that_do_not_fit_together(x, scale, zero):
    """DequantizeLinear in front of a MatMul, which would run on integers otherwise."""
    model = QdqModel()
    inputs = [model.input("x", x, (2, 3)), model.constant(scale)]
    if zero is not None:
        inputs.append(model.constant(zero))
    a = model.node("DequantizeLinear", *inputs)
    w = model.dequantize(model.constant(np.ones((3, 2), I8)), 1, I8(0))
    y = model.node("MatMul", a, w)
    model.output(y, np.float32, 2)
    error_of(model.build(), {"x": np.full((2, 3), -1 if x != U8 else 1, x)})


def test_nan_in_weights(tmp_path):
    weight = np.ones((3, 4), np.float32)
    weight[1, 2] = np.nan
    model = small_model(
        [helper.make_node("MatMul", ["x", "w"], ["y"], name="product")], [("w", weight)]
    )
    onnx.save(model, tmp_path / "m.onnx")
    data = tmp_path / "x.npy"
    np.save(data, np.ones((4, 2, 3), np.float32))
    for bad in (np.nan, np.inf, -np.inf):
        weight[1, 2] = bad
        model.graph.initializer[0].CopyFrom(numpy_helper.from_array(weight, "w"))
        onnx.save(model, tmp_path / "m.onnx")
        output = tmp_path / "q.onnx"
        message = fail("quantize", tmp_path / "m.onnx", "--data", data, "-o", output)
        assert "'w'" in message or "'product'" in message or "'y'" in message
        assert not output.exists()


def test_overflow_inside_the_model(tmp_path):
    """Finite data, infinite activations."""
    model = small_model(
        [
            helper.make_node("Exp", ["x"], ["e"], name="explode"),
            helper.make_node("MatMul", ["e", "w"], ["y"], name="product"),
        ],
        [("w", np.ones((3, 4), np.float32))],
    )
    onnx.save(model, tmp_path / "m.onnx")
    np.save(tmp_path / "x.npy", np.full((4, 2, 3), 100, np.float32))
    message = fail("quantize", tmp_path / "m.onnx", "--data", tmp_path / "x.npy")
    assert "infinity" in message and "'e'" in message


@pytest.mark.parametrize(
    ("domain", "op"),
    [
        ("twofold", "Table"),
        ("twofold", "Elementwise"),
        ("twofold", "IntegerConv"),
        ("twofold.fused", "Conv"),
        ("twofold.quantized", "Softmax"),
    ],
)
def test_operators_that_exist_inside_only(domain, op):
    node = helper.make_node(op, ["x", "x"], ["y"], name="inner", domain=domain, step_ops=[1000])
    model = small_model([node])
    model.opset_import.append(helper.make_opsetid(domain, 1))
    message = error_of(model)
    assert "'inner'" in message and domain in message


@pytest.mark.parametrize(
    ("numbers", "scale", "zero_point", "expected"),
    [
        (
            [0, 1e-43, 1e-44, 0],
            1.0,
            0,
            [0, 0, 0, 0],
        ),  # nearer than 255 denormal steps: as good as zeros
        ([1e-45, 1e-45, 1e-45, 1e-45], 1.0, 0, [0, 0, 0, 0]),
        ([0, 255, 51, np.nan], 1.0, 0, [0, 255, 51, 0]),
        ([0, np.inf, 1, 2], np.inf, 0, [0, 0, 0, 0]),
        ([-np.inf, 0, 1, 2], np.inf, 255, [255, 255, 255, 255]),
    ],
)
def test_dynamic_quantization_of_any_numbers(numbers, scale, zero_point, expected):
    model = small_model(
        [helper.make_node("DynamicQuantizeLinear", ["x"], ["y", "s", "z"])], shape=(4,)
    )
    model.graph.output[0].type.tensor_type.elem_type = TensorProto.UINT8
    for name, kind in (("s", TensorProto.FLOAT), ("z", TensorProto.UINT8)):
        model.graph.output.append(helper.make_tensor_value_info(name, kind, []))
    session = twofold.Session(model.SerializeToString(), threads=1)
    outputs = session.run({"x": np.float32(numbers)})
    assert outputs["s"] == np.float32(scale) and outputs["z"] == zero_point
    assert outputs["y"].tolist() == expected


def test_weights_without_elements_stay_float(tmp_path):
    shape = (3, 0)
    model = small_model(
        [helper.make_node("MatMul", ["x", "w"], ["y"], name="m")],
        [("w", np.zeros(shape, np.float32))],
        shape=(2, shape[0]),
    )
    path = tmp_path / "model.onnx"
    onnx.save(model, path)
    samples = [{"x": np.ones((2, shape[0]), np.float32)}]
    report = twofold.quantize(path, samples, output=tmp_path / "q.onnx")
    weight = next(row for row in report["operands"] if row["operand"] == "input1")
    assert weight["granted"] == "float32" and "it has no elements" in weight["reason"]
    assert twofold.Session(tmp_path / "q.onnx").run(samples[0])["y"].shape == (2, shape[1])


def test_blocks_larger_than_the_tensor():
    model = small_model(
        [helper.make_node("QuantizeLinear", ["x", "s", "z"], ["y"], axis=1, block_size=2**63 - 1)],
        [("s", np.ones((2, 1), np.float32)), ("z", np.zeros((2, 1), np.int8))],
    )
    model.graph.output[0].type.tensor_type.elem_type = TensorProto.INT8
    result = twofold.Session(model.SerializeToString(), threads=1)
    assert result.run({"x": np.full((2, 3), 2.0, np.float32)})["y"].tolist() == [
        [2, 2, 2],
        [2, 2, 2],
    ]


@pytest.mark.parametrize("threads", [-1, 100000])
def test_numbers_of_threads_that_no_machine_has(threads):
    message = f"threads is {threads}; it must be 0 (one per core) to 1024"
    with pytest.raises(twofold.Error, match=re.escape(message)):
        twofold.Session(DIGITS / "digits.onnx", threads=threads)
    with pytest.raises(twofold.Error, match=re.escape(message)):
        twofold.quantize(DIGITS / "digits.onnx", DIGITS / "calibration.npz", threads=threads)
    words = ("run", DIGITS / "digits.onnx", "--data", DIGITS, "-o", "x", "--threads", str(threads))
    assert f"to 1024, not '{threads}'" in fail(*words, code=2)


def test_names_that_would_command_a_terminal(tmp_path):
    name = "\x1b[2J\x1b]0;owned\x07\n" + "n" * 1000000
    path = tmp_path / "m.onnx"
    onnx.save(small_model([helper.make_node("Unheard", ["x"], ["y"], name=name)]), path)
    said = fail("run", path, "--data", DIGITS, "-o", tmp_path)
    assert "\x1b" not in said and "\x07" not in said and len(said) < 2500
    onnx.save(small_model([helper.make_node("Relu", ["x"], ["y"], name=name)]), path)
    shown = succeed("inspect", path)
    assert "\x1b" not in shown and len(shown) < 10000
