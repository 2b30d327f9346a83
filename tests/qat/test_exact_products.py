"""VALIDATION on a device that is not the CPU: the engine's bits, without the engine.

The same code runs on tensors of the CPU here; on a GPU, where there is one.
"""

import itertools

import pytest
import qat_networks as networks
import torch
import torch.nn.functional as F  # noqa: N812
from ops_cases import same_bits
from torch import nn
from twofold.dtype import ec, qint4, qint8, qint16
from twofold.nn._operator import INPUTS
from twofold.qtensor import plain
from twofold.quantization import (
    FakeQuantize,
    FakeQuantState,
    QConfig,
    _exact_products,
    _validation,
    prepare,
    set_fake_quantize,
)
from twofold.quantization._ops.op import Bound
from twofold.quantization.observer_v2 import MinMaxObserver
from twofold.quantization.qconfig_template import ModuleNameQconfigSetter

DEVICES = ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


def rounder(dtype, **options):
    return FakeQuantize.with_args(observer=MinMaxObserver, dtype=dtype, **options)


def qconfig(activation, weight, output=None):
    weight = rounder(weight, qscheme=torch.per_channel_symmetric, ch_axis=0, averaging_constant=1.0)
    return QConfig(input=rounder(activation), weight=weight, output=rounder(output or activation))


PRECISIONS = {
    "int8": qconfig(qint8, qint8),
    "int8 to int16": qconfig(qint8, qint8, qint16),
    "int4 weights": qconfig(qint8, qint4),
    "int16 x int8": qconfig(qint16, qint8),
    "int8 x int16": qconfig(qint8, qint16),
    "dual int16": qconfig(qint16, qint16),
    "ec weights": qconfig(qint8, ec),
    "ec activations": qconfig(ec, qint8, qint8),
    "ec": qconfig(ec, ec, qint16),
}


def calibrated(network, precision, *inputs):
    """Prepared, calibrated on the inputs, in VALIDATION."""
    model = prepare(network.eval(), inputs, ModuleNameQconfigSetter({"": PRECISIONS[precision]}))
    if PRECISIONS[precision].input.keywords["dtype"] == ec:
        give_inputs_two_digits(model)
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    model(*inputs)
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    return model


def give_inputs_two_digits(model):
    """Targets that have 16-bit activations grant these instead. Convolutions do not take them."""
    for module in model.modules():
        if getattr(module, "op_name", "conv").startswith("conv"):
            continue
        for position, quantizer in getattr(module, INPUTS, {}).items():
            digits = rounder(ec)()
            digits.name = quantizer.name
            getattr(module, INPUTS)[position] = digits


def quantizers(model):
    return [module for module in model.modules() if isinstance(module, FakeQuantize)]


class EngineAskedError(AssertionError):
    """The engine was asked for what torch should compute."""


def without_engine(model, device, monkeypatch, *inputs, allowed=()):
    """What the model gives on a device where only operators of these names ask the engine."""
    engine_of = _validation._engine_of

    def refuse(operator, bound):
        if operator.op_name not in allowed:
            raise EngineAskedError(operator.op_name)
        return engine_of(operator, bound)

    with monkeypatch.context() as patch:
        patch.setattr(_validation, "_COMPUTE_THEMSELVES", {device})
        patch.setattr(_validation, "_engine_of", refuse)
        result = plain(model.to(device)(*(x.to(device) for x in inputs)))
    model.to("cpu")
    return result.cpu()


def check(model, device, monkeypatch, *inputs, allowed=()):
    """The engine's bits."""
    expected = plain(model(*inputs))
    found = without_engine(model, device, monkeypatch, *inputs, allowed=allowed)
    assert same_bits(found, expected)
    return expected


