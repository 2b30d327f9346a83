"""Histograms and box plots of tensors, against NumPy on what ONNX Runtime computes."""

import json

import numpy as np
import onnx
import onnxruntime
import pytest
import small_models
from command_line import fail, succeed
from onnx import numpy_helper

CLIPPING = {
    "model_config": {
        "activation": {
            "calibration_type": "percentile",
            "max_percentile": 0.9,
            "asymmetric": False,
        },
        "weight": {"rounding": "nearest"},
    }
}


class Case:
    """A small model, a config, and the float tensors of all its samples in the order of samples."""

    def __init__(self, folder):
        self.folder = folder
        self.model, self.data = small_models.conv_and_matmul(folder)
        self.config = folder / "config.json"
        self.config.write_text(json.dumps(CLIPPING))
        samples = np.load(self.data)["x"][:, None]
        model = onnx.load(self.model)
        names = [name for node in model.graph.node for name in node.output]
        for name in names[:-1]:
            model.graph.output.append(onnx.helper.make_empty_tensor_value_info(name))
        session = onnxruntime.InferenceSession(model.SerializeToString())
        runs = [
            dict(zip(session_names(session), session.run(None, {"x": x}), strict=True))
            for x in samples
        ]
        self.constants = {
            tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer
        }
        self.tensors = {name: np.stack([run[name] for run in runs]) for name in names}
        self.tensors["x"] = samples

    def run(self, command, *options, samples="0", config=None):
        name = command.replace("plot-", "").replace("get-", "").replace("-data", "")
        folder = self.folder / name
        succeed(
            *("debug", command, self.model, self.data, "-c", config or self.config),
            *("-d", samples, "-s", folder, *options),
        )
        return json.loads((folder / f"{name.replace('-', '_')}.json").read_text())


def session_names(session):
    return [output.name for output in session.get_outputs()]


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    return Case(tmp_path_factory.mktemp("distributions"))


def quantized(x, scale, zero_point=0, low=-128, high=127):
    """As QuantizeLinear and DequantizeLinear do it."""
    scale = np.float32(scale)
    integers = np.clip(np.rint(x / scale) + zero_point, low, high)
    return (integers - zero_point).astype(np.float32) * scale


def check_counts(row, before, after):
    edges = row["low"] + row["step"] * np.arange(len(row["counts_before"]) + 1)
    edges[-1] = max(edges[-1], before.max(), after.max())
    for counts, x in ((row["counts_before"], before), (row["counts_after"], after)):
        assert sum(counts) == x.size
        # A number on the edge of two bins may be in either, for want of digits.
        expected = np.histogram(x, edges)[0]
        assert np.abs(np.cumsum(counts) - np.cumsum(expected)).max() <= 2
        assert np.abs(np.asarray(counts) - expected).sum() <= 8


def check_moments(row, x):
    assert row["min"] == x.min() and row["max"] == x.max()
    assert row["mean"] == pytest.approx(x.mean(dtype=np.float64), rel=1e-5, abs=1e-7)
    assert row["deviation"] == pytest.approx(x.std(dtype=np.float64), rel=1e-5)


@pytest.mark.parametrize("samples", ["0", "2"])
def test_histograms_of_activations(case, samples):
    rows = {
        row["tensor"]: row for row in case.run("plot-distribution", samples=samples)["operands"]
    }
    for name in ("x", "f"):
        row, x = rows[name], case.tensors[name][: int(samples) or None]
        after = quantized(x, row["scale"])
        assert row["threshold"] == pytest.approx(127 * row["scale"], rel=1e-6)
        assert row["range"] == [-row["threshold"], row["threshold"]]
        check_moments(row["before"], x)
        check_moments(row["after"], after)
        check_counts(row, x, after)
        integers = np.rint(x / np.float32(row["scale"]))
        assert row["clipped"] == np.mean((integers > 127) | (integers < -128))
        assert row["clipped"] > 0.01
        assert row["is_weight"] is False and row["precision"] == "int8"


@pytest.mark.parametrize("rounding", ["nearest", "preserve_sum"])
def test_histograms_of_weights(case, tmp_path, rounding):
    config, output = tmp_path / "config.json", tmp_path / "quantized.onnx"
    config.write_text(json.dumps({"model_config": {"weight": {"rounding": rounding}}}))
    succeed("quantize", case.model, "--data", case.data, "-c", config, "-o", output)
    graph = onnx.load(output).graph
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    after = {}
    for node in graph.node:
        if node.op_type == "DequantizeLinear" and node.input[0] in stored:
            integers, scales = stored[node.input[0]], stored[node.input[1]]
            axis = next((a.i for a in node.attribute if a.name == "axis"), 1)
            shape = [-1 if d == axis % integers.ndim else 1 for d in range(integers.ndim)]
            scales = scales.reshape(shape) if scales.ndim else scales
            after[integers.shape] = integers.astype(np.float32) * scales
    rows = case.run("plot-distribution", config=config)["operands"]
    rows = {row["tensor"]: row for row in rows}
    for name in ("w", "m"):
        weight, row = case.constants[name], rows[name]
        assert row["is_weight"] and row["clipped"] == 0 and row["range"] == []
        assert row["scales"] == (4 if name == "w" else 5)
        check_moments(row["before"], weight)
        check_moments(row["after"], after[weight.shape])
        check_counts(row, weight, after[weight.shape])


def test_an_asymmetric_range_has_two_ends(case, tmp_path):
    config = tmp_path / "config.json"
    activation = {"calibration_type": "max", "asymmetric": True}
    config.write_text(json.dumps({"model_config": {"activation": activation}}))
    rows = {row["tensor"]: row for row in case.run("plot-distribution", config=config)["operands"]}
    row, x = rows["f"], case.tensors["f"]
    assert row["zero_point"] == -128
    assert row["range"] == pytest.approx([0, x.max()], rel=1e-6)
    assert row["clipped"] == 0
    check_moments(row["after"], quantized(x, row["scale"], row["zero_point"]))


