"""Folders of images as calibration data: what a PTQ file says of them is done, the rest refused."""

import sys

import numpy as np
import pytest
import twofold
from command_line import fail
from PIL import Image
from small_models import node, save, weights


def coloured(folder, layout="NCHW", shape=(4, 6)):
    """A model of images with three channels, height 4 and width 6: the mean of each channel."""
    height, width = shape
    dims = [1, 3, height, width] if layout == "NCHW" else [1, height, width, 3]
    axes = [2, 3] if layout == "NCHW" else [1, 2]
    nodes = [
        node("ReduceMean", "x", "m", "mean", axes=axes, keepdims=0),
        node("MatMul", "m w", "y", "mm"),
    ]
    return save(folder / "m.onnx", nodes, {"x": dims}, {"y": [1, 2]}, {"w": weights(0, 3, 2)})


@pytest.fixture
def folder(tmp_path):
    """Three images, all pixels alike: (10 i, 20, 200) in red, green, blue."""
    images = tmp_path / "images"
    images.mkdir()
    for i in range(3):
        Image.new("RGB", (6, 4), (10 * i, 20, 200)).save(images / f"{i}.png")
    return images


def ptq(folder, images, lines="", *, march="nash-e", colours="rgb", layout="NCHW"):
    path = folder / "ptq.yaml"
    path.write_text(
        f"model_parameters: {{onnx_model: m.onnx, march: {march}}}\n"
        f"input_parameters: {{input_type_train: {colours}, input_layout_train: {layout}}}\n"
        f"calibration_parameters:\n  cal_data_dir: {images}\n{lines}"
    )
    return path


def means(model, data, config=None, **keywords):
    """Per channel, the least and the greatest mean of an image."""
    statistics = twofold.Statistics.observe(model, data, config, **keywords)
    (row,) = [row for row in statistics.tensors if row["tensor"] == "m"]
    return row["min"], row["max"]


@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize(("colours", "first"), [("rgb", 0), ("bgr", 200)])
def test_colours_and_layout(tmp_path, folder, layout, colours, first):
    model = coloured(tmp_path, layout)
    path = ptq(tmp_path, folder, colours=colours, layout=layout)
    report = twofold.quantize(config=path)
    assert (report["inputs"][0]["min"], report["inputs"][0]["max"]) == (0, 200)
    assert not any("input_type_train" in note for note in report["notes"])
    expected = np.array([[10 * i, 20, 200] for i in range(3)], np.float32)
    expected = (expected if colours == "rgb" else expected[:, ::-1]) @ weights(0, 3, 2)
    statistics = twofold.Statistics.observe(model, folder, path)
    (row,) = [row for row in statistics.tensors if row["tensor"] == "y"]
    assert (row["min"], row["max"]) == pytest.approx((expected.min(), expected.max()))
    assert first in (0, 200)


@pytest.mark.parametrize("march", ["nash-e", "bayes-e"])
def test_mean_and_scale_are_for_pixels_whatever_the_march(tmp_path, folder, march):
    """Each channel its own; the layout is the file's, the shape fits one only."""
    coloured(tmp_path)
    path = ptq(tmp_path, folder, march=march)
    lines = "mean_value: 10 20 100, std_value: 10 1 100"
    path.write_text(path.read_text().replace("input_type_train", lines + ", input_type_train"))
    report = twofold.quantize(config=path)
    assert (report["inputs"][0]["min"], report["inputs"][0]["max"]) == (-1, 1)
    note = "mean and scale of the config are applied to the pixels of the images"
    assert note in report["notes"]
    assert means(tmp_path / "m.onnx", folder, path, data_is="normalized") == (0, 200)


def test_sizes(tmp_path, folder):
    model = coloured(tmp_path, shape=(2, 3))
    with pytest.raises(
        twofold.Error, match="0.png' is 6 x 4, and the input is 3 x 2; .*preprocess_on"
    ):
        twofold.quantize(config=ptq(tmp_path, folder))
    path = ptq(tmp_path, folder, "  preprocess_on: True\n")
    assert means(model, folder, path) == (0, 200)


def test_a_folder_for_each_input(tmp_path, folder):
    """In folders of the inputs' names, and as the file lists them."""
    inputs = {"x": [1, 3, 4, 6], "g": [1, 1, 4, 6]}
    nodes = [
        node("Conv", "x v", "a", "of_x"),
        node("Conv", "g w", "b", "of_g"),
        node("Add", "a b", "y", "add"),
    ]
    constants = {"v": weights(1, 2, 3, 1, 1), "w": weights(2, 2, 1, 1, 1)}
    model = save(tmp_path / "m.onnx", nodes, inputs, {"y": [1, 2, 4, 6]}, constants)
    both = tmp_path / "both"
    for name in inputs:
        (both / name).mkdir(parents=True)
        for image in folder.iterdir():
            (both / name / image.name).write_bytes(image.read_bytes())
    path = ptq(tmp_path, "'both/g;both/x'", colours="gray;rgb")
    path.write_text(path.read_text().replace("{input_type", "{input_name: g;x, input_type"))
    listed = twofold.quantize(config=path)
    assert twofold.quantize(model, both, path)["inputs"] == listed["inputs"]
    assert [row["max"] for row in listed["inputs"]] == [200, 41]
    # 0.299 R + 0.587 G + 0.114 B of the brightest image is 40.5.
    (both / "g" / "2.png").unlink()
    with pytest.raises(twofold.Error, match="'g' has 2 images in .*, but input 'x' has 3"):
        twofold.quantize(config=path)


@pytest.mark.parametrize(
    ("keywords", "words"),
    [
        ({"colours": "''"}, "are its colours rgb or bgr"),
        ({"colours": "featuremap"}, "its input_type_train is featuremap"),
        ({"colours": "gray"}, "gray does not fit its 3 channels"),
        ({"layout": "CHWN"}, "its input_layout_train is CHWN"),
    ],
)
def test_what_is_left_open_is_refused(tmp_path, folder, keywords, words):
    coloured(tmp_path)
    with pytest.raises(twofold.Error, match=f"images for input 'x': {words}"):
        twofold.quantize(config=ptq(tmp_path, folder, **keywords))


def test_which_dimension_is_channels(tmp_path, folder):
    coloured(tmp_path, shape=(4, 3))
    with pytest.raises(twofold.Error, match=r"which dimension of \[1, 3, 4, 3\] is the channels"):
        twofold.quantize(config=ptq(tmp_path, folder, layout="''"))


def test_a_file_that_is_no_image(tmp_path, folder):
    coloured(tmp_path)
    (folder / "1.png").write_text("text")
    with pytest.raises(twofold.Error, match="images for input 'x': '.*1.png' cannot be read"):
        twofold.quantize(config=ptq(tmp_path, folder))


def test_without_pillow(tmp_path, folder, monkeypatch):
    coloured(tmp_path)
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(
        twofold.Error, match=r"holds images, which Pillow reads: pip install twofold\[images\]"
    ):
        twofold.quantize(config=ptq(tmp_path, folder))


def test_the_command_line_says_what_to_do(tmp_path, folder):
    coloured(tmp_path)
    message = fail("quantize", "-c", ptq(tmp_path, folder))
    assert "holds images; twofold's Python package reads them" in message
