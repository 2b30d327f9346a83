"""The functions of the profiler's first version: similarity, features, counts, weights ..."""

import copy

import numpy as np
import profiled_networks as networks
import pytest
import torch
import twofold
from torch import nn
from torch.ao.quantization import DeQuantStub
from twofold.dtype import qint16
from twofold.nn.quantized import FloatFunctional
from twofold.profiler import (
    check_qconfig,
    check_unfused_operations,
    compare_weights,
    featuremap_similarity,
    get_module_called_count,
    get_raw_features,
    model_profiler,
    profile_featuremap,
    set_preserve_qat_mode,
)
from twofold.qat_mode import set_qat_mode
from twofold.quantization import FakeQuantState, QuantStub, _validation, set_fake_quantize
from twofold.quantization.qconfig_template import ModuleNameQconfigSetter


class Small(nn.Module):
    """[N,4] to [N,3], by a layer that is called twice and a FloatFunctional."""

    def __init__(self):
        super().__init__()
        self.quant, self.dequant = QuantStub(), DeQuantStub()
        self.twice, self.head, self.never = nn.Linear(4, 4), nn.Linear(4, 3), nn.Linear(4, 4)
        self.skip = FloatFunctional()

    def forward(self, x):
        x = self.quant(x)
        y = self.twice(torch.tanh(self.twice(x)))
        return self.dequant(self.head(self.skip.add(x, y)))


def small():
    torch.manual_seed(0)
    network, x = Small().eval(), torch.randn(8, 4)
    return network, networks.validated(network, data=[x]), x


def columns(path):
    lines = path.read_text().splitlines()
    starts = [i for i, c in enumerate(lines[1]) if c == "-" and (i == 0 or lines[1][i - 1] == " ")]
    ends = [*starts[1:], None]
    return [
        [line[a:b].strip() for a, b in zip(starts, ends, strict=True)]
        for line in lines[:1] + lines[2:]
    ]


def test_similarity_separates_a_layers_own_error_from_what_it_gets(tmp_path):
    network, model = networks.clipped("stem.0", 0.002)
    x = networks.samples()[0]
    rows = featuremap_similarity(network, model, x, out_dir=tmp_path)
    written = columns(tmp_path / "similarity.txt")
    assert written[0] == [
        *("Index", "Module Name", "Module Type", "Similarity", "qscale"),
        *("Acc Error (float atol)", "Acc Error (N out_qscale)"),
        "Op Error with Same Input (N out_qscale)",
    ]
    assert written[1:] == [[str(cell) for cell in row] for row in rows]
    named = {row[1]: row for row in rows}
    reference = {
        "stem.0": networks.output_of(network, "stem.2", x),
        "body.0": networks.output_of(network, "body.2", x),
    }
    scale = {
        name: model.get_submodule(name).activation_post_process.scale.item() for name in reference
    }
    clipped = reference["stem.0"].max().item() - 127 * 0.002
    assert float(named["stem.0"][5]) == pytest.approx(clipped, rel=1e-3)
    assert float(named["stem.0"][6]) == pytest.approx(clipped / scale["stem.0"], rel=1e-3)
    # Behind it all is wrong, but from the float model's numbers they compute what they should.
    assert float(named["body.0"][6]) > 10 > 2 > float(named["body.0"][7])
    conv = model.body[0]
    with torch.no_grad():
        weight = conv.weight_fake_quant.quantize(conv.weight)
        y = nn.functional.conv2d(reference["stem.0"], weight, conv.bias, padding=1).clamp(min=0)
        y = conv.activation_post_process.quantize(y)
    own = (y - reference["body.0"]).abs().max().item() / scale["body.0"]
    assert float(named["body.0"][7]) == pytest.approx(own, abs=0.01)
    assert columns(tmp_path / "ordered_op_error_similarity.txt")[1][1] == "stem.0"
    assert "stem.0" in (tmp_path / "similarity.html").read_text()


def test_similarity_marks_what_is_worse_than_the_threshold(tmp_path):
    network, model = networks.clipped("tail.0", 0.0005)
    x = networks.samples()[0]
    for function, threshold in (("Cosine", 0.99), ("L1", 0.02), (torch.nn.functional.l1_loss, 0.5)):
        rows = featuremap_similarity(network, model, x, function, threshold, out_dir=tmp_path)
        page = (tmp_path / "similarity.html").read_text()
        values = {row[1]: float(row[3]) for row in rows}
        worse = [v < threshold if function != "L1" else v > threshold for v in values.values()]
        assert page.count('<tr class="bad">') == sum(worse)
        assert any(worse)
    with pytest.raises(twofold.Error, match="model2 is a float model"):
        featuremap_similarity(model, network, x)
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    with pytest.raises(twofold.Error, match="model2: .* CALIBRATION"):
        featuremap_similarity(network, model, x)


