"""twofold debug get-sensitivity-of-nodes: what rows mean, and what is left of a run that ended."""

import json
import signal
import subprocess
import time

import numpy as np
import onnx
import pytest
import twofold
from command_line import PROGRAM, ROOT, fail, succeed

MODEL = ROOT / "examples" / "digits" / "digits.onnx"
DATA = ROOT / "examples" / "digits" / "calibration.npz"
COMMAND = "get-sensitivity-of-nodes"
ONE_THREAD = ["--threads", "1"]  # float32 sums depend on how many there are
NOTHING_TO_SEARCH = {
    "model_config": {"activation": {"calibration_type": "max"}, "weight": {"rounding": "nearest"}}
}


def sensitivity(folder, *options, data=DATA, model=MODEL):
    """The report, as JSON."""
    report = folder / "report.json"
    succeed("debug", COMMAND, model, data, "-s", folder / "s", "--json", report, *options)
    return json.loads(report.read_text())


def logits(model, images):
    """Of one image after the other, where nobody watches: float32 sums depend on that too."""
    session = twofold.Session(model, threads=1)
    return [session.run({"image": image[None]})["logits"].astype(np.float64) for image in images]


def mean_metrics(references, others):
    """Means over the samples."""
    errors = [(a - b) ** 2 for a, b in zip(references, others, strict=True)]
    signals = [a**2 for a in references]
    sqnr = [10 * np.log10(s.sum() / e.sum()) for s, e in zip(signals, errors, strict=True)]
    return {"mse": np.mean([e.mean() for e in errors]), "sqnr": np.mean(sqnr)}


def leave_only(plan, node):
    """The plan with every other node's operands left float."""
    for operand in plan["operands"]:
        if operand["node"] != node:
            for key in ("params", "threshold", "method", "weight", "activation"):
                operand.pop(key, None)
            operand |= {"granted": "float32", "reason": "not looked at"}
    return plan


def test_a_row_is_what_quantizing_that_node_alone_gives(tmp_path):
    images = np.load(DATA)["image"][:3]
    data, plan = tmp_path / "images.npz", tmp_path / "plan.json"
    np.savez(data, image=images)
    succeed("quantize", MODEL, "--data", data, "--plan", plan, *ONE_THREAD)
    options = ["--plan", plan, "-m", "[sqnr,mse]", "-d", "3", *ONE_THREAD]
    report = sensitivity(tmp_path, *options, data=data)
    rows = {row["name"]: row for row in report["rows"]}
    for node in ["/edges/Conv", "/head/Gemm", "/attention/MatMul", "/hard_swish_1/HardSwish"]:
        alone, quantized = tmp_path / "alone.json", tmp_path / "alone.onnx"
        alone.write_text(json.dumps(leave_only(json.loads(plan.read_text()), node)))
        succeed("quantize", MODEL, "--from-plan", alone, "-o", quantized)
        expected = mean_metrics(logits(MODEL, images), logits(quantized, images))
        assert rows[node]["metrics"] == pytest.approx(expected, rel=1e-9), node


@pytest.mark.parametrize("kind", ["node", "weight", "activation"])
def test_the_log_is_split_by_blanks(tmp_path, kind):
    report = sensitivity(tmp_path, "-m", "[mse,sqnr]", "-n", kind)
    log = (tmp_path / "s" / f"sensitivity_of_{kind}.log").read_text().splitlines()
    assert log[0] == f"{'=' * 17}{kind} sensitivity{'=' * 17}"
    header = ["node", "mse", "sqnr"] + (["threshold", "bit"] if kind == "activation" else [])
    assert log[1].split() == header
    assert set(log[2]) == {"-"}
    assert len(log) - 3 == len(report["rows"]) == report["measured"]
    for line, row in zip(log[3:], report["rows"], strict=True):
        cells = line.split()
        assert cells[0] == row["name"]
        assert cells[1:3] == [f"{float(row['metrics'][name]):.5f}" for name in ("mse", "sqnr")]
        if kind == "activation":
            assert cells[3:] == [f"{row['threshold']:.5f}", "8"]
    errors = [row["metrics"]["mse"] for row in report["rows"]]
    assert errors == sorted(errors, reverse=True)
    if kind == "node":
        other = tmp_path / "s" / "node_sensitivity.log"
        assert other.read_text().splitlines() == log


