"""A model is a path, the bytes of a file or an onnx.ModelProto; arrays are what has numbers."""

import numpy as np
import onnx
import pytest
import torch
import twofold
from command_line import ROOT

MODEL = ROOT / "examples" / "digits" / "digits.onnx"
FORMS = {"text": str(MODEL), "bytes": MODEL.read_bytes(), "proto": onnx.load(MODEL)}


@pytest.fixture(scope="module")
def image():
    return np.load(MODEL.parent / "calibration.npz")["image"][:1]


@pytest.fixture(scope="module")
def samples(image):
    return [{"image": image}]


@pytest.fixture(params=FORMS)
def model(request):
    return FORMS[request.param]


@pytest.fixture(scope="module")
def logits(image):
    return twofold.Session(MODEL).run({"image": image})["logits"]


def test_quantize(model, samples, tmp_path):
    expected = twofold.quantize(MODEL, samples, output=tmp_path / "a.onnx")
    report = twofold.quantize(model, samples, output=tmp_path / "b.onnx")
    assert report["operands"] == expected["operands"]
    a, b = (onnx.load(tmp_path / name).graph for name in ("a.onnx", "b.onnx"))
    assert (a.node, a.initializer) == (b.node, b.initializer)


def test_reports_name_no_temporary_file(model, samples):
    name = model if isinstance(model, str) else "model.onnx"
    assert twofold.quantize(model, samples)["model"] == name
    assert twofold.inspect(model)["model"] == name
    report = twofold.verify(model, model, samples)
    assert (report["reference"], report["other"]) == (name, name)


def test_other_functions(model, samples, image, logits, tmp_path):
    assert twofold.graph_rows(model) == twofold.graph_rows(MODEL)
    statistics = twofold.Statistics.observe(model, samples)
    assert statistics == twofold.Statistics.observe(MODEL, samples)
    found = twofold.debug.get_sensitivity_of_nodes(model, "sqnr", samples)
    assert found == twofold.debug.get_sensitivity_of_nodes(MODEL, "sqnr", samples)
    for given, name in ((model, "a.onnx"), (MODEL, "b.onnx")):
        twofold.split(given, ["/edges/Conv"], tmp_path / name)
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()
    np.testing.assert_array_equal(twofold.Session(model).run({"image": image})["logits"], logits)


def test_messages_name_no_temporary_file():
    with pytest.raises(twofold.Error, match=r"^model\.onnx: the file is truncated, not an ONNX"):
        twofold.inspect(b"no model")


class OfDlpack:
    """What another package may have."""

    def __init__(self, array):
        self.__dlpack__, self.__dlpack_device__ = array.__dlpack__, array.__dlpack_device__


class OfArray:
    """The same with NumPy's protocol."""

    def __init__(self, array):
        self.array = array

    def __array__(self, dtype=None, copy=None):
        return self.array


@pytest.mark.parametrize(
    "form",
    [
        torch.from_numpy,
        lambda array: torch.from_numpy(array).requires_grad_(),
        lambda array: array.tolist(),
        lambda array: array.astype(">f4"),
        np.asfortranarray,
        OfDlpack,
        OfArray,
    ],
    ids=["tensor", "gradient", "list", "big endian", "Fortran", "dlpack", "array"],
)
def test_arrays_of_other_packages(form, image, logits):
    feeds = {"image": form(image.copy())}
    if isinstance(feeds["image"], list):  # Python's numbers are float64
        feeds = {"image": np.array(feeds["image"], np.float32)}
    session = twofold.Session(MODEL)
    np.testing.assert_array_equal(session.run(feeds)["logits"], logits)
    np.testing.assert_array_equal(session.keep(feeds).outputs["logits"], logits)


def test_bfloat16_tensors():
    node = onnx.helper.make_node("Cast", ["x"], ["y"], to=onnx.TensorProto.FLOAT)
    ends = [
        onnx.helper.make_tensor_value_info(name, kind, [3])
        for name, kind in (("x", onnx.TensorProto.BFLOAT16), ("y", onnx.TensorProto.FLOAT))
    ]
    graph = onnx.helper.make_graph([node], "cast", ends[:1], ends[1:])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 21)])
    x = torch.tensor([0.1, -3.0, 1e30])
    y = twofold.Session(model).run({"x": x.to(torch.bfloat16)})["y"]
    np.testing.assert_array_equal(y, x.to(torch.bfloat16).float().numpy())
