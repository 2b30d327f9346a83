"""Data, feeds, configs, targets and places to write that are wrong.

On the command line each is one line on stderr and exit code 1, in Python a twofold.Error; in both
no file is left behind, neither a result nor a temporary one.
"""

import os
import resource
import signal
from pathlib import Path

import numpy as np
import onnx
import pytest
import twofold
from command_line import fail, succeed
from onnx import TensorProto, helper, numpy_helper

DIGITS = Path(__file__).parents[2] / "examples" / "digits"
MODEL = DIGITS / "digits.onnx"
CALIBRATION = DIGITS / "calibration.npz"


@pytest.fixture(scope="module")
def images():
    return np.load(CALIBRATION)["image"][:3]


@pytest.fixture
def data(tmp_path, images):
    """A folder of its own, so that tests can list what else was written."""
    path = tmp_path / "data"
    path.mkdir()
    np.savez(path / "samples.npz", image=images)
    return path / "samples.npz"


@pytest.fixture
def out(tmp_path):
    path = tmp_path / "out"
    path.mkdir()
    return path


def files(folder):
    return sorted(p.name for p in folder.iterdir())


def refuse(data, out, *arguments, config=None, model=MODEL):
    """The message of a `quantize` that must fail and leave no files."""
    if config is not None:
        path = data.parent / "config.yaml"
        path.write_text(config)
        arguments = ("-c", path, *arguments)
    written = ("-o", out / "q.onnx", "--plan", out / "plan.json", "--json", out / "report.json")
    message = fail("quantize", model, "--data", data, *written, *arguments)
    assert files(out) == []
    return message


# Feeds of a Session.


@pytest.mark.parametrize(
    ("feeds", "words"),
    [
        ({}, ["'image'", "not given"]),
        ({"picture": np.zeros((1, 1, 28, 28), np.float32)}, ["'picture'", "image"]),
        ({"image": np.zeros((1, 1, 28, 28), np.float64)}, ["'image'", "float32", "float64"]),
        ({"image": np.zeros((1, 1, 28, 28), np.int8)}, ["'image'", "float32", "int8"]),
        ({"image": np.zeros((1, 1, 28, 27), np.float32)}, ["'image'", "[-1,1,28,28]", "27"]),
        ({"image": np.zeros((1, 28, 28), np.float32)}, ["'image'", "[1,28,28]"]),
        ({"image": np.float32(0)}, ["'image'", "[]"]),
        ({"image": np.array(["a"])}, ["'image'"]),
        ({"image": np.array([None])}, ["'image'"]),
        ({"image": np.zeros((1, 1, 28, 28), np.complex64)}, ["'image'"]),
        ({"image": "a string"}, ["'image'"]),
        ({"image": None}, ["'image'"]),
        ({"image": [[1, 2], [3]]}, ["'image'"]),
    ],
)
def test_feeds(feeds, words):
    session = twofold.Session(MODEL, threads=1)
    with pytest.raises(twofold.Error) as caught:
        session.run(feeds)
    for word in words:
        assert word in str(caught.value)


def test_an_empty_batch_runs_or_says_why_not():
    session = twofold.Session(MODEL, threads=1)
    try:
        logits = session.run({"image": np.zeros((0, 1, 28, 28), np.float32)})["logits"]
        assert logits.shape == (0, 10)
    except twofold.Error as error:
        assert "image" in str(error) or "empty" in str(error)


def test_strided_feeds(images):
    session = twofold.Session(MODEL, threads=1)
    wide = np.repeat(images, 2, axis=3)
    np.testing.assert_array_equal(
        session.run({"image": wide[:, :, :, ::2]})["logits"],
        session.run({"image": images})["logits"],
    )


# Data files.


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_data_that_is_not_finite(tmp_path, out, images, bad):
    spoiled = images.copy()
    spoiled[1, 0, 3, 4] = bad
    np.savez(tmp_path / "bad.npz", image=spoiled)
    message = refuse(tmp_path / "bad.npz", out)
    assert "sample 1" in message and "'image'" in message and "NaN or infinity" in message
    with pytest.raises(twofold.Error, match="sample 1.*NaN or infinity"):
        twofold.quantize(MODEL, [{"image": spoiled[i : i + 1]} for i in range(3)], threads=1)


