"""Quantized models on Twofold's engine against int64 arithmetic: equal in every bit."""

from dataclasses import dataclass, field, replace
from typing import Any

import integer_reference as reference
import numpy as np
import pytest
import twofold
from qdq_model import QdqModel

I8, U8, I16, U16 = np.int8, np.uint8, np.int16, np.uint16


@dataclass
class Operand:
    shape: tuple
    dtype: Any = I8
    zero_point: int = 0
    scale: Any = 0.05  # a number, or "channels": one per output channel
    fill: str = "random"  # or "low", "high": every value the type's smallest or largest


@dataclass
class Output:
    dtype: Any = I8  # None: float32
    scale: float | None = None  # None: so that some values saturate
    zero_point: int = 0
    low: float | None = None  # of a Relu or Clip in front
    high: float | None = None
    activation: str | None = None


@dataclass
class Case:
    op: str
    a: Operand
    b: Operand
    attributes: dict = field(default_factory=dict)
    bias: str | None = None  # "int32", "float", "coarse": int32 in units of 64 s_a s_b
    outputs: tuple = (Output(None), Output(I8), Output(I16))
    dynamic_b: bool = False


def integers(operand, rng):
    low, high = (int(v) for v in reference.LIMITS[operand.dtype])
    if operand.fill != "random":
        return np.full(operand.shape, low if operand.fill == "low" else high, operand.dtype)
    values = rng.integers(low, high, operand.shape, endpoint=True)
    return values.astype(operand.dtype)


def accumulate(case, a, b):
    a = a.astype(np.int64) - case.a.zero_point
    return reference.OPERATORS[case.op](
        a, b.astype(np.int64) - case.b.zero_point, **case.attributes
    )


def add_activation(model, value, output):
    if output.activation == "Relu":
        return model.node("Relu", value)
    if output.activation == "Clip":
        bounds = [
            "" if v is None else model.constant(np.float32(v)) for v in (output.low, output.high)
        ]
        return model.node("Clip", value, *bounds)
    return value


def with_scale(output, real):
    if output.dtype is None or output.scale is not None:
        return output
    low, high = reference.LIMITS[output.dtype]
    scale = np.float32(max(1.7 * np.abs(real).max() / (high - low), 1e-9))
    return replace(output, scale=float(scale))


def expect(acc, unit, output):
    if output.dtype is not None:
        return reference.requantize(
            acc, unit, output.dtype, output.scale, output.zero_point, output.low, output.high
        )
    return reference.to_float(acc, unit)


def bias_of(case, unit, channels, largest, rng):
    """(integers or floats of the file, scale or None, steps of s_a s_b)."""
    if case.bias == "float":
        real = (rng.normal(size=channels) * largest * unit).astype(np.float32)
        return real, None, reference.bias_steps(real, unit)
    coarse = 64 if case.bias == "coarse" else 1
    q = rng.integers(-int(largest) - 5, int(largest) + 5, channels).astype(np.int32)
    scale = (np.broadcast_to(unit, channels) * coarse).astype(np.float32)
    return q, scale, q.astype(np.int64) * coarse


