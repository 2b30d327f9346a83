"""Whole PTQ files: what they do to data in every command."""

import json
from pathlib import Path

import numpy as np
import pytest
import twofold
from command_line import fail, succeed

DIGITS = Path(__file__).parents[2] / "examples" / "digits"
MODEL = DIGITS / "digits.onnx"
MEAN, SCALE = 33.5, 1 / 128

PREPROCESSING = f"""
input_parameters:
  input_name: image
  mean_value: {MEAN}
  scale_value: {SCALE}
"""


@pytest.fixture(scope="module")
def images():
    return np.load(DIGITS / "calibration.npz")["image"][:8]


@pytest.fixture
def prepared(tmp_path, images):
    path = tmp_path / "prepared.npz"
    np.savez(path, image=images)
    return path


@pytest.fixture
def raw(tmp_path, images):
    """What becomes `images` by (x - mean) * scale, but for float32 rounding."""
    path = tmp_path / "raw.npz"
    np.savez(path, image=images / np.float32(SCALE) + np.float32(MEAN))
    return path


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "ptq.yaml"
    path.write_text(PREPROCESSING)
    return path


# Preprocessing in run and verify.


def outputs(folder):
    return np.concatenate([np.load(path) for path in sorted((folder / "logits").iterdir())])


def test_run_prepares_the_data(tmp_path, prepared, raw, config):
    succeed("run", MODEL, "--data", prepared, "-o", tmp_path / "a")
    succeed("run", MODEL, "--data", raw, "-c", config, "-o", tmp_path / "b")
    succeed("run", MODEL, "--data", raw, "-o", tmp_path / "c")
    a, b, c = (outputs(tmp_path / name) for name in "abc")
    np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-3)
    assert np.abs(a - c).max() > 1


def sqnr(report):
    return report["outputs"][0]["metrics"]["sqnr"]


def test_verify_agrees_with_what_quantize_said(tmp_path, raw, config):
    model = tmp_path / "q.onnx"
    said = twofold.quantize(MODEL, raw, config, output=model)
    as_dict = {
        "input_parameters": {"input_name": "image", "mean_value": MEAN, "scale_value": SCALE}
    }
    for same in (config, as_dict):
        assert sqnr(twofold.verify(MODEL, model, raw, same)) == pytest.approx(sqnr(said), abs=0.01)
    succeed("verify", MODEL, model, "--data", raw, "-c", config, "--json", tmp_path / "v.json")
    assert sqnr(json.loads((tmp_path / "v.json").read_text())) == pytest.approx(
        sqnr(said), abs=0.01
    )
    assert abs(sqnr(twofold.verify(MODEL, model, raw)) - sqnr(said)) > 1


@pytest.mark.parametrize("command", ["run", "verify"])
def test_only_preprocessing_is_used(tmp_path, prepared, command):
    """Nodes, data and places that the file names are not looked at, and help says so."""
    path = tmp_path / "ptq.yaml"
    path.write_text(
        "model_parameters: {onnx_model: no.onnx, working_dir: out, output_model_file_prefix: m}\n"
        "calibration_parameters:\n  cal_data_dir: nowhere\n"
        "  quant_config: {node_config: {no_such_node: {qtype: int16}}}\n"
    )
    arguments = {"run": [MODEL, "-o", tmp_path / "o"], "verify": [MODEL, MODEL]}[command]
    succeed(command, *arguments, "--data", prepared, "-c", path)
    assert not (tmp_path / "out").exists()
    text = " ".join(succeed(command, "--help").split())
    assert "nothing else of it is used" in text


@pytest.mark.parametrize("command", ["run", "verify"])
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("input_parameters: {input_name: picture, mean_value: 1}", ["'picture'"]),
        ("input_parameters: {mean_value: 1 2 3}", ["mean has 3 values", "'image'"]),
        ("input_parameters: {input_shape: 1x3x28x28}", ["[1,3,28,28]", "'image'"]),
        ("input_parameters: {mean_valu: 1}", ["'mean_valu'", "mean_value"]),
        ("{", ["ptq.yaml"]),
    ],
)
def test_preprocessing_that_does_not_fit(tmp_path, prepared, command, text, words):
    path = tmp_path / "ptq.yaml"
    path.write_text(text)
    arguments = {"run": [MODEL, "-o", tmp_path / "o"], "verify": [MODEL, MODEL]}[command]
    message = fail(command, *arguments, "--data", prepared, "-c", path)
    for word in words:
        assert word in message
