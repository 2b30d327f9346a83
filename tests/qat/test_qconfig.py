"""Qconfigs: which dtype, observer and averaging each part has, and what is refused."""

import copy
import functools
import pickle

import pytest
import torch
import twofold
from torch import nn
from torch.ao.quantization import QConfig as TorchQConfig
from torch.ao.quantization import default_qat_qconfig
from twofold.dtype import qint4, qint8, qint16
from twofold.quantization import qconfig as qconfigs
from twofold.quantization._qconfig_parts import (
    dtype_of,
    factory_dtype,
    factory_with_dtype,
    with_dtype,
)
from twofold.quantization.fake_cast import (
    FakeCast,
    default_fp16_fake_cast,
    default_fp32_fake_cast,
)
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
from twofold.quantization.qconfig import (
    QConfig,
    get_default_calib_qconfig,
    get_default_qat_out_qconfig,
    get_default_qat_qconfig,
    get_default_qconfig,
    get_qconfig,
    replace_qconfig_dtype,
    to_qconfig,
)
from twofold.utils.quant_switch import GlobalFakeQuantSwitch


def facts(factory):
    """(observer, dtype, averaging_constant, ch_axis) of what a part makes."""
    if factory is None:
        return None
    made = factory()
    seen = made.activation_post_process
    return type(seen), str(made.dtype), seen.averaging_constant, made.ch_axis


WEIGHT = (MinMaxObserver, "qint8", 1.0, 0)


# get_qconfig and QConfig


@pytest.mark.parametrize("observer", [HistogramObserver, MSEObserver, MinMaxObserver])
def test_get_qconfig(observer):
    made = get_qconfig(observer, qint16, "qint8", qint8)
    assert facts(made.input) == (observer, "qint16", 0.01, -1)
    assert facts(made.weight) == WEIGHT
    assert facts(made.output) == facts(made.activation) == (observer, "qint8", 0.01, -1)
    fixed = get_qconfig(observer=observer, fix_scale=True)
    assert facts(fixed.output) == facts(fixed.input) == (observer, "qint8", 0, -1)
    assert facts(fixed.weight) == WEIGHT


def test_get_qconfig_defaults():
    made = get_qconfig()
    assert facts(made.output) == (HistogramObserver, "qint8", 0.01, -1)
    assert [dtype_of(made, part) for part in ("input", "weight", "output")] == [qint8] * 3
    dtypes = get_qconfig(in_dtype="float16", weight_dtype=qint4, out_dtype=torch.float32)
    assert dtype_of(dtypes, "input") == torch.float16
    assert dtype_of(dtypes, "weight") == qint4
    assert isinstance(dtypes.output(), FakeCast)


@pytest.mark.parametrize("observer", [PercentileObserver, KLObserver, FixedScaleObserver, "mse"])
def test_get_qconfig_refuses_other_observers(observer):
    with pytest.raises(twofold.Error, match="MinMaxObserver, MSEObserver and HistogramObserver"):
        get_qconfig(observer=observer)


def test_get_qconfig_refuses_int4_activations():
    for name in ("in_dtype", "out_dtype"):
        with pytest.raises(twofold.Error, match=f"{name} is qint4, which is for weights"):
            get_qconfig(**{name: "qint4"})
    with pytest.raises(TypeError, match="no dtype"):
        get_qconfig(out_dtype="int8")


def test_fixed_output():
    made = QConfig(
        output=FakeQuantize.with_args(
            observer=FixedScaleObserver, dtype=qint16, scale=16 / 32768, zero_point=0
        )
    )
    assert made.weight is made.input is None
    assert made.output().scale.item() == 16 / 32768
    assert dtype_of(made, "output") == qint16


def test_activation_is_output():
    part = FakeQuantize.with_args(dtype=qint16)
    for made in (QConfig(part), QConfig(output=part), QConfig(part, output=part)):
        assert made.activation is made.output is part
    with pytest.raises(TypeError, match="older name of output; give one of them"):
        QConfig(part, output=FakeQuantize.with_args())


@pytest.mark.parametrize(
    ("part", "dtype"),
    [
        (FakeQuantize, "qint8"),
        (functools.partial(FakeQuantize, dtype="qint16"), "qint16"),
        (FakeQuantize.with_args(dtype="qint16").with_args(dtype="qint8"), "qint8"),
        (FakeCast, "torch.float16"),
        (nn.Identity, "None"),
        (None, "None"),
    ],
)
def test_parts_that_can_be(part, dtype):
    assert str(dtype_of(QConfig(weight=part), "weight")) == dtype


