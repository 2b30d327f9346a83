"""Runs from the middle: they give what whole runs of the model with the tensor replaced give."""

import json
import threading
from pathlib import Path

import numpy as np
import onnx
import pytest
import twofold
from onnx import helper

DIGITS = Path(__file__).parents[2] / "examples" / "digits"
CONFIGS = {
    "int8": {},
    "int16": {"model_config": {"all_node_type": "int16"}},
    "dual": {"op_config": {"Conv": {"qtype": "dual-int16"}, "MatMul": {"qtype": "dual-int16"}}},
}
EC = {
    "model_config": {"all_node_type": "int16"},
    "op_config": {op: {"qtype": "int16-ec"} for op in ("Conv", "MatMul", "Gemm")},
}
# All that comes from the convolutions passes through it.
CUT = "/Concat_output_0"
WATCHED = ["/relu/Relu_output_0", "/hard_swish/HardSwish_output_0", "/Add_output_0", CUT]


def image(seed, batch=2):
    return np.random.default_rng(seed).random((batch, 1, 28, 28), dtype=np.float32)


@pytest.fixture(scope="module", params=CONFIGS)
def quantized(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("kept") / f"{request.param}.onnx"
    twofold.quantize(
        DIGITS / "digits.onnx",
        DIGITS / "calibration.npz",
        config=CONFIGS[request.param],
        output=path,
        threads=1,
    )
    return path


def with_input_instead(model, tensor, array):
    """The model as it is where `tensor` is an input and no longer what a node computes."""
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    for node in changed.graph.node:
        for i, output in enumerate(node.output):
            if output == tensor:
                node.output[i] = f"{tensor} as it was"
    kind = helper.np_dtype_to_tensor_dtype(array.dtype)
    changed.graph.input.append(helper.make_tensor_value_info(tensor, kind, array.shape))
    return changed.SerializeToString()


def disturbed(array, seed):
    noise = np.random.default_rng(seed).normal(size=array.shape) * (array.std() + 1e-3)
    bounds = None if array.dtype == np.float32 else np.iinfo(array.dtype)
    changed = array + noise
    return (changed if bounds is None else changed.clip(bounds.min, bounds.max)).astype(array.dtype)


def test_every_tensor_that_can_be_watched_gives_the_bits_of_whole_runs(quantized):
    model = onnx.load(quantized)
    plain = twofold.Session(quantized, threads=1).run({"image": image(1)})["logits"]
    watchable = effective = 0
    for node in model.graph.node:
        tensor = node.output[0]
        if node.op_type == "Constant" or tensor == "logits":
            continue
        try:
            session = twofold.Session(quantized, threads=1, watched=[tensor])
        except twofold.Error as error:
            assert f"'{tensor}' cannot be watched" in str(error)
            continue
        watchable += 1
        kept = session.keep({"image": image(1)})
        np.testing.assert_array_equal(kept.outputs["logits"], plain, tensor)
        array = disturbed(kept.value(tensor), 2)
        got = kept.run_from({tensor: array})["logits"]
        whole = twofold.Session(with_input_instead(model, tensor, array), threads=1)
        expected = whole.run({"image": image(1), tensor: array})["logits"]
        np.testing.assert_array_equal(got, expected, tensor)
        effective += not np.array_equal(got, plain)
    assert watchable > 50
    assert effective > 45


@pytest.mark.parametrize("config", [*CONFIGS, "ec"])
def test_every_activation_of_a_plan_can_be_read_and_changed(config, tmp_path):
    path = tmp_path / "q.onnx"
    twofold.quantize(
        DIGITS / "digits.onnx",
        DIGITS / "calibration.npz",
        config=(CONFIGS | {"ec": EC})[config],
        output=path,
        plan=tmp_path / "plan.json",
        threads=1,
    )
    model = onnx.load(path)
    operands = json.loads((tmp_path / "plan.json").read_text())["operands"]
    integers = {"int8", "int16", "ec"}
    names = sorted(
        {o["value"] for o in operands if o["granted"] in integers and not o.get("is_weight")}
    )
    assert len(names) > 25
    together = twofold.Session(path, threads=1, watched=names).keep({"image": image(1)})
    plain = twofold.Session(path, threads=1).run({"image": image(1)})["logits"]
    np.testing.assert_array_equal(together.outputs["logits"], plain)
    computed = {output for node in model.graph.node for output in node.output} | {"image"}
    effective = 0
    for tensor in names:
        own = together.value(tensor)
        alone = twofold.Session(path, threads=1, watched=[tensor]).keep({"image": image(1)})
        np.testing.assert_array_equal(alone.value(tensor), own, tensor)
        np.testing.assert_array_equal(alone.outputs["logits"], plain, tensor)
        for kept in (alone, together):
            np.testing.assert_array_equal(kept.run_from({tensor: own})["logits"], plain, tensor)
        array = disturbed(own, 2)
        if tensor not in computed:  # a constant that an operator reads as integers
            scaled = (alone.run_from({tensor: factor * own})["logits"] for factor in (0.5, 0.25))
            assert not np.array_equal(*scaled)
            effective += 1
            continue
        if tensor == "image":
            expected = twofold.Session(path, threads=1).run({"image": array})["logits"]
        else:
            whole = twofold.Session(with_input_instead(model, tensor, array), threads=1)
            expected = whole.run({"image": image(1), tensor: array})["logits"]
        for kept in (alone, together):
            np.testing.assert_array_equal(
                kept.run_from({tensor: array})["logits"], expected, tensor
            )
        effective += not np.array_equal(expected, plain)
    assert effective > 0.9 * len(names)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("cap", [None, 30_000, 0])
def test_what_is_kept_changes_no_bit(quantized, cap, threads):
    session = twofold.Session(quantized, threads=threads, watched=WATCHED)
    kept = session.keep({"image": image(1)}, memory_cap=cap)
    all_kept = twofold.Session(quantized, threads=1, watched=WATCHED).keep({"image": image(1)})
    assert kept.kept_bytes <= (all_kept.kept_bytes if cap is None else cap)
    assert kept.kept_bytes > 0 or cap == 0
    for tensor in ["image", *WATCHED]:
        array = all_kept.value(tensor)
        np.testing.assert_array_equal(kept.value(tensor), array)
        np.testing.assert_array_equal(
            kept.run_from({tensor: array})["logits"], kept.outputs["logits"]
        )
        array = disturbed(array, 3)
        np.testing.assert_array_equal(
            kept.run_from({tensor: array})["logits"], all_kept.run_from({tensor: array})["logits"]
        )
    assert kept.nodes_to_run([]) == 0
    assert kept.nodes_to_run([CUT]) <= kept.nodes_to_run(["image"])
    np.testing.assert_array_equal(
        kept.run_from({"image": image(4)})["logits"], session.run({"image": image(4)})["logits"]
    )


def test_a_float_model_goes_on_from_a_cut():
    session = twofold.Session(DIGITS / "digits.onnx", threads=1, watched=WATCHED)
    kept, other = session.keep({"image": image(1)}), session.keep({"image": image(2)})
    expected = session.run({"image": image(2)})["logits"]
    np.testing.assert_array_equal(kept.run_from({CUT: other.value(CUT)})["logits"], expected)
    np.testing.assert_array_equal(kept.run_from({"image": image(2)})["logits"], expected)
    assert kept.nodes_to_run([CUT]) < kept.nodes_to_run(["/relu/Relu_output_0"])


def test_integers_given_hide_the_numbers_they_would_come_from(quantized):
    real = "/hard_swish/HardSwish_output_0"
    nodes = onnx.load(quantized).graph.node
    integers = next(
        n.output[0] for n in nodes if n.op_type == "QuantizeLinear" and n.input[0] == real
    )
    kept = twofold.Session(quantized, threads=1, watched=[real, integers]).keep({"image": image(1)})
    numbers, codes = disturbed(kept.value(real), 5), disturbed(kept.value(integers), 6)
    both = kept.run_from({real: numbers, integers: codes})["logits"]
    np.testing.assert_array_equal(both, kept.run_from({integers: codes})["logits"])
    assert (both != kept.run_from({real: numbers})["logits"]).any()


def test_kept_runs_outlive_their_session_and_run_at_once(quantized):
    kept = twofold.Session(quantized, threads=1, watched=WATCHED).keep(
        {"image": image(1)}, memory_cap=30_000
    )
    arrays = [disturbed(kept.value(CUT), seed) for seed in range(6)]
    alone = [kept.run_from({CUT: array})["logits"] for array in arrays]
    together = [None] * len(arrays)

    def work(i):
        for _ in range(5):
            together[i] = kept.run_from({CUT: arrays[i]})["logits"]

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(arrays))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_array_equal(together, alone)


