"""The rules that make qconfigs fit together, on graphs of a few layers; dtypes derived by hand."""

import pytest
import torch
from hand_recordings import Hand
from torch import nn
from twofold.dtype import ec, qint8, qint16
from twofold.quantization._canonicalize.run import canonicalize, input_dtypes
from twofold.quantization._qconfig_parts import dtype_of
from twofold.quantization._record.graph import Value
from twofold.quantization.fake_cast import FakeCast
from twofold.quantization.fake_quantize import FakeQuantize
from twofold.quantization.fx.graph_optimizers import (
    FallbackStrategyVersion,
    QconfigCanonicalizer,
)
from twofold.quantization.observer_v2 import FixedScaleObserver, MinMaxObserver
from twofold.quantization.qconfig import QConfig, get_qconfig

FQ = FakeQuantize.with_args(observer=MinMaxObserver)
FIXED = FakeQuantize.with_args(observer=FixedScaleObserver, scale=0.5, dtype=qint8)
W8A8 = QConfig(output=FQ.with_args(dtype=qint8), weight=FQ.with_args(dtype=qint8, ch_axis=0))
W8A16 = QConfig(output=FQ.with_args(dtype=qint16), weight=W8A8.weight)


def asking(*dtypes, weight=qint8, output=qint8):
    """A qconfig that lists what its inputs are to be."""
    inputs = [None if dtype is None else FQ.with_args(dtype=dtype) for dtype in dtypes]
    return QConfig(
        input=inputs, weight=FQ.with_args(dtype=weight), output=FQ.with_args(dtype=output)
    )


def attention():
    """quant -> q, k -> matmul -> dequant."""
    hand = Hand()
    x = hand.stub("quant", (2, 4))
    q = hand("q", nn.Linear(4, 4), x)
    k = hand("k", nn.Linear(4, 4), x)
    t = hand("_move", "permute", k, dims=(1, 0))
    hand.dequant("dequant", hand("_generated_matmul_0", "matmul", q, t))
    return hand


def uniform(hand, **others):
    qconfigs = {layer.name: W8A8 for layer in hand.recording.layers if layer.module is not None}
    return {**qconfigs, **others}


def outputs(canonical):
    return {name: str(dtype_of(q, "output")) for name, q in canonical.qconfigs.items() if q}


def test_matmul_wants_int16_of_its_producers():
    hand = attention()
    wish = {"_generated_matmul_0": asking(qint16, qint16)}
    made = canonicalize(hand.recording, uniform(hand, **wish))
    assert outputs(made)["q"] == outputs(made)["k"] == "qint16"
    assert outputs(made)["quant"] == "qint8"
    assert made.qconfigs["_generated_matmul_0"].input is None  # nothing left to quantize there
    rows = [change for change in made.changes if change.layer in ("q", "k")]
    assert [(c.layer, c.what, c.before, c.after) for c in rows] == [
        ("q", "output", "qint8", "qint16"),
        ("k", "output", "qint8", "qint16"),
    ]
    assert "'_generated_matmul_0' wants it as input1" in rows[1].why
    dtypes = input_dtypes(hand.recording, made.qconfigs)
    assert dtypes["_generated_matmul_0", 0] == dtypes["_generated_matmul_0", 1] == qint16
    assert dtypes["q", 0] == dtypes["q", 1] == qint8


def test_producers_that_were_named_give_int16_to_the_matmul():
    hand = attention()
    made = canonicalize(hand.recording, uniform(hand, q=W8A16, k=W8A16))
    dtypes = input_dtypes(hand.recording, made.qconfigs)
    assert dtypes["_generated_matmul_0", 0] == dtypes["_generated_matmul_0", 1] == qint16


def test_conv_with_w16a16_makes_its_producer_int16():
    hand = Hand()
    x = hand.stub("quant", (1, 3, 4, 4))
    a = hand("a", nn.Conv2d(3, 3, 1), x)
    r = hand("relu", nn.ReLU(), a)
    hand.output(hand("b", nn.Conv2d(3, 3, 1), r))
    w16a16 = get_qconfig(MinMaxObserver, in_dtype=qint16, weight_dtype=qint16, out_dtype=qint8)
    made = canonicalize(hand.recording, uniform(hand, b=w16a16))
    dtypes = input_dtypes(hand.recording, made.qconfigs)
    assert dtypes["b", 0] == dtypes["b", 1] == qint16
    # relu hands a's numbers on: 8 bits there would spoil them.
    assert outputs(made) == {"quant": "qint8", "a": "qint16", "relu": "qint16", "b": "qint8"}


