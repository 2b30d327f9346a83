"""PTQ files as their users write them, on data as their users make them, beside the plain call.

A file gives the integers that a plain call with the same wishes gives: outputs are the same.
"""

import json
from pathlib import Path

import numpy as np
import pytest
import twofold
from command_line import fail, succeed
from twofold.march import March, target_of_march

DIGITS = Path(__file__).parents[2] / "examples" / "digits"
MODEL = DIGITS / "digits.onnx"
DATA = DIGITS / "calibration.npz"
SOFTMAX, EDGES = "/attention/Softmax", "/edges/Conv"
INT8 = {"model_config": {"all_node_type": "int8"}}
# A power of two, so that (x - mean) * scale gives back the very numbers.
MEAN, SCALE = 0.5, 1 / 256


@pytest.fixture(scope="module")
def images():
    return np.load(DATA)["image"][:24]


@pytest.fixture(scope="module")
def normalized(tmp_path_factory, images):
    """A folder of .npy files without the batch, as what the float model takes."""
    folder = tmp_path_factory.mktemp("cal") / "calibration_data"
    folder.mkdir()
    for i, image in enumerate(images):
        np.save(folder / f"{i:03}.npy", image)
    return folder


@pytest.fixture(scope="module")
def raw(tmp_path_factory, images):
    """What becomes `images` by (x - mean) * scale, as files that hold nothing but float32."""
    folder = tmp_path_factory.mktemp("cal") / "calibration_data_gray_f32"
    folder.mkdir()
    for i, image in enumerate(images):
        (image / np.float32(SCALE) + np.float32(MEAN)).astype(np.float32).tofile(
            folder / f"{i:03}.gray"
        )
    return folder


def outcome(path):
    """What a quantized model makes of the evaluation's images, and the share that it gets right."""
    data = np.load(DIGITS / "evaluation.npz")
    outputs = twofold.Session(path).run({"image": data["image"][:200]})
    logits = next(iter(outputs.values()))
    return logits, float((logits.argmax(1) == data["label"][:200]).mean())


@pytest.fixture(scope="module")
def plain(tmp_path_factory, images):
    """The plain call with a config, made once for each."""
    kept = {}
    folder = tmp_path_factory.mktemp("plain")

    def call(config, target):
        key = json.dumps([config, target])
        if key not in kept:
            path = folder / f"{len(kept)}.onnx"
            samples = [{"image": image[None]} for image in images]
            twofold.quantize(MODEL, samples, config, target=target, output=path)
            kept[key] = outcome(path)
        return kept[key]

    return call


def ptq(folder, data, *, march="nash-e", model="", inputs="", calibration=""):
    """A whole file, with lines of the caller's in its sections."""
    path = folder / "ptq.yaml"
    path.write_text(
        f"""
# settings of a deployment
model_parameters:
  onnx_model: '{MODEL}'
  march: "{march}"
  working_dir: 'out'
  output_model_file_prefix: 'digits'
  {model}
input_parameters:
  input_name: ""
  input_type_rt: 'gray'
  input_type_train: 'gray'
  input_layout_train: 'NCHW'
  norm_type: 'data_mean_and_scale'
  mean_value: {MEAN}
  scale_value: {SCALE}
  {inputs}
calibration_parameters:
  cal_data_dir: '{data}'
  cal_data_type: 'float32'
  {calibration}
compiler_parameters:
  compile_mode: 'latency'
  optimize_level: 'O2'
"""
    )
    return path


def model_level(**settings):
    return {"model_config": {"all_node_type": "int8", **settings}}


def node_level(node, **settings):
    return {**INT8, "node_config": {node: settings}}


def op_level(op_type, **settings):
    return {**INT8, "op_config": {op_type: settings}}


