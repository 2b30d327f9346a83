"""Small random networks of the operators that people quantize, with configs for them."""

from dataclasses import dataclass, field

import numpy as np
from onnx import TensorProto, helper, numpy_helper

PRECISIONS = ("int8", "int16", "auto")
QTYPES = ("int8", "int16", "dual-int16", "int16-ec", "float32")
FORMATS = ("int8", "uint8")
TARGETS = ("cpu", "generic", "journey6-oe3.1", "journey6-oe3.2")


@dataclass
class RandomNetwork:
    """A float model, made step by step: each reads the last tensor, and some an earlier one."""

    seed: int
    random: np.random.Generator = field(init=False)
    nodes: list = field(default_factory=list)
    constants: dict = field(default_factory=dict)
    shapes: dict = field(default_factory=dict)

    def __post_init__(self):
        self.random = np.random.default_rng(self.seed)
        steps = _SEQUENCE_STEPS if self.random.random() < 0.4 else _IMAGE_STEPS
        if steps is _IMAGE_STEPS:
            shape = [1, int(self.random.integers(1, 5)), 8, int(self.random.integers(5, 9))]
        else:
            shape = [int(self.random.integers(1, 3)), 8, 16]
        self.shapes["x"] = shape
        self.symbolic = self.random.random() < 0.3
        last = "x"
        length = int(self.random.integers(2, 9))
        while len(self.nodes) < length:
            step = steps[self.random.integers(len(steps))]
            last = step(self, last) or last
        self.outputs = [last]
        # A tensor inside, too, now and then.
        inner = [n.output[0] for n in self.nodes if n.output[0] != last]
        if inner and self.random.random() < 0.2:
            self.outputs.append(str(self.random.choice(inner)))

    def constant(self, values):
        """The name of a new constant."""
        name = f"c{len(self.constants)}"
        self.constants[name] = np.asarray(values)
        return name

    def weights(self, *shape):
        """Random numbers, smaller the more there are of them in a slice of the first axis."""
        size = int(np.prod(shape[1:])) if len(shape) > 1 else 1
        return self.constant(
            (self.random.standard_normal(shape) / np.sqrt(max(size, 1))).astype(np.float32)
        )

    def node(self, op_type, inputs, shape, **attributes):
        """The output of a new node."""
        name = f"t{len(self.nodes)}"
        self.nodes.append(
            helper.make_node(op_type, inputs, [name], f"n{len(self.nodes)}", **attributes)
        )
        self.shapes[name] = [int(d) for d in shape]
        return name

    def other(self, shape):
        """An earlier tensor of that shape; None where there is none."""
        names = [n for n in self.shapes if self.shapes[n] == list(shape)]
        return str(self.random.choice(names)) if names else None

    def choose(self, *values):
        """One of them."""
        return values[self.random.integers(len(values))]

    def model(self):
        """The ONNX model; with a symbolic first dimension for some."""

        def described(name):
            shape = list(self.shapes[name])
            if self.symbolic:
                shape[0] = "n" if name == "x" else None
            return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

        graph = helper.make_graph(
            self.nodes,
            f"random{self.seed}",
            [described("x")],
            [described(name) for name in self.outputs],
            [numpy_helper.from_array(v, n) for n, v in self.constants.items()],
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9)

    def samples(self, count=3):
        """Inputs."""
        return [
            {"x": self.random.standard_normal(self.shapes["x"]).astype(np.float32)}
            for _ in range(count)
        ]

    def settings(self):
        """A config, and other arguments of twofold.quantize, drawn at random."""
        config = {"model_config": {"all_node_type": self.choose(*PRECISIONS)}}
        if self.random.random() < 0.3:
            config["model_config"]["model_output_type"] = self.choose("int8", "int16")
        if self.random.random() < 0.5:
            config["model_config"]["activation"] = {"asymmetric": bool(self.random.random() < 0.5)}
        nodes = {}
        for node in self.nodes:
            if self.random.random() < 0.35:
                nodes[node.name] = {"qtype": self.choose(*QTYPES)}
            elif self.random.random() < 0.2:
                nodes[node.name] = {"output0": self.choose("int8", "int16")}
        if nodes:
            config["node_config"] = nodes
        arguments = {"target": self.choose(*TARGETS), "activation_format": self.choose(*FORMATS)}
        return config, arguments


