"""What stands at the path of an output: it is written, not replaced, and no input is lost."""

import json
import os
import resource
import shutil
import signal
import stat
import subprocess
import threading
import time
from pathlib import Path

import numpy as np
import onnx
import pytest
import twofold
from command_line import PROGRAM, fail, run, succeed
from onnx import TensorProto, helper

DIGITS = Path(__file__).parents[2] / "examples" / "digits"


@pytest.fixture
def model(tmp_path):
    return Path(shutil.copy(DIGITS / "digits.onnx", tmp_path / "model.onnx"))


@pytest.fixture
def data(tmp_path):
    np.savez(tmp_path / "data.npz", image=np.load(DIGITS / "calibration.npz")["image"][:3])
    return tmp_path / "data.npz"


def small_model(path, inputs, outputs):
    """y = -x for every pair of names."""
    nodes = [helper.make_node("Neg", [x], [y]) for x, y in zip(inputs, outputs, strict=True)]
    infos = [
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3]) for name in names]
        for names in (inputs, outputs)
    ]
    graph = helper.make_graph(nodes, "g", *infos)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)]), path)
    return path


def test_a_pipe_is_written_through(tmp_path, model):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    got = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_text()))
    reader.start()
    succeed("inspect", model, "--json", pipe)
    reader.join()
    assert json.loads(got[0])["model"] == str(model)
    assert stat.S_ISFIFO(pipe.lstat().st_mode)


def test_a_link_stays(tmp_path, model):
    (tmp_path / "real.json").write_text("{}")
    (tmp_path / "link.json").symlink_to("real.json")
    succeed("inspect", model, "--json", tmp_path / "link.json")
    assert (tmp_path / "link.json").is_symlink()
    assert json.loads((tmp_path / "real.json").read_text())["model"] == str(model)


def test_a_device_stays(tmp_path, model, data):
    device = tmp_path / "null"
    try:
        os.mknod(device, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        device.write_text("")
    except OSError:
        pytest.skip("no devices can be made here")
    succeed("quantize", model, "--data", data, "-o", device, "--plan", device)
    assert stat.S_ISCHR(device.lstat().st_mode)
    twofold.quantize(model, data, output=device, progress=False)
    assert stat.S_ISCHR(device.lstat().st_mode)


@pytest.mark.parametrize("name", ["-", "/dev/stdout", "/dev/fd/1"])
def test_stdout_may_be_a_file(tmp_path, model, name):
    """Then the text is on stderr, unless the name hides what it is."""
    done = run("inspect", model, "--json", name, cwd=tmp_path)
    assert done.returncode == 0
    if name != "/dev/fd/1":
        assert json.loads(done.stdout)["model"] == str(model)
        assert "Gelu" in done.stderr
    assert not (tmp_path / "-").exists()


def test_stdout_may_be_a_regular_file_that_is_appended_to(tmp_path, model):
    with (tmp_path / "log").open("w") as log:
        log.write("before\n")
        log.flush()
        command = [PROGRAM, "inspect", model, "--json", "/dev/stdout"]
        subprocess.run(command, stdout=log, stderr=subprocess.DEVNULL, check=True)
    first, rest = (tmp_path / "log").read_text().split("\n", 1)
    assert first == "before" and json.loads(rest)["model"] == str(model)


def test_a_model_may_go_to_stdout(model, data):
    command = [PROGRAM, "quantize", model, "--data", data, "-o", "-"]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60)
    assert onnx.load_from_string(done.stdout).producer_name == "twofold"
    assert b"written: - (" in done.stderr


@pytest.mark.parametrize(("umask", "mode"), [(0o077, 0o600), (0o022, 0o644), (0o002, 0o664)])
def test_umask_holds(tmp_path, model, umask, mode):
    succeed("inspect", model, "--json", tmp_path / "new.json", umask=umask)
    assert (tmp_path / "new.json").stat().st_mode & 0o777 == mode


def test_the_mode_of_what_is_there_stays(tmp_path, model):
    path = tmp_path / "there.json"
    path.write_text("{}")
    path.chmod(0o640)
    succeed("inspect", model, "--json", path)
    assert path.stat().st_mode & 0o777 == 0o640


def outputs_that_are_one(tmp_path):
    (tmp_path / "there").write_text("a")
    (tmp_path / "link").symlink_to("there")
    for first, second in [("new", "new"), ("new", "./new"), ("there", "link")]:
        yield tmp_path / first, f"{tmp_path}/{second}"


@pytest.mark.parametrize("options", [("-o", "--plan"), ("--plan", "--save-statistics")])
@pytest.mark.parametrize("other", ["--json"])
def test_two_outputs_are_not_one(tmp_path, model, data, options, other):
    for first, second in outputs_that_are_one(tmp_path):
        before = sorted(tmp_path.iterdir())
        for pair in (options, (options[0], other)):
            message = fail("quantize", model, "--data", data, pair[0], first, pair[1], second)
            assert "written twice" in message and str(second) in message
        assert sorted(tmp_path.iterdir()) == before
        for path in ("link", "there"):
            (tmp_path / path).unlink()
        (tmp_path / "there").write_text("a")
        (tmp_path / "link").symlink_to("there")


