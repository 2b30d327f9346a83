"""twofold debug tensor-analysis: every number against NumPy."""

import csv
import json

import numpy as np
import onnx
import onnxruntime
import pytest
import small_models
from command_line import fail, succeed
from onnx import numpy_helper

BY_MAX = {
    "model_config": {
        "all_node_type": "int8",
        "activation": {"calibration_type": "max", "asymmetric": False},
        "weight": {"rounding": "nearest"},
    }
}
NUMBERS = ["min", "max", "mean", "deviation"]


def watched(model, samples):
    """{tensor: what ONNX Runtime computes, one sample after the other}."""
    model = onnx.load(model)
    names = [name for node in model.graph.node for name in node.output]
    outputs = {output.name for output in model.graph.output}
    for name in names:
        if name not in outputs:
            model.graph.output.append(onnx.helper.make_empty_tensor_value_info(name))
    session = onnxruntime.InferenceSession(model.SerializeToString())
    asked = [output.name for output in session.get_outputs()]
    runs = [dict(zip(asked, session.run(None, {"x": x}), strict=True)) for x in samples]
    return {name: np.stack([run[name] for run in runs]) for name in names}


class Analysis:
    def __init__(self, folder):
        self.model, self.data = small_models.conv_and_matmul(folder)
        self.config, self.folder = folder / "config.json", folder / "s"
        self.config.write_text(json.dumps(BY_MAX))
        quantized, report = folder / "quantized.onnx", folder / "report.json"
        succeed("quantize", self.model, "--data", self.data, "-c", self.config, "-o", quantized)
        self.given = ("debug", "tensor-analysis", self.model, self.data, "-c", self.config)
        self.printed = succeed(*self.given, "-d", "0", "-s", self.folder, "--json", report)
        self.rows = json.loads(report.read_text())["operands"]
        samples = np.load(self.data)["x"][:, None]
        self.float = {"x": samples, **watched(self.model, samples)}
        self.quantized = watched(quantized, samples)
        graph = onnx.load(self.model).graph
        self.constants = {i.name: numpy_helper.to_array(i) for i in graph.initializer}


@pytest.fixture(scope="module")
def analysis(tmp_path_factory):
    return Analysis(tmp_path_factory.mktemp("tensors"))


def check(row, a, b):
    """All numbers about tensors `a` and `b` that do not depend on steps."""
    a, b = a.astype(np.float64), b.astype(np.float64)
    for side, x in (("before", a), ("after", b)):
        expected = [x.min(), x.max(), x.mean(), x.std()]
        assert [row[side][name] for name in NUMBERS] == pytest.approx(expected, rel=1e-4, abs=1e-6)
    error = a - b
    expected = {
        "cosine-similarity": (a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum()),
        "mse": (error**2).mean(),
        "mae": np.abs(error).mean(),
        "mre": np.mean((np.abs(error) / np.maximum(np.abs(a), 1e-12))[a != 0]),
        "sqnr": 10 * np.log10((a * a).sum() / (error**2).sum()),
        "chebyshev": np.abs(error).max(),
    }
    assert row["metrics"] == pytest.approx(expected, rel=2e-3)


def energies(x, axis):
    """The share of each channel, largest first."""
    channels = np.moveaxis(x.astype(np.float64), axis, 0).reshape(x.shape[axis], -1)
    energy = (channels**2).sum(axis=1)
    order = np.argsort(-energy, kind="stable")[:10]
    return [(int(channel), energy[channel] / energy.sum()) for channel in order]


def operand(analysis, node, name):
    (row,) = [r for r in analysis.rows if (r["node"], r["operand"]) == (node, name)]
    return row


@pytest.mark.parametrize(
    ("node", "name", "axis"),
    [("/c/Conv", "input0", 2), ("/m/MatMul", "input0", 2)],
)
def test_an_activation(analysis, node, name, axis):
    row = operand(analysis, node, name)
    x = analysis.float[row["tensor"]]
    scale = np.float32(row["scale"])
    assert scale == np.float32(np.abs(x).max() / 127)
    after = np.clip(np.rint(x / scale), -128, 127).astype(np.float32) * scale
    assert (row["precision"], row["scales"], row["zero_point"]) == ("int8", 1, 0)
    assert row["shape"] == list(x.shape[1:])
    assert row["clipped"] == 0
    check(row, x, after)
    expected = energies(x - after, axis)
    assert [c for c, _ in row["worst_channels"]] == [c for c, _ in expected]
    assert [s for _, s in row["worst_channels"]] == pytest.approx(
        [s for _, s in expected], rel=1e-3
    )


