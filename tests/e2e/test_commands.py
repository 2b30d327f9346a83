"""What every command prints, and what its --json promises."""

import json
import os
import pty
import re
import subprocess
from pathlib import Path

import numpy as np
import onnx
import pytest
import twofold
from command_line import PROGRAM, fail, read_to_end, run, succeed

DIGITS = Path(__file__).parents[2] / "examples" / "digits"
MODEL = DIGITS / "digits.onnx"
COMMANDS = ("quantize", "inspect", "run", "bench", "verify", "split", "targets")
DEBUG_COMMANDS = (
    "get-sensitivity-of-nodes",
    "plot-acc-error",
    "plot-distribution",
    "get-channelwise-data-distribution",
    "sensitivity-analysis",
    "tensor-analysis",
    "runall",
    "compare-dumps",
)
METRICS = {"cosine-similarity", "mse", "mae", "mre", "sqnr", "chebyshev"}


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    path = tmp_path_factory.mktemp("data") / "samples.npz"
    np.savez(path, image=np.load(DIGITS / "calibration.npz")["image"][:3])
    return path


@pytest.fixture(scope="module")
def quantized(tmp_path_factory, samples):
    """(folder with q.onnx, plan.json and q.json, what the command printed)."""
    folder = tmp_path_factory.mktemp("quantized")
    written = ("-o", folder / "q.onnx", "--plan", folder / "plan.json", "--json", folder / "q.json")
    return folder, succeed("quantize", MODEL, "--data", samples, *written)


@pytest.fixture(scope="module")
def with_ec(tmp_path_factory, samples):
    """A model whose first convolution has an ec weight, and whose attention has two ec inputs."""
    folder = tmp_path_factory.mktemp("ec")
    nodes = {
        "/edges/Conv": {"qtype": "int16-ec"},
        "/attention/MatMul": {"input0": "ec", "input1": "ec"},
    }
    (folder / "c.yaml").write_text(json.dumps({"node_config": nodes}))
    succeed("quantize", MODEL, "--data", samples, "-c", folder / "c.yaml", "-o", folder / "ec.onnx")
    return folder / "ec.onnx"


def load(path):
    """Strict JSON: no NaN, no Infinity, no key twice."""

    def unique(pairs):
        keys = [key for key, _ in pairs]
        assert len(keys) == len(set(keys)), keys
        return dict(pairs)

    def refuse(word):
        raise AssertionError(f"{word} is no JSON")

    return json.loads(path.read_text(), object_pairs_hook=unique, parse_constant=refuse)


def table(text, heading):
    """Rows of the table whose first heading is given, split where two spaces are."""
    lines = text.splitlines()
    start = next(i for i, line in enumerate(lines) if re.match(rf"{heading}( |$)", line))
    rows = []
    for line in lines[start + 1 :]:
        if not line:
            break
        if set(line) - set("- "):
            rows.append(re.split(r" {2,}", line))
    return rows


def test_help_names_every_command():
    text = succeed("--help")
    for command in COMMANDS:
        assert re.search(rf"^ +{command} +\S", text, re.MULTILINE), command


@pytest.mark.parametrize("command", COMMANDS)
def test_help(command):
    text = succeed(command, "--help")
    assert f"Example:\n  twofold {command}" in text
    assert "--json" in text
    assert all(len(line) <= 120 for line in text.splitlines())


@pytest.mark.parametrize("command", DEBUG_COMMANDS)
def test_help_of_the_debugger(command):
    text = succeed("debug", command, "--help")
    assert f"Example:\n  twofold debug {command}" in text
    assert "--json" in text
    assert all(len(line) <= 120 for line in text.splitlines())


def test_help_lists_the_debugger_s_commands():
    text = succeed("debug", "--help")
    assert all(command in text for command in DEBUG_COMMANDS)
    assert all(len(line) <= 120 for line in text.splitlines())


@pytest.mark.parametrize("command", COMMANDS)
def test_examples_use_options_that_exist(command):
    text = succeed(command, "--help")
    options, example = text.split("Example:\n")
    for option in re.findall(r"(?<!\S)--?[a-z][a-z-]*", example):
        assert re.search(rf"{option}\b", options), option


def test_quantize_tables(quantized):
    text = quantized[1]
    types = {node["name"]: node["op_type"] for node in twofold.inspect(MODEL)["simplified"]}
    worst = table(text, "node")
    assert len(worst) == 10 and all(types[row[0]] == row[1] for row in worst)
    assert re.search(r"^operands on cpu: \d+ float32, \d+ int8$", text, re.MULTILINE)
    assert re.search(r"^\d+\.\d s \(import \d+\.\d, .*\), at most \d+ MiB$", text, re.MULTILINE)
    assert table(text, "output")[0][0] == "logits"
    assert not any(line.endswith(" ") for line in text.splitlines())