@pytest.mark.parametrize("option", ["-o", "--plan", "--save-statistics", "--json"])
@pytest.mark.parametrize("which", ["model", "data", "config"])
def test_an_output_is_no_input(tmp_path, model, data, option, which):
    config = tmp_path / "config.yaml"
    config.write_text("model_config: {all_node_type: int8}\n")
    path = {"model": model, "data": data, "config": config}[which]
    before = path.read_bytes()
    message = fail("quantize", model, "--data", data, "-c", config, option, path)
    assert f"'{path}' is read" in message
    assert path.read_bytes() == before


def test_an_output_is_not_the_data_of_the_model(tmp_path, data):
    loaded = onnx.load(DIGITS / "digits.onnx")
    onnx.save(loaded, tmp_path / "m.onnx", save_as_external_data=True, location="w.bin")
    before = (tmp_path / "w.bin").read_bytes()
    for option in ("-o", "--json"):
        assert "w.bin' is read" in fail(
            "quantize", tmp_path / "m.onnx", "--data", data, option, tmp_path / "w.bin"
        )
    assert (tmp_path / "w.bin").read_bytes() == before


def test_an_output_is_no_file_of_a_folder_of_data(tmp_path, model, data):
    folder = tmp_path / "samples" / "image"
    folder.mkdir(parents=True)
    for i, image in enumerate(np.load(data)["image"]):
        np.save(folder / f"{i}.npy", image[None])
    path = folder / "1.npy"
    before = path.read_bytes()
    assert "1.npy' is read" in fail("quantize", model, "--data", folder.parent, "-o", path)
    assert path.read_bytes() == before


def test_statistics_and_plans_are_inputs(tmp_path, model, data):
    given = ("--save-statistics", tmp_path / "s", "--plan", tmp_path / "p", "-o", tmp_path / "q")
    succeed("quantize", model, "--data", data, *given)
    again = ("quantize", model, "--statistics", tmp_path / "s", "--data", data)
    for option in ("-o", "--json", "--save-statistics"):
        assert "is read" in fail(*again, option, tmp_path / "s")
    for option in ("-o", "--json"):
        assert "is read" in fail(
            "quantize", model, "--from-plan", tmp_path / "p", option, tmp_path / "p"
        )
    twofold.Statistics.load(tmp_path / "s")
    twofold.Plan.load(tmp_path / "p")


def test_the_output_that_a_config_names_is_not_the_model(tmp_path, model, data):
    (tmp_path / "ptq.yaml").write_text(
        "model_parameters:\n"
        "  {onnx_model: model.onnx, working_dir: ., output_model_file_prefix: model}\n"
        "calibration_parameters: {cal_data_dir: data.npz}\n"
    )
    before = model.read_bytes()
    assert "model.onnx' is read" in fail("quantize", "-c", tmp_path / "ptq.yaml")
    assert model.read_bytes() == before


@pytest.mark.parametrize("command", ["split", "run", "verify", "inspect", "bench"])
def test_every_command_keeps_its_model(tmp_path, model, data, command):
    arguments = {
        "split": [model, "--nodes", "[/edges/Conv]", "-o", model],
        "run": [model, "--data", data, "-o", tmp_path / "o", "--json", model],
        "verify": [model, model, "--data", data, "--json", model],
        "inspect": [model, "--json", model],
        "bench": [model, "--data", data, "--json", model],
    }[command]
    before = model.read_bytes()
    assert "is read" in fail(command, *arguments)
    assert model.read_bytes() == before


def test_run_writes_nothing_among_its_samples(tmp_path):
    model = small_model(tmp_path / "m.onnx", ["x"], ["y"])
    folder = tmp_path / "o" / "y"
    folder.mkdir(parents=True)
    np.save(folder / "a.npy", np.ones((1, 3), np.float32))
    message = fail("run", model, "--data", folder, "-o", tmp_path / "o")
    assert "a.npy' is read" in message and sorted(os.listdir(folder)) == ["a.npy"]


def test_python_refuses_the_same(tmp_path, model, data):
    before = model.read_bytes()
    for arguments in (
        {"output": model},
        {"plan": model},
        {"output": tmp_path / "a", "plan": tmp_path / "a"},
        {"output": data},
    ):
        with pytest.raises(twofold.Error, match="is read|written twice"):
            twofold.quantize(model, data, progress=False, **arguments)
    with pytest.raises(twofold.Error, match="is read"):
        twofold.split(model, ["/edges/Conv"], model)
    assert model.read_bytes() == before
    with pytest.raises(twofold.Error, match="empty"):
        twofold.quantize(model, data, output="", progress=False)