def test_readers_that_want_less_requantize_and_others_take_what_comes():
    hand = Hand()
    x = hand.stub("quant", (2, 4))
    p = hand("p", nn.Linear(4, 4), x)
    for name in ("wide", "narrow", "silent"):
        hand.output(hand(name, nn.Linear(4, 4), p))
    wishes = {"wide": asking(qint16), "narrow": asking(qint8)}
    made = canonicalize(hand.recording, uniform(hand, **wishes))
    assert outputs(made)["p"] == "qint16"
    assert made.qconfigs["wide"].input is None
    assert dtype_of(made.qconfigs["narrow"], "input") == [qint8]
    assert made.qconfigs["silent"].input is None
    dtypes = input_dtypes(hand.recording, made.qconfigs)
    assert (dtypes["wide", 0], dtypes["narrow", 0], dtypes["silent", 0]) == (qint16, qint8, qint16)


def test_a_reader_that_wants_float_leaves_the_others_their_integers():
    hand = Hand()
    x = hand.stub("quant", (2, 4))
    p = hand("p", nn.Linear(4, 4), x)
    hand.output(hand("exact", nn.ReLU(), p), hand("fc", nn.Linear(4, 4), p))
    wish = QConfig(input=[FakeCast.with_args(dtype=torch.float32)], output=FQ)
    made = canonicalize(hand.recording, uniform(hand, exact=wish))
    assert made.qconfigs["p"].output is None
    assert dtype_of(made.qconfigs["fc"], "input") == [qint8]


def test_cat_hands_the_wish_on_to_all_that_it_joins():
    hand = Hand()
    x = hand.stub("quant", (2, 4))
    a, b = hand("a", nn.Linear(4, 4), x), hand("b", nn.Linear(4, 4), x)
    c = hand("_generated_cat_0", "cat", a, b, dim=1)
    hand.output(hand("fc", nn.Linear(8, 4), c))
    made = canonicalize(hand.recording, uniform(hand, fc=asking(qint16)))
    assert outputs(made) == {
        "quant": "qint8",
        "a": "qint16",
        "b": "qint16",
        "_generated_cat_0": "qint16",
        "fc": "qint8",
    }
    assert any("'_generated_cat_0' hands its numbers on" in c.why for c in made.changes)


def test_a_fixed_scale_is_not_widened_and_the_log_says_so():
    hand = attention()
    q = QConfig(output=FIXED, weight=W8A8.weight)
    wish = {"_generated_matmul_0": asking(qint16, None), "q": q}
    made = canonicalize(hand.recording, uniform(hand, **wish))
    assert made.qconfigs["q"].output is FIXED
    assert input_dtypes(hand.recording, made.qconfigs)["_generated_matmul_0", 0] == qint8
    (row,) = [change for change in made.changes if change.layer == "q"]
    assert row.before == row.after == "qint8" and "fixed scale" in row.why


def test_a_stub_with_a_scale_gets_more_steps_of_the_same_size():
    hand = Hand()
    x = hand.stub("quant", (2, 4), scale=1 / 128)
    hand.output(hand("fc", nn.Linear(4, 4), x))
    made = canonicalize(hand.recording, uniform(hand, fc=asking(qint16)))
    assert outputs(made)["quant"] == "qint16"
    (row,) = [change for change in made.changes if change.layer == "quant"]
    assert "its fixed scale stays" in row.why


def test_a_fixed_input_is_quantized_where_it_was_fixed():
    hand = attention()
    own = FIXED.with_args(dtype=qint16)
    wish = QConfig(input=[own, None], output=FQ)
    made = canonicalize(hand.recording, uniform(hand, _generated_matmul_0=wish))
    assert outputs(made)["q"] == "qint8"
    assert made.qconfigs["_generated_matmul_0"].input == (own,)


def test_constants_and_float_layers_are_quantized_by_their_readers():
    hand = Hand()
    x = hand.stub("quant", (2, 4))
    f = hand("exact", nn.Linear(4, 4), x)
    s = hand("_generated_add_0", "add", f, hand.constant(4))
    hand.output(hand("fc", nn.Linear(4, 4), s))
    made = canonicalize(hand.recording, uniform(hand, exact=None, _generated_add_0=W8A16))
    assert made.qconfigs["exact"] is None
    assert dtype_of(made.qconfigs["_generated_add_0"], "input") == [qint16, qint16]
    whys = {c.what: c.why for c in made.changes if c.layer == "_generated_add_0"}
    assert "it is float" in whys["input0"] and "it is a constant" in whys["input1"]


