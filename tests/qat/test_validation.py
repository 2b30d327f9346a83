"""VALIDATION and the exported file: the same integers, tensor by tensor."""

import numpy as np
import onnx
import pytest
import qat_networks as networks
import torch
import twofold
from exact_onnxruntime import exact_session
from onnx import numpy_helper
from onnxruntime import GraphOptimizationLevel
from torch import nn
from twofold.dtype import qint4, qint8, qint16
from twofold.nn._operator import Operator
from twofold.quantization import (
    FakeQuantize,
    FakeQuantState,
    FixedScaleObserver,
    QConfig,
    export,
    get_qconfig,
    prepare,
    set_fake_quantize,
)
from twofold.quantization.export import exported
from twofold.quantization.observer_v2 import MinMaxObserver
from twofold.quantization.qconfig_template import ModuleNameQconfigSetter


def qconfig(activation, weight):
    return get_qconfig(MinMaxObserver, activation, weight, activation)


PRECISIONS = {
    "int8": qconfig(qint8, qint8),
    "int16 x int8": qconfig(qint16, qint8),
    "dual int16": qconfig(qint16, qint16),
}


def validated(network, precision, x):
    """Prepared, calibrated on x, in VALIDATION."""
    model = prepare(network, (x,), ModuleNameQconfigSetter({"": PRECISIONS[precision]}))
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    model(x)
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    return model


def outputs_of(model, x):
    """What every operator gives in VALIDATION, by its name, and what the model gives."""
    found = {}
    handles = [
        module.register_forward_hook(
            lambda module, args, output, name=name: found.update({name: output})
        )
        for name, module in model.named_modules()
        if isinstance(module, Operator)
    ]
    with torch.no_grad():
        result = model(x)
    for handle in handles:
        handle.remove()
    return {name: tensor.dequantize().numpy() for name, tensor in found.items()}, result


CASES = {
    "3 layers": (networks.Residual, 1),
    "30 layers": (networks.Residual, 28),
    "transformer": (networks.Transformer, 2),
}


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("case", CASES)
def test_every_integer_of_the_file_is_that_of_validation(case, precision):
    network = networks.make(*CASES[case])
    x = networks.inputs_of(network)
    model = validated(network, precision, x)
    expected, result = outputs_of(model, x)
    file = exported(model, (x,))
    tensors = file.integers()
    assert len(tensors) >= len(expected) - 4  # but for the head, the stubs and moves
    run = twofold.Session(file.onnx, watched=list(tensors.values())).keep({"input_0": x.numpy()})
    for name, tensor in tensors.items():
        scale = np.float32(model.get_submodule(name).activation_post_process.scale.item())
        integers = np.round(expected[name] / scale).astype(np.int32)
        assert np.array_equal(integers.ravel(), run.value(tensor).astype(np.int32).ravel()), name
    assert np.array_equal(result.numpy(), run.outputs["output_0"])


@pytest.mark.parametrize("precision", PRECISIONS)
def test_onnxruntime_gives_the_same_integers(precision):
    network = networks.make(networks.Residual, 3)
    x = networks.inputs_of(network)
    model = validated(network, precision, x)
    session = exact_session(exported(model, (x,)).onnx, GraphOptimizationLevel.ORT_ENABLE_ALL)
    (found,) = session.run(None, {"input_0": x.numpy()})
    expected = model(x).detach().numpy()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6 * np.abs(expected).max())


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize(
    "scales", [{}, {"alpha": 0.5, "beta": 0.5}, {"alpha": 4, "beta": 4}], ids=str
)
def test_a_product_may_be_larger_than_the_sum_that_is_quantized(precision, scales):
    """The addend takes most of the product away; cut to the range of the sum, it would be lost."""

    class Added(nn.Module):
        def forward(self, c, a, b):
            return torch.baddbmm(c, a, b, **scales)

    torch.manual_seed(0)
    a, b = torch.randn(2, 8, 32), torch.randn(2, 32, 8)
    c = 0.5 * torch.randn(2, 8, 8) - a @ b
    setter = ModuleNameQconfigSetter({"": PRECISIONS[precision]})
    model = prepare(Added(), (c, a, b), setter)
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    model(c, a, b)
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    found = model(c, a, b)
    (operator,) = (m for m in model.modules() if getattr(m, "op_name", "") == "baddbmm")
    factors = [operator.quantizer_of(i)(x) for i, x in enumerate((a, b))]
    quantizer = operator.activation_post_process
    step = float(quantizer.scale)
    largest = step * (127 if precision == "int8" else 32767)
    assert (a @ b).abs().max() * scales.get("alpha", 1) > 2 * largest
    expected = quantizer(Added()(c, *factors))
    torch.testing.assert_close(found, expected, rtol=0, atol=1.01 * step)
    run = twofold.Session(exported(model, (c, a, b)).onnx)
    inputs = {f"input_{i}": x.numpy() for i, x in enumerate((c, a, b))}
    assert np.array_equal(run.run(inputs)["output_0"], found.detach().numpy())


