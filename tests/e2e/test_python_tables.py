"""Reports are dicts that print as tables."""

import copy
import json
import pickle

import numpy as np
import pytest
import twofold
from command_line import ROOT

DIGITS = ROOT / "examples" / "digits"
MODEL = DIGITS / "digits.onnx"


@pytest.fixture(scope="module")
def samples():
    return [{"image": image[None]} for image in np.load(DIGITS / "calibration.npz")["image"][:4]]


@pytest.fixture(scope="module")
def report(samples):
    return twofold.quantize(MODEL, samples)


def test_quantize_prints_its_summary(report):
    text = str(report)
    lines = text.splitlines()
    assert lines[0] == f"{MODEL} -> nothing was written; target cpu"
    (logits,) = report["outputs"]
    row = next(line.split() for line in lines if line.split()[:1] == ["logits"])
    assert row[1:] == [f"{logits['metrics'][m]:.6g}" for m in ("cosine-similarity", "sqnr", "mse")]
    assert lines[-1] == report["notes"][-1]


def test_the_worst_ten_tensors_are_shown(report):
    worst = sorted(report["tensors"], key=lambda row: float(row["metrics"]["sqnr"]))
    text = str(report)
    assert all(row["tensor"] in text for row in worst[:10])
    assert (
        worst[10]["tensor"] not in text.split("tensors with the most noise")[1].split("... and")[0]
    )
    assert f"... and {len(worst) - 10} more" in text


def test_columns_line_up(report):
    block = str(report).split("tensors with the most noise\n")[1].split("\n\n")[0].splitlines()[:-1]
    assert len({len(line) for line in block}) == 1


def test_a_notebook_gets_html(report):
    page = report._repr_html_()
    assert page.count("<table>") == page.count("</table>") == 3
    assert ">logits</td>" in page and "->" not in page


@pytest.mark.parametrize("convert", [dict, copy.deepcopy, lambda r: pickle.loads(pickle.dumps(r))])
def test_it_converts_to_a_dict(report, convert):
    plain = convert(report)
    assert type(plain) is dict and plain == report
    assert json.loads(json.dumps(report)) == plain


def test_other_reports(samples, tmp_path):
    twofold.quantize(MODEL, samples, output=tmp_path / "q.onnx")
    assert "logits" in str(twofold.verify(MODEL, tmp_path / "q.onnx", samples))
    assert "/head/Gemm" in str(twofold.inspect(MODEL))
    found = twofold.debug.get_sensitivity_of_nodes(MODEL, "sqnr", samples, data_num=1)
    assert str(found).splitlines()[1].split() == ["unit", "sqnr"]
    assert str(found).splitlines()[2].split()[0] == next(iter(found))
    folder = tmp_path / "debug"
    remedies = twofold.debug.find_remedies(MODEL, samples, data_num=1, save_dir=folder)
    assert str(remedies) != str(dict(remedies)) and len(str(remedies).splitlines()) > 3
