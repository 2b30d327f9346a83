"""Blocks that run a varying number of times, functions that are left untraced, and who asks."""

import copy
import pickle

import numpy as np
import pytest
import torch
import twofold
from torch import nn
from twofold.fx.fx_helper import wrap
from twofold.fx.jit_scheme import Tracer, dynamic_block
from twofold.quantization import FakeQuantState, export, prepare, set_fake_quantize
from twofold.quantization.qconfig_template import default_calibration_qconfig_setter
from twofold.utils.fx_helper import wrap as wrap_of_older_scripts

SETTER = default_calibration_qconfig_setter


class Refine(nn.Module):
    """A step that runs `times` times, between operators of the module's own: [N,4] to [N,4]."""

    def __init__(self, block=Tracer.dynamic_block):
        super().__init__()
        self.layer, self.times, self.block = nn.Linear(4, 4), 2, block

    def forward(self, x):
        x = torch.tanh(x) + 1
        for _ in range(self.times):
            with self.block(self, "refine"):
                x = torch.tanh(self.layer(x)) + x
        return torch.tanh(x) + 1


def names(model):
    return {name for name, _ in model.named_modules()}


def calibrated(network, x):
    model = prepare(network, x, SETTER)
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    model(x)
    return model


@pytest.fixture
def x():
    return torch.randn(8, 4, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("block", [Tracer.dynamic_block, dynamic_block])
def test_operators_of_a_block_are_one_set_whatever_times_it_runs(block, x, caplog):
    torch.manual_seed(0)
    network = Refine(block).eval()
    model = calibrated(network, x)
    generated = {name for name in names(model) if name.endswith(("tanh_0", "tanh_1", "add_0"))}
    of_block = {"refine._generated_tanh_0", "refine._generated_add_0"}
    assert generated == of_block | {"_generated_tanh_0", "_generated_tanh_1", "_generated_add_0"}
    set_fake_quantize(model, FakeQuantState._FLOAT)
    for times in (1, 2, 5, 0):
        network.times = model.times = times
        torch.testing.assert_close(model(x).dequantize(), network(x))
    assert not [r for r in caplog.records if "was not called" in r.getMessage()]


def test_what_runs_more_often_than_in_prepare_is_quantized_and_exported(x, tmp_path):
    torch.manual_seed(0)
    network = Refine().eval()
    model = calibrated(network, x)
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    network.times = model.times = 4
    y = model(x)
    step = model.get_submodule("_generated_add_1").activation_post_process.scale.item()
    assert (y.dequantize() / step).sub((y.dequantize() / step).round()).abs().max() < 1e-3
    session = export(model, (x,), tmp_path / "m.onnx").session()
    found = session.run({"input_0": x.numpy()})["output_0"]
    assert np.array_equal(found, y.detach().dequantize().numpy())
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert torch.equal(other(x).dequantize(), y.dequantize())


def test_the_same_loop_without_a_block_stays_float_where_it_is_longer(x, caplog):
    torch.manual_seed(0)
    model = calibrated(Refine(lambda *_: torch.no_grad()).eval(), x)
    model.times = 3
    model(x)
    assert [r for r in caplog.records if "mark the block with Tracer.dynamic_block" in r.message]


def test_a_block_that_prepare_has_not_seen_is_warned_of(x, caplog):
    torch.manual_seed(0)
    network = Refine().eval()
    network.times = 0
    model = prepare(network, x, SETTER)
    set_fake_quantize(model, FakeQuantState._FLOAT)
    network.times = model.times = 2
    torch.testing.assert_close(model(x).dequantize(), network(x))
    assert "refine" not in names(model)
    assert [r for r in caplog.records if "_generated_tanh_0 was not called" in r.getMessage()]


@pytest.mark.parametrize("name", ["layer", "times", "a.b", ""])
def test_a_block_needs_a_name_of_its_own(name, x):
    class Wrong(Refine):
        def forward(self, x):
            with Tracer.dynamic_block(self, name):
                return self.layer(x)

    with pytest.raises(twofold.Error, match=f"dynamic_block: '{name}' cannot be the name of a blo"):
        prepare(Wrong().eval(), x, SETTER)
    Wrong()(x)  # in a float model it does nothing


def test_scopes_end_with_blocks_also_where_they_raise(x):
    class Raises(Refine):
        def forward(self, x):
            try:
                with Tracer.dynamic_block(self, "refine"):
                    x = torch.tanh(x)
                    raise ValueError("enough")
            except ValueError:
                return torch.tanh(x)

    model = prepare(Raises().eval(), x, SETTER)
    assert {"refine._generated_tanh_0", "_generated_tanh_0"} <= names(model)


# wrap


@wrap()
def left_alone(x, layer):
    y = layer(x) * 2
    return {"sum": y + 1, "parts": (y, y - 1)}


class Wrapped(nn.Module):
    def __init__(self):
        super().__init__()
        self.inside, self.both, self.last = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        x = self.both(x) * 3
        parts = left_alone(left_alone(x, self.inside)["sum"], self.both)
        return self.last(parts["parts"][1] + parts["sum"])

    @wrap_of_older_scripts(skip_compile=True)
    def as_method(self, x):
        return self.inside(torch.tanh(x))


def test_calls_in_an_untraced_function_stay_float_and_results_are_followed(x, tmp_path):
    torch.manual_seed(0)
    network = Wrapped().eval()
    model = calibrated(network, x)
    assert type(model.inside) is nn.Linear and not hasattr(model.inside, "weight_fake_quant")
    generated = {name for name in names(model) if name.endswith("_0") and "process" not in name}
    assert generated == {"_generated_mul_0", "_generated_add_0"}
    assert set(model.get_submodule("_generated_add_0").activation_pre_process) == {"0", "1"}
    assert hasattr(model.both, "weight_fake_quant")  # it is called outside, too
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    expected = model(x).detach().dequantize().numpy()
    session = export(model, (x,), tmp_path / "m.onnx").session()
    step = model.last.activation_post_process.scale.item()
    found = session.run({"input_0": x.numpy()})["output_0"]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1.01 * step)


def test_without_quantization_an_untraced_function_does_what_it_did(x):
    torch.manual_seed(0)
    network = Wrapped().eval()
    model = prepare(network, x, SETTER)
    set_fake_quantize(model, FakeQuantState._FLOAT)
    torch.testing.assert_close(model(x).dequantize(), network(x))


def test_methods_can_be_left_alone(x):
    class ByMethod(Wrapped):
        def forward(self, x):
            return self.last(self.as_method(self.both(x)))

    for method in ("jit", "symbolic"):
        model = prepare(ByMethod().eval(), x if method == "jit" else None, SETTER, method)
        assert type(model.inside) is nn.Linear and hasattr(model.both, "weight_fake_quant")
        assert not any("tanh" in name for name in names(model))


def test_wrap_is_written_with_parentheses():
    with pytest.raises(TypeError, match="write @wrap.. with parentheses"):

        @wrap
        def _function(x):
            return x

    assert left_alone.__name__ == "left_alone"


# is_tracing


def test_a_forward_is_traced_in_prepare_and_export_only(x, tmp_path):
    class Asks(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer, self.seen = nn.Linear(4, 4), []

        def forward(self, x):
            self.seen.append(Tracer.is_tracing())
            return self.layer(x)

    network = Asks().eval()
    network(x)
    model = calibrated(network, x)
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    model(x)
    export(model, (x,), tmp_path / "m.onnx")
    assert network.seen == [False] and model.seen == [False, True, False, False, True]
