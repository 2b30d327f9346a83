"""twofold debug sensitivity-analysis: what other precisions of sensitive nodes give."""

import json

import numpy as np
import pytest
import twofold
from command_line import ROOT, fail, succeed

MODEL = ROOT / "examples" / "digits" / "digits.onnx"
SAMPLES = ROOT / "examples" / "digits" / "calibration.npz"
# Nothing is searched, so that a changed line changes nothing else.
CONFIG = {
    "model_config": {
        "all_node_type": "int8",
        "activation": {"calibration_type": "max", "asymmetric": False},
        "equalization": False,
        "weight": {"rounding": "nearest"},
    }
}


class Digits:
    def __init__(self, folder):
        self.folder = folder
        self.data, self.config = folder / "images.npz", folder / "config.json"
        np.savez(self.data, image=np.load(SAMPLES)["image"][:3])
        self.config.write_text(json.dumps(CONFIG))
        self.given = ("debug", "sensitivity-analysis", MODEL, self.data, "-c", self.config)

    def analyze(self, *options, folder="s"):
        output = succeed(*self.given, "-d", "0", "-sd", self.folder / folder, *options)
        path = self.folder / folder / "sensitivity_analysis.json"
        return json.loads(path.read_text()), output

    def quantized(self, nodes, **options):
        """Metrics of the whole model, quantized with these nodes' lines."""
        output = self.folder / "quantized.onnx"
        twofold.quantize(
            *(MODEL, self.data, {**CONFIG, "node_config": nodes}), output=output, **options
        )
        reference, other = twofold.Session(MODEL, threads=1), twofold.Session(output, threads=1)
        cosines = []
        for image in np.load(self.data)["image"]:
            a, b = (s.run({"image": image[None]})["logits"].ravel() for s in (reference, other))
            a, b = a.astype(np.float64), b.astype(np.float64)
            cosines.append(a @ b / np.sqrt((a @ a) * (b @ b)))
        return np.mean(cosines)


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    return Digits(tmp_path_factory.mktemp("analysis"))


@pytest.mark.parametrize("qtype", ["int16", "dual-int16", "float32"])
def test_rows_are_models_that_quantize_makes(digits, qtype):
    given = ["/head/Gemm", "/edges/Conv", "/widen/widen.0/Conv"]
    report, output = digits.analyze("-sn", f"[{','.join(given)}]", "-q", qtype)
    assert report["qtype"] == qtype
    assert {row["node"] for row in report["rows"]} == set(given)
    alone = [row["alone"] for row in report["rows"]]
    assert alone == sorted(alone)
    assert report["quantized"] == pytest.approx(digits.quantized({}), abs=1e-6)
    lines = {}
    for row in report["rows"]:
        node = {row["node"]: {"qtype": qtype}}
        lines |= node
        assert row["without"] == pytest.approx(digits.quantized(node), abs=1e-6)
        assert row["without_up_to"] == pytest.approx(digits.quantized(lines), abs=1e-6)
    log = (digits.folder / "s" / "sensitivity_analysis.log").read_text()
    assert output.startswith(log)
    first = log.splitlines()
    assert first[0] == f"cosine-similarity of the quantized model: {report['quantized']:.5f}"
    assert first[2].split() == ["node", "alone", f"at_{qtype}", "with_all_above"]
    for line, row in zip(first[4:], report["rows"], strict=True):
        numbers = [row["alone"], row["without"], row["without_up_to"]]
        assert line.split() == [row["node"], *(f"{value:.5f}" for value in numbers)]
    svg = (digits.folder / "s" / "sensitivity_analysis.svg").read_text()
    assert svg.startswith("<svg") and qtype in svg


def test_nodes_below_the_threshold_are_picked(digits):
    nodes = digits.folder / "nodes.json"
    succeed(
        *("debug", "get-sensitivity-of-nodes", MODEL, digits.data, "-c", digits.config),
        *("-d", "0", "-s", digits.folder / "nodes", "--json", nodes),
    )
    alone = {
        row["name"]: row["metrics"]["cosine-similarity"]
        for row in json.loads(nodes.read_text())["rows"]
    }
    for threshold in ("0.9", "0.9999"):
        report, _ = digits.analyze("-p", threshold)
        expected = {name for name, value in alone.items() if value < float(threshold)}
        assert expected and {row["node"] for row in report["rows"]} == expected
        for row in report["rows"]:
            assert row["alone"] == pytest.approx(alone[row["node"]], abs=1e-9)
    report, output = digits.analyze("-p", "0.1")
    assert report["rows"] == []
    assert "note: no node alone has a cosine-similarity worse than 0.1" in output


def test_of_an_error_more_is_worse(digits):
    report, _ = digits.analyze("-m", "mse", "-p", "0.5")
    alone = [row["alone"] for row in report["rows"]]
    assert alone == sorted(alone, reverse=True) and min(alone) > 0.5


def test_without_any_quantized_node_nothing_is_lost(digits):
    report, _ = digits.analyze("-p", "1.5")
    assert len(report["rows"]) > 20
    assert report["rows"][-1]["without_up_to"] == 1


def test_what_the_target_refuses_is_a_note(digits):
    options = ["-sn", "[/attention/MatMul]", "-q", "int16", "--target", "journey6-oe3.2"]
    report, output = digits.analyze(*options)
    (note,) = [note for note in report["notes"] if note.startswith("node")]
    assert note.startswith("node '/attention/MatMul' input1: asked int16, granted ec: target")
    assert f"note: {note}" in output


def test_resuming_measures_no_node_again(digits):
    first, _ = digits.analyze("-sn", "/head/Gemm", folder="r")
    results = digits.folder / "r" / "sensitivity.jsonl"
    before = results.read_bytes()
    again, _ = digits.analyze("-sn", "/head/Gemm", "--resume", folder="r")
    assert again == first and results.read_bytes() == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["-q", "int4"], "'int4' is no precision of a node; there are 'int8', 'int16', 'dual-"),
        (["-sn", "[/head/Gem]"], "the model has no node '/head/Gem'; the nearest are '/head/Gemm'"),
        (
            ["-sn", "[Softmax_3_FROM_QUANTIZED_SOFTMAX]"],
            "the model has no node 'Softmax_3_FROM_QUANTIZED_SOFTMAX'; the nearest are "
            "'/attention/Softmax'",
        ),
        (["-sn", "[/Reshape]"], "node '/Reshape' (Reshape) has no operand"),
        (["-m", "cosine"], "'cosine' is no metric"),
    ],
)
def test_what_does_not_fit_is_named(digits, options, message):
    assert message in fail(*digits.given, "-sd", digits.folder / "no", *options)


def test_a_threshold_is_a_number(digits):
    assert "much" in fail(*digits.given, "-sd", digits.folder / "no", "-p", "much", code=2)
