"""Observers: thresholds derived by hand, by NumPy, or by PTQ of a model with the same numbers."""

import copy
import pickle

import numpy as np
import onnx
import pytest
import torch
import twofold
from onnx import TensorProto, helper, numpy_helper
from torch import nn
from twofold.dtype import ec, qint4, qint8, qint16
from twofold.quantization import observer, observer_v2
from twofold.quantization.fake_quantize import FakeQuantize, set_fake_quantize
from twofold.quantization.observer_v2 import (
    ClipObserver,
    ClipStd,
    FixedScaleObserver,
    HistogramObserver,
    KLObserver,
    MinMaxObserver,
    MixObserver,
    MSEObserver,
    PercentileObserver,
)

ALL = [
    MinMaxObserver,
    MSEObserver,
    PercentileObserver,
    KLObserver,
    HistogramObserver,
    MixObserver,
    lambda **arguments: ClipObserver(-2.0, 2.0, **arguments),
    ClipStd,
]
F32 = np.float32


def scale_after(made, *tensors):
    """The observer's scale after seeing tensors, or lists of numbers."""
    for x in tensors:
        made(torch.as_tensor(x, dtype=torch.float32))
    return made.calculate_qparams()[0].numpy()


def heavy_tailed(seed, n=20000):
    return np.random.default_rng(seed).standard_t(3, n).astype(F32)


def ptq_threshold(folder, numbers, activation):
    """What quantizing a model finds for an operand with these numbers."""
    weight = numpy_helper.from_array(np.ones((1, 1), F32), "w")
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"], name="mm")],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 1])],
        [weight],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    onnx.save(model, folder / "m.onnx")
    qtype = activation.pop("qtype", "int8")
    config = {
        "model_config": {"activation": {"asymmetric": False, **activation}},
        "node_config": {"mm": {"qtype": qtype}},
    }
    samples = [{"x": part.reshape(-1, 1)} for part in numbers]
    twofold.quantize(folder / "m.onnx", samples, config, plan=folder / "plan.json")
    return twofold.Plan.load(folder / "plan.json").operands[0]["params"]["scale"][0]


# Averaging, arguments that all have


def test_minmax_averages_the_scale():
    first, second = F32(3) / F32(127), F32(5) / F32(127)
    assert scale_after(MinMaxObserver(), [-3, 1, 2]) == first
    expected = first + F32(0.01) * (second - first)
    assert scale_after(MinMaxObserver(), [-3, 1, 2], [5, 0]) == expected
    assert scale_after(MinMaxObserver(averaging_constant=1), [-3, 1], [5, 0.0]) == second
    assert scale_after(MinMaxObserver(averaging_constant=1), [5.0], [-3.0]) == first


@pytest.mark.parametrize("make", [make for make in ALL if make is not HistogramObserver])
def test_averaging_constant_0_keeps_the_first(make):
    once = scale_after(make(averaging_constant=0), [1.0, -2.0])
    assert once == scale_after(make(averaging_constant=0), [1.0, -2.0], [1000.0, 3.0])
    assert once != scale_after(make(averaging_constant=0.5), [1.0, -2.0], [0.1, 0.2])


@pytest.mark.parametrize("make", ALL)
def test_zeros_have_scale_1(make):
    assert scale_after(make(), [0.0, -0.0]) == 1


@pytest.mark.parametrize(
    ("dtype", "steps"), [(qint4, 7), (qint8, 127), ("qint16", 32767), (ec, 127)]
)
def test_steps_of_a_dtype(dtype, steps):
    assert scale_after(MinMaxObserver(dtype=dtype), [0.3, -0.7]) == F32(0.7) / F32(steps)


def test_a_scale_is_a_normal_number():
    assert scale_after(MinMaxObserver(), [1e-42]) == np.finfo(F32).tiny