def test_zeros_are_on_every_scale_unless_they_learn():
    for tensor, asked in ((torch.zeros(4), False), (nn.Parameter(torch.zeros(4)), True)):
        hand = Hand()
        fc = hand("fc", nn.Linear(4, 4), hand.stub("quant", (1, 4)))
        added = hand("_generated_add_0", "add", fc, Value(tensor))
        hand.output(hand("head", nn.Linear(4, 4), added))
        made = canonicalize(hand.recording, uniform(hand))
        parts = made.qconfigs["_generated_add_0"].input
        assert (parts is not None and parts[1] is not None) is asked


def test_a_constant_is_as_wide_as_the_sum_that_readers_want():
    hand = Hand()
    x = hand.stub("quant", (2, 4))
    s = hand("_generated_add_0", "add", x, hand.constant(4))
    hand.output(hand("fc", nn.Linear(4, 4), s))
    made = canonicalize(hand.recording, uniform(hand, fc=asking(qint16)))
    assert dtype_of(made.qconfigs["_generated_add_0"], "input") == [None, qint16]
    assert outputs(made)["quant"] == "qint8"


@pytest.mark.parametrize("other", [qint8, None])
def test_a_product_in_front_of_a_float_output_quantizes_a_constant_beside_integers(other):
    hand = Hand()
    x = hand.stub("quant", (2, 4))
    hand.output(hand("_generated_matmul_0", "matmul", x, hand.constant(4, 4)))
    stub = None if other is None else QConfig(output=FQ)
    precise = QConfig(weight=W8A8.weight)
    made = canonicalize(hand.recording, {"quant": stub, "_generated_matmul_0": precise})
    dtypes = dtype_of(made.qconfigs["_generated_matmul_0"], "input")
    assert dtypes == (None if other is None else [None, qint8])


def test_inputs_of_a_model_without_stubs_are_quantized_by_their_readers():
    hand = Hand()
    hand.output(hand("fc", nn.Linear(4, 4), hand.input(2, 4, quantized=True)))
    made = canonicalize(hand.recording, uniform(hand))
    assert dtype_of(made.qconfigs["fc"], "input") == [qint8]


def test_output_stays_precise_where_only_a_dequant_stub_reads_it():
    hand = attention()
    made = canonicalize(hand.recording, uniform(hand))
    assert made.qconfigs["_generated_matmul_0"].output is None
    (row,) = made.changes
    assert row == ("_generated_matmul_0", "output", "qint8", "torch.float32", row.why)
    assert "DeQuantStub" in row.why
    plain = canonicalize(hand.recording, uniform(hand), optimize=False)
    assert outputs(plain)["_generated_matmul_0"] == "qint8" and not plain.changes


@pytest.mark.parametrize("reason", ["reader", "output", "fixed", "no product"])
def test_output_is_quantized_where_more_than_dequant_stubs_need_it(reason):
    hand = Hand()
    x = hand.stub("quant", (2, 4))
    name, kind = ("relu", nn.ReLU()) if reason == "no product" else ("fc", nn.Linear(4, 4))
    y = hand(name, kind, x)
    hand.dequant("dequant", y)
    if reason == "reader":
        hand.output(hand("more", nn.ReLU(), y))
    if reason == "output":
        hand.output(hand("_move", "flatten", y, start_dim=0, end_dim=-1))
    fixed = {"fc": QConfig(output=FIXED, weight=W8A8.weight)} if reason == "fixed" else {}
    made = canonicalize(hand.recording, uniform(hand, **fixed))
    assert outputs(made)[name] == "qint8"


def sampler():
    """A grid out of a Linear through an add and a reshape; an image out of a Conv."""
    hand = Hand()
    image = hand("image", nn.Conv2d(3, 3, 1), hand.stub("quant", (1, 3, 4, 4)))
    deep = hand("deep", nn.Linear(4, 4), hand.stub("quant_grid", (1, 4)))
    offsets = hand("offsets", nn.Linear(4, 8), deep)
    moved = hand("_generated_add_0", "add", offsets, hand.constant(8))
    grid = hand("_move", "reshape", moved, shape=(1, 2, 2, 2))
    sampled = hand(
        "_generated_grid_sample_0",
        "grid_sample",
        image,
        grid,
        mode="bilinear",
        padding_mode="zeros",
        align_corners=False,
    )
    hand.output(hand("head", nn.Conv2d(3, 3, 1), sampled))
    return hand