def test_quantize_json(quantized):
    report = load(quantized[0] / "q.json")
    assert set(report) >= {
        "model",
        "output",
        "target",
        "operand_counts",
        "file_bytes",
        "notes",
        "outputs",
        "stages",
        "operands",
        "tensors",
    }
    assert report["target"] == "cpu"
    assert report["file_bytes"] == (quantized[0] / "q.onnx").stat().st_size
    for row in report["operands"]:
        assert set(row) >= {
            "node",
            "op_type",
            "operand",
            "tensor",
            "asked",
            "granted",
            "decided_by",
            "reason",
            "method",
            "threshold",
        }
    for row in report["outputs"] + report["tensors"]:
        assert set(row["metrics"]) == METRICS
    for row in report["stages"]:
        assert row["seconds"] >= 0 and row["peak_memory_bytes"] > 1 << 20


def test_quantize_plan(quantized):
    plan = load(quantized[0] / "plan.json")
    assert plan["model_hash"] and plan["target"] == "cpu" and plan["unmet"] == []
    for row in plan["operands"]:
        assert {"node", "op_type", "operand", "asked", "granted", "decided_by"} <= set(row)
        if row["granted"] != "float32":
            assert all(0 < s < np.inf for s in row["params"]["scale"])


def test_python_gives_the_same_report(quantized, samples):
    report = twofold.quantize(MODEL, samples)
    written = load(quantized[0] / "q.json")
    for key in ("operands", "outputs", "operand_counts"):
        assert report[key] == written[key]


def test_inspect_json(tmp_path):
    succeed("inspect", MODEL, "--json", tmp_path / "i.json")
    report, same = load(tmp_path / "i.json"), twofold.inspect(MODEL)
    for row in (row for each in (report, same) for row in each["passes"] + each["lowering"]):
        assert row.pop("seconds") >= 0
    assert report == same
    assert report["inputs"] == [{"name": "image", "dtype": "float32", "shape": [-1, 1, 28, 28]}]
    assert report["outputs"] == [{"name": "logits", "dtype": "float32", "shape": [-1, 10]}]
    assert report["file_bytes"] == MODEL.stat().st_size
    assert report["parameters"] > 10000 and report["unsupported"] == []
    for row in report["nodes"] + report["simplified"]:
        assert set(row) == {"name", "op_type", "inputs", "outputs", "origins"}
    origins = {o for row in report["simplified"] for o in row["origins"]}
    assert origins <= {row["name"] for row in report["nodes"]}


def test_run_json_and_files(tmp_path, samples):
    text = succeed("run", MODEL, "--data", samples, "-o", tmp_path / "o", "--json", tmp_path / "r")
    report = load(tmp_path / "r")
    assert report["samples"] == 3 and report["seconds"] > 0
    assert [o["name"] for o in report["outputs"]] == ["logits"]
    assert "3 samples" in text
    images = np.load(samples)["image"]
    expected = twofold.Session(MODEL, threads=1)
    for i in range(3):
        logits = np.load(tmp_path / "o" / "logits" / f"{i:06}.npy")
        given = expected.run({"image": images[i : i + 1]})["logits"]
        np.testing.assert_allclose(logits, given, rtol=1e-4, atol=1e-5)


def test_run_again_writes_the_same(tmp_path, quantized, samples):
    results = []
    for name, threads in (("a", "1"), ("b", "2"), ("a", "2")):
        model = quantized[0] / "q.onnx"
        succeed("run", model, "--data", samples, "-o", tmp_path / name, "--threads", threads)
        paths = sorted((tmp_path / name).rglob("*.npy"))
        results.append([p.read_bytes() for p in paths])
    assert len(results[0]) == 3 and results[0] == results[1] == results[2]


def test_verify_json(tmp_path, quantized, samples):
    model = quantized[0] / "q.onnx"
    text = succeed("verify", MODEL, model, "--data", samples, "--json", tmp_path / "v.json")
    report = load(tmp_path / "v.json")
    assert report["reference"] == str(MODEL) and report["other"] == str(model)
    assert [o["tensor"] for o in report["outputs"]] == ["logits"]
    assert {"/edges/Conv"} <= {row["node"] for row in report["tensors"]}
    for row in report["outputs"] + report["tensors"]:
        assert set(row["metrics"]) == METRICS
    assert table(text, "output")[0][0] == "logits"
    assert report["first_difference"] == report["tensors"][0]["tensor"]
    assert f"first difference: tensor '{report['first_difference']}'" in text
    evaluated = load(quantized[0] / "q.json")["outputs"][0]["metrics"]["sqnr"]
    assert report["outputs"][0]["metrics"]["sqnr"] == pytest.approx(evaluated, abs=0.01)


