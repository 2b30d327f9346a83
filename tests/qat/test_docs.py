"""docs/qat.md is what its blocks print, and its tables are those of the example."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "qat_digits"
sys.path.insert(0, str(ROOT / "tools"))
import qat_docs  # noqa: E402


def without_numbers(text):
    """Training ends elsewhere on other CPUs, and sensitivities are in another order."""
    text = re.sub(r"^\['.*\]$", "[row]", text, flags=re.MULTILINE)
    return re.sub(r"\d+\.\d+", "#", text).splitlines()


def test_the_blocks_print_what_stands_there(tmp_path):
    before = qat_docs.PAGE.read_text()
    after = qat_docs.run_page(before, tmp_path)
    assert without_numbers(after) == without_numbers(before)
    was, now = (re.findall(r"([\d.]+) %\n", text) for text in (before, after))
    assert len(was) >= 7
    assert [float(n) for n in now] == pytest.approx([float(n) for n in was], abs=1.5)


def tables(text):
    return re.findall(r"^\| accuracy, %.*\n(?:\|.*\n)+", text, re.MULTILINE)


def test_the_tables_of_the_page_are_those_of_the_example():
    found = tables(qat_docs.PAGE.read_text())
    assert len(found) == 2 and found == tables((EXAMPLE / "README.md").read_text())
    for table in found:
        rows = [line.split(" | ") for line in table.splitlines()[2:]]
        means = {row[0].strip("| "): float(row[-1].strip(" |")) for row in rows}
        assert means["QAT int8, two layers dual int16"] > means["float"] - 0.3
    assert means["PTQ int8"] < means["float"] - 5


def test_the_example_goes_its_way(tmp_path, monkeypatch, capsys):
    """With fewer epochs: int8 ruins the hard network, and 16 bits in two layers repair it."""
    monkeypatch.syspath_prepend(EXAMPLE)
    import compare
    import models
    import stages

    monkeypatch.setattr(compare, "EPOCHS", 2)
    monkeypatch.setattr(compare, "QAT_EPOCHS", 1)
    monkeypatch.delitem(compare.WIDE, "int8, one layer dual int16")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    rows = compare.one_seed(models.Hard, 0, compare.load(), tmp_path)
    torch.set_num_threads(threads)
    printed = capsys.readouterr().out
    assert "/first/depthwise/Conv" in printed and "/second/depthwise/Conv" in printed
    assert printed.count(" 0 of 20000 logits differ on the engine") == 2
    assert rows["PTQ int8"] < rows["QAT int8"] < rows["QAT int8, two layers dual int16"] - 5
    assert rows["QAT int8, two layers dual int16"] > rows["float"] - 0.5
    logits = stages.engine_logits(tmp_path / "qat_2_wide.onnx", compare.load()[2])
    labels = compare.load()[2].labels.numpy()
    share = np.mean(logits.argmax(1) == labels) * 100
    assert share == pytest.approx(rows["QAT int8, two layers dual int16"])
    assert compare.table([rows, rows]).count("\n") == len(rows) + 1