@pytest.mark.parametrize(
    "part", [FakeQuantize(), MinMaxObserver, MinMaxObserver.with_args(), nn.ReLU, "qint8", 8]
)
@pytest.mark.parametrize("name", ["activation", "weight", "input", "output"])
def test_parts_that_cannot_be(name, part):
    with pytest.raises(TypeError, match=r"it must be FakeQuantize.with_args\(observer="):
        QConfig(**{name: part})
    with pytest.raises(TypeError, match="give its arguments by name"):
        QConfig(**{name: functools.partial(FakeQuantize, MSEObserver)})


def test_torch_qconfigs():
    ours = get_qconfig()
    assert to_qconfig(ours) is ours
    assert to_qconfig(None) is None
    part = FakeQuantize.with_args(observer=MSEObserver, dtype="qint16")
    made = to_qconfig(TorchQConfig(activation=part, weight=FakeQuantize.with_args(ch_axis=0)))
    assert facts(made.output) == (MSEObserver, "qint16", 0.01, -1)
    assert facts(made.weight) == (MinMaxObserver, "qint8", 0.01, 0)
    assert to_qconfig(TorchQConfig(activation=nn.Identity, weight=part)).output is None
    with pytest.raises(TypeError, match="it must be FakeQuantize.with_args"):
        to_qconfig(default_qat_qconfig)
    for wrong in (qint8, "qint8", {"": ours}, part):
        with pytest.raises(TypeError, match="is no qconfig"):
            to_qconfig(wrong)


def test_copies_and_text():
    made = get_qconfig(MSEObserver, qint16)
    for other in (copy.deepcopy(made), pickle.loads(pickle.dumps(made))):
        assert facts(other.input) == facts(made.input)
        assert facts(other.weight) == WEIGHT
    assert "input=FakeQuantize(observer=MSEObserver, dtype=qint16)" in repr(made)


# Dtypes of parts


def test_with_dtype_changes_one_part():
    made = get_qconfig(MSEObserver, fix_scale=True)
    changed = with_dtype(made, "output", "qint16")
    assert facts(changed.output) == (MSEObserver, "qint16", 0, -1)
    assert changed.activation is changed.output
    assert changed.input is made.input
    assert changed.weight is made.weight
    assert facts(with_dtype(made, "weight", qint4).weight) == (MinMaxObserver, "qint4", 1.0, 0)
    assert dtype_of(with_dtype(made, "output", torch.float16), "output") == torch.float16
    assert dtype_of(with_dtype(made, "output", None), "output") is None


def test_with_dtype_of_parts_that_have_no_observer():
    weight_only = QConfig(weight=FakeQuantize.with_args(ch_axis=0))
    made = with_dtype(weight_only, "output", qint16)
    assert facts(made.output) == (HistogramObserver, "qint16", 0.01, -1)
    like = get_qconfig(MinMaxObserver, fix_scale=True)
    made = with_dtype(weight_only, "output", qint16, like)
    assert facts(made.output) == (MinMaxObserver, "qint16", 0, -1)
    cast = QConfig(output=default_fp16_fake_cast, weight=default_fp32_fake_cast)
    assert facts(with_dtype(cast, "output", qint8, like).output)[0] is MinMaxObserver
    assert facts(with_dtype(cast, "weight", qint8).weight) == WEIGHT


def test_with_dtype_keeps_a_fixed_scale():
    made = QConfig(output=FakeQuantize.with_args(observer=FixedScaleObserver, scale=1 / 128))
    assert with_dtype(made, "output", qint16).output().scale.item() == 1 / 128


def test_an_input_each():
    made = with_dtype(get_qconfig(MSEObserver), "input", ["qint16", None, "float16"])
    assert dtype_of(made, "input") == [qint16, None, torch.float16]
    assert facts(made.input[0]) == (MSEObserver, "qint16", 0.01, -1)
    again = with_dtype(made, "input", (qint8, qint8))
    assert dtype_of(again, "input") == [qint8, qint8]
    assert facts(again.input[1]) == (HistogramObserver, "qint8", 0.01, -1)
    assert dtype_of(QConfig(input=[FakeQuantize, None]), "input") == [qint8, None]
    with pytest.raises(TypeError, match="a list of dtypes is for inputs"):
        with_dtype(made, "output", [qint8])


def test_parts_have_names():
    for use in (
        lambda: dtype_of(get_qconfig(), "bias"),
        lambda: with_dtype(QConfig(), "act", qint8),
    ):
        with pytest.raises(ValueError, match="there are input, weight, output"):
            use()


