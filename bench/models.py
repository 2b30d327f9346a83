"""Networks with the shapes of well-known ones and seeded random weights: their speed is that of the real ones."""

from functools import partial

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Builder:
    """Grows an ONNX graph node by node; every method returns the name of its output."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)
        self.nodes = []
        self.initializers = []

    def constant(self, array):
        name = f"c{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def weights(self, *shape, fan_in):
        return self.constant((self.random.standard_normal(shape) * np.sqrt(2 / fan_in)).astype(np.float32))

    def node(self, op_type, *inputs, **attributes):
        name = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(op_type, inputs, [name], name=f"{op_type}_{len(self.nodes)}", **attributes))
        return name

    def conv(self, x, c_in, c_out, kernel, stride=1, group=1, gain=1.0):
        fan_in = c_in // group * kernel * kernel / gain
        w = self.weights(c_out, c_in // group, kernel, kernel, fan_in=fan_in)
        b = self.constant(self.random.standard_normal(c_out).astype(np.float32) * 0.1)
        pads = [kernel // 2] * 4
        return self.node("Conv", x, w, b, strides=[stride] * 2, pads=pads, kernel_shape=[kernel] * 2, group=group)

    def linear(self, x, c_in, c_out):
        w = self.weights(c_in, c_out, fan_in=2 * c_in)
        b = self.constant(self.random.standard_normal(c_out).astype(np.float32) * 0.1)
        return self.node("Add", self.node("MatMul", x, w), b)

    def model(self, name, x_shape, y, y_shape):
        graph = helper.make_graph(
            self.nodes,
            name,
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, x_shape)],
            [helper.make_tensor_value_info(y, TensorProto.FLOAT, y_shape)],
            self.initializers,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
        model.ir_version = 8
        onnx.checker.check_model(model)
        return model


def resnet50(seed=0):
    """ResNet-50 for 224 x 224 images, batch normalization folded (He et al. 2015)."""
    g = Builder(seed)
    y = g.node("Relu", g.conv("x", 3, 64, 7, 2))
    y = g.node("MaxPool", y, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    channels = 64
    for stage, (width, blocks) in enumerate([(64, 3), (128, 4), (256, 6), (512, 3)]):
        for block in range(blocks):
            stride = 2 if stage > 0 and block == 0 else 1
            shortcut = g.conv(y, channels, 4 * width, 1, stride) if block == 0 else y
            z = g.node("Relu", g.conv(y, channels, width, 1))
            z = g.node("Relu", g.conv(z, width, width, 3, stride))
            z = g.conv(z, width, 4 * width, 1, gain=0.1)
            y = g.node("Relu", g.node("Add", z, shortcut))
            channels = 4 * width
    y = g.node("Flatten", g.node("GlobalAveragePool", y))
    w = g.weights(1000, channels, fan_in=2 * channels)
    y = g.node("Gemm", y, w, g.constant(np.zeros(1000, np.float32)), transB=1)
    return g.model("resnet50-shaped", [1, 3, 224, 224], y, [1, 1000])


def mobilenet_v2(seed=0):
    """MobileNetV2 for 224 x 224 images, batch normalization folded (Sandler et al. 2018)."""
    g = Builder(seed)
    low, high = g.constant(np.float32(0)), g.constant(np.float32(6))

    def relu6(x):
        return g.node("Clip", x, low, high)

    y = relu6(g.conv("x", 3, 32, 3, 2))
    channels = 32
    blocks = [(1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1)]
    for expansion, width, count, first_stride in blocks:
        for i in range(count):
            stride = first_stride if i == 0 else 1
            hidden = channels * expansion
            z = relu6(g.conv(y, channels, hidden, 1)) if expansion > 1 else y
            z = relu6(g.conv(z, hidden, hidden, 3, stride, group=hidden))
            z = g.conv(z, hidden, width, 1)
            y = g.node("Add", y, z) if stride == 1 and channels == width else z
            channels = width
    y = relu6(g.conv(y, channels, 1280, 1))
    y = g.node("Flatten", g.node("GlobalAveragePool", y))
    w = g.weights(1000, 1280, fan_in=2 * 1280)
    y = g.node("Gemm", y, w, g.constant(np.zeros(1000, np.float32)), transB=1)
    return g.model("mobilenetv2-shaped", [1, 3, 224, 224], y, [1, 1000])


def bert_base(seed=0, layers=12, tokens=128, width=768, heads=12):
    """The encoder of BERT-base on embedded tokens (Devlin et al. 2018), as PyTorch exports it."""
    g = Builder(seed)
    split = g.constant(np.array([0, 0, heads, width // heads], np.int64))
    joined = g.constant(np.array([0, 0, width], np.int64))

    def norm(x):
        scale, bias = g.constant(np.ones(width, np.float32)), g.constant(np.zeros(width, np.float32))
        return g.node("LayerNormalization", x, scale, bias, axis=-1, epsilon=1e-12)

    def heads_of(x, perm):
        return g.node("Transpose", g.node("Reshape", g.linear(x, width, width), split), perm=perm)

    def gelu(x):
        half = g.node("Div", x, g.constant(np.float32(np.sqrt(2))))
        one = g.node("Add", g.node("Erf", half), g.constant(np.float32(1)))
        return g.node("Mul", g.node("Mul", x, one), g.constant(np.float32(0.5)))

    y = "x"
    for _ in range(layers):
        q, v = heads_of(y, [0, 2, 1, 3]), heads_of(y, [0, 2, 1, 3])
        k = heads_of(y, [0, 2, 3, 1])
        scores = g.node("Div", g.node("MatMul", q, k), g.constant(np.float32(np.sqrt(width // heads))))
        mixed = g.node("MatMul", g.node("Softmax", scores, axis=-1), v)
        mixed = g.node("Reshape", g.node("Transpose", mixed, perm=[0, 2, 1, 3]), joined)
        y = norm(g.node("Add", g.linear(mixed, width, width), y))
        y = norm(g.node("Add", g.linear(gelu(g.linear(y, width, 4 * width)), 4 * width, width), y))
    return g.model("bert-base-shaped", [1, tokens, width], y, [1, tokens, width])


def matmuls(size, count=4):
    """`count` products of [size,size] one behind the other, each with a Relu, so that what is between is quantized."""
    g = Builder(size)
    y = "x"
    for _ in range(count):
        y = g.node("Relu", g.node("MatMul", y, g.weights(size, size, fan_in=size)))
    return g.model(f"matmul-{size}", [size, size], y, [size, size])


def chain(operators, channels=16, size=24, seed=0):
    """`operators` operators one behind the other: Conv 3x3 and Relu in turns, then a mean and a Gemm."""
    g = Builder(seed)
    y = "x"
    for i in range(operators - 3):
        y = g.conv(y, channels, channels, 3) if i % 2 == 0 else g.node("Relu", y)
    return _with_classes(g, f"chain-{operators}", y, channels, size)


def branchy(operators, channels=32, size=16, seed=0):
    """Blocks of 16 operators, at most `operators` in all: four branches as Inception's (Szegedy et al. 2014), which a
    Concat joins, with a residual Add around them; then a mean and a Gemm."""
    g = Builder(seed)
    width = channels // 4

    def conv(x, c_in, kernel):
        return g.node("Relu", g.conv(x, c_in, width, kernel))

    y = "x"
    for _ in range((operators - 3) // 16):
        branches = [
            conv(y, channels, 1),
            conv(conv(y, channels, 1), width, 3),
            conv(conv(conv(y, channels, 1), width, 3), width, 3),
            g.node("MaxPool", y, kernel_shape=[3, 3], pads=[1] * 4),
        ]
        branches[3] = g.conv(branches[3], channels, width, 1, gain=0.1)
        y = g.node("Add", y, g.node("Concat", *branches, axis=1))
    return _with_classes(g, f"branchy-{operators}", y, channels, size)


def _with_classes(g, name, y, channels, size):
    y = g.node("Flatten", g.node("GlobalAveragePool", y))
    y = g.node("Gemm", y, g.weights(10, channels, fan_in=channels), g.constant(np.zeros(10, np.float32)), transB=1)
    return g.model(name, [1, channels, size, size], y, [1, 10])


SHAPED = {"resnet50-shaped": resnet50, "mobilenetv2-shaped": mobilenet_v2, "bert-base-shaped": bert_base}
# Not networks, but what they are made of.
MATMULS = {f"matmul-{size}": partial(matmuls, size) for size in (512, 1024)}