def test_empty_data(tmp_path, out, images):
    np.savez(tmp_path / "none.npz", image=images[:0])
    assert "no samples" in refuse(tmp_path / "none.npz", out)
    (tmp_path / "folder").mkdir()
    assert "no data" in refuse(tmp_path / "folder", out)
    (tmp_path / "folder" / "image").mkdir()
    assert "'image'" in refuse(tmp_path / "folder", out)
    with pytest.raises(twofold.Error, match="no samples"):
        twofold.quantize(MODEL, [], threads=1)


def test_one_sample_is_enough(out, images):
    report = twofold.quantize(MODEL, [{"image": images[:1]}], output=out / "q.onnx", threads=1)
    assert report["file_bytes"] == (out / "q.onnx").stat().st_size


def test_constant_data(out, images):
    """A range of zero width: every threshold must still be a number."""
    zeros = [{"image": np.zeros_like(images[:1])}] * 2
    report = twofold.quantize(MODEL, zeros, output=out / "q.onnx", threads=1)
    for row in report["operands"]:
        assert row["granted"] == "float32" or 0 <= row["threshold"] < np.inf
    logits = twofold.Session(out / "q.onnx", threads=1).run({"image": images})["logits"]
    assert np.all(np.isfinite(logits))


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((2, 1, 28, 27), np.float32), ["[1,1,28,27]"]),
        (np.zeros((2, 28, 28), np.float32), ["[2,28,28]"]),
        (np.zeros((2, 1, 28, 28), np.complex64), ["float32"]),
        (np.array(["a", "b"]), ["bad.npz"]),
        (np.array([object()]), ["bad.npz"]),
    ],
)
def test_arrays_that_do_not_fit(tmp_path, out, array, words):
    np.savez(tmp_path / "bad.npz", image=array)
    message = refuse(tmp_path / "bad.npz", out)
    assert "'image'" in message or "image" in message
    for word in words:
        assert word in message


def test_arrays_with_other_names(tmp_path, out, images):
    np.savez(tmp_path / "bad.npz", picture=images, label=np.arange(3))
    message = refuse(tmp_path / "bad.npz", out)
    assert "'image'" in message and "picture" in message
    with pytest.raises(twofold.Error, match="picture|'image'"):
        twofold.quantize(MODEL, [{"picture": images[:1]}], threads=1)


@pytest.mark.parametrize("share", [0, 0.01, 0.5, 0.99])
def test_truncated_data(tmp_path, out, images, share):
    for suffix, save in [("npy", np.save), ("npz", lambda p, a: np.savez(p, image=a))]:
        path = tmp_path / f"cut.{suffix}"
        save(path, images)
        content = path.read_bytes()
        path.write_bytes(content[: int(share * len(content))])
        assert f"cut.{suffix}" in refuse(path, out)


def test_data_that_is_no_array(tmp_path, out):
    for name in ("x.npy", "x.npz", "x.txt"):
        (tmp_path / name).write_bytes(b"hello, world\n" * 20)
        assert name in refuse(tmp_path / name, out)
    assert "nowhere" in refuse(tmp_path / "nowhere", out)


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-1, 1, 28, 28), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 8, 28, 28), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776, 1, 28, 28), }",
        "{'descr': '<f4', 'fortran_order': False, }",
        "{'descr': '<f3', 'fortran_order': False, 'shape': (1, 1, 28, 28), }",
        "{'descr': '|O', 'fortran_order': False, 'shape': (1, 1, 28, 28), }",
        "{" * 200,
    ],
)
def test_headers_that_lie(tmp_path, out, header):
    text = header.encode().ljust(246) + b"\n"
    content = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(28 * 28 * 4)
    (tmp_path / "lie.npy").write_bytes(content)
    assert "lie.npy" in refuse(tmp_path / "lie.npy", out)


def test_run_stops_at_the_first_bad_sample(tmp_path, images):
    folder = tmp_path / "in" / "image"
    folder.mkdir(parents=True)
    np.save(folder / "a.npy", images[:1])
    np.save(folder / "b.npy", images[:1, :, :5])
    message = fail("run", MODEL, "--data", tmp_path / "in", "-o", tmp_path / "out")
    assert "b.npy" in message and "[1,1,5,28]" in message