def test_arrays_are_the_kept_bytes_and_cannot_be_written_to():
    tensor = "/norm1/LayerNormalization_output_0"
    session = twofold.Session(DIGITS / "digits.onnx", threads=1, watched=[tensor])
    given = image(1)
    kept = session.keep({"image": given})
    assert np.shares_memory(kept.value("image"), given)
    assert np.shares_memory(kept.value(tensor), kept.value(tensor))
    assert np.shares_memory(kept.outputs["logits"], kept.outputs["logits"])
    for array in (kept.value("image"), kept.value(tensor), kept.outputs["logits"]):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0
    # What did not change is not handed out to be written to either.
    same = kept.run_from({})["logits"]
    same[...] = 0
    assert kept.outputs["logits"].any()
    value = kept.value(tensor)
    expected = value.copy()
    del kept, session
    np.testing.assert_array_equal(value, expected)


def test_runs_can_be_cancelled():
    last = "/norm3/LayerNormalization_output_0"
    session = twofold.Session(DIGITS / "digits.onnx", threads=1, watched=[last])
    batch = image(1, batch=4096)  # far more than the 50 ms after which Python is asked
    kept = session.keep({"image": batch}, memory_cap=0)
    for action in (
        lambda: session.keep({"image": batch}, cancelled=lambda: True),
        lambda: kept.run_from({"image": batch}, cancelled=lambda: True),
        lambda: kept.value(last, cancelled=lambda: True),
    ):
        with pytest.raises(twofold.Cancelled):
            action()
    assert kept.value(last).shape[0] == 4096