def test_a_scale_for_each_channel():
    x = np.arange(24, dtype=F32).reshape(2, 3, 4) - 12
    expected = np.abs(x).max(axis=(0, 2)) / F32(127)
    for arguments in ({"qscheme": torch.per_channel_symmetric}, {}):
        made = MinMaxObserver(ch_axis=1, **arguments)
        assert made.qscheme == torch.per_channel_symmetric
        np.testing.assert_array_equal(scale_after(made, x), expected)
    assert MinMaxObserver().qscheme == torch.per_tensor_symmetric
    bias = MinMaxObserver(ch_axis=0)
    np.testing.assert_array_equal(scale_after(bias, [3.0, -4.0]), np.float32([3, 4]) / F32(127))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_float_dtypes(dtype):
    made = MinMaxObserver(ch_axis=0)
    made(torch.tensor([[1.0, -3.0], [0.5, 0.25]], dtype=dtype))
    scale = made.calculate_qparams()[0]
    assert scale.dtype == torch.float32
    np.testing.assert_array_equal(scale, np.float32([3, 0.5]) / F32(127))


def test_any_layout():
    x = torch.randn(2, 8, 5, 6)
    for made in (MSEObserver(), MinMaxObserver(), MSEObserver(ch_axis=1)):
        other = copy.deepcopy(made)
        strided = x.to(memory_format=torch.channels_last)
        np.testing.assert_array_equal(scale_after(made, x), scale_after(other, strided))


def test_zero_point_and_nothing_seen():
    made = MinMaxObserver()
    with pytest.raises(twofold.Error, match="MinMaxObserver has seen no numbers"):
        made.calculate_qparams()
    made(torch.zeros(0))
    with pytest.raises(twofold.Error, match="has seen no numbers"):
        made.calculate_qparams()
    made(torch.ones(2))
    made(torch.zeros(0, 3))
    scale, zero_point = made.calculate_qparams()
    assert scale.tolist() == [F32(1) / F32(127)]
    assert zero_point.tolist() == [0]
    assert zero_point.dtype == torch.int64


@pytest.mark.parametrize("make", ALL)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_not_finite(make, bad):
    made = make(averaging_constant=0.5)
    with pytest.raises(twofold.Error, match="NaN or infinity"):
        made(torch.tensor([1.0, bad]))
    made(torch.tensor([1.0]))
    before = made.calculate_qparams()[0]
    with pytest.raises(twofold.Error, match="NaN or infinity"):
        made(torch.tensor([1.0, bad]))
    made.calibrating = False  # in training the scale stays
    made(torch.tensor([1.0, bad]))
    assert made.calculate_qparams()[0] == before
    made(torch.tensor([0.5]))
    assert made.calculate_qparams()[0] < before


@pytest.mark.parametrize("make", ALL)
def test_returns_what_it_sees_and_copies(make):
    made = make()
    x = torch.randn(50, requires_grad=True)
    assert made(x) is x
    for other in (copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert other.calculate_qparams() == made.calculate_qparams()
        made_again = copy.deepcopy(made)
        more = torch.randn(30)
        assert scale_after(other, more) == scale_after(made_again, more)
    assert not made.state_dict()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"averaging_constant": 1.5}, "averaging_constant is 1.5; it must be from 0 to 1"),
        ({"averaging_constant": -0.1}, "it must be from 0 to 1"),
        ({"averaging_constant": None}, "it must be from 0 to 1"),
        ({"ch_axis": -2}, "ch_axis is -2; it must be an axis, or -1"),
        ({"ch_axis": 0.5}, "ch_axis is 0.5"),
        ({"ch_axis": None}, "ch_axis is None"),
        ({"qscheme": torch.per_tensor_affine}, "trained scales are symmetric"),
        ({"qscheme": torch.per_channel_affine, "ch_axis": 0}, "trained scales are symmetric"),
        ({"qscheme": torch.per_channel_symmetric}, "needs ch_axis"),
        ({"dtype": "quint4"}, "quint4 has no sign"),
        ({"dtype": "qint32"}, "leave the output's part out"),
        ({"dtype": torch.float16}, r"FakeCast.with_args\(dtype=torch.float16\)"),
        ({"quant_min": -127}, "not the bounds of qint8, -128 and 127"),
        ({"quant_max": 126, "quant_min": -128}, "not the bounds of qint8"),
        ({"dtype": qint16, "quant_max": 127}, "not the bounds of qint16, -32768 and 32767"),
        ({"factory_kwargs": {"dtype": torch.float16}}, "takes device, not dtype"),
    ],
)
def test_arguments_that_cannot_be(arguments, message):
    with pytest.raises(ValueError, match=message):
        MinMaxObserver(**arguments)


