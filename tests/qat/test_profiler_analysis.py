"""QuantAnalysis: bad cases, sensitivity, and models that are left as they were."""

import copy

import numpy as np
import profiled_networks as networks
import pytest
import qat_networks
import torch
import twofold
from torch import nn
from torch.ao.quantization import DeQuantStub
from twofold.dtype import qint8, qint16
from twofold.profiler import QuantAnalysis
from twofold.quantization import (
    FakeQuantize,
    FakeQuantState,
    QuantStub,
    get_qconfig,
    prepare,
    set_fake_quantize,
)
from twofold.quantization.export import exported
from twofold.quantization.observer_v2 import FixedScaleObserver
from twofold.quantization.qconfig_setter import (
    ModuleNameTemplate,
    QconfigSetter,
    SensitivityTemplate,
)
from twofold.quantization.qconfig_template import (
    default_calibration_qconfig_setter,
    sensitive_op_calibration_8bit_weight_16bit_act_qconfig_setter,
)


def analysis(network, model, folder, x=None, **options):
    made = QuantAnalysis(network, model, "fake_quant", out_dir=folder, **options)
    made.set_bad_case(networks.samples()[0] if x is None else x)
    return made


class Two(nn.Module):
    """[N,6] to [N,3], quantized after the first layer and in both weights."""

    def __init__(self):
        super().__init__()
        self.quant, self.dequant = QuantStub(), DeQuantStub()
        self.one, self.two = nn.Linear(6, 8), nn.Linear(8, 3)

    def forward(self, x):
        return self.dequant(self.two(torch.relu(self.one(self.quant(x)))))


def two():
    torch.manual_seed(3)
    network, x = Two().eval(), torch.randn(16, 6)
    return network, networks.validated(network, data=[x]), x


def rounded(values, scale):
    """To int8 and back, in float32."""
    values, scale = values.astype(np.float32), np.asarray(scale, np.float32)
    return np.clip(np.rint(values / scale), -128, 127).astype(np.float32) * scale


def test_sensitivity_is_what_one_quantized_thing_does_alone(tmp_path):
    network, model, x = two()
    w1, b1, w2, b2 = (p.detach().numpy() for p in network.parameters())
    scales = {
        n: model.get_submodule(n).activation_post_process.scale.item() for n in ("quant", "one")
    }

    def run(quant=None, one=None, first=w1, second=w2):
        values = x.numpy() if quant is None else rounded(x.numpy(), quant)
        hidden = np.maximum(values @ first.T + b1, 0)
        return (hidden if one is None else rounded(hidden, one)) @ second.T + b2

    def by_row(weight):
        return rounded(weight, np.abs(weight).max(1, keepdims=True) / np.float32(127))

    expected = {
        ("quant", "activation"): run(quant=scales["quant"]),
        ("one", "activation"): run(one=scales["one"]),
        ("one", "weight"): run(first=by_row(w1)),
        ("two", "weight"): run(second=by_row(w2)),
    }
    error = {unit: np.abs(run() - y).mean() for unit, y in expected.items()}
    (rows,) = analysis(network, model, tmp_path, x).sensitivity().values()
    assert {(row[0], row[1]) for row in rows} == error.keys()
    for name, kind, _, value, dtype, _ in rows:
        assert value == pytest.approx(error[name, kind], rel=1e-3)
        assert dtype == "qint8"
    assert [row[3] for row in rows] == sorted((row[3] for row in rows), reverse=True)
    cells = {(row[0], row[1]): (row[2], row[5]) for row in rows}
    # 6 * 8 * 16 and 8 * 3 * 16 multiply-accumulates.
    linear = "<class 'twofold.nn.qat.Linear'>"
    assert cells["one", "weight"] == (f"{linear} + relu", "768(66.67%)")
    assert cells["one", "activation"] == (f"{linear} + relu", "768(66.67%)")
    assert cells["two", "weight"] == (linear, "384(33.33%)")
    assert cells["quant", "activation"] == ("<class 'twofold.nn.qat.QuantStub'>", "0(0%)")


