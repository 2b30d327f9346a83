"""BatchNorm folded once, or kept and learning inside of the product in front."""

import copy
import pickle
from pathlib import Path

import numpy as np
import pytest
import qat_networks as networks
import torch
import twofold
from torch import nn
from twofold.qat_mode import set_qat_mode
from twofold.quantization import FakeQuantState, export, prepare, set_fake_quantize
from twofold.quantization.qconfig_template import (
    default_calibration_qconfig_setter,
    default_qat_qconfig_setter,
)

KEPT = ("with_bn", "with_bn_reverse_fold")


@pytest.fixture(autouse=True)
def mode_before():
    yield
    set_qat_mode("fuse_bn")


def random_norm(kind, channels, **options):
    """With statistics and parameters that are not those of a new one."""
    norm = kind(channels, **options)
    nn.init.normal_(norm.running_mean, 0, 0.3)
    nn.init.uniform_(norm.running_var, 0.5, 2)
    if norm.affine:
        nn.init.uniform_(norm.weight, 0.5, 2)
        nn.init.normal_(norm.bias)
    return norm


PAIRS = {
    "conv": (lambda: nn.Conv2d(3, 6, 3), nn.BatchNorm2d, (4, 3, 7, 7)),
    "conv in groups": (lambda: nn.Conv1d(4, 6, 3, groups=2, bias=False), nn.BatchNorm1d, (4, 4, 9)),
    "transposed": (lambda: nn.ConvTranspose2d(4, 6, 3, groups=2), nn.BatchNorm2d, (4, 4, 5, 5)),
    "linear": (lambda: nn.Linear(5, 6), nn.BatchNorm1d, (16, 5)),
}
NORMS = {
    "momentum": {},
    "average of all": {"momentum": None},
    "without parameters": {"affine": False},
}


def pair(name, **options):
    torch.manual_seed(0)
    product, kind, shape = PAIRS[name]
    return nn.Sequential(product(), random_norm(kind, 6, **options)), torch.randn(shape)


def in_float(network, x):
    model = prepare(network.eval(), x, default_qat_qconfig_setter)
    set_fake_quantize(model, FakeQuantState._FLOAT)
    return model


@pytest.mark.parametrize("mode", KEPT)
@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("norm", NORMS)
def test_without_quantization_both_modes_are_conv_and_batch_norm(mode, name, norm):
    set_qat_mode(mode)
    network, x = pair(name, **NORMS[norm])
    model = in_float(network, x)
    assert type(model[1]) is nn.Identity and model[0].bn.running_mean.shape == (6,)
    for train in (False, True, True, False):
        expected, found = network.train(train)(x), model.train(train)(x).dequantize()
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)
    for statistic in ("running_mean", "running_var", "num_batches_tracked"):
        torch.testing.assert_close(getattr(model[0].bn, statistic), getattr(network[1], statistic))


@pytest.mark.parametrize("mode", KEPT)
@pytest.mark.parametrize("name", PAIRS)
def test_gradients_are_those_of_conv_and_batch_norm(mode, name):
    set_qat_mode(mode)
    network, x = pair(name)
    model = in_float(network, x)
    for m in (network.train(), model.train()):
        weights = torch.linspace(-1, 1, 6).view(1, -1, *[1] * (x.dim() - 2))
        (m(x) * weights).square().sum().backward()
    found = dict(model[0].bn.named_parameters())
    pairs = [(network[0].weight, model[0].weight)]
    pairs += [(p, found[name]) for name, p in network[1].named_parameters()]
    for expected, found in pairs:
        torch.testing.assert_close(found.grad, expected.grad, rtol=1e-3, atol=1e-3)


def rounded(weight):
    """Per output channel, as docs/numerics.md has it: scale max|w| / 127."""
    scale = np.abs(weight).max(1, keepdims=True).astype(np.float32) / np.float32(127)
    return np.clip(np.round(weight / scale), -128, 127).astype(np.float32) * scale


@pytest.mark.parametrize("mode", KEPT)
def test_the_weight_that_is_rounded_is_the_folded_one(mode):
    """By hand, for a Linear in training: only the weight is rounded."""
    set_qat_mode(mode)
    network, x = pair("linear")
    linear, norm = copy.deepcopy(network)
    model = prepare(network.eval(), x, default_qat_qconfig_setter).train()
    for module in model.modules():
        if getattr(module, "name", "").endswith(("activation_post_process", "process.0")):
            module.fake_quant_state = FakeQuantState._FLOAT
    found = model(x).dequantize().detach().numpy()
    x, w, b, gamma, beta, var = (
        t.detach().numpy()
        for t in (x, linear.weight, linear.bias, norm.weight, norm.bias, norm.running_var)
    )
    batch = x @ w.T + b
    if mode == "with_bn":
        gain = gamma / np.sqrt(batch.var(0) + norm.eps)
        expected = x @ rounded(w * gain[:, None]).T + (b - batch.mean(0)) * gain + beta
    else:
        gain = gamma / np.sqrt(var + norm.eps)
        product = x @ rounded(w * gain[:, None]).T / gain + b
        normal = (product - product.mean(0)) / np.sqrt(product.var(0) + norm.eps)
        expected = normal * gamma + beta
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    unrounded = norm.train()(torch.tensor(batch)).detach().numpy()
    assert np.abs(expected - unrounded).max() > 1e-3


