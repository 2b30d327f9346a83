"""twofold.nn: modules that a model holds, what they compute, and that each is one operator."""

import copy
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn
from twofold import Error
from twofold import nn as tnn
from twofold.dtype import qint8, qint16
from twofold.nn import qat
from twofold.nn.grid_sample import warp
from twofold.quantization import (
    DeQuantStub,
    FakeQuantize,
    FakeQuantState,
    QconfigSetter,
    QuantStub,
    export,
    get_qconfig,
    prepare,
    set_fake_quantize,
)
from twofold.quantization.observer_v2 import FixedScaleObserver, MinMaxObserver
from twofold.quantization.qconfig import QConfig
from twofold.quantization.qconfig_setter import ModuleNameTemplate
from twofold.quantization.qconfig_template import (
    ModuleNameQconfigSetter,
    calibration_8bit_weight_16bit_act_qconfig_setter,
    default_calibration_qconfig_setter,
)

SETTER = default_calibration_qconfig_setter


class Holds(nn.Module):
    """The module under test in the quantized part, on numbers of one sign where it needs them."""

    def __init__(self, module, inputs=1, positive=False):
        super().__init__()
        self.quants = nn.ModuleList(QuantStub() for _ in range(inputs))
        self.module, self.dequant, self.positive = module, DeQuantStub(), positive

    def forward(self, *inputs):
        inputs = [quant(x) for quant, x in zip(self.quants, inputs, strict=True)]
        return self.dequant(self.module(*inputs))


def images(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def grid(*shape):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(1)) * 2 - 1


X, POSITIVE = images(2, 3, 6, 6), images(2, 3, 6, 6).abs() + 0.5
CASES = {
    "Exp": (tnn.Exp(), (X,), torch.exp),
    "Reciprocal": (tnn.Reciprocal(), (POSITIVE,), lambda x: 1 / x),
    "HardLog": (tnn.HardLog(), (POSITIVE,), torch.log),
    "Sin": (tnn.Sin(single_period=True), (X,), torch.sin),
    "Cos": (tnn.Cos(), (X,), torch.cos),
    "Div": (tnn.Div(), (X, POSITIVE), lambda x, y: x / y),
    "Matmul": (tnn.Matmul(), (X, POSITIVE), lambda x, y: x @ y),
    "Softmax": (tnn.Softmax(dim=1), (X,), lambda x: torch.softmax(x, 1)),
    "GroupNorm": (tnn.GroupNorm(3, 3), (X,), lambda x: F.group_norm(x, 3)),
    "LayerNorm": (tnn.LayerNorm(6), (X,), lambda x: F.layer_norm(x, (6,))),
    "RMSNorm": (tnn.RMSNorm(6, eps=1e-6), (X,), lambda x: F.rms_norm(x, (6,), eps=1e-6)),
    "Interpolate": (
        tnn.Interpolate(scale_factor=2, recompute_scale_factor=True, mode="bilinear"),
        (X,),
        lambda x: F.interpolate(x, scale_factor=2, mode="bilinear"),
    ),
    "GridSample": (
        tnn.GridSample(padding_mode="zeros", align_corners=False),
        (X, grid(2, 4, 4, 2)),
        lambda x, g: F.grid_sample(x, g, align_corners=False),
    ),
    "SegmentLUT": (
        tnn.SegmentLUT(lambda x: torch.tanh(x) * 2 + 1, True, input_range=(-4, 4)),
        (X,),
        lambda x: torch.tanh(x) * 2 + 1,
    ),
    "LookUpTable": (tnn.LookUpTable(torch.sigmoid), (X,), torch.sigmoid),
}


def calibrated(network, inputs, setter=SETTER):
    model = prepare(network.eval(), inputs, setter)
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    model(*inputs)
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    return model


