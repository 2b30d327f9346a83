"""PrepareMethod.EAGER: modules alone become operators, and groups are those that are declared."""

import copy
import pickle
from pathlib import Path

import numpy as np
import pytest
import qat_networks as networks
import torch
import twofold
from torch import nn
from torch.ao.nn.quantized import FloatFunctional as TorchFloatFunctional
from twofold import nn as tnn
from twofold.dtype import qint16
from twofold.nn.quantized import FloatFunctional
from twofold.qat_mode import set_qat_mode
from twofold.quantization import (
    DeQuantStub,
    FakeQuantize,
    FakeQuantState,
    PrepareMethod,
    QConfig,
    QuantStub,
    export,
    fuse_known_modules,
    fuse_modules,
    get_default_qat_qconfig,
    get_qconfig,
    prepare,
    prepare_qat,
    set_fake_quantize,
)
from twofold.quantization.observer_v2 import MinMaxObserver
from twofold.quantization.qconfig_template import (
    ModuleNameQconfigSetter,
    default_qat_qconfig_setter,
)
from twofold.utils.check_model import check_qat_model

SETTER = default_qat_qconfig_setter


class Net(nn.Module):
    """A module of each kind, and a functional call between two of them: [N,3,8,8] to [N,4]."""

    def __init__(self, functional=FloatFunctional):
        super().__init__()
        self.quant, self.dequant = QuantStub(), DeQuantStub()
        self.conv, self.bn = nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8)
        nn.init.uniform_(self.bn.running_var, 0.5, 2)
        nn.init.normal_(self.bn.running_mean)
        self.relu, self.conv2 = nn.ReLU(inplace=True), nn.Conv2d(8, 8, 3, padding=1)
        self.skip, self.relu2 = functional(), nn.ReLU()
        self.head = nn.Linear(8, 4)

    def forward(self, x):
        x = self.relu(self.bn(self.conv(self.quant(x))))
        x = self.relu2(self.skip.add(self.conv2(x), x))
        return self.dequant(self.head(torch.tanh(x.mean((2, 3)))))


@pytest.fixture
def net():
    torch.manual_seed(0)
    return Net().eval()


@pytest.fixture
def x():
    return torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(1))


def quantizers(model):
    return {
        name.removesuffix(".activation_post_process")
        for name, module in model.named_modules()
        if isinstance(module, FakeQuantize)
    }


def outputs(*names):
    return set(names)


def calibrated(model, x):
    set_fake_quantize(model.eval(), FakeQuantState.CALIBRATION)
    model(x)
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    return model


def test_every_module_is_quantized_and_no_functional_call(net, x):
    model = prepare(net, None, SETTER, PrepareMethod.EAGER)
    modules = outputs("quant", "conv", "bn", "relu", "conv2", "skip", "relu2", "head")
    weights = {f"{name}.weight_fake_quant" for name in ("conv", "conv2", "head")}
    assert quantizers(model) == modules | weights
    assert not any("_generated_" in name for name, _ in model.named_modules())
    set_fake_quantize(model, FakeQuantState._FLOAT)
    torch.testing.assert_close(model(x), net(x), rtol=1e-5, atol=1e-5)


def test_a_module_rounds_as_it_would_by_hand(x):
    """conv: weight and result rounded, input as it comes (this one from no module)."""
    torch.manual_seed(0)
    conv = nn.Conv2d(3, 8, 3)
    model = prepare_qat(nn.Sequential(conv), qconfig_setter=SETTER)
    found = model(x).dequantize().detach().numpy()
    weight = conv.weight.detach().numpy()
    steps = np.abs(weight).max((1, 2, 3), keepdims=True) / np.float32(127)
    rounded = torch.tensor(np.clip(np.round(weight / steps), -128, 127) * steps)
    y = nn.functional.conv2d(x, rounded, conv.bias).detach().numpy()
    step = np.float32(np.abs(y).max()) / np.float32(127)
    np.testing.assert_allclose(found, np.round(y / step) * step, rtol=0, atol=1.01 * step)
    assert np.abs(found / step - np.round(found / step)).max() < 1e-3


@pytest.mark.parametrize("functional", [FloatFunctional, TorchFloatFunctional])
def test_a_float_functional_is_one_operator_at_its_path(functional, x):
    torch.manual_seed(0)
    model = prepare(Net(functional).eval(), None, SETTER, "eager")
    model(x)
    step = model.skip.activation_post_process.scale
    seen = {}
    model.relu2.register_forward_pre_hook(lambda _, args: seen.update(x=args[0].dequantize()))
    model(x)
    integers = seen["x"] / step
    torch.testing.assert_close(integers, integers.round(), rtol=0, atol=1e-3)
    assert model.skip.op.name == "add"