@pytest.mark.parametrize(("node", "tensor", "axis"), [("/c/Conv", "w", 0), ("/m/MatMul", "m", 1)])
def test_a_weight(analysis, node, tensor, axis):
    row, weight = operand(analysis, node, "input1"), analysis.constants[tensor]
    others = tuple(d for d in range(weight.ndim) if d != axis)
    scales = (np.abs(weight).max(axis=others, keepdims=True) / np.float32(127)).astype(np.float32)
    after = np.clip(np.rint(weight / scales), -128, 127).astype(np.float32) * scales
    assert (row["tensor"], row["is_weight"], row["scales"]) == (tensor, True, scales.size)
    assert row["scale"] == scales.max()
    check(row, weight, after)
    expected = energies(weight - after, axis)
    assert [c for c, _ in row["worst_channels"]] == [c for c, _ in expected]


def test_what_nodes_compute_in_the_whole_quantized_model(analysis):
    rows = [row for row in analysis.rows if row["operand"] == "output0"]
    assert rows[-1]["tensor"] == "y"
    for row in rows:
        assert row["precision"] == "float32"
        # What becomes integers is looked at as its readers see it.
        seen = analysis.quantized.get(f"{row['tensor']}_dequantized")
        seen = analysis.quantized[row["tensor"]] if seen is None else seen
        check(row, analysis.float[row["tensor"]], seen)


def test_text_and_csv_say_the_same(analysis):
    text = (analysis.folder / "tensor_analysis.txt").read_text()
    assert analysis.printed.startswith(text)
    lines = [line.split() for line in text.splitlines()]
    del lines[1]  # the rule
    with (analysis.folder / "tensor_analysis.csv").open(newline="") as file:
        table = list(csv.reader(file))
    assert table == lines
    headings, rows = table[0], table[1:]
    assert len(rows) == len(analysis.rows)
    for cells, row in zip(rows, analysis.rows, strict=True):
        cell = dict(zip(headings, cells, strict=True))
        assert cell["node"] == row["node"] and cell["tensor"] == row["tensor"]
        assert cell["shape"] == "x".join(map(str, row["shape"]))
        for side, prefix in (("before", "float"), ("after", "quantized")):
            for name in NUMBERS:
                assert float(cell[f"{prefix}_{name}"]) == pytest.approx(row[side][name], rel=1e-5)
        assert float(cell["sqnr"]) == pytest.approx(float(row["metrics"]["sqnr"]), abs=1e-3)
        worst = [] if cell["worst_channels"] == "-" else cell["worst_channels"].split(";")
        assert [int(item.split(":")[0]) for item in worst] == [c for c, _ in row["worst_channels"]]
        if row["precision"] == "float32":
            assert [cell[key] for key in ("scale", "zero_point", "clipped")] == ["-"] * 3
        else:
            assert float(cell["clipped"].rstrip("%")) == pytest.approx(
                100 * row["clipped"], abs=1e-4
            )
            assert cell["scale"] == (
                f"{row['scale']:.6g}" if row["scales"] == 1 else f"{row['scales']}-scales"
            )


def test_nodes_and_tensors_may_be_named(analysis, tmp_path):
    def rows(*options):
        succeed(*analysis.given, "-s", tmp_path, "--json", tmp_path / "r.json", *options)
        return [
            (row["node"], row["operand"])
            for row in json.loads((tmp_path / "r.json").read_text())["operands"]
        ]

    assert rows("-n", "[/c/Conv]", "-np", "2")[:2] == [("/c/Conv", "input0"), ("/c/Conv", "input1")]
    assert rows("--node_names", "m", "--num_processes", "1") == [("/m/MatMul", "input1")]
    assert rows("-n", "y") == [row for row in rows() if row[1] == "output0"][-1:]
    assert "no node or tensor 'z'" in fail(*analysis.given, "-n", "z", "-s", tmp_path)


def test_cells_with_commas_are_quoted(tmp_path):
    model = small_models.save(
        tmp_path / "m.onnx",
        [small_models.node("MatMul", "x w", "y", 'a,b"c')],
        {"x": [1, 8]},
        {"y": [1, 8]},
        {"w": small_models.weights(0, 8, 8)},
    )
    _, data = small_models.one_matmul(tmp_path)
    succeed("debug", "tensor_analysis", model, data, "-s", tmp_path)
    with (tmp_path / "tensor_analysis.csv").open(newline="") as file:
        assert {row[0] for row in list(csv.reader(file))[1:]} == {'a,b"c'}
