"""prepare: what becomes of a user's model, and what stays."""

import copy
import pickle

import numpy as np
import pytest
import qat_networks as networks
import torch
import twofold
from torch import nn
from torch.ao.nn.quantized import FloatFunctional as TorchFloatFunctional
from torch.ao.quantization import DeQuantStub
from twofold.nn.quantized import FloatFunctional
from twofold.quantization import (
    FakeQuantize,
    FakeQuantState,
    PrepareMethod,
    QuantStub,
    prepare,
    set_fake_quantize,
)
from twofold.quantization.export import exported
from twofold.quantization.qconfig_template import (
    default_calibration_qconfig_setter,
    default_qat_qconfig_setter,
)

SETTER = default_calibration_qconfig_setter


def prepared(network, *inputs, **options):
    inputs = inputs or (networks.inputs_of(network),)
    return prepare(network, inputs, SETTER, **options)


def names(model):
    return {name for name, _ in model.named_modules()}


@pytest.mark.parametrize("kind", [networks.Residual, networks.Transformer])
def test_without_quantization_the_model_computes_what_it_did(kind):
    network = networks.make(kind)
    x = networks.inputs_of(network)
    model = prepared(network)
    set_fake_quantize(model, FakeQuantState._FLOAT)
    torch.testing.assert_close(model(x), network(x), rtol=1e-5, atol=1e-5)


def test_the_float_model_stays_as_it_was():
    network = networks.make(networks.Residual)
    before = copy.deepcopy(network.state_dict())
    modules = [type(module) for module in network.modules()]
    model = prepared(network)
    assert [type(module) for module in network.modules()] == modules
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    assert prepared(network, inplace=True) is network and model is not network


def test_functional_calls_are_modules_named_by_scope_and_operator():
    model = prepared(networks.make(networks.Transformer))
    inside = {name for name in names(model) if "_generated_" in name}
    block = ("mul_0", "matmul_0", "softmax_0", "matmul_1", "add_0", "add_1")
    assert {n for n in inside if "activation" not in n} == {
        *(f"blocks.{b}._generated_{op}" for b in (0, 1) for op in block),
        "_generated_mean_0",
    }


def test_names_are_the_same_from_run_to_run():
    network = networks.make(networks.Transformer)
    assert prepared(network).state_dict().keys() == prepared(network).state_dict().keys()


def test_batch_norm_and_relu_are_done_by_the_convolution():
    network = networks.make(networks.Residual)
    model = prepared(network)
    conv, norm, relu = model.stem
    assert type(norm) is nn.Identity and type(relu) is nn.Identity
    assert conv.clamp == ("relu", {})
    old_conv, old_norm = network.stem[0], network.stem[1]
    gain = old_norm.weight / torch.sqrt(old_norm.running_var + old_norm.eps)
    weight = old_conv.weight * gain.view(-1, 1, 1, 1)
    torch.testing.assert_close(conv.weight, weight)
    torch.testing.assert_close(conv.bias, old_norm.bias - old_norm.running_mean * gain)


def test_transposed_convolutions_with_groups_take_batch_norm_in():
    torch.manual_seed(0)
    norm = nn.BatchNorm2d(6)
    nn.init.uniform_(norm.running_var, 0.5, 2)
    nn.init.normal_(norm.running_mean)
    nn.init.normal_(norm.weight)
    network = nn.Sequential(nn.ConvTranspose2d(4, 6, 3, groups=2), norm).eval()
    x = torch.randn(2, 4, 5, 5)
    model = prepared(network, x)
    set_fake_quantize(model, FakeQuantState._FLOAT)
    torch.testing.assert_close(model(x).dequantize(), network(x), rtol=1e-4, atol=1e-5)


class TwoWays(nn.Module):
    """What it does depends on training, and on a flag."""

    def __init__(self):
        super().__init__()
        self.quant, self.dequant, self.layer = QuantStub(), DeQuantStub(), nn.Linear(4, 4)
        self.negate = False
        self.note = "mine"

    def forward(self, x, *, scale: float = 1.0):
        y = self.dequant(self.layer(self.quant(x)))
        y = -y if self.negate else y
        return {"loss": y.sum() * scale} if self.training else y


def test_control_flow_attributes_and_keywords_are_the_users():
    torch.manual_seed(0)
    network, x = TwoWays().eval(), torch.randn(2, 4)
    model = prepare(network, (x,), SETTER, example_kw_inputs={"scale": 2.0})
    set_fake_quantize(model, FakeQuantState._FLOAT)
    assert model.note == "mine" and isinstance(model, TwoWays)
    torch.testing.assert_close(model(x), network(x))
    model.negate = True
    torch.testing.assert_close(model(x), -network(x))
    loss = model.train()(x, scale=3.0)["loss"]
    torch.testing.assert_close(loss, -3 * network(x).sum())


