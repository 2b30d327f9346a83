"""Whatever is given to the debugger's commands: a result, or one line that says what is wrong."""

import json

import numpy as np
import onnx
import pytest
import small_models
from command_line import ROOT, fail, succeed
from onnx import TensorProto, helper
from small_models import node, weights

DIGITS = ROOT / "examples" / "digits"
COMMANDS = [
    ["get-sensitivity-of-nodes"],
    ["get-sensitivity-of-nodes", "-n", "weight"],
    ["plot-acc-error", "-q", "[weight,activation]"],
    ["plot-distribution"],
    ["get-channelwise-data-distribution"],
    ["tensor-analysis"],
    ["sensitivity-analysis"],
    ["runall"],
]
commands = pytest.mark.parametrize("command", COMMANDS, ids=" ".join)


def debug(command, model, data, folder):
    return ["debug", command[0], model, data, *command[1:], "-s", folder]


def log_of_negatives(folder):
    """/mm gives negative numbers, of which /log makes NaN; /out is quantized."""
    nodes = [
        node("MatMul", "x w", "a", "/mm"),
        node("Log", "a", "b", "/log"),
        node("MatMul", "b w", "y", "/out"),
    ]
    constants = {"w": weights(2, 8, 8)}
    return small_models.save(folder / "m.onnx", nodes, {"x": [1, 8]}, {"y": [1, 8]}, constants)


def nan_weight(folder):
    w = weights(2, 8, 8)
    w[1, 2] = np.nan
    nodes = [node("MatMul", "x w", "a", "/mm"), node("MatMul", "a v", "y", "/out")]
    constants = {"w": w, "v": weights(1, 8, 8)}
    return small_models.save(folder / "m.onnx", nodes, {"x": [1, 8]}, {"y": [1, 8]}, constants)


def nan_that_nothing_quantizes(folder):
    nodes = [node("MatMul", "x w", "a", "/mm"), node("Log", "a", "y", "/log")]
    constants = {"w": weights(2, 8, 8)}
    return small_models.save(folder / "m.onnx", nodes, {"x": [1, 8]}, {"y": [1, 8]}, constants)


NAN = {
    log_of_negatives: "node '/log' (Log) is the first that computes NaN: 'b'",
    nan_weight: "node '/mm' (MatMul) is the first that reads NaN: 'w'",
    nan_that_nothing_quantizes: "node '/log' (Log) is the first that computes NaN: 'y'",
}


@commands
@pytest.mark.parametrize("make", NAN)
def test_the_node_where_nan_begins_is_named(tmp_path, command, make):
    _, data = small_models.one_matmul(tmp_path)
    config = tmp_path / "float_log.yaml"
    config.write_text("op_config: {Log: {qtype: float32}}")
    given = debug(command, make(tmp_path), data, tmp_path / "s")
    message = fail(*given, "-c", config)
    assert message.endswith(NAN[make])
    assert "in sample 0" in message


def several_outputs(folder):
    nodes = [
        node("MatMul", "x w", "a", "/mm"),
        node("Relu", "a", "y", "/relu"),
        node("ArgMax", "a", "z", "/arg", axis=1),
    ]
    outputs = {"y": [1, 8], "a": [1, 8], "z": ([1, 1], TensorProto.INT64)}
    return small_models.save(
        folder / "m.onnx", nodes, {"x": [1, 8]}, outputs, {"w": weights(2, 8, 8)}
    )


def dynamic(folder):
    nodes = [node("MatMul", "x w", "y", "/mm")]
    shape = ["batch", "width"]
    return small_models.save(
        folder / "m.onnx", nodes, {"x": shape}, {"y": ["batch", 8]}, {"w": weights(2, 8, 8)}
    )


def nothing_to_quantize(folder):
    return small_models.save(
        folder / "m.onnx", [node("Identity", "x", "y", "/id")], {"x": [1, 8]}, {"y": [1, 8]}, {}
    )


def a_branch(folder):
    """An If whose branches read a tensor from outside."""

    def branch(op_type, name):
        output = helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 8])
        return helper.make_graph([node(op_type, "a", name, f"/{name}")], name, [], [output])

    nodes = [
        node("ReduceSum", "x", "s", "/sum", keepdims=0),
        node("Cast", "s", "c", "/cast", to=TensorProto.BOOL),
        node("MatMul", "x w", "a", "/mm"),
        helper.make_node(
            "If",
            ["c"],
            ["b"],
            "/if",
            then_branch=branch("Relu", "t"),
            else_branch=branch("Neg", "e"),
        ),
        node("MatMul", "b w", "y", "/out"),
    ]
    return small_models.save(
        folder / "m.onnx", nodes, {"x": [1, 8]}, {"y": [1, 8]}, {"w": weights(2, 8, 8)}
    )


def one_node(folder):
    return small_models.one_matmul(folder)[0]


@commands
@pytest.mark.parametrize(
    "make", [several_outputs, dynamic, nothing_to_quantize, a_branch, one_node]
)
def test_unusual_models_work(tmp_path, command, make):
    _, data = small_models.one_matmul(tmp_path)
    output = succeed(*debug(command, make(tmp_path), data, tmp_path / "s"))
    assert "nan" not in output.lower()
    for path in (tmp_path / "s").rglob("*.json"):
        json.loads(path.read_text())


