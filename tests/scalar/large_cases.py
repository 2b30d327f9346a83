"""One-node models, (name, model, inputs), on tensors of sizes that no vector width divides."""

import numpy as np
import onnx
from onnx import helper, numpy_helper

UNARY = """
    Abs Neg Relu Sigmoid Tanh Exp Log Sqrt Reciprocal Erf Floor Ceil Round Sign Sin Cos Tan Asin
    Acos Atan Sinh Cosh Asinh Acosh Atanh HardSigmoid HardSwish LeakyRelu Elu Selu Celu
    ThresholdedRelu Softplus Softsign Mish Gelu Swish Shrink
    """.split()  # noqa: SIM905 easier to read
REDUCE = "Sum Mean Max Min Prod L1 L2 LogSum LogSumExp SumSquare".split()  # noqa: SIM905
AXES = {"last": [3], "channels": [1], "spatial": [2, 3], "batch": [0], "all": [0, 1, 2, 3]}
SHAPE = (3, 7, 37, 61)
# Where functions change their formula, saturate or are not defined.
SPECIAL = np.float32(
    [0, -0.0, 1, -1, 0.5, 1e-45, -1e-40, 1e-7, 88.8, -88.8, 104, -104, 3e4, 1e9, 3e38]
    + [np.inf, -np.inf, np.nan]
)


class Cases:
    """Collects one-node models; inputs are drawn from one generator."""

    def __init__(self):
        self.rng = np.random.default_rng(5)
        self.found = []

    def normal(self, *shape, dtype=np.float32):
        return (self.rng.normal(size=shape) * 3).astype(dtype)

    def add(self, name, op_type, *inputs, outputs=1, opset=22, constants=0, **attributes):
        """`inputs` are arrays, or None for one that is left out; the last `constants` are fixed."""
        names = [f"x{i}" if x is not None else "" for i, x in enumerate(inputs)]
        arrays = {n: np.asarray(x) for n, x in zip(names, inputs, strict=True) if n}
        fixed = names[len(names) - constants :]
        feeds = {n: x for n, x in arrays.items() if n not in fixed}
        results = [f"y{i}" for i in range(outputs)]
        graph = helper.make_graph(
            [helper.make_node(op_type, names, results, **attributes)],
            "case",
            [
                helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(x.dtype), x.shape)
                for n, x in feeds.items()
            ],
            [onnx.ValueInfoProto(name=n) for n in results],
            [numpy_helper.from_array(arrays[n], n) for n in fixed if n],
        )
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10
        )
        self.found.append((f"{op_type} {name}", model.SerializeToString(), feeds))

    def add_quantized(self, name, op_type, x, *constants, **attributes):
        """On int8 `x` dequantized, the result quantized to int16.

        A constant may be None; those in int8 are dequantized, too.
        """
        names = [f"c{i}" if c is not None else "" for i, c in enumerate(constants)]
        fixed = {n: c for n, c in zip(names, constants, strict=True) if n}
        fixed |= {"s": np.float32(0.03), "z": np.int8(5)}
        fixed |= {"to": np.float32(0.001), "of": np.int16(7)}
        integers = ["x", *(n for n, c in fixed.items() if n in names and c.dtype == np.int8)]
        real = {n: f"{n}_real" for n in integers}
        inputs = [real.get(n, n) for n in ("x", *names)]
        nodes = [
            *(helper.make_node("DequantizeLinear", [n, "s", "z"], [real[n]]) for n in integers),
            helper.make_node(op_type, inputs, ["result"], **attributes),
            helper.make_node("QuantizeLinear", ["result", "to", "of"], ["y"]),
        ]
        graph = helper.make_graph(
            nodes,
            "case",
            [helper.make_tensor_value_info("x", onnx.TensorProto.INT8, x.shape)],
            [onnx.ValueInfoProto(name="y")],
            [numpy_helper.from_array(np.asarray(c), n) for n, c in fixed.items()],
        )
        opsets = [helper.make_opsetid("", 21)]
        model = helper.make_model(graph, opset_imports=opsets, ir_version=10)
        self.found.append((f"quantized {op_type} {name}", model.SerializeToString(), {"x": x}))