@pytest.mark.parametrize("kind", [qat_networks.Residual, qat_networks.Transformer])
def test_sensitivity_is_that_of_the_debugger(tmp_path, kind):
    """`twofold debug` measures the exported float model under the trained scales, on the engine."""
    network = qat_networks.make(kind)
    x = qat_networks.inputs_of(network)
    model = networks.validated(network, data=[x])
    exported(model, (x,)).save_float(tmp_path / "float.onnx", tmp_path / "plan.json")
    found = {"weight": {}, "activation": {}}
    for name, what, _, value, _, _ in analysis(network, model, tmp_path, x).sensitivity(
        metric="SQNR"
    )["0"]:
        found[what][name] = value

    def debugged(kind):
        units = twofold.debug.get_sensitivity_of_nodes(
            tmp_path / "float.onnx",
            "sqnr",
            [{"input_0": x.numpy()}],
            node_type=kind,
            plan=tmp_path / "plan.json",
            progress=False,
        )
        return {name: metrics["sqnr"] for name, metrics in units.items()}

    # Constants have numbers for names there; the scalar one is exact, so that all that is left of
    # it, on some CPUs, are the last bits of float products.
    weights = sorted(value for value in debugged("weight").values() if value < 120)
    assert sorted(found["weight"].values()) == pytest.approx(weights, abs=0.1)
    activations = debugged("activation")
    for name, value in found["activation"].items():
        there = "input_0" if name == "quant" else f"{name}/"
        (same,) = {v for n, v in activations.items() if n.startswith(there) and "Reshape" not in n}
        assert value == pytest.approx(same, abs=0.1), name


@pytest.mark.parametrize("metric", ["L1", "MSE", "Cosine", "SQNR", "ATOL", "KL"])
def test_a_clipped_layer_is_the_first_row(tmp_path, metric):
    network, model = networks.clipped("body.0", 0.0005)
    rows = analysis(network, model, tmp_path).sensitivity(metric=metric)["0"]
    assert rows[0][:2] == ["body.0", "activation"]


@pytest.mark.parametrize("metric", ["L1", "SQNR"])
def test_a_weight_with_an_outlier_is_the_first_row(tmp_path, metric):
    network, model = networks.with_outlier()
    rows = analysis(network, model, tmp_path).sensitivity(metric=metric)["0"]
    assert rows[0][:2] == ["head", "weight"]


def test_tables_load_by_default_and_are_taken_by_setters(tmp_path):
    network, model = networks.clipped("body.0", 0.0005)
    rows = analysis(network, model, tmp_path).sensitivity(metric="L1")["0"]
    table = torch.load(tmp_path / "output_0_L1_sensitive_ops.pt")
    assert table == rows and all(len(row) == 6 for row in rows)
    text = (tmp_path / "output_0_L1_sensitive_ops.txt").read_text().splitlines()
    headings = ["op_name", "sensitive_type", "op_type", "L1", "quant_dtype", "flops"]
    assert text[0].split() == headings
    assert len(text) == 2 + len(rows)

    x = networks.samples()[0]
    setters = (
        sensitive_op_calibration_8bit_weight_16bit_act_qconfig_setter(table, topk=1),
        default_calibration_qconfig_setter,
    )
    assert prepare(network, x, setters).body[0].activation_post_process.dtype == qint16
    setter = QconfigSetter(
        get_qconfig(),
        [ModuleNameTemplate({"": qint8}), SensitivityTemplate(table, 1)],
        save_dir=str(tmp_path),
    )
    prepared = prepare(network, x, setter)
    assert prepared.body[0].activation_post_process.dtype == qint16
    assert prepared.stem[0].activation_post_process.dtype == qint8


def test_rows_may_be_chosen_and_turned_round(tmp_path):
    network, model = networks.clipped()
    made = analysis(network, model, tmp_path)
    rows = made.sensitivity(prefixes=("stem", "head"))["0"]
    assert {(row[0], row[1]) for row in rows} == {
        ("stem.0", "activation"),
        ("stem.0", "weight"),
        ("head", "weight"),
    }
    assert made.sensitivity(prefixes=("stem", "head"), reverse=True)["0"] == rows[::-1]
    assert {row[0] for row in made.sensitivity(types=(nn.Linear,))["0"]} == {"head"}
    with pytest.raises(ValueError, match="prefixes: no layer's name begins with 'hed'"):
        made.sensitivity(prefixes="hed")
    with pytest.raises(ValueError, match="there is no metric 'L3'"):
        made.sensitivity(metric="L3")