def test_raw_features_are_inputs_outputs_and_parameters():
    network, model, x = small()
    seen = []
    hook = model.head.register_forward_hook(lambda m, args, y: seen.append((args[0], y)))
    rows = get_raw_features(model, x)
    hook.remove()
    ((inputs, result),) = seen
    head = {row["attr"]: row for row in rows if row["module_name"] == "head"}
    assert [*head] == ["input", "output", "weight", "bias"]
    assert torch.equal(head["input"]["data"], inputs.dequantize())
    assert torch.equal(head["output"]["data"], result.dequantize())
    assert torch.equal(head["weight"]["data"], model.head.weight)
    assert head["weight"]["ch_axis"] == 0 and head["weight"]["scale"].shape == (3,)
    assert torch.equal(head["input"]["scale"], model.skip.activation_post_process.scale)
    assert head["bias"]["scale"] is None and head["output"]["scale"] is None
    add = [row for row in rows if row["ff_method"] == "add"]
    assert {row["module_name"] for row in add} == {"skip._generated_add_0"}
    assert [row["attr"] for row in add] == ["input", "input-1", "output"]
    names = [row["module_name"] for row in rows if row["attr"] == "output"]
    assert names[:4] == ["quant", "twice", "_generated_tanh_0", "twice(1)"]


def test_raw_features_as_integers_and_by_class_name():
    network, model, x = small()
    rows = get_raw_features(model, x, prefixes="quant", preserve_int=True, use_class_name=True)
    assert [row["attr"] for row in rows] == ["input", "output"]
    assert rows[0]["module_type"] == "QuantStub" and rows[0]["data"].dtype == torch.float32
    scale = rows[1]["scale"].numpy()
    expected = np.clip(np.rint(x.numpy() / scale), -128, 127)
    assert rows[1]["data"].dtype == torch.int32
    np.testing.assert_array_equal(rows[1]["data"].numpy(), expected)
    float_rows = get_raw_features(network, x, types=(nn.Linear,))
    assert {row["module_name"] for row in float_rows} == {"twice", "twice(1)", "head"}
    assert all(row["scale"] is None for row in float_rows)
    with pytest.raises(ValueError, match="did you mean 'head'"):
        get_raw_features(model, x, prefixes=("heads",))


def test_statistics_of_features(tmp_path):
    network, model, x = small()
    features = get_raw_features(model, x)
    text = profile_featuremap(features, out_dir=tmp_path)
    assert (tmp_path / "statistic.txt").read_text() == text
    assert (tmp_path / "statistic.html").exists()
    rows = columns(tmp_path / "statistic.txt")
    assert rows[0] == [
        *("Module Index", "Module Name", "Module Type", "Input/Output/Attr"),
        *("Min", "Max", "Mean", "Var", "Scale"),
    ]
    assert len(rows) == 1 + len(features)
    weight = next(row for row in rows if row[1] == "head" and row[3] == "weight")
    numbers = model.head.weight.detach().double().numpy()
    expected = [numbers.min(), numbers.max(), numbers.mean(), numbers.var()]
    np.testing.assert_allclose(list(map(float, weight[4:8])), expected, rtol=1e-5)
    assert weight[8].endswith("(3)")
    profile_featuremap(
        features,
        print_per_channel_scale=True,
        show_per_channel=True,
        out_dir=tmp_path,
        file_name="all",
    )
    rows = columns(tmp_path / "all.txt")
    weights = [row for row in rows if row[1] == "head" and row[3].startswith("weight")]
    assert [row[3] for row in weights] == ["weight[0]", "weight[1]", "weight[2]"]
    assert float(weights[1][5]) == pytest.approx(numbers[1].max(), rel=1e-5)
    assert weights[0][8].count(",") == 2
    with pytest.raises(twofold.Error, match="TensorBoard"):
        profile_featuremap(features, with_tensorboard=True)


