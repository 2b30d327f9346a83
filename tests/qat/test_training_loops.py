"""Prepared models in the loops that people have: resuming, averages, AMP, checkpointing, LSQ."""

import copy
import io

import numpy as np
import onnx
import pytest
import qat_networks as networks
import torch
import twofold
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.checkpoint import checkpoint
from twofold.quantization import FakeQuantState, get_qconfig, prepare, set_fake_quantize
from twofold.quantization.export import exported
from twofold.quantization.fake_quantize import FakeQuantize
from twofold.quantization.observer_v2 import HistogramObserver, MSEObserver
from twofold.quantization.qconfig import default_qat_8bit_lsq_quant_qconfig
from twofold.quantization.qconfig_template import (
    ModuleNameQconfigSetter,
    default_qat_fixed_act_qconfig_setter,
    default_qat_qconfig_setter,
)
from twofold.quantization.training import same_scope

SETTERS = {
    "min_max": default_qat_qconfig_setter,
    "fixed_act": default_qat_fixed_act_qconfig_setter,
    "mse": ModuleNameQconfigSetter({"": get_qconfig(MSEObserver)}),
    "histogram": ModuleNameQconfigSetter({"": get_qconfig(HistogramObserver)}),
    "lsq": ModuleNameQconfigSetter({"": default_qat_8bit_lsq_quant_qconfig}),
}
KINDS = [networks.Residual, networks.Transformer]


def prepared(kind, setter=default_qat_qconfig_setter, count=8):
    """(model in QAT and train mode, batches); it is calibrated on the first of them."""
    network = networks.make(kind)
    batches = [networks.inputs_of(network, count, seed) for seed in range(4)]
    model = prepare(network, (batches[0],), setter)
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    model(batches[0])
    set_fake_quantize(model, FakeQuantState.QAT)
    return model.train(), batches


def step(model, optimizer, x):
    """One step of training; the loss before it."""
    optimizer.zero_grad()
    loss = model(x).square().mean()
    loss.backward()
    optimizer.step()
    return loss.detach()


def same_state(first, second):
    first, second = first.state_dict(), second.state_dict()
    return first.keys() == second.keys() and all(first[k].equal(second[k]) for k in first)


@pytest.mark.parametrize("setter", SETTERS)
@pytest.mark.parametrize("kind", KINDS)
def test_training_goes_on_from_a_checkpoint_to_the_same_next_steps(kind, setter):
    model, batches = prepared(kind, SETTERS[setter])
    optimizer = torch.optim.AdamW(model.parameters(), 1e-3)
    for x in batches[:2]:
        step(model, optimizer, x)
    file = io.BytesIO()
    torch.save({"model": model.state_dict(), "optimizer": optimizer.state_dict()}, file)
    expected = [step(model, optimizer, x) for x in batches[2:]]

    file.seek(0)
    saved = torch.load(file)  # with weights_only, PyTorch's default
    network = networks.make(kind, seed=5)  # of which nothing may be left
    other = prepare(network, (batches[0],), SETTERS[setter]).train()
    set_fake_quantize(other, FakeQuantState.QAT)
    other.load_state_dict(saved["model"])
    optimizer = torch.optim.AdamW(other.parameters(), 1e-3)
    optimizer.load_state_dict(saved["optimizer"])
    found = [step(other, optimizer, x) for x in batches[2:]]
    assert found == expected
    assert same_state(other, model)


@pytest.mark.parametrize("use_buffers", [False, True])
@pytest.mark.parametrize("setter", ["min_max", "lsq"])
def test_an_average_of_models_is_a_model(setter, use_buffers):
    model, batches = prepared(networks.Residual, SETTERS[setter])
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.75), use_buffers=use_buffers)
    optimizer = torch.optim.SGD(model.parameters(), 0.05)
    expected = None
    for x in batches:
        step(model, optimizer, x)
        average.update_parameters(model)
        now = {name: p.detach().double().numpy() for name, p in model.named_parameters()}
        expected = (
            now if expected is None else {n: 0.75 * e + 0.25 * now[n] for n, e in expected.items()}
        )
    for name, parameter in average.module.named_parameters():
        np.testing.assert_allclose(parameter.detach().numpy(), expected[name], rtol=1e-5, atol=1e-7)
    average.eval()
    set_fake_quantize(average, FakeQuantState.VALIDATION)
    if setter == "min_max":  # which follows the averaged weight
        largest = average.module.head.weight.detach().flatten(1).abs().amax(1)
        assert torch.equal(average.module.head.weight_fake_quant.scale, largest / 127)
    x = batches[0]
    file = exported(average.module, (x,))
    (found,) = file.session().run({"input_0": x.numpy()}).values()
    assert np.array_equal(found, average(x).detach().numpy())


