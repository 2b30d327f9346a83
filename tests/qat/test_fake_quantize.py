"""FakeQuantize: numbers, gradients, states, checkpoints."""

import copy
import io
import pickle

import numpy as np
import pytest
import torch
import twofold
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.checkpoint import checkpoint
from twofold.dtype import ec, qint4, qint8, qint16
from twofold.quantization.fake_quantize import (
    DynamicFakeQuantize,
    FakeQuantize,
    FakeQuantState,
    PACTFakeQuantize,
    _LearnableFakeQuantize,
    default_8bit_fake_quant,
    default_weight_8bit_fake_quant,
    per_channel_8bit_fake_quant,
    set_fake_quantize,
)
from twofold.quantization.observer_v2 import (
    FixedScaleObserver,
    HistogramObserver,
    MinMaxObserver,
    MSEObserver,
)
from twofold.utils.quant_switch import GlobalFakeQuantSwitch

F32 = np.float32
BOUNDS = {"qint4": (-8, 7), "qint8": (-128, 127), "qint16": (-32768, 32767)}


def quantized(x, scale, zero_point=0, low=-128, high=127):
    """docs/numerics.md, rule 1, in NumPy."""
    x, scale = np.float32(x), np.float32(scale)
    q = np.clip(np.rint(x / scale) + np.float32(zero_point), low, high)
    q = np.where(np.isnan(q), np.float32(zero_point), q)
    return ((q - np.float32(zero_point)) * scale).astype(F32), q.astype(np.int32)


def fixed(scale, **arguments):
    return FakeQuantize(observer=FixedScaleObserver, scale=scale, **arguments)


def in_state(quantizer, state):
    set_fake_quantize(quantizer, state)
    return quantizer


def adversarial(scale, seed=0):
    random = np.random.default_rng(seed)
    ties = (np.arange(-300, 300) + 0.5) * scale
    ends = scale * np.float32(
        [126.5, 127, 127.4, 127.5, 128, -127.5, -128, -128.5, -129, 1e9, -1e9]
    )
    special = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-42, -1e-42]
    return np.float32([*ties, *ends, *special, *random.normal(0, 100 * scale, 500)])


# Numbers


@pytest.mark.parametrize("dtype", ["qint4", "qint8", "qint16"])
@pytest.mark.parametrize("scale", [1 / 128, 0.1, 3e-5, 7.0])
def test_rounds_as_numerics_says(dtype, scale):
    x = adversarial(F32(scale))
    made = in_state(fixed(scale, dtype=dtype), "validation")
    expected, integers = quantized(x, scale, 0, *BOUNDS[dtype])
    np.testing.assert_array_equal(made(torch.from_numpy(x)).numpy(), expected)
    np.testing.assert_array_equal(made.integers(torch.from_numpy(x)).numpy(), integers)
    assert made.integers(torch.from_numpy(x)).dtype == torch.int32


def test_zero_points():
    x = adversarial(F32(0.25))
    made = in_state(fixed(0.25, zero_point=-100), "validation")
    expected, integers = quantized(x, 0.25, -100)
    np.testing.assert_array_equal(made(torch.from_numpy(x)).numpy(), expected)
    np.testing.assert_array_equal(made.integers(torch.from_numpy(x)).numpy(), integers)
    assert made.grid() == ("int8", [0.25], [-100])


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_scale_for_each_channel(axis):
    x = np.random.default_rng(axis).normal(size=(3, 4, 5)).astype(F32) * F32(3)
    made = FakeQuantize(observer=MinMaxObserver, ch_axis=axis, averaging_constant=1)
    y = made(torch.from_numpy(x)).numpy()
    others = tuple(i for i in range(3) if i != axis)
    scale = np.abs(x).max(axis=others, keepdims=True) / F32(127)
    expected, integers = quantized(x, scale)
    np.testing.assert_array_equal(y, expected)
    np.testing.assert_array_equal(made.integers(torch.from_numpy(x)).numpy(), integers)
    assert made.scale.shape == made.zero_point.shape == made.steps.shape == (x.shape[axis],)


