"""Tensors that a Concat or a Split joins, and what of their resolution each reader keeps.

What is right comes from the float model in ONNX Runtime, and from int64 arithmetic on the
integers of the file.
"""

import integer_reference as reference
import numpy as np
import onnx
import onnxruntime
import pytest
import small_models
import twofold
from onnx import numpy_helper
from small_models import node, weights

MAX = {"model_config": {"activation": {"calibration_type": "max"}}}
SYMMETRIC = {"model_config": {"activation": {"calibration_type": "max", "asymmetric": False}}}
DUAL = {**MAX, "op_config": {"Conv": {"qtype": "dual-int16"}}}
INT16 = {"model_config": {"all_node_type": "int16", "activation": {"calibration_type": "max"}}}

# What a product gives, at least, where each input has a scale of its own; dB.
GOOD = {"int8": 28, "int16": 35, "dual": 75}
CONFIGS = {"int8": MAX, "int16": INT16, "dual": DUAL}


def samples_of(model, seed=7, count=6):
    shapes = {
        i.name: [d.dim_value for d in i.type.tensor_type.shape.dim]
        for i in onnx.load(model).graph.input
    }
    rng = np.random.default_rng(seed)
    return [
        {name: rng.normal(0, 1, shape).astype(np.float32) for name, shape in shapes.items()}
        for _ in range(count)
    ]


def onnxruntime_of(path, names=None):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    names = names or [o.name for o in session.get_outputs()]
    return lambda sample: dict(zip(names, session.run(names, sample), strict=True))


def decibels(a, b):
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    noise = ((a - b) ** 2).sum()
    return np.inf if noise == 0 else 10 * np.log10(max((a**2).sum(), 1e-300) / noise)


def quantized(folder, model, config, **options):
    """The file, the worst dB of each output on the engine, and the report."""
    path, samples = folder / "quantized.onnx", samples_of(model)
    report = twofold.quantize(
        model, samples, config, output=path, plan=folder / "plan.json", **options
    )
    expected, session, other = onnxruntime_of(model), twofold.Session(path), onnxruntime_of(path)
    worst = {}
    for sample in samples:
        right, got = expected(sample), session.run(sample)
        for name, value in other(sample).items():
            # ONNX Runtime adds up products in float32, so that ties may be decided otherwise.
            assert decibels(value, got[name]) > 45, name
            worst[name] = min(worst.get(name, 1e9), decibels(right[name], got[name]))
    return path, worst, report


def again_from_plan(folder, model):
    """A plan has the scales of edges: it makes the same file."""
    twofold.quantize(model, from_plan=folder / "plan.json", output=folder / "again.onnx")
    assert (folder / "again.onnx").read_bytes() == (folder / "quantized.onnx").read_bytes()


def operand(folder, name, which="input0"):
    plan = twofold.Plan.load(folder / "plan.json")
    return next(o for o in plan.operands if o["node"] == name and o["operand"] == which)


def scale(folder, name, which="input0"):
    (value,) = operand(folder, name, which)["params"]["scale"]
    return np.float32(value)


def pyramid(folder, ratio):
    """`a` is read by conv_y and, beside a branch that is `ratio` times larger, by a Concat."""
    nodes = [
        node("Conv", "x w", "a", "conv_a"),
        node("Conv", "a w1", "b", "conv_b"),
        node("Conv", "a w2", "y", "conv_y"),
        node("Concat", "a b", "ab", "concat", axis=1),
        node("Conv", "ab w3", "z", "conv_z"),
    ]
    constants = {
        "w": weights(1, 4, 3, 1, 1),
        "w1": weights(2, 4, 4, 1, 1) * np.float32(ratio),
        "w2": weights(3, 2, 4, 1, 1),
        "w3": weights(4, 2, 8, 1, 1),
    }
    outputs = {"y": [1, 2, 6, 6], "z": [1, 2, 6, 6]}
    return small_models.save(folder / "model.onnx", nodes, {"x": [1, 3, 6, 6]}, outputs, constants)


@pytest.mark.parametrize("ratio", [1, 4, 16, 100])
@pytest.mark.parametrize("precision", CONFIGS)
def test_a_concat_costs_other_readers_nothing(tmp_path, ratio, precision):
    model = pyramid(tmp_path, ratio)
    _, worst, report = quantized(tmp_path, model, CONFIGS[precision])
    assert worst["y"] > GOOD[precision], worst
    assert worst["z"] > GOOD[precision], worst
    assert operand(tmp_path, "concat")["granted"] != "float32"
    assert not any("scale" in note for note in report["notes"])
    again_from_plan(tmp_path, model)