@commands
def test_integer_inputs_work(tmp_path, command):
    nodes = [node("Gather", "table i", "a", "/gather"), node("MatMul", "a w", "y", "/mm")]
    inputs = {"i": ([1, 3], TensorProto.INT64)}
    constants = {"table": weights(0, 10, 8), "w": weights(1, 8, 4)}
    model = small_models.save(tmp_path / "m.onnx", nodes, inputs, {"y": [1, 3, 4]}, constants)
    data = tmp_path / "i.npz"
    np.savez(data, i=np.random.default_rng(0).integers(0, 10, (4, 1, 3)))
    succeed(*debug(command, model, data, tmp_path / "s"))


@commands
@pytest.mark.parametrize("place", ["file", "file/s"])
def test_a_folder_that_cannot_be_made(tmp_path, command, place):
    model, data = small_models.one_matmul(tmp_path)
    (tmp_path / "file").write_text("mine")
    message = fail(*debug(command, model, data, tmp_path / place))
    assert message.startswith("cannot make folder") and str(tmp_path / "file") in message
    assert (tmp_path / "file").read_text() == "mine"


@commands
def test_a_file_that_cannot_be_written(tmp_path, command):
    """A folder stands where a file is to be; as root there are no folders that are read-only."""
    model, data = small_models.one_matmul(tmp_path)
    folder = tmp_path / "s"
    succeed(*debug(command, model, data, folder))
    files = [path for path in folder.rglob("*") if path.is_file()]
    for path in files:
        path.unlink()
        path.mkdir()
    message = fail(*debug(command, model, data, folder))
    assert str(folder) in message
    assert not [path for path in folder.rglob("*") if path.is_file()]


@commands
def test_data_of_another_model(tmp_path, command):
    model, _ = small_models.one_matmul(tmp_path)
    message = fail(*debug(command, model, DIGITS / "calibration.npz", tmp_path / "s"))
    assert message.endswith("has no array for input 'x'; it has: image")
    for wrong in (np.zeros((2, 1, 9), np.float32), np.full((2, 1, 8), np.nan, np.float32)):
        np.savez(tmp_path / "wrong.npz", x=wrong)
        assert "'x'" in fail(*debug(command, model, tmp_path / "wrong.npz", tmp_path / "s"))
    assert "none" in fail(*debug(command, model, tmp_path / "none", tmp_path / "s"))
    (tmp_path / "empty").mkdir()
    fail(*debug(command, model, tmp_path / "empty", tmp_path / "s"))
    assert not [path for path in (tmp_path / "s").rglob("*") if path.is_file()]


@commands
def test_a_quantized_model_whose_float_model_is_nowhere(tmp_path, command):
    model, data = small_models.one_matmul(tmp_path)
    folder = tmp_path / "deeper" / "still"
    folder.mkdir(parents=True)
    quantized = folder / "q.onnx"
    succeed("quantize", model, "--data", data, "-o", quantized)
    model.rename(tmp_path / "deeper.onnx")
    message = fail(*debug(command, quantized, data, tmp_path / "s"), cwd=folder)
    assert "float model" in message and "--float" in message
    stripped = onnx.load(quantized)
    del stripped.metadata_props[:]
    onnx.save(stripped, quantized)
    message = fail(*debug(command, quantized, data, tmp_path / "s"), cwd=folder)
    assert "quantized" in message and "float" in message


def test_names_of_other_toolkits_are_near_to_ours(tmp_path):
    model, data = DIGITS / "digits.onnx", DIGITS / "calibration.npz"
    options = {
        "get-sensitivity-of-nodes": "-i",
        "plot-acc-error": "-q",
        "plot-distribution": "-n",
        "get-channelwise-data-distribution": "-n",
        "tensor-analysis": "-n",
        "sensitivity-analysis": "-sn",
        "runall": "-dnl",
    }
    for command, option in options.items():
        given = ["debug", command, model, data, "-s", tmp_path / "s"]
        message = fail(*given, option, "[Softmax_3_FROM_QUANTIZED_SOFTMAX]")
        assert "'Softmax_3_FROM_QUANTIZED_SOFTMAX'; the nearest are '/attention/Softmax'" in message
        assert message.count("', '") == 2


TORN = {
    "": "not a file of results, or damaged",
    "junk\n": "not a file of results, or damaged",
    '{"twofold_sensitivity": 99}\n': "these results are of version 99",
    '{"twofold_sensitivity": "one"}\n': "not a file of results, or damaged",
    "[]\n": "not a file of results, or damaged",
    "\xff\xfe\n": "not a file of results, or damaged",
}


EMPTY = '{"unit": "node:mm", "samples": [[]]}'


@pytest.mark.parametrize("text", TORN)
@pytest.mark.parametrize("command", ["get-sensitivity-of-nodes", "sensitivity-analysis"])
def test_results_that_are_none_are_refused(tmp_path, command, text):
    model, data = small_models.one_matmul(tmp_path)
    given = ["debug", command, model, data, "-s", tmp_path / "s"]
    succeed(*given)
    results = tmp_path / "s" / "sensitivity.jsonl"
    header = results.read_text().splitlines()[0]
    results.write_text(text, encoding="latin-1")
    assert TORN[text] in fail(*given, "--resume")
    assert results.read_text(encoding="latin-1") == text
    for line in ('{"unit": 3}', '{"unit": "node:mm", "samples": [[[1]]]}', "{}", EMPTY):
        results.write_text(f"{header}\n{line}\n")
        assert "not a file of results, or damaged" in fail(*given, "--resume")


def test_results_of_another_model_are_refused(tmp_path):
    model, data = small_models.one_matmul(tmp_path)
    succeed("debug", "get-sensitivity-of-nodes", model, data, "-s", tmp_path / "s")
    given = ["debug", "sensitivity-analysis", dynamic(tmp_path), data, "-s", tmp_path / "s"]
    assert "these results are of another" in fail(*given, "--resume")