def test_ec_has_two_digits():
    scale = F32(0.5)
    x = adversarial(scale)
    x = x[np.isfinite(x)]
    x = np.r_[x, np.random.default_rng(1).normal(0, 20, 300).astype(F32)]
    made = in_state(fixed(scale, dtype=ec), "validation")
    first, q1 = quantized(x, scale)
    rest = scale / F32(254)
    q2 = quantized(x - first, rest)[1]
    v = 254 * q1 + q2
    np.testing.assert_array_equal(made(torch.from_numpy(x)).numpy(), v.astype(F32) * rest)
    np.testing.assert_array_equal(made.integers(torch.from_numpy(x)).numpy(), v)
    assert made.grid() == ("ec", [0.5], [0])
    observed = FakeQuantize(observer=MinMaxObserver, dtype="ec")
    observed(torch.tensor([2.0, -4.0]))
    assert observed.scale == F32(4) / F32(127)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_float_dtypes_are_rounded_in_float32(dtype):
    x = torch.randn(100).to(dtype).requires_grad_()
    made = in_state(fixed(0.1), "validation")
    y = made(x)
    assert y.dtype == dtype
    expected = torch.from_numpy(quantized(x.detach().float().numpy(), 0.1)[0])
    assert torch.equal(y, expected.to(dtype))
    y.sum().backward()
    assert x.grad.eq(1).all()
    with pytest.raises(twofold.Error, match="int64 numbers cannot be quantized"):
        made(torch.ones(2, dtype=torch.int64))


def test_dtype_and_bounds():
    made = FakeQuantize(observer=MSEObserver, dtype="qint16")
    assert (made.dtype, made.quant_min, made.quant_max) == (qint16, -32768, 32767)
    assert (made.ch_axis, made.qscheme) == (-1, torch.per_tensor_symmetric)
    assert FakeQuantize(ch_axis=1).qscheme == torch.per_channel_symmetric
    assert FakeQuantize(qscheme=torch.per_channel_symmetric, ch_axis=0).ch_axis == 0
    assert isinstance(made.activation_post_process, MSEObserver)


def test_channel_len_and_device():
    made = FakeQuantize(MinMaxObserver, 6, ch_axis=0)
    assert made.scale.tolist() == [1] * 6
    with pytest.raises(ValueError, match="channel_len is 6, but there is one scale; give ch_axis"):
        FakeQuantize(MinMaxObserver, 6)
    there = FakeQuantize(MinMaxObserver, factory_kwargs={"device": "meta"})
    assert there.scale.device.type == there.steps.device.type == "meta"


@pytest.mark.parametrize("observer", [None, "min_max", nn.Linear, MinMaxObserver()])
def test_what_is_no_observer(observer):
    with pytest.raises(TypeError, match="it must be a class of twofold.quantization.observer_v2"):
        FakeQuantize(observer=observer)


def test_an_observer_with_arguments():
    made = FakeQuantize(MinMaxObserver.with_args(averaging_constant=0.5), dtype=qint16)
    assert made.activation_post_process.averaging_constant == 0.5
    assert made.dtype == qint16


# Gradients


def test_gradients_stop_at_the_ends():
    x = torch.tensor([-129.0, -128, -1, 0, 126.6, 127, 128, 1000], requires_grad=True)
    weight = torch.arange(1.0, 9)
    (in_state(fixed(1.0), "validation")(x) * weight).sum().backward()
    assert x.grad.tolist() == [0, 2, 3, 4, 5, 6, 0, 0]


@pytest.mark.parametrize("learnable", [False, True])
def test_all_gradients_pass_without_saturate(learnable):
    x = torch.tensor([-1000.0, 0.4, 1000], requires_grad=True)
    made = FakeQuantize(MinMaxObserver, saturate=False, learnable=learnable)
    made.set_qparams(1.0)
    y = in_state(made, "validation")(x)
    assert y.tolist() == [-128, 0, 127]
    (y * torch.tensor([1.0, 2, 3])).sum().backward()
    assert x.grad.tolist() == [1, 2, 3]
    if learnable:
        assert made.scale.grad is not None


def test_learned_scale():
    # LSQ: d y / d scale is q - x / scale inside, the bound outside; times 1 / sqrt(n * 127).
    x = torch.tensor([0.3, 1.6, -0.75, 100.0, -100.0], requires_grad=True)
    made = FakeQuantize(MinMaxObserver, learnable=True)
    made.set_qparams(0.5)
    in_state(made, "qat")
    weight = torch.tensor([1.0, 2, 3, 4, 5])
    (made(x) * weight).sum().backward()
    slopes = np.array([1 - 0.6, 3 - 3.2, -2 + 1.5, 127, -128])
    expected = (slopes * weight.numpy()).sum() / np.sqrt(5 * 127)
    np.testing.assert_allclose(made.scale.grad, [expected], rtol=1e-5)
    assert x.grad.tolist() == [1, 2, 3, 0, 0]
    assert isinstance(made.scale, nn.Parameter)