def test_a_tensor_is_quantized_for_the_concat_and_for_others(tmp_path):
    """Every integer of the network, by int64 arithmetic on those of the file."""
    model = pyramid(tmp_path, 16)
    path, _, _ = quantized(tmp_path, model, SYMMETRIC)
    largest = {name: 0.0 for name in ("x", "a", "ab")}
    graph = onnx.load(model)
    graph.graph.output.extend(onnx.ValueInfoProto(name=n) for n in ("a", "ab"))
    inside = onnxruntime_of(graph.SerializeToString(), ["a", "ab"])
    for sample in samples_of(model):
        for name, value in ({"x": sample["x"]} | inside(sample)).items():
            largest[name] = max(largest[name], np.abs(value).max())
    s_x, s_a, s_ab = (np.float32(largest[n]) / np.float32(127) for n in ("x", "a", "ab"))
    for name, which, expected in (
        ("conv_a", "input0", s_x),
        ("conv_b", "input0", s_a),
        ("conv_y", "input0", s_a),
        ("concat", "input0", s_ab),
        ("concat", "input1", s_ab),
        ("conv_z", "input0", s_ab),
    ):
        # The engine's float convolutions add up in another order than ONNX Runtime's.
        assert scale(tmp_path, name, which) == pytest.approx(expected, rel=1e-5)
    s_x, s_a, s_ab = (scale(tmp_path, n) for n in ("conv_a", "conv_y", "conv_z"))
    stored = {t.name: numpy_helper.to_array(t) for t in onnx.load(path).graph.initializer}

    def conv(integers, s, weight):
        unit = np.float64(s) * stored[weight + "_dequantized_scale"].astype(np.float64)
        acc = reference.conv(
            integers.astype(np.int64), stored[weight + "_quantized"].astype(np.int64)
        )
        return acc, unit[:, None, None]

    session = twofold.Session(path)
    for sample in samples_of(model):
        x = np.clip(np.rint(sample["x"] / s_x), -128, 127).astype(np.int8)
        acc, unit = conv(x, s_x, "w")
        own = reference.requantize(acc, unit, np.int8, s_a, 0)
        moved = reference.requantize(acc, unit, np.int8, s_ab, 0)
        b = reference.requantize(*conv(own, s_a, "w1"), np.int8, s_ab, 0)
        z = conv(np.concatenate([moved, b], 1), s_ab, "w3")
        got = session.run(sample)
        np.testing.assert_array_equal(got["y"], reference.to_float(*conv(own, s_a, "w2")))
        np.testing.assert_array_equal(got["z"], reference.to_float(*z))


def dense(folder):
    """A dense block: each layer reads all before it, and gives numbers 4 times as large."""
    nodes, constants = [node("Conv", "x w0", "y0", "conv0")], {"w0": weights(1, 4, 3, 1, 1)}
    for i in range(1, 4):
        constants[f"w{i}"] = weights(1 + i, 4, 4 * i, 1, 1) * np.float32(2)
        constants[f"v{i}"] = weights(9 + i, 2, 4 * i, 1, 1)
        nodes += [
            node("Conv", f"y{i - 1} w{i}", f"a{i}", f"conv{i}"),
            node("Conv", f"y{i - 1} v{i}", f"out{i}", f"head{i}"),
            node("Concat", f"y{i - 1} a{i}", f"y{i}", f"concat{i}", axis=1),
        ]
    constants["v4"] = weights(20, 2, 16, 1, 1)
    nodes.append(node("Conv", "y3 v4", "out4", "head4"))
    outputs = {f"out{i}": [1, 2, 5, 5] for i in range(1, 5)}
    return small_models.save(folder / "model.onnx", nodes, {"x": [1, 3, 5, 5]}, outputs, constants)


def inception(folder):
    """Branches of very different ranges in one Concat; one has a head besides."""
    nodes = [
        node("Conv", "x w0", "s", "stem"),
        node("Conv", "s w1", "b1", "branch1"),
        node("Conv", "s w2", "b2", "branch2", pads=[1, 1, 1, 1]),
        node("MaxPool", "s", "p", "pool", kernel_shape=[3, 3], strides=[1, 1], pads=[1, 1, 1, 1]),
        node("Conv", "p w3", "b3", "branch3"),
        node("Concat", "b1 b2 b3", "c", "concat", axis=1),
        node("Conv", "c w4", "y", "next"),
        node("Conv", "b1 w5", "z", "head"),
    ]
    constants = {
        "w0": weights(1, 6, 3, 1, 1),
        "w1": weights(2, 3, 6, 1, 1),
        "w2": weights(3, 3, 6, 3, 3) * np.float32(10),
        "w3": weights(4, 3, 6, 1, 1),
        "w4": weights(5, 2, 9, 1, 1),
        "w5": weights(6, 2, 3, 1, 1),
    }
    outputs = {"y": [1, 2, 6, 6], "z": [1, 2, 6, 6]}
    return small_models.save(folder / "model.onnx", nodes, {"x": [1, 3, 6, 6]}, outputs, constants)


