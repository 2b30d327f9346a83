"""What is said of data and models of which a good result cannot come."""

from pathlib import Path

import numpy as np
import pytest
import small_models
import twofold
from command_line import succeed
from onnx import TensorProto, helper, numpy_helper

DIGITS = Path(__file__).parents[2] / "examples" / "digits"


@pytest.fixture(scope="module")
def images():
    """[N,1,28,28], from 0 to 1."""
    return np.load(DIGITS / "calibration.npz")["image"]


def report_of_digits(images, **options):
    samples = [{"image": image[None]} for image in images]
    return twofold.quantize(DIGITS / "digits.onnx", samples, progress=False, **options)


def about_input(report):
    return [note for note in report["notes"] if note.startswith("input 'image'")]


def test_nothing_is_said_of_good_data(images):
    report = report_of_digits(images)
    assert about_input(report) == []
    assert not any("sample" in note for note in report["notes"])
    assert report["inputs"] == [{"input": "image", "min": 0.0, "max": 1.0}]


def test_a_single_sample(images):
    notes = report_of_digits(images[:1])["notes"]
    assert sum(note.startswith("there is a single sample: ") for note in notes) == 1


@pytest.mark.parametrize("number", [0, 0.5])
def test_an_input_that_is_constant(images, number):
    report = report_of_digits(np.full_like(images[:10], number))
    assert about_input(report) == [
        f"input 'image' is {number} everywhere in all of the 10 samples: ranges of what depends on "
        "it mean nothing for other data"
    ]
    assert report["inputs"] == [{"input": "image", "min": number, "max": number}]


def test_images_that_are_divided_twice(images):
    (note,) = about_input(report_of_digits(images / 255))
    assert "gets numbers from 0 to 0.00392, of which it makes next to nothing" in note
    assert note.endswith("are they divided by 255 once too often?")


@pytest.mark.parametrize("factor", [1 / 255, 1, 255])
def test_images_that_a_layer_was_not_made_for(images, factor, tmp_path):
    """A Conv that makes about as much of images from 0 to 1 as its bias is."""
    weights = {"w": small_models.weights(1, 8, 1, 3, 3), "b": small_models.weights(2, 8)}
    nodes = [
        small_models.node("Mul", "image one", "i", "/scale"),
        small_models.node("Conv", "i w b", "c", "/conv"),
        small_models.node("Relu", "c", "y", "/relu"),
    ]
    shapes = {"image": [1, 1, 28, 28]}, {"y": [1, 8, 26, 26]}
    constants = {**weights, "one": np.float32(0.99)}
    model = small_models.save(tmp_path / "model.onnx", nodes, *shapes, constants)
    samples = [{"image": (image * factor)[None].astype(np.float32)} for image in images[:10]]
    notes = about_input(twofold.quantize(model, samples, progress=False))
    expected = {
        1 / 255: "are they divided by 255 once too often?",
        1: None,
        255: "are they bytes that must be divided by 255?",
    }[factor]
    assert [note.split("; ")[1] for note in notes] == ([expected] if expected else [])


def test_statistics_of_elsewhere_are_looked_at_too(images, tmp_path):
    statistics = tmp_path / "statistics.bin"
    report_of_digits(images / 255, save_statistics=statistics)
    report = report_of_digits(images / 255, statistics=[statistics])
    assert len(about_input(report)) == 1
    assert report["inputs"][0]["max"] == np.float32(1 / 255)


def test_ranges_are_printed():
    printed = succeed("quantize", DIGITS / "digits.onnx", "--data", DIGITS / "calibration.npz")
    assert "input image: 0 to 1" in printed.splitlines()


def weight(name):
    return numpy_helper.from_array(0.3 * small_models.weights(len(name), 8, 8), name)


def floats(name):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, [4, 8])


def constant(name, kind, value):
    tensor = helper.make_tensor(name, kind, [], [value])
    return helper.make_node("Constant", [], [name], value=tensor)


def saved(path, nodes):
    outer = 0.3 * small_models.weights(1, 8, 8)
    return small_models.save(path, nodes, {"x": [4, 8]}, {"y": [4, 8]}, {"outer": outer})


def branch(name, products):
    """Products of x with weights of its own, one behind the other."""
    nodes, tensor = [], "x"
    for i in range(products):
        nodes.append(helper.make_node("MatMul", [tensor, f"{name}{i}"], [f"{name}_y{i}"]))
        tensor = f"{name}_y{i}"
    nodes.append(helper.make_node("Relu", [tensor], [f"{name}_out"]))
    weights = [weight(f"{name}{i}") for i in range(products)]
    return helper.make_graph(nodes, name, [], [floats(f"{name}_out")], weights)


def with_choice(path, condition):
    """One product, and behind it an If: three products, or none."""
    nodes = [
        *condition,
        helper.make_node(
            "If", ["c"], ["z"], "choice", then_branch=branch("a", 3), else_branch=branch("b", 0)
        ),
        helper.make_node("MatMul", ["z", "outer"], ["y"], "last"),
    ]
    return saved(path, nodes)


def samples_of_x():
    x = np.random.default_rng(1).normal(0, 1, (8, 4, 8)).astype(np.float32)
    return [{"x": sample} for sample in x]


def test_work_inside_of_branches_is_counted(tmp_path):
    condition = [
        helper.make_node("ReduceMax", ["x"], ["m"], keepdims=0),
        helper.make_node("Greater", ["m", "zero"], ["c"]),
    ]
    zero = constant("zero", TensorProto.FLOAT, -100)
    model = with_choice(tmp_path / "model.onnx", [zero, *condition])
    notes = twofold.quantize(model, samples_of_x(), progress=False)["notes"]
    assert (
        "75 % of the multiplications are inside of If 'choice': what stands in their bodies stays "
        "float32" in notes
    )


def test_a_branch_that_is_always_taken_is_quantized(tmp_path):
    model = with_choice(tmp_path / "model.onnx", [constant("c", TensorProto.BOOL, True)])
    out = tmp_path / "out.onnx"
    report = twofold.quantize(model, samples_of_x(), output=out, progress=False)
    assert not any("multiplications" in note for note in report["notes"])
    factors = [row for row in report["operands"] if row["operand"] in ("input0", "input1")]
    assert sum(row["op_type"] == "MatMul" for row in factors) == 2 * 4
    x = samples_of_x()[0]
    exact = twofold.Session(model).run(x)["y"]
    assert np.abs(twofold.Session(out).run(x)["y"] - exact).max() < 0.05 * np.abs(exact).max()


def test_iterations_of_loops_count(tmp_path):
    body = helper.make_graph(
        [
            helper.make_node("MatMul", ["state", "w"], ["next"]),
            helper.make_node("Identity", ["go"], ["still"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            floats("state"),
        ],
        [helper.make_tensor_value_info("still", TensorProto.BOOL, []), floats("next")],
        [weight("w")],
    )
    nodes = [
        constant("n", TensorProto.INT64, 9),
        helper.make_node("MatMul", ["x", "outer"], ["z"], "first"),
        helper.make_node("Loop", ["n", "", "z"], ["y"], "again", body=body),
    ]
    model = saved(tmp_path / "model.onnx", nodes)
    notes = twofold.quantize(model, samples_of_x(), progress=False)["notes"]
    assert any(
        note.startswith("90 % of the multiplications are inside of Loop 'again'") for note in notes
    )