def test_weights_and_activations_are_tensors_of_the_file(tmp_path):
    graph = onnx.load(MODEL).graph
    constants = {tensor.name for tensor in graph.initializer}
    constants |= {name for node in graph.node if node.op_type == "Constant" for name in node.output}
    weights = sensitivity(tmp_path, "-n", "weight")["rows"]
    assert weights and {row["name"] for row in weights} <= constants
    activations = sensitivity(tmp_path, "-n", "activation")["rows"]
    assert "image" in {row["name"] for row in activations}
    assert not {row["name"] for row in activations} & constants


def test_a_killed_run_goes_on_where_it_was(tmp_path):
    data = tmp_path / "images.npz"
    np.savez(data, image=np.repeat(np.load(DATA)["image"], 8, axis=0))
    options = ["-d", "0", "-m", "sqnr", "--threads", "2"]
    config = tmp_path / "max.json"
    config.write_text(json.dumps(NOTHING_TO_SEARCH))
    options += ["-c", config]
    whole = sensitivity(tmp_path, *options, data=data)
    results = tmp_path / "s" / "sensitivity.jsonl"
    complete = sorted(results.read_text().splitlines())
    results.unlink()
    command = [PROGRAM, "debug", COMMAND, MODEL, data, "-s", tmp_path / "s", *options]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 60
        while not (results.exists() and results.read_text().count("\n") > 4):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    with results.open("a") as file:
        file.write('{"unit":"node:/torn')
    again = sensitivity(tmp_path, *options, "--resume", data=data)
    assert again["reused"] >= 4
    assert again["reused"] + again["measured"] == whole["measured"]
    assert again["rows"] == whole["rows"]
    assert sorted(results.read_text().splitlines()) == complete
    assert sensitivity(tmp_path, *options, "--resume", data=data)["measured"] == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ["-i", "[/edges/Con]"],
            "the model has no node '/edges/Con'; the nearest are '/edges/Conv'",
        ),
        (["-m", "cosine"], "'cosine' is no metric; there are 'cosine-similarity', 'mse'"),
        (["-o", "logit"], "the model has no output 'logit'; the nearest are 'logits'"),
        (
            ["-i", "[/Reshape]"],
            "node '/Reshape' (Reshape) has no operand that the plan makes integers",
        ),
        (["--plan", "none.json"], "none.json"),
        (["-s", "/dev/null/folder"], "/dev/null"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path, options, message):
    options = options if "-s" in options else [*options, "-s", tmp_path / "s"]
    assert message in fail("debug", COMMAND, MODEL, DATA, *options)


def test_results_of_other_data_are_not_taken(tmp_path):
    sensitivity(tmp_path, "-d", "1")
    options = ["-s", tmp_path / "s", "-d", "2", "--resume"]
    message = fail("debug", COMMAND, MODEL, DATA, *options)
    assert "these results are of another data" in message


def test_a_word_that_is_no_command_of_the_debugger():
    message = "there is no command 'get-sens'; the nearest are 'get-sensitivity-of-nodes'"
    assert fail("debug", "get-sens", code=2).startswith(message)


def test_the_same_from_python(tmp_path, capsys):
    images = np.load(DATA)["image"][:3]
    samples = [{"image": image[None]} for image in images]
    found = twofold.debug.get_sensitivity_of_nodes(
        onnx.load(MODEL), ["mse", "sqnr"], samples, verbose=True, config=NOTHING_TO_SEARCH
    )
    data, config = tmp_path / "images.npz", tmp_path / "config.json"
    np.savez(data, image=images)
    config.write_text(json.dumps(NOTHING_TO_SEARCH))
    report = sensitivity(tmp_path, "-m", "[mse,sqnr]", "-d", "0", "-c", config, data=data)
    assert found == {row["name"]: row["metrics"] for row in report["rows"]}
    assert list(found) == [row["name"] for row in report["rows"]]
    log = (tmp_path / "s" / "sensitivity_of_node.log").read_text()
    assert capsys.readouterr().out == log

    chosen = twofold.debug.get_sensitivity_of_nodes(
        MODEL, "mse", samples, interested_nodes=["/head/Gemm"], save_dir=tmp_path / "p"
    )
    assert list(chosen) == ["/head/Gemm"]
    assert (tmp_path / "p" / "sensitivity_of_node.log").exists()
    with pytest.raises(twofold.Error, match="'loss' is no metric"):
        twofold.debug.get_sensitivity_of_nodes(MODEL, "loss", samples)
