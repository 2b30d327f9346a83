"""The report of how far the engine is from VALIDATION."""

import pytest
import qat_networks as networks
import torch
from test_validation import PRECISIONS, validated
from torch import nn
from twofold.quantization import FakeQuantState, set_fake_quantize
from twofold.quantization.agreement import Agreement, agreement, agreement_table


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("kind", [networks.Residual, networks.Transformer])
def test_all_integers_are_equal_where_all_operators_are_quantized(kind, precision):
    network = networks.make(kind)
    x = networks.inputs_of(network)
    rows = agreement(validated(network, precision, x), (x,))
    assert [row for row in rows if row.equal < 1 or row.largest > 0] == []
    assert {row.dtype for row in rows} == {"qint8" if precision == "int8" else "qint16"}
    by_name = {row.name: row for row in rows}
    name = "stem.0" if kind is networks.Residual else "emb"
    assert by_name[name].elements == 4 * 16 * (8 * 8 if kind is networks.Residual else 32)


def test_states_and_modes_stay_as_they_are():
    network = networks.make(networks.Residual)
    x = networks.inputs_of(network)
    model = validated(network, "int8", x).train()
    set_fake_quantize(model, FakeQuantState.QAT)
    set_fake_quantize(model.head, FakeQuantState.VALIDATION)
    before = {
        name: m.fake_quant_state
        for name, m in model.named_modules()
        if hasattr(m, "fake_quant_state")
    }
    agreement(model, (x,))
    assert model.training and model.body[0].training
    assert before == {
        name: m.fake_quant_state
        for name, m in model.named_modules()
        if hasattr(m, "fake_quant_state")
    }
    assert model.head.is_validated and not model.stem[0].is_validated


def test_a_float_layer_in_between_is_the_only_reason_for_a_difference():
    class Between(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.middle, self.last = (nn.Linear(64, 64) for _ in range(3))
            self.middle.qconfig = None

        def forward(self, x):
            return torch.sigmoid(self.last(self.middle(self.first(x))))

    torch.manual_seed(0)
    x = torch.randn(64, 64)
    rows = {
        row.name: row for row in agreement(validated(Between().eval(), "int16 x int8", x), (x,))
    }
    assert set(rows) == {"last", "_generated_sigmoid_0"}  # only floats read what first gives
    assert rows["last"].largest <= 2


def test_the_table_lines_up():
    rows = [Agreement("stem.0", "qint8", 1024, 1.0, 0), Agreement("a", "qint16", 7, 0.5, 3)]
    assert agreement_table(rows).splitlines() == [
        "name    dtype   elements    equal  largest difference, steps",
        "stem.0  qint8       1024 100.000%  0",
        "a       qint16         7  50.000%  3",
    ]
