"""Long jobs: how they are ended, what they leave behind (nothing), and what they show meanwhile."""

import io
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
import types
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import twofold
from command_line import PROGRAM, ROOT, read_to_end

DIGITS = ROOT / "examples" / "digits"
MODEL = DIGITS / "digits.onnx"
FAST = {
    "model_config": {"activation": {"calibration_type": "max"}, "weight": {"rounding": "nearest"}}
}
# Far more than ending takes, and far less than the jobs do that are ended.
LIMIT = 30
PIPES = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}


@pytest.fixture(scope="module")
def endless(tmp_path_factory):
    """A million images, which take many minutes; the file has holes where others have numbers."""
    path = tmp_path_factory.mktemp("data") / "images.npy"
    np.lib.format.open_memmap(path, "w+", np.float32, (1000000, 1, 28, 28))
    return path


@pytest.fixture
def ctrl_c():
    """Python's own handler, which is not there if whoever started the tests ignores SIGINT."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@contextmanager
def started(command, **options):
    """A program that takes SIGINT as it does in a terminal, whatever is done with it here.

    It does not outlive the test.
    """
    restore = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_DFL)}
    with subprocess.Popen(command, **restore | options) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture(params=[1, 2])
def threads(request):
    return request.param


def jobs(folder, data):
    """The jobs of the package, by name; what they write goes to `folder`."""
    files = {"output": folder / "q.onnx", "plan": folder / "plan.json"}
    return {
        "quantize": lambda **options: twofold.quantize(MODEL, data, FAST, **files, **options),
        "verify": lambda **options: twofold.verify(MODEL, MODEL, data, **options),
    }


every_job = pytest.mark.parametrize("job", ["quantize", "verify"])


@every_job
@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_ends_a_job(tmp_path, endless, job, threads):
    start = time.monotonic()
    timer = threading.Timer(0.5, signal.raise_signal, [signal.SIGINT])
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        jobs(tmp_path, endless)[job](threads=threads)
    assert time.monotonic() - start < LIMIT
    timer.join()
    assert list(tmp_path.iterdir()) == []


@every_job
def test_another_thread_ends_a_job(tmp_path, endless, job, threads):
    stop = threading.Event()
    timer = threading.Timer(0.5, stop.set)
    timer.start()
    askers = set()

    def cancelled():
        askers.add(threading.get_ident())
        return stop.is_set()

    with pytest.raises(twofold.Cancelled, match="the run was cancelled"):
        jobs(tmp_path, endless)[job](threads=threads, cancelled=cancelled)
    timer.join()
    assert askers == {threading.get_ident()}
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_ends_a_search(tmp_path):
    """In a process of its own, as soon as it says that it is searching."""
    script = (
        "import sys, twofold\n"
        "model, data, folder = sys.argv[1:]\n"
        "config = {'model_config': {'layerwise_search': {'metric': 'sqnr'}}}\n"
        "tell = lambda stage, done, total: print(stage, flush=True)\n"
        "files = {'output': folder + '/q.onnx', 'plan': folder + '/plan.json'}\n"
        "twofold.quantize(model, data, config, progress=tell, **files)\n"
    )
    command = [sys.executable, "-c", script, MODEL, DIGITS / "calibration.npz", tmp_path]
    with started(command, **PIPES) as process:
        for line in process.stdout:
            if line == b"search ranges\n":
                break
        process.send_signal(signal.SIGINT)
        errors = process.communicate(timeout=LIMIT)[1]
    assert errors.splitlines()[-1] == b"KeyboardInterrupt"
    assert list(tmp_path.iterdir()) == []


@every_job
def test_what_asking_raises_comes_out(tmp_path, endless, job):
    with pytest.raises(ZeroDivisionError):
        jobs(tmp_path, endless)[job](cancelled=lambda: 1 / 0)
    assert list(tmp_path.iterdir()) == []


def test_progress_is_told_in_order_and_in_this_thread(tmp_path, threads):
    told, tellers = [], set()

    def progress(stage, done, total):
        told.append((stage, done, total))
        tellers.add(threading.get_ident())

    data = [{"image": np.full((1, 1, 28, 28), i / 40, np.float32)} for i in range(40)]
    job = jobs(tmp_path, data)
    job["quantize"](progress=progress, threads=threads)
    job["verify"](progress=progress, threads=threads)
    assert tellers == {threading.get_ident()}
    assert list(dict.fromkeys(stage for stage, _, _ in told)) == [
        "equalize",
        "calibrate",
        "choose precisions",
        "evaluate",
        "verify",
    ]
    assert [t[1:] for t in told if t[0] == "verify"] == [(i, 40) for i in range(1, 41)]
    calibrated = [t[1:] for t in told if t[0] == "calibrate"]
    if threads == 1:
        assert calibrated == [(i, 40) for i in range(1, 41)]
    assert calibrated == sorted(set(calibrated))
    assert all(0 < done <= 40 and total == 40 for done, total in calibrated)


@every_job
def test_what_progress_raises_comes_out(tmp_path, endless, job, threads):
    def progress(stage, done, total):
        raise TimeoutError(f"{done} of {total}")

    first = {"quantize": "1 of 6", "verify": "1 of 1000000"}[
        job
    ]  # kinds of channels to be made even
    with pytest.raises(TimeoutError, match=first):
        jobs(tmp_path, endless)[job](progress=progress, threads=threads)
    assert list(tmp_path.iterdir()) == []


@every_job
def test_progress_that_is_no_function(tmp_path, endless, job):
    with pytest.raises(twofold.Error, match="neither callable nor False nor None"):
        jobs(tmp_path, endless)[job](progress=1)


def shown_in_notebook(monkeypatch, run):
    """What a job writes on stderr while it believes to be in a notebook, if ended after 3 s."""
    stream, start = io.StringIO(), time.monotonic()
    shell = types.SimpleNamespace(kernel=None)
    notebook = types.SimpleNamespace(get_ipython=lambda: shell)
    with monkeypatch.context() as patched:
        patched.setitem(sys.modules, "IPython", notebook)
        patched.setattr(sys, "stderr", stream)
        with pytest.raises(twofold.Cancelled):
            run(cancelled=lambda: time.monotonic() - start > 3)
    return stream.getvalue()


@every_job
def test_a_bar_in_a_notebook(tmp_path, endless, monkeypatch, job):
    run = jobs(tmp_path, endless)[job]
    first, *lines, blanks, end = shown_in_notebook(monkeypatch, run).split("\r")
    assert first == end == "" and blanks.isspace()
    assert 1 <= len(lines) <= 15
    for line in lines:
        assert line.startswith({"quantize": "calibrate  [", "verify": "verify  ["}[job])
        assert line.rstrip().endswith("left") and len(line) < 80
    assert len(blanks) >= len(lines[-1].rstrip())


@pytest.mark.parametrize("progress", [False, lambda *_: None])
def test_no_bar_where_none_is_wanted(tmp_path, endless, monkeypatch, progress):
    def run(cancelled):
        jobs(tmp_path, endless)["verify"](cancelled=cancelled, progress=progress)

    assert shown_in_notebook(monkeypatch, run) == ""


# In a process of their own: terminals, and the command line.


def python_job(endless, folder):
    script = (
        "import sys, twofold\n"
        f"twofold.quantize(sys.argv[1], sys.argv[2], {FAST}, output=sys.argv[3] + '/q.onnx')\n"
    )
    return [sys.executable, "-c", script, MODEL, endless, folder]


def command_job(endless, folder):
    return [PROGRAM, "quantize", MODEL, "--data", endless, "-o", folder / "q.onnx"]


def interrupt(process, seconds):
    """Exit code, stdout and stderr of a program that gets SIGINT when it has run so long."""
    time.sleep(seconds)
    status = Path(f"/proc/{process.pid}/status")
    deadline = time.monotonic() + LIMIT
    while (
        not int(re.search(r"SigCgt:\s*(\w+)", status.read_text())[1], 16) >> signal.SIGINT - 1 & 1
    ):
        assert time.monotonic() < deadline, "the program does not catch SIGINT"
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    output = process.communicate(timeout=LIMIT)
    return process.returncode, *output


@pytest.mark.parametrize("job", [python_job, command_job])
def test_a_bar_in_a_terminal(tmp_path, endless, job):
    """It is gone before anything else is written."""
    leader, follower = pty.openpty()
    with started(job(endless, tmp_path), stderr=follower) as process:
        shown = os.read(leader, 4096)  # comes back when there is something
        interrupt(process, 0.5)
        os.close(follower)
        shown += read_to_end(leader)
    os.close(leader)
    text = shown.decode()
    *lines, blanks, rest = text.split("\r", text.count("\rcalibrate  [") + 2)[1:]
    assert lines and blanks.isspace() and len(blanks) >= len(lines[-1].rstrip())
    assert all(line.rstrip().endswith("left") for line in lines)
    assert rest == "" if job is command_job else rest.startswith("Traceback")


@pytest.mark.parametrize("job", [python_job, command_job])
def test_nothing_is_shown_where_nobody_watches(tmp_path, endless, job):
    with started(job(endless, tmp_path), **PIPES) as process:
        _, output, errors = interrupt(process, 3.5)
    assert output == b""
    assert errors == b"" if job is command_job else errors.startswith(b"Traceback")


@pytest.mark.parametrize("command", ["quantize", "run", "verify", "bench"])
def test_ctrl_c_ends_a_command(tmp_path, endless, command):
    arguments = {
        "quantize": [MODEL, "--data", endless, "-o", tmp_path / "q.onnx"],
        "run": [MODEL, "--data", endless, "-o", tmp_path],
        "verify": [MODEL, MODEL, "--data", endless, "--json", tmp_path / "v.json"],
        "bench": [MODEL, "--data", endless, "--seconds", "1000"],
    }[command]
    with started([PROGRAM, command, *arguments], **PIPES) as process:
        assert interrupt(process, 1) == (130, b"", b"")
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    if command == "run":  # whole files
        assert all(path.suffix == ".npy" for path in written)
        assert {np.load(path).shape for path in written} <= {(1, 10)}
    else:
        assert written == []


def test_ctrl_c_ends_a_command_in_python(tmp_path, endless):
    """`python -m twofold`, as soon as it has written something."""
    command = [sys.executable, "-m", "twofold", "run", MODEL, "--data", endless, "-o", tmp_path]
    with started(command, **PIPES) as process:
        while not any(tmp_path.rglob("*.npy")):
            assert process.poll() is None
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=LIMIT)
    assert (process.returncode, output, errors) == (130, b"", b"")


def test_a_command_that_is_to_ignore_ctrl_c_does(tmp_path, endless):
    """As in the background of a script, or under nohup."""
    command = command_job(endless, tmp_path)
    ignore = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)}
    with started(command, **ignore) as process:
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=1)