def test_hooks_that_were_set_before_still_run():
    network = networks.make(networks.Residual)
    seen = []
    network.head.register_forward_hook(lambda module, args, output: seen.append(output.shape))
    network.body[0].register_forward_pre_hook(lambda module, args: seen.append("body"))
    model = prepared(network)
    seen.clear()
    set_fake_quantize(model, FakeQuantState._FLOAT)
    model(networks.inputs_of(network))
    assert seen == ["body", torch.Size([4, 8, 1, 1])]


def test_what_lies_outside_the_stubs_stays_float():
    class Outside(nn.Module):
        def __init__(self):
            super().__init__()
            self.before, self.inside, self.after = (nn.Linear(4, 4) for _ in range(3))
            self.quant, self.dequant = QuantStub(), DeQuantStub()

        def forward(self, x):
            x = torch.relu(self.before(x))
            return self.after(torch.tanh(self.dequant(self.inside(self.quant(x)))))

    model = prepared(Outside().eval(), torch.randn(2, 4))
    assert type(model.before) is nn.Linear and type(model.after) is nn.Linear
    assert hasattr(model.inside, "weight_fake_quant")
    assert not any("_generated_" in name for name in names(model))
    everything = prepared(Outside().eval(), torch.randn(2, 4), method=PrepareMethod.JIT)
    assert hasattr(everything.before, "weight_fake_quant")
    assert "_generated_relu_0" in names(everything)


def test_without_stubs_everything_is_inside_and_the_result_says_its_scale():
    network = nn.Sequential(nn.Linear(4, 4), nn.Sigmoid(), nn.Linear(4, 2)).eval()
    x = torch.randn(8, 4)
    model = prepared(network, x)
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    model(x)
    set_fake_quantize(model, FakeQuantState.QAT)
    y = model(x)
    scale = model[2].activation_post_process.scale
    assert torch.equal(y.q_scale(), scale)
    assert torch.equal(y.int_repr() * scale, y.dequantize())
    assert type(y.dequantize()) is torch.Tensor and type(y + 1) is torch.Tensor


@pytest.mark.parametrize("kind", [FloatFunctional, TorchFloatFunctional])
def test_float_functionals_are_scopes_of_their_own(kind):
    class Skip(nn.Module):
        def __init__(self):
            super().__init__()
            self.quant, self.dequant, self.layer = QuantStub(), DeQuantStub(), nn.Linear(4, 4)
            self.skip = kind()

        def forward(self, x):
            x = self.quant(x)
            return self.dequant(self.skip.add(self.layer(x), x))

    model = prepared(Skip().eval(), torch.randn(2, 4))
    assert "skip._generated_add_0" in names(model)
    assert model.skip.activation_post_process is model.get_submodule(
        "skip._generated_add_0.activation_post_process"
    )


def test_a_module_called_twice_is_one_module():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.quant, self.dequant, self.layer = QuantStub(), DeQuantStub(), nn.Linear(4, 4)

        def forward(self, x):
            return self.dequant(self.layer(torch.tanh(self.layer(self.quant(x)))))

    network, x = Twice().eval(), torch.randn(2, 4)
    model = prepared(network, x)
    set_fake_quantize(model, FakeQuantState._FLOAT)
    torch.testing.assert_close(model(x), network(x))
    assert sum("weight_fake_quant" in name for name in names(model)) == 2  # it and its observer