def test_a_float_functional_is_for_one_call(x):
    class Two(Net):
        def forward(self, x):
            x = self.quant(x)
            return self.dequant(self.skip.mul(self.skip.add(x, x), x))

    model = prepare(Two().eval(), None, SETTER, "eager")
    with pytest.raises(twofold.Error, match="is for one call; this one is add and mul"):
        model(x)


def test_add_relu_of_a_float_functional_is_rounded_once(x):
    class AddRelu(Net):
        def forward(self, x):
            x = self.quant(x)
            return self.dequant(self.skip.add_relu(x, x))

    network = AddRelu().eval()
    model = calibrated(prepare(network, None, SETTER, "eager"), x)
    step = model.skip.activation_post_process.scale.item()
    torch.testing.assert_close(model(x), network(x), rtol=0, atol=1.6 * step)
    assert model(x).min() == 0 and model.skip.clamp == ("relu", {})


def test_example_inputs_say_who_feeds_whom(net, x):
    """What tanh gives nobody has quantized: the head makes integers of it. relu2's is float."""
    model = prepare(net, x, SETTER, PrepareMethod.EAGER)
    assert "head.activation_pre_process.0" in quantizers(model)
    assert "head" not in quantizers(model)  # only a DeQuantStub reads it
    assert "relu2" not in quantizers(model)  # only a functional call does
    blind = prepare(net, None, SETTER, PrepareMethod.EAGER)
    assert not any("activation_pre_process" in name for name in quantizers(blind))


@pytest.mark.parametrize("with_inputs", [False, True])
def test_what_is_validated_is_exported(net, x, with_inputs, tmp_path):
    model = calibrated(prepare(net, x if with_inputs else None, SETTER, "eager"), x)
    expected = model(x)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert torch.equal(other(x), expected)
    result = export(model, (x,), tmp_path / "m.onnx").session().run({"input_0": x.numpy()})
    scale = expected.abs().max().item()
    np.testing.assert_allclose(result["output_0"], expected.detach(), rtol=0, atol=1e-5 * scale)


def test_gradients_reach_every_parameter(net, x):
    model = prepare(net, None, SETTER, "eager").train()
    model(x).square().sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_an_input_of_its_own_is_where_a_qconfig_asks(net, x):
    wide = get_qconfig(MinMaxObserver, in_dtype=qint16)
    setters = (ModuleNameQconfigSetter({"conv2": wide}), SETTER)
    model = prepare(net, None, setters, "eager")
    assert model.conv2.activation_pre_process["0"].dtype == qint16
    assert not hasattr(model.conv, "activation_pre_process")


def test_module_qconfigs_are_the_classic_way(net, x):
    net.qconfig = get_default_qat_qconfig()
    net.head.qconfig = None
    model = prepare_qat(net)
    assert not hasattr(model.head, "weight_fake_quant")
    assert hasattr(model.conv, "weight_fake_quant") and net.conv is not model.conv
    assert prepare_qat(net, inplace=True) is net


def test_a_target_without_two_wide_inputs_takes_one_back(net, x):
    """What feeds conv is not known: as its own output is 16 bits, so is taken to be its input."""
    wide = get_qconfig(MinMaxObserver, qint16, qint16, qint16)
    narrow = prepare(net, None, ModuleNameQconfigSetter({"conv": wide}), "eager", target="cpu")
    assert narrow.conv.weight_fake_quant.dtype == qint16
    strict = prepare(
        net, None, ModuleNameQconfigSetter({"conv": wide}), "eager", target="journey6-oe3.1"
    )
    assert strict.conv.weight_fake_quant.dtype == "qint8"


def test_reports_need_a_run(net, x, capsys):
    model = prepare(net, None, SETTER, "eager")
    assert not Path("model_check_result.txt").exists()
    with pytest.raises(twofold.Error, match="runs the model: give it example_inputs"):
        check_qat_model(model)
    check_qat_model(model.train(), x, save_results=True, out_dir="here")
    text = Path("here/model_check_result.txt").read_text()
    assert text in capsys.readouterr().out and model.training
    fusable = text.partition("\n\n")[0]
    assert "conv " in fusable and "bn " in fusable
    assert "conv2" in text.partition("Each layer out qconfig:")[2]


GROUPS = [["conv", "bn", "relu"], ["conv2", "skip", "relu2"]]


