"""Distillation, freezing and BatchNorm's statistics, against NumPy."""

import copy

import numpy as np
import pytest
import qat_networks as networks
import torch
import twofold
from torch import nn
from twofold.qat_mode import QATMode, set_qat_mode
from twofold.quantization import FakeQuantState, get_qconfig, prepare, set_fake_quantize
from twofold.quantization.fake_quantize import FakeQuantize
from twofold.quantization.observer_v2 import MinMaxObserver
from twofold.quantization.qconfig import default_qat_8bit_lsq_quant_qconfig
from twofold.quantization.qconfig_template import (
    ModuleNameQconfigSetter,
    default_qat_qconfig_setter,
)
from twofold.quantization.training import (
    Distillation,
    freeze_batch_norms,
    freeze_scales,
    reestimate_bn_statistics,
)


def prepared(network, x, setter=default_qat_qconfig_setter):
    """Calibrated on x, in QAT and train mode."""
    model = prepare(network, (x,), setter)
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    model(x)
    set_fake_quantize(model, FakeQuantState.QAT)
    return model.train()


def log_softmax(x, axis):
    shifted = x - x.max(axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis, keepdims=True))


class Plain(nn.Module):
    """Gives what it was made with, whatever it is called with."""

    def __init__(self, logits):
        super().__init__()
        self.logits = nn.Parameter(logits.clone())

    def forward(self, _):
        return self.logits * 1


@pytest.mark.parametrize(("shape", "dim"), [((5, 7), 1), ((5, 7, 2, 3), 1), ((2, 3, 7), -1)])
@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_logits_are_compared_by_divergence_at_a_temperature(shape, dim, temperature):
    random = np.random.default_rng(0)
    student, teacher = (random.normal(0, 4, shape).astype(np.float32) for _ in range(2))
    model = Plain(torch.from_numpy(student))
    distilled = Distillation(Plain(torch.from_numpy(teacher)), temperature=temperature, dim=dim)
    output, loss = distilled(model, None)
    assert np.array_equal(output.detach().numpy(), student)
    s, t = (log_softmax(x.astype(np.float64) / temperature, dim) for x in (student, teacher))
    expected = temperature**2 * (np.exp(t) * (t - s)).sum(dim).mean()
    assert loss.item() == pytest.approx(expected, rel=1e-5)
    loss.backward()
    count = student.size / student.shape[dim]
    gradient = temperature * (np.exp(s) - np.exp(t)) / count
    np.testing.assert_allclose(model.logits.grad.numpy(), gradient, rtol=1e-4, atol=1e-8)


def test_layers_are_compared_by_their_share_of_the_teachers_power():
    network = networks.make(networks.Transformer)
    x = networks.inputs_of(network)
    model = prepared(network, x)
    seen = {}
    for name, part in (("student", model), ("teacher", network)):
        for layer in ("emb", "blocks.0"):
            part.get_submodule(layer).register_forward_hook(
                lambda _m, _a, y, key=(name, layer): seen.update({key: y.detach().numpy()})
            )
    _, loss = Distillation(network, temperature=None, layers={"emb": 2.0, "blocks.0": 0.5})(
        model, x
    )
    shares = {
        layer: np.square(seen["student", layer] - seen["teacher", layer], dtype=np.float64).mean()
        / np.square(seen["teacher", layer], dtype=np.float64).mean()
        for layer in ("emb", "blocks.0")
    }
    assert 0 < shares["emb"] < shares["blocks.0"] < 0.1
    assert loss.item() == pytest.approx(2 * shares["emb"] + 0.5 * shares["blocks.0"], rel=1e-4)


def test_distillation_leaves_both_models_as_they_were():
    network = networks.make(networks.Residual).train()
    x = networks.inputs_of(network)
    model = prepared(copy.deepcopy(network).eval(), x)
    before = copy.deepcopy(network.state_dict())
    hooks = len(model.head._forward_hooks)
    _, loss = Distillation(network, layers=["head"])(model, x)
    loss.backward()
    assert all(module.training for module in network.modules())
    assert all(torch.equal(value, before[key]) for key, value in network.state_dict().items())
    assert all(parameter.grad is None for parameter in network.parameters())
    assert all(parameter.grad is not None for parameter in model.parameters())
    assert len(model.head._forward_hooks) == hooks and not network.head._forward_hooks