def message_of(action):
    with pytest.raises(twofold.Error) as info:
        action()
    return str(info.value)


def test_names_that_are_wrong_are_told_with_what_to_do():
    path = DIGITS / "digits.onnx"

    def watching(name):
        return message_of(lambda: twofold.Session(path, watched=[name]))

    assert (
        "no tensor '/Concat_output' to watch; the nearest names are: '/Concat_output_0'"
        in watching("/Concat_output")
    )
    assert "'head.weight' cannot be watched: it is a constant" in watching("head.weight")
    # A BatchNormalization is folded into the convolution before it.
    inner = "/stem/stem.0/Conv_output_0"
    assert f"'{inner}' cannot be watched: in the model that runs" in watching(inner)

    kept = twofold.Session(path, threads=1, watched=[CUT]).keep({"image": image(1)})
    other = "/relu/Relu_output_0"
    for action in (
        lambda: kept.value(other),
        lambda: kept.run_from({other: image(1)}),
        lambda: kept.nodes_to_run([other]),
    ):
        assert f"'{other}' is not watched: name it in the session's option `watched`" in message_of(
            action
        )
    assert "no tensor 'imag'; the nearest that are inputs or watched are: 'image'" in message_of(
        lambda: kept.value("imag")
    )


def test_tensors_of_another_kind_are_refused(quantized):
    kept = twofold.Session(quantized, threads=1, watched=WATCHED).keep(
        {"image": image(1)}, memory_cap=0
    )
    for tensor in WATCHED:
        array = kept.value(tensor)
        for wrong in (array.astype(np.float64), array[:1], array[..., None]):
            message = message_of(lambda tensor=tensor, wrong=wrong: kept.run_from({tensor: wrong}))
            assert f"tensor '{tensor}' is float32 [{','.join(map(str, array.shape))}]" in message
            assert f"but {wrong.dtype} [{','.join(map(str, wrong.shape))}] was given" in message