def test_an_activation_counts_for_all_its_readers(tmp_path):
    """Readers that quantize an input by themselves are about what computes it."""

    class Reads(nn.Module):
        def __init__(self):
            super().__init__()
            self.quant, self.dequant = QuantStub(), DeQuantStub()
            self.one, self.two = nn.Linear(4, 4), nn.Linear(4, 4)

        def forward(self, x):
            x = self.quant(x)
            return self.dequant(self.one(x.flip(0))), self.dequant(self.two(x))

    torch.manual_seed(0)
    network, x = Reads().eval(), torch.randn(8, 4)
    model = networks.validated(network, data=[x])
    del model.quant.activation_post_process
    for layer, scale in ((model.one, 0.5), (model.two, 0.25)):
        own = FakeQuantize(FixedScaleObserver, scale=scale)
        layer.activation_pre_process = nn.ModuleDict({"0": own})
    set_fake_quantize(model, FakeQuantState.VALIDATION)
    tables = analysis(network, model, tmp_path, x).sensitivity()
    for name, layer, scale in (("0", model.one, 0.5), ("1", model.two, 0.25)):
        (row,) = [row for row in tables[name] if row[1] == "activation"]
        error = (x.numpy() - rounded(x.numpy(), scale)) @ layer.weight.detach().numpy().T
        assert row[0] == "quant" and row[4] == "qint8"
        assert row[3] == pytest.approx(np.abs(error).mean(), rel=1e-5)


def test_inputs_that_no_layer_computes_are_warned_of(tmp_path, caplog):
    torch.manual_seed(0)
    network, x = nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 2)).eval(), torch.randn(8, 4)
    model = networks.validated(network, data=[x])
    rows = analysis(network, model, tmp_path, x).sensitivity()["0"]
    assert {(row[0], row[1]) for row in rows} == {
        ("0", "activation"),
        ("0", "weight"),
        ("1", "activation"),
        ("1", "weight"),
    }
    assert "0.activation_pre_process.0 (L1" in caplog.text and "QuantStub" in caplog.text


class Heads(nn.Module):
    """[N,4] to a dict of outputs, one of them in a list, and integers."""

    def __init__(self):
        super().__init__()
        self.quant, self.dequant = QuantStub(), DeQuantStub()
        self.boxes, self.scores = nn.Linear(4, 4), nn.Linear(4, 2)

    def forward(self, x):
        x = self.quant(x)
        scores = self.dequant(self.scores(x))
        return {"pred_boxes": self.dequant(self.boxes(x)), "more": [scores.argmax(1), scores]}


def heads(*setters):
    torch.manual_seed(0)
    network, x = Heads().eval(), torch.randn(8, 4)
    return network, networks.validated(network, *setters, data=[x]), x


def test_outputs_are_named_after_keys_and_positions(tmp_path):
    network, model, x = heads()
    made = analysis(network, model, tmp_path, x)
    tables = made.sensitivity(metric="Cosine")
    assert [*tables] == ["pred_boxes", "more-1"]
    assert (tmp_path / "output_pred_boxes_Cosine_sensitive_ops.pt").exists()
    assert (tmp_path / "output_more-1_Cosine_sensitive_ops.txt").exists()
    # What is no part of an output does nothing to it.
    value = {row[0]: row[3] for row in tables["pred_boxes"] if row[1] == "weight"}
    assert value["scores"] == 1 > value["boxes"]
    assert [*made.sensitivity(output_names=["more-1"])] == ["more-1"]
    with pytest.raises(ValueError, match="there is no 'boxes'; the outputs are 'pred_boxes', "):
        made.sensitivity(output_names=["boxes"])


def test_post_process_gives_what_is_compared(tmp_path):
    network, model, x = heads()
    made = analysis(network, model, tmp_path, x, post_process=lambda y: y["pred_boxes"][:, :1])
    assert [*made.sensitivity()] == ["0"]
    made = analysis(network, model, tmp_path, x, post_process=lambda y: y["more"][0])
    with pytest.raises(twofold.Error, match="no float tensor"):
        made.sensitivity()


def spoiled(position=3):
    """Samples of which one has numbers that all ranges clip."""
    data = networks.samples()
    data[position] = data[position] * 30
    return data