def gradients(model, x):
    model.zero_grad()
    model(x).float().square().mean().backward()
    return torch.cat([p.grad.flatten().float() for p in model.parameters()])


@pytest.mark.parametrize("kind", KINDS)
def test_autocast_in_bfloat16_trains(kind):
    model, (x, *_) = prepared(kind)
    full = gradients(copy.deepcopy(model), x)
    with torch.autocast("cpu", torch.bfloat16):
        assert model(x).dtype == torch.bfloat16
        half = gradients(model, x)
    assert all(p.grad.dtype == torch.float32 for p in model.parameters())
    assert torch.cosine_similarity(half, full, 0) > 0.98
    assert torch.linalg.norm(half - full) < 0.2 * torch.linalg.norm(full)
    quantizers = [m for m in model.modules() if isinstance(m, FakeQuantize)]
    assert all(quantizer.scale.dtype == torch.float32 for quantizer in quantizers)


def test_under_autocast_scales_are_those_of_what_was_computed():
    model, (x, *_) = prepared(networks.Residual)
    seen = {}
    quantizer = model.stem[0].activation_post_process
    quantizer.register_forward_hook(lambda _m, args, y: seen.update(x=args[0], y=y))
    before = quantizer.scale.item()
    with torch.autocast("cpu", torch.bfloat16):
        model(x)
    assert seen["x"].dtype == torch.bfloat16
    own = seen["x"].detach().float().abs().max().item() / 127
    assert quantizer.scale.item() == pytest.approx(0.99 * before + 0.01 * own, rel=1e-6)
    q = seen["y"].detach() / quantizer.scale
    assert seen["y"].dtype == torch.float32  # on the grid to the bit, which bfloat16 were not
    assert torch.equal(q.round() * quantizer.scale, seen["y"].detach())


def test_a_grad_scaler_skips_the_step_that_overflows_and_no_other():
    model, batches = prepared(networks.Residual)
    optimizer = torch.optim.SGD(model.parameters(), 0.01)
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**120, backoff_factor=2.0**-110)
    weights = [model.head.weight.detach().clone()]
    for x in batches[:2]:
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.float16):
            loss = model(x).float().square().mean()
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()
        weights.append(model.head.weight.detach().clone())
    assert torch.equal(weights[1], weights[0]) and not torch.equal(weights[2], weights[1])
    assert all(bool(value.isfinite().all()) for value in model.state_dict().values())


class Checkpointed(nn.Module):
    """A module that is computed again in backward."""

    def __init__(self, inner, use_reentrant):
        super().__init__()
        self.inner, self.use_reentrant = inner, use_reentrant

    def forward(self, x):
        return checkpoint(self.inner, x, use_reentrant=self.use_reentrant)


def with_checkpointed_block(model, use_reentrant):
    blocks = model.body if isinstance(model, networks.Residual) else model.blocks
    blocks[0] = Checkpointed(blocks[0], use_reentrant)
    return model


def one_step(model, x):
    """The state of the model after a step, by the names that it has without checkpointing."""
    step(model, torch.optim.SGD(model.parameters(), 0.1), x)
    return {name.replace(".inner.", "."): value for name, value in model.state_dict().items()}


@pytest.mark.parametrize("kind", KINDS)
def test_checkpointing_a_module_changes_no_bit(kind):
    model, (_, x, *_) = prepared(kind)
    again = with_checkpointed_block(copy.deepcopy(model), use_reentrant=False)
    expected, found = one_step(model, x), one_step(again, x)
    assert found.keys() == expected.keys()
    assert all(torch.equal(value, expected[name]) for name, value in found.items())


@pytest.mark.parametrize("kind", KINDS)
def test_reentrant_checkpointing_is_refused(kind):
    model, (_, x, *_) = prepared(kind)
    with pytest.raises(twofold.Error, match="Say use_reentrant=False"):
        one_step(with_checkpointed_block(model, use_reentrant=True), x)