@pytest.mark.parametrize("case", CASES)
def test_a_float_module_is_the_function(case):
    module, inputs, expected = CASES[case]
    torch.testing.assert_close(module(*inputs), expected(*inputs), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("case", CASES)
def test_each_is_one_operator_with_a_quantizer_of_its_own(case, tmp_path):
    module, inputs, expected = CASES[case]
    model = calibrated(Holds(copy.deepcopy(module), len(inputs)), inputs)
    assert isinstance(model.module, type(module))
    assert not any("_generated_" in name for name, _ in model.named_modules())
    if case != "Matmul":  # whose result only a DeQuantStub reads
        assert isinstance(model.module.activation_post_process, FakeQuantize)
    y = model(*inputs)
    reference = expected(*inputs)
    assert (y - reference).abs().max() < 0.06 * reference.abs().max()
    result = export(model, inputs, tmp_path / "m.onnx").session()
    feeds = {f"input_{i}": x.numpy() for i, x in enumerate(inputs)}
    assert np.array_equal(result.run(feeds)["output_0"], y.detach().numpy())
    assert torch.equal(copy.deepcopy(model)(*inputs), y)


@pytest.mark.parametrize("case", [case for case in CASES if case != "SegmentLUT"])
def test_prepared_modules_are_pickled(case):
    module, inputs, _ = CASES[case]
    model = calibrated(Holds(copy.deepcopy(module), len(inputs)), inputs)
    assert torch.equal(pickle.loads(pickle.dumps(model))(*inputs), model(*inputs))


@pytest.mark.parametrize("dim", [1, 2, -1])
def test_layer_norm_along_one_axis(dim):
    """By NumPy: mean and variance of that axis alone."""
    torch.manual_seed(0)
    length = X.shape[dim]
    module = tnn.LayerNorm([length, 1, 1], eps=1e-3, dim=dim)
    nn.init.normal_(module.weight)
    nn.init.normal_(module.bias)
    x = X.numpy().astype(np.float64)
    shape = [1, 1, 1, 1]
    shape[dim] = length
    gain, shift = (
        p.detach().numpy().astype(np.float64).reshape(shape) for p in (module.weight, module.bias)
    )
    mean, var = x.mean(dim, keepdims=True), x.var(dim, keepdims=True)
    expected = (x - mean) / np.sqrt(var + 1e-3) * gain + shift
    np.testing.assert_allclose(module(X).detach(), expected, rtol=1e-4, atol=1e-5)
    model = calibrated(Holds(module), (X,), calibration_8bit_weight_16bit_act_qconfig_setter)
    assert isinstance(module, tnn.LayerNorm) and "_generated_layer_norm_0" in dict(
        model.module.named_modules()
    )
    np.testing.assert_allclose(model(X).detach(), expected, rtol=0, atol=0.01)
    assert torch.equal(pickle.loads(pickle.dumps(model))(X), model(X))


def test_a_split_layer_norm_is_a_layer_norm():
    assert tnn.SplitLayerNorm is tnn.LayerNorm
    assert tnn.SplitLayerNorm([3, 1, 1], dim=1)(X).shape == X.shape


@pytest.mark.filterwarnings("ignore:Default grid_sample")
@pytest.mark.parametrize("align_corners", [None, False, True])
@pytest.mark.parametrize("mode", ["bilinear", "nearest"])
def test_warp_takes_each_pixel_from_its_place_plus_the_offset(align_corners, mode):
    """Whole pixels by a loop; what comes from outside is 0."""
    generator = torch.Generator().manual_seed(3)
    offsets = torch.randint(-2, 3, (2, 6, 6, 2), generator=generator)
    expected = np.zeros((2, 3, 6, 6), np.float32)
    for n, y, x in np.ndindex(2, 6, 6):
        right, down = offsets[n, y, x].tolist()
        if 0 <= x + right < 6 and 0 <= y + down < 6:
            expected[n, :, y, x] = X[n, :, y + down, x + right].numpy()
    found = warp(X, offsets.float(), mode, align_corners=align_corners)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


def test_the_grid_of_warp_gets_16_bits():
    class Warps(nn.Module):
        def __init__(self):
            super().__init__()
            self.quant, self.dequant = QuantStub(), DeQuantStub()
            self.flow = nn.Conv2d(3, 2, 1)

        def forward(self, x):
            x = self.quant(x)
            flow = self.flow(x).permute(0, 2, 3, 1)
            return self.dequant(warp(x, flow, align_corners=True))

    torch.manual_seed(0)
    model = calibrated(Warps(), (X,))
    for name in ("_generated_add_0", "_generated_mul_0", "flow"):
        assert model.get_submodule(name).activation_post_process.dtype == qint16
    assert model.quant.activation_post_process.dtype == qint8


def test_a_grid_that_nothing_quantizes_gets_16_bits_from_the_sampler():
    class Fixed(nn.Module):
        def __init__(self):
            super().__init__()
            self.quant, self.sample = QuantStub(), tnn.GridSample(align_corners=False)
            self.register_buffer("places", grid(2, 4, 4, 2))

        def forward(self, x):
            return self.sample(self.quant(x), self.places)

    model = calibrated(Fixed(), (X,))
    assert set(model.sample.activation_pre_process) == {"1"}
    quantizer = model.sample.activation_pre_process["1"]
    assert quantizer.dtype == qint16
    places = torch.round(model.places / quantizer.scale) * quantizer.scale
    x = X / model.quant.activation_post_process.scale
    x = torch.clamp(torch.round(x), -128, 127) * model.quant.activation_post_process.scale
    step = model.sample.activation_post_process.scale.item()
    expected = F.grid_sample(x, places, align_corners=False)
    torch.testing.assert_close(model(X).dequantize(), expected, rtol=0, atol=0.51 * step)
    plain = QconfigSetter(get_qconfig(MinMaxObserver), [ModuleNameTemplate({"": qint8})])
    model = prepare(Fixed().eval(), X, plain)  # without enable_optimize
    assert not hasattr(model.sample, "activation_pre_process")


def test_a_segment_lut_takes_and_gives_int16_whatever_the_qconfig_says():
    module, inputs, expected = CASES["SegmentLUT"]
    network = nn.Sequential(nn.Conv2d(3, 3, 1), module, nn.Conv2d(3, 3, 1)).eval()
    narrow = get_qconfig(MinMaxObserver, qint8, qint8, qint8)
    model = prepare(network, inputs, ModuleNameQconfigSetter({"": narrow}))
    assert model[0].activation_post_process.dtype == qint16
    assert model[1].activation_post_process.dtype == qint16
    assert isinstance(model[1], qat.SegmentLUT)
    log = [
        row
        for row in Path("qconfig_changelogs.txt").read_text().splitlines()
        if "a SegmentLUT takes and gives" in row
    ]
    assert {row.split()[1] for row in log} == {"input0", "output"}


def test_a_fixed_scale_of_a_segment_lut_stays():
    module, inputs, _ = CASES["SegmentLUT"]
    fixed = FakeQuantize.with_args(observer=FixedScaleObserver, scale=1 / 32, dtype=qint8)
    setter = (ModuleNameQconfigSetter({"module": QConfig(output=fixed)}), SETTER)
    model = prepare(Holds(module).eval(), inputs, setter)
    assert model.module.activation_post_process.dtype == qint8
    assert "stays, as its qconfig has a fixed scale" in Path("qconfig_changelogs.txt").read_text()


def test_a_segment_lut_rounds_only_its_input_and_output():
    """By hand: int16 in, the function in float32, int16 out."""
    module, inputs, expected = CASES["SegmentLUT"]
    model = calibrated(Holds(module), inputs)
    scale_in = model.quants[0].activation_post_process.scale
    scale_out = model.module.activation_post_process.scale
    rounded = torch.clamp(torch.round(X / scale_in), -32768, 32767) * scale_in
    y = torch.clamp(torch.round(expected(rounded) / scale_out), -32768, 32767) * scale_out
    torch.testing.assert_close(model(X), y, rtol=0, atol=1.01 * scale_out.item())


def test_a_table_of_nothing_cannot_be_exported(tmp_path):
    with pytest.raises(Error, match="calls nothing on its argument"):
        calibrated(Holds(tnn.LookUpTable(lambda x: torch.ones(2, 3, 6, 6))), (X,))(X)


def test_modules_of_torch_nn_are_torchs_own_or_in_steps():
    for name in ("GroupNorm", "Identity", "RMSNorm", "Softmax", "TransformerDecoder"):
        assert getattr(tnn, name) is getattr(nn, name)
    for name in ("MultiheadAttention", "TransformerEncoder", "LSTM", "GRU", "LSTMCell", "GRUCell"):
        assert issubclass(getattr(tnn, name), getattr(nn, name))
    torch.manual_seed(0)
    ours = tnn.MultiheadAttention(6, 2, batch_first=True).eval()
    theirs = nn.MultiheadAttention(6, 2, batch_first=True).eval()
    theirs.load_state_dict(ours.state_dict())
    x = images(2, 5, 6)
    torch.testing.assert_close(ours(x, x, x)[0], theirs(x, x, x)[0], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "name",
    [
        "AnchorGenerator",
        "BevPoolV2",
        "BgrToYuv444",
        "Correlation",
        "DetectionPostProcess",
        "MultiScaleDeformableAttention",
        "MultiScaleRoIAlign",
        "PointPillarsScatter",
        "RcnnPostProcess",
    ],
)
def test_what_is_not_built_says_where_to_do_it(name):
    with pytest.raises(Error, match=f"{name} is not built: (do it before|write it in torch)"):
        getattr(tnn, name)(1, two=2)


# Classes of the user's that derive from torch.nn's


class MyConv(nn.Conv2d):
    """Without a forward of its own."""

    def __init__(self, channels):
        super().__init__(3, channels, 1)
        self.note = ["mine"]


class MyNorm(nn.BatchNorm2d):
    pass


class MyReLU(nn.ReLU):
    pass


class MyStub(QuantStub):
    pass


class Derived(nn.Module):
    def __init__(self):
        super().__init__()
        self.quant, self.dequant = MyStub(), DeQuantStub()
        self.body = nn.Sequential(MyConv(4), MyNorm(4), MyReLU(inplace=True))
        self.tail = MyConv(3)
        self.tail.in_channels, self.last = 3, nn.Conv2d(4, 2, 1)

    def forward(self, x):
        return self.dequant(self.last(self.body(self.quant(x)))) + self.tail(x).sum()


def test_derived_classes_are_operators_and_stay_what_they_are():
    torch.manual_seed(0)
    network = Derived().eval()
    model = calibrated(network, (X,))
    conv = model.body[0]
    assert isinstance(conv, MyConv) and isinstance(conv, qat.Operator)
    assert conv.note == ["mine"] and conv.clamp == ("relu", {})
    assert hasattr(conv, "weight_fake_quant") and type(model.tail) is MyConv
    expected = model(X)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert type(other.body[0]) is type(conv) and torch.equal(other(X), expected)
    with torch.no_grad():
        pickled = pickle.loads(pickle.dumps(model))
        pickled.body[0].weight.zero_()
    assert torch.equal(model(X), expected)


def test_a_class_with_a_forward_of_its_own_is_no_operator():
    class Own(nn.Linear):
        def forward(self, x):
            return torch.tanh(super().forward(x))

    x = images(2, 4)
    model = prepare(nn.Sequential(Own(4, 4)).eval(), x, SETTER)
    assert type(model[0]) is Own
    assert {"_generated_linear_0", "_generated_tanh_0"} <= set(dict(model[0].named_modules()))