def test_bounds_may_be_said():
    assert scale_after(MinMaxObserver(quant_min=-128, quant_max=127), [1.0]) == F32(1) / F32(127)
    with pytest.raises(TypeError, match="no dtype of a quantized model"):
        MinMaxObserver(dtype="int7")


def test_another_number_of_channels_is_an_error():
    made = MinMaxObserver(ch_axis=0)
    made(torch.randn(4, 2))
    with pytest.raises(twofold.Error, match="8 channels along axis 0, but there are 4 scales"):
        made(torch.randn(8, 2))


# Each method


@pytest.mark.parametrize("qtype", ["int8", "int16"])
@pytest.mark.parametrize(
    ("make", "activation"),
    [
        (MinMaxObserver, {"calibration_type": "max"}),
        (MSEObserver, {"calibration_type": "mse"}),
        (HistogramObserver, {"calibration_type": "mse"}),
        (
            lambda **arguments: PercentileObserver(99.9, **arguments),
            {"calibration_type": "percentile", "max_percentile": 0.999},
        ),
        (PercentileObserver, {"calibration_type": "percentile", "max_percentile": 0.9999}),
        (KLObserver, {"calibration_type": "kl", "num_bin": 512}),
        (
            lambda **arguments: KLObserver(bins=150, **arguments),
            {"calibration_type": "kl", "num_bin": 150},
        ),
    ],
)
def test_thresholds_are_those_of_ptq(tmp_path, make, activation, qtype):
    x = heavy_tailed(1)
    dtype = {"int8": qint8, "int16": qint16}[qtype]
    expected = ptq_threshold(tmp_path, [x], {**activation, "qtype": qtype})
    assert scale_after(make(dtype=dtype), x) == F32(expected)
    if qtype == "int8" and make is not MinMaxObserver:
        assert F32(expected) < np.abs(x).max() / F32(127)


def test_a_histogram_of_all_is_that_of_ptq(tmp_path):
    parts = [heavy_tailed(seed, 3000 * seed) * seed for seed in (1, 2, 3)]
    expected = ptq_threshold(tmp_path, parts, {"calibration_type": "mse"})
    assert scale_after(HistogramObserver(), *parts) == F32(expected)
    assert scale_after(HistogramObserver(), *reversed(parts)) == F32(expected)
    assert scale_after(MSEObserver(), *parts) != F32(expected)


def test_mse_has_the_least_error():
    x = heavy_tailed(2)

    def error(scale):
        return np.mean((np.clip(np.round(x / scale), -128, 127) * scale - x) ** 2, dtype=np.float64)

    found = error(scale_after(MSEObserver(), x)[0])
    best = min(error(F32(t) / F32(127)) for t in np.geomspace(1, np.abs(x).max(), 500))
    assert found <= best * 1.01
    assert found < 0.95 * error(np.abs(x).max() / F32(127))


def test_mse_of_every_stride_th_number():
    x = heavy_tailed(3)
    assert scale_after(MSEObserver(stride=3), x) == scale_after(MSEObserver(), x[::3])
    assert scale_after(MSEObserver(3), x) != scale_after(MSEObserver(), x)
    rows = x.reshape(4, -1)
    np.testing.assert_array_equal(
        scale_after(MSEObserver(stride=3, ch_axis=0), rows),
        np.concatenate([scale_after(MSEObserver(), row[::3]) for row in rows]),
    )
    for stride in (0, -1, 1.5):
        with pytest.raises(ValueError, match="stride is"):
            MSEObserver(stride=stride)


@pytest.mark.parametrize("percentile", [50, 90, 99.5, 99.99, 100])
def test_percentile_in_percent(percentile):
    x = heavy_tailed(4)
    expected = np.quantile(np.abs(x).astype(np.float64), percentile / 100)
    bin_width = np.abs(x).max() / 4096
    found = scale_after(PercentileObserver(percentile), x)[0] * 127
    assert abs(found - expected) <= bin_width * 1.001


def test_percentile_wants_percent_and_bins_that_there_are():
    for wrong in (0.9999, 49, 101, np.nan):
        with pytest.raises(ValueError, match="it is in percent, from 50 to 100"):
            PercentileObserver(wrong)
    assert PercentileObserver(bins=4096).bins == 4096
    for wrong in (8192, 0):
        with pytest.raises(ValueError, match=f"bins is {wrong}; magnitudes have 4096 bins or more"):
            PercentileObserver(bins=wrong)


