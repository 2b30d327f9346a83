"""twofold debug plot-acc-error: curves against models of which only some nodes are quantized."""

import json

import numpy as np
import pytest
import twofold
from command_line import ROOT, fail, succeed
from partial_plans import left

MODEL = ROOT / "examples" / "digits" / "digits.onnx"
SAMPLES = ROOT / "examples" / "digits" / "calibration.npz"


class Digits:
    """The digits, quantized by a plan, on three samples."""

    def __init__(self, folder):
        self.folder = folder
        self.data, self.plan = folder / "images.npz", folder / "plan.json"
        np.savez(self.data, image=np.load(SAMPLES)["image"][:3])
        succeed("quantize", MODEL, "--data", self.data, "--plan", self.plan)
        self.operands = json.loads(self.plan.read_text())

    def curves(self, *options):
        """{name: [value per node]}, and the nodes."""
        succeed(
            *("debug", "plot-acc-error", MODEL, self.data, "--plan", self.plan, "-d", "0"),
            *("-s", self.folder / "s", *options),
        )
        report = json.loads((self.folder / "s" / "accumulate_error.json").read_text())
        curves = {curve["name"]: curve["values"] for curve in report["curves"]}
        return curves, report["nodes"]

    def errors(self, keeps, metric="cosine-similarity"):
        """{node: value}, of a model that `quantize` makes."""
        plan, model = self.folder / "left.json", self.folder / "left.onnx"
        plan.write_text(json.dumps(left(self.operands, keeps)))
        succeed("quantize", MODEL, "--from-plan", plan, "-o", model)
        rows = {}
        for row in twofold.verify(MODEL, model, self.data, progress=False)["tensors"]:
            rows.setdefault(row["node"], float(row["metrics"][metric]))
        return rows


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    return Digits(tmp_path_factory.mktemp("curves"))


def check(curve, nodes, expected):
    assert set(expected) <= set(nodes)
    for node, value in zip(nodes, curve, strict=True):
        if node in expected:
            assert value == pytest.approx(expected[node], rel=1e-6), node
        else:
            assert value == "nan", node


def test_each_item_of_a_list_is_a_curve(digits):
    curves, nodes = digits.curves("-q", "[/head/Gemm,[/edges/Conv,/grow/MatMul]]", "-m", "mse")
    assert list(curves) == ["/head/Gemm", "/edges/Conv, /grow/MatMul"]
    expected = digits.errors(lambda o: o["node"] == "/head/Gemm", "mse")
    check(curves["/head/Gemm"], nodes, expected)
    both = {"/edges/Conv", "/grow/MatMul"}
    expected = digits.errors(lambda o: o["node"] in both, "mse")
    check(curves["/edges/Conv, /grow/MatMul"], nodes, expected)


def test_nodes_that_stay_float_are_left_out_of_all(digits):
    curves, nodes = digits.curves(
        "--non_quantize_node", "[['/edges/Conv','/relu/Relu'],/pool/MaxPool]"
    )
    assert list(curves) == ["all but /edges/Conv, /relu/Relu", "all but /pool/MaxPool"]
    for name, out in zip(curves, [{"/edges/Conv", "/relu/Relu"}, {"/pool/MaxPool"}], strict=True):
        check(curves[name], nodes, digits.errors(lambda o, out=out: o["node"] not in out))


def test_words_stand_for_all_weights_and_all_activations(digits):
    curves, nodes = digits.curves("-q", "[weight,activation,/head/Gemm]")
    assert list(curves) == ["all weights", "all activations", "/head/Gemm"]
    graph = twofold.inspect(MODEL)["simplified"]
    computed = {name for row in graph for name in row["outputs"]} | {"image"}
    check(curves["all weights"], nodes, digits.errors(lambda o: o["value"] not in computed))
    check(curves["all activations"], nodes, digits.errors(lambda o: o["value"] in computed))
    assert digits.curves("-q", "weight")[0].keys() == {"all weights"}


def test_the_average_is_that_of_all_nodes_so_far(digits):
    options = ["-q", "[weight,activation]", "-nq", "[/edges/Conv]", "-m", "mae"]
    curves, nodes = digits.curves(*options)
    for flag in (["-a", "True"], ["-a"], ["--average_mode", "true"]):
        averaged, same = digits.curves(*options, *flag)
        assert same == nodes
        for name, values in curves.items():
            there = [value for value in values if value != "nan"]
            means = iter(np.cumsum(there) / np.arange(1, len(there) + 1))
            expected = [value if value == "nan" else next(means) for value in values]
            for value, mean in zip(averaged[name], expected, strict=True):
                assert value == mean if mean == "nan" else value == pytest.approx(mean, rel=1e-9)
    assert digits.curves(*options, "-a", "False") == (curves, nodes)


def test_curves_are_drawn_and_the_end_is_printed(digits):
    output = succeed(
        *("debug", "plot_acc_error", MODEL, digits.data, "--plan", digits.plan),
        *("-q", "[/head/Gemm]", "-s", digits.folder / "drawn"),
    )
    assert output.startswith("/head/Gemm: cosine-similarity of the last node 1.00000\n")
    svg = (digits.folder / "drawn" / "accumulate_error.svg").read_text()
    assert svg.startswith("<svg") and "/head/Gemm" in svg


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "name the nodes to quantize, or not to quantize, or all weights or activations"),
        (["-nq", "[weight]"], "'weight' may be quantized alone (-q weight), not left out"),
        (["-nq", "[[/head/Gemm,activation]]"], "'activation' may be quantized alone"),
        (["-q", "[/head/Gem]"], "the model has no node '/head/Gem'; the nearest are '/head/Gemm'"),
        (["-nq", "[/head/Gem]"], "the model has no node '/head/Gem'"),
        (["-q", "[/Reshape]"], "node '/Reshape' (Reshape) has no operand that the plan makes"),
        (["-q", "[[/head/Gemm]"], "a bracket is missing"),
        (["-q", "[]"], "a name is empty"),
        (["-q", "weight", "-m", "loss"], "'loss' is no metric"),
    ],
)
def test_what_does_not_fit_is_named(digits, options, message):
    given = ["debug", "plot-acc-error", MODEL, digits.data, "--plan", digits.plan]
    assert message in fail(*given, "-s", digits.folder / "none", *options)
    assert not (digits.folder / "none").exists()
