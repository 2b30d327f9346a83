"""The exported form of an ec operand: two operators and an Add, as one of 16 bits and in passes."""

import integer_reference as reference
import numpy as np
import onnx
import pytest
import twofold
from qdq_model import QdqModel

I8, I16 = np.int8, np.int16
S_A, S_Y = 0.0002, 0.7


def unit_of(s_a, s_b):
    return np.float64(np.float32(s_a)) * np.asarray(s_b, np.float32).astype(np.float64)


def split_activation(model, x, s1):
    """The two float terms of a computed ec operand."""
    first = model.dequantize(model.quantize(x, s1, I8(0)), s1, I8(0))
    s2 = np.float32(s1) / np.float32(254)
    rest = model.quantize(model.node("Sub", x, first), s2, I8(0))
    return first, model.dequantize(rest, s2, I8(0))


def run_and_compare(model, y, acc, unit, op, feeds):
    """Both as float32 and as int8 behind a QuantizeLinear, in one pass and in several."""
    model.output(y, np.float32, acc.ndim)
    q = model.quantize(y, S_Y, I8(-3))
    model.output(q, I8, acc.ndim)
    unit = reference.along_channels(unit, acc, op)
    for in_passes in (False, True):
        session = twofold.Session(model.bytes(), threads=1, ec_in_two_passes=in_passes)
        got = session.run(feeds)
        np.testing.assert_array_equal(got[y], reference.to_float(acc, unit))
        np.testing.assert_array_equal(got[q], reference.requantize(acc, unit, I8, S_Y, -3))


@pytest.mark.parametrize(
    ("op", "a_shape", "b_shape", "attributes"),
    [
        ("Conv", (2, 3, 7, 7), (5, 3, 3, 3), {"pads": [1, 1, 1, 1], "strides": [2, 1]}),
        ("Conv", (1, 6, 7, 7), (6, 1, 3, 3), {"group": 6}),
        ("Conv", (1, 6, 7, 7), (4, 3, 3, 3), {"group": 2}),
        ("Conv", (2, 6, 20), (5, 6, 3), {"strides": [2]}),
        ("ConvTranspose", (1, 3, 5, 5), (3, 4, 3, 3), {"strides": [2, 2]}),
        ("ConvTranspose", (1, 3, 5, 5), (3, 4, 2, 2), {"strides": [2, 2]}),
        ("MatMul", (3, 4, 30), (30, 9), {}),
        ("Gemm", (4, 30), (9, 30), {"transB": 1}),
    ],
)
@pytest.mark.parametrize("bias", [None, "first", "both"])
def test_weight(op, a_shape, b_shape, attributes, bias):
    if op == "MatMul" and bias:
        pytest.skip("MatMul has no bias")
    rng = np.random.default_rng(11)
    a = rng.integers(-32768, 32768, a_shape, I16)
    axis = reference.output_channel_axis(op, attributes, len(b_shape))
    b = rng.normal(size=b_shape).astype(np.float32)
    others = tuple(i for i in range(b.ndim) if i != axis)
    s1 = np.abs(b).max(axis=others) / np.float32(127)
    q1, q2, _ = reference.ec_digits(b, np.expand_dims(s1, others))
    s2 = s1 / np.float32(254)
    v = 254 * q1.astype(np.int64) + q2
    acc = reference.OPERATORS[op](a.astype(np.int64), v, **attributes)
    channels = acc.shape[1 if op.startswith("Conv") else -1]
    b1, b2 = rng.integers(-(10**6), 10**6, (2, channels), np.int32)
    unit = unit_of(S_A, s2)
    if bias == "both":
        acc = acc + reference.along_channels(254 * b1.astype(np.int64) + b2, acc, op)
    elif bias == "first":  # in units that float32(s_a s1) rounds: the nearest step
        real = b1 * unit_of(S_A, s1).astype(np.float32).astype(np.float64)
        acc = acc + reference.along_channels(np.rint(real / unit).astype(np.int64), acc, op)

    model = QdqModel()
    x = model.dequantize(model.input("a", I16, a.shape), S_A, I16(0))
    terms = []
    for q, scale, c in [(q1, s1, b1), (q2, s2, b2)]:
        inputs = [x, model.dequantize(model.constant(q), scale, np.zeros_like(s1, I8), axis=axis)]
        if bias == "both" or (bias and c is b1):
            units = unit_of(S_A, scale).astype(np.float32)
            inputs.append(model.dequantize(model.constant(c), units, axis=0))
        terms.append(model.node(op, *inputs, **attributes))
    run_and_compare(model, model.node("Add", *terms), acc, unit, op, {"a": a})


@pytest.mark.parametrize("operand", [0, 1])
def test_one_activation(operand):
    rng = np.random.default_rng(12)
    x = rng.normal(size=(2, 6, 6)).astype(np.float32)
    x[0, 0] = [0, -0.0, 1e9, -1e9, 1.27, -1.28]
    other = rng.integers(-32768, 32768, (2, 6, 6), I16)
    q1, q2, s2 = reference.ec_digits(x, np.float32(0.01))
    v, w = 254 * q1.astype(np.int64) + q2, other.astype(np.int64)
    model = QdqModel()
    terms = split_activation(model, model.input("x", np.float32, x.shape), 0.01)
    y = model.dequantize(model.input("b", I16, other.shape), S_A, I16(0))
    results = [model.node("MatMul", *((t, y) if operand == 0 else (y, t))) for t in terms]
    acc = v @ w if operand == 0 else w @ v
    total = model.node("Add", *results)
    run_and_compare(model, total, acc, unit_of(S_A, s2), "MatMul", {"x": x, "b": other})


