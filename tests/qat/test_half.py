"""torch.float16 as a dtype of a layer: rounded to it in training, VALIDATION and the file."""

import numpy as np
import pytest
import torch
from exact_onnxruntime import exact_session
from onnxruntime import GraphOptimizationLevel
from torch import nn
from twofold.dtype import qint8
from twofold.quantization import (
    DeQuantStub,
    FakeCast,
    FakeQuantState,
    QconfigSetter,
    QuantStub,
    export,
    get_qconfig,
    prepare,
    set_fake_quantize,
)
from twofold.quantization.observer_v2 import MinMaxObserver
from twofold.quantization.qconfig_setter import ModuleNameTemplate


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.quant, self.dequant = QuantStub(), DeQuantStub()
        self.a, self.b = nn.Linear(8, 8), nn.Linear(8, 8)

    def forward(self, x):
        return self.dequant(self.b(torch.tanh(self.a(self.quant(x)))))


@pytest.fixture
def net():
    torch.manual_seed(0)
    return Net().eval(), torch.randn(16, 8)


def prepared(network, x, values):
    templates = [ModuleNameTemplate({"": qint8, **values})]
    model = prepare(network, x, QconfigSetter(get_qconfig(MinMaxObserver), templates))
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    model(x)
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    return model


def test_an_output_is_rounded_to_float16(net):
    network, x = net
    model = prepared(network, x, {"b": torch.float16})
    assert type(model.b.activation_post_process) is FakeCast
    y = model(x)
    assert torch.equal(y, y.half().float())
    set_fake_quantize(model, FakeQuantState._FLOAT)
    assert not torch.equal(model(x), model(x).half().float())


def test_a_weight_is_rounded_to_float16(net):
    """All else float, so that the result is that of the rounded weight."""
    network, x = net
    part = {"dtype": {"weight": torch.float16, "output": torch.float32}}
    model = prepared(network, x, {"": torch.float32, "a": part, "b": part})
    weights = [m.weight.detach().half().float() for m in (network.a, network.b)]
    y = torch.tanh(nn.functional.linear(x, weights[0], network.a.bias))
    y = nn.functional.linear(y, weights[1], network.b.bias)
    torch.testing.assert_close(model(x), y, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    "values",
    [
        {"b": torch.float16},
        {"a": torch.float16, "_generated_tanh_0": torch.float16},
        {"_generated_tanh_0": {"dtype": {"input": torch.float16}}},
        {"b": {"dtype": {"weight": torch.float16, "output": torch.float32}}},
    ],
)
def test_the_file_rounds_as_validation_does(net, values, tmp_path):
    network, x = net
    model = prepared(network, x, values)
    expected = model(x).detach().numpy()
    path = tmp_path / "m.onnx"
    session = export(model, (x,), path).session()
    assert np.array_equal(session.run({"input_0": x.numpy()})["output_0"], expected)
    reference = exact_session(path, GraphOptimizationLevel.ORT_ENABLE_ALL)
    (found,) = reference.run(None, {"input_0": x.numpy()})
    np.testing.assert_allclose(found, expected, rtol=2e-3, atol=1e-4)
    assert b"Cast" in path.read_bytes()