@pytest.mark.parametrize("metric", ["L1", "MSE", "Cosine", "SQNR", "ATOL"])
def test_the_worst_sample_is_found(tmp_path, metric):
    network = networks.float_net()
    model = networks.validated(network)
    made = QuantAnalysis(network, model, "fake_quant", out_dir=tmp_path)
    made.auto_find_bad_case(spoiled(), metric=metric)
    assert "0       3 " in (tmp_path / "badcase.txt").read_text()
    info = torch.load(tmp_path / "all_badcase_info.pt")
    assert info["worst"] == {"0": [3]} and len(info["values"]["0"]) == 6
    assert torch.equal(info["cases"][3]["inputs"], spoiled()[3])
    assert (tmp_path / "badcase_report.html").exists()
    with torch.no_grad():
        errors = [(network(x).double() - model(x).double()).abs() for x in spoiled()]
    expected = {"L1": lambda e: e.mean(), "ATOL": lambda e: e.max(), "MSE": lambda e: (e**2).mean()}
    if metric in expected:
        values = [expected[metric](error).item() for error in errors]
        assert info["values"]["0"] == pytest.approx(values, rel=1e-9)


def test_samples_come_from_generators_and_loaders(tmp_path):
    network = networks.float_net()
    model = networks.validated(network)
    made = QuantAnalysis(network, model, "fake_quant", out_dir=tmp_path)

    def forever():
        while True:
            yield from networks.samples()

    made.auto_find_bad_case(forever(), num_steps=4)
    values = torch.load(tmp_path / "all_badcase_info.pt")["values"]["0"]
    assert len(values) == 4
    dataset = torch.utils.data.TensorDataset(torch.cat(networks.samples()))
    made.auto_find_bad_case(torch.utils.data.DataLoader(dataset, batch_size=2), num_steps=4)
    assert torch.load(tmp_path / "all_badcase_info.pt")["values"]["0"] == values
    made.auto_find_bad_case([(x,) for x in networks.samples()[:2]])
    assert torch.load(tmp_path / "all_badcase_info.pt")["values"]["0"] == values[:2]
    with pytest.raises(twofold.Error, match="leave labels out"):
        made.auto_find_bad_case([[networks.samples()[0], torch.tensor([1, 2])]])
    with pytest.raises(twofold.Error, match="no sample"):
        made.auto_find_bad_case([])


def test_own_metrics_have_the_order_that_is_said(tmp_path):
    network = networks.float_net()
    model = networks.validated(network)
    made = QuantAnalysis(network, model, "fake_quant", out_dir=tmp_path)

    def found(order):
        made.auto_find_bad_case(
            spoiled(),
            custom_metric_func=lambda a, b: (a - b).abs().max(),
            custom_metric_order_seq=order,
        )
        return torch.load(tmp_path / "all_badcase_info.pt")

    info = found("descending")
    assert info["metric"] == "custom" and info["worst"] == {"0": [3]}
    rows = made.sensitivity(metric="custom")["0"]
    assert (tmp_path / "output_0_custom_sensitive_ops.pt").exists()
    assert rows[0][3] == max(row[3] for row in rows)
    least = np.argmin(info["values"]["0"])
    assert found("ascending")["worst"] == {"0": [least]}
    rows = made.sensitivity(metric="custom")["0"]
    assert rows[0][3] == min(row[3] for row in rows)
    with pytest.raises(twofold.Error, match="custom_metric_order_seq is None"):
        made.sensitivity(custom_metric_func=lambda a, b: 0.0)


def test_several_bad_cases_are_averaged(tmp_path):
    network, model = networks.clipped()
    made = QuantAnalysis(network, model, "fake_quant", out_dir=tmp_path)
    made.auto_find_bad_case(networks.samples(), topk=2)
    worst = torch.load(tmp_path / "all_badcase_info.pt")["worst"]["0"]
    assert len(worst) == 2
    both = {tuple(row[:2]): row[3] for row in made.sensitivity()["0"]}
    alone = []
    for number in worst:
        made.set_bad_case(networks.samples()[number])
        alone.append({tuple(row[:2]): row[3] for row in made.sensitivity()["0"]})
    assert both == pytest.approx({unit: (alone[0][unit] + alone[1][unit]) / 2 for unit in both})


def test_run_takes_the_worst_sample_or_the_one_that_is_asked_for(tmp_path):
    network = networks.float_net()
    model = networks.validated(network)
    made = QuantAnalysis(network, model, "fake_quant", out_dir=tmp_path)
    made.auto_find_bad_case(spoiled(), topk=2)
    kept = [*torch.load(tmp_path / "all_badcase_info.pt")["cases"]]

    def inputs():
        (file,) = (tmp_path / "baseline_model" / "op_infos").glob("*_quant_output.pt")
        return torch.load(file)

    made.run()
    assert torch.equal(inputs(), spoiled()[3])
    other = next(number for number in kept if number != 3)
    made.run(index=other)
    assert torch.equal(inputs(), spoiled()[other])
    missing = next(number for number in range(6) if number not in kept)
    with pytest.raises(twofold.Error, match=f"sample {missing} is none of the bad cases"):
        made.run(index=missing)