def test_modules_are_counted(capsys):
    network, model, x = small()
    expected = {"quant": 1, "dequant": 1, "twice": 2, "head": 1, "never": 0, "skip": 1}
    assert get_module_called_count(network, x) == expected
    assert "called times" in capsys.readouterr().out
    counts = get_module_called_count(model, x, print_tabulate=False)
    assert capsys.readouterr().out == ""
    del expected["skip"]
    assert counts == {**expected, "_generated_tanh_0": 1, "skip._generated_add_0": 1}
    only = get_module_called_count(model, x, lambda m: isinstance(m, nn.Linear), False)
    assert only == {"twice": 2, "head": 1, "never": 0}


def test_what_is_not_fused_is_listed(capsys):
    network = networks.float_net()
    x = networks.samples()[0]
    names = [name for name, _ in check_unfused_operations(network, x)]
    assert names == ["stem.0", "stem.1", "body.0", "body.1", "tail.0", "tail.1"]
    assert "stem.1" in capsys.readouterr().out
    assert check_unfused_operations(networks.validated(network), x) == []
    assert "All fusable modules are fused" in capsys.readouterr().out

    class Reads(nn.Module):
        """The convolution's result has a second reader."""

        def __init__(self):
            super().__init__()
            self.quant, self.dequant = QuantStub(), DeQuantStub()
            self.conv, self.norm = nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3)

        def forward(self, x):
            y = self.conv(self.quant(x))
            return self.dequant(self.norm(y) + y)

    model = networks.validated(Reads().eval(), data=[x])
    assert [row[0] for row in check_unfused_operations(model, x, False)] == ["conv", "norm"]


def test_qconfigs_are_listed(tmp_path):
    network = networks.float_net()
    setter = ModuleNameQconfigSetter({"body.0": networks.fixed(0.25, qint16)})
    model = networks.validated(network, setter)
    x = networks.samples()[0]
    text = check_qconfig(model, x, out_dir=tmp_path)
    assert (tmp_path / "qconfig_info.txt").read_text() == text
    out, weight, unusual = (part.splitlines() for part in text.split("\n\n"))
    assert out[0] == "Each layer out qconfig:" and weight[0] == "Weight qconfig:"
    (row,) = [line.split() for line in out if line.startswith("body.0 ")]
    assert "qint16" in row and "FixedScaleObserver" in " ".join(row)
    assert any(line.startswith("body.0") and "Fixed scale 0.25" in line for line in unusual)
    text = check_qconfig(
        model,
        x,
        types=(nn.Linear, nn.Conv2d),
        prefixes=("body", "head"),
        custom_check_func=lambda module: module is model.head,
        out_dir=tmp_path,
    )
    assert "stem" not in text and "body.0" in text
    assert text.split("custom_check_func:\n")[1].splitlines()[2].split()[0] == "head"
    with pytest.raises(twofold.Error, match="a float model"):
        check_qconfig(network, x)


@pytest.fixture
def qat_mode():
    yield set_qat_mode
    set_qat_mode("fuse_bn")


@pytest.mark.parametrize("mode", ["fuse_bn", "with_bn", "with_bn_reverse_fold"])
def test_weights_are_compared_with_batch_norm_folded_in(tmp_path, qat_mode, mode):
    qat_mode(mode)
    network = networks.float_net()
    model = networks.validated(network)
    rows = {row[0]: row[1:] for row in compare_weights(network, model, out_dir=tmp_path)}
    assert [*rows] == [f"{name}.weight" for name in ("stem.0", "body.0", "tail.0", "head")]
    conv, norm = network.stem[0], network.stem[1]
    with torch.no_grad():
        gain = (norm.weight / torch.sqrt(norm.running_var + norm.eps)).view(-1, 1, 1, 1)
        folded = (conv.weight * gain).numpy()
    scale = np.abs(folded).max((1, 2, 3), keepdims=True) / 127
    used = np.rint(folded / scale) * scale
    cosine = (folded * used).sum() / np.linalg.norm(folded) / np.linalg.norm(used)
    assert rows["stem.0.weight"][0] == pytest.approx(cosine, rel=1e-6)
    assert rows["stem.0.weight"][1] == pytest.approx(np.abs(folded - used).max(), rel=1e-3)
    assert columns(tmp_path / "weight_comparison.txt")[0] == ["Weight Name", "Similarity", "Atol"]
    set_fake_quantize(model, FakeQuantState._FLOAT)
    exact = {row[0]: row[1:] for row in compare_weights(network, model, "L1", out_dir=tmp_path)}
    assert exact["head.weight"] == [0, 0] and exact["stem.0.weight"][1] < 1e-6
    with torch.no_grad():
        model.head.weight[1, 2] += 3
    moved = {row[0]: row[1:] for row in compare_weights(network, model, "L1", out_dir=tmp_path)}
    assert moved["head.weight"] == pytest.approx([3 / 40, 3], rel=1e-5)
    with pytest.raises(twofold.Error, match="is a float model"):
        compare_weights(network, network)
    with pytest.raises(twofold.Error, match="stem.0 is not in float_model"):
        compare_weights(nn.Linear(1, 1), model)


