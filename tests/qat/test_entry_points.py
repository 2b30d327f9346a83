"""The classic ways in and out: prepare_qat_fx, prepare_calibration, fuse_fx, exports, refusals."""

import io
import warnings
from pathlib import Path

import numpy as np
import onnx
import pytest
import qat_networks as networks
import torch
import twofold as horizon
from torch import nn
from twofold import Error
from twofold.dtype import qint16
from twofold.hbdk4 import compiler
from twofold.quantization import (
    FakeQuantize,
    FakeQuantState,
    FuseMode,
    QconfigSetter,
    fuse_fx,
    fuse_known_modules,
    get_default_qat_qconfig,
    get_qconfig,
    hbdk4,
    load_calib_state_dict,
    prepare,
    prepare_calibration,
    prepare_calibration_fx,
    prepare_qat,
    prepare_qat_fx,
    set_fake_quantize,
)
from twofold.quantization.observer_v2 import MinMaxObserver, MSEObserver
from twofold.quantization.qconfig import (
    default_qat_8bit_fake_quant_qconfig,
    default_qat_8bit_weight_16bit_act_fake_quant_qconfig,
)
from twofold.quantization.qconfig_setter import ModuleNameTemplate
from twofold.quantization.qconfig_template import (
    default_calibration_qconfig_setter,
    default_qat_qconfig_setter,
)
from twofold.utils.onnx_helper import export_quantized_onnx, export_to_onnx

WIDE = default_qat_8bit_weight_16bit_act_fake_quant_qconfig


@pytest.fixture
def residual():
    network = networks.make(networks.Residual, 2)
    return network, networks.inputs_of(network)


def has_quantizers(model):
    return any(isinstance(module, FakeQuantize) for module in model.modules())


def output_dtype(model, name):
    return str(model.get_submodule(name).activation_post_process.dtype)


def validated(network, x):
    model = prepare(network, x, default_calibration_qconfig_setter)
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    model(x)
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    return model


# prepare_qat_fx and its kin


def test_a_name_beats_a_type_and_a_type_the_rest_and_the_module_all(residual):
    network, _ = residual
    network.body[1][0].qconfig = None
    qconfigs = {
        "": default_qat_8bit_fake_quant_qconfig,
        "module_type": [(nn.Conv2d, WIDE), ("add", WIDE)],
        "module_name": [("body.0.0", default_qat_8bit_fake_quant_qconfig)],
    }
    model = prepare_qat_fx(network, qconfigs)
    assert output_dtype(model, "stem.0") == "qint16"  # a Conv2d
    assert output_dtype(model, "body.0.0") == "qint8"  # by name
    assert output_dtype(model, "_generated_add_0") == "qint16"  # by the operator's name
    assert output_dtype(model, "_generated_mul_0") == "qint8"  # the rest
    assert not hasattr(model.body[1][0], "weight_fake_quant")  # its own qconfig is None


def test_setters_come_behind_the_dict(residual):
    network, x = residual
    setter = QconfigSetter(get_qconfig(MinMaxObserver), [ModuleNameTemplate({"": qint16})])
    qconfigs = {"module_name": [("stem.0", default_qat_8bit_fake_quant_qconfig)]}
    for inputs in (None, x):
        model = prepare_qat_fx(network, qconfigs, example_inputs=inputs, qconfig_setter=setter)
        assert output_dtype(model, "_generated_add_0") == "qint16"
        assert output_dtype(model, "stem.0") == "qint8"


