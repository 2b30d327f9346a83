"""LSTM and GRU in steps that share their operators."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import nn
from twofold import Error, inspect
from twofold import nn as tnn
from twofold.dtype import qint8, qint16
from twofold.quantization import (
    DeQuantStub,
    FakeQuantize,
    FakeQuantState,
    HistogramObserver,
    QuantStub,
    export,
    get_qconfig,
    prepare,
    set_fake_quantize,
)
from twofold.quantization.qconfig_template import (
    ModuleNameQconfigSetter,
    calibration_8bit_weight_16bit_act_qconfig_setter,
    default_calibration_qconfig_setter,
)

LAYERS = {"LSTM": (nn.LSTM, tnn.LSTM), "GRU": (nn.GRU, tnn.GRU)}
CELLS = {"LSTMCell": (nn.LSTMCell, tnn.LSTMCell), "GRUCell": (nn.GRUCell, tnn.GRUCell)}
OPTIONS = [
    {},
    {"batch_first": True, "bias": False},
    {"num_layers": 2, "bidirectional": True},
    {"num_layers": 3, "dropout": 0.5},
]


def pair(classes, *sizes, **options):
    """torch's and ours with the same weights, in eval mode."""
    torch.manual_seed(0)
    theirs, ours = (cls(*sizes, **options).eval() for cls in classes)
    ours.load_state_dict(theirs.state_dict())
    return theirs, ours


def flat(result):
    output, state = result
    return [output, *(state if isinstance(state, tuple) else (state,))]


@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize("kind", LAYERS)
def test_layers_compute_what_torchs_do(kind, options):
    theirs, ours = pair(LAYERS[kind], 5, 6, **options)
    x = torch.randn(3, 4, 5)
    expected = theirs(x)
    states = (None, expected[1]) if not options.get("batch_first") else (None,)
    for state in states:
        for found, value in zip(flat(ours(x, state)), flat(theirs(x, state)), strict=True):
            torch.testing.assert_close(found, value, rtol=1e-5, atol=1e-6)
    for found, value in zip(flat(ours(x[0])), flat(theirs(x[0])), strict=True):
        torch.testing.assert_close(found, value, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("kind", CELLS)
def test_cells_compute_what_torchs_do(kind, bias):
    theirs, ours = pair(CELLS[kind], 5, 6, bias=bias)
    x = torch.randn(4, 5)
    state = theirs(x)
    for given in (None, state):
        found, expected = ours(x, given), theirs(x, given)
        if isinstance(expected, tuple):
            found, expected = torch.stack(found), torch.stack(expected)
        torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-6)


class Reads(nn.Module):
    """The last state of a sequence [N,T,5], classified: [N,3]."""

    def __init__(self, kind, **options):
        super().__init__()
        self.quant, self.dequant = QuantStub(), DeQuantStub()
        self.rnn = kind(5, 8, batch_first=True, **options)
        self.head = nn.Linear(8 * (1 + self.rnn.bidirectional), 3)

    def forward(self, x):
        y, _ = self.rnn(self.quant(x))
        return self.dequant(self.head(y[:, -1]))


def quantizers(model):
    return {name for name, module in model.named_modules() if isinstance(module, FakeQuantize)}


@pytest.mark.parametrize("method", ["jit-strip", "symbolic"])
@pytest.mark.parametrize("options", [{}, {"num_layers": 2, "bidirectional": True}])
@pytest.mark.parametrize("kind", LAYERS)
def test_steps_share_operators_that_run_as_exported(kind, options, method, tmp_path):
    torch.manual_seed(0)
    network, x = Reads(LAYERS[kind][0], **options).eval(), torch.randn(8, 7, 5)
    inputs = x if method == "jit-strip" else None
    model = prepare(network, inputs, default_calibration_qconfig_setter, method)
    products = {"LSTM": 2, "GRU": 3}[kind]
    for scope in ["steps_l0"] + ["steps_l1_reverse", "both_l1"] * bool(options):
        of_scope = {n for n in quantizers(model) if n.startswith(f"rnn.{scope}.")}
        assert of_scope and not any("_generated_linear_3" in name for name in of_scope)
        found = {f"rnn.{scope}._generated_linear_{i}" for i in range(products)}
        if scope.startswith("steps"):
            assert found <= {name.rpartition(".activation")[0] for name in of_scope}
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    model(x)
    set_fake_quantize(model, FakeQuantState._FLOAT)
    torch.testing.assert_close(model(x), network(x), rtol=1e-4, atol=1e-5)
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    shorter = x[:, :5]
    expected = model(shorter).detach().numpy()
    session = export(model, (shorter,), tmp_path / "m.onnx").session()
    assert np.array_equal(session.run({"input_0": shorter.numpy()})["output_0"], expected)