def test_bad_cases_are_saved_and_loaded(tmp_path):
    network, model = networks.clipped()
    made = QuantAnalysis(network, model, "fake_quant", out_dir=tmp_path)
    made.auto_find_bad_case(spoiled(), topk=2)
    expected = made.sensitivity()
    made.save_bad_case()
    again = QuantAnalysis(network, model, "fake_quant", out_dir=tmp_path)
    again.load_bad_case()
    assert again.sensitivity() == expected
    elsewhere = QuantAnalysis(network, model, "fake_quant", out_dir=tmp_path / "other")
    elsewhere.load_bad_case(tmp_path / "all_badcase_info.pt")
    assert elsewhere.sensitivity() == expected
    with pytest.raises(twofold.Error, match="no such file"):
        elsewhere.load_bad_case()
    torch.save([1, 2], tmp_path / "wrong.pt")
    with pytest.raises(twofold.Error, match="not what save_bad_case"):
        elsewhere.load_bad_case(tmp_path / "wrong.pt")
    (tmp_path / "text.pt").write_text("text")
    with pytest.raises(twofold.Error, match="not what save_bad_case"):
        elsewhere.load_bad_case(tmp_path / "text.pt")


def test_inputs_that_a_file_cannot_hold_are_refused(tmp_path):
    network, model = networks.clipped()
    made = QuantAnalysis(network, model, "fake_quant", out_dir=tmp_path)
    with pytest.raises(twofold.Error, match="bad case yet"):
        made.save_bad_case()
    made.set_bad_case(np.zeros(3))
    with pytest.raises(twofold.Error, match="classes of their own"):
        made.save_bad_case()


class Remembers(nn.Module):
    """Adds what it computed before."""

    def __init__(self):
        super().__init__()
        self.quant, self.dequant, self.layer = QuantStub(), DeQuantStub(), nn.Linear(4, 4)
        self.memory = torch.zeros(1, 4)

    def forward(self, x):
        y = self.dequant(self.layer(self.quant(x + self.memory)))
        self.memory = y.detach()
        return y


def test_cached_attributes_are_part_of_a_bad_case(tmp_path):
    torch.manual_seed(0)
    network = Remembers().eval()
    data = [torch.randn(1, 4) for _ in range(5)]
    model = networks.validated(copy.deepcopy(network), data=data)
    model.memory, network.memory = torch.ones(1, 4), torch.ones(1, 4)
    data[3] = data[3] * 20
    made = QuantAnalysis(network, model, "fake_quant", out_dir=tmp_path)
    made.auto_find_bad_case(data, cached_attrs=("memory",))
    assert torch.equal(model.memory, torch.ones(1, 4))
    assert torch.equal(network.memory, torch.ones(1, 4))
    info = torch.load(tmp_path / "all_badcase_info.pt")
    reference = copy.deepcopy(network)
    with torch.no_grad():
        for x in data[:3]:
            reference(x)
    case = info["cases"][3]
    torch.testing.assert_close(case["baseline"]["memory"], reference.memory)
    made.run()
    (file,) = (tmp_path / "baseline_model" / "op_infos").glob("*_quant_output.pt")
    torch.testing.assert_close(torch.load(file), data[3] + reference.memory)
    assert made.sensitivity()["0"] == made.sensitivity()["0"]
    assert torch.equal(model.memory, torch.ones(1, 4))
    with pytest.raises(ValueError, match="no attribute 'memry'"):
        made.auto_find_bad_case(data, cached_attrs=("memry",))


def states(model):
    return [
        (name, module.training, *(getattr(module, a, None) for a in ("_is_validated",)))
        + tuple(
            str(getattr(module, a))
            for a in ("fake_quant_state", "fake_quant_enabled", "observer_enabled")
            if hasattr(module, a)
        )
        for name, module in model.named_modules()
    ]