def test_percentile_has_the_bins_it_says():
    # 4096 steps of 1 below 4096: the numbers 2047 and 2048 lie in different bins of 1.
    x = np.r_[np.full(5000, 2047.0), np.full(5000, 4095.0)]
    found = scale_after(PercentileObserver(50, averaging_constant=1), x[:9999])[0] * 127
    assert 2047 <= found <= 2048


def test_kl_moves_every_update_interval():
    x1, x2, x3, x4 = (heavy_tailed(seed, 4000) * seed for seed in (1, 2, 3, 4))
    made = KLObserver(update_interval=2, averaging_constant=1)
    one = KLObserver(averaging_constant=1)
    first = scale_after(made, x1)
    assert first == scale_after(one, x1)
    assert scale_after(made, x2) == first
    assert scale_after(made, x3) == scale_after(one, np.concatenate([x2, x3]))
    assert scale_after(one, x3) != scale_after(one, np.concatenate([x2, x3]))
    before = scale_after(made, x4)
    assert scale_after(made, x4) != before
    for arguments in ({"bins": 128}, {"bins": 512.0}, {"update_interval": 0}):
        with pytest.raises(ValueError, match=f"{next(iter(arguments))} is"):
            KLObserver(**arguments)


def test_mix_takes_the_most_similar():
    methods = ({"method": "max"}, {"method": "percentile", "percentile": 0.9999},
               {"method": "kl"}, {"method": "mse"})  # fmt: skip
    chosen = set()
    few = np.r_[np.full(1000, 1.0), np.full(10, 127.0)]  # integers of the largest: exact
    for x in (few, heavy_tailed(5), heavy_tailed(6, 300), np.linspace(-1, 1, 999)):
        x = x.astype(F32)
        seen = twofold._twofold.TensorStatistics()
        seen.observe(x)

        def similarity(threshold, x=x):
            scale = F32(threshold) / F32(127)
            y = (np.clip(np.round(x / scale), -128, 127) * scale).astype(np.float64)
            return (x * y).sum() / np.sqrt((y * y).sum())

        thresholds = [seen.threshold(precision="int8", **method) for method in methods]
        best = int(np.argmax([similarity(threshold) for threshold in thresholds]))
        chosen.add(best)
        assert scale_after(MixObserver(), x) == F32(thresholds[best]) / F32(127)
    assert 0 in chosen
    assert len(chosen) > 1
    with pytest.raises(ValueError, match="per channel, use MSEObserver"):
        MixObserver(ch_axis=0)


def test_clip_clips_first():
    assert scale_after(ClipObserver(-1, 2), [-5.0, 0.5]) == F32(1) / F32(127)
    assert scale_after(ClipObserver(-1, 2), [-5.0, 9]) == F32(2) / F32(127)
    assert scale_after(ClipObserver(xmin=-8, xmax=8), [-5.0, 0.5]) == F32(5) / F32(127)
    for arguments in ({}, {"xmin": 1}, {"xmin": 1, "xmax": 1}):
        with pytest.raises(ValueError, match="give both ends of the range"):
            ClipObserver(**arguments)


def test_clip_std():
    x = [0.0, 0.0, 0.0, -4.0]  # mean -1, variance 3
    assert scale_after(ClipStd(std_scale=1), x) == F32(1 + np.sqrt(3)) / F32(127)
    assert scale_after(ClipStd(), x) == F32(4) / F32(127)  # not beyond the largest
    rows = np.float32([x, [1, 1, 1, 1]])
    np.testing.assert_array_equal(
        scale_after(ClipStd(1, ch_axis=0), rows), np.float32([1 + np.sqrt(3), 1]) / F32(127)
    )
    with pytest.raises(ValueError, match="std_scale is 0"):
        ClipStd(0)


def test_int4_is_for_weights():
    for make in (MSEObserver, PercentileObserver, KLObserver, HistogramObserver, MixObserver):
        with pytest.raises(ValueError, match="use MinMaxObserver"):
            make(dtype=qint4)


# Fixed scales