def test_verify_of_a_model_with_itself(tmp_path, samples):
    """No error at all: an infinite sqnr is a word, since JSON has no number for it."""
    succeed("verify", MODEL, MODEL, "--data", samples, "--json", tmp_path / "v.json")
    report = load(tmp_path / "v.json")
    assert report["first_difference"] is None
    assert {row["equal_share"] for row in report["outputs"] + report["tensors"]} == {1}
    metrics = report["outputs"][0]["metrics"]
    assert metrics["mse"] == 0 and metrics["sqnr"] == "inf"
    assert metrics["cosine-similarity"] == pytest.approx(1, abs=1e-12)


def test_verify_and_run_ec_in_two_passes(tmp_path, with_ec, samples):
    """The same integers, in every tensor and every file."""
    option = "--ec-in-two-passes"
    succeed("verify", with_ec, with_ec, "--data", samples, option, "--json", tmp_path / "v.json")
    report = load(tmp_path / "v.json")
    assert {row["equal_share"] for row in report["outputs"] + report["tensors"]} == {1}
    for name, options in [("one", ()), ("two", (option,))]:
        succeed("run", with_ec, "--data", samples, "-o", tmp_path / name, *options)
    one, two = (np.load(tmp_path / name / "logits" / "000002.npy") for name in ("one", "two"))
    np.testing.assert_array_equal(one, two)
    # On a model without ec operands the option does nothing.
    succeed("run", MODEL, "--data", samples, "-o", tmp_path / "float", option)


def test_verify_counts_equal_integers(tmp_path, quantized, samples):
    """With another bias, what follows that layer differs, by whole steps where it is integers."""
    model = onnx.load(quantized[0] / "q.onnx")
    conv = next(node for node in model.graph.node if node.name == "/edges/Conv")
    dequantize = next(node for node in model.graph.node if conv.input[2] in node.output)
    bias = next(t for t in model.graph.initializer if t.name == dequantize.input[0])
    values = onnx.numpy_helper.to_array(bias).copy()
    values[0] += 40
    bias.CopyFrom(onnx.numpy_helper.from_array(values, bias.name))
    onnx.save(model, tmp_path / "other.onnx")
    files = (quantized[0] / "q.onnx", tmp_path / "other.onnx")
    succeed("verify", *files, "--data", samples, "--json", tmp_path / "v.json")
    report = load(tmp_path / "v.json")
    first = next(r for r in report["tensors"] if r["tensor"] == report["first_difference"])
    assert "/edges/Conv" in first["node"] and 0.5 < first["equal_share"] < 1
    integers = [r for r in report["tensors"] if r["largest_steps"] and r["equal_share"] < 1]
    for row in integers:
        assert row["largest_steps"] == pytest.approx(round(row["largest_steps"]), abs=1e-3)
    assert integers and integers[0]["equal_share"] > 0.5


def test_split_json(tmp_path):
    arguments = ("--nodes", "[/edges/Conv]", "-o", tmp_path / "s.onnx")
    succeed("split", MODEL, *arguments, "--json", tmp_path / "s.json")
    assert "/edges/Conv" in json.dumps(load(tmp_path / "s.json"))


def test_targets_json(tmp_path):
    text = succeed("targets", "--json", tmp_path / "t.json")
    targets = load(tmp_path / "t.json")["targets"]
    assert [target["name"] for target in targets] == twofold.target_names()
    for target in targets:
        assert set(target) == {
            "name",
            "description",
            "compiler",
            "fallback",
            "asymmetric",
            "shared_scales",
            "epilogues",
        }
        assert target["name"] in text and target["description"] in text
    newest = targets[-1]["compiler"]
    assert newest["min_version"] == "4.3.3" and newest["reason"] and newest["name"]
    assert ">= 4.3.3" in text and all(len(line) <= 120 for line in text.splitlines())