@pytest.mark.parametrize("network", [dense, inception])
@pytest.mark.parametrize("precision", CONFIGS)
def test_blocks_of_branches_keep_their_resolution(tmp_path, network, precision):
    model = network(tmp_path)
    _, worst, _ = quantized(tmp_path, model, CONFIGS[precision])
    # Errors of several layers add up: 6 dB for that.
    assert min(worst.values()) > GOOD[precision] - 6, worst
    again_from_plan(tmp_path, model)


def parts(folder, op_type):
    """A tensor whose second half is 1/64 of the first, taken apart in front of two products."""
    taken = {
        "Split": [node("Split", "a", "p q", "split", axis=1)],
        "Slice": [
            node("Slice", "a zero four one", "p", "slice_p"),
            node("Slice", "a four eight one", "q", "slice_q"),
        ],
        "Gather": [
            node("Gather", "a first", "p", "gather_p", axis=1),
            node("Gather", "a second", "q", "gather_q", axis=1),
        ],
    }
    nodes = [
        node("Conv", "x w", "a", "conv"),
        *taken[op_type],
        node("Conv", "p w1", "y", "conv_p"),
        node("Conv", "q w2", "z", "conv_q"),
        node("Conv", "a w3", "t", "conv_a"),
    ]
    size = np.repeat(np.float32([64, 1]), 4)[:, None, None, None]
    constants = {
        "w": weights(1, 8, 3, 1, 1) * size,
        "w1": weights(2, 2, 4, 1, 1),
        "w2": weights(3, 2, 4, 1, 1),
        "w3": weights(4, 2, 8, 1, 1),
    }
    indices = {"zero": [0], "one": [1], "four": [4], "eight": [8]}
    indices |= {"first": [0, 1, 2, 3], "second": [4, 5, 6, 7]}
    constants |= {
        n: np.array(v, np.int64) for n, v in indices.items() if any(n in k.input for k in nodes)
    }
    outputs = {n: [1, 2, 6, 6] for n in "yzt"}
    return small_models.save(folder / "model.onnx", nodes, {"x": [1, 3, 6, 6]}, outputs, constants)


@pytest.mark.parametrize("op_type", ["Split", "Slice", "Gather"])
@pytest.mark.parametrize("precision", CONFIGS)
def test_a_small_part_keeps_its_resolution(tmp_path, op_type, precision):
    model = parts(tmp_path, op_type)
    _, worst, report = quantized(tmp_path, model, CONFIGS[precision])
    assert min(worst.values()) > GOOD[precision], worst
    told = [note for note in report["notes"] if "one scale" in note]
    if op_type == "Split":
        assert operand(tmp_path, "split")["granted"] == "float32"
        assert "node 'split' (Split) (3" in told[0]
        assert "dB at node 'conv_q' (Conv) input0)" in told[0]
    else:
        assert not told
        assert operand(tmp_path, op_type.lower() + "_q")["granted"] != "float32"
    again_from_plan(tmp_path, model)


def boxes_and_scores(folder):
    """One Concat of both, sliced apart again for a last step."""
    nodes = [
        node("Conv", "x wb", "b", "box"),
        node("Mul", "b k", "b2", "pixels"),
        node("Conv", "x ws", "s", "score"),
        node("Sigmoid", "s", "s2", "sigmoid"),
        node("Concat", "b2 s2", "c", "concat", axis=1),
        node("Slice", "c zero four one", "cb", "slice_b"),
        node("Slice", "c four nine one", "cs", "slice_s"),
        node("Mul", "cb half", "boxes", "halves"),
        node("Mul", "cs factors", "scores", "weigh"),
    ]
    constants = {
        "wb": weights(1, 4, 8, 1, 1),
        "ws": weights(2, 5, 8, 1, 1),
        "k": np.float32(64),
        "half": np.float32(0.5),
        "factors": np.abs(weights(3, 5, 1, 1)),
    }
    indices = {"zero": [0], "one": [1], "four": [4], "nine": [9]}
    constants |= {n: np.array(v, np.int64) for n, v in indices.items()}
    outputs = {"boxes": [1, 4, 6, 6], "scores": [1, 5, 6, 6]}
    return small_models.save(folder / "model.onnx", nodes, {"x": [1, 8, 6, 6]}, outputs, constants)


