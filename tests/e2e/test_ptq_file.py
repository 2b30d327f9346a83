"""Whole PTQ files: their paths as defaults, and what they do to data in every command."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import twofold
from command_line import fail, run, succeed
from onnx import TensorProto, helper, numpy_helper

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


# Paths as defaults of quantize.


@pytest.fixture
def project(tmp_path, images):
    """A folder as such files expect it: model, data and config beside each other."""
    folder = tmp_path / "project"
    (folder / "cal" / "image").mkdir(parents=True)
    (folder / "model.onnx").write_bytes(MODEL.read_bytes())
    for i, image in enumerate(images):
        np.save(folder / "cal" / "image" / f"{i}.npy", image[None])
    (folder / "ptq.yaml").write_text(
        "model_parameters:\n  onnx_model: ./model.onnx\n  working_dir: out/deep\n"
        "  output_model_file_prefix: digits_q\n"
        "calibration_parameters:\n  cal_data_dir: ./cal\n"
    )
    return folder


@pytest.mark.parametrize("here", ["beside the file", "elsewhere"])
def test_a_ptq_file_is_enough(tmp_path, project, here):
    """Paths start at the folder of the file, wherever the command is called."""
    cwd, path = (
        (project, "ptq.yaml") if here == "beside the file" else (tmp_path, "project/ptq.yaml")
    )
    text = succeed("quantize", "-c", path, "--json", "report.json", cwd=cwd)
    written = project / "out" / "deep" / "digits_q.onnx"
    onnx.checker.check_model(onnx.load(written))
    assert [p.name for p in written.parent.iterdir()] == ["digits_q.onnx"]
    report = json.loads((cwd / "report.json").read_text())
    assert Path(cwd, report["output"]).samefile(written)
    assert Path(cwd, report["model"]).samefile(project / "model.onnx")
    assert report["file_bytes"] == written.stat().st_size
    assert report["output"] in text
    assert not any("not taken from the config" in note for note in report["notes"])


def test_absolute_paths(tmp_path, project):
    path = tmp_path / "elsewhere.yaml"
    path.write_text(
        f"model_parameters:\n  onnx_model: {project}/model.onnx\n  working_dir: {project}/w\n"
        f"  output_model_file_prefix: m\ncalibration_parameters:\n  cal_data_dir: {project}/cal\n"
    )
    succeed("quantize", "-c", path)
    assert (project / "w" / "m.onnx").exists()


def test_the_command_line_wins(tmp_path, project, prepared):
    (project / "model.onnx").unlink()
    (project / "cal" / "image" / "0.npy").write_text("spoilt")
    output = tmp_path / "mine.onnx"
    arguments = (MODEL, "--data", prepared, "-o", output, "-c", project / "ptq.yaml")
    succeed("quantize", *arguments, "--plan", tmp_path / "plan.json", "--json", tmp_path / "r.json")
    assert output.exists() and (tmp_path / "plan.json").exists()
    assert not (project / "out").exists()
    report = json.loads((tmp_path / "r.json").read_text())
    keys = "onnx_model, output_model_file_prefix, working_dir, cal_data_dir"
    assert f"not taken from the config but from the command's arguments: {keys}" in report["notes"]


def test_python_takes_the_paths_too(project):
    report = twofold.quantize(config=project / "ptq.yaml")
    assert Path(report["output"]) == project / "out" / "deep" / "digits_q.onnx"
    assert Path(report["output"]).exists()


def edited(project, old, new):
    path = project / "ptq.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return path


def test_half_an_output_is_none(project):
    path = edited(project, "  output_model_file_prefix: digits_q\n", "")
    report = twofold.quantize(config=path)
    assert report["output"] == "" and not (project / "out").exists()
    note = "no model is written: model_parameters has working_dir, but no output_model_file_prefix"
    assert note in report["notes"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("  onnx_model: ./model.onnx\n", "", ["no model", "MODEL", "onnx_model"]),
        ("  cal_data_dir: ./cal\n", "", ["no data", "--data", "cal_data_dir"]),
        ("./model.onnx", "./absent.onnx", ["absent.onnx"]),
        ("./cal", "./absent", ["absent"]),
        ("./cal", "./cal;./cal", ["cal_data_dir", "2 folders", "1 input;"]),
        ("./cal", "./cal;;./cal", ["cal_data_dir", "missing"]),
        ("out/deep", "model.onnx/deep", ["model.onnx/deep"]),
        ("digits_q", "a/b", ["out/deep/a/b.onnx"]),
    ],
)
def test_paths_that_are_missing_or_wrong(project, old, new, words):
    message = fail("quantize", "-c", edited(project, old, new), cwd=project)
    for word in words:
        assert word in message


def test_neither_config_nor_arguments():
    assert "there is no model" in fail("quantize")
    assert "there are no data" in fail("quantize", MODEL)
    with pytest.raises(twofold.Error, match="there is no model"):
        twofold.quantize()


@pytest.fixture
def two_inputs(tmp_path):
    """x of 3 numbers and y of 5: z = x A + y B; samples in folders that are not called x and y."""
    rng = np.random.default_rng(0)
    weights = [
        numpy_helper.from_array(rng.normal(size=(n, 4)).astype(np.float32), name)
        for n, name in ((3, "A"), (5, "B"))
    ]
    nodes = [
        helper.make_node("MatMul", ["x", "A"], ["xa"], "xa"),
        helper.make_node("MatMul", ["y", "B"], ["yb"], "yb"),
        helper.make_node("Add", ["xa", "yb"], ["z"], "z"),
    ]
    graph = helper.make_graph(
        nodes,
        "two",
        [
            helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, k])
            for n, k in (("x", 3), ("y", 5))
        ],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, [1, 4])],
        weights,
    )
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), tmp_path / "m.onnx"
    )
    for folder, size in (("first", 3), ("second", 5)):
        (tmp_path / folder).mkdir()
        for i in range(4):
            np.save(tmp_path / folder / f"{i}.npy", rng.normal(size=(1, size)).astype(np.float32))
    return tmp_path


@pytest.mark.parametrize(
    ("names", "folders"),
    [
        ("input_name: 'x;y'", "'first;second'"),
        ("input_name: 'y;x'", "'second;first;'"),
        ("input_name: [y, x]", "[./second, ./first]"),
        ("", "'first;second'"),
    ],
)
def test_a_folder_per_input(two_inputs, names, folders):
    path = two_inputs / "ptq.yaml"
    path.write_text(
        f"model_parameters: {{onnx_model: m.onnx}}\ninput_parameters: {{{names}}}\n"
        f"calibration_parameters: {{cal_data_dir: {folders}}}\n"
    )
    assert twofold.quantize(config=path)["operand_counts"]["int8"] > 0


def test_a_folder_per_input_in_the_wrong_order(two_inputs):
    path = two_inputs / "ptq.yaml"
    path.write_text(
        "model_parameters: {onnx_model: m.onnx}\n"
        "calibration_parameters: {cal_data_dir: 'second;first'}\n"
    )
    with pytest.raises(twofold.Error, match="second/0.npy.*'x'.*1,3.*1,5"):
        twofold.quantize(config=path)
    (two_inputs / "first" / "3.npy").unlink()
    path.write_text(path.read_text().replace("second;first", "first;second"))
    with pytest.raises(twofold.Error, match="'x' has 3 samples in .*first', but input 'y' has 4"):
        twofold.quantize(config=path)
    path.write_text("input_parameters: {input_name: x}\n" + path.read_text())
    with pytest.raises(twofold.Error, match="which folder is input 'y'"):
        twofold.quantize(config=path)


def test_no_file_is_left_where_calibration_fails(project):
    np.save(project / "cal" / "image" / "3.npy", np.full((1, 1, 28, 28), np.nan, np.float32))
    assert "3.npy" in fail("quantize", "-c", project / "ptq.yaml")
    assert not list(project.rglob("*digits_q*"))
    assert run("quantize", "-c", project / "ptq.yaml").stdout == ""