def _conv(g, x):
    n, c, h, w = g.shapes[x]
    out, kernel = int(g.random.integers(1, 6)), g.choose(1, 3)
    if min(h, w) < kernel:
        return None
    group = c if g.random.random() < 0.25 else 1
    out = c if group > 1 else out
    inputs = [x, g.weights(out, c // group, kernel, kernel)]
    if g.random.random() < 0.6:
        inputs.append(g.weights(out))
    stride = g.choose(1, 1, 2)
    pad = kernel // 2
    size = [(d + 2 * pad - kernel) // stride + 1 for d in (h, w)]
    return g.node(
        "Conv", inputs, [n, out, *size], pads=[pad] * 4, strides=[stride] * 2, group=group
    )


def _conv_transpose(g, x):
    n, c, h, w = g.shapes[x]
    out = int(g.random.integers(1, 4))
    if h * w > 100:
        return None
    inputs = [x, g.weights(c, out, 2, 2)]
    if g.random.random() < 0.5:
        inputs.append(g.weights(out))
    return g.node("ConvTranspose", inputs, [n, out, 2 * h, 2 * w], strides=[2, 2])


def _activation(g, x):
    op = g.choose(
        "Relu", "Sigmoid", "Tanh", "HardSwish", "LeakyRelu", "Clip", "Gelu", "Elu", "Abs", "Neg"
    )
    inputs = [x]
    if op == "Clip":
        inputs += [g.constant(np.float32(g.choose(-1, 0))), g.constant(np.float32(1.5))]
    return g.node(op, inputs, g.shapes[x])


def _binary(g, x):
    op = g.choose("Add", "Mul", "Sub", "Max")
    other = g.other(g.shapes[x])
    if other is None or other == x or g.random.random() < 0.4:
        shape = [d if i == len(g.shapes[x]) - 1 else 1 for i, d in enumerate(g.shapes[x])]
        if len(g.shapes[x]) == 4:
            shape = [1, g.shapes[x][1], 1, 1]
        elif g.random.random() < 0.5:
            shape = shape[-1:]
        other = g.weights(*shape)
    pair = [x, other] if g.random.random() < 0.7 else [other, x]
    return g.node(op, pair, g.shapes[x])


def _pool(g, x):
    n, c, h, w = g.shapes[x]
    if min(h, w) < 2:
        return None
    return g.node(
        g.choose("MaxPool", "AveragePool"),
        [x],
        [n, c, h // 2, w // 2],
        kernel_shape=[2, 2],
        strides=[2, 2],
    )


def _global_pool(g, x):
    n, c = g.shapes[x][:2]
    return g.node(g.choose("GlobalAveragePool", "GlobalMaxPool"), [x], [n, c, 1, 1])


def _concat(g, x):
    axis = 1
    others = [
        y
        for y in g.shapes
        if len(g.shapes[y]) == len(g.shapes[x])
        and all(
            a == b
            for i, (a, b) in enumerate(zip(g.shapes[x], g.shapes[y], strict=True))
            if i != axis
        )
    ]
    parts = [x, str(g.random.choice(others))]
    shape = list(g.shapes[x])
    shape[axis] = sum(g.shapes[p][axis] for p in parts)
    return g.node("Concat", parts, shape, axis=axis)


def _reshape(g, x):
    """To another rank, and back."""
    shape = g.shapes[x]
    if len(shape) == 4:
        given, real = [shape[0], -1, shape[3]], [shape[0], shape[1] * shape[2], shape[3]]
    elif shape[-1] % 2 == 0:
        given = real = [*shape[:-1], shape[-1] // 2, 2]
    else:
        return None
    return _back(g, g.node("Reshape", [x, g.constant(np.array(given, np.int64))], real), shape)


def _back(g, y, shape):
    """Sometimes an operator on the other rank, then the old rank again."""
    if g.random.random() < 0.4:
        y = _activation(g, y)
    return g.node("Reshape", [y, g.constant(np.array(shape, np.int64))], shape)


def _transpose(g, x):
    rank = len(g.shapes[x])
    perm = [0, *(1 + g.random.permutation(rank - 1))]
    return g.node("Transpose", [x], [g.shapes[x][p] for p in perm], perm=[int(p) for p in perm])


def _slice(g, x):
    shape = list(g.shapes[x])
    axis = int(g.random.integers(1, len(shape)))
    if shape[axis] < 2:
        return None
    shape[axis] -= 1
    ends = [np.array([v], np.int64) for v in (1, 2**31 - 1, axis)]
    return g.node("Slice", [x, *(g.constant(v) for v in ends)], shape)


def _pad(g, x):
    shape = list(g.shapes[x])
    rank = len(shape)
    mode = g.choose("constant", "edge", "reflect")
    if shape[-1] < 2:
        return None
    pads = [0] * (rank - 1) + [1] + [0] * rank
    shape[-1] += 1
    return g.node("Pad", [x, g.constant(np.array(pads, np.int64))], shape, mode=mode)


def _resize(g, x):
    n, c, h, w = g.shapes[x]
    if h * w > 100:
        return None
    scales = g.constant(np.array([1, 1, 2, 2], np.float32))
    return g.node(
        "Resize", [x, "", scales], [n, c, 2 * h, 2 * w], mode=g.choose("nearest", "linear")
    )


def _mean(g, x):
    shape = list(g.shapes[x])
    shape[-1] = 1
    return g.node("ReduceMean", [x, g.constant(np.array([-1], np.int64))], shape, keepdims=1)


def _softmax(g, x):
    return g.node("Softmax", [x], g.shapes[x], axis=-1)


def _layer_norm(g, x):
    width = g.shapes[x][-1]
    return g.node(
        "LayerNormalization", [x, g.weights(width), g.weights(width)], g.shapes[x], axis=-1
    )


def _linear(g, x):
    shape = list(g.shapes[x])
    out = int(g.choose(4, 8, 16))
    batch = g.choose((), (), (1,), (shape[0],)) if len(shape) == 3 else ()
    y = g.node("MatMul", [x, g.weights(*batch, shape[-1], out)], [*shape[:-1], out])
    if g.random.random() < 0.6:
        bias = g.weights(out)
        y = g.node("Add", [y, bias] if g.random.random() < 0.7 else [bias, y], [*shape[:-1], out])
    return y


def _gemm(g, x):
    shape = g.shapes[x]
    width = int(np.prod(shape[1:]))
    flat = g.node("Flatten", [x], [shape[0], width])
    out = 16
    transposed = int(g.random.integers(2))
    weights = g.weights(out, width) if transposed else g.weights(width, out)
    y = g.node("Gemm", [flat, weights, g.weights(out)], [shape[0], out], transB=transposed)
    shape = [shape[0], 1, out] if len(shape) == 3 else [shape[0], 1, 4, 4]
    return _back(g, y, shape)


def _attention(g, x):
    b, t, width = g.shapes[x]
    turned = g.node("Transpose", [x], [b, width, t], perm=[0, 2, 1])
    scores = g.node("MatMul", [x, turned], [b, t, t])
    if g.random.random() < 0.5:
        scores = g.node("Softmax", [scores], [b, t, t], axis=-1)
    return g.node("MatMul", [scores, x], [b, t, width])


def _squeeze(g, x):
    shape = [*g.shapes[x], 1]
    axis = g.constant(np.array([-1], np.int64))
    y = g.node("Unsqueeze", [x, axis], shape)
    if g.random.random() < 0.5:
        y = _activation(g, y)
    return g.node("Squeeze", [y, axis], g.shapes[x])


_BOTH = [
    _activation,
    _activation,
    _binary,
    _binary,
    _concat,
    _reshape,
    _transpose,
    _slice,
    _pad,
    _mean,
    _softmax,
    _layer_norm,
    _gemm,
    _squeeze,
]
_IMAGE_STEPS = [
    *_BOTH,
    _conv,
    _conv,
    _conv,
    _conv,
    _conv_transpose,
    _pool,
    _pool,
    _global_pool,
    _resize,
]
_SEQUENCE_STEPS = [*_BOTH, _linear, _linear, _linear, _linear, _attention]