def check(case, seed=0):
    rng = np.random.default_rng(seed)
    a, b = integers(case.a, rng), integers(case.b, rng)
    acc = accumulate(case, a, b)
    axis = reference.output_channel_axis(case.op, case.attributes, b.ndim)
    per_channel = isinstance(case.b.scale, str)
    s_a = np.float32(case.a.scale)
    s_b = np.float32(rng.uniform(0.001, 0.1, b.shape[axis]) if per_channel else case.b.scale)
    unit = np.float64(s_a) * s_b.astype(np.float64)

    model = QdqModel()
    zero_a = case.a.dtype(case.a.zero_point)
    zero_b = np.full(s_b.shape, case.b.zero_point, case.b.dtype)
    axis_of_b = {"axis": axis} if per_channel else {}
    x = model.dequantize(model.input("a", case.a.dtype, a.shape), s_a, zero_a)
    weight = model.input("b", case.b.dtype, b.shape) if case.dynamic_b else model.constant(b)
    inputs = [x, model.dequantize(weight, s_b, zero_b, **axis_of_b)]
    if case.bias:
        channels = acc.shape[1 if case.op.startswith("Conv") else -1]
        tiled = np.tile(unit, channels // unit.size) if per_channel else unit
        largest = min(np.abs(acc).max(), 2**31 - 10)
        values, scale, steps = bias_of(case, tiled, channels, largest, rng)
        constant = model.constant(values)
        inputs.append(constant if scale is None else model.dequantize(constant, scale, axis=0))
        acc = acc + reference.along_channels(steps, acc, case.op)
    unit = reference.along_channels(unit, acc, case.op)
    y = model.node(case.op, *inputs, **case.attributes)
    expected = []
    for output in case.outputs:
        output = with_scale(output, acc * unit)
        value = add_activation(model, y, output)
        if output.dtype is not None:
            value = model.quantize(value, output.scale, output.dtype(output.zero_point))
        model.output(value, output.dtype or np.float32, acc.ndim)
        expected.append((value, expect(acc, unit, output)))
    feeds = {"a": a, "b": b} if case.dynamic_b else {"a": a}
    content = model.bytes()
    for threads in (1, 2):
        got = twofold.Session(content, threads=threads).run(feeds)
        for name, values in expected:
            np.testing.assert_array_equal(got[name], values, strict=True)


def conv(a, b, **attributes):
    return Case("Conv", Operand(a), Operand(b, scale="channels"), attributes, "int32")


def transposed(a, b, **attributes):
    return Case("ConvTranspose", Operand(a), Operand(b, scale="channels"), attributes, "int32")


CONVS = {
    "1d": conv((2, 3, 11), (4, 3, 3), pads=[1, 2]),
    "2d": conv((2, 3, 9, 7), (5, 3, 3, 3), pads=[1, 0, 2, 1]),
    "3d": conv((1, 2, 5, 6, 4), (3, 2, 3, 2, 3), pads=[1, 0, 1, 1, 1, 0]),
    "pointwise": conv((2, 17, 5, 5), (19, 17, 1, 1)),
    "strided": conv((1, 3, 10, 13), (4, 3, 3, 3), strides=[2, 3], pads=[1, 1, 1, 1]),
    "dilated": conv((1, 3, 12, 12), (4, 3, 3, 3), dilations=[2, 3], pads=[2, 3, 2, 3]),
    "grouped": conv((2, 6, 7, 7), (9, 2, 3, 3), group=3, pads=[1, 1, 1, 1]),
    "depthwise": conv((1, 20, 9, 9), (20, 1, 3, 3), group=20, pads=[1, 1, 1, 1]),
    "depthwise multiplier": conv((1, 4, 9, 9), (8, 1, 3, 3), group=4),
    "same upper": conv((1, 3, 8, 9), (4, 3, 4, 3), auto_pad="SAME_UPPER", strides=[2, 2]),
    "same lower": conv((1, 3, 8, 9), (4, 3, 4, 3), auto_pad="SAME_LOWER", strides=[2, 2]),
    "valid": conv((1, 3, 8, 9), (4, 3, 4, 3), auto_pad="VALID"),
    "whole image": conv((3, 4, 6, 6), (7, 4, 6, 6)),
    "one output": conv((1, 8, 4, 4), (1, 8, 3, 3)),
    "transposed 1d": transposed((2, 3, 6), (3, 4, 3), strides=[2], pads=[1, 0]),
    "transposed 2d": transposed((1, 3, 5, 4), (3, 5, 3, 3), strides=[2, 2], pads=[1, 1, 1, 1]),
    "transposed 3d": transposed((1, 2, 3, 4, 3), (2, 3, 2, 3, 2), strides=[2, 1, 2]),
    "transposed dilated": transposed((1, 3, 5, 5), (3, 4, 3, 3), dilations=[2, 2]),
    "transposed output padding": transposed(
        (1, 3, 5, 5), (3, 4, 3, 3), strides=[3, 2], output_padding=[1, 1], pads=[1, 1, 1, 1]
    ),
    "transposed output shape": transposed(
        (1, 3, 5, 5), (3, 4, 3, 3), strides=[2, 2], output_shape=[10, 10]
    ),
    "transposed same": transposed(
        (1, 3, 5, 5), (3, 4, 3, 3), strides=[2, 2], auto_pad="SAME_UPPER"
    ),
    "transposed grouped": transposed((1, 6, 5, 5), (6, 2, 3, 3), group=3, strides=[2, 2]),
    "transposed depthwise": transposed((1, 6, 5, 5), (6, 1, 2, 2), group=6, strides=[2, 2]),
}


@pytest.mark.parametrize("name", CONVS)
@pytest.mark.parametrize("dtype", [I8, I16], ids=["int8", "int16"])
def test_convolutions(name, dtype):
    case = CONVS[name]
    check(
        Case(
            case.op,
            Operand(case.a.shape, dtype),
            Operand(case.b.shape, dtype, scale="channels"),
            case.attributes,
            "int32" if dtype is I8 else "float",
        )
    )


@pytest.mark.parametrize("a", [I8, U8, I16, U16])
@pytest.mark.parametrize("b", [I8, U8, I16, U16])
@pytest.mark.parametrize("op", ["Conv", "ConvTranspose", "MatMul", "Gemm"])
def test_types_and_zero_points(op, a, b):
    shapes = {
        "Conv": ((2, 8, 6, 5), (7, 8, 3, 3)),
        "ConvTranspose": ((2, 8, 6, 5), (8, 7, 3, 3)),
        "MatMul": ((5, 40), (40, 9)),
        "Gemm": ((5, 40), (40, 9)),
    }[op]
    points = {I8: -77, U8: 131, I16: 12345, U16: 40001}
    outputs = (
        Output(None),
        Output(I8, zero_point=-5),
        Output(U8, zero_point=200),
        Output(I16, zero_point=-999),
        Output(U16, zero_point=32768),
    )
    pads = {"pads": [1, 1, 1, 1]} if op.startswith("Conv") else {}
    check(
        Case(
            op,
            Operand(shapes[0], a, points[a]),
            Operand(shapes[1], b, points[b]),
            pads,
            outputs=outputs,
        )
    )


@pytest.mark.parametrize("bias", ["int32", "float", "coarse", None])
@pytest.mark.parametrize("scale", [0.03, "channels"], ids=["one", "channels"])
@pytest.mark.parametrize("op", ["Conv", "ConvTranspose", "Gemm"])
def test_biases(op, scale, bias):
    shapes = {
        "Conv": ((2, 3, 6, 5), (7, 3, 3, 3)),
        "ConvTranspose": ((2, 3, 6, 5), (3, 7, 3, 3)),
        "Gemm": ((5, 40), (40, 9)),
    }[op]
    check(Case(op, Operand(shapes[0]), Operand(shapes[1], scale=scale), bias=bias))


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ((5, 30), (30, 8)),
        ((1, 30), (30, 1)),
        ((2, 3, 5, 30), (30, 8)),
        ((2, 3, 5, 30), (2, 3, 30, 8)),
        ((2, 1, 5, 30), (3, 30, 8)),
        ((4, 5, 30), (1, 30, 8)),
        ((5, 30), (2, 3, 30, 8)),
        ((30,), (30, 8)),
        ((5, 1), (1, 8)),
    ],
)
@pytest.mark.parametrize("dynamic", [False, True], ids=["constant", "dynamic"])
@pytest.mark.parametrize("dtype", [I8, I16], ids=["int8", "int16"])
def test_matmul(a, b, dynamic, dtype):
    check(Case("MatMul", Operand(a, dtype), Operand(b, dtype), dynamic_b=dynamic))