def test_grids_are_int16_up_to_the_product_that_makes_them():
    hand = sampler()
    made = canonicalize(hand.recording, uniform(hand))
    assert outputs(made) == {
        "quant": "qint8",
        "image": "qint8",
        "quant_grid": "qint8",
        "deep": "qint8",
        "offsets": "qint16",
        "_generated_add_0": "qint16",
        "_generated_grid_sample_0": "qint8",
        "head": "qint8",
    }
    assert any("the grid of '_generated_grid_sample_0'" in c.why for c in made.changes)
    plain = canonicalize(hand.recording, uniform(hand), optimize=False)
    assert outputs(plain)["offsets"] == outputs(plain)["_generated_add_0"] == "qint8"


def test_a_grid_that_asks_for_8_bits_on_its_way_gets_16():
    hand = sampler()
    made = canonicalize(hand.recording, uniform(hand, _generated_add_0=asking(qint8, None)))
    assert input_dtypes(hand.recording, made.qconfigs)["_generated_add_0", 0] == qint16


def v1(hand, qconfigs, ranking=None):
    made = canonicalize(hand.recording, qconfigs, policy="v1", ranking=ranking)
    return made, input_dtypes(hand.recording, made.qconfigs)


def test_v1_keeps_the_producer_that_runs_first():
    hand = attention()
    made, dtypes = v1(hand, uniform(hand, _generated_matmul_0=asking(qint16, qint16)))
    assert dtypes["_generated_matmul_0", 0] == qint16
    assert dtypes["_generated_matmul_0", 1] == qint8
    assert outputs(made)["k"] == "qint8"
    (row,) = [c for c in made.changes if c.what == "input1"]
    assert (row.before, row.after) == ("qint16", "qint8")
    assert "fallback V1" in row.why and "'q' runs first" in row.why


def test_v1_keeps_what_setters_name_first():
    hand = attention()
    wish = uniform(hand, q=W8A16, k=W8A16)
    made, dtypes = v1(hand, wish, {"k": 0, "q": 1})
    assert dtypes["_generated_matmul_0", 0] == qint8
    assert dtypes["_generated_matmul_0", 1] == qint16
    # Nobody else reads q, so that it need not have 16 bits either.
    assert outputs(made)["q"] == "qint8" and outputs(made)["k"] == "qint16"
    assert any("'k' is what setters name first" in c.why for c in made.changes)
    assert v1(hand, wish, {"k": 0})[1]["_generated_matmul_0", 1] == qint16


def test_v1_leaves_a_producer_alone_that_others_read():
    hand = attention()
    hand.output(hand("other", nn.ReLU(), hand.layer("k").outputs[0]))
    made, dtypes = v1(hand, uniform(hand, q=W8A16, k=W8A16))
    assert dtypes["_generated_matmul_0", 1] == qint8
    assert outputs(made)["k"] == "qint16" and dtypes["other", 0] == qint16
    assert dtype_of(made.qconfigs["_generated_matmul_0"], "input") == [None, qint8]


def test_v1_makes_a_weight_int8_unless_it_is_ranked_first():
    hand = Hand()
    a = hand("a", nn.Linear(4, 4), hand.stub("quant", (2, 4)))
    hand.output(hand("b", nn.Linear(4, 4), a))
    wish = uniform(hand, b=asking(qint16, weight=qint16))
    made, dtypes = v1(hand, wish)
    assert (dtypes["b", 0], dtypes["b", 1]) == (qint16, qint8)
    assert dtype_of(made.qconfigs["b"], "weight") == qint8 and outputs(made)["a"] == "qint16"
    made, dtypes = v1(hand, wish, {"b.weight": 0})
    assert (dtypes["b", 0], dtypes["b", 1]) == (qint8, qint16)
    assert outputs(made)["a"] == "qint8"
    dual = canonicalize(hand.recording, wish, policy="v2")
    dtypes = input_dtypes(hand.recording, dual.qconfigs)
    assert (dtypes["b", 0], dtypes["b", 1]) == (qint16, qint16)