def test_one_target(tmp_path):
    text = succeed("targets", "journey6-oe3.2", "--json", tmp_path / "t.json")
    target = load(tmp_path / "t.json")
    assert target["fallback"] == "v2" and target["compiler"]["min_version"] == "4.3.3"
    gemm = next(row for row in target["operators"] if "Gemm" in row["ops"])
    assert gemm["ops"] == ["Conv", "ConvTranspose", "Gemm", "MatMul"]
    assert gemm["combinations"][0]["inputs"] == [["int8"], ["int8"]]
    dual = {"inputs": [["int16"], ["ec"]], "outputs": ["int8", "int16"], "cost": 4}
    assert dual in gemm["combinations"]
    assert target["operators"][-1]["ops"] == ["*"]
    assert not target["operators"][-1]["quantized_by_default"]
    assert "Conv, ConvTranspose, Gemm, MatMul\n" in text
    assert re.search(r"^int16 x ec +int8\|int16 +4$", text, re.MULTILINE)
    assert all(len(line) <= 120 and line == line.rstrip() for line in text.splitlines())


def test_a_target_of_ones_own(tmp_path):
    path = tmp_path / "mine.yaml"
    path.write_text(
        "name: mine\ndescription: A small one.\noperators:\n"
        "  - {ops: '*', combinations: [{each_input: [int8, int16], cost: 2.5}]}\n"
    )
    text = succeed("targets", path)
    assert text.startswith("mine: A small one.\n")
    assert "each int8|int16" in text and "2.5" in text
    assert str(MODEL) in fail("targets", MODEL)
    assert "'cpu'" in fail("targets", "cqu")


@pytest.mark.parametrize("command", ["quantize", "run", "verify"])
def test_no_progress_where_nobody_watches(tmp_path, samples, command):
    arguments = {
        "quantize": [MODEL],
        "run": [MODEL, "-o", tmp_path / "o"],
        "verify": [MODEL, MODEL],
    }[command]
    result = run(command, *arguments, "--data", samples)
    assert result.returncode == 0 and result.stderr == ""
    assert "\r" not in result.stdout and "\x1b" not in result.stdout


def test_progress_stays_out_of_the_output(samples):
    """stderr is a terminal here, stdout a pipe."""
    leader, follower = pty.openpty()
    arguments = [PROGRAM, "quantize", MODEL, "--data", samples]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=follower) as process:
        os.close(follower)
        shown = read_to_end(leader)
        text = process.stdout.read().decode()
    os.close(leader)
    assert process.returncode == 0
    assert "\r" not in text and "\x1b" not in text
    assert b"error" not in shown


def test_output_to_a_closed_pipe(samples):
    """`twofold ... | head -1` ends quietly or with an error, but ends."""
    command = f"{PROGRAM} inspect {MODEL} | head -1"
    result = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=20)
    assert result.returncode == 0 and len(result.stdout.splitlines()) == 1


def test_inspect_lowered_says_how_each_node_runs(quantized, tmp_path):
    folder, _ = quantized
    printed = succeed("inspect", folder / "q.onnx", "--lowered", "--json", tmp_path / "i.json")
    rows = load(tmp_path / "i.json")["lowered"]
    kinds = {row["name"]: row["kind"] for row in rows}
    assert kinds["/edges/Conv"] == "integer"
    explained = {"quantized", "float"}
    assert {row["kind"] for row in rows} <= {"integer", "table", "moved", "conversion", *explained}
    assert all(bool(row["why"]) == (row["kind"] in explained) for row in rows)
    assert not [row for row in rows if row["kind"] == "float" and "Conv" in row["op_type"]]
    names = [row[0] for row in table(printed, "node")]
    assert names == [row["name"] for row in rows]


def test_inspect_lowered_says_what_each_pass_did(quantized, tmp_path):
    folder, _ = quantized
    printed = succeed("inspect", folder / "q.onnx", "--lowered", "--json", tmp_path / "i.json")
    report = load(tmp_path / "i.json")
    passes = report["lowering"]
    assert all(p["seconds"] > 0 for p in passes)
    told = [row[:2] for row in table(printed, "pass")]
    assert told == [[p["pass"], str(p["rewrites"] or "unchanged")] for p in passes]
    # Every product is one rewrite, and nothing else has an operator of these names.
    products = [row for row in report["lowered"] if row["op_type"].startswith("Integer")]
    assert {p["pass"]: p["rewrites"] for p in passes}["lower_gemms"] == len(products) > 5
    # A float model is left as it is.
    succeed("inspect", MODEL, "--json", tmp_path / "i.json")
    assert [p["pass"] for p in load(tmp_path / "i.json")["lowering"]] == [p["pass"] for p in passes]
    assert not any(p["rewrites"] for p in load(tmp_path / "i.json")["lowering"])