def test_learned_scales_of_channels():
    x = torch.tensor([[0.3, 0.9], [4.0, 300.0]])
    made = FakeQuantize(MinMaxObserver, 2, learnable=True, ch_axis=0)
    made.set_qparams([0.5, 2.0])
    made(x).sum().backward()
    expected = np.array([(1 - 0.6) + (2 - 1.8), 0 + 127]) / np.sqrt(2 * 127)
    np.testing.assert_allclose(made.scale.grad, expected, rtol=1e-5)


def test_a_learned_scale_starts_at_what_is_observed_and_stays_there():
    made = FakeQuantize(MinMaxObserver, learnable=True)
    made(torch.tensor([2.0, -3.0]))
    assert made.scale.item() == F32(3) / F32(127)
    made(torch.tensor([100.0]))
    assert made.scale.item() == F32(3) / F32(127)
    in_state(made, "calibration")(torch.tensor([100.0]))
    assert made.scale.item() > F32(3) / F32(127)


def test_a_learned_scale_stays_above_0():
    made = FakeQuantize(MinMaxObserver, learnable=True)
    made.set_qparams(0.5)
    made.scale.data.fill_(-1.0)
    assert made(torch.tensor([1.0])).item() == 127 * 2.0**-23
    assert made.scale.item() == 2.0**-23


@pytest.mark.parametrize(
    "arguments", [{"observer": FixedScaleObserver, "scale": 1}, {"dtype": "ec"}]
)
def test_what_cannot_be_learned(arguments):
    with pytest.raises(ValueError, match="cannot be learnable"):
        FakeQuantize(**arguments, learnable=True)


def test_called_twice_before_one_backward():
    x = torch.tensor([1.0, -2.0], requires_grad=True)
    made = FakeQuantize(MinMaxObserver, averaging_constant=0.5)
    (made(x) + made(3 * x)).sum().backward()  # ranges 2 and (2 + 6) / 2
    assert x.grad.tolist() == [1 + 3, 1 + 0]
    x.grad = None
    learned = FakeQuantize(MinMaxObserver, learnable=True)
    (learned(x) + learned(3 * x)).sum().backward()  # range 2
    assert x.grad.tolist() == [1, 1]


# States


def test_values_of_states():
    assert FakeQuantState.QAT == "qat"
    assert FakeQuantState.CALIBRATION == "calibration"
    assert FakeQuantState.VALIDATION == "validation"
    assert FakeQuantState._FLOAT == "float"


@pytest.mark.parametrize(
    ("state", "moves", "rounds"),
    [("qat", 1, 1), ("calibration", 1, 0), ("validation", 0, 1), ("float", 0, 0)],
)
@pytest.mark.parametrize("training", [True, False])
def test_what_states_do(state, moves, rounds, training):
    made = FakeQuantize(MinMaxObserver, averaging_constant=0.5).train(training)
    made.set_qparams(1.0)
    x = torch.tensor([0.4, 2.0])
    y = in_state(made, FakeQuantState(state))(x)
    after = F32(1) + F32(0.5) * (F32(2) / F32(127) - F32(1))
    assert made.scale.item() == (after if moves else 1.0)
    assert torch.equal(y, x) == (not rounds)
    assert made.observer_enabled[0] == bool(made.observer_enabled) == moves
    assert made.fake_quant_enabled[0] == made.fake_quant_enabled.item() == rounds
    assert made.fake_quant_state == state


def test_flags():
    made = FakeQuantize(MinMaxObserver, averaging_constant=1)
    made.set_qparams(1.0)
    made.disable_observer()
    made(torch.tensor([5.0]))
    assert made.scale.item() == 1
    made.enable_observer()
    made.disable_fake_quant()
    assert made(torch.tensor([0.4])).item() == F32(0.4)
    assert made.scale.item() == F32(0.4) / F32(127)
    made.enable_fake_quant()
    assert made.fake_quant_enabled[0] == 1
    with pytest.raises(ValueError, match="read-only"):
        made.fake_quant_enabled[0] = 0
    made.disable_observer()
    in_state(made, "qat")
    assert made.observer_enabled[0] == 1


