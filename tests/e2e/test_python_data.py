"""Samples that a Python program hands over: what is read when, what is kept, and what fails how."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import pytest
import twofold
from onnx import TensorProto, helper, numpy_helper

DIGITS = Path(__file__).parents[2] / "examples" / "digits"
MODEL = DIGITS / "digits.onnx"


@pytest.fixture(scope="module")
def images():
    return np.load(DIGITS / "calibration.npz")["image"][:20]


@pytest.fixture(scope="module")
def samples(images):
    return [{"image": image[None]} for image in images]


@pytest.fixture(scope="module")
def expected(samples):
    return outcome(samples)


def outcome(data):
    report = twofold.quantize(MODEL, data, threads=1)
    return report["operands"], report["outputs"]


class Dataset:
    """Like a map-style dataset of torch: a length and an index, no iterator."""

    def __init__(self, samples):
        self.samples = samples
        self.read = []

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, index):
        self.read.append(index)
        return self.samples[index]


class Loader:
    """Begins anew with every iter(); does not know its length."""

    def __init__(self, samples):
        self.samples = samples
        self.passes = 0

    def __iter__(self):
        self.passes += 1
        return iter(self.samples)


class LoaderWithLength(Loader):
    def __len__(self):
        return len(self.samples)


class OneBuffer:
    """Every sample is the same array with other numbers in it."""

    def __init__(self, images):
        self.images = images
        self.buffer = np.empty_like(images[:1])

    def __len__(self):
        return len(self.images)

    def __getitem__(self, index):
        self.buffer[:] = self.images[index]
        return {"image": self.buffer}


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("kind", [Dataset, Loader, LoaderWithLength, iter, tuple, list])
def test_every_kind_gives_the_same(samples, kind, threads):
    report = twofold.quantize(MODEL, kind(samples), threads=threads)
    as_list = twofold.quantize(MODEL, samples, threads=threads)
    assert report["operands"] == as_list["operands"]
    assert report["outputs"] == as_list["outputs"]


def test_samples_may_share_one_buffer(images, expected):
    assert outcome(OneBuffer(images)) == expected


def test_data_are_read_in_order(samples):
    data = Dataset(samples)
    twofold.quantize(MODEL, data, threads=2)
    equalize, calibrate = data.read[:16], data.read[16 : 16 + len(samples)]
    assert equalize == [*range(8), *range(8)]
    assert calibrate == list(range(len(samples)))
    assert max(data.read) == len(samples) - 1


def test_a_length_saves_a_pass(samples):
    passes = []
    for loader in (LoaderWithLength(samples), Loader(samples)):
        twofold.quantize(MODEL, loader, threads=1)
        passes.append(loader.passes)
    assert passes[1] - passes[0] <= 2  # one to count, one to ask whether it begins anew
    assert passes[0] < 8


def test_a_generator_is_read_once_and_its_file_is_gone(samples, expected, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    read = []

    def generate():
        for i, sample in enumerate(samples):
            read.append(i)
            yield sample

    assert outcome(generate()) == expected
    assert read == list(range(len(samples)))
    assert list(tmp_path.iterdir()) == []
    assert not any("(deleted)" in name for name in open_files())


def open_files():
    names = []
    for entry in Path("/proc/self/fd").iterdir():
        try:
            names.append(str(entry.readlink()))
        except FileNotFoundError:  # the descriptor of the listing itself
            continue
    return [name for name in names if name.startswith(tempfile.gettempdir())]


def test_a_generator_that_fails_leaves_nothing(samples, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def generate():
        yield from samples[:3]
        raise KeyError("lost")

    with pytest.raises(KeyError, match="lost") as caught:
        twofold.quantize(MODEL, generate(), output=tmp_path / "q.onnx", threads=1)
    assert "sample 3" in caught.value.__notes__[0]
    assert list(tmp_path.iterdir()) == [] and open_files() == []


def test_verify_reads_generators_too(samples):
    report = twofold.verify(MODEL, MODEL, (sample for sample in samples[:3]))
    assert report["outputs"][0]["metrics"]["mse"] == 0


def test_a_generator_is_not_read_where_something_else_is_wrong(samples):
    read = []
    data = (read.append(i) or sample for i, sample in enumerate(samples))
    with pytest.raises(twofold.Error, match="all_node_typ"):
        twofold.quantize(MODEL, data, {"model_config": {"all_node_typ": "int8"}}, threads=1)
    assert read == []


def full_file():
    return open("/dev/full", "wb+", buffering=0)  # noqa: SIM115


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is full")
def test_a_full_disk_is_named(samples, monkeypatch):
    monkeypatch.setattr(tempfile, "TemporaryFile", full_file)
    with pytest.raises(twofold.Error, match="sample 0.*No space left.*TMPDIR"):
        twofold.quantize(MODEL, iter(samples), threads=1)


class UnreadableError(Exception):
    pass


@pytest.mark.parametrize("threads", [1, 2])
def test_what_the_program_raises_comes_out(samples, threads, tmp_path):
    class Bad(Dataset):
        def __getitem__(self, index):
            if index == 7:
                raise UnreadableError("disk 5")
            return super().__getitem__(index)

    with pytest.raises(UnreadableError, match="disk 5") as caught:
        twofold.quantize(MODEL, Bad(samples), output=tmp_path / "q.onnx", threads=threads)
    assert "sample 7" in caught.value.__notes__[0]
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(UnreadableError):
        twofold.verify(MODEL, MODEL, Bad(samples), threads=threads)


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"image": np.zeros((1, 1, 28, 27), np.float32)}, ["'image'", "[1,1,28,27]"]),
        ({"image": np.full((1, 1, 28, 28), np.nan, np.float32)}, ["'image'", "NaN"]),
        ({"image": np.zeros((1, 1, 28, 28), np.complex64)}, ["'image'"]),
        ({"image": [[1, 2], [3]]}, ["'image'", "it has: none"]),
        ({"image": "5.png", "other": 1}, ["'image'", "it has: other"]),
        ({}, ["'image'", "it has: none"]),
        (np.zeros((1, 1, 28, 27), np.float32), ["'image'", "[1,1,28,27]"]),
        (("5.png", 3), ["str", "'image'", "mapping"]),
        ("5.png", ["str", "'image'", "mapping"]),
        ((), ["0 values", "the inputs are 1: image"]),
    ],
)
@pytest.mark.parametrize("kind", [list, Loader, iter])
def test_bad_samples_are_named(samples, kind, bad, words):
    with pytest.raises(twofold.Error) as caught:
        twofold.quantize(MODEL, kind([*samples[:2], bad]), threads=2)
    for word in ["sample 2", *words]:
        assert word in str(caught.value)


def test_values_that_are_no_input_are_left_alone(samples, expected):
    data = [{**sample, "path": "a.png", "label": 3, "box": None} for sample in samples]
    assert outcome(data) == expected
    assert outcome(iter(data)) == expected


@pytest.mark.parametrize("kind", [list, iter, Dataset, Loader])
def test_no_samples(kind):
    with pytest.raises(twofold.Error, match="no samples"):
        twofold.quantize(MODEL, kind([]), threads=1)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"picture": np.zeros(3)}, "the data are a dict without .* 'image'; it has: picture"),
        (5, "the data are a int; give a path"),
        (b"folder", "the data are bytes; give a path"),
    ],
)
def test_what_is_no_data(data, words):
    with pytest.raises(twofold.Error, match=words):
        twofold.quantize(MODEL, data, threads=1)


def test_data_that_shrink(samples):
    class Shrinking(LoaderWithLength):
        def __iter__(self):
            return iter(self.samples[:5])

    with pytest.raises(twofold.Error, match="sample 5 is not there: the data end after 5"):
        twofold.quantize(MODEL, Shrinking(samples), threads=1)


# What is kept in memory: a model whose samples are as large as its tensors are.

MEMORY = """
import resource, sys
import numpy as np
import twofold