def test_weights_of_4_bits_keep_to_their_range():
    torch.manual_seed(0)
    layer, x = nn.Linear(64, 32), torch.randn(4, 64)
    weight = FakeQuantize.with_args(observer=FixedScaleObserver, dtype=qint4, scale=0.01)
    four_bits = QConfig(weight=weight, output=PRECISIONS["int8"].output)
    model = prepare(layer.eval(), (x,), ModuleNameQconfigSetter({"": four_bits}))
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    model(x)
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    graph = onnx.load_from_string(exported(model, (x,)).onnx).graph
    (integers,) = [
        numpy_helper.to_array(c)
        for c in graph.initializer
        if c.data_type == onnx.TensorProto.INT8 and len(c.dims) == 2
    ]
    steps = np.round(layer.weight.detach().numpy() / np.float32(0.01))
    assert np.array_equal(integers, np.clip(steps, -8, 7))
    assert (np.abs(steps) > 8).any()


def test_validation_follows_weights_and_scales():
    network = networks.make(networks.Residual)
    x = networks.inputs_of(network)
    model = validated(network, "int8", x)
    before = model(x)
    with torch.no_grad():
        model.head.bias += 1
    torch.testing.assert_close(model(x), before + 1, rtol=0, atol=1e-2)
    model.stem[0].activation_post_process.set_qparams(0.5)
    assert not torch.equal(model(x), before + 1)
    y, _ = outputs_of(model, x)
    assert np.array_equal(y["stem.0"] % 0.5, np.zeros_like(y["stem.0"]))


def test_validation_needs_scales_and_names_who_has_none():
    network = networks.make(networks.Residual)
    x = networks.inputs_of(network)
    model = prepare(network, (x,), ModuleNameQconfigSetter({"": PRECISIONS["int8"]}))
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    with pytest.raises(twofold.Error, match="quant.activation_post_process: there is no scale"):
        model(x)


def test_parts_may_be_in_different_states():
    network = networks.make(networks.Residual)
    x = networks.inputs_of(network)
    model = validated(network, "int8", x)
    whole = model(x)
    set_fake_quantize(model.head, FakeQuantState._FLOAT)
    assert not torch.equal(model(x), whole)
    set_fake_quantize(model.head, FakeQuantState.VALIDATION)
    assert torch.equal(model(x), whole)


def test_a_file_is_written_with_names_and_read_by_the_engine(tmp_path):
    network = networks.make(networks.Transformer)
    x = networks.inputs_of(network)
    model = validated(network, "int8", x)
    export(model, (x,), tmp_path / "m.onnx", input_names=["tokens"], output_names=["classes"])
    session = twofold.Session(tmp_path / "m.onnx")
    assert session.input_names == ["tokens"] and session.output_names == ["classes"]
    assert np.array_equal(session.run({"tokens": x.numpy()})["classes"], model(x).detach().numpy())
    assert [path.name for path in tmp_path.iterdir()] == ["m.onnx"]


def test_what_cannot_be_exported_says_why(tmp_path):
    network = networks.make(networks.Residual)
    x = networks.inputs_of(network)
    with pytest.raises(twofold.Error, match="this is a float model; prepare and calibrate it"):
        export(network, (x,), tmp_path / "m.onnx")
    model = prepare(network, (x,), ModuleNameQconfigSetter({"": PRECISIONS["int8"]}))
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    model(x)
    with pytest.raises(twofold.Error, match="still calibrating"):
        export(model, (x,), tmp_path / "m.onnx")

    class Sorted(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(4, 4)

        def forward(self, x):
            return torch.sort(self.layer(x))[0]

    x = torch.randn(2, 4)
    model = validated(Sorted().eval(), "int8", x)
    with pytest.raises(twofold.Error, match=r"test_validation.py:\d+: sort"):
        export(model, (x,), tmp_path / "m.onnx")
    assert not list(tmp_path.iterdir())