@pytest.mark.parametrize("state", ["QAT", "train", None, 1])
def test_what_is_no_state(state):
    with pytest.raises(ValueError, match='there are "qat", "calibration", "validation", "float"'):
        set_fake_quantize(FakeQuantize(), state)


class Net(nn.Module):
    def __init__(self, **arguments):
        super().__init__()
        self.a = FakeQuantize(**arguments)
        self.part = nn.ModuleDict({"b": FakeQuantize(**arguments)})
        self.fixed = fixed(0.5)
        self.reach_b = True

    def forward(self, x):
        x = self.fixed(self.a(x))
        return self.part["b"](x) if self.reach_b else x


def test_a_part_has_its_own_state():
    net = in_state(Net(), "calibration")
    set_fake_quantize(net.part, FakeQuantState.QAT)
    assert net.a.fake_quant_state == "calibration"
    assert net.part["b"].fake_quant_state == "qat"


def test_validation_without_a_scale_is_an_error_that_says_where():
    net = in_state(Net(), "validation")
    net.a.name = "a.activation_post_process"
    with pytest.raises(
        twofold.Error, match=r"^a.activation_post_process: there is no scale .*CALIBRATION, load"
    ):
        net(torch.ones(2))
    assert net.fixed(torch.ones(2)).tolist() == [1, 1]


def test_qat_that_may_not_observe_needs_a_scale():
    made = FakeQuantize(averaging_constant=0)
    with pytest.raises(twofold.Error, match="averaging_constant is 0"):
        made(torch.ones(2))
    in_state(made, "calibration")(torch.ones(2))
    in_state(made, "qat")(torch.full((2,), 5.0))
    assert made.scale.item() == F32(1) / F32(127)
    off = FakeQuantize()
    off.disable_observer()
    with pytest.raises(twofold.Error, match="there is no scale"):
        off(torch.ones(2))
    for ask in (off.grid, off.calculate_qparams):
        with pytest.raises(twofold.Error, match="there is no scale"):
            ask()


def test_what_calibration_did_not_reach_is_listed(caplog):
    net = Net(averaging_constant=0)
    net.part["b"].name = "the.second"
    set_fake_quantize(net, "validation")  # to be loaded yet
    in_state(net, "calibration")
    set_fake_quantize(net, "calibration")
    net.reach_b = False
    net(torch.ones(3))
    assert not caplog.records
    set_fake_quantize(net, "validation")
    (record,) = caplog.records
    assert record.name == "twofold.quantization"
    assert "did not reach 1 fake quantizers" in record.message
    assert "the.second" in record.message
    assert net(torch.ones(3)).tolist() == [1, 1, 1]


def test_a_model_without_fake_quantizers_is_said(caplog):
    set_fake_quantize(nn.Linear(2, 2), "qat")
    assert "no fake quantizers in this Linear" in caplog.text


def test_operators_are_told_of_validation():
    class Operator(nn.Module):
        is_validated = False

    operator = Operator()
    set_fake_quantize(operator, "validation")
    assert operator.is_validated is True
    set_fake_quantize(operator, "qat")
    assert operator.is_validated is False


def test_calibration_refuses_nan_and_training_steps_over_it():
    made = in_state(FakeQuantize(averaging_constant=1), "calibration")
    made.name = "conv.activation_post_process"
    with pytest.raises(twofold.Error, match="conv.activation_post_process: the tensor holds NaN"):
        made(torch.tensor([1.0, np.nan]))
    made(torch.tensor([1.0]))
    y = in_state(made, "qat")(torch.tensor([1.0, np.nan, np.inf]))
    np.testing.assert_array_equal(y, np.float32([1, 0, F32(1) / F32(127) * F32(127)]))
    assert made.scale.item() == F32(1) / F32(127)


def test_histograms_keep_calibration_apart_from_training():
    made = in_state(FakeQuantize(HistogramObserver), "calibration")
    x = torch.randn(1000)
    made(x)
    made(2 * x)
    assert made.activation_post_process.statistics.count == 2000
    before = made.scale.item()
    in_state(made, "qat")(100 * x)
    assert made.activation_post_process.statistics.count == 2000
    assert before < made.scale.item() < 3 * before