# Config, target.


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ("node_config: {/edges/Cov: {qtype: int16}}", ["'/edges/Cov'", "'/edges/Conv'"]),
        ("op_config: {Cnov: {qtype: int16}}", ["'Cnov'", "'Conv'"]),
        ("model_config: {all_node_typ: int16}", ["'all_node_typ'", "all_node_type"]),
        ("modle_config: {}", ["'modle_config'", "model_config"]),
        ("op_config: {Conv: {qtyp: int16}}", ["'qtyp'", "qtype"]),
        ("op_config: {Conv: {qtype: int15}}", ["int15", "int16"]),
        ("op_config: {Conv: {input7: int16}}", ["input7"]),
        ("model_config: {all_node_type: [int8]}", ["all_node_type"]),
        ("model_config: {activation: {calibration_type: mox}}", ["mox", "max"]),
        ("model_config: {activation: {max_percentile: 1.5}}", ["max_percentile", "1.5"]),
        ("model_config: {activation: {num_bin: 5}}", ["num_bin", "129"]),
        ("model_config: {weight: {rounding: up}}", ["rounding", "up"]),
        ("model_config: {layerwise_search: {metric: cosin}}", ["cosin"]),
        ("model_config: {activation: {calibration_type: []}}", ["calibration_type"]),
        ("model_config: [", ["config.yaml"]),
        ("a: b: c", ["config.yaml"]),
        ("- 1\n- 2", ["config.yaml"]),
        ("model_config: {all_node_type: int8, all_node_type: int16}", ["all_node_type"]),
        ("a: &a [*a]", ["config.yaml"]),
        ("subgraph_config: {s: {inputs: [/edges/Con], outputs: [/head/Gemm]}}", ["/edges/Con"]),
        ("\0\1\2", ["config.yaml"]),
        ("{" * 5000, ["config.yaml"]),
    ],
)
def test_configs(data, out, config, words):
    message = refuse(data, out, config=config)
    for word in words:
        assert word in message


def test_config_files_that_cannot_be_read(data, out, tmp_path):
    assert "absent.yaml" in refuse(data, out, "-c", tmp_path / "absent.yaml")
    assert str(tmp_path) in refuse(data, out, "-c", tmp_path)
    with pytest.raises(twofold.Error, match="all_node_typ"):
        twofold.quantize(MODEL, data, {"model_config": {"all_node_typ": "int8"}}, threads=1)


EC_WITHOUT_EFFECT = "node_config: {/edges/Conv: {input0: ec}, /head/Gemm: {input1: ec}}"


def test_ec_where_it_has_no_effect(data, out):
    """The activation of a Conv cannot be ec: said in the plan, an error with --strict."""
    path = data.parent / "ec.yaml"
    path.write_text(EC_WITHOUT_EFFECT)
    report = twofold.quantize(MODEL, data, path, output=out / "q.onnx", threads=1)
    rows = {(o["node"], o["operand"]): o for o in report["operands"]}
    row = rows["/edges/Conv", "input0"]
    assert row["granted"] == "int8" and "ec" in row["reason"]
    assert rows["/head/Gemm", "input1"]["granted"] == "ec"
    assert any("/edges/Conv" in note and "ec" in note for note in report["notes"])
    (out / "q.onnx").unlink()
    message = refuse(data, out, "--strict", config=EC_WITHOUT_EFFECT)
    assert "/edges/Conv" in message and "ec" in message and "/head/Gemm" not in message


DUAL = "node_config: {/edges/Conv: {qtype: dual-int16}, /head/Gemm: {qtype: dual-int16}}"


def test_dual_int16_on_a_target_with_one_16_bit_input(data, out):
    message = refuse(data, out, "--target", "journey6-oe3.1", "--strict", config=DUAL)
    assert "/edges/Conv" in message and "/head/Gemm" in message
    path = data.parent / "config.yaml"
    report = twofold.quantize(MODEL, data, path, target="journey6-oe3.1", threads=1)
    rows = {(o["node"], o["operand"]): o for o in report["operands"]}
    for node in ("/edges/Conv", "/head/Gemm"):
        pair = [rows[node, f"input{i}"] for i in (0, 1)]
        assert sorted(o["granted"] for o in pair) == ["int16", "int8"]
        assert next(o for o in pair if o["granted"] == "int8")["reason"]
    assert report["notes"]