@pytest.mark.parametrize("dynamic", [False, True], ids=["constant", "dynamic"])
def test_matrix_times_vector(dynamic):
    check(Case("MatMul", Operand((5, 30), I16), Operand((30,), I16), dynamic_b=dynamic))
    check(Case("MatMul", Operand((30,), I16), Operand((30,), I16), dynamic_b=dynamic))


@pytest.mark.parametrize("trans_a", [0, 1])
@pytest.mark.parametrize("trans_b", [0, 1])
@pytest.mark.parametrize("dynamic", [False, True], ids=["constant", "dynamic"])
def test_gemm_transposes(trans_a, trans_b, dynamic):
    a = Operand((30, 5) if trans_a else (5, 30), U8, 100)
    b = Operand((8, 30) if trans_b else (30, 8), I16, scale=0.05 if dynamic else "channels")
    check(Case("Gemm", a, b, {"transA": trans_a, "transB": trans_b}, "float", dynamic_b=dynamic))


@pytest.mark.parametrize("shape", [(), (1,), (1, 1), (8,), (1, 8), (5, 1), (5, 8)])
def test_gemm_bias_shapes(shape):
    """Each C that broadcasts. One per row is no bias of rule 4: a tie may fall the other way."""
    rng = np.random.default_rng(7)
    a, b = rng.integers(-128, 128, (5, 30), I8), rng.integers(-128, 128, (30, 8), I8)
    unit = np.float64(np.float32(0.05)) * np.float64(np.float32(0.02))
    steps = rng.integers(-40000, 40000, shape)
    model = QdqModel()
    x = model.dequantize(model.input("a", I8, a.shape), 0.05, I8(0))
    c = model.constant(np.asarray(steps * unit, np.float32))
    y = model.node("Gemm", x, model.dequantize(model.constant(b), 0.02, I8(0)), c)
    y = model.quantize(y, 0.5, I8(0))
    model.output(y, I8, 2)
    acc = a.astype(np.int64) @ b.astype(np.int64) + steps
    got = twofold.Session(model.bytes(), threads=1).run({"a": a})[y]
    expected = reference.requantize(acc, unit, I8, 0.5, 0).astype(int)
    per_row = len(shape) == 2 and shape[0] == 5
    np.testing.assert_allclose(got.astype(int), expected, rtol=0, atol=1 if per_row else 0)


