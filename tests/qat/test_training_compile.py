"""torch.compile of prepared models: it leaves what is quantized as it is, and changes no bit."""

import copy

import pytest
import qat_networks as networks
import torch
from torch import nn
from twofold.dtype import qint8
from twofold.quantization import (
    DeQuantStub,
    FakeQuantize,
    FakeQuantState,
    QuantStub,
    prepare,
    set_fake_quantize,
)
from twofold.quantization.qconfig_template import default_qat_qconfig_setter


class Mixed(nn.Module):
    """Float parts around a quantized one, with calls that torch.compile would not follow."""

    def __init__(self):
        super().__init__()
        self.quant, self.dequant = QuantStub(), DeQuantStub()
        self.before, self.inside, self.after = (nn.Linear(8, 8) for _ in range(3))

    def forward(self, x):
        x = self.quant(torch.tanh(self.before(x)) * 2)
        x = 1 - self.inside(x) ** 2
        heads = x.unflatten(-1, (2, 4)).transpose(0, 1)
        x = nn.functional.scaled_dot_product_attention(heads, heads, heads)
        first, second = x.transpose(0, 1).flatten(1).split(4, -1)
        return self.after(self.dequant(torch.cat([first, 2 / (second.abs() + 1)], -1)))


def prepared(network, x):
    model = prepare(network, (x,), default_qat_qconfig_setter)
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    model(x)
    set_fake_quantize(model, FakeQuantState.QAT)
    return model.train()


def three_steps(model, running, x):
    """Losses, and the state after; `running` is the model as it is called."""
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    losses = []
    for _ in range(3):
        optimizer.zero_grad()
        loss = running(x).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, model.state_dict()


def cases():
    for kind in (networks.Residual, networks.Transformer):
        network = networks.make(kind)
        yield kind.__name__, network, networks.inputs_of(network)
    torch.manual_seed(0)
    yield "Mixed", Mixed().eval(), torch.randn(6, 8)


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
@pytest.mark.parametrize(("network", "x"), [pytest.param(n, x, id=name) for name, n, x in cases()])
def test_training_a_compiled_model_changes_no_bit(network, x, backend):
    torch.compiler.reset()
    model = prepared(network, x)
    other = copy.deepcopy(model)
    expected = three_steps(model, model, x)
    found = three_steps(other, torch.compile(other, backend=backend), x)
    assert found[0] == expected[0]
    assert all(torch.equal(value, expected[1][name]) for name, value in found[1].items())
    for each in (model, other):
        set_fake_quantize(each.eval(), FakeQuantState.VALIDATION)
    assert torch.equal(torch.compile(other, backend=backend)(x), model(x))


def test_float_parts_outside_the_stubs_are_compiled():
    torch.compiler.reset()
    network, x = Mixed().eval(), torch.randn(6, 8)
    model = prepared(network, x)
    graphs = []

    def backend(graph, _inputs):
        graphs.extend(str(node.target) for node in graph.graph.nodes)
        return graph.forward

    torch.compile(model, backend=backend)(x)
    assert any("tanh" in name for name in graphs)
    assert not any("fake_quantize" in name or "cat" in name for name in graphs)


def test_a_whole_graph_is_refused_with_the_reason():
    torch.compiler.reset()
    network = networks.make(networks.Residual)
    x = networks.inputs_of(network)
    compiled = torch.compile(prepared(network, x), backend="eager", fullgraph=True)
    with pytest.raises(Exception, match="in a prepared model, functional calls find their modules"):
        compiled(x)


def test_a_fake_quantizer_alone_is_compiled_whole():
    torch.compiler.reset()
    x = torch.randn(100)
    quantizer = FakeQuantize(dtype=qint8)
    other = copy.deepcopy(quantizer)
    for made in (quantizer, other):
        made(x)
    compiled = torch.compile(other, backend="aot_eager", fullgraph=True)
    for size in (1.0, 3.0):
        found, expected = (x * size).requires_grad_(), (x * size).requires_grad_()
        y, z = compiled(found), quantizer(expected)
        y.square().sum().backward()
        z.square().sum().backward()
        assert torch.equal(y, z) and torch.equal(found.grad, expected.grad)
    assert torch.equal(other.scale, quantizer.scale)