@pytest.mark.parametrize("output_type", ["float32", "int32"])
def test_dual_int16_with_a_high_precision_output(data, out, output_type):
    """journey6-oe3.2 has none behind two 16-bit inputs; int32 is what its tools call it."""
    config = DUAL + f"\nmodel_config: {{model_output_type: {output_type}}}"
    message = refuse(data, out, "--target", "journey6-oe3.2", "--strict", config=config)
    assert "/head/Gemm" in message
    report = twofold.quantize(
        MODEL, data, data.parent / "config.yaml", target="journey6-oe3.2", threads=1
    )
    rows = {(o["node"], o["operand"]): o for o in report["operands"]}
    assert rows["/head/Gemm", "output0"]["granted"] == "int16"
    assert rows["/head/Gemm", "output0"]["reason"]
    assert {rows["/head/Gemm", f"input{i}"]["granted"] for i in (0, 1)} == {"int16", "ec"}


def test_compiler_version(data, out):
    target = ("--target", "journey6-oe3.2")
    message = refuse(data, out, *target, "--compiler-version", "4.3.2", config=DUAL)
    assert "4.3.2" in message and "4.3.3" in message
    assert "four" in refuse(data, out, *target, "--compiler-version", "four", config=DUAL)


def test_targets_that_do_not_exist(data, out, tmp_path):
    message = refuse(data, out, "--target", "jurney6-oe3.1")
    assert "jurney6-oe3.1" in message and "journey6-oe3.1" in message
    (tmp_path / "t.yaml").write_text("name: t\noperaters: []\n")
    assert "operaters" in refuse(data, out, "--target", tmp_path / "t.yaml")


# Places to write.


def is_root():
    return os.geteuid() == 0


@pytest.mark.parametrize("option", ["-o", "--plan", "--json"])
@pytest.mark.parametrize("place", ["no folder", "is a folder", "below a file"])
def test_outputs_that_cannot_be_written(data, out, option, place):
    """Whichever of the files cannot be written, the others are not left behind either."""
    (out / "folder").mkdir()
    (out / "file").write_text("here first")
    bad = {
        "no folder": out / "absent" / "x",
        "is a folder": out / "folder",
        "below a file": out / "file" / "x",
    }[place]
    paths = {"-o": out / "q.onnx", "--plan": out / "plan.json", "--json": out / "report.json"}
    paths[option] = bad
    written = [part for pair in paths.items() for part in pair]
    message = fail("quantize", MODEL, "--data", data, *written)
    assert str(bad) in message
    assert files(out) == ["file", "folder"]
    assert (out / "file").read_text() == "here first" and files(out / "folder") == []


@pytest.mark.parametrize("command", ["split", "run", "verify", "inspect"])
def test_other_commands_that_cannot_write(data, out, command):
    (out / "file").write_text("here first")
    bad = out / "file" / "x"
    arguments = {
        "split": [MODEL, "--nodes", "[/edges/Conv]", "-o", bad],
        "run": [MODEL, "--data", data, "-o", bad],
        "verify": [MODEL, MODEL, "--data", data, "--json", bad],
        "inspect": [MODEL, "--json", bad],
    }[command]
    assert str(out / "file") in fail(command, *arguments)
    assert files(out) == ["file"]


def limit_file_size(size):
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return limit


@pytest.mark.parametrize("size", [0, 100, 20000])
def test_full_disk(data, out, size):
    """Stood in for by a limit on the size of files; the model takes more than 20 kB."""
    succeed("quantize", MODEL, "--data", data, "-o", out / "old.onnx")
    before = (out / "old.onnx").read_bytes()
    written = ("-o", out / "old.onnx", "--plan", out / "plan.json")
    message = fail("quantize", MODEL, "--data", data, *written, preexec_fn=limit_file_size(size))
    assert "old.onnx" in message
    assert files(out) == ["old.onnx"] and (out / "old.onnx").read_bytes() == before
    split = ("--nodes", "[/edges/Conv]", "-o", out / "s.onnx")
    assert "s.onnx" in fail("split", MODEL, *split, preexec_fn=limit_file_size(size))
    assert files(out) == ["old.onnx"]