def test_factories():
    part = FakeQuantize.with_args(observer=MSEObserver)
    assert factory_dtype(part) == qint8
    assert factory_dtype(None) is None
    assert facts(factory_with_dtype(part, "qint16")) == (MSEObserver, "qint16", 0.01, -1)
    assert factory_with_dtype(default_fp16_fake_cast, qint16, like=part).func is FakeQuantize


def test_replace_qconfig_dtype():
    made = replace_qconfig_dtype(get_qconfig(MSEObserver), "qint16")
    assert facts(made.output) == facts(made.input) == (MSEObserver, "qint16", 0.01, -1)
    assert facts(made.weight) == WEIGHT
    made = replace_qconfig_dtype(
        QConfig(output=default_fp16_fake_cast, input=[FakeQuantize, None]), qint16
    )
    assert dtype_of(made, "output") == torch.float16
    assert dtype_of(made, "input") == [qint16, None]
    assert replace_qconfig_dtype(QConfig(weight=FakeQuantize), qint16).output is None


# By words, and ready-made


@pytest.mark.parametrize(
    ("word", "observer", "arguments"),
    [
        ("min_max", MinMaxObserver, {}),
        ("fixed_scale", FixedScaleObserver, {"scale": 0.5}),
        ("clip", ClipObserver, {"xmin": -1, "xmax": 1}),
        ("percentile", PercentileObserver, {"percentile": 99.0}),
        ("clip_std", ClipStd, {"std_scale": 2}),
        ("mse", MSEObserver, {"stride": 2}),
        ("kl", KLObserver, {"bins": 200}),
        ("mix", MixObserver, {}),
    ],
)
def test_words_of_observers(word, observer, arguments):
    made = get_default_qconfig(
        activation_observer=word, activation_qkwargs={"dtype": "qint16", **arguments}
    )
    quantizer = made.output()
    assert type(quantizer.activation_post_process) is observer
    assert quantizer.dtype == qint16
    for name, value in arguments.items():
        assert getattr(quantizer.activation_post_process, name) == value
    assert facts(made.weight) == WEIGHT


def test_words_of_weights():
    made = get_default_qconfig(weight_observer="mse", weight_qkwargs={"averaging_constant": 0})
    assert facts(made.weight) == (MSEObserver, "qint8", 0, 0)
    assert facts(made.output) == (MinMaxObserver, "qint8", 0.01, -1)
    fixed = get_default_qconfig(
        weight_observer="fixed_scale", weight_qkwargs={"scale": [0.5, 0.25], "ch_axis": 1}
    )
    assert fixed.weight().scale.tolist() == [0.5, 0.25]


def test_words_of_fake_quantizers():
    assert get_default_qconfig(activation_fake_quant=None).output is None
    assert get_default_qconfig(weight_fake_quant=None).weight is None
    learned = get_default_qconfig("lsq", "fake_quant")
    assert learned.output().learnable
    assert not learned.weight().learnable


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"activation_observer": "minmax"}, "there are min_max, fixed_scale, clip"),
        ({"activation_fake_quant": "pact"}, "use 'lsq'"),
        ({"weight_fake_quant": "dorefa"}, "there are fake_quant, lsq and None"),
    ],
)
def test_words_that_are_none(arguments, message):
    with pytest.raises(twofold.Error, match=message):
        get_default_qconfig(**arguments)


@pytest.mark.parametrize(
    ("made", "output"),
    [
        (get_default_qat_qconfig(), (MinMaxObserver, "qint8", 0.01, -1)),
        (get_default_qat_qconfig(16), (MinMaxObserver, "qint16", 0.01, -1)),
        (get_default_qat_qconfig(bits=16, backend=""), (MinMaxObserver, "qint16", 0.01, -1)),
        (
            get_default_qat_qconfig("qint16", activation_qkwargs={"averaging_constant": 0}),
            (MinMaxObserver, "qint16", 0, -1),
        ),
        (get_default_qat_out_qconfig(), None),
        (get_default_qat_out_qconfig(bits=8), None),
        (get_default_calib_qconfig(), (MSEObserver, "qint8", 0.01, -1)),
        (get_default_calib_qconfig(dtype="qint16"), (MSEObserver, "qint16", 0.01, -1)),
        (
            get_default_calib_qconfig(calib_qkwargs={"averaging_constant": 0.5}),
            (MSEObserver, "qint8", 0.5, -1),
        ),
    ],
)
def test_older_functions(made, output):
    assert facts(made.output) == output
    assert facts(made.weight) == WEIGHT