def test_operators_may_be_kept_in_float32(monkeypatch):
    network = networks.float_net()
    model, x = networks.validated(network), networks.samples()[0]
    on_integers = []
    original = _validation.run_on_integers

    def watched(operator, bound):
        on_integers.append(operator)
        return original(operator, bound)

    monkeypatch.setattr(_validation, "run_on_integers", watched)

    def names():
        on_integers.clear()
        with torch.no_grad():
            model(x)
        return [name for name, m in model.named_modules() if m in on_integers]

    everything = names()
    assert "stem.0" in everything and "body.0" in everything
    set_preserve_qat_mode(model, prefixes=("stem",))
    assert names() == [name for name in everything if name != "stem.0"]
    set_preserve_qat_mode(model, types=(nn.Conv2d,))
    assert names() == [n for n in everything if n.split(".")[0] not in ("stem", "body", "tail")]
    copied = copy.deepcopy(model)
    assert copied.body[0].preserve_qat_mode
    set_preserve_qat_mode(model)
    assert names() == []
    conv = model.stem[0]
    with torch.no_grad():
        inputs = model.quant(x).dequantize()
        weight = conv.weight_fake_quant.quantize(conv.weight)
        y = nn.functional.conv2d(inputs, weight, conv.bias, padding=1).clamp(min=0)
        expected = conv.activation_post_process.quantize(y)
        assert torch.equal(conv(model.quant(x)).dequantize(), expected)
    set_preserve_qat_mode(model, value=False)
    assert names() == everything
    with pytest.raises(ValueError, match="did you mean 'stem.0'"):
        set_preserve_qat_mode(model, prefixes=("stam.0",))
    with pytest.raises(twofold.Error, match="after prepare"):
        set_preserve_qat_mode(network)


def test_all_of_it_is_on_one_page(tmp_path, monkeypatch):
    network, model, x = small()
    monkeypatch.chdir(tmp_path)
    model_profiler(
        network, model, x, "FvsQ", kwargs_dict={"compare_weights": {"similarity_func": "L1"}}
    )
    there = tmp_path / "horizon_quant_debug"
    page = (there / "profiler.html").read_text()
    for text in (
        "Similarity",
        "head.weight",
        "never",
        "Each layer out qconfig:",
        "Input/Output/Attr",
    ):
        assert text in page
    assert {file.name for file in there.iterdir()} >= {
        *("similarity.txt", "weight_comparison.txt", "qconfig_info.txt", "statistic.txt"),
    }
    model_profiler(copy.deepcopy(model), model, x, "CvsQ", out_dir=tmp_path / "both")
    assert "head" in (tmp_path / "both" / "profiler.html").read_text()
    with pytest.raises(twofold.Error, match='"FvsQ"'):
        model_profiler(network, model, x, "QvsQ")
    with pytest.raises(ValueError, match="takes a prepared model as model1"):
        model_profiler(network, model, x, "CvsQ")
    with pytest.raises(ValueError, match="mode is 'FvQ'"):
        model_profiler(network, model, x, "FvQ")
    with pytest.raises(ValueError, match="kwargs_dict: there are .*compare_weights"):
        model_profiler(network, model, x, "FvsQ", kwargs_dict={"weights": {}})


def test_names_of_the_vendors_tools_say_what_to_use():
    for name in (
        *("HbirModelProfiler", "ConsistencyAnalyzer", "HbmServerSession", "InferenceEngine"),
        *("QatBcEditor", "check_deploy_device", "show_cuda_memory_consumption"),
    ):
        with pytest.raises(twofold.Error, match=f"{name} is not built: "):
            getattr(twofold.profiler, name)(1, a=2)


def test_the_old_path_has_the_same_names():
    old = twofold.utils.quant_profiler
    assert old.__all__ == twofold.profiler.__all__
    assert all(getattr(old, name) is getattr(twofold.profiler, name) for name in old.__all__)
