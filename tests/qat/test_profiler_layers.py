"""ModelProfiler, run and compare_per_layer: the numbers of layers, and whose scale is wrong."""

import csv
import re

import numpy as np
import profiled_networks as networks
import pytest
import torch
import twofold
from torch import nn
from torch.ao.quantization import DeQuantStub
from twofold.dtype import qint8
from twofold.nn.quantized import FloatFunctional
from twofold.profiler import ModelProfiler, QuantAnalysis
from twofold.quantization import FakeQuantState, QuantStub, set_fake_quantize
from twofold.quantization._kernels import fake_quantize
from twofold.quantization.qconfig_setter import ModuleNameTemplate, QconfigSetter

COLUMNS = [
    *("mod_name", "base_op_type", "analy_op_type", "shape", "quant_dtype", "qscale"),
    *("Cosine", "MSE", "L1", "KL", "SQNR", "Atol", "Rtol"),
    *("base_model_min", "analy_model_min", "base_model_max", "analy_model_max"),
    *("base_model_mean", "analy_model_mean", "base_model_var", "analy_model_var"),
    *("max_atol_diff", "max_qscale_diff"),
]
STATISTICS = [
    *("Index", "Op Name", "Mod Name", "Attr", "Dtype", "Scale"),
    *("Min", "Max", "Mean", "Var", "Shape"),
]


def analysis(network, model, folder, x=None):
    made = QuantAnalysis(network, model, "fake_quant", out_dir=folder)
    made.set_bad_case(networks.samples()[0] if x is None else x)
    return made


def compared(network, model, folder, **options):
    made = analysis(network, model, folder)
    made.run()
    return {row["mod_name"]: row for row in made.compare_per_layer(**options)}


def read(path):
    with open(path, newline="") as file:
        return list(csv.reader(file))


def test_a_float_model_is_written_down_layer_by_layer(tmp_path):
    network, x = networks.float_net(), networks.samples()[0]
    conv = networks.output_of(network, "stem.0", x)
    norm = networks.output_of(network, "stem.1", x)
    with ModelProfiler(network, tmp_path) as profiler, torch.no_grad():
        result = network(x)
    rows = read(tmp_path / "statistic.csv")
    assert rows[0] == STATISTICS
    named = {(row[2], row[3]): row for row in rows[1:]}
    assert [name for name, attr in named if attr == "output"] == [
        *("quant", "stem.0", "stem.1", "stem.2", "body.0", "body.1", "body.2"),
        *("_generated_add_0", "tail.0", "tail.1", "tail.2", "_generated_mean_0"),
        *("head", "dequant"),
    ]
    # ReLU works in place, after the number has been kept.
    for name, y in (("stem.0", conv), ("stem.1", norm), ("stem.2", norm.clamp(min=0))):
        numbers = y.double().numpy()
        expected = [numbers.min(), numbers.max(), numbers.mean(), numbers.var()]
        found = list(map(float, named[name, "output"][6:10]))
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-9)
    weight = network.stem[0].weight.detach().numpy()
    np.testing.assert_allclose(float(named["stem.0", "weight"][7]), weight.max(), rtol=1e-5)
    assert named["head", "output"][10] == "[2, 5]"
    kept = [torch.load(f) for f in sorted((tmp_path / "op_infos").glob("*_head_output.pt"))]
    assert len(kept) == 1 and torch.equal(kept[0], result)
    assert profiler.get_info_manager().table() == (tmp_path / "statistic.txt").read_text()


def test_a_call_after_the_first_has_its_number(tmp_path):
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(4, 4)

        def forward(self, x):
            return self.layer(self.layer(torch.exp(x)))

    torch.manual_seed(0)
    network, x = Twice().eval(), torch.randn(2, 4)
    with ModelProfiler(network, tmp_path), torch.no_grad():
        network(x)
    names = [row[2] for row in read(tmp_path / "statistic.csv")[1:] if row[3] == "output"]
    assert names == ["_generated_exp_0", "layer", "layer(1)"]
    (second,) = (tmp_path / "op_infos").glob("*_layer(1)_output.pt")
    with torch.no_grad():
        assert torch.equal(torch.load(second), network.layer(network.layer(x.exp())))