class InParts(nn.Module):
    """Checkpoints a part of its own forward, between other calls of the same operators."""

    def __init__(self, **options):
        super().__init__()
        self.first, self.second, self.options = nn.Linear(4, 4), nn.Linear(4, 4), options

    def _part(self, x, y):
        return self.second(x * y + x) * 3

    def forward(self, x):
        x = self.first(x)
        y = x * 2 + 1
        if self.options:
            y = checkpoint(self._part, x, y, use_reentrant=False, **self.options)
        else:
            y = self._part(x, y)
        return y * x


def in_parts(**options):
    torch.manual_seed(0)
    model = InParts().eval()
    x = torch.randn(8, 4)
    model = prepare(model, (x,), default_qat_qconfig_setter).train()
    model.options = options
    return model, x


def test_checkpointing_a_part_of_a_forward_changes_no_bit():
    model, x = in_parts()
    assert {f"_generated_mul_{k}" for k in range(4)} <= set(model._modules)
    expected = one_step(model, x)
    model, x = in_parts(context_fn=same_scope)
    found = one_step(model, x)
    assert found.keys() == expected.keys()
    assert all(torch.equal(value, expected[name]) for name, value in found.items())


def test_a_part_that_cannot_find_its_modules_again_says_what_to_do():
    model, x = in_parts(preserve_rng_state=True)
    with pytest.raises(twofold.Error, match="context_fn=twofold.quantization.training.same_scope"):
        one_step(model, x)


def test_learned_scales_move_as_their_gradients_say_and_are_exported():
    model, batches = prepared(networks.Residual, SETTERS["lsq"], count=32)
    learned = {n: p for n, p in model.named_parameters() if n.endswith(".scale")}
    assert {n.rpartition(".")[0] for n in learned} == {
        name for name, module in model.named_modules() if isinstance(module, FakeQuantize)
    }
    model(batches[0]).square().mean().backward()
    before = {name: scale.detach().clone() for name, scale in learned.items()}
    torch.optim.SGD(model.parameters(), 1e-3).step()
    for name, scale in learned.items():
        is_exact = "activation_pre_process" in name  # of the constant 0.5
        assert is_exact or scale.grad.abs().sum() > 0, name
        torch.testing.assert_close(scale.detach(), before[name] - 1e-3 * scale.grad)
    model.eval()
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    x = batches[0]
    file = exported(model, (x,))
    (found,) = file.session().run({"input_0": x.numpy()}).values()
    assert np.array_equal(found, model(x).detach().numpy())
    written = {
        value.item()
        for tensor in onnx.load_from_string(file.onnx).graph.initializer
        for value in onnx.numpy_helper.to_array(tensor).ravel()
        if tensor.data_type == onnx.TensorProto.FLOAT
    }
    for name in ("quant.activation_post_process", "stem.0.weight_fake_quant"):
        assert set(model.get_submodule(name).scale.tolist()) <= written


def test_scales_that_are_too_large_are_learned_down():
    """The loss is the distance to what the float model computes; scales alone are trained."""
    network = networks.make(networks.Residual)
    model, _ = prepared(networks.Residual, SETTERS["lsq"])
    x = networks.inputs_of(network, 64)
    target = network(x).detach()
    scales = [parameter for name, parameter in model.named_parameters() if name.endswith("scale")]
    for scale in scales:
        scale.data *= 8
    groups = [{"params": [scale], "lr": 0.03 * scale.mean().item()} for scale in scales]
    optimizer = torch.optim.Adam(groups)
    losses = []
    for _ in range(40):
        optimizer.zero_grad()
        loss = (model(x) - target).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_a_model_in_half_precision_trains_with_the_scales_that_it_had(dtype):
    model, (x, *_) = prepared(networks.Residual, SETTERS["fixed_act"])
    names = ["stem.0.activation_post_process", "quant.activation_post_process"]
    before = {name: model.get_submodule(name).scale.clone() for name in names}
    model.to(dtype)
    y = model(x.to(dtype))
    y.square().mean().backward()
    assert y.dtype == dtype and model.head.weight.grad.dtype == dtype
    for name in names:
        scale = model.get_submodule(name).scale
        assert scale.dtype == torch.float32 and torch.equal(scale, before[name])