def _element_wise(cases):
    special = np.concatenate([SPECIAL, cases.normal(1 << 17), cases.normal(5000) * 30])
    small = np.tanh(cases.normal(40_001))
    for op in UNARY:
        opset = 24 if op == "Swish" else 22
        cases.add("special", op, special, opset=opset)
        cases.add("below 1", op, small, opset=opset)
    cases.add("tanh", "Gelu", special, approximate="tanh")
    x, y = cases.normal(*SHAPE), cases.normal(*SHAPE)
    row, channel = cases.normal(61), cases.normal(7, 1, 1)
    for op in ("Add", "Sub", "Mul", "Div", "Max", "Min", "PRelu"):
        for name, other in {"same": y, "row": row, "channel": channel}.items():
            cases.add(name, op, x, other)
    cases.add("fractions", "Pow", np.abs(x), y)
    cases.add("squares", "Pow", x, np.float32(2))
    cases.add("float", "Mod", x, y, fmod=1)
    cases.add("pairs", "Add", *np.meshgrid(SPECIAL, SPECIAL))
    cases.add("pairs", "Mul", *np.meshgrid(SPECIAL, SPECIAL))
    cases.add("pairs", "Max", *np.meshgrid(SPECIAL, SPECIAL))
    cases.add("bounds", "Clip", special, np.float32(-1.5), np.float32(6))
    for dtype in (np.int8, np.uint8, np.int16, np.int32, np.int64, np.float64):
        a, b = (cases.rng.integers(1, 120, (5, 1003)).astype(dtype) for _ in range(2))
        for op in ("Add", "Sub", "Mul", "Div", "Max", "Min", "Less"):
            cases.add(a.dtype.name, op, a, b)
    for to in (np.float16, np.float64, np.int8, np.uint8, np.int32, np.bool_):
        cases.add(
            np.dtype(to).name, "Cast", special, to=helper.np_dtype_to_tensor_dtype(np.dtype(to))
        )
    cases.add("bfloat16", "Cast", special, to=16)
    cases.add("float16", "Tanh", small.astype(np.float16))


def _along_axes(cases):
    x = cases.normal(*SHAPE)
    for op in REDUCE:
        for name, axes in AXES.items():
            data = np.abs(x) if op.startswith("Log") else x
            data = np.tanh(data) + 1.1 if op == "Prod" else data
            cases.add(name, f"Reduce{op}", data.astype(np.float32), np.int64(axes))
    cases.add("float64", "ReduceSum", cases.normal(9, 1001, dtype=np.float64), np.int64([1]))
    cases.add("int32", "ReduceSum", cases.rng.integers(-9, 9, (9, 1001), np.int32), np.int64([1]))
    for axis in range(4):
        for op in ("Softmax", "LogSoftmax", "Hardmax", "ArgMax", "ArgMin"):
            cases.add(f"axis {axis}", op, x, axis=axis)
        cases.add(f"axis {axis}", "CumSum", x, np.int64(axis))
        cases.add(f"axis {axis}", "LpNormalization", x, axis=axis)
        cases.add(f"axis {axis}", "TopK", x, np.int64([3]), outputs=2, axis=axis)
    rows = cases.normal(300, 517)
    gamma, beta = cases.normal(517), cases.normal(517)
    cases.add("rows", "LayerNormalization", rows, gamma, beta, outputs=3)
    cases.add("rows", "RMSNormalization", rows, gamma, opset=23)
    scale, bias = cases.normal(7), cases.normal(7)
    cases.add("image", "InstanceNormalization", x, scale, bias)
    cases.add("image", "GroupNormalization", x, scale, bias, num_groups=7)
    cases.add("image", "BatchNormalization", x, scale, bias, bias, np.abs(scale))
    cases.add("image", "MeanVarianceNormalization", x)
    cases.add("image", "LRN", x, size=3)


