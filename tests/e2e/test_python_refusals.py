"""What a program does wrong is a twofold.Error of one line that says what and where."""

import numpy as np
import pytest
import twofold
from command_line import ROOT

MODEL = ROOT / "examples" / "digits" / "digits.onnx"
SAMPLES = [{"image": np.zeros((1, 1, 28, 28), np.float32)}]


def refused(call, *words):
    with pytest.raises(twofold.Error) as error:
        call()
    message = str(error.value)
    assert "\n" not in message
    for word in words:
        assert word in message


@pytest.mark.parametrize("model", [3, None, ["digits.onnx"]])
def test_what_is_no_model(model):
    kind = type(model).__name__
    for call in (twofold.Session, twofold.inspect, twofold.graph_rows):
        refused(lambda call=call: call(model), f"model is of type {kind}", "onnx.ModelProto")
    refused(lambda: twofold.verify(MODEL, model, SAMPLES), f"other is of type {kind}")


@pytest.mark.parametrize(
    "arguments, words",
    [
        ({"threads": "4"}, ["threads is '4', of type str", "an int"]),
        ({"threads": 1.5}, ["threads is 1.5, of type float"]),
        ({"strict": "yes"}, ["strict is 'yes'", "True or False"]),
        ({"target": None}, ["target is None", "a str"]),
        ({"output": 3}, ["output is of type int", "a path"]),
        ({"config": 3}, ["config is of type int", "a path"]),
        ({"config": {3: {}}}, ["config has the key 3 of type int"]),
        ({"config": {"op_config": {"Conv": {1: 2}}}}, ["config: op_config: Conv has the key 1"]),
        ({"config": {"model_config": object()}}, ["config: model_config is of type object"]),
        ({"statistics": [3]}, ["statistics is of type int"]),
    ],
)
def test_arguments_of_quantize(arguments, words):
    refused(lambda: twofold.quantize(MODEL, SAMPLES, **arguments), *words)


def test_numbers_and_containers_of_numpy_are_taken():
    config = {"model_config": {"all_node_type": "int8", "activation": {"num_bin": np.int64(2048)}}}
    plain = {"model_config": {"all_node_type": "int8", "activation": {"num_bin": 2048}}}
    report = twofold.quantize(MODEL, SAMPLES, config, threads=np.int32(1))
    assert report["operands"] == twofold.quantize(MODEL, SAMPLES, plain)["operands"]


def test_names_of_inputs_are_text():
    samples = [SAMPLES[0], {b"image": SAMPLES[0]["image"]}]
    refused(lambda: twofold.quantize(MODEL, samples), "sample 1 has the key b'image' of type bytes")


def test_arguments_of_the_debugger():
    find = twofold.debug.find_remedies
    refused(lambda: find(MODEL, SAMPLES, data_num="two"), "data_num is 'two'", "an int or None")
    refused(lambda: find(MODEL, SAMPLES, threads="two"), "threads is 'two'")
    refused(lambda: find(MODEL, SAMPLES, plan=3), "plan is of type int")


def test_inputs_of_a_run():
    session = twofold.Session(MODEL)
    image = SAMPLES[0]["image"]
    refused(lambda: session.run([image]), "mapping of names to arrays", "type list")
    refused(lambda: session.run({1: image}), "1 is no name of a tensor", "type int")
    refused(lambda: session.run({"image": "seven"}), "'image' is not an array of numbers")
    refused(lambda: session.run({"image": [[1], [1, 2]]}), "'image' is not an array of numbers: ")
    kept = twofold.Session(MODEL, watched=["logits"]).keep(SAMPLES[0])
    refused(lambda: kept.run_from({b"image": image}), "b'image' is no name of a tensor")


def test_files_that_hold_no_plan(tmp_path):
    refused(lambda: twofold.Plan.load(tmp_path / "none.json"), "none.json", "No such file")
    refused(lambda: twofold.Plan.load(MODEL), "digits.onnx", "no plan file")