def test_a_run_with_an_error_leaves_the_model_usable(tmp_path):
    network, x = networks.float_net(), networks.samples()[0]
    with torch.no_grad():
        expected = network(x)
        with pytest.raises(RuntimeError, match="mine"), ModelProfiler(network, tmp_path):
            network(x)
            raise RuntimeError("mine")
        y = network(x)
    assert torch.equal(y, expected) and type(y) is torch.Tensor
    assert not (tmp_path / "statistic.txt").exists()


def test_quantized_layers_stand_beside_what_they_compute_in_the_float_model(tmp_path):
    network = networks.float_net()
    model = networks.validated(network)
    rows = compared(network, model, tmp_path)
    assert [*rows] == [
        *("quant", "stem.0", "body.0", "_generated_add_0", "tail.0", "_generated_mean_0"),
        *("head", "dequant"),
    ]
    x = networks.samples()[0]
    seen = {}
    hooks = [
        model.get_submodule(name).register_forward_hook(
            lambda module, args, y, name=name: seen.update({name: y.dequantize().detach()})
        )
        for name in ("stem.0", "tail.0")
    ]
    with torch.no_grad():
        model(x)
    for hook in hooks:
        hook.remove()
    for name, y in seen.items():
        # BatchNorm and ReLU are computed along with the convolution, so that they count there.
        reference = networks.output_of(network, name.replace(".0", ".2"), x)
        error = (reference.double() - y.double()).abs().numpy()
        row, scale = rows[name], model.get_submodule(name).activation_post_process.scale.item()
        assert row["base_op_type"] == f"{nn.Conv2d} + batch_norm + relu"
        assert row["analy_op_type"] == "<class 'twofold.nn.qat.Conv2d'> + relu"
        assert row["shape"] == [*y.shape] and row["quant_dtype"] == "qint8"
        for column, expected in (
            ("L1", error.mean()),
            ("MSE", (error**2).mean()),
            ("Atol", error.max()),
            ("max_atol_diff", error.max()),
            ("max_qscale_diff", error.max() / scale),
            ("qscale", scale),
            ("base_model_max", reference.max().item()),
            ("analy_model_max", y.max().item()),
            ("base_model_var", reference.double().numpy().var()),
        ):
            assert float(row[column]) == pytest.approx(expected, rel=1e-5), (name, column)


def test_files_have_the_columns_that_scripts_read(tmp_path):
    network, model = networks.clipped()
    made = analysis(network, model, tmp_path)
    made.run()
    made.compare_per_layer()
    assert read(tmp_path / "compare_per_layer_out.csv")[0] == COLUMNS
    assert (tmp_path / "compare_per_layer_out.txt").read_text().split("\n")[0].split() == COLUMNS
    for side in ("baseline_model", "analysis_model"):
        assert read(tmp_path / side / "statistic.csv")[0] == STATISTICS
        assert (tmp_path / side / "statistic.txt").exists()
    assert (tmp_path / "profiler.html").read_text().startswith("<!DOCTYPE html>")


def test_the_advisor_names_a_clipped_layer_and_the_scale_that_would_not_clip(tmp_path):
    network, model = networks.clipped("body.0", 0.001)
    rows = compared(network, model, tmp_path)
    advice = read(tmp_path / "abnormal_layer_advisor.csv")
    named = {row[0]: dict(zip(advice[0], row, strict=True)) for row in advice[1:]}
    assert advice[1][0] == "body.0"
    found = re.fullmatch(r"Set fixed scale (\S+)", named["body.0"]["advice"])
    y = networks.output_of(network, "body.2", networks.samples()[0])
    scale = float(found[1])
    assert scale == pytest.approx(y.max().item() / 127, rel=1e-7)
    assert fixed_range(y, scale) <= scale / 2 * (1 + 1e-5) < fixed_range(y, scale * 0.98)
    share = (y > 127 * np.float32(0.001)).double().mean().item()
    assert named["body.0"]["issue"] == f"{share:.2%} of its numbers are clipped"
    assert "Set fixed scale" in (tmp_path / "abnormal_layer_advisor.txt").read_text()
    # What the layers behind it get is wrong, but their own scales are not.
    assert float(rows["_generated_add_0"]["SQNR"]) < 27 and "_generated_add_0" not in named


