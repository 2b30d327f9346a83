"""The command line from outside: what it prints, what it writes, and how it fails."""

import json
import subprocess
from pathlib import Path

import numpy as np
import onnx
import pytest

ROOT = Path(__file__).parents[2]
DIGITS = ROOT / "examples" / "digits"
MODEL = DIGITS / "digits.onnx"
COMMANDS = ["quantize", "inspect", "run", "verify", "split", "targets", "init"]


def twofold(*arguments):
    return subprocess.run(
        [ROOT / "build" / "twofold", *arguments], capture_output=True, text=True, timeout=300
    )


def succeed(*arguments):
    result = twofold(*arguments)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return result.stdout


def fail(*arguments, code=1):
    """The one error line of a command that must fail, without its prefix."""
    result = twofold(*arguments)
    assert result.returncode == code
    assert result.stdout == ""
    assert result.stderr.startswith("error: ") and result.stderr.count("\n") == 1
    return result.stderr.removeprefix("error: ").rstrip("\n")


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "samples.npz"
    np.savez(path, image=np.load(DIGITS / "calibration.npz")["image"][:4])
    return path


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(command):
    assert f"Example:\n  twofold {command}" in succeed(command, "--help")


def test_targets(tmp_path):
    lines = succeed("targets", "--json", tmp_path / "t.json").splitlines()
    names = ["cpu", "generic", "journey6-oe3.1", "journey6-oe3.2"]
    assert [line.split()[0] for line in lines[2:]] == names
    assert "The integer engine on a CPU" in lines[2] and lines[2].endswith(" -")
    assert lines[5].endswith(" >= 4.3.3")
    assert json.loads((tmp_path / "t.json").read_text())["targets"][0]["name"] == "cpu"


def test_inspect_tables_line_up(tmp_path):
    lines = succeed("inspect", MODEL, "--json", tmp_path / "i.json").splitlines()
    assert "input   image   float32  [-1,1,28,28]" in lines
    assert "output  logits  float32  [-1,10]" in lines
    assert "BatchNormalization            7           0" in lines
    assert "Gelu                          0           1" in lines
    report = json.loads((tmp_path / "i.json").read_text())
    assert {p["pass"]: p["rewrites"] for p in report["passes"]}["fold_batch_norm"] == 7
    conv = next(n for n in report["simplified"] if n["name"] == "/edges/Conv")
    assert conv["origins"] == ["/edges/Conv", "/edges_norm/BatchNormalization"]


def test_run_writes_what_it_reads(tmp_path, samples):
    succeed("run", MODEL, "--data", samples, "-o", tmp_path / "out", "--threads", "1")
    files = sorted((tmp_path / "out" / "logits").iterdir())
    assert [f.name for f in files] == ["000000.npy", "000001.npy", "000002.npy", "000003.npy"]
    logits = np.load(files[2])
    assert logits.dtype == np.float32 and logits.shape == (1, 10)
    folder = tmp_path / "in" / "image"
    folder.mkdir(parents=True)
    np.save(folder / "a.npy", np.load(samples)["image"][2:3])
    succeed("run", MODEL, "--data", tmp_path / "in", "-o", tmp_path / "again", "--threads", "1")
    np.testing.assert_array_equal(np.load(tmp_path / "again" / "logits" / "000000.npy"), logits)


def test_quantize_and_verify(tmp_path, samples):
    model, plan, report = tmp_path / "q.onnx", tmp_path / "plan.json", tmp_path / "q.json"
    text = succeed(
        "quantize",
        MODEL,
        "--data",
        samples,
        "-o",
        model,
        "--plan",
        plan,
        "--json",
        report,
        "--table",
    )
    assert "/edges/Conv" in text and "cosine-similarity" in text
    onnx.checker.check_model(model)
    assert {"QuantizeLinear", "DequantizeLinear"} <= {
        n.op_type for n in onnx.load(model).graph.node
    }
    assert json.loads(report.read_text())["outputs"][0]["tensor"] == "logits"
    assert json.loads(plan.read_text())
    assert "cosine-similarity" in succeed("verify", MODEL, model, "--data", samples)


def test_split_keeps_the_results(tmp_path, samples):
    succeed("split", MODEL, "--nodes", "['/edges/Conv', /head/Gemm]", "-o", tmp_path / "s.onnx")
    names = [n.name for n in onnx.load(tmp_path / "s.onnx").graph.node]
    for name in ("/edges/Conv", "/edges/Conv_residual", "/edges/Conv_sum", "/head/Gemm_residual"):
        assert name in names
    succeed("verify", MODEL, tmp_path / "s.onnx", "--data", samples, "--json", tmp_path / "v.json")
    metrics = json.loads((tmp_path / "v.json").read_text())["outputs"][0]["metrics"]
    assert metrics["cosine-similarity"] > 1 - 1e-9


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        ("[/edges/Con]", "the model has no node '/edges/Con'; the nearest names are "),
        ("[/Add]", "node '/Add' cannot be split: Add is none of Conv, "),
        ("[/edges/Conv", "'[/edges/Conv' is no list of nodes: a bracket is missing"),
        ("[a,,b]", "'[a,,b]' is no list of nodes: a name is empty"),
        ("['a]", "'['a]' is no list of nodes: a quote is missing"),
        ("['a'b]", "'['a'b]' is no list of nodes: something follows a quoted name"),
    ],
)
def test_split_refuses(tmp_path, nodes, message):
    assert fail("split", MODEL, "--nodes", nodes, "-o", tmp_path / "s.onnx").startswith(message)
    assert not (tmp_path / "s.onnx").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["quantize", MODEL], "there are no data to calibrate with"),
        (["inspect", "no-such.onnx"], "cannot open 'no-such.onnx'"),
        (["run", MODEL, "--data", "no-such-folder", "-o", "x"], "'no-such-folder'"),
    ],
)
def test_errors_are_one_line(arguments, message):
    assert message in fail(*arguments)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["quantise"], "there is no command 'quantise'; the nearest are 'quantize'"),
        ([], "a command is missing"),
        (["run", MODEL, "--data", "x", "-o", "y", "--threads", "-1"], "--threads"),
        (["quantize", MODEL, "--data", "x", "--activation-format", "int4"], "--activation-format"),
    ],
)
def test_words_that_make_no_command(arguments, message):
    assert message in fail(*arguments, code=2)