def test_what_the_model_holds_survives(residual):
    network, x = residual
    network.note = {"mine": 1}
    kept = {"preserved_attributes": ["note"]}
    qconfigs = {"": get_default_qat_qconfig()}
    model = prepare_qat_fx(network, qconfigs, kept, optimize_graph=True, opset_version=11)
    assert model.note == {"mine": 1} and type(model) is type(network) and model is not network
    set_fake_quantize(model, FakeQuantState._FLOAT)
    torch.testing.assert_close(model(x), network(x), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m: prepare_qat_fx(m, {}, hybrid=True), "hybrid models are for a device"),
        (lambda m: prepare_qat_fx(m, {}, hybrid_dict={"a": 1}), "hybrid models are for a device"),
        (lambda m: prepare_qat_fx(m, {}, {"float_module": []}), "'float_module', which is not t"),
        (lambda m: prepare_qat(m, hybrid=True), "hybrid models are for a device"),
        (lambda m: prepare_qat(m, {nn.Conv2d: nn.Conv2d}), "a mapping of modules is not taken"),
        (lambda m: fuse_fx(m, {"a": 1}), "fuse_custom_config_dict is not taken"),
        (lambda m: prepare_qat_fx(m), "no layer gets a qconfig"),
    ],
)
def test_what_is_not_taken_says_so(residual, call, message):
    with pytest.raises(Error, match=message):
        call(residual[0])


@pytest.mark.parametrize("by", [prepare_calibration, prepare_calibration_fx])
def test_calibration_begins_at_once(residual, by):
    network, x = residual
    model = by(network)
    quantizers = [m for m in model.modules() if isinstance(m, FakeQuantize)]
    assert all(q.fake_quant_state is FakeQuantState.CALIBRATION for q in quantizers)
    observer = model.stem[0].activation_post_process.activation_post_process
    assert isinstance(observer, MSEObserver)  # the default setter's
    model(x)
    assert model.stem[0].activation_post_process.is_calibrated
    network.qconfig = get_default_qat_qconfig()
    model = by(network)
    assert isinstance(model.stem[0].activation_post_process.activation_post_process, MinMaxObserver)
    assert by(network, inplace=True) is network


def test_scales_of_calibration_load_into_training(residual):
    network, x = residual
    calibrated = prepare_calibration_fx(network)
    calibrated(x)
    model = prepare_qat_fx(network, {"": default_qat_8bit_fake_quant_qconfig})
    load_calib_state_dict(model, calibrated.state_dict())
    name = "stem.0.activation_post_process.scale"
    assert torch.equal(model.state_dict()[name], calibrated.state_dict()[name])
    with pytest.raises(RuntimeError, match="size mismatch|Missing key"):
        load_calib_state_dict(model, {"head.weight": torch.zeros(1)})


def test_fuse_fx_folds_what_it_finds(residual):
    network, x = residual
    network = network.eval()
    fused = fuse_fx(network)
    norms = [m for m in fused.modules() if isinstance(m, nn.BatchNorm2d)]
    assert norms == [] and type(network.stem[1]) is nn.BatchNorm2d
    torch.testing.assert_close(fused(x), network(x), rtol=1e-4, atol=1e-5)
    assert not has_quantizers(fused)
    assert not torch.equal(fused.stem[0].weight, network.stem[0].weight)
    eager = prepare_qat(fused, qconfig_setter=default_qat_qconfig_setter)
    assert eager.stem[0].clamp == ("relu", {}) and type(eager.stem[2]) is nn.Identity
    both = [prepare(m, x, default_qat_qconfig_setter).state_dict().keys() for m in (fused, network)]
    assert both[0] == both[1]


def test_fusing_takes_no_modes():
    for member in ("BNAddReLU", "NoFuse"):
        with pytest.raises(AttributeError, match=f"{member}: prepare takes no mode of fusing"):
            getattr(FuseMode, member)
    assert fuse_known_modules([nn.Linear(2, 2)])[0].out_features == 2


# Wrong use


def test_a_prepared_model_is_not_prepared_again(residual):
    network, x = residual
    model = prepare(network, x, default_qat_qconfig_setter)
    for method in ("jit", "eager", "symbolic"):
        with pytest.raises(Error, match="prepared already: 'quant' is .*Prepare the float model"):
            prepare(model, x, default_qat_qconfig_setter, method)