def test_models_are_left_as_they_were(tmp_path):
    network, model = networks.clipped()
    set_fake_quantize(model.tail, FakeQuantState._FLOAT)
    model.stem[0].activation_post_process.disable_fake_quant()
    model.train()
    model.head.eval()
    network.train()
    benchmark, torch.backends.cudnn.benchmark = torch.backends.cudnn.benchmark, True
    try:
        before = [(copy.deepcopy(m.state_dict()), states(m)) for m in (network, model)]
        hooks = [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules()]
        made = QuantAnalysis(network, model, "fake_quant", out_dir=tmp_path)
        made.auto_find_bad_case(networks.samples(2))
        made.run()
        made.compare_per_layer()
        rows = made.sensitivity()["0"]
        assert torch.backends.cudnn.benchmark
    finally:
        torch.backends.cudnn.benchmark = benchmark
    for one, (tensors, was) in zip((network, model), before, strict=True):
        assert states(one) == was
        assert all(torch.equal(value, tensors[key]) for key, value in one.state_dict().items())
    assert hooks == [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules()]
    # What does not quantize in the model's state has no row.
    units = {(row[0], row[1]) for row in rows}
    assert ("stem.0", "weight") in units and ("stem.0", "activation") not in units
    assert not any(name.startswith("tail") for name, _ in units)


def test_a_model_that_fails_is_left_as_it_was(tmp_path):
    network, model = networks.clipped()
    before = states(model)
    made = analysis(network, model, tmp_path, torch.zeros(2, 4, 8, 8))
    for method in (made.run, made.sensitivity):
        with pytest.raises(RuntimeError, match="channels"):
            method()
        assert states(model) == before
    with torch.no_grad():
        model(networks.samples()[0])


@pytest.mark.parametrize("kind", ["quantized", "pre_export", "export", "convert"])
def test_other_types_name_the_way_here(kind):
    network, model = networks.clipped()
    with pytest.raises(twofold.Error, match='VALIDATION computes what is exported.*"fake_quant"'):
        QuantAnalysis(network, model, kind)
    with pytest.raises(ValueError, match="is 'fakequant'"):
        QuantAnalysis(network, model, "fakequant")


def test_wrong_use_says_what_to_do(tmp_path):
    network, model = networks.clipped()
    with pytest.raises(twofold.Error, match="analysis_model is a float model"):
        QuantAnalysis(network, network, "fake_quant")
    with pytest.raises(ValueError, match="the same object"):
        QuantAnalysis(model, model, "fake_quant")
    with pytest.raises(ValueError, match=r"the models are on cpu: move them"):
        QuantAnalysis(network, model, "fake_quant", device_ids=0)
    made = QuantAnalysis(network, model, "fake_quant", device_ids=["cpu"], out_dir=tmp_path)
    for method in (made.run, made.sensitivity):
        with pytest.raises(twofold.Error, match="auto_find_bad_case"):
            method()
    with pytest.raises(twofold.Error, match=r"call run\(\)"):
        made.compare_per_layer()
    with pytest.raises(ValueError, match="topk is 0"):
        made.auto_find_bad_case(networks.samples(), topk=0)
    made.set_bad_case(networks.samples()[0])
    for state in (FakeQuantState.CALIBRATION, FakeQuantState.QAT):
        set_fake_quantize(model, state)
        for method in (made.run, made.sensitivity):
            with pytest.raises(twofold.Error, match=f"state {state.upper()} and would go on obs"):
                method()
    set_fake_quantize(model, FakeQuantState._FLOAT)
    with pytest.raises(twofold.Error, match="nothing in it quantizes"):
        made.run()
    for name in ("tune_bad_case", "plot_opinfo", "plot_opinfo_bar3d"):
        with pytest.raises(twofold.Error, match="is not built: "):
            getattr(made, name)()


def test_outputs_of_other_shapes_are_named(tmp_path):
    network, model = networks.clipped()
    counts = iter(range(1, 10))
    made = QuantAnalysis(
        network, model, "fake_quant", out_dir=tmp_path, post_process=lambda y: y[:, : next(counts)]
    )
    with pytest.raises(twofold.Error, match=r"output 0: shapes are \[2, 1\] and \[2, 2\]"):
        made.auto_find_bad_case(networks.samples(1))
    keys = iter("ab")
    made = QuantAnalysis(
        network, model, "fake_quant", out_dir=tmp_path, post_process=lambda y: {next(keys): y}
    )
    with pytest.raises(twofold.Error, match="outputs differ: a of the baseline, b of"):
        made.auto_find_bad_case(networks.samples(1))