@pytest.mark.parametrize("dtype", [I8, U8, I16, U16])
@pytest.mark.parametrize("zero_point", [0, 5])
@pytest.mark.parametrize("op", ["Conv", "MatMul", "Gemm"])
def test_activations_behind(op, dtype, zero_point):
    shapes = ((1, 3, 6, 5), (7, 3, 3, 3)) if op == "Conv" else ((5, 40), (40, 9))
    for low, high, activation in [
        (0.0, None, "Relu"),
        (0.0, 6.0, "Clip"),
        (-2.3, 4.7, "Clip"),
        (None, 1.1, "Clip"),
        (-3.3, None, "Clip"),
        (2.0, -1.0, "Clip"),
    ]:
        output = Output(dtype, 0.031, zero_point, low, high, activation)
        b = Operand(shapes[1], scale=0.002)
        check(Case(op, Operand(shapes[0]), b, {}, None, (output,)))


def test_edge_at_two_precisions_behind_an_activation():
    outputs = (Output(I8, 0.4, 0, 0.0, None, "Relu"), Output(I16, 0.01), Output(None))
    check(Case("Conv", Operand((1, 3, 6, 5), I16), Operand((4, 3, 3, 3)), {}, "int32", outputs))


@pytest.mark.parametrize("fill_a", ["low", "high"])
@pytest.mark.parametrize("fill_b", ["low", "high"])
@pytest.mark.parametrize("dtype", [I8, U8, I16, U16])
@pytest.mark.parametrize("length", [1, 1000, 5000])
def test_extreme_values(fill_a, fill_b, dtype, length):
    point = 0 if fill_a == "low" else 3
    a = Operand((2, length), dtype, point, 0.001, fill_a)
    b = Operand((length, 3), dtype, 0, 0.002, fill_b)
    check(Case("MatMul", a, b))
    check(Case("MatMul", a, b, dynamic_b=True))


@pytest.mark.parametrize("fill", ["low", "random"])
@pytest.mark.parametrize("dtype", [I8, U8, I16, U16])
def test_long_convolutions(fill, dtype):
    point = {I8: 127, U8: 0, I16: 32767, U16: 65535}[dtype]
    a = Operand((1, 555, 4, 4), dtype, point, 0.01, fill)
    check(Case("Conv", a, Operand((2, 555, 3, 3), dtype, 0, "channels", fill), {}, "float"))


@pytest.mark.parametrize("seed", range(20))
def test_ties_round_to_even(seed):
    """Scales are powers of two, so that products lie on halves all the time."""
    a = Operand((6, 7), I16, 0, 2.0**-7)
    outputs = (Output(I16, 2.0**-1), Output(I8, 2.0**8, 1), Output(U8, 2.0**9, 128))
    check(Case("MatMul", a, Operand((7, 8), I8, 0, 2.0**-5), outputs=outputs), seed)