def test_calls_that_nothing_is_known_of_are_named(caplog):
    class Sorted(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 4)

        def forward(self, x):
            return self.b(torch.sort(self.a(x))[0])

    x = torch.randn(2, 4)
    model = prepare(Sorted().eval(), x, default_qat_qconfig_setter)
    (message,) = [r.getMessage() for r in caplog.records if "no operator" in r.getMessage()]
    line = Sorted.forward.__code__.co_firstlineno + 1
    assert f"test_entry_points.py:{line}: sort is no operator that Twofold knows" in message
    assert message in Path("qconfig_changelogs.txt").read_text()
    assert "activation_pre_process" in dict(model.b.named_children())  # whose input is float
    assert not any("sort" in name for name, _ in model.named_modules())


NO_INTEGERS = """
name: floats
description: A device without integers.
fallback: v2
operators:
  - ops: "*"
    combinations:
      - {each_input: [float32], cost: 1}
"""


def test_a_target_that_grants_nothing_is_refused(residual, tmp_path):
    network, x = residual
    (tmp_path / "floats.yaml").write_text(NO_INTEGERS)
    target = str(tmp_path / "floats.yaml")
    for method in ("jit-strip", "symbolic"):
        with pytest.raises(Error, match="has no integers for any product of this model: .*target="):
            prepare(network, x, default_qat_qconfig_setter, method, target=target)
    with pytest.raises(Error, match="no_such_target"):
        prepare(network, x, default_qat_qconfig_setter, target="no_such_target")


def test_what_a_target_takes_back_is_in_the_changelog(residual, caplog):
    network, x = residual
    wide = get_qconfig(MinMaxObserver, qint16, qint16, torch.float32)
    setter = horizon.quantization.qconfig_template.ModuleNameQconfigSetter({"head": wide})
    setters = (setter, default_qat_qconfig_setter)
    horizon.set_march("nash-e")
    try:
        model = prepare(network, x, setters)
    finally:
        horizon.march._current = None
    rows = [r.split() for r in Path("qconfig_changelogs.txt").read_text().splitlines()]
    head = {row[1]: row[2:4] for row in rows if row[:1] == ["head"] and row[1] != "output"}
    assert head == {"input1": ["int16", "ec"], "output0": ["float32", "int16"]}
    assert model.head.weight_fake_quant.dtype == "ec"
    assert output_dtype(model, "head") == "qint16"
    (message,) = [r.getMessage() for r in caplog.records if "grants" in r.getMessage()]
    assert "target 'journey6-oe3.2' grants 2 of" in message


# Ways out


def test_export_to_onnx_takes_arguments_as_torch_onnx_does(residual, tmp_path):
    network, x = residual
    model = validated(network, x)
    path, buffer = tmp_path / "qat.onnx", io.BytesIO()
    export_to_onnx(model, (x, {}), path, opset_version=11, verbose=True)
    export_quantized_onnx(model, x, buffer, input_names=["img"], output_names=["classes"])
    expected = model(x).detach().numpy()
    assert np.array_equal(horizon.Session(path).run({"input_0": x.numpy()})["output_0"], expected)
    found = onnx.load_from_string(buffer.getvalue()).graph
    assert [v.name for v in (*found.input, *found.output)] == ["img", "classes"]
    for options in ({"dynamic_axes": {"input_0": {0: "n"}}}, {"export_params": False}):
        with pytest.raises(Error, match="has the shapes of args, and its weights"):
            export_to_onnx(model, x, path, **options)
    with pytest.raises(Error, match="this is a float model"):
        export_to_onnx(network, x, path)


def test_export_to_onnx_takes_arguments_by_name(tmp_path):
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(4, 4)

        def forward(self, x, *, bias):
            return self.layer(x) + bias

    x, bias = torch.randn(2, 4), torch.randn(4)
    by_name = {"bias": bias}
    model = prepare(Scaled().eval(), x, default_qat_qconfig_setter, example_kw_inputs=by_name)
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    model(x, bias=bias)
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    export_to_onnx(model, (x, {"bias": bias}), tmp_path / "m.onnx")
    feeds = {"input_0": x.numpy(), "input_1": bias.numpy()}
    found = horizon.Session(tmp_path / "m.onnx").run(feeds)["output_0"]
    assert np.array_equal(found, model(x, bias=bias).detach().dequantize().numpy())