def test_arguments_of_older_functions():
    made = get_default_qat_qconfig(
        weight_dtype="qint16", weight_qkwargs={"averaging_constant": 0.5}
    )
    assert facts(made.weight) == (MinMaxObserver, "qint16", 0.5, 0)
    made = get_default_qat_out_qconfig(
        weight_dtype="qint4", weight_qkwargs={"averaging_constant": 0}
    )
    assert facts(made.weight) == (MinMaxObserver, "qint4", 0, 0)
    for function in (
        get_default_qat_qconfig, get_default_qat_out_qconfig, get_default_calib_qconfig
    ):  # fmt: skip
        with pytest.raises(twofold.Error, match="backend is 'fbgemm'"):
            function(backend="fbgemm")
        with pytest.raises(TypeError, match="7 is no dtype"):
            function(7)


INT8, INT16 = (MinMaxObserver, "qint8"), (MinMaxObserver, "qint16")


@pytest.mark.parametrize(
    ("name", "output"),
    [
        ("default_qat_8bit_fake_quant_qconfig", (*INT8, 0.01, -1)),
        ("default_qat_8bit_fixed_act_fake_quant_qconfig", (*INT8, 0, -1)),
        ("default_qat_8bit_weight_16bit_act_fake_quant_qconfig", (*INT16, 0.01, -1)),
        ("default_qat_8bit_weight_16bit_fixed_act_fake_quant_qconfig", (*INT16, 0, -1)),
        ("default_qat_8bit_weight_32bit_out_fake_quant_qconfig", None),
        ("default_qat_out_8bit_fake_quant_qconfig", None),
        ("default_qat_8bit_lsq_quant_qconfig", (*INT8, 0.01, -1)),
        ("default_calib_8bit_fake_quant_qconfig", (MSEObserver, "qint8", 0.01, -1)),
        (
            "default_calib_8bit_weight_16bit_act_fake_quant_qconfig",
            (MSEObserver, "qint16", 0.01, -1),
        ),
        ("default_calib_8bit_weight_32bit_out_fake_quant_qconfig", None),
        ("default_calib_out_8bit_fake_quant_qconfig", None),
        ("per_channel_qat_8bit_qconfig", (*INT8, 0.01, -1)),
    ],
)
def test_ready_made(name, output):
    made = getattr(qconfigs, name)
    assert facts(made.output) == output
    assert facts(made.weight) == WEIGHT
    assert made.input is None
    assert made.weight().learnable == ("lsq" in name)
    assert output is None or made.output().learnable == ("lsq" in name)


# FakeCast


def test_fake_cast_rounds_to_float16_and_passes_gradients():
    x = torch.tensor([1 / 3, 1e-8, -70000.0, 2049.0], requires_grad=True)
    made = default_fp16_fake_cast()
    y = made(x)
    assert y.dtype == torch.float32
    assert y.tolist() == [0.333251953125, 0.0, float("-inf"), 2048.0]
    (y * torch.tensor([1e-9, 2, 3, 4])).sum().backward()
    assert x.grad.tolist() == pytest.approx([1e-9, 2, 3, 4], rel=1e-6)
    y = default_fp32_fake_cast()(x)
    assert y is x


@pytest.mark.parametrize(
    ("state", "rounds"), [("qat", 1), ("calibration", 0), ("validation", 1), ("float", 0)]
)
def test_fake_cast_has_states(state, rounds):
    made = FakeCast(dtype="float16")
    set_fake_quantize(nn.Sequential(made), state)
    assert made(torch.tensor([2049.0])).item() == (2048 if rounds else 2049)


def test_switches_of_fake_cast():
    one, two = FakeCast(), FakeCast(torch.float16)
    x = torch.tensor([2049.0])
    for switch in (FakeCast, one, GlobalFakeQuantSwitch):
        try:
            switch.disable()
            assert one(x).item() == two(x).item() == 2049
        finally:
            switch.enable()
        assert one(x).item() == two(x).item() == 2048


def test_fake_cast_is_for_floats():
    with pytest.raises(ValueError, match=r"write FakeQuantize.with_args\(dtype=...\)"):
        FakeCast("qint8")
    with pytest.raises(TypeError, match="no dtype"):
        FakeCast(torch.bfloat16)
    assert not FakeCast.is_integer
    assert FakeQuantize.is_integer
    assert str(FakeCast()) == "FakeCast(dtype=torch.float16,min_val=-65504.0,max_val=65504.0)"