def test_v1_counts_an_ec_weight_as_16_bits():
    hand = Hand()
    hand.output(hand("b", nn.Linear(4, 4), hand.stub("quant", (2, 4))))
    _, dtypes = v1(hand, uniform(hand, b=asking(qint16, weight=ec)))
    assert (dtypes["b", 0], dtypes["b", 1]) == (qint16, qint8)


def test_v1_of_a_square_keeps_the_first_input():
    hand = Hand()
    q = hand("q", nn.Linear(4, 4), hand.stub("quant", (4, 4)))
    hand.output(hand("_generated_matmul_0", "matmul", q, q))
    made, dtypes = v1(hand, uniform(hand, q=W8A16))
    assert (dtypes["_generated_matmul_0", 0], dtypes["_generated_matmul_0", 1]) == (qint16, qint8)
    assert outputs(made)["q"] == "qint16"


def test_v1_has_nothing_to_say_about_one_wide_input_or_sums():
    hand = attention()
    _, dtypes = v1(hand, uniform(hand, k=W8A16))
    assert dtypes["_generated_matmul_0", 1] == qint16
    hand = Hand()
    x = hand.stub("quant", (2, 4))
    hand.output(hand("_generated_add_0", "add", x, hand("fc", nn.Linear(4, 4), x)))
    made, dtypes = v1(hand, uniform(hand, quant=W8A16, fc=W8A16))
    assert dtypes["_generated_add_0", 0] == dtypes["_generated_add_0", 1] == qint16


def test_v1_keeps_the_range_of_a_fixed_scale():
    hand = Hand()
    a = hand("a", nn.Linear(4, 4), hand.stub("quant", (2, 4)))
    hand.output(hand("b", nn.Linear(4, 4), a))
    scale = torch.tensor([2.0**-15, 2.0**-14, 1.0, 2.0])
    weight = FIXED.with_args(dtype=qint16, scale=scale, ch_axis=0)
    wish = QConfig(input=[FQ.with_args(dtype=qint16)], weight=weight, output=FQ)
    made, _ = v1(hand, uniform(hand, b=wish))
    made = made.qconfigs["b"].weight()
    # 2^15 steps of 2^-15 are 2^7 steps of 2^-7.
    assert made.dtype == qint8 and torch.equal(made.scale, scale * 256)


def test_nothing_that_is_given_changes():
    hand = attention()
    qconfigs = uniform(hand, _generated_matmul_0=asking(qint16, qint16))
    before = dict(qconfigs)
    canonicalize(hand.recording, qconfigs, policy="v1")
    assert qconfigs == before


def test_a_shared_module_keeps_a_request_that_one_of_its_calls_needs():
    hand = Hand()
    x, y = hand.stub("wide", (2, 4)), hand.stub("narrow", (2, 4))
    hand.output(hand("fc", nn.Linear(4, 4), x), hand.again("fc", y))
    wish = {"fc": asking(qint8), "wide": W8A16}
    made = canonicalize(hand.recording, uniform(hand, **wish))
    assert dtype_of(made.qconfigs["fc"], "input") == [qint8]


def test_the_version_beats_the_target():
    hand = attention()
    qconfigs = uniform(hand, q=W8A16, k=W8A16)

    def second(policy):
        made = QconfigCanonicalizer.canonicalize(hand.recording, qconfigs, target_policy=policy)
        return input_dtypes(hand.recording, made.qconfigs)["_generated_matmul_0", 1]

    assert QconfigCanonicalizer.get_fallback_strategy_version() is None
    assert (second("v1"), second("v2")) == (qint8, qint16)
    try:
        QconfigCanonicalizer.set_fallback_strategy_version(FallbackStrategyVersion.V2)
        assert second("v1") == qint16
        QconfigCanonicalizer.set_fallback_strategy_version("V1")
        assert second("v2") == qint8
        version = QconfigCanonicalizer.get_fallback_strategy_version()
        assert version is FallbackStrategyVersion.V1
        with pytest.raises(ValueError, match=r"'v3'.*V1"):
            QconfigCanonicalizer.set_fallback_strategy_version("v3")
    finally:
        QconfigCanonicalizer.set_fallback_strategy_version(None)
    assert second("v1") == qint8


def test_both_import_paths_are_the_same_class():
    from twofold.fx import graph_optimizers

    assert graph_optimizers.QconfigCanonicalizer is QconfigCanonicalizer