@pytest.mark.parametrize("mode", KEPT)
def test_a_frozen_norm_uses_its_running_statistics_and_keeps_them(mode):
    set_qat_mode(mode)
    network, x = pair("conv")
    model = in_float(network, x).train()
    model[0].bn.eval()
    before = model[0].bn.running_mean.clone()
    torch.testing.assert_close(model(x).dequantize(), network.eval()(x), rtol=1e-4, atol=1e-5)
    assert torch.equal(model[0].bn.running_mean, before)


@pytest.mark.parametrize("mode", KEPT)
def test_training_moves_the_norm_and_exports_what_is_validated(mode, tmp_path):
    set_qat_mode(mode)
    network = networks.make(networks.Residual, 2)
    x = networks.inputs_of(network)
    calibrated = prepare(network, x, default_calibration_qconfig_setter)
    set_fake_quantize(calibrated, FakeQuantState.CALIBRATION)
    calibrated(x)
    model = prepare(network, x, default_qat_qconfig_setter)
    model.load_state_dict(calibrated.state_dict())
    gamma = model.stem[0].bn.weight.detach().clone()
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    for _ in range(3):
        optimizer.zero_grad()
        model.train()(x).square().sum().backward()
        optimizer.step()
    set_fake_quantize(model.eval(), FakeQuantState.VALIDATION)
    assert not torch.equal(model.stem[0].bn.weight, gamma)
    expected = model(x)
    session = export(model, (x,), tmp_path / "m.onnx").session()
    assert np.array_equal(session.run({"input_0": x.numpy()})["output_0"], expected.detach())
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert torch.equal(other(x), expected)
    again = prepare(network, x, default_qat_qconfig_setter)
    again.load_state_dict(model.state_dict())
    set_fake_quantize(again.eval(), FakeQuantState.VALIDATION)
    assert torch.equal(again(x), expected)


@pytest.mark.parametrize("mode", KEPT)
def test_reports_show_the_weight_and_no_norm(mode, tmp_path):
    set_qat_mode(mode)
    network = networks.make(networks.Residual)
    prepare(network, networks.inputs_of(network), default_qat_qconfig_setter)
    text = Path("model_check_result.txt").read_text()
    assert "All modules in the model run exactly once." in text
    weights = text.partition("Weight qconfig:\n")[2].partition("\n\n")[0]
    assert weights.splitlines()[2].split()[:1] == ["stem.0"] and "qint8" in weights


def test_a_gain_of_zero_is_not_divided_out():
    set_qat_mode("with_bn_reverse_fold")
    network, x = pair("linear")
    with torch.no_grad():
        network[1].weight[2] = 0
    model = prepare(network.eval(), x, default_qat_qconfig_setter).train()
    found = model(x).dequantize()
    assert found.isfinite().all()
    expected = network[1].bias[2].expand(16)
    step = model[0].activation_post_process.scale.item()
    torch.testing.assert_close(found[:, 2], expected, rtol=0, atol=step)


def test_what_cannot_be_folded_stays_a_norm():
    """A weight that is made anew in each forward, and a Linear whose L channels are normalized."""
    torch.manual_seed(0)
    conv = torch.nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 6, 3))
    by_length = nn.Sequential(nn.Linear(5, 6), random_norm(nn.BatchNorm1d, 6))
    cases = [
        (nn.Sequential(conv, random_norm(nn.BatchNorm2d, 6)), torch.randn(4, 3, 7, 7)),
        (by_length, torch.randn(4, 6, 5)),
    ]
    for network, x in cases:
        model = in_float(network, x)
        assert isinstance(model[1], nn.modules.batchnorm._BatchNorm)
        torch.testing.assert_close(model(x).dequantize(), network(x), rtol=1e-4, atol=1e-5)


def test_a_result_that_is_also_returned_is_not_changed_by_what_is_behind():
    class Both(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.norm = nn.Conv2d(3, 6, 3), random_norm(nn.BatchNorm2d, 6)

        def forward(self, x):
            y = self.conv(x)
            return y, torch.relu(self.norm(y))

    torch.manual_seed(0)
    network, x = Both().eval(), torch.randn(2, 3, 5, 5)
    model = in_float(network, x)
    for found, expected in zip(model(x), network(x), strict=True):
        torch.testing.assert_close(found.dequantize(), expected, rtol=1e-4, atol=1e-5)


def test_batch_statistics_of_several_processes_are_refused(monkeypatch):
    set_qat_mode("with_bn")
    network, x = pair("conv")
    model = in_float(nn.SyncBatchNorm.convert_sync_batchnorm(network), x).train()
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda *_: 2)
    with pytest.raises(twofold.Error, match='set_qat_mode."with_bn_reverse_fold". before prepare'):
        model(x)