def test_input_at_two_precisions():
    """One float tensor, quantized to int8 for one consumer and to int16 for another."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=(1, 3, 8, 8)).astype(np.float32)
    x.flat[:4] = [np.inf, -np.inf, 1e30, -0.0]
    weights = [rng.integers(-128, 128, (4, 3, 3, 3), I8) for _ in range(2)]
    model = QdqModel()
    model.input("x", np.float32, x.shape)
    expected = {}
    for dtype, scale, weight in [(I8, 0.02, weights[0]), (I16, 0.0001, weights[1])]:
        q = model.dequantize(model.quantize("x", scale, dtype(0)), scale, dtype(0))
        y = model.node("Conv", q, model.dequantize(model.constant(weight), 0.01, I8(0)))
        y = model.quantize(y, 0.05, I16(3))
        model.output(y, I16, 4)
        low, high = reference.LIMITS[dtype]
        a = np.clip(np.rint(x / np.float32(scale)), low, high).astype(np.int64)
        unit = np.float64(np.float32(scale)) * np.float64(np.float32(0.01))
        acc = reference.conv(a, weight.astype(np.int64))
        expected[y] = reference.requantize(acc, unit, I16, 0.05, 3)
    got = twofold.Session(model.bytes(), threads=1).run({"x": x})
    for name, values in expected.items():
        np.testing.assert_array_equal(got[name], values)


def test_types_come_from_the_integers_where_there_is_no_zero_point():
    rng = np.random.default_rng(4)
    a, b = rng.integers(-128, 128, (4, 9), I8), rng.integers(0, 65536, (9, 5), U16)
    model = QdqModel()
    x = model.dequantize(model.input("a", I8, a.shape), 0.1)
    y = model.node("MatMul", x, model.dequantize(model.constant(b), 0.2))
    y = model.node("QuantizeLinear", y, model.constant(np.float32(300)), output_dtype=5)
    model.output(y, I16, 2)
    acc = a.astype(np.int64) @ b.astype(np.int64)
    unit = np.float64(np.float32(0.1)) * np.float64(np.float32(0.2))
    got = twofold.Session(model.bytes(), threads=1).run({"a": a})[y]
    np.testing.assert_array_equal(got, reference.requantize(acc, unit, I16, 300, 0), strict=True)


def test_chain_keeps_integers_between_operators():
    """Conv -> Q/DQ -> Conv -> Q/DQ -> MaxPool -> Reshape -> MatMul, every edge integers."""
    rng = np.random.default_rng(5)
    a = rng.integers(-128, 128, (2, 3, 10, 10), I8)
    w1, w2 = rng.integers(-128, 128, (4, 3, 3, 3), I8), rng.integers(-128, 128, (6, 4, 3, 3), I8)
    w3 = rng.integers(-32768, 32768, (54, 5), I16)
    model = QdqModel()
    x = model.dequantize(model.input("a", I8, a.shape), 0.02, I8(0))
    x = model.node("Conv", x, model.dequantize(model.constant(w1), 0.01, I8(0)))
    x = model.dequantize(model.quantize(x, 0.05, U8(120)), 0.05, U8(120))
    x = model.node("Conv", x, model.dequantize(model.constant(w2), 0.01, I8(0)))
    x = model.dequantize(model.quantize(x, 0.002, I16(0)), 0.002, I16(0))
    x = model.node("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    x = model.node("Reshape", x, model.constant(np.array([2, -1], np.int64)))
    x = model.dequantize(model.quantize(x, 0.002, I16(0)), 0.002, I16(0))
    x = model.node("MatMul", x, model.dequantize(model.constant(w3), 0.0001, I16(0)))
    model.output(x, np.float32, 2)

    def unit(s, t):
        return np.float64(np.float32(s)) * np.float64(np.float32(t))

    y = reference.conv(a.astype(np.int64), w1.astype(np.int64))
    y = reference.requantize(y, unit(0.02, 0.01), U8, 0.05, 120).astype(np.int64) - 120
    y = reference.conv(y, w2.astype(np.int64))
    y = reference.requantize(y, unit(0.05, 0.01), I16, 0.002, 0).astype(np.int64)
    y = y.reshape(2, 6, 3, 2, 3, 2).max(axis=(3, 5)).reshape(2, -1)
    y = reference.to_float(y @ w3.astype(np.int64), unit(0.002, 0.0001))
    got = twofold.Session(model.bytes(), threads=1).run({"a": a})[x]
    np.testing.assert_array_equal(got, y)