kind, count, model = sys.argv[1], int(sys.argv[2]), sys.argv[3]
numbers = np.random.default_rng(1).random((1, 3, 512, 512), np.float32)

class Dataset:
    def __len__(self):
        return count
    def __getitem__(self, i):
        return {"x": numbers + np.float32(i)}

class Loader:
    def __iter__(self):
        return (Dataset()[i] for i in range(count))

data = {"dataset": Dataset(), "loader": Loader(), "generator": iter(Loader())}[kind]
twofold.quantize(model, data, threads=1)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.fixture(scope="module")
def wide_model(tmp_path_factory):
    path = tmp_path_factory.mktemp("memory") / "wide.onnx"
    weight = np.random.default_rng(0).normal(size=(2, 3, 1, 1)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"], "conv", strides=[4, 4])],
        "wide",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 512, 512])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 2, 128, 128])],
        [numpy_helper.from_array(weight, "w")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), path)
    return path


@pytest.mark.parametrize("kind", ["dataset", "loader", "generator"])
def test_memory_does_not_grow_with_samples(wide_model, kind):
    """200 samples are 600 MiB."""

    def peak(count):
        command = [sys.executable, "-c", MEMORY, kind, str(count), wide_model]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        return int(done.stdout)

    assert peak(200) < 1.1 * peak(10)
