"""What a sample of a Python program may be: arrays of any library, alone, in tuples, or by name."""

import numpy as np
import pytest
import torch
import twofold
from command_line import ROOT
from onnx import TensorProto
from onnxruntime.quantization import CalibrationDataReader
from small_models import node, save, weights

MODEL = ROOT / "examples" / "digits" / "digits.onnx"


@pytest.fixture(scope="module")
def images():
    return np.load(ROOT / "examples" / "digits" / "calibration.npz")["image"][:12]


@pytest.fixture(scope="module")
def expected(images):
    return ranges([{"image": image[None]} for image in images])


def ranges(data):
    """Everything that calibration saw."""
    return twofold.Statistics.observe(MODEL, data, threads=1)


class Reader(CalibrationDataReader):
    def __init__(self, images):
        self._images = iter(images)

    def get_next(self):
        image = next(self._images, None)
        return None if image is None else {"image": image[None]}


class OfArray:
    def __init__(self, array):
        self._array = array

    def __array__(self, dtype=None, copy=None):
        return self._array


class OfDlpack:
    def __init__(self, array):
        self._tensor = torch.from_numpy(array)

    def __dlpack__(self, **keywords):
        return self._tensor.__dlpack__(**keywords)

    def __dlpack_device__(self):
        return self._tensor.__dlpack_device__()


def loader(images, **keywords):
    tensors = torch.from_numpy(images)
    dataset = torch.utils.data.TensorDataset(tensors, torch.arange(len(images)))
    return torch.utils.data.DataLoader(dataset, batch_size=1, **keywords)


FORMS = {
    "bare arrays": lambda images: [image[None] for image in images],
    "bare arrays without batch": list,
    "one array": lambda images: images,
    "one tensor": lambda images: torch.from_numpy(images),
    "(image, label) of a loader": loader,
    "(image, label) of a dataset": lambda images: loader(images).dataset,
    "bare tensors of a loader": lambda images: torch.utils.data.DataLoader(images, batch_size=1),
    "dicts of a loader": lambda images: torch.utils.data.DataLoader(
        [{"image": image, "label": 3} for image in images], batch_size=1
    ),
    "(dict, label)": lambda images: [({"image": image}, 3) for image in images],
    "all samples by name": lambda images: {"image": images, "label": list(range(50))},
    "lists by name": lambda images: {"image": [image[None] for image in images]},
    "an npz file": None,
    "a calibration data reader": Reader,
    "a generator of tuples": lambda images: ((image, 3) for image in images),
    "tensors with gradients": lambda images: [
        torch.from_numpy(image).clone().requires_grad_() for image in images
    ],
    "__array__": lambda images: [OfArray(image) for image in images],
    "__dlpack__": lambda images: [{"image": OfDlpack(image)} for image in images],
    "big-endian": lambda images: [image.astype(">f4") for image in images],
    "Fortran order": lambda images: [np.asfortranarray(image[None]) for image in images],
    "lists of numbers": lambda images: [{"image": image.tolist()} for image in images],
    "float64": lambda images: [image.astype(np.float64) for image in images],
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_the_same_samples(tmp_path, images, expected, form):
    if FORMS[form] is not None:
        assert ranges(FORMS[form](images)) == expected
        return
    np.savez(tmp_path / "x.npz", image=images)
    with np.load(tmp_path / "x.npz") as archive:
        assert ranges(archive) == expected


def test_bfloat16_tensors(images):
    rounded = [torch.from_numpy(image).bfloat16() for image in images]
    assert ranges(rounded) == ranges([tensor.float().numpy() for tensor in rounded])


def test_quantize_verify_and_the_debugger_take_them(tmp_path, images):
    output = tmp_path / "q.onnx"
    report = twofold.quantize(MODEL, loader(images), output=output)
    verified = twofold.verify(MODEL, output, loader(images))
    mse = report["outputs"][0]["metrics"]["mse"]
    assert verified["outputs"][0]["metrics"]["mse"] == pytest.approx(mse, rel=1e-6)
    assert twofold.debug.get_sensitivity_of_nodes(MODEL, calibrated_data=Reader(images), data_num=1)


@pytest.fixture(scope="module")
def two_inputs(tmp_path_factory):
    """x [1,3] float32 and ids [n] int64: y = (x + table[ids]) w."""
    path = tmp_path_factory.mktemp("two") / "two.onnx"
    nodes = [
        node("Gather", "table ids", "rows", "rows"),
        node("ReduceSum", "rows axis", "sum", "sum", keepdims=1),
        node("Add", "x sum", "a", "a"),
        node("MatMul", "a w", "y", "mm"),
    ]
    constants = {"table": weights(1, 9, 3), "axis": np.array([0]), "w": weights(2, 3, 4)}
    inputs = {"x": [1, 3], "ids": (["n"], TensorProto.INT64)}
    return save(path, nodes, inputs, {"y": [1, 4]}, constants)


def pairs(dtype):
    rng = np.random.default_rng(0)
    return [
        (rng.normal(size=(1, 3)).astype(np.float32), rng.integers(0, 9, 4).astype(dtype))
        for _ in range(4)
    ]


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8", ">i4"])
def test_tuples_are_in_the_order_of_inputs(two_inputs, dtype):
    """And ids of other integers than the model's are taken."""
    samples = pairs(dtype)
    expected = twofold.Statistics.observe(
        two_inputs, [{"x": x, "ids": ids.astype(np.int64)} for x, ids in samples]
    )
    for data in (samples, [(pair, 3) for pair in samples], [list(pair) for pair in samples]):
        assert twofold.Statistics.observe(two_inputs, data) == expected


@pytest.mark.parametrize(
    ("sample", "words"),
    [
        (np.zeros((1, 3), np.float32), ["sample 0 has 1 value", "the inputs are 2: x, ids"]),
        ((np.zeros((1, 3), np.float32), "a"), ["sample 0 has a str in the place of input 'ids'"]),
        (
            (np.zeros((1, 3), np.float32), np.array([1.5])),
            ["'ids' expects int64", "the data are float64"],
        ),
        (
            (np.zeros((1, 3), np.float32), np.array([2**63], np.uint64)),
            ["input 'ids': int64 has no 9223372036854775808"],
        ),
    ],
)
def test_samples_that_do_not_fit(two_inputs, sample, words):
    with pytest.raises(twofold.Error) as caught:
        twofold.Statistics.observe(two_inputs, [sample])
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"x": [1, 2]}, ["'ids'", "it has: x"]),
        ({"x": np.zeros((2, 1, 3)), "ids": np.zeros((3, 1), int)}, ["2 for 'x', 3 for 'ids'"]),
        ({"x": [], "ids": []}, ["no samples"]),
    ],
)
def test_columns_that_do_not_fit(two_inputs, data, words):
    with pytest.raises(twofold.Error) as caught:
        twofold.Statistics.observe(two_inputs, data)
    for word in words:
        assert word in str(caught.value)