class Product(nn.Module):
    """A function of two inputs."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, a, b):
        return self.function(a, b)


MODULES = {
    "conv1d": (nn.Conv1d(4, 6, 4, stride=2, padding=3), (2, 4, 11)),
    "conv2d": (
        nn.Conv2d(3, 5, (3, 1), stride=(2, 1), padding=(0, 2), dilation=(1, 3)),
        (3, 3, 9, 7),
    ),
    "groups": (nn.Conv2d(4, 6, 3, groups=2, padding=1, bias=False), (1, 4, 5, 6)),
    "depthwise": (nn.Conv2d(4, 8, 3, groups=4, padding=1, stride=2), (2, 4, 5, 6)),
    "same": (nn.Conv2d(3, 4, (4, 2), padding="same", dilation=(1, 2)), (2, 3, 6, 7)),
    "reflect": (nn.Conv2d(3, 4, 3, padding=(1, 2), padding_mode="reflect"), (2, 3, 6, 7)),
    "circular": (nn.Conv1d(3, 4, 5, padding=2, padding_mode="circular"), (2, 3, 8)),
    "conv3d": (nn.Conv3d(2, 3, (2, 3, 1), padding=(1, 0, 1), stride=(1, 2, 1)), (2, 2, 4, 7, 3)),
    "no batch": (nn.Conv2d(3, 5, 3, padding=1), (3, 6, 7)),
    "transposed 1d": (
        nn.ConvTranspose1d(4, 6, 4, stride=3, padding=1, output_padding=2),
        (2, 4, 7),
    ),
    "transposed": (nn.ConvTranspose2d(3, 5, (3, 2), stride=(2, 1), padding=(1, 0)), (2, 3, 4, 5)),
    "transposed groups": (
        nn.ConvTranspose2d(4, 6, 3, groups=2, dilation=2, padding=1),
        (2, 4, 4, 5),
    ),
    "transposed 3d": (
        nn.ConvTranspose3d(2, 3, 2, stride=(1, 2, 2), output_padding=(0, 1, 0), bias=False),
        (1, 2, 3, 3, 2),
    ),
    "linear": (nn.Linear(33, 7), (5, 33)),
    "linear of tokens": (nn.Linear(16, 9), (2, 3, 16)),
    "linear of a vector": (nn.Linear(16, 9, bias=False), (16,)),
    "conv and relu": (nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU()), (2, 3, 6, 7)),
    "conv and relu6": (nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU6()), (2, 3, 6, 7)),
    "linear and clamp": (nn.Sequential(nn.Linear(16, 9), nn.Hardtanh(-0.3, 0.7)), (4, 16)),
    "tokens and relu": (nn.Sequential(nn.Linear(16, 9), nn.ReLU()), (2, 3, 16)),
    "tokens and clamp": (nn.Sequential(nn.Linear(16, 9), nn.Hardtanh(-0.3, 0.7)), (2, 3, 16)),
    "no batch and relu": (nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU()), (3, 6, 7)),
}
PRODUCTS = {
    "matmul": (torch.matmul, (2, 4, 5, 6), (4, 6, 3)),
    "of a vector": (torch.matmul, (3, 5, 6), (6,)),
    "by a vector": (torch.matmul, (6,), (6, 5)),
    "mm": (torch.mm, (5, 6), (6, 7)),
    "bmm": (torch.bmm, (3, 5, 6), (3, 6, 7)),
    "mv": (torch.mv, (5, 6), (6,)),
    "einsum": (lambda a, b: torch.einsum("bqhd,bkhd->bhqk", a, b), (2, 5, 3, 4), (2, 6, 3, 4)),
    "product and relu": (lambda a, b: torch.relu(torch.matmul(a, b)), (5, 6), (6, 7)),
}


def made(case):
    """A network of its own, and inputs of it."""
    torch.manual_seed(0)
    if case in PRODUCTS:
        function, *shapes = PRODUCTS[case]
        return Product(function), [torch.randn(shape) for shape in shapes]
    module, shape = MODULES[case]
    for part in module.modules():
        if hasattr(part, "reset_parameters"):
            part.reset_parameters()
    return module, [torch.randn(shape)]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("precision", ["int8", "dual int16", "ec"])
@pytest.mark.parametrize("case", [*MODULES, *PRODUCTS])
def test_products_as_calibrated(case, precision, device, monkeypatch):
    network, inputs = made(case)
    model = calibrated(network, precision, *inputs)
    y = check(model, device, monkeypatch, *inputs)
    assert len(y.unique()) > 3


@pytest.mark.parametrize("shape", [(300, 512), (3, 100, 512)])
def test_sums_that_float32_does_not_hold(shape, monkeypatch):
    """Of tokens the file has a Reshape in front of Relu, where numbers are float32; else not."""
    torch.manual_seed(0)
    x = torch.randn(shape)
    network = nn.Sequential(nn.Linear(512, 64), nn.ReLU())
    check(calibrated(network, "dual int16", x), "cpu", monkeypatch, x)


def set_output(model, scale, zero_point=0):
    for quantizer in quantizers(model):
        if quantizer.name.endswith("activation_post_process"):
            quantizer.set_qparams(scale, zero_point)


def set_scales(model, activation, weight, output, zero_point=0):
    """Of a model that is one product: all its scales, and zero points of activations."""
    for quantizer in quantizers(model):
        zero = 0 if quantizer.dtype == ec else zero_point
        if quantizer.name.endswith("weight_fake_quant"):
            quantizer.set_qparams(torch.full_like(quantizer.scale, weight))
        else:
            quantizer.set_qparams(activation, zero)
    set_output(model, output, -zero_point)


# What one step of the sums is of one of the output: half, so that every other one is a tie; much,
# so that all but a few saturate; a number with no short binary form.
MULTIPLIERS = {"ties": 0.5, "saturating": 90.0, "fine": 1 / 300.1}


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("case", ["conv2d", "transposed groups", "tokens and clamp", "matmul"])
def test_ties_saturation_and_zero_points(case, precision, device, monkeypatch):
    network, inputs = made(case)
    model = calibrated(network, precision, *inputs)
    activation, weight = 2.0**-5, 2.0**-6
    second = activation if case in PRODUCTS else weight
    for multiplier, zero_point in itertools.product(MULTIPLIERS.values(), (0, 37)):
        output = activation * second / multiplier
        set_scales(model, activation, weight, output, zero_point)
        check(model, device, monkeypatch, *inputs)


def test_ties_go_to_even_and_ends_saturate(monkeypatch):
    """By hand: sums of 2 integers and a bias in steps of 1/8, rounded to steps of 1/4."""
    layer = nn.Linear(2, 1)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[0.25, 0.5]]))  # 1 and 2
        layer.bias.fill_(0.375)  # 3
    x = torch.tensor(
        [[0.0, 0.0], [0.5, 0.0], [-2.0, 0.0], [-3.0, 0.0], [40.0, 60.0], [-60.0, -60.0]]
    )
    model = calibrated(layer, "int8", x)
    set_scales(model, 0.5, 0.25, 0.25)
    # 3, 4, -1, -3, 80 + 240 + 3, -120 - 240 + 3 eighths: halves of them, to even, from -128 to 127.
    expected = torch.tensor([[2.0], [2.0], [0.0], [-2.0], [127.0], [-128.0]]) * 0.25
    assert same_bits(without_engine(model, "cpu", monkeypatch, x), expected)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("size", [1e-9, 3e3, 3e5])
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("case", ["transposed groups", "linear"])
def test_biases_are_rounded_as_in_the_file(case, precision, size, device, monkeypatch):
    """As int32, as int32 times 2^k, as two digits, or when the file is loaded."""
    network, inputs = made(case)
    with torch.no_grad():
        network.bias.copy_(torch.randn(network.bias.shape) * size)
    model = calibrated(network, precision, *inputs)
    # To see more of it than its first 16 bits.
    spread = network.bias.detach().abs().max().item()
    if spread > 1:
        set_output(model, spread / 2.0**15)
    check(model, device, monkeypatch, *inputs)


@pytest.mark.parametrize(
    "steps", [2.0**31 - 1, 2.0**31 - 0.5, 2.0**31, 2.0**32 - 1, 3.0 * 2**40 + 7]
)
def test_shifts_of_biases_at_the_ends_of_32_bits(steps, monkeypatch):
    layer, x = nn.Linear(4, 2), torch.randn(3, 4)
    model = calibrated(layer, "dual int16", x)
    with torch.no_grad():
        layer.bias.copy_(torch.tensor([steps, -steps]) * 2.0**-20)
    model.bias.data.copy_(layer.bias)
    set_scales(model, 2.0**-8, 2.0**-12, steps * 2.0**-34)
    check(model, "cpu", monkeypatch, x)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("case", ["conv and relu", "tokens and relu", "linear and clamp", "groups"])
def test_outputs_that_stay_float(case, precision, device, monkeypatch):
    network, inputs = made(case)
    known = PRECISIONS[precision]
    setter = ModuleNameQconfigSetter({"": QConfig(input=known.input, weight=known.weight)})
    model = prepare(network.eval(), inputs, setter)
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    model(*inputs)
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    assert all("post_process" not in quantizer.name for quantizer in quantizers(model))
    check(model, device, monkeypatch, *inputs)


NETWORKS = {
    "3 layers": (networks.Residual, 1, {"adaptive_avg_pool2d"}),
    "30 layers": (networks.Residual, 28, {"adaptive_avg_pool2d"}),
    "transformer": (networks.Transformer, 2, {"layer_norm", "softmax", "gelu", "mean"}),
}


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("precision", ["int8", "int16 x int8", "dual int16", "ec weights"])
@pytest.mark.parametrize("case", NETWORKS)
def test_every_operator_of_a_network(case, precision, device, monkeypatch):
    kind, depth, allowed = NETWORKS[case]
    network = networks.make(kind, depth)
    x = networks.inputs_of(network)
    model = calibrated(network, precision, x)
    results: list[torch.Tensor] = []

    def keep(module, args, result):
        if isinstance(result, torch.Tensor):
            results.append(plain(result).cpu())

    for module in model.modules():
        if hasattr(module, "op_name"):
            module.register_forward_hook(keep)
    check(model, device, monkeypatch, x, allowed=allowed)
    half = len(results) // 2
    assert half >= 3 * depth
    assert all(same_bits(a, b) for a, b in zip(results[:half], results[half:], strict=True))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_a_network_on_a_gpu():
    """As users have it: nothing is replaced, and the engine computes the rest."""
    network = networks.make(networks.Transformer, 2)
    x = networks.inputs_of(network)
    model = calibrated(network, "int8", x)
    expected = plain(model(x))
    assert same_bits(plain(model.to("cuda")(x.to("cuda"))).cpu(), expected)


@pytest.mark.parametrize("device", DEVICES)
def test_autocast_changes_no_bit(device, monkeypatch):
    network = networks.make(networks.Residual, 1)
    x = networks.inputs_of(network)
    model = calibrated(network, "int8", x)
    expected = plain(model(x))
    with torch.autocast(device, torch.bfloat16):
        found = without_engine(model, device, monkeypatch, x, allowed={"adaptive_avg_pool2d"})
    assert same_bits(found, expected)


def test_cudnn_is_off_inside_and_on_behind():
    """Whatever threads do in between."""
    known = torch.backends.cudnn.enabled
    with _exact_products._NO_CUDNN:
        with _exact_products._NO_CUDNN:
            assert not torch.backends.cudnn.enabled
        assert not torch.backends.cudnn.enabled
    assert torch.backends.cudnn.enabled == known


EXACT = {
    "add": torch.add,
    "sub": torch.sub,
    "one minus": lambda a, b: (1 - a) * b,
    "mul": torch.mul,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
    "where": lambda a, b: torch.where(a > 0.1, a, b),
    "masked_fill": lambda a, b: a.masked_fill(b > 0.5, -2.0),
    "abs and neg": lambda a, b: abs(-a) + b,
    "clamps": lambda a, b: F.relu(a) - F.relu6(b) + a.clamp(-0.5) - F.hardtanh(b),
}


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("zero_point", [0, 37])
@pytest.mark.parametrize("precision", ["int8", "int16 x int8"])
@pytest.mark.parametrize("case", EXACT)
def test_operators_that_are_one_operation_of_float32(
    case, precision, zero_point, device, monkeypatch
):
    torch.manual_seed(0)
    a, b = torch.randn(3, 5, 7), torch.randn(5, 7)
    network = Product(EXACT[case])
    model = calibrated(network, precision, a, b)
    for quantizer in quantizers(model):
        quantizer.set_qparams(quantizer.scale * 0.8, zero_point)
    check(model, device, monkeypatch, a, b, allowed={"gt"})


@pytest.mark.parametrize(
    "function",
    [
        lambda a, b: torch.add(a, b, alpha=2),  # may become one fused multiply-add
        torch.div,
        lambda a, b: torch.sigmoid(a + b),
        lambda a, b: torch.baddbmm(b, a, a),
    ],
)
def test_the_engine_computes_the_rest(function, monkeypatch):
    a, b = torch.randn(2, 5, 5), torch.randn(2, 5, 5)
    model = calibrated(Product(function), "int8", a, b)
    with pytest.raises(EngineAskedError):
        check(model, "cpu", monkeypatch, a, b)


def test_sums_that_could_be_inexact_are_the_engine_s(monkeypatch):
    x = torch.randn(1, 2**20 + 1)
    model = calibrated(nn.Linear(2**20 + 1, 1), "int8", x)
    with pytest.raises(EngineAskedError, match="linear"):
        without_engine(model, "cpu", monkeypatch, x)
    layer, x = nn.Linear(4, 2), torch.randn(3, 4)
    with torch.no_grad():
        layer.bias.fill_(1e12)
    model = calibrated(layer, "dual int16", x)
    with pytest.raises(EngineAskedError, match="linear"):
        without_engine(model, "cpu", monkeypatch, x)


def test_results_are_where_the_tensors_are():
    number, tensor = torch.tensor(1.0), torch.empty(2, 3, device="meta")
    assert _validation._device(Bound([number, tensor], {})).type == "meta"
    assert _validation._device(Bound([None, number], {})).type == "cpu"