def test_declared_groups_are_one_operator_with_one_rounding(net, x):
    fused = fuse_modules(net, GROUPS)
    torch.testing.assert_close(fused(x), net(x), rtol=1e-4, atol=1e-5)
    assert type(fused.bn) is nn.Identity and type(net.bn) is nn.BatchNorm2d
    model = prepare(fused, None, SETTER, "eager")
    assert quantizers(model) & outputs("conv", "bn", "relu", "skip", "relu2") == {"conv", "skip"}
    assert model.conv.clamp == model.skip.clamp == ("relu", {})
    assert type(model.relu) is type(model.relu2) is nn.Identity
    set_fake_quantize(model, FakeQuantState._FLOAT)
    torch.testing.assert_close(model(x), net(x), rtol=1e-4, atol=1e-5)
    gain = net.bn.weight / torch.sqrt(net.bn.running_var + net.bn.eps)
    torch.testing.assert_close(model.conv.weight, net.conv.weight * gain.view(-1, 1, 1, 1))
    validated = calibrated(model, x)
    assert torch.equal(validated(x), pickle.loads(pickle.dumps(validated))(x))


def test_torchs_own_fuse_modules_takes_our_fuser(net, x):
    fused = torch.ao.quantization.fuse_modules(net, GROUPS, fuser_func=fuse_known_modules)
    model = prepare(fused, None, SETTER, "eager")
    assert model.conv.clamp == ("relu", {}) and type(model.bn) is nn.Identity


@pytest.mark.parametrize("member", ["conv", "bn", "relu"])
def test_any_member_of_a_group_addresses_it(net, member):
    only = QConfig(output=FakeQuantize.with_args(observer=MinMaxObserver, dtype=qint16))
    fused = fuse_modules(net, GROUPS)
    model = prepare(fused, None, ModuleNameQconfigSetter({member: only}), "eager")
    assert model.conv.activation_post_process.dtype == qint16


def test_a_group_keeps_its_norm_in_other_modes(net, x):
    set_qat_mode("with_bn")
    try:
        fused = fuse_modules(net, ["conv", "bn", "relu"], inplace=True)
        assert fused is net and type(net.bn) is nn.BatchNorm2d
        model = prepare(net, None, SETTER, "eager")
    finally:
        set_qat_mode("fuse_bn")
    assert model.conv.bn.weight.shape == (8,) and model.conv.clamp == ("relu", {})
    set_fake_quantize(model, FakeQuantState._FLOAT)
    torch.testing.assert_close(model.train()(x), net.train()(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["bn", "conv"], "Conv2d cannot be fused behind BatchNorm2d"),
        (["conv", "relu", "bn"], "BatchNorm2d cannot be fused behind Conv2d"),
        (["conv", "relu", "relu2"], "ReLU cannot be fused behind Conv2d"),
        (["dequant", "quant"], "QuantStub cannot be fused behind DeQuantStub"),
    ],
)
def test_groups_that_cannot_be_say_what_can(net, names, message):
    with pytest.raises(twofold.Error, match=f"{message}: a group is Conv"):
        fuse_modules(net, names)


def test_other_fusers_are_not_taken(net):
    with pytest.raises(twofold.Error, match="other methods of fusing are not taken"):
        fuse_known_modules([net.conv], True, {"a": 1})
    with pytest.raises(twofold.Error, match="fuse_custom_config_dict is not taken"):
        fuse_modules(net, GROUPS, fuse_custom_config_dict={"a": 1})
    with pytest.raises(AttributeError, match="no_such"):
        fuse_modules(net, ["no_such"])


def test_networks_of_modules_come_out_as_close_as_int8_is():
    network = networks.make(networks.Residual)
    x = networks.inputs_of(network)
    model = calibrated(prepare(network, x, SETTER, "eager"), x)
    error = (model(x) - network(x)).abs().max() / network(x).abs().max()
    assert 0 < error < 0.1


def test_modules_of_two_inputs_are_operators_too():
    class Two(nn.Module):
        def __init__(self):
            super().__init__()
            self.quant, self.matmul, self.div = QuantStub(), tnn.Matmul(), tnn.Div()

        def forward(self, x):
            x = self.quant(x)
            return self.div(self.matmul(x, x), x)

    x = torch.rand(4, 4) + 1
    wide = get_qconfig(MinMaxObserver, in_dtype=qint16)
    setters = (ModuleNameQconfigSetter({"matmul": wide}), SETTER)
    model = calibrated(prepare(Two().eval(), None, setters, "eager"), x)
    assert set(model.matmul.activation_pre_process) == {"0", "1"}
    assert outputs("matmul", "div") <= quantizers(model)
    expected = Two()(x)
    assert (model(x).dequantize() - expected).abs().max() < 0.05 * expected.abs().max()