def test_a_recomputed_forward_is_not_observed_again():
    for use_reentrant in (True, False):
        made = FakeQuantize(averaging_constant=0.5)
        made.set_qparams(1.0)
        x = torch.tensor([1.0, -127.0 * 3], requires_grad=True)
        checkpoint(made, x, use_reentrant=use_reentrant).sum().backward()
        assert made.scale.item() == 2
        assert x.grad.tolist() == [1, 0]


def test_the_switch_makes_a_part_float():
    net = in_state(Net(), "qat")
    x = torch.tensor([0.3, 2.0])
    try:
        GlobalFakeQuantSwitch.disable()
        assert not GlobalFakeQuantSwitch.is_enabled()
        assert torch.equal(net(x), x)
        assert torch.equal(in_state(net, "validation")(x), x)
        assert not net.a.is_calibrated
    finally:
        GlobalFakeQuantSwitch.enable()
    assert not torch.equal(in_state(net, "qat")(x), x)
    assert net.a.is_calibrated


def test_it_compiles_whole_once_there_is_a_scale():
    net = nn.Sequential(FakeQuantize(averaging_constant=0.5), nn.Linear(4, 4), FakeQuantize())
    net(torch.randn(5, 4))
    twin = copy.deepcopy(net)
    compiled = torch.compile(twin, fullgraph=True, backend="aot_eager")
    for _ in range(3):
        x = torch.randn(5, 4)
        assert torch.equal(compiled(x), net(x))
    assert torch.equal(twin[0].scale, net[0].scale)


# Scales that are set, moved, loaded


def test_set_qparams():
    made = FakeQuantize(averaging_constant=0)
    made.set_qparams(0.5, 3)
    assert made.calculate_qparams() == (torch.tensor([0.5]), torch.tensor([3]))
    assert made(torch.tensor([1.26])).item() == 1.5
    made.set_qparams(torch.tensor(0.25))
    assert (made.scale.item(), made.zero_point.item()) == (0.25, 0)
    for wrong in (0, -1.0, np.nan, np.inf):
        with pytest.raises(ValueError, match="it must be above 0"):
            made.set_qparams(wrong)
    with pytest.raises(ValueError, match="there is one scale, not 2"):
        made.set_qparams([1.0, 2.0])
    channels = FakeQuantize(ch_axis=1)
    channels.set_qparams([0.5, 0.25])
    assert channels.grid() == ("int8", [0.5, 0.25], [0, 0])
    with pytest.raises(twofold.Error, match="3 channels along axis 1, but there are 2 scales"):
        channels(torch.ones(2, 3))


@pytest.mark.parametrize("channel_len", [1, 3])
def test_one_scale_for_all_channels(channel_len):
    x = torch.tensor([[0.4], [0.9], [70.0]])
    made = FakeQuantize(ch_axis=0, channel_len=channel_len, averaging_constant=0)
    made.set_qparams(0.5, 1)
    assert made(x).tolist() == [[0.5], [1.0], [63.0]]
    assert made.integers(x).tolist() == [[2], [3], [127]]
    given = fixed(0.5, ch_axis=0, qscheme=torch.per_channel_symmetric)
    assert in_state(given, "validation")(x).tolist() == [[0.5], [1.0], [63.5]]


def test_buffers_are_written_in_place():
    made = FakeQuantize(averaging_constant=1)
    held = made.scale
    made(torch.tensor([127.0]))
    made.set_qparams(3.0)
    assert held is made.scale
    assert held.item() == 3


def test_calibrating_in_inference_mode_leaves_a_model_that_trains():
    made = in_state(FakeQuantize(ch_axis=0, averaging_constant=0.5), "calibration")
    with torch.inference_mode():
        made(torch.tensor([[1.0], [2.0]]))
    x = torch.tensor([[1.0], [2.0]], requires_grad=True)
    in_state(made, "qat")(x).sum().backward()
    assert x.grad.eq(1).all()


@pytest.mark.parametrize("learnable", [False, True])
@pytest.mark.parametrize("method", ["half", "bfloat16", "double"])
def test_scales_stay_float32(learnable, method):
    made = FakeQuantize(learnable=learnable)
    made.set_qparams(0.1)
    getattr(nn.Sequential(made), method)()
    assert made.scale.dtype == torch.float32
    assert made.scale.item() == F32(0.1)
    assert isinstance(made.scale, nn.Parameter) == learnable