def test_the_object_of_hbdk4_is_saved_as_scripts_do_it(residual, tmp_path):
    network, x = residual
    model = validated(network, x)
    asked = []
    model.head.register_forward_hook(lambda *_: asked.append(hbdk4.is_exporting()))
    made = hbdk4.export(hbdk4.pre_export(model), (x,), name="cnn")
    model(x)
    assert asked == [False] or asked[-1] is False and not hbdk4.is_exporting()
    compiler.save(made, tmp_path / "cnn.bc")
    session = horizon.Session(tmp_path / "cnn.bc")
    assert np.array_equal(session.run({"input_0": x.numpy()})["output_0"], model(x).detach())


def test_a_forward_can_ask_whether_it_is_exported():
    class Asks(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer, self.seen = nn.Linear(4, 4), []

        def forward(self, x):
            self.seen.append(hbdk4.is_exporting())
            return self.layer(x)

    x = torch.randn(2, 4)
    model = validated(Asks().eval(), x)
    before = list(model.seen)
    hbdk4.export(model, (x,))
    assert not any(before) and model.seen[len(before) :] == [True]


REFUSED = {
    "quantization.convert": "VALIDATION computes from the integers",
    "quantization.convert_fx": "VALIDATION computes from the integers",
    "quantization.quantize_fx.convert_fx": "VALIDATION computes from the integers",
    "quantization.check_model": "the vendor's compiler",
    "quantization.compile_model": "the vendor's compiler",
    "quantization.perf_model": "the vendor's device",
    "quantization.visualize_model": "viewer of ONNX",
    "quantization.export_hbir": "the vendor's format",
    "quantization.auto_calibrate": "FakeQuantState.CALIBRATION",
    "quantization.freeze_qat_module": "FakeQuantState.VALIDATION",
    "quantization.weight_reconstruction": "train for some steps",
    "quantization.load_observer_params": "load_state_dict",
    "quantization.hbdk4.get_hbir_input_flattener": "are flat",
    "quantization.hbdk4.get_hbir_output_unflattener": "are flat",
    "hbdk4.compiler.load": "twofold.Session",
    "hbdk4.compiler.convert": "holds the integers already",
    "hbdk4.compiler.compile": "holds the integers already",
    "hbdk4.compiler.statistics": "twofold inspect",
    "hbdk4.compiler.visualize": "viewer of ONNX",
    "hbdk4.compiler.hbm_perf": "twofold bench",
    "hbdk4.compiler.Hbm": "twofold.Session",
    "hbdk4.compiler.leap": "holds the integers already",
    "jit.save": "quantization.export",
    "jit.load": "twofold.Session",
    "functional.rgb2centered_yuv": "convert images before the model",
    "functional.bgr2centered_yuv": "convert images before the model",
    "functional.centered_yuv2rgb": "convert images before the model",
}


@pytest.mark.parametrize("path", REFUSED)
def test_what_needs_the_vendors_compiler_names_the_way_here(path):
    found = horizon
    for part in path.split("."):
        found = getattr(found, part)
    with pytest.raises(Error, match=f"is not built: .*{REFUSED[path]}"):
        found(nn.Linear(2, 2), march="nash-e")


def test_scripts_reach_submodules_by_attribute():
    assert horizon.fx.jit_scheme.Tracer.is_tracing() is False
    assert horizon.utils.fx_helper.wrap is horizon.fx.fx_helper.wrap
    assert horizon.quantization.fx.graph_optimizers is not None
    assert horizon.quantization.set_qat_mode is horizon.qat_mode.set_qat_mode
    assert horizon.March.NASH_E == "nash-e" and "March" in dir(horizon)
    with pytest.raises(AttributeError, match="no_such"):
        _ = horizon.no_such
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert horizon.nn.qat.SegmentLUT is horizon.nn.SegmentLUT