def test_both_activations():
    """Four operators and three Adds."""
    rng = np.random.default_rng(13)
    x, y = rng.normal(size=(2, 2, 5, 5)).astype(np.float32)
    model = QdqModel()
    first = split_activation(model, model.input("x", np.float32, x.shape), 0.01)
    second = split_activation(model, model.input("y", np.float32, y.shape), 0.02)
    sums = [model.node("Add", *(model.node("MatMul", a, b) for b in second)) for a in first]
    total = model.node("Add", *sums)
    digits = [reference.ec_digits(x, np.float32(0.01)), reference.ec_digits(y, np.float32(0.02))]
    v, w = (254 * q1.astype(np.int64) + q2 for q1, q2, _ in digits)
    unit = unit_of(digits[0][2], digits[1][2])
    run_and_compare(model, total, v @ w, unit, "MatMul", {"x": x, "y": y})


@pytest.mark.parametrize("change", ["scale", "attribute", "input"])
def test_what_only_looks_like_ec_is_left_alone(change):
    """Two operators that differ in more than one digit stay two operators."""
    rng = np.random.default_rng(14)
    a = rng.integers(-128, 128, (1, 2, 6, 6), I8)
    q1, q2 = rng.integers(-128, 128, (2, 3, 2, 3, 3), I8)
    s1 = np.float32(0.01)
    scales = [s1, s1 / np.float32(254) * np.float32(1.5 if change == "scale" else 1)]
    model = QdqModel()
    name = model.input("a", I8, a.shape)
    terms, expected = [], 0
    for i, (q, s) in enumerate(zip((q1, q2), scales, strict=True)):
        s_a = 0.02 if change == "input" and i else 0.03
        attributes = {"pads": [1, 1, 1, 1], "dilations": [1, 1]}
        if change == "attribute" and i:
            attributes = {"pads": [2, 2, 2, 2], "dilations": [2, 2]}
        x = model.dequantize(name, s_a, I8(0))
        terms.append(
            model.node("Conv", x, model.dequantize(model.constant(q), s, I8(0)), **attributes)
        )
        acc = reference.conv(a.astype(np.int64), q.astype(np.int64), **attributes)
        expected = expected + reference.to_float(acc, unit_of(s_a, s))
    y = model.node("Add", *terms)
    model.output(y, np.float32, 4)
    got = twofold.Session(model.bytes(), threads=1).run({"a": a})[y]
    np.testing.assert_array_equal(got, expected)


def test_exported_file(tmp_path):
    """What `quantize` writes for ec computes the integers that its own constants promise."""
    rng = np.random.default_rng(15)
    weight = rng.normal(size=(4, 3, 3, 3)).astype(np.float32)
    bias = rng.normal(size=4).astype(np.float32)
    model = QdqModel()
    x = model.input("x", np.float32, [1, 3, 8, 8])
    y = model.node("Conv", x, model.constant(weight), model.constant(bias))
    model.output(y, np.float32, 4)
    onnx.save(model.build(), tmp_path / "float.onnx")
    data = [{"x": rng.normal(size=(1, 3, 8, 8)).astype(np.float32)} for _ in range(4)]
    twofold.quantize(
        tmp_path / "float.onnx",
        data,
        {"model_config": {"all_node_type": "int16"}, "op_config": {"Conv": {"qtype": "int16-ec"}}},
        output=tmp_path / "ec.onnx",
        threads=1,
    )
    graph = onnx.load(tmp_path / "ec.onnx").graph
    assert [n.op_type for n in graph.node].count("Conv") == 2
    values = {i.name: onnx.numpy_helper.to_array(i) for i in graph.initializer}
    makers = {o: n for n in graph.node for o in n.output}
    first, second = (n for n in graph.node if n.op_type == "Conv")
    digits, biases = [], []
    for conv in (first, second):
        dequantize = makers[conv.input[1]]
        assert values[dequantize.input[0]].dtype == I8
        digits.append(values[dequantize.input[0]].astype(np.int64))
        biases.append(values[makers[conv.input[2]].input[0]].astype(np.int64))
    s1 = values[makers[first.input[1]].input[1]]
    s2 = values[makers[second.input[1]].input[1]]
    np.testing.assert_array_equal(s2, s1 / np.float32(254))
    s_a = values[makers[first.input[0]].input[1]]
    unit = reference.along_channels(unit_of(s_a, s2), np.zeros((1, 4, 1, 1)), "Conv")
    path = tmp_path / "ec.onnx"
    sessions = [twofold.Session(path, threads=1, ec_in_two_passes=p) for p in (False, True)]
    for sample in data:
        a = np.clip(np.rint(sample["x"] / s_a), -32768, 32767).astype(np.int64)
        acc = reference.conv(a, 254 * digits[0] + digits[1])
        acc += reference.along_channels(254 * biases[0] + biases[1], acc, "Conv")
        for session in sessions:
            np.testing.assert_array_equal(session.run(sample)[y], reference.to_float(acc, unit))