def test_copies():
    made = in_state(FakeQuantize(HistogramObserver), "calibration")
    made.name = "here"
    made(torch.randn(100))
    buffer = io.BytesIO()
    torch.save(made, buffer)
    buffer.seek(0)
    loaded = torch.load(buffer, weights_only=False)
    for other in (copy.deepcopy(made), pickle.loads(pickle.dumps(made)), loaded):
        assert other.name == "here"
        assert other.fake_quant_state == "calibration"
        assert torch.equal(other.scale, made.scale)
        assert other.activation_post_process.statistics.count == 100
        other(torch.ones(1) * 100)
        assert made.activation_post_process.statistics.count == 100
        assert not torch.equal(other.scale, made.scale)


@pytest.mark.parametrize("make", [MinMaxObserver, MSEObserver, HistogramObserver])
@pytest.mark.parametrize("dtype", [qint8, qint16, ec])
@pytest.mark.parametrize("state", list(FakeQuantState))
def test_keys_and_shapes_are_always_the_same(make, dtype, state):
    made = FakeQuantize(make, dtype=dtype)
    made(torch.ones(3))
    content = in_state(made, state).state_dict()
    assert {key: tuple(v.shape) for key, v in content.items()} == {
        "scale": (1,), "zero_point": (1,), "steps": (1,)
    }  # fmt: skip
    learned = FakeQuantize(learnable=True).state_dict()
    assert list(learned) == list(content)


def loaded(into, source):
    """`source`'s checkpoint, strictly, by way of a file."""
    buffer = io.BytesIO()
    torch.save(source.state_dict(), buffer)
    buffer.seek(0)
    into.load_state_dict(torch.load(buffer))
    return into


def test_a_checkpoint_crosses_observers_and_states():
    source = in_state(Net(observer=HistogramObserver), "calibration")
    source(torch.randn(500))
    target = in_state(Net(observer=MinMaxObserver, averaging_constant=0), "validation")
    loaded(target, source)
    assert target.a.fake_quant_state == "validation"
    x = torch.randn(50)
    assert torch.equal(target(x), in_state(source, "validation")(x))
    learned = loaded(Net(learnable=True), source)
    assert torch.equal(learned.a.scale.data, source.a.scale)
    assert torch.equal(loaded(Net(), learned).a.scale, source.a.scale)


def test_a_scale_that_nobody_set_is_not_one_after_loading():
    source = in_state(Net(averaging_constant=0), "calibration")
    source.reach_b = False
    source(torch.randn(500))
    target = in_state(loaded(Net(averaging_constant=0), source), "validation")
    assert target.a.is_calibrated
    with pytest.raises(twofold.Error, match="there is no scale"):
        target(torch.ones(2))
    target.part["b"].set_qparams(1.0)
    loaded(target, Net())
    assert not target.part["b"].is_calibrated


@pytest.mark.parametrize(("first", "second"), [(qint8, qint16), (qint16, qint8), (qint8, qint4)])
def test_another_dtype_keeps_the_threshold(first, second):
    source, target = FakeQuantize(dtype=first), FakeQuantize(dtype=second)
    source(torch.tensor([3.0, -0.5]))
    loaded(target, source)
    np.testing.assert_allclose(target.scale, [3 / target.dtype.steps], rtol=2e-7)
    assert target.steps.item() == second.steps
    same = loaded(FakeQuantize(dtype=first), source)
    assert torch.equal(same.scale, source.scale)


def test_int8_and_ec_have_one_scale():
    source = FakeQuantize()
    source(torch.tensor([3.0]))
    assert torch.equal(loaded(FakeQuantize(dtype=ec), source).scale, source.scale)


def test_a_zero_point_does_not_cross_dtypes():
    source = FakeQuantize()
    source.set_qparams(1.0, 5)
    assert loaded(FakeQuantize(), source).zero_point.item() == 5
    with pytest.raises(RuntimeError, match="zero_point: that of one dtype says nothing"):
        FakeQuantize(dtype=qint16).load_state_dict(source.state_dict())


def test_fixed_scales_stay_whatever_is_loaded(caplog):
    caplog.set_level("INFO")
    source = FakeQuantize()
    source(torch.tensor([3.0]))
    target = loaded(fixed(1 / 128, zero_point=2), source)
    assert target.scale.item() == 1 / 128
    assert target.zero_point.item() == 2
    assert "its scale is fixed; the checkpoint's is not taken" in caplog.text
    assert loaded(FakeQuantize(), fixed(1 / 128)).scale.item() == 1 / 128