def test_scores_beside_boxes_are_scores(tmp_path):
    model = boxes_and_scores(tmp_path)
    _, worst, report = quantized(tmp_path, model, MAX)
    assert min(worst.values()) > GOOD["int8"], worst
    assert operand(tmp_path, "concat")["granted"] == "float32"
    assert any("stay float32" in n and "node 'concat' (Concat)" in n for n in report["notes"])
    again_from_plan(tmp_path, model)


def test_a_concat_that_the_config_names_stays_and_is_reported(tmp_path):
    model = boxes_and_scores(tmp_path)
    _, worst, report = quantized(
        tmp_path, model, {**MAX, "op_config": {"Concat": {"qtype": "int8"}}}
    )
    assert operand(tmp_path, "concat")["granted"] == "int8"
    (note,) = [note for note in report["notes"] if "'concat' (Concat)" in note]
    assert "the config asks for" in note
    assert "dB at node 'weigh' (Mul) input0" in note
    assert worst["scores"] < 10


def test_a_concat_at_the_end_stays_float(tmp_path):
    nodes = [
        node("Conv", "x wb", "b", "box"),
        node("Conv", "x ws", "s", "score"),
        node("Sigmoid", "s", "s2", "sigmoid"),
        node("Concat", "b s2", "y", "concat", axis=1),
    ]
    constants = {"wb": weights(1, 4, 8, 1, 1) * np.float32(200), "ws": weights(2, 5, 8, 1, 1)}
    outputs = {"y": [1, 9, 6, 6]}
    model = small_models.save(
        tmp_path / "model.onnx", nodes, {"x": [1, 8, 6, 6]}, outputs, constants
    )
    path, _, _ = quantized(tmp_path, model, MAX)
    right, session = onnxruntime_of(model), twofold.Session(path)
    for sample in samples_of(model):
        scores = (right(sample)["y"][:, 4:], session.run(sample)["y"][:, 4:])
        assert decibels(*scores) > GOOD["int8"]


def test_a_target_with_shared_scales_has_one_and_says_what_it_costs(tmp_path):
    model = pyramid(tmp_path, 100)
    target = tmp_path / "npu.yaml"
    target.write_text(
        "name: npu\nshared_scales: true\noperators:\n"
        "  - {ops: '*', combinations: [{each_input: [int8]}, {each_input: [float32]}]}\n"
    )
    _, worst, report = quantized(tmp_path, model, MAX, target=str(target))
    assert len({scale(tmp_path, n) for n in ("conv_b", "conv_y", "concat", "conv_z")}) == 1
    (note,) = [note for note in report["notes"] if "one scale" in note]
    for name in ("conv_b", "conv_y"):
        assert f"dB at node '{name}' (Conv) input0" in note
    assert worst["y"] < GOOD["int8"]
    again_from_plan(tmp_path, model)


def chosen_by_place(folder):
    """Where, Max, Min and a Pad of tensors 100 times apart; each is read by a product too."""
    nodes = [
        node("Conv", "x w", "a", "conv_a"),
        node("Conv", "x w1", "b", "conv_b"),
        node("Greater", "x0 b0", "m", "greater"),
        node("Where", "m a b", "c", "where"),
        node("Max", "a b", "d", "max"),
        node("Min", "a b", "e", "min"),
        node("Pad", "a pads", "f", "pad"),
        node("Concat", "f g", "h", "concat", axis=1),
    ]
    names = {"a": "y1", "c": "y2", "d": "y3", "e": "y4", "f": "y5", "h": "y6"}
    nodes.insert(7, node("Conv", "f w2", "g", "conv_g"))
    nodes += [node("Conv", f"{n} v{n}", y, f"head_{n}") for n, y in names.items()]
    constants = {
        "w": weights(1, 4, 3, 1, 1),
        "w1": weights(2, 4, 3, 1, 1) * np.float32(100),
        "w2": weights(3, 4, 4, 1, 1) * np.float32(100),
        "b0": np.float32(0),
        "pads": np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64),
    }
    constants |= {f"v{n}": weights(9, 2, 8 if n == "h" else 4, 1, 1) for n in names}
    outputs = {y: [1, 2, 8, 8] if n in "fh" else [1, 2, 6, 6] for n, y in names.items()}
    inputs = {"x": [1, 3, 6, 6], "x0": [1, 1, 6, 6]}
    return small_models.save(folder / "model.onnx", nodes, inputs, outputs, constants)


def test_operators_that_choose_by_place_cost_other_readers_nothing(tmp_path):
    model = chosen_by_place(tmp_path)
    _, worst, _ = quantized(tmp_path, model, MAX)
    # Where, Max and Min read `a` too, beside numbers 100 times as large.
    assert min(worst["y1"], worst["y5"]) > GOOD["int8"], worst
    # What these choose is rounded before and behind.
    assert min(worst.values()) > GOOD["int8"] - 6, worst