def _images(cases):
    x = cases.normal(*SHAPE)
    scales = {"up": np.float32([1, 1, 2.3, 1.7]), "down": np.float32([1, 1, 0.4, 0.7])}
    for name, factors in scales.items():
        for mode in ("nearest", "linear", "cubic"):
            cases.add(f"{mode} {name}", "Resize", x, None, factors, mode=mode)
        cases.add(f"smooth {name}", "Resize", x, None, factors, mode="linear", antialias=1)
    window = {"kernel_shape": [3, 5], "strides": [2, 1], "pads": [1, 2, 1, 2]}
    for op in ("MaxPool", "AveragePool", "LpPool"):
        cases.add("window", op, x, **window)
    cases.add("int8", "MaxPool", cases.rng.integers(-128, 128, SHAPE, np.int8), **window)
    for op in ("GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"):
        cases.add("image", op, x)
    grid = np.tanh(cases.normal(3, 29, 31, 2)) * np.float32(1.2)
    for mode in ("linear", "cubic", "nearest"):
        cases.add(mode, "GridSample", x, grid, mode=mode)
    boxes = np.float32([[1.3, 2.1, 40.7, 30.2], [0, 0, 60, 36], [5, 5, 6, 6]])
    where = np.int64([0, 2, 1])
    cases.add("boxes", "RoiAlign", x, boxes, where, output_height=5, output_width=7)


def _quantized(cases):
    """DequantizeLinear, operator, QuantizeLinear: one node with float32 inside."""
    x = cases.rng.integers(-128, 128, SHAPE, np.int8)
    gamma, beta = cases.normal(61), cases.normal(61)
    scales = np.float32([1, 1, 2.3, 1.7])
    for op in ("Softmax", "LogSoftmax", "GlobalAveragePool", "ReduceMean"):
        cases.add_quantized("image", op, x)
    cases.add_quantized("rows", "LayerNormalization", x, gamma, beta)
    cases.add_quantized("window", "AveragePool", x, kernel_shape=[3, 5])
    cases.add_quantized("linear", "Resize", x, None, scales, mode="linear")


def _integers(cases):
    x = cases.normal(33, 1003)
    scale = np.abs(cases.normal(1003)) + np.float32(0.01)
    for dtype in (np.int8, np.uint8, np.int16, np.uint16):
        zero = cases.rng.integers(0, 100, 1003).astype(dtype)
        cases.add(zero.dtype.name, "QuantizeLinear", x, scale, zero)
        q = cases.rng.integers(0, 120, (33, 1003)).astype(dtype)
        cases.add(zero.dtype.name, "DequantizeLinear", q, scale, zero)
    cases.add("rows", "DynamicQuantizeLinear", x, outputs=3)
    # With constant parameters these are exact integer sums.
    for dtype in (np.int8, np.uint8):
        limits = np.iinfo(dtype)
        name = limits.dtype.name
        of, to = (np.float32(0.02), dtype(3)), (np.float32(0.9), dtype(9))

        def draw(*shape, limits=limits, dtype=dtype):
            return cases.rng.integers(limits.min, limits.max + 1, shape, dtype)

        image, kernel = draw(2, 19, 23, 21), draw(21, 19, 3, 3)
        cases.add(name, "QLinearConv", image, *of, kernel, *of, *to, constants=7)
        a, b = draw(4, 77, 301), draw(301, 83)
        cases.add(name, "QLinearMatMul", a, *of, b, *of, *to, constants=7)


def _products(cases):
    a, b = cases.normal(5, 33, 47), cases.normal(5, 47, 29)
    cases.add("batched", "Einsum", a, b, equation="bij,bjk->bik")
    x, steps = cases.normal(17, 3, 21), 19
    for op, gates in {"LSTM": 4, "GRU": 3, "RNN": 1}.items():
        w = cases.normal(1, gates * steps, 21) / np.float32(9)
        r = cases.normal(1, gates * steps, steps) / np.float32(9)
        cases.add("sequence", op, x, w, r, outputs=2, hidden_size=steps)
        integers = [cases.rng.integers(-128, 128, v.shape, np.int8) for v in (x, w, r)]
        cases.add_quantized("sequence", op, *integers, hidden_size=steps)


def large_cases():
    cases = Cases()
    for build in (_element_wise, _along_axes, _images, _quantized, _integers, _products):
        build(cases)
    return cases.found