SHAPES = {
    "nothing more": ({"calibration": "calibration_type: 'default'"}, INT8),
    "inline quant_config": (
        {
            "calibration": f"""quant_config: {{
    // dual int16 where it counts
    "model_config": {{"all_node_type": "int8", "model_output_type": "int16"}},
    "node_config": {{"{EDGES}": {{"input0": "int16", "input1": "int16"}},}},
  }}"""
        },
        {
            "model_config": {"all_node_type": "int8", "model_output_type": "int16"},
            "node_config": {EDGES: {"qtype": "dual-int16"}},
        },
    ),
    "operator in lower case": (
        {"calibration": 'quant_config: {"op_config": {"softmax": {"qtype": "int8"}}}'},
        op_level("Softmax", qtype="int8"),
    ),
    "int32 of an operator": (
        {"calibration": 'quant_config: {"op_config": {"softmax": {"qtype": "int32"}}}'},
        op_level("Softmax", output0="float32"),
    ),
    "all nodes int16": (
        {"calibration": 'optimization: "set_all_nodes_int16"'},
        {"model_config": {"all_node_type": "int16"}},
    ),
    "input and output of an operator": (
        {"calibration": "optimization: 'set_Softmax_input_int8,set_Softmax_output_int8'"},
        op_level("Softmax", qtype="int8", output0="int8"),
    ),
    "all of them": (
        {
            "calibration": "optimization: set_Softmax_input_int8,set_Softmax_output_int8,"
            "set_model_output_int16,set_all_nodes_int16"
        },
        {
            "model_config": {"all_node_type": "int16", "model_output_type": "int16"},
            "op_config": {"Softmax": {"qtype": "int8", "output0": "int8"}},
        },
    ),
    "node_info": (
        {
            "model": f'node_info: {{"{SOFTMAX}": '
            "{'ON': 'BPU', 'InputType': 'int16', 'OutputType': 'int16'}}"
        },
        node_level(SOFTMAX, qtype="int16", output0="int16"),
    ),
    "node_info in one line": (
        {"model": f"node_info: '{SOFTMAX}:int16;{EDGES}:int16'"},
        {**INT8, "node_config": {SOFTMAX: {"qtype": "int16"}, EDGES: {"qtype": "int16"}}},
    ),
    "node_info before quant_config": (
        {
            "model": f"node_info: {{'{EDGES}': {{'ON': 'BPU', 'InputType': 'int16'}}}}",
            "calibration": f"quant_config: {{node_config: {{{EDGES}: {{input0: int8}}}}}}",
        },
        node_level(EDGES, qtype="int16"),
    ),
    "node on the CPU": (
        {"model": f"node_info: {{'{EDGES}': {{'ON': 'CPU'}}}}"},
        node_level(EDGES, qtype="float32"),
    ),
    "run_on_cpu": (
        {"calibration": f"run_on_cpu: '{EDGES};/stem/stem.0/Conv'"},
        {
            **INT8,
            "node_config": {
                EDGES: {"qtype": "float32"},
                "/stem/stem.0/Conv": {"qtype": "float32"},
            },
        },
    ),
    "percentile of max": (
        {"calibration": "calibration_type: 'max'\n  max_percentile: 0.9999"},
        model_level(activation={"calibration_type": "percentile", "max_percentile": 0.9999}),
    ),
    "min-max": (
        {"calibration": "calibration_type: min-max"},
        model_level(activation={"calibration_type": "max"}),
    ),
    "asymmetric and bias_correction": (
        {"calibration": "calibration_type: kl\n  optimization: asymmetric,bias_correction"},
        model_level(
            activation={"calibration_type": "kl", "asymmetric": True},
            weight={"bias_correction": {}},
        ),
    ),
    "default settings": (
        {
            "calibration": "quant_config: {model_config: {default: "
            "{activation: {calibration_type: mse}, weight: {rounding: nearest}}}}"
        },
        model_level(activation={"calibration_type": "mse"}, weight={"rounding": "nearest"}),
    ),
    "search of layers": (
        {
            "calibration": "quant_config: {model_config: {activation: {calibration_type: "
            "[max, kl]}, search: {layer: {topk: 3, qtype: int8, metric: mse}}}}"
        },
        model_level(
            activation={"calibration_type": ["max", "kl"]}, layerwise_search={"metric": "mse"}
        ),
    ),
    "block style": (
        {
            "calibration": 'quant_config:\n    "model_config":\n      "all_node_type": "int16"\n'
            '      "model_output_type": "int16"'
        },
        {"model_config": {"all_node_type": "int16", "model_output_type": "int16"}},
    ),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_file_is_the_plain_call(tmp_path, normalized, plain, shape):
    lines, config = SHAPES[shape]
    report = twofold.quantize(config=ptq(tmp_path, normalized, **lines))
    assert report["target"] == "journey6-oe3.2"
    got, accuracy = outcome(report["output"])
    wanted, of_plain = plain(config, "journey6-oe3.2")
    np.testing.assert_array_equal(got, wanted)
    assert accuracy == of_plain


def test_a_config_in_a_file_of_its_own(tmp_path, normalized, plain):
    (tmp_path / "quant.json").write_text(json.dumps(op_level("Softmax", qtype="int16")))
    path = ptq(tmp_path, normalized, calibration="quant_config: quant.json")
    got, _ = outcome(twofold.quantize(config=path)["output"])
    np.testing.assert_array_equal(
        got, plain(op_level("Softmax", qtype="int16"), "journey6-oe3.2")[0]
    )


@pytest.mark.parametrize("march", ["bayes-e", "bernoulli2", "bayes"])
def test_data_of_older_devices_are_raw(tmp_path, raw, plain, march):
    """Raw binary files, to which mean and scale are applied."""
    report = twofold.quantize(config=ptq(tmp_path, raw, march=march))
    assert report["target"] == "journey6-oe3.1"
    got, accuracy = outcome(report["output"])
    wanted, of_plain = plain(INT8, "journey6-oe3.1")
    np.testing.assert_array_equal(got, wanted)
    assert accuracy == of_plain > 0.8
    assert (report["inputs"][0]["min"], report["inputs"][0]["max"]) == (0, 1)
    note = f"mean and scale of the config are applied: the data are raw, with march {march} "
    assert any(text.startswith(note) for text in report["notes"])


def test_bytes(tmp_path, images, plain):
    """cal_data_type says what raw files hold, whatever the folder is called."""
    folder = tmp_path / "cal"
    folder.mkdir()
    for i, image in enumerate(images):
        np.rint(image * 255).astype(np.uint8).tofile(folder / f"{i}.gray")
    path = ptq(tmp_path, folder, march="bayes-e")
    text = path.read_text().replace("'float32'", "uint8").replace(f"{SCALE}", "0.003921568627451")
    path.write_text(text.replace(f"mean_value: {MEAN}", "mean_value: 0"))
    _, accuracy = outcome(twofold.quantize(config=path)["output"])
    assert accuracy == pytest.approx(plain(INT8, "journey6-oe3.1")[1], abs=0.02)


def notes_of(report, start):
    return [note for note in report["notes"] if note.startswith(start)]


def test_what_was_done_is_said(tmp_path, normalized):
    lines = {
        "model": "remove_node_type: Quantize\n  layer_out_dump: False",
        "calibration": "run_on_bpu: ''\n  quant_config: {model_config: "
        "{modelwise_search: {similarity: 0.995}}}",
    }
    report = twofold.quantize(config=ptq(tmp_path, normalized, **lines))
    assert (report["inputs"][0]["min"], report["inputs"][0]["max"]) == (0, 1)
    assert notes_of(report, "the target is journey6-oe3.2, as march nash-e of the config has it")
    assert notes_of(
        report,
        "mean and scale of the config are not applied: the data are what the float model takes "
        "already, with march nash-e (data_is raw says otherwise)",
    )
    (unused,) = notes_of(report, "not used here")
    for key in (
        "model_parameters.remove_node_type",
        "model_parameters.layer_out_dump",
        "input_parameters.input_type_rt",
        "input_parameters.input_type_train",
        "input_parameters.input_layout_train",
        "input_parameters.norm_type",
        "calibration_parameters.run_on_bpu",
        "compiler_parameters",
    ):
        assert key in unused
    assert "march" not in unused and "scale" not in unused
    assert notes_of(report, "calibration_parameters.quant_config.model_config.modelwise_search.sim")


def test_a_target_that_is_named_wins(tmp_path, normalized):
    path = ptq(tmp_path, normalized)
    report = twofold.quantize(config=path, target="cpu")
    assert report["target"] == "cpu" and not notes_of(report, "the target is")
    plan = twofold.resolve(twofold.graph_rows(MODEL), path)
    assert plan["target"] == "journey6-oe3.2"
    assert twofold.resolve(twofold.graph_rows(MODEL))["target"] == "cpu"


@pytest.mark.parametrize("march", list(March))
def test_a_march_has_one_target(march):
    """For training and for files."""
    plan = twofold.resolve(
        twofold.graph_rows(MODEL), {"model_parameters": {"march": march.value.upper()}}
    )
    assert plan["target"] == target_of_march(march)


# The user's own word for what the data are.


def verb_of(applied):
    return f"mean and scale of the config are {'' if applied else 'not '}applied"


@pytest.mark.parametrize(
    ("march", "word", "applied"),
    [("nash-e", "", False), ("nash-e", "raw", True), ("bayes", "normalized", False)],
)
def test_the_users_word_wins_everywhere(tmp_path, raw, images, march, word, applied):
    """In quantize, run, verify, statistics and the debugger, here and on the command line."""
    path = ptq(tmp_path, raw, march=march)
    seen = (0, 1) if applied else (MEAN, 1 / SCALE + MEAN)
    report = twofold.quantize(config=path, data_is=word)
    assert (report["inputs"][0]["min"], report["inputs"][0]["max"]) == seen
    statistics = twofold.Statistics.observe(MODEL, raw, path, data_is=word)
    (row,) = [row for row in statistics.tensors if row["tensor"] == "image"]
    assert (row["min"], row["max"]) == seen

    words = ["--data-is", word] if word else []
    succeed("quantize", "-c", path, *words, "--json", tmp_path / "r.json")
    of_command = json.loads((tmp_path / "r.json").read_text())
    assert of_command["inputs"] == report["inputs"] and of_command["notes"] == report["notes"]

    printed = succeed("run", MODEL, "--data", raw, "-c", path, *words, "-o", tmp_path / "o")
    assert f"note: {verb_of(applied)}" in printed
    taken = images if applied else images / np.float32(SCALE) + np.float32(MEAN)
    expected = twofold.Session(MODEL).run({"image": taken})["logits"]
    got = np.concatenate([np.load(file) for file in sorted((tmp_path / "o/logits").iterdir())])
    np.testing.assert_allclose(got, expected, rtol=1e-3, atol=1e-3)

    said = report["outputs"][0]["metrics"]["mse"]
    first = sorted(raw.iterdir())[:16]
    samples = [{"image": np.fromfile(file, np.float32).reshape(1, 1, 28, 28)} for file in first]
    verified = twofold.verify(MODEL, report["output"], samples, path, data_is=word)
    assert verified["outputs"][0]["metrics"]["mse"] == pytest.approx(said, rel=1e-3)
    assert verified["notes"] == notes_of(report, "mean and scale of the config are")

    debugged = twofold.debug.plot_distribution(
        tmp_path / "d",
        MODEL,
        raw,
        nodes_list="/stem/stem.0/Conv",
        data_num=None,
        config=path,
        data_is=word,
    )
    (operand,) = [row for row in debugged["operands"] if row["operand"] == "input0"]
    assert (operand["before"]["min"], operand["before"]["max"]) == pytest.approx(seen)


def test_a_wrong_word():
    with pytest.raises(twofold.Error, match="data_is is 'pixels'; it must be normalized or raw"):
        twofold.quantize(MODEL, DATA, data_is="pixels")


# Files that name no data, and files that are wrong.


def test_random_data_are_asked_for(tmp_path):
    path = ptq(tmp_path, "nowhere", calibration="calibration_type: skip")
    report = twofold.quantize(config=path)
    assert Path(report["output"]).exists()
    assert notes_of(report, "no data were read: the config asks for random numbers")
    of_data = twofold.quantize(data=DATA, config=path)
    assert not notes_of(of_data, "no data were read")
    assert "calibration_type" in notes_of(of_data, "not taken from the config")[0]
    path.write_text(
        path.read_text()
        .replace("calibration_type: skip", "")
        .replace("cal_data_dir: 'nowhere'", "")
    )
    assert "calibration_type: skip there takes random numbers" in fail("quantize", "-c", path)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ({"march": "nash-z"}, ["nash-z", "nash-e", "march"]),
        ({"model": "node_info: {nowhere: {InputType: int16}}"}, ["node_info", "'nowhere'"]),
        ({"model": "output_nodes: nowhere"}, ["output_nodes", "'nowhere'"]),
        ({"calibration": "calibration_type: load"}, ["calibration_type", "is quantized"]),
        ({"calibration": "optimization: set_Foo_input_int8"}, ["optimization", "'Foo'"]),
        (
            {"calibration": "quant_config: {op_config: {Conv: {qtype: int4}}}"},
            ["int4", "some devices"],
        ),
        ({"calibration": "preprocess_on: maybe"}, ["preprocess_on", "true or false"]),
    ],
)
def test_what_cannot_be_done_is_refused(tmp_path, normalized, lines, words):
    message = fail("quantize", "-c", ptq(tmp_path, normalized, **lines))
    for word in words:
        assert word in message


def test_output_nodes_in_other_commands(tmp_path, normalized):
    """verify, statistics and the debugger end the float model where quantize did."""
    path = ptq(tmp_path, normalized, model="output_nodes: /attention/Softmax")
    written = twofold.quantize(config=path)["output"]
    report = twofold.verify(MODEL, written, normalized, path)
    assert [row["tensor"] for row in report["outputs"]] == ["/attention/Softmax_output_0"]
    statistics = twofold.Statistics.observe(MODEL, normalized, path)
    assert twofold.quantize(config=path, statistics=[statistics])["output"] == written
    # Though both files are called digits.onnx.
    assert twofold.debug.get_sensitivity_of_nodes(
        written, calibrated_data=normalized, data_num=1, float_model=MODEL
    )
    with pytest.raises(twofold.Error, match="its float model 'digits.onnx' lies neither beside it"):
        twofold.debug.get_sensitivity_of_nodes(written, calibrated_data=normalized, data_num=1)