@pytest.mark.parametrize("size", [0, 100])
def test_full_disk_while_running(data, out, size):
    message = fail("run", MODEL, "--data", data, "-o", out, preexec_fn=limit_file_size(size))
    assert ".npy" in message
    assert list(out.rglob("*.npy*")) == []


def test_read_only_folder(data, out):
    if is_root():
        pytest.skip("root may write everywhere")
    out.chmod(0o500)
    message = fail("quantize", MODEL, "--data", data, "-o", out / "q.onnx")
    assert "q.onnx" in message and files(out) == []


def test_output_on_top_of_the_model(tmp_path, data):
    """It may be the only one."""
    model = tmp_path / "m.onnx"
    model.write_bytes(MODEL.read_bytes())
    assert "is read, and it would be written" in fail(
        "quantize", model, "--data", data, "-o", model
    )
    assert model.read_bytes() == MODEL.read_bytes()


def test_a_model_that_is_quantized_already(tmp_path, data, out):
    """Either refused or done properly; never a file that computes something else."""
    succeed("quantize", MODEL, "--data", data, "-o", tmp_path / "once.onnx")
    once = twofold.Session(tmp_path / "once.onnx", threads=1)
    image = np.load(data)["image"]
    try:
        twofold.quantize(tmp_path / "once.onnx", data, output=out / "twice.onnx", threads=1)
    except twofold.Error as error:
        assert "quantized" in str(error)
        return
    onnx.checker.check_model(str(out / "twice.onnx"), full_check=True)
    twice = twofold.Session(out / "twice.onnx", threads=1).run({"image": image})["logits"]
    reference = once.run({"image": image})["logits"]
    noise = np.linalg.norm(twice - reference) / np.linalg.norm(reference)
    assert noise < 0.3, "quantizing int8 again costs no more than int8 costs float"


def test_models_without_anything_to_quantize(tmp_path, out):
    """Integers only; no inputs at all."""
    x = helper.make_tensor_value_info("x", TensorProto.INT64, [2])
    y = helper.make_tensor_value_info("y", TensorProto.INT64, [2])
    add = helper.make_node("Add", ["x", "x"], ["y"], name="sum")
    opset = [helper.make_opsetid("", 21)]
    graph = helper.make_graph([add], "integers", [x], [y])
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=10), tmp_path / "i.onnx")
    data = [{"x": np.array([1, 2])}]
    twofold.quantize(tmp_path / "i.onnx", data, output=out / "i.onnx", threads=1)
    got = twofold.Session(out / "i.onnx", threads=1).run(data[0])["y"]
    np.testing.assert_array_equal(got, [2, 4])
    (out / "i.onnx").unlink()
    constant = numpy_helper.from_array(np.array([1, 2]), "x")
    graph = helper.make_graph([add], "constant", [], [y], [constant])
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=10), tmp_path / "c.onnx")
    np.testing.assert_array_equal(twofold.Session(tmp_path / "c.onnx").run({})["y"], [2, 4])
    np.savez(tmp_path / "d.npz", x=np.array([[1, 2]]))
    assert "no inputs" in refuse(tmp_path / "d.npz", out, model=tmp_path / "c.onnx")


@pytest.mark.parametrize(
    "arguments",
    [
        ["split", MODEL, "--nodes", "", "-o", "s.onnx"],
        ["quantize", MODEL, "--data", CALIBRATION, "--threads", "many"],
        ["quantize", MODEL, "--data", CALIBRATION, "--threads", "99999999999999999999"],
        ["quantize", MODEL, MODEL, "--data", CALIBRATION],
        ["quantize", MODEL, "--data", CALIBRATION, "--no-such-option"],
        ["targets", "cpu", "extra"],
        ["verify", MODEL, "--data", CALIBRATION],
    ],
)
def test_arguments(tmp_path, arguments):
    fail(*arguments, cwd=tmp_path, code=2)
    assert files(tmp_path) == []


def test_an_empty_list_of_nodes(tmp_path):
    fail("split", MODEL, "--nodes", "[]", "-o", "s.onnx", cwd=tmp_path)
    assert files(tmp_path) == []