@pytest.mark.parametrize("option", ["-o", "--plan", "--json", "-c", "--data", "--statistics"])
def test_an_empty_value_is_an_error(model, data, option):
    given = [] if option == "--data" else ["--data", data]
    assert "empty" in fail("quantize", model, *given, option, "", code=2)
    if option.startswith("--"):
        fail("quantize", model, *given, f"{option}=", code=2)


@pytest.mark.parametrize("which", ["model", "config", "data.npz", "data.npy", "plan"])
def test_a_pipe_is_not_waited_for(tmp_path, model, data, which):
    pipe = tmp_path / f"pipe{Path(which).suffix}"
    os.mkfifo(pipe)
    arguments = {
        "model": [pipe, "--data", data],
        "config": [model, "--data", data, "-c", pipe],
        "plan": [model, "--from-plan", pipe],
    }.get(which, [model, "--data", pipe])
    assert str(pipe) in fail("quantize", *arguments, timeout=20)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_signal_leaves_no_temporary_file(tmp_path, number):
    """One that comes while a large file is being written."""
    weights = np.zeros((4096, 8192), np.float32)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"], name="product")],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4096])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 8192])],
        [onnx.numpy_helper.from_array(weights, "w")],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)])
    onnx.save(made, tmp_path / "m.onnx")
    out = tmp_path / "out"
    out.mkdir()
    command = [PROGRAM, "split", tmp_path / "m.onnx", "--nodes", "[product]", "-o", out / "s.onnx"]
    for delay in (0.1, 0.3, 0.6):
        with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            time.sleep(delay)
            process.send_signal(number)
            process.communicate(timeout=60)
        assert process.returncode in (0, 128 + number, -number)
        assert set(os.listdir(out)) <= {"s.onnx"}


def test_a_full_disk_is_an_error(model):
    with Path("/dev/full").open("w") as full:
        for arguments in (["inspect", model], ["targets"], ["--help"], ["init", model]):
            done = subprocess.run(
                [PROGRAM, *arguments], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60
            )
            assert done.returncode == 1
            assert done.stderr == "error: cannot write to stdout: No space left on device\n"


def test_stdout_may_be_closed(tmp_path, model):
    """Nothing that is opened then is taken for it."""
    command = f"exec {PROGRAM} inspect {model} --json {tmp_path / 'i.json'} >&-"
    done = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "cannot write to stdout" in done.stderr
    assert json.loads((tmp_path / "i.json").read_text())["model"] == str(model)


def test_whoever_has_read_enough_is_no_error(model):
    command = f"set -o pipefail; {PROGRAM} inspect {model} | true; echo ${{PIPESTATUS[0]}} >&2"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
    assert done.stderr in ("141\n", "0\n")


def test_run_s_folders_are_found_by_the_names_of_tensors(tmp_path):
    names = ["m:0", "m_0", "a/b", "a b", "..", "%2E.", "n" * 300]
    first = small_model(tmp_path / "a.onnx", ["x"] * len(names), names)
    np.savez(tmp_path / "x.npz", x=np.float32([[1, 2, 3]]))
    model = onnx.load(first)
    del model.graph.input[1:]
    for i, node in enumerate(model.graph.node):
        node.op_type = "Mul"
        node.input.append(f"w{i}")
        model.graph.initializer.append(onnx.numpy_helper.from_array(np.float32([i + 1]), f"w{i}"))
    onnx.save(model, first)
    succeed("run", first, "--data", tmp_path / "x.npz", "-o", tmp_path / "o")
    assert len(os.listdir(tmp_path / "o")) == len(names)
    small_model(tmp_path / "b.onnx", names, [f"y{i}" for i in range(len(names))])
    succeed("run", tmp_path / "b.onnx", "--data", tmp_path / "o", "-o", tmp_path / "p")
    for i in range(len(names)):
        got = np.load(tmp_path / "p" / f"y{i}" / "000000.npy")
        np.testing.assert_array_equal(got, -(i + 1) * np.float32([[1, 2, 3]]))


def test_run_waits_for_no_disk(tmp_path):
    """Not once per file, that is: what takes microseconds each must not take milliseconds."""
    model = small_model(tmp_path / "m.onnx", ["x"], ["y"])
    np.savez(tmp_path / "x.npz", x=np.zeros((300, 1, 3), np.float32))
    command = ["strace", "-f", "-c", "-e", "trace=fsync,fdatasync", PROGRAM]
    if shutil.which("strace") is None:
        pytest.skip("strace counts the calls")
    arguments = ["run", model, "--data", tmp_path / "x.npz", "-o", tmp_path / "o"]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, timeout=60)
    assert "fsync" not in done.stderr


def test_limits_on_files_are_errors(tmp_path, model, data):
    """As a quota or a full disk: nothing is left."""

    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))

    out = tmp_path / "out"
    out.mkdir()
    arguments = ("quantize", model, "--data", data, "-o", out / "q.onnx")
    assert "File too large" in fail(*arguments, preexec_fn=limit)
    assert os.listdir(out) == []