@pytest.mark.parametrize("dtype", [qint8, qint16])
@pytest.mark.parametrize("kind", LAYERS)
def test_every_product_of_a_sequence_is_one_of_integers(kind, dtype, tmp_path):
    """Those with the state too: written out, there is no loop that keeps it float."""
    torch.manual_seed(0)
    network, x = Reads(LAYERS[kind][0]).eval(), torch.randn(4, 6, 5)
    setter = ModuleNameQconfigSetter({"": get_qconfig(HistogramObserver, dtype, dtype, dtype)})
    model = prepare(network, x, setter)
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    model(x)
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    export(model, (x,), tmp_path / "m.onnx")
    lowered = inspect(tmp_path / "m.onnx")["lowered"]
    products = [row for row in lowered if row["op_type"].endswith(("MatMul", "Gemm"))]
    with_state = {"LSTM": 1, "GRU": 2}[kind]
    assert len(products) == 6 + 5 * with_state + 1  # the first state is constant zeros
    assert {row["kind"] for row in products} == {"integer"}
    assert not any(row["op_type"] in ("LSTM", "GRU", "Loop") for row in lowered)


@pytest.mark.parametrize(("dtype", "error"), [(qint8, 0.03), (qint16, 0.0003)])
def test_a_sequence_is_as_close_to_float_as_its_dtypes(dtype, error):
    """With a histogram of all steps; moving averages know best those that come first."""
    torch.manual_seed(0)
    network, x = Reads(nn.LSTM).eval(), torch.randn(16, 6, 5)
    qconfig = get_qconfig(HistogramObserver, dtype, dtype, dtype)
    model = prepare(network, x, ModuleNameQconfigSetter({"": qconfig}))
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    model(x)
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    assert (model(x) - network(x)).abs().max() < error * network(x).abs().max()
    set_fake_quantize(model, FakeQuantState.QAT)
    model.train()(x).square().sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


def test_what_is_not_there_says_so():
    packed = nn.utils.rnn.pack_padded_sequence(torch.randn(3, 2, 5), [3, 2])
    with pytest.raises(Error, match="LSTM: packed sequences are not taken; give a padded tensor"):
        tnn.LSTM(5, 6)(packed)
    with pytest.raises(Error, match="LSTM: proj_size is not there; project with a Linear behind"):
        tnn.LSTM(5, 6, proj_size=2)(torch.randn(3, 2, 5))


def test_the_bias_of_a_functional_product_is_rounded_as_in_the_file(tmp_path):
    """An integer of the accumulator, though no module holds it: 2,000 numbers show it if not."""

    class Functional(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight, self.bias = nn.Parameter(torch.randn(40, 8)), nn.Parameter(torch.randn(40))

        def forward(self, x):
            return F.linear(x, self.weight, self.bias * 0.3)

    torch.manual_seed(0)
    network, x = Functional().eval(), torch.randn(50, 8)
    model = prepare(network, x, calibration_8bit_weight_16bit_act_qconfig_setter)
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    model(x)
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    expected = model(x).detach().dequantize().numpy()
    session = export(model, (x,), tmp_path / "m.onnx").session()
    assert np.array_equal(session.run({"input_0": x.numpy()})["output_0"], expected)