def fixed_range(y, scale):
    """The largest error of int8 numbers with this scale."""
    return (y - fake_quantize(y, torch.tensor([scale]), None, -128, 127)).abs().max().item()


def test_the_advisor_finds_ranges_that_are_too_wide(tmp_path):
    network, model = networks.clipped("body.0", 0.2)
    rows = compared(network, model, tmp_path)
    advice = read(tmp_path / "abnormal_layer_advisor.csv")
    y = networks.output_of(network, "body.2", networks.samples()[0])
    assert advice[1][0] == "body.0" and "times as wide" in advice[1][1]
    assert advice[1][2] == f"Set fixed scale {y.max().item() / 127:.9g}"
    assert float(rows["body.0"]["qscale"]) == pytest.approx(0.2)


def test_the_advisor_says_16_bits_where_no_int8_scale_is_right(tmp_path):
    """Nearly all numbers are small, and a single one needs a wide range."""

    class Spread(nn.Module):
        def __init__(self):
            super().__init__()
            self.quant, self.dequant = QuantStub(), DeQuantStub()

        def forward(self, x):
            return self.dequant(self.quant(x) * 0.5)

    x = torch.full((1, 10000), 1.0)
    x[0, 0] = 250
    network = Spread().eval()
    setter = QconfigSetter(
        twofold.quantization.get_qconfig(twofold.quantization.observer_v2.MinMaxObserver),
        [ModuleNameTemplate({"": qint8})],
        save_dir=str(tmp_path / "setting"),
    )
    model = networks.validated(network, setter, data=[x])
    made = analysis(network, model, tmp_path, x)
    made.run()
    made.compare_per_layer()
    advice = read(tmp_path / "abnormal_layer_advisor.csv")
    assert {row[0]: row[2] for row in advice[1:]} == {
        "quant": "Use qint16",
        "_generated_mul_0": "Use qint16",
    }


def test_a_healthy_model_gets_no_advice(tmp_path):
    network = networks.float_net()
    compared(network, networks.validated(network), tmp_path)
    text = (tmp_path / "abnormal_layer_advisor.txt").read_text()
    assert text == "No layer's own quantization makes noise that matters.\n"


def test_weights_that_training_moved_are_compared_with_the_float_models(tmp_path):
    network = networks.float_net()
    model = networks.validated(network)
    with torch.no_grad():
        model.head.bias += 1
    row = compared(network, model, tmp_path)["head"]
    assert float(row["L1"]) == pytest.approx(1, abs=0.05)


def test_layers_are_chosen_by_prefixes_and_types(tmp_path):
    network, model = networks.clipped()
    made = analysis(network, model, tmp_path)
    made.run()

    def names(**chosen):
        return [row["mod_name"] for row in made.compare_per_layer(**chosen)]

    assert names(prefixes=("stem", "_gen")) == ["stem.0", "_generated_add_0", "_generated_mean_0"]
    assert names(types=(nn.Conv2d,)) == ["stem.0", "body.0", "tail.0"]
    assert names(types=(nn.Conv2d, torch.add), prefixes="_gen") == ["_generated_add_0"]
    assert names(types=type(model.head)) == ["head"]
    with pytest.raises(ValueError, match="'bodi.0'; did you mean 'body.0'"):
        names(prefixes=("bodi.0",))
    with pytest.raises(ValueError, match="is no operator"):
        names(types=(networks.Net,))


def test_earlier_runs_are_compared_again(tmp_path):
    network, model = networks.clipped()
    x = networks.samples()[0]
    first = analysis(network, model, tmp_path / "one", x)
    first.run()
    expected = first.compare_per_layer()
    for name, one in (("a", network), ("b", model)):
        with ModelProfiler(one, tmp_path / name), torch.no_grad():
            one(x)
    again = QuantAnalysis(network, model, "fake_quant", out_dir=tmp_path / "two")
    again.set_model_profiler_dir(tmp_path / "a", tmp_path / "b")
    assert again.compare_per_layer() == expected
    first.clean()
    assert not (tmp_path / "one" / "baseline_model" / "op_infos").exists()
    assert (tmp_path / "one" / "baseline_model" / "statistic.txt").exists()
    with pytest.raises(twofold.Error, match=r"call run\(\)"):
        first.compare_per_layer()