@pytest.mark.parametrize("scale", [1 / 128, 1.1 / 32768.0, 16 / 32768, 1 / 32767.5])
def test_a_fixed_scale_is_as_given(scale):
    made = FixedScaleObserver(scale, dtype=qint16)
    assert scale_after(made, [1000.0]) == F32(scale)
    assert made.calculate_qparams()[1].tolist() == [0]
    assert scale_after(FixedScaleObserver(torch.tensor(scale)), [1.0]) == F32(scale)


def test_fixed_scales_for_channels_and_zero_points():
    made = FixedScaleObserver([0.5, 0.25], [3, -3], ch_axis=0)
    scale, zero_point = made.calculate_qparams()
    assert scale.tolist() == [0.5, 0.25]
    assert zero_point.tolist() == [3, -3]
    assert FixedScaleObserver([0.5, 0.25], 3, ch_axis=0).zero_point.tolist() == [3, 3]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scale": 0}, "it must be above 0"),
        ({"scale": -1}, "it must be above 0"),
        ({"scale": np.inf}, "it must be above 0"),
        ({"scale": [1, 2]}, "2 scales need ch_axis"),
        ({"scale": 1, "zero_point": 128}, "that of qint8 is from -128 to 127"),
        ({"scale": 1, "zero_point": 1, "dtype": ec}, "ec has no zero point"),
    ],
)
def test_fixed_scales_that_cannot_be(arguments, message):
    with pytest.raises(ValueError, match=message):
        FixedScaleObserver(**arguments)


# HistogramObserver in training, and scales made again


def test_a_histogram_averages_in_training():
    x1, x2, x3 = (heavy_tailed(seed, 4000) * seed for seed in (1, 2, 3))
    made = HistogramObserver(averaging_constant=0.25)
    first = scale_after(made, x1)
    made.calibrating = False
    new = scale_after(MSEObserver(), x2)
    after = scale_after(made, x2)
    np.testing.assert_allclose(after, first + 0.25 * (new - first), rtol=1e-6)
    made.calibrating = True  # goes on where calibration stopped
    assert scale_after(made, x3) == scale_after(HistogramObserver(), np.concatenate([x1, x3]))
    stays = HistogramObserver(averaging_constant=0)
    scale_after(stays, x1)
    stays.calibrating = False
    assert scale_after(stays, x2) == first
    with pytest.raises(ValueError, match="it keeps one histogram"):
        HistogramObserver(ch_axis=0)


class Two(nn.Module):
    def __init__(self, **second):
        super().__init__()
        self.a = FakeQuantize(observer=HistogramObserver)
        self.sub = nn.ModuleDict({"b": FakeQuantize(observer=HistogramObserver, **second)})
        self.max = FakeQuantize(observer=MinMaxObserver)
        self.fixed = FakeQuantize(observer=FixedScaleObserver, scale=0.5)

    def forward(self, x):
        return self.a(x), self.sub["b"](x), self.max(x), self.fixed(x)


def calibrated_two(x, **second):
    model = Two(**second)
    set_fake_quantize(model, "calibration")
    model(torch.from_numpy(x))
    return model


def scales(model):
    return {name: float(v) for name, v in model.state_dict().items() if name.endswith("scale")}


def test_reset_scale_by_percentile():
    x = heavy_tailed(7)
    model = calibrated_two(x)
    before = scales(model)
    names = HistogramObserver.reset_scale(
        model, method="percentile", method_kwargs={"percentile": 0.99}
    )
    expected = scale_after(PercentileObserver(99), x)[0]
    assert names == ["a", "sub.b"]
    assert scales(model) == {**before, "a.scale": expected, "sub.b.scale": expected}
    HistogramObserver.reset_scale(model, "percentile", {"percentile": 1.0})
    assert scales(model)["a.scale"] == np.abs(x).max() / F32(127)
    HistogramObserver.reset_scale(model, method="mse")
    assert scales(model) == before