def test_distillation_brings_the_model_nearer_to_its_teacher():
    network = networks.make(networks.Transformer)
    x = networks.inputs_of(network, 32)
    model = prepared(network, x)
    with torch.no_grad():
        model.head.weight += 0.2 * torch.randn(6, 32, generator=torch.Generator().manual_seed(2))
    distilled = Distillation(network, temperature=2.0, layers=["blocks"])
    optimizer = torch.optim.Adam(model.parameters(), 5e-3)
    losses = []
    for _ in range(20):
        optimizer.zero_grad()
        _, loss = distilled(model, x)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


def test_distillation_says_what_it_cannot_compare():
    network = networks.make(networks.Residual)
    x = networks.inputs_of(network)
    with pytest.raises(ValueError, match="temperature is 0; it must be above 0"):
        Distillation(network, temperature=0)
    with pytest.raises(ValueError, match="nothing is compared"):
        Distillation(network, temperature=None)
    with pytest.raises(twofold.Error, match="'steem' is no module of the Residual"):
        Distillation(network, layers=["steem"])(network, x)
    with pytest.raises(twofold.Error, match="'body' was not called, or returns no tensor"):
        Distillation(network, layers=["body"])(network, x)

    class Pair(nn.Module):
        def forward(self, x):
            return x, x

    with pytest.raises(twofold.Error, match="returns a tuple, not logits; compare layers"):
        Distillation(Pair())(Pair(), x)


def scales_of(model, follows):
    return {
        name: module.scale.detach().clone()
        for name, module in model.named_modules()
        if isinstance(module, FakeQuantize) and module.follows is follows
    }


def step(model, x, optimizer=None):
    optimizer = optimizer or torch.optim.SGD(model.parameters(), 0.5)
    optimizer.zero_grad()
    model(x).square().mean().backward()
    optimizer.step()


def test_frozen_scales_stay_and_those_of_weights_follow():
    network = networks.make(networks.Residual)
    x = networks.inputs_of(network)
    model = prepared(network, x)
    freeze_scales(model)
    before = scales_of(model, follows=False)
    for _ in range(3):
        set_fake_quantize(model, FakeQuantState.QAT)  # which scripts do in each epoch
        step(model, 3 * x)
    after = scales_of(model, follows=False)
    assert len(after) == len(before) > 5
    assert all(torch.equal(scale, before[name]) for name, scale in after.items())
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    largest = model.head.weight.detach().flatten(1).abs().amax(1)
    assert torch.equal(model.head.weight_fake_quant.scale, largest / 127)


def test_without_freezing_scales_go_on():
    network = networks.make(networks.Residual)
    x = networks.inputs_of(network)
    model = prepared(network, x)
    before = scales_of(model, follows=False)
    step(model, 3 * x)
    after = scales_of(model, follows=False)
    stay = {name for name, scale in after.items() if torch.equal(scale, before[name])}
    assert stay == {"_generated_mul_0.activation_pre_process.1"}  # of a constant, 0.5


def test_frozen_learned_scales_get_no_gradient():
    network = networks.make(networks.Residual)
    x = networks.inputs_of(network)
    model = prepared(network, x, ModuleNameQconfigSetter({"": default_qat_8bit_lsq_quant_qconfig}))
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    step(model, x, optimizer)
    freeze_scales(model)
    before = copy.deepcopy(model.state_dict())
    step(model, x, optimizer)
    changed = {name for name, value in model.state_dict().items() if not value.equal(before[name])}
    assert changed == {name for name, _ in model.named_parameters() if not name.endswith("scale")}