def test_ec_in_two_passes_is_told(with_ec, samples, tmp_path):
    def kinds(printed):
        return {row[0]: row[2] for row in table(printed, "node")}

    option, plain = "--ec-in-two-passes", kinds(succeed("inspect", with_ec, "--lowered"))
    printed = succeed("inspect", with_ec, "--lowered", option, "--json", tmp_path / "i.json")
    passes = {row["name"]: row["ec_passes"] for row in load(tmp_path / "i.json")["lowered"]}
    several = {name: n for name, n in passes.items() if n > 1}
    assert several == {"/edges/Conv": 2, "/attention/MatMul": 4}
    told = {name: f"integer, ec in {n} passes" for name, n in several.items()}
    assert kinds(printed) == plain | told
    assert all(plain[name] == "integer" for name in told)

    arguments = (
        "--data",
        samples,
        "--threads",
        "1",
        "--seconds",
        "0.05",
        "--json",
        tmp_path / "b.json",
    )
    printed = succeed("bench", with_ec, option, *arguments)
    assert {n["name"]: n["ec_passes"] for n in load(tmp_path / "b.json")["nodes"]} == passes
    assert set(told.values()) <= {row[1] for row in table(printed, "operator")}


def test_bench_times_every_node(quantized, samples, tmp_path):
    folder, _ = quantized
    arguments = ("--data", samples, "--threads", "1", "--seconds", "0.05")
    printed = succeed("bench", folder / "q.onnx", *arguments, "--json", tmp_path / "b.json")
    report = load(tmp_path / "b.json")
    assert report["threads"] == 1 and report["runs"] >= 3
    assert 0 < report["best_seconds"] <= report["median_seconds"]
    seconds = [node["seconds"] for node in report["nodes"]]
    assert seconds == sorted(seconds, reverse=True) and sum(seconds) > 0
    assert "/edges/Conv" in {node["name"] for node in report["nodes"]}
    assert table(printed, "slowest nodes")
    # The first convolution alone gives 8 maps of 28 x 28; most 8-bit weights stay as big packed.
    assert 6 * 1024 < report["activation_bytes"] < 1 << 20
    size = (folder / "q.onnx").stat().st_size
    assert size / 4 < report["packed_bytes"] < 4 * size
    assert f"packed weights {report['packed_bytes'] / (1 << 20):.1f} MiB" in printed


def test_calibrated_costs_go_into_a_target_file(tmp_path):
    arguments = ("--threads", "1", "--seconds", "0.02", "--json", tmp_path / "c.json")
    printed = succeed("bench", "--calibrate-costs", "--target", "journey6-oe3.2", *arguments)
    report = load(tmp_path / "c.json")
    assert report["target"] == "journey6-oe3.2" and report["threads"] == 1
    assert [layer["macs"] for layer in report["layers"]] == [115605504, 12845056, 3612672, 75497472]
    costs = {(row["a"], row["b"]): row["cost"] for row in report["costs"]}
    assert costs["int8", "int8"] == 1
    assert costs["float32", "float32"] > 0 and costs["int16", "int16"] > 0
    for row in report["costs"]:
        assert len(row["picoseconds"]) == 4 and min(row["picoseconds"]) > 0
    measured = {str(row["inputs"]): row["cost"] for row in report["combinations"]}
    assert (
        measured["[['int16'], ['int8']]"]
        == measured["[['ec'], ['int8']]"]
        == costs["int16", "int8"]
    )
    assert measured["[['float16']]"] == 8  # as it was: nothing runs in float16

    lines = re.findall(r"^ {6}(- \{.*\})$", printed, re.MULTILINE)
    assert len(lines) == len(report["combinations"])
    mine = tmp_path / "mine.yaml"
    mine.write_text("name: mine\noperators:\n  - ops: '*'\n    combinations:\n")
    with mine.open("a") as file:
        file.writelines(f"      {line}\n" for line in lines)
    succeed("targets", mine, "--json", tmp_path / "t.json")
    rule = next(row for row in load(tmp_path / "t.json")["operators"] if row["ops"] == ["*"])
    for given, read in zip(report["combinations"], rule["combinations"], strict=True):
        assert read["inputs"] == given["inputs"] and read["outputs"] == given["outputs"]
        assert abs(read["cost"] - given["cost"]) <= 0.0501


def test_bench_is_told_one_thing_to_do():
    assert "MODEL is required" in fail("bench", code=2)
    assert "excludes" in fail("bench", MODEL, "--calibrate-costs", code=2)
    assert "excludes" in fail("bench", "--ec-in-two-passes", "--calibrate-costs", code=2)
    assert "requires --calibrate-costs" in fail("bench", MODEL, "--target", "cpu", code=2)
    assert "'cpu'" in fail("bench", "--calibrate-costs", "--target", "cqu")


def test_bench_asks_for_a_sample_where_a_shape_is_open(quantized):
    folder, _ = quantized
    assert "give a sample with --data" in fail("bench", folder / "q.onnx")