def test_figures_are_named_after_operands(case):
    report = case.run("plot-distribution", "-n", "[/c/Conv,m]")
    assert [(row["node"], row["operand"]) for row in report["operands"]] == [
        ("/c/Conv", "input0"),
        ("/c/Conv", "input1"),
        ("/m/MatMul", "input1"),
    ]
    names = sorted(path.name for path in (case.folder / "distribution").glob("*"))
    for name in ("_c_Conv-input0.svg", "_c_Conv-input1.svg", "_m_MatMul-input1.svg"):
        assert name in names
        assert (case.folder / "distribution" / name).read_text().startswith("<svg")


def test_names_that_give_one_file_name_give_two_files(tmp_path):
    nodes = [small_models.node("MatMul", "x w", "a/b", "n/1")]
    nodes.append(small_models.node("MatMul", "a/b w", "a_b", "n_1"))
    nodes.append(small_models.node("MatMul", "a_b w", "y", "../../n"))
    model = small_models.save(
        tmp_path / "m.onnx",
        nodes,
        {"x": [1, 8]},
        {"y": [1, 8]},
        {"w": small_models.weights(0, 8, 8)},
    )
    _, data = small_models.one_matmul(tmp_path)
    folder = tmp_path / "deep" / "s"
    for command in ("plot-distribution", "get-channelwise-data-distribution"):
        report = tmp_path / "report.json"
        succeed("debug", command, model, data, "-s", folder, "--json", report)
        files = json.loads(report.read_text())["files"]
        assert len(files) == len(set(files))
        assert all(path.startswith(f"{folder}/") for path in files)
        assert {path.name for path in folder.iterdir()} >= {f.rsplit("/", 1)[1] for f in files}
        rows = json.loads(report.read_text())
        assert len(files) == 1 + len(rows.get("operands") or rows["tensors"])
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "deep",
        "m.onnx",
        "one.onnx",
        "report.json",
        "x.npz",
    ]


def boxes(x, axis):
    """Smallest, quartiles, and largest of each channel."""
    channels = np.moveaxis(x, axis, 0)
    channels = channels.reshape(len(channels), -1)
    return np.quantile(channels, [0, 0.25, 0.5, 0.75, 1], axis=1, method="lower").T.tolist()


def test_boxes_are_quartiles_of_channels(case):
    report = case.run("get-channelwise-data-distribution")
    rows = {row["tensor"]: row for row in report["tensors"]}
    for name in ("x", "f"):
        assert rows[name]["axis"] == 1
        # Channels of each sample are behind its first axis.
        expected = boxes(case.tensors[name], 2)
        assert rows[name]["boxes"] == pytest.approx(np.asarray(expected), rel=1e-6, abs=1e-6)
    for name in ("w", "m"):
        assert rows[name]["axis"] == 0
        assert rows[name]["boxes"] == boxes(case.constants[name], 0)


@pytest.mark.parametrize(("axis", "found"), [("2", 2), ("-1", 3)])
def test_an_axis_counts_from_both_ends(case, axis, found):
    report = case.run("get-channelwise-data-distribution", "-n", "[w]", "-a", axis)
    (row,) = report["tensors"]
    assert row["axis"] == found
    assert row["boxes"] == boxes(case.constants["w"], found)
    assert (case.folder / "channelwise-distribution" / "w.svg").read_text().startswith("<svg")


def test_tensors_without_the_axis_are_left_out_unless_they_are_named(case):
    command = "get-channelwise-data-distribution"
    report = case.run(command, "-a", "3")
    assert [row["tensor"] for row in report["tensors"]] == ["x", "w", "c", "r"]
    given = ["debug", command, case.model, case.data, "-c", case.config, "-s", case.folder / "no"]
    assert fail(*given, "-n", "[m]", "-a", "2") == "tensor 'm' has 2 dimensions and no axis 2"
    assert "no axis 2" in fail(*given, "-n", "[/m/MatMul]", "-a", "2")
    assert "no axis -3" in fail(*given, "-n", "[m]", "-a", "-3")
    assert not (case.folder / "no").exists()


def test_a_node_may_have_an_operand_without_channels(tmp_path):
    nodes = [
        small_models.node("MatMul", "x w", "a", "mm"),
        small_models.node("Relu", "a", "r", "relu"),
        small_models.node("Max", "r s", "y", "max"),
    ]
    constants = {"w": small_models.weights(0, 8, 8), "s": np.float32(0.7)}
    model = small_models.save(tmp_path / "m.onnx", nodes, {"x": [1, 8]}, {"y": [1, 8]}, constants)
    _, data = small_models.one_matmul(tmp_path)
    report = tmp_path / "report.json"
    succeed(
        *("debug", "get-channelwise-data-distribution", model, data),
        *("-n", "[max]", "-s", tmp_path / "s", "--json", report),
    )
    assert [row["tensor"] for row in json.loads(report.read_text())["tensors"]] == ["r"]


@pytest.mark.parametrize("command", ["plot-distribution", "get-channelwise-data-distribution"])
def test_names_that_are_none_are_refused(case, command):
    given = ["debug", command, case.model, case.data, "-s", case.folder / "no"]
    message = fail(*given, "-n", "[/c/Con]")
    assert message.startswith("the model has no node or tensor '/c/Con'; the nearest are '/c/Conv'")
    assert fail(*given, "-n", "[y]") == "the plan makes no integers of 'y'"