class Normed(nn.Module):
    """BatchNorm behind an addition, where prepare has no weight to fold it into."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(4, 3), nn.Linear(3, 3)
        self.norm = nn.BatchNorm1d(3, momentum=0.3)

    def forward(self, x):
        x = self.first(x)
        return self.norm(torch.relu(x) + self.second(x))


def normed(x):
    torch.manual_seed(0)
    return prepared(Normed().eval(), x, ModuleNameQconfigSetter({"": get_qconfig(MinMaxObserver)}))


@pytest.mark.parametrize("state", ["qat", "validation"])
def test_statistics_of_batch_norms_become_the_averages_over_batches(state):
    batches = list(torch.randn(4, 50, 4, generator=torch.Generator().manual_seed(1)))
    model = normed(batches[0])
    model.norm.running_mean.fill_(100)
    model.norm.eval()
    set_fake_quantize(model, state)
    seen = []
    model.get_submodule("_generated_add_0").register_forward_hook(
        lambda _m, _a, y: seen.append(y.detach().numpy().astype(np.float64))
    )
    scales = scales_of(model, follows=False)
    reestimate_bn_statistics(model, [*batches[:2], (batches[2],), [batches[3]]])
    assert len(seen) == 4
    assert len(np.unique(np.concatenate(seen))) <= 256  # quantized, as in QAT
    mean = np.mean([y.mean(0) for y in seen], 0)
    variance = np.mean([y.var(0, ddof=1) for y in seen], 0)
    np.testing.assert_allclose(model.norm.running_mean.numpy(), mean, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(model.norm.running_var.numpy(), variance, rtol=1e-5)
    assert all(torch.equal(scale, scales[name]) for name, scale in scales_of(model, False).items())
    assert model.norm.momentum == 0.3 and not model.norm.training and model.first.training
    assert model.first.is_validated is (state == "validation")
    quantizer = model.first.activation_post_process
    assert quantizer.fake_quant_state == state
    assert quantizer.observer_enabled[0] == (state == "qat")


def test_statistics_are_not_lost_where_there_are_no_batches():
    model = normed(torch.randn(20, 4))
    before = model.norm.running_mean.clone()
    with pytest.raises(twofold.Error, match="there are no batches"):
        reestimate_bn_statistics(model, iter([]))
    assert torch.equal(model.norm.running_mean, before)


def test_folded_batch_norms_have_no_statistics():
    network = networks.make(networks.Residual)
    x = networks.inputs_of(network)
    with pytest.raises(twofold.Error, match=r"fuse_bn prepare has folded.*set_qat_mode"):
        reestimate_bn_statistics(prepared(network, x), [x])
    reestimate_bn_statistics(network, [x])  # the float model has them


@pytest.fixture
def with_bn():
    """BatchNorms stay, inside of the convolutions in front."""
    set_qat_mode(QATMode.WithBN)
    yield
    set_qat_mode(QATMode.FuseBN)


def test_statistics_of_batch_norms_inside_of_convolutions_are_taken_too(with_bn):
    network = networks.make(networks.Residual)
    batches = [networks.inputs_of(network, 4, seed) for seed in (1, 2, 3)]
    model = prepared(network, batches[0])
    freeze_batch_norms(model)
    before = model(batches[0])
    stem = model.stem[0]
    with torch.no_grad():
        scale = model.quant.activation_post_process.scale
        rounded = [(x / scale).round().clamp(-128, 127) * scale for x in batches]
        seen = [torch.nn.functional.conv2d(x, stem.weight, None, 2, 1) for x in rounded]
    stem.bn.running_mean.fill_(50)
    reestimate_bn_statistics(model, batches)
    mean = torch.stack([y.mean((0, 2, 3)) for y in seen]).mean(0)
    variance = torch.stack([y.var((0, 2, 3)) for y in seen]).mean(0)
    torch.testing.assert_close(stem.bn.running_mean, mean, rtol=1e-4, atol=1e-6)
    torch.testing.assert_close(stem.bn.running_var, variance, rtol=1e-4, atol=0)
    assert not stem.bn.training and stem.training
    freeze_scales(model)
    assert not torch.allclose(model(batches[0]), before)


def test_frozen_batch_norms_use_and_keep_their_statistics():
    x = torch.randn(20, 4)
    model = normed(x)
    before = model.norm.running_mean.clone()
    freeze_batch_norms(model)
    y = model(x)
    assert torch.equal(model.norm.running_mean, before)
    model.eval()
    freeze_scales(model)
    torch.testing.assert_close(y.dequantize(), model(x).dequantize(), rtol=0.05, atol=0.05)
    model.train()
    model(x)
    assert not torch.equal(model.norm.running_mean, before)