def test_one_model_may_be_run_without_the_other(tmp_path):
    network, model = networks.clipped()
    made = analysis(network, model, tmp_path)
    made.run(run_analysis_model=False)
    assert (tmp_path / "baseline_model" / "statistic.txt").exists()
    assert not (tmp_path / "analysis_model").exists()
    with pytest.raises(twofold.Error, match="analysis_model"):
        made.compare_per_layer()
    made.run(run_baseline_model=False)
    assert len(made.compare_per_layer()) == 8


def test_attention_of_torch_is_compared_in_steps(tmp_path):
    class Attend(nn.Module):
        def __init__(self):
            super().__init__()
            self.quant, self.dequant = QuantStub(), DeQuantStub()
            self.layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)

        def forward(self, x):
            return self.dequant(self.layer(self.quant(x)))

    torch.manual_seed(0)
    network, x = Attend().eval(), torch.randn(2, 5, 16)
    types = [type(module) for module in network.modules()]
    model = networks.validated(network, data=[x])
    made = analysis(network, model, tmp_path, x)
    made.run()
    rows = {row["mod_name"]: row for row in made.compare_per_layer()}
    inside = ("linear_0", "matmul_0", "softmax_0", "matmul_1")
    assert {f"layer.self_attn._generated_{op}" for op in inside} < rows.keys()
    assert all(float(row["SQNR"]) > 20 for row in rows.values())
    assert [type(module) for module in network.modules()] == types


def test_two_prepared_models_are_compared_too(tmp_path):
    network, clipped = networks.clipped("tail.0")
    exact = networks.validated(network)
    set_fake_quantize(exact, FakeQuantState._FLOAT)
    rows = compared(exact, clipped, tmp_path)
    assert min(rows, key=lambda name: float(rows[name]["SQNR"])) in ("tail.0", "_generated_mean_0")
    assert float(rows["stem.0"]["SQNR"]) > 30 > 10 > float(rows["tail.0"]["SQNR"])


def test_only_what_lies_between_the_stubs_is_compared(tmp_path):
    """Names of functional calls are those of `prepare`, whatever runs outside."""

    class Outside(nn.Module):
        def __init__(self):
            super().__init__()
            self.quant, self.dequant, self.layer = QuantStub(), DeQuantStub(), nn.Linear(4, 4)

        def forward(self, x):
            y = torch.sigmoid(self.layer(self.quant(torch.sigmoid(x * 4))))
            return torch.sigmoid(self.dequant(y))

    torch.manual_seed(0)
    network, x = Outside().eval(), torch.randn(8, 4)
    model = networks.validated(network, data=[x])
    made = analysis(network, model, tmp_path, x)
    made.run()
    rows = {row["mod_name"]: row for row in made.compare_per_layer()}
    assert [*rows] == ["quant", "layer", "_generated_sigmoid_0", "dequant"]
    y = network.layer(torch.sigmoid(x * 4)).sigmoid()
    assert float(rows["_generated_sigmoid_0"]["base_model_max"]) == pytest.approx(y.max().item())
    assert all(float(row["SQNR"]) > 30 for row in rows.values())


def test_eager_models_are_compared_under_the_names_that_they_have(tmp_path):
    class Calls(nn.Module):
        def __init__(self):
            super().__init__()
            self.quant, self.dequant, self.layer = QuantStub(), DeQuantStub(), nn.Linear(4, 4)
            self.skip = FloatFunctional()

        def forward(self, x):
            x = self.quant(x)
            return self.dequant(self.skip.add(torch.tanh(self.layer(x)), x))

    torch.manual_seed(0)
    network, x = Calls().eval(), torch.randn(8, 4)
    model = networks.validated(network, data=[x], method="eager")
    made = analysis(network, model, tmp_path, x)
    made.run()
    rows = {row["mod_name"]: row for row in made.compare_per_layer()}
    assert [*rows] == ["quant", "layer", "_float_tanh_0", "skip", "dequant"]
    y = network.layer(x).tanh()
    assert float(rows["_float_tanh_0"]["base_model_max"]) == pytest.approx(y.max().item())
    assert float(rows["skip"]["base_model_max"]) == pytest.approx((y + x).max().item(), rel=1e-5)
    assert all(float(row["SQNR"]) > 30 for row in rows.values())
