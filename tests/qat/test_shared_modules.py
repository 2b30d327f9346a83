"""One module, several calls: one set of fake quantizers, which has to fit them all."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from twofold import Error
from twofold.dtype import qint8, qint16
from twofold.quantization import (
    DeQuantStub,
    FakeQuantState,
    QuantStub,
    export,
    get_qconfig,
    prepare,
    set_fake_quantize,
)
from twofold.quantization.observer_v2 import MinMaxObserver
from twofold.quantization.qconfig_template import ModuleNameQconfigSetter


def qconfig(in_dtype=qint8, weight=qint8, out=qint8):
    return get_qconfig(MinMaxObserver, in_dtype, weight, out)


class Shared(nn.Module):
    """`layer` reads what `wide` gives, and then what `narrow` gives."""

    def __init__(self):
        super().__init__()
        self.quant, self.dequant = QuantStub(), DeQuantStub()
        self.wide, self.narrow, self.layer = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        x = self.quant(x)
        y = self.layer(self.wide(x))
        return self.dequant(y + self.layer(self.narrow(x)))


@pytest.fixture
def shared():
    torch.manual_seed(0)
    return Shared().eval(), torch.randn(8, 4)


def calls_of_layer():
    line = Shared.forward.__code__.co_firstlineno
    return rf"test_shared_modules.py:{line + 2}.*test_shared_modules.py:{line + 3}"


@pytest.mark.parametrize("first_is_wide", [True, False])
def test_calls_may_read_different_integers(shared, first_is_wide, tmp_path):
    """Neither is rounded again: what each producer gives is what its reader computes with."""
    network, x = shared
    name = "wide" if first_is_wide else "narrow"
    setter = ModuleNameQconfigSetter({"": qconfig(), name: qconfig(out=qint16)})
    model = prepare(network, x, setter)
    assert not hasattr(model.layer, "activation_pre_process")
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    model(x)
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    seen = []
    model.layer.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    expected = model(x)
    dtypes = [str(tensor._quantizer.dtype) for tensor in seen]
    assert dtypes == (["qint16", "qint8"] if first_is_wide else ["qint8", "qint16"])
    session = export(model, (x,), tmp_path / "m.onnx").session()
    assert np.array_equal(session.run({"input_0": x.numpy()})["output_0"], expected.detach())


def test_one_quantizer_of_its_own_is_for_all_calls(shared):
    network, x = shared
    setter = ModuleNameQconfigSetter({"": qconfig(), "narrow": None, "layer": qconfig(qint16)})
    model = prepare(network, x, setter)
    assert model.layer.activation_pre_process["0"].dtype == qint16
    assert model.wide.activation_post_process.dtype == qint16  # its reader wants it


def test_a_weight_that_two_calls_would_have_otherwise_is_an_error_with_both_lines(shared):
    """The target takes one 16-bit input of a product: the second call could keep the weight's."""
    network, x = shared
    setter = ModuleNameQconfigSetter(
        {"": qconfig(), "wide": qconfig(out=qint16), "layer": qconfig(weight=qint16)}
    )
    from twofold.quantization.fx.graph_optimizers import QconfigCanonicalizer

    QconfigCanonicalizer.set_fallback_strategy_version("v2")
    try:
        with pytest.raises(Error, match="'layer' is one module .* its weight would be") as caught:
            prepare(network, x, setter, target="journey6-oe3.1")
    finally:
        QconfigCanonicalizer.set_fallback_strategy_version(None)
    assert re.search(calls_of_layer(), str(caught.value))
    assert "make it two modules, or give it one dtype" in str(caught.value)
    prepare(network, x, setter, target="cpu")


@pytest.mark.parametrize("other", ["again", "layer(1)"])
def test_two_names_of_one_module_cannot_ask_for_different_things(shared, other):
    network, x = shared
    network.again = network.layer
    setter = ModuleNameQconfigSetter({"": qconfig(), "layer": qconfig(), other: qconfig(qint16)})
    with pytest.raises(Error, match="are the same layer, 'layer', and are given different"):
        prepare(network, x, setter)


def test_calls_are_counted_in_the_report(shared):
    network, x = shared
    prepare(network, x, ModuleNameQconfigSetter({"": qconfig()}))
    text = Path("model_check_result.txt").read_text()
    times = text.partition("Each module called times:\n")[2].partition("\n\n")[0]
    assert ["layer", "2"] in [row.split() for row in times.splitlines()]
    assert "layer(1)" in text.partition("Each layer out qconfig:")[2]
