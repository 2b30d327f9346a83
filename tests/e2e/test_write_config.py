"""--write-config: the lines that help, in the user's own file."""

import json

import pytest
import twofold
from command_line import ROOT, fail, succeed

MODEL = ROOT / "examples" / "digits" / "digits.onnx"
SAMPLES = ROOT / "examples" / "digits" / "calibration.npz"
# The line that the digits need with nearest rounding and ranges by max.
LINE = "/edges/Conv: {input0: int16, input1: ec}"

YAML = """\
# Ours, of spring.
model_config:
  activation: {calibration_type: max, asymmetric: false}  # no search
  equalization: false
  weight:
    rounding: nearest

node_config:
  # The head is as it was shipped.
  /head/Gemm: {qtype: int16}  # really
# Nothing follows.
"""
JSON = """\
{"model_config": {"activation": {"calibration_type": "max", "asymmetric": false},
                  "equalization": false,
                  "weight": {"rounding": "nearest"}},
 "node_config": {"/head/Gemm": {"qtype": "int16"}}}
"""
PTQ = """\
model_parameters:
  onnx_model: digits.onnx
calibration_parameters:
  cal_data_dir: samples  # of the camera
  quant_config:
    # all by max
    model_config:
      activation: {calibration_type: max, asymmetric: false}
      equalization: false
      weight: {rounding: nearest}
compiler_parameters:
  jobs: 4
"""


def write_config(folder, text, name):
    """The file that is written for a config, after it was tested."""
    config, better = folder / name, folder / f"better_{name}"
    config.write_text(text)
    succeed(
        *("debug", "runall", MODEL, SAMPLES, "-c", config, "-s", folder / "s"),
        *("-nt", "node", "--write-config", better),
    )
    assert config.read_text() == text
    return better


def test_yaml_keeps_its_comments_and_its_order(tmp_path):
    better = write_config(tmp_path, YAML, "config.yaml").read_text()
    expected = YAML.replace("node_config:\n", f"node_config:\n  {LINE}\n")
    assert better == expected


def test_json_stays_json(tmp_path):
    better = json.loads(write_config(tmp_path, JSON, "config.json").read_text())
    expected = json.loads(JSON)
    expected["node_config"]["/edges/Conv"] = {"input0": "int16", "input1": "ec"}
    assert better == expected


def test_a_ptq_file_gets_them_where_its_config_is(tmp_path):
    better = write_config(tmp_path, PTQ, "ptq.yaml")
    lines = f"  quant_config:\n    node_config:\n      {LINE}\n"
    assert better.read_text() == PTQ.replace("  quant_config:\n", lines)


def test_without_a_config_there_are_the_lines_alone(tmp_path):
    plan, better = tmp_path / "plan.json", tmp_path / "better.yaml"
    (tmp_path / "max.json").write_text(JSON)
    config = ["-c", tmp_path / "max.json"]
    succeed("quantize", MODEL, "--data", SAMPLES, *config, "--plan", plan)
    succeed(
        *("debug", "get-sensitivity-of-nodes", MODEL, SAMPLES, "--plan", plan),
        *("-s", tmp_path / "s", "--write-config", better),
    )
    assert better.read_text() == f"node_config:\n  {LINE}\n"


def test_what_is_written_is_what_quantize_takes(tmp_path):
    better = write_config(tmp_path, YAML, "config.yaml")
    report = twofold.quantize(MODEL, SAMPLES, better)
    granted = {
        row["operand"]: row["granted"] for row in report["operands"] if row["node"] == "/edges/Conv"
    }
    assert granted["input0"] == "int16" and granted["input1"] == "ec"


def test_what_the_user_fixed_stays(tmp_path):
    text = YAML.replace(
        "  /head/Gemm: {qtype: int16}  # really\n", "  /edges/Conv: {qtype: int8}\n"
    )
    better = write_config(tmp_path, text, "config.yaml").read_text()
    (line,) = [line for line in better.splitlines() if "/edges/Conv" in line]
    # Other ranges may help; its precision is the user's.
    assert "qtype: int8}" in line and "int16" not in line


def test_ranges_that_the_user_fixed_stay(tmp_path):
    # So bad a range that another one would help.
    own = """  /edges/Conv:
    qtype: int8
    activation: {calibration_type: percentile, max_percentile: 0.7}
"""
    text = YAML.replace("  /head/Gemm: {qtype: int16}  # really\n", own)
    assert own in write_config(tmp_path, text, "config.yaml").read_text()


def refusal(folder, text):
    """What is said of a config that takes no lines."""
    (folder / "config.yaml").write_text(text)
    given = ["debug", "get-sensitivity-of-nodes", MODEL, SAMPLES, "-s", folder / "s"]
    return fail(*given, "-c", folder / "config.yaml", "--write-config", folder / "better.yaml")


def test_a_config_in_another_file_is_found_first(tmp_path):
    (tmp_path / "other.yaml").write_text(YAML)
    message = refusal(tmp_path, "calibration_parameters:\n  quant_config: other.yaml\n")
    assert "its quant_config names another file: give that one" in message
    assert not (tmp_path / "s").exists()


def test_lines_that_cannot_be_merged_are_in_the_findings(tmp_path):
    text = YAML[: YAML.index("node_config")] + "node_config: null\n"
    assert "paste them" in refusal(tmp_path, text)
    assert LINE in json.loads((tmp_path / "s" / "findings.json").read_text())["lines"]


@pytest.mark.parametrize("target", ["none/config.yaml", "."])
def test_a_file_that_cannot_be_written_is_found_first(tmp_path, target):
    given = ["debug", "get-sensitivity-of-nodes", MODEL, SAMPLES, "-s", tmp_path / "s"]
    fail(*given, "--write-config", tmp_path / target)
    assert not (tmp_path / "s").exists()