def test_reset_scale_of_a_part():
    x = heavy_tailed(8)
    model = calibrated_two(x, dtype=qint16)
    before = scales(model)
    kwargs = {"method": "percentile", "method_kwargs": {"percentile": 0.9}}
    reset = HistogramObserver.reset_scale
    assert reset(model, **kwargs, dtype="qint16") == ["sub.b"]
    expected = F32(scale_after(PercentileObserver(90), x)[0] * F32(127)) / F32(32767)
    assert scales(model)["sub.b.scale"] == pytest.approx(expected, rel=1e-6)
    assert scales(model)["a.scale"] == before["a.scale"]
    assert reset(model, **kwargs, prefix="sub") == ["sub.b"]
    assert reset(model, **kwargs, prefix=("a", "sub")) == ["a", "sub.b"]
    assert reset(model, **kwargs, prefix="sub.b") == ["sub.b"]
    with pytest.raises(twofold.Error, match="no module 'su'"):
        reset(model, **kwargs, prefix="su")
    with pytest.raises(twofold.Error, match="no HistogramObserver there has seen numbers"):
        reset(model, **kwargs, dtype="qint4")


def test_observing_goes_on_by_the_method_that_was_reset_to():
    x = heavy_tailed(9)
    model = calibrated_two(x)
    HistogramObserver.reset_scale(model, "percentile", {"percentile": 0.9})
    model(torch.from_numpy(2 * x))
    expected = scale_after(PercentileObserver(90), np.concatenate([x, 2 * x]))
    assert scales(model)["a.scale"] == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("percentile", {"percentile": 99.99}), "the share of numbers that is kept"),
        (("percentile", {"percentile": 0.4}), "the share of numbers that is kept"),
        (("percentile",), "method_kwargs="),
        (("percentile", {"percent": 0.9}), "method_kwargs="),
        (("kl",), "not method='kl'"),
        (("mse", {"percentile": 0.9}), "method='mse' without"),
    ],
)
def test_reset_scale_refuses(arguments, message):
    with pytest.raises(twofold.Error, match=message):
        HistogramObserver.reset_scale(calibrated_two(heavy_tailed(1)), *arguments)


def test_reset_scale_needs_calibration():
    for model in (Two(), nn.Linear(2, 2)):
        with pytest.raises(twofold.Error, match="run calibration data"):
            HistogramObserver.reset_scale(model)


# Old names, texts


def test_old_names():
    x = np.float32([[1, -3], [2, 0.5]])
    per_channel = np.float32([3, 2]) / F32(127)
    last = np.float32([0.5, 0.25]) / F32(127)
    moving = observer.MovingAveragePerChannelMinMaxObserver(averaging_constant=0.5)
    np.testing.assert_array_equal(scale_after(moving, x), per_channel)
    expected = per_channel + F32(0.5) * (last - per_channel)
    np.testing.assert_array_equal(scale_after(moving, [[0.5], [0.25]]), expected)
    plain = observer.PerChannelMinMaxObserver()
    np.testing.assert_array_equal(scale_after(plain, x, [[0.5], [0.25]]), last)
    assert observer.MovingAverageMinMaxObserver is MinMaxObserver
    numbers = heavy_tailed(1)
    found = scale_after(observer.CalibObserver(), numbers)
    assert found == scale_after(PercentileObserver(99.99), numbers)
    assert observer.FixedScaleObserver is observer_v2.FixedScaleObserver


@pytest.mark.parametrize(
    ("made", "text"),
    [
        (MinMaxObserver(), "MinMaxObserver(averaging_constant=0.01)"),
        (MSEObserver(2), "MSEObserver(stride=2,averaging_constant=0.01)"),
        (PercentileObserver(), "PercentileObserver(percentile=99.99,averaging_constant=0.01)"),
        (KLObserver(), "KLObserver(bins=512,update_interval=1,averaging_constant=0.01)"),
        (HistogramObserver(), "HistogramObserver(averaging_constant=0.01)"),
        (ClipObserver(0, 1), "ClipObserver(xmin=0,xmax=1,averaging_constant=0.01)"),
        (ClipStd(), "ClipStd(std_scale=3.0,averaging_constant=0.01)"),
        (
            FixedScaleObserver(0.5),
            "FixedScaleObserver(scale=tensor([0.5000]),zero_point=tensor([0]))",
        ),
    ],
)
def test_texts(made, text):
    assert str(made) == text


def test_with_args_makes_one_for_each_call():
    factory = MinMaxObserver.with_args(averaging_constant=0.5).with_args(dtype=qint16)
    one, two = factory(), factory(dtype=qint8)
    assert one is not two
    assert (one.averaging_constant, one.dtype, two.dtype) == (0.5, qint16, qint8)
