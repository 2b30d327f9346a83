"""Gradients of functions of the numbers at one place, against PyTorch: kinks, ties, shapes."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812 as everybody calls it
from gradient_case import check_node, floats, inside, ints, normal, positive

# Values at which pieces of activations meet, and zeros of both signs.
KINKS = floats(-3, -1.75, -1, -0.5, -0.0, 0, 0.5, 1, 1.75, 3, 2.5, -2.5)

FUNCTIONS = {
    "Abs": (torch.abs, KINKS),
    "Acos": (torch.acos, inside(3, 5)),
    "Acosh": (torch.acosh, positive(3, 5) + 1),
    "Asin": (torch.asin, inside(3, 5)),
    "Asinh": (torch.asinh, normal(3, 5)),
    "Atan": (torch.atan, normal(3, 5)),
    "Atanh": (torch.atanh, inside(3, 5)),
    "Ceil": (torch.ceil, normal(3, 5)),
    "Cos": (torch.cos, normal(3, 5)),
    "Cosh": (torch.cosh, normal(3, 5)),
    "Elu": (F.elu, KINKS),
    "Erf": (torch.erf, normal(3, 5)),
    "Exp": (torch.exp, normal(3, 5)),
    "Floor": (torch.floor, normal(3, 5)),
    "Gelu": (F.gelu, KINKS),
    "HardSwish": (F.hardswish, KINKS),
    "Identity": (torch.clone, normal(3, 5)),
    "Log": (torch.log, positive(3, 5)),
    "Mish": (F.mish, KINKS),
    "Neg": (torch.neg, normal(3, 5)),
    "Reciprocal": (torch.reciprocal, positive(3, 5)),
    "Relu": (F.relu, KINKS),
    "Round": (torch.round, normal(3, 5)),
    "Selu": (F.selu, KINKS),
    "Sigmoid": (torch.sigmoid, normal(3, 5)),
    "Sign": (torch.sign, normal(3, 5)),
    "Sin": (torch.sin, normal(3, 5)),
    "Sinh": (torch.sinh, normal(3, 5)),
    "Softplus": (F.softplus, normal(3, 5)),
    "Softsign": (F.softsign, KINKS),
    "Sqrt": (torch.sqrt, positive(3, 5)),
    "Tan": (torch.tan, inside(3, 5)),
    "Tanh": (torch.tanh, normal(3, 5)),
}


@pytest.mark.parametrize("op", FUNCTIONS)
def test_function(tmp_path, op):
    function, x = FUNCTIONS[op]
    check_node(tmp_path, op, [x], lambda x: function(x))


ACTIVATIONS = {
    "Celu": ({"alpha": 0.7}, lambda x: F.celu(x, 0.7)),
    "Elu": ({"alpha": 1.3}, lambda x: F.elu(x, 1.3)),
    "Gelu": ({"approximate": "tanh"}, lambda x: F.gelu(x, approximate="tanh")),
    "HardSigmoid": ({"alpha": 1 / 6, "beta": 0.5}, F.hardsigmoid),
    "LeakyRelu": ({"alpha": 0.2}, lambda x: F.leaky_relu(x, 0.2)),
    "Shrink": ({"lambd": 0.5}, lambda x: F.hardshrink(x, 0.5)),
    "ThresholdedRelu": ({"alpha": 0.5}, lambda x: F.threshold(x, 0.5, 0)),
}


@pytest.mark.parametrize("op", ACTIVATIONS)
def test_activation(tmp_path, op):
    attributes, function = ACTIVATIONS[op]
    check_node(tmp_path, op, [KINKS], function, attributes)


def test_soft_shrink(tmp_path):
    attributes = {"lambd": 0.5, "bias": 0.5}
    check_node(tmp_path, "Shrink", [KINKS], lambda x: F.softshrink(x, 0.5), attributes)


def test_swish(tmp_path):
    check_node(
        tmp_path, "Swish", [KINKS], lambda x: x * torch.sigmoid(1.7 * x), {"alpha": 1.7}, opset=24
    )


@pytest.mark.parametrize("bounds", [(-1, 1), (None, 0.5), (-0.5, None)])
def test_clip(tmp_path, bounds):
    arrays = [None if b is None else np.array(b, np.float32) for b in bounds]
    check_node(
        tmp_path,
        "Clip",
        [KINKS, *arrays],
        lambda x, *_: torch.clamp(x, *bounds),
        constants=(1, 2),
    )


def test_bounds_of_clip(tmp_path):
    low, high = np.array(-0.7, np.float32), np.array(0.9, np.float32)
    check_node(tmp_path, "Clip", [normal(40), low, high], lambda x, a, b: torch.clamp(x, a, b))


BROADCASTS = [
    ((2, 3, 4), (2, 3, 4)),
    ((2, 3, 4), (3, 1)),
    ((1, 4), (5, 2, 3, 1)),
    ((), (3, 2)),
    ((3, 2), ()),
    ((1, 1, 1), (1, 3)),
]
BINARY = {
    "Add": torch.add,
    "Sub": torch.sub,
    "Mul": torch.mul,
    "Div": torch.div,
    "Max": torch.maximum,
    "Min": torch.minimum,
    "Sum": torch.add,
    "Mean": lambda a, b: (a + b) / 2,
    "Pow": torch.pow,
}


@pytest.mark.parametrize("shapes", BROADCASTS)
@pytest.mark.parametrize("op", BINARY)
def test_binary(tmp_path, op, shapes):
    make = positive if op in ("Div", "Pow") else normal
    check_node(tmp_path, op, [make(*shapes[0]), make(*shapes[1])], lambda a, b: BINARY[op](a, b))


def test_mod(tmp_path):
    check_node(tmp_path, "Mod", [normal(4, 5) * 3, positive(5)], torch.fmod, {"fmod": 1})


@pytest.mark.parametrize("op", ["Max", "Min"])
def test_equal_extremes_share(tmp_path, op):
    function = torch.maximum if op == "Max" else torch.minimum
    check_node(tmp_path, op, [floats(1, 2, 3, 4), floats(1, 3, 2, 4)], lambda a, b: function(a, b))


@pytest.mark.parametrize("op", ["Max", "Min", "Sum", "Mean"])
def test_three_inputs(tmp_path, op):
    function = {"Max": torch.amax, "Min": torch.amin, "Sum": torch.sum, "Mean": torch.mean}[op]

    def reference(*inputs):
        return function(torch.stack(torch.broadcast_tensors(*inputs)), dim=0)

    check_node(tmp_path, op, [normal(2, 3), normal(3), normal(2, 1)], reference)


@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0, 3.0, -1.0, 0.5])
def test_constant_power(tmp_path, exponent):
    base = positive(6) if exponent in (0.5, -1.0) else floats(-2, -1, 0, 0.5, 2, 3)
    exponents = np.array(exponent, np.float32)
    check_node(tmp_path, "Pow", [base, exponents], torch.pow, constants=(1,))


def test_integer_power(tmp_path):
    check_node(tmp_path, "Pow", [normal(6), ints(2)], torch.pow, constants=(1,))


def test_power_of_zero(tmp_path):
    check_node(tmp_path, "Pow", [floats(0, 0, 2), floats(0, 2, 3)], torch.pow)


def test_prelu(tmp_path):
    def reference(x, slope):
        return torch.where(x > 0, x, slope * x)

    check_node(tmp_path, "PRelu", [normal(2, 3, 4), positive(3, 1)], reference)


@pytest.mark.parametrize("shapes", [((2, 3), (2, 3)), ((3,), (2, 1))])
def test_where(tmp_path, shapes):
    condition = np.array([[True, False, True], [False, False, True]])
    arrays = [normal(*s) for s in shapes]
    check_node(tmp_path, "Where", [condition, *arrays], torch.where)