@pytest.mark.parametrize("change", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_compute_the_same_and_are_apart(change):
    network = networks.make(networks.Residual)
    x = networks.inputs_of(network)
    model = prepared(network)
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    model(x)
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    expected = model(x)
    other = change(model)
    assert torch.equal(other(x), expected)
    with torch.no_grad():
        other.head.weight.zero_()
    assert torch.equal(model(x), expected) and not torch.equal(other(x), expected)


def test_a_calibrated_checkpoint_loads_strictly_into_another_stage():
    network = networks.make(networks.Transformer)
    x = networks.inputs_of(network)
    calibrated = prepared(network)
    set_fake_quantize(calibrated, FakeQuantState.CALIBRATION)
    calibrated(x)
    model = prepare(network, (x,), default_qat_qconfig_setter)
    assert model.state_dict().keys() == calibrated.state_dict().keys()
    model.load_state_dict(calibrated.state_dict())
    for state in (calibrated, model):
        set_fake_quantize(state, FakeQuantState.VALIDATION)
    assert torch.equal(model(x), calibrated(x))


def test_gradients_reach_every_parameter():
    network = networks.make(networks.Transformer)
    model = prepare(network, (networks.inputs_of(network),), default_qat_qconfig_setter).train()
    model(networks.inputs_of(network)).square().sum().backward()
    missing = [name for name, parameter in model.named_parameters() if parameter.grad is None]
    assert missing == []


class InPlace(nn.Module):
    def __init__(self):
        super().__init__()
        self.quant, self.dequant, self.layer = QuantStub(), DeQuantStub(), nn.Linear(4, 4)

    def forward(self, x):
        x = self.layer(self.quant(x))
        y = torch.relu_(x)
        return self.dequant(x + y)


def test_reading_what_was_changed_in_place_is_an_error_with_both_lines():
    with pytest.raises(twofold.Error, match=r"test_prepare.py:\d+: this tensor was changed in pl"):
        prepared(InPlace().eval(), torch.randn(2, 4))


def test_augmented_assignment_is_no_change_in_place():
    class Augmented(InPlace):
        def forward(self, x):
            x = self.layer(self.quant(x))
            x += 1
            x *= 2
            return self.dequant(x)

    network, x = Augmented().eval(), torch.randn(2, 4)
    model = prepared(network, x)
    set_fake_quantize(model, FakeQuantState._FLOAT)
    torch.testing.assert_close(model(x), network(x))
    assert {"_generated_add_0", "_generated_mul_0"} <= names(model)


def test_wrong_use_says_what_to_do():
    network = networks.make(networks.Residual)
    with pytest.raises(twofold.Error, match="give it example_inputs"):
        prepare(network, qconfig_setter=SETTER)

    class NoStubCalled(networks.Residual):
        def forward(self, x):
            return self.head(self.stem(x))

    with pytest.raises(twofold.Error, match="reach no QuantStub"):
        prepared(networks.make(NoStubCalled), networks.inputs_of(network))


def test_a_call_that_was_not_prepared_stays_float_and_is_warned_of(caplog):
    class Late(TwoWays):
        def forward(self, x):
            y = self.layer(self.quant(x))
            return self.dequant(torch.tanh(y) if self.negate else y)

    network, x = Late().eval(), torch.randn(2, 4)
    model = prepared(network, x)
    set_fake_quantize(model, FakeQuantState._FLOAT)
    model.negate = True
    torch.testing.assert_close(model(x), torch.tanh(network(x)))
    (message,) = [record.getMessage() for record in caplog.records if "tanh" in record.message]
    assert "_generated_tanh_0 was not called when the model was prepared" in message


class AroundTheStubs(nn.Module):
    """The same function before, between and behind the stubs."""

    def __init__(self):
        super().__init__()
        self.quant, self.dequant = QuantStub(), DeQuantStub()
        self.again, self.first, self.second = QuantStub(), nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        x = torch.relu(torch.sigmoid(x * 7))
        y = self.dequant(torch.sigmoid(self.first(self.quant(x))))
        y = torch.relu(y - 0.5)
        return self.dequant(torch.relu(self.second(self.again(y)) + 0.1))


class WholeFromAFunction(nn.Module):
    """Without stubs, and a function comes first."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x):
        return torch.sigmoid(self.layer(torch.sigmoid(x) * 3))


@pytest.mark.parametrize("kind", [AroundTheStubs, WholeFromAFunction])
def test_functions_outside_and_in_front_keep_the_names_apart(kind):
    torch.manual_seed(0)
    network, x = kind().eval(), torch.randn(8, 4)
    model = prepared(network, x)
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    torch.testing.assert_close(model(x).as_subclass(torch.Tensor), network(x))
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    validated = model(x).as_subclass(torch.Tensor).detach()
    torch.testing.assert_close(validated, network(x), rtol=0, atol=0.05)
    (found,) = exported(model, (x,)).session().run({"input_0": x.numpy()}).values()
    assert np.array_equal(found, validated.numpy())


class Dequantizes(nn.Module):
    """Without stubs, and the forward itself makes plain tensors of what it returns."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x):
        y = torch.sigmoid(self.layer(x))
        return y.dequantize() if hasattr(y, "dequantize") and type(y) is not torch.Tensor else y


def test_a_forward_may_end_in_dequantize():
    torch.manual_seed(0)
    network, x = Dequantizes().eval(), torch.randn(8, 4)
    model = prepared(network, x)
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    torch.testing.assert_close(model(x), network(x))
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    validated = model(x).detach()
    assert type(validated) is torch.Tensor
    (found,) = exported(model, (x,)).session().run({"input_0": x.numpy()}).values()
    assert np.array_equal(found, validated.numpy())


class Multiplied(nn.Module):
    """Functional calls alone; a parameter says where the model is."""

    def __init__(self):
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        return torch.matmul(x, x.transpose(1, 2)) + x.mean()


def test_fake_quantizers_are_where_the_model_is():
    """Those of functional calls too, which have no weight. Tensors of "meta" have no numbers."""
    model = prepared(Multiplied().eval().to("meta"), torch.empty(2, 4, 8, device="meta"))
    found = [module for module in model.modules() if isinstance(module, FakeQuantize)]
    assert len(found) >= 4
    assert {buffer.device.type for module in found for buffer in module.buffers()} == {"meta"}
