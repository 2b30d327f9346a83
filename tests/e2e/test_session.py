"""twofold.Session: what is copied, who else runs meanwhile, and how a run is given up."""

import signal
import subprocess
import sys
import threading
import time
import types
from pathlib import Path

import numpy as np
import onnx
import pytest
import twofold
from onnx import TensorProto, helper, numpy_helper


def model(nodes, inputs, outputs, constants=()):
    """A model's bytes. `inputs` and `outputs`: name -> (element type, shape)."""

    def infos(values):
        return [helper.make_tensor_value_info(k, t, s) for k, (t, s) in values.items()]

    graph = helper.make_graph(
        nodes,
        "graph",
        infos(inputs),
        infos(outputs),
        [numpy_helper.from_array(value, name) for name, value in constants],
    )
    built = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(built)
    return built.SerializeToString()


# Memory: numbers of MiB in a process of its own.

GROWTH = """
import re, sys
import numpy as np
import twofold

def size():
    status = open("/proc/self/status").read()
    return int(re.search(r"{field}:\\s+(\\d+) kB", status)[1]) / 1024

{prepare}
before = size()
{action}
print(size() - before)
"""
OPEN = "session = twofold.Session(sys.argv[1], threads=1)"
# The most since the program began (getrusage counts what the process was before), and now.
PEAK, NOW = "VmHWM", "VmRSS"


def growth(path, action, prepare="", field=PEAK):
    program = GROWTH.format(field=field, prepare=prepare, action=action)
    command = [sys.executable, "-c", program, path]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def growth_of_run(path, inputs):
    """In a run on x, after one on `warm`; `inputs` makes both."""
    prepare = f'{OPEN}\n{inputs}\nsession.run({{"x": warm}})'
    return growth(path, 'outputs = session.run({"x": x})', prepare)


def test_a_big_output_is_not_copied(tmp_path):
    (tmp_path / "expand.onnx").write_bytes(
        model(
            [helper.make_node("Expand", ["one", "x"], ["y"])],
            {"x": (TensorProto.INT64, [1])},
            {"y": (TensorProto.FLOAT, ["n"])},
            [("one", np.ones(1, np.float32))],
        )
    )
    inputs = "warm = np.array([1]); x = np.array([1 << 26])"
    assert 250 < growth_of_run(tmp_path / "expand.onnx", inputs) < 300  # 256 MiB once


@pytest.mark.parametrize(
    ("how", "least", "most"),
    [("", 0, 20), (".reshape(-1)[::-1].reshape(64, -1)", 250, 300)],
    ids=["contiguous", "reversed"],
)
def test_a_big_input_is_copied_only_if_it_must_be(tmp_path, how, least, most):
    (tmp_path / "shape.onnx").write_bytes(
        model(
            [helper.make_node("Slice", ["x", "zero", "one"], ["y"])],
            {"x": (TensorProto.FLOAT, ["n", "m"])},
            {"y": (TensorProto.FLOAT, ["k", "m"])},
            [("zero", np.array([0])), ("one", np.array([1]))],
        )
    )
    inputs = f"warm = np.zeros((1, 1), np.float32); x = np.ones((64, 1 << 20), np.float32){how}"
    assert least <= growth_of_run(tmp_path / "shape.onnx", inputs) < most


@pytest.mark.parametrize(
    ("external", "least", "most"), [(False, 190, 240), (True, 0, 30)], ids=["inside", "external"]
)
def test_weights_are_not_in_memory_twice_while_a_model_is_opened(tmp_path, external, least, most):
    weights = [
        (f"w{i}", np.random.default_rng(i).random((1 << 20, 16), np.float32)) for i in range(3)
    ]
    given = onnx.load_from_string(
        model(
            [helper.make_node("Gather", [name, "i"], [f"y{name}"]) for name, _ in weights],
            {"i": (TensorProto.INT64, [1])},
            {f"y{name}": (TensorProto.FLOAT, [1, 16]) for name, _ in weights},
            weights,  # 64 MiB each
        )
    )
    onnx.save(given, tmp_path / "big.onnx", save_as_external_data=external, location="weights")
    assert least <= growth(tmp_path / "big.onnx", OPEN) < most
    row = twofold.Session(tmp_path / "big.onnx").run({"i": np.array([1 << 19])})["yw2"]
    np.testing.assert_array_equal(row, weights[2][1][1 << 19 : (1 << 19) + 1])


