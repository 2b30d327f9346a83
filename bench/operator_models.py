"""Operators and blocks of well-known networks alone, with seeded random weights."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from models import Builder


@dataclass(frozen=True)
class OperatorModel:
    """A model from "x" to an activation that a product of one channel reads, so that quantizers give it integers."""

    title: str
    x: tuple[int, ...]
    y: tuple[int, ...]
    grow: Callable[[Builder], str]

    def model(self):
        """The ONNX model."""
        g = Builder(0)
        y, channels = self.grow(g), self.y[1]
        if len(self.y) == 4:
            y = g.conv(y, channels, 1, 1)
        else:
            y = g.node("Gemm", y, g.weights(1, channels, fan_in=channels), transB=1)
        return g.model("operators", self.x, y, (self.y[0], 1, *self.y[2:]))


def conv_relu(g, x, c_in, c_out, kernel, group=1):
    """A Conv, and the Relu that most have behind them."""
    return g.node("Relu", g.conv(x, c_in, c_out, kernel, group=group))


def conv_model(title, size, c_in, c_out, kernel, group=1):
    """One Conv of [1, c_in, size, size]."""
    return OperatorModel(
        title,
        (1, c_in, size, size),
        (1, c_out, size, size),
        lambda g: conv_relu(g, "x", c_in, c_out, kernel, group),
    )


def gemm_model(title, rows, c_in, c_out):
    """One Gemm of [rows, c_in]."""

    def grow(g):
        bias = g.constant(g.random.standard_normal(c_out).astype(np.float32))
        return g.node("Gemm", "x", g.weights(c_out, c_in, fan_in=c_in), bias, transB=1)

    return OperatorModel(title, (rows, c_in), (rows, c_out), grow)


def chain_model(title, size, channels, grow):
    """What `grow` makes of a Builder and [1, channels, size, size], which keeps the shape, four times in a row."""

    def grow_four(g):
        y = "x"
        for _ in range(4):
            y = grow(g, y)
        return y

    shape = (1, channels, size, size)
    return OperatorModel(title, shape, shape, grow_four)


def to_and_back(g, x, narrow, wide):
    """Two 1x1 Convs."""
    return conv_relu(g, conv_relu(g, x, narrow, wide, 1), wide, narrow, 1)


def bottleneck(g, x):
    """One of ResNet-50's blocks."""
    y = conv_relu(g, conv_relu(g, x, 1024, 256, 1), 256, 256, 3)
    return g.node("Relu", g.node("Add", g.conv(y, 256, 1024, 1, gain=0.1), x))


def inverted_residual(g, x):
    """One of MobileNetV2's blocks, with Relu for Clip."""
    y = conv_relu(g, conv_relu(g, x, 24, 144, 1), 144, 144, 3, group=144)
    return g.node("Add", g.conv(y, 144, 24, 1), x)


OPERATORS = {
    "conv3x3": conv_model("Conv 3x3, 14 x 14 x 256 to 256", 14, 256, 256, 3),
    "conv1x1-wide": conv_model("Conv 1x1, 56 x 56 x 64 to 256", 56, 64, 256, 1),
    "conv1x1-deep": conv_model("Conv 1x1, 14 x 14 x 256 to 1024", 14, 256, 1024, 1),
    "depthwise": conv_model("Conv 3x3 depthwise, 56 x 56 x 144", 56, 144, 144, 3, group=144),
    "grouped": conv_model("Conv 3x3 in 4 groups, 14 x 14 x 256 to 256", 14, 256, 256, 3, group=4),
    "gemm1": gemm_model("Gemm, 1 x 512 to 512", 1, 512, 512),
    "gemm128": gemm_model("Gemm, 128 x 768 to 3072", 128, 768, 3072),
}
CHAINS = {
    "conv1x1-wide-chain": chain_model(
        "4 times Conv 1x1, 56 x 56 x 64 to 256 and back", 56, 64, lambda g, x: to_and_back(g, x, 64, 256)
    ),
    "conv1x1-deep-chain": chain_model(
        "4 times Conv 1x1, 14 x 14 x 256 to 1024 and back", 14, 256, lambda g, x: to_and_back(g, x, 256, 1024)
    ),
    "bottleneck-chain": chain_model("4 blocks of ResNet-50, 14 x 14 x 1024", 14, 1024, bottleneck),
    "inverted-residual-chain": chain_model("4 blocks of MobileNetV2, 56 x 56 x 24", 56, 24, inverted_residual),
}