def test_numbers_of_scales_that_differ():
    one, many = FakeQuantize(), FakeQuantize(ch_axis=0)
    one.set_qparams(0.5)
    many.set_qparams([1.0, 2.0, 3.0])
    assert loaded(FakeQuantize(ch_axis=0), many).scale.tolist() == [1, 2, 3]
    assert loaded(FakeQuantize(ch_axis=0, channel_len=3), many).scale.tolist() == [1, 2, 3]
    assert loaded(FakeQuantize(ch_axis=0, channel_len=3), one).grid()[1] == [0.5] * 3
    learned = loaded(FakeQuantize(ch_axis=0, learnable=True), many)
    learned(torch.ones(3, 2)).sum().backward()
    assert learned.scale.grad.shape == (3,)
    with pytest.raises(RuntimeError, match="3 scales, one per channel, and the model has one"):
        FakeQuantize().load_state_dict(many.state_dict())
    with pytest.raises(RuntimeError, match="size mismatch"):
        FakeQuantize(ch_axis=0, channel_len=4).load_state_dict(many.state_dict())


def test_checkpoints_of_other_implementations():
    content = {
        "scale": torch.tensor([0.5]),
        "zero_point": torch.tensor([0]),
        "fake_quant_enabled": torch.tensor([1]),
        "activation_post_process.min_val": torch.tensor(-1.0),
    }
    made = FakeQuantize(averaging_constant=0)
    made.load_state_dict({**content, "steps": torch.tensor([127])})
    assert made.scale.item() == 0.5
    with pytest.raises(RuntimeError, match="steps"):
        made.load_state_dict({"zero_point": torch.tensor([0])})
    again = FakeQuantize(averaging_constant=0)
    again.load_state_dict(content)
    assert again.is_calibrated


def test_an_averaged_checkpoint_is_not_of_another_dtype():
    source = FakeQuantize(dtype=qint16)
    source(torch.tensor([3.0]))
    content = source.state_dict()
    content["steps"] = content["steps"] - 1  # 0.9999 * 32767 + 0.0001 * 32767, cut to an integer
    target = FakeQuantize(dtype=qint16)
    target.load_state_dict(content)
    assert torch.equal(target.scale, source.scale)


def test_averaged_models_have_averaged_scales():
    net = Net(averaging_constant=1)
    net(torch.tensor([127.0]))
    averaged = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(0.75), use_buffers=True)
    averaged.update_parameters(net)
    net(torch.tensor([254.0]))
    averaged.update_parameters(net)
    assert averaged.module.a.scale.item() == 1.25
    assert in_state(averaged, "validation").module.a.is_calibrated
    assert averaged(torch.tensor([1.3])).item() == 1


# Ready-made ones


def test_ready_made():
    x = torch.tensor([[1.0, -2.0], [0.5, 0.25]])
    made = default_8bit_fake_quant()
    made(x)
    assert made.scale.tolist() == [F32(2) / F32(127)]
    for factory in (default_weight_8bit_fake_quant, per_channel_8bit_fake_quant):
        made = factory()
        made(x)
        assert made.scale.tolist() == [F32(2) / F32(127), F32(0.5) / F32(127)]
    weight = default_weight_8bit_fake_quant()
    weight(x)
    weight(x / 2)
    assert weight.scale.tolist() == [F32(1) / F32(127), F32(0.25) / F32(127)]
    in_state(weight, "calibration")(x)
    assert weight.scale.tolist() == [F32(2) / F32(127), F32(0.5) / F32(127)]
    assert _LearnableFakeQuantize(MinMaxObserver).learnable


@pytest.mark.parametrize("cls", [PACTFakeQuantize, DynamicFakeQuantize])
def test_refused(cls):
    for use in (cls, cls.with_args):
        with pytest.raises(twofold.Error, match=f"{cls.__name__}: .* use FakeQuantize"):
            use()


def test_text():
    made = fixed(0.5)
    assert "FakeQuantize" in type(made).__name__
    assert "dtype=qint8, ch_axis=-1, scale=0.5, state=qat" in str(made)
    assert "scale=none yet" in str(FakeQuantize())