def test_weights_that_are_packed_are_held_once(tmp_path):
    weights = np.full((8192, 8192), 1, np.int8)  # 64 MiB
    one = np.array(1, np.float32)
    (tmp_path / "product.onnx").write_bytes(
        model(
            [
                helper.make_node("DequantizeLinear", ["x", "one"], ["a"]),
                helper.make_node("DequantizeLinear", ["w", "one"], ["b"]),
                helper.make_node("MatMul", ["a", "b"], ["c"]),
                helper.make_node("QuantizeLinear", ["c", "one", "zero"], ["y"]),
            ],
            {"x": (TensorProto.INT8, [1, 8192])},
            {"y": (TensorProto.INT8, [1, 8192])},
            [("w", weights), ("one", one), ("zero", np.array(0, np.int8))],
        )
    )
    assert 60 < growth(tmp_path / "product.onnx", OPEN, field=NOW) < 90
    session = twofold.Session(tmp_path / "product.onnx", threads=1)
    assert (session.run({"x": np.ones((1, 8192), np.int8)})["y"] == 127).all()


COUNT = """
import os, sys
import twofold

def threads():
    return len(os.listdir("/proc/self/task"))

before = threads()
twofold.Session(sys.argv[1], threads=1)
print(threads() - before)
"""


def test_loading_takes_no_more_threads_than_a_run(tmp_path):
    """The tables of a quantized model are computed when it is loaded."""
    path = tmp_path / "quantized.onnx"
    digits = Path(__file__).parents[2] / "examples" / "digits"
    twofold.quantize(digits / "digits.onnx", digits / "calibration.npz", output=path, threads=1)
    command = [sys.executable, "-c", COUNT, path]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(done.stdout) == 0


# Whose memory an output is.


def test_outputs_outlive_the_session():
    session = twofold.Session(add_one())
    y = session.run({"x": np.zeros(1000, np.float32)})["y"]
    del session
    again = twofold.Session(add_one())
    again.run({"x": np.full(1000, 5, np.float32)})
    assert (y == 1).all()


def add_one():
    return model(
        [helper.make_node("Add", ["x", "one"], ["y"])],
        {"x": (TensorProto.FLOAT, ["n"])},
        {"y": (TensorProto.FLOAT, ["n"])},
        [("one", np.ones(1, np.float32))],
    )


def test_writing_to_an_output_changes_nothing_else():
    session = twofold.Session(
        model(
            [
                helper.make_node("Identity", ["x"], ["same"]),
                helper.make_node("Identity", ["c"], ["constant"]),
                helper.make_node("Neg", ["x"], ["a"]),
                helper.make_node("Identity", ["a"], ["b"]),
                helper.make_node("Reshape", ["a", "shape"], ["d"]),
            ],
            {"x": (TensorProto.FLOAT, [4])},
            {
                "same": (TensorProto.FLOAT, [4]),
                "constant": (TensorProto.FLOAT, [3]),
                "a": (TensorProto.FLOAT, [4]),
                "b": (TensorProto.FLOAT, [4]),
                "d": (TensorProto.FLOAT, [2, 2]),
            },
            [("c", np.arange(3, dtype=np.float32)), ("shape", np.array([2, 2]))],
        )
    )
    x = np.arange(4, dtype=np.float32)
    x.flags.writeable = False
    first = session.run({"x": x})
    expected = {name: array.copy() for name, array in first.items()}
    for name in first:
        first[name] += 100
        for other, array in first.items():
            shift = 100 if list(first).index(other) <= list(first).index(name) else 0
            np.testing.assert_array_equal(array, expected[other] + shift)
    np.testing.assert_array_equal(x, np.arange(4))
    for name, array in session.run({"x": x}).items():
        np.testing.assert_array_equal(array, expected[name])


@pytest.mark.parametrize("kind", ["unaligned", "strided", "fortran", "read-only"])
def test_arrays_of_every_layout(kind):
    values = np.arange(12, dtype=np.float32).reshape(3, 4)
    arrays = {
        "unaligned": np.frombuffer(b"." + values.tobytes(), np.float32, offset=1).reshape(3, 4),
        "strided": np.repeat(values, 2, axis=1)[:, ::2],
        "fortran": np.asfortranarray(values),
        "read-only": np.frombuffer(values.tobytes(), np.float32).reshape(3, 4),
    }
    session = twofold.Session(
        model(
            [helper.make_node("Neg", ["x"], ["y"])],
            {"x": (TensorProto.FLOAT, ["n", "m"])},
            {"y": (TensorProto.FLOAT, ["n", "m"])},
        )
    )
    np.testing.assert_array_equal(session.run({"x": arrays[kind]})["y"], -values)


