"""The C API from another language: ctypes."""

import ctypes
import threading
from ctypes import POINTER, byref, c_char_p, c_int32, c_int64, c_size_t, c_void_p
from pathlib import Path

import numpy as np
import pytest
import twofold

ROOT = Path(__file__).parents[2]
DIGITS = ROOT / "examples" / "digits"
OK, INVALID_ARGUMENT, NOT_FOUND, CANCELLED = 0, 1, 4, 7
FLOAT32 = 1


class TensorInfo(ctypes.Structure):
    _fields_ = [
        ("name", c_char_p),
        ("dtype", c_int32),
        ("rank", c_int32),
        ("shape", POINTER(c_int64)),
    ]


class Tensor(ctypes.Structure):
    _fields_ = [
        ("dtype", c_int32),
        ("rank", c_int32),
        ("shape", POINTER(c_int64)),
        ("data", c_void_p),
        ("bytes", c_size_t),
    ]


@pytest.fixture(scope="module")
def c():
    library = ctypes.CDLL(ROOT / "build" / "libtwofold_c.so")
    library.twofold_version.restype = c_char_p
    library.twofold_last_error.restype = c_char_p
    library.twofold_session_open.argtypes = [c_char_p, c_int32, POINTER(c_void_p)]
    library.twofold_session_open_bytes.argtypes = [
        c_char_p,
        c_size_t,
        c_char_p,
        c_int32,
        POINTER(c_void_p),
    ]
    library.twofold_session_input.argtypes = [c_void_p, c_size_t, POINTER(TensorInfo)]
    library.twofold_session_run.argtypes = [
        c_void_p,
        POINTER(Tensor),
        c_size_t,
        c_void_p,
        POINTER(c_void_p),
    ]
    library.twofold_result_tensor.argtypes = [c_void_p, c_size_t, POINTER(Tensor)]
    for name in ("session", "result", "cancellation"):
        getattr(library, f"twofold_{name}_free").argtypes = [c_void_p]
    library.twofold_cancel.argtypes = [c_void_p]
    return library


@pytest.fixture(scope="module")
def session(c, mixed_digits):
    handle = c_void_p()
    assert c.twofold_session_open(bytes(mixed_digits), 1, byref(handle)) == OK
    yield handle
    c.twofold_session_free(handle)


@pytest.fixture(scope="module")
def images():
    return np.load(DIGITS / "evaluation.npz")["image"][:20]


def as_input(array, dtype=FLOAT32):
    shape = (c_int64 * array.ndim)(*array.shape)
    return Tensor(dtype, array.ndim, shape, array.ctypes.data, array.nbytes)


def run(c, session, array, cancellation=None):
    """Status, and a copy of the first output."""
    result = c_void_p()
    status = c.twofold_session_run(session, as_input(array), 1, cancellation, byref(result))
    if status != OK:
        assert not result
        return status, None
    output = Tensor()
    assert c.twofold_result_tensor(result, 0, byref(output)) == OK
    assert output.dtype == FLOAT32
    copy = np.frombuffer(ctypes.string_at(output.data, output.bytes), np.float32)
    copy = copy.reshape(output.shape[: output.rank])
    c.twofold_result_free(result)
    return status, copy


def test_version(c):
    assert c.twofold_version().decode() in (ROOT / "CMakeLists.txt").read_text()


def test_same_bits_as_session(c, session, mixed_digits, images):
    status, logits = run(c, session, images)
    assert status == OK
    expected = twofold.Session(mixed_digits).run({"image": images})["logits"]
    assert logits.tobytes() == expected.tobytes() and logits.shape == expected.shape


def test_a_model_in_memory(c, session, mixed_digits, images):
    handle = c_void_p()
    model = mixed_digits.read_bytes()
    assert c.twofold_session_open_bytes(model, len(model), None, 1, byref(handle)) == OK
    np.testing.assert_array_equal(run(c, handle, images)[1], run(c, session, images)[1])
    c.twofold_session_free(handle)


def test_description(c, session):
    info = TensorInfo()
    assert c.twofold_session_input(session, 0, byref(info)) == OK
    assert info.name == b"image" and info.shape[: info.rank] == [-1, 1, 28, 28]


def test_wrong_element_types(c, session, images):
    result = c_void_p()
    for dtype, words in [(11, b"bytes"), (6, b"int32"), (0, b"element type 0"), (999, b"999")]:
        bad = as_input(images, dtype)
        assert c.twofold_session_run(session, bad, 1, None, byref(result)) == INVALID_ARGUMENT
        assert words in c.twofold_last_error()


def test_an_output_that_is_an_input_is_not_the_callers_memory(c):
    import onnx
    from onnx import TensorProto, helper

    infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n"]) for name in ("x", "y")]
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])], "identity", infos[:1], infos[1:]
    )
    opset = [helper.make_opsetid("", 17)]
    model = onnx.helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()
    handle, result, output = c_void_p(), c_void_p(), Tensor()
    assert c.twofold_session_open_bytes(model, len(model), None, 1, byref(handle)) == OK
    x = np.arange(5, dtype=np.float32)
    assert c.twofold_session_run(handle, as_input(x), 1, None, byref(result)) == OK
    c.twofold_session_free(handle)  # results stay
    x[:] = 9
    assert c.twofold_result_tensor(result, 0, byref(output)) == OK
    assert output.data != x.ctypes.data
    assert np.frombuffer(ctypes.string_at(output.data, 20), np.float32).tolist() == [0, 1, 2, 3, 4]
    c.twofold_result_free(result)


def test_every_thread_has_its_own_message(c):
    handle = c_void_p()
    assert c.twofold_session_open(b"/none/a", 1, byref(handle)) == NOT_FOUND
    seen = []

    def other():
        seen.append(c.twofold_last_error())
        c.twofold_session_open(b"/none/b", 1, byref(handle))
        seen.append(c.twofold_last_error())

    thread = threading.Thread(target=other)
    thread.start()
    thread.join()
    assert seen[0] == b"" and b"/none/b" in seen[1]
    assert b"/none/a" in c.twofold_last_error()


def test_threads_share_a_session_and_a_cancellation(c, session, images):
    expected = run(c, session, images)[1]
    cancellation = c_void_p()
    assert c.twofold_cancellation_new(byref(cancellation)) == OK
    statuses = []
    many = np.tile(images, (20, 1, 1, 1))

    def run_on():
        while not statuses or statuses[-1] == OK:
            statuses.append(run(c, session, many, cancellation)[0])

    threads = [threading.Thread(target=run_on) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        np.testing.assert_array_equal(run(c, session, images)[1], expected)
    c.twofold_cancel(cancellation)
    for thread in threads:
        thread.join()
    assert CANCELLED in statuses and set(statuses) <= {OK, CANCELLED}
    c.twofold_cancellation_free(cancellation)
    np.testing.assert_array_equal(run(c, session, images)[1], expected)