def test_inputs_are_any_mapping():
    x = np.arange(4, dtype=np.float32)
    session = twofold.Session(add_one())
    result = session.run(types.MappingProxyType({"x": x}))
    np.testing.assert_array_equal(result["y"], session.run({"x": x})["y"])
    with pytest.raises(twofold.Error, match="the model has no input 'z'"):
        session.run(types.MappingProxyType({"z": x}))
    with pytest.raises(twofold.Error, match="mapping of names to arrays"):
        session.run([x])


# Other threads, and giving up. The model takes seconds, in many short nodes.


@pytest.fixture(scope="module")
def slow():
    """x -> 3000 times (x @ w), a few ms each."""
    nodes = [
        helper.make_node("MatMul", [f"x{i}" if i else "x", "w"], [f"x{i + 1}"]) for i in range(3000)
    ]
    weight = np.eye(512, dtype=np.float32)[::-1].copy()
    return twofold.Session(
        model(
            nodes,
            {"x": (TensorProto.FLOAT, [512, 512])},
            {"x3000": (TensorProto.FLOAT, [512, 512])},
            [("w", weight)],
        ),
        threads=1,
    )


X = {"x": np.ones((512, 512), np.float32)}


def test_python_goes_on_during_a_run(slow):
    """Between the first tick and the last, the run never ends: they are within one run."""
    stop = threading.Event()
    ended = []

    def run():
        with pytest.raises(twofold.Cancelled):
            slow.run(X, cancelled=stop.is_set)
        ended.append(time.monotonic())

    thread = threading.Thread(target=run)
    thread.start()
    ticks = 0
    deadline = time.monotonic() + 0.3
    while time.monotonic() < deadline:
        ticks += 1
        assert not ended
    stop.set()
    thread.join()
    assert ticks > 1000


def test_two_runs_at_once(slow):
    """Both are on their way at the same time, whatever the cores do."""
    both = threading.Barrier(2, timeout=20)
    asked = [0, 0]

    def run(i):
        def cancelled():
            if asked[i] == 0:
                both.wait()  # comes back only if the other run is here too
            asked[i] += 1
            return asked[i] > 2

        with pytest.raises(twofold.Cancelled, match="the run was cancelled"):
            slow.run(X, cancelled=cancelled)

    threads = [threading.Thread(target=run, args=[i]) for i in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert min(asked) > 2


def test_cancelled_is_an_error_and_the_session_goes_on(slow):
    assert issubclass(twofold.Cancelled, twofold.Error)
    with pytest.raises(twofold.Error, match="the run was cancelled"):
        slow.run(X, cancelled=lambda: True)
    with pytest.raises(ZeroDivisionError):
        slow.run(X, cancelled=lambda: 1 / 0)
    with pytest.raises(twofold.Error, match="input 'x' must have shape"):
        slow.run({"x": np.ones((512, 511), np.float32)})
    session = twofold.Session(add_one())
    assert session.run({"x": np.zeros(2, np.float32)}, cancelled=lambda: False)["y"].tolist() == [
        1,
        1,
    ]


@pytest.fixture
def ctrl_c():
    """Python's own handler, which is not there if whoever started the tests ignores SIGINT."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def interrupt_after(seconds):
    timer = threading.Timer(seconds, signal.raise_signal, [signal.SIGINT])
    timer.start()
    return timer


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_ends_a_run(slow):
    start = time.monotonic()
    timer = interrupt_after(0.2)
    with pytest.raises(KeyboardInterrupt):
        slow.run(X)
    timer.join()
    assert time.monotonic() - start < 3


def test_a_signal_handler_may_raise_what_it_likes(slow):
    def handler(number, frame):
        raise TimeoutError("too slow")

    before = signal.signal(signal.SIGINT, handler)
    try:
        timer = interrupt_after(0.2)
        with pytest.raises(TimeoutError, match="too slow"):
            slow.run(X)
        timer.join()
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_ends_a_loop():
    """A body of one node, run very often."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go"], ["go_on"]),
            helper.make_node("Add", ["v", "v"], ["w"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("v", TensorProto.FLOAT, [1]),
        ],
        [
            helper.make_tensor_value_info("go_on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("w", TensorProto.FLOAT, [1]),
        ],
    )
    session = twofold.Session(
        model(
            [helper.make_node("Loop", ["n", "", "x"], ["y"], "forever", body=body)],
            {"x": (TensorProto.FLOAT, [1])},
            {"y": (TensorProto.FLOAT, [1])},
            [("n", np.array(1 << 40))],
        ),
        threads=1,
    )
    timer = interrupt_after(0.2)
    with pytest.raises(KeyboardInterrupt):
        session.run({"x": np.zeros(1, np.float32)})
    timer.join()
