"""Classic setters: who gets which qconfig, by names and tables, and in which order."""

import logging

import pytest
import torch
from hand_recordings import Hand
from torch import nn
from twofold import Error
from twofold.dtype import qint8, qint16
from twofold.quantization import qconfig_template as classic
from twofold.quantization._canonicalize.run import canonicalize, input_dtypes
from twofold.quantization._qconfig_parts import dtype_of
from twofold.quantization._setters.qconfig_dict import QconfigDictSetter
from twofold.quantization._setters.run import run_setters
from twofold.quantization.observer_v2 import MinMaxObserver, MSEObserver
from twofold.quantization.qconfig import QConfig, get_qconfig
from twofold.quantization.qconfig_template import (
    ModuleNameQconfigSetter,
    QconfigSetterBase,
    default_calibration_qconfig_setter,
    default_qat_fixed_act_qconfig_setter,
    default_qat_qconfig_setter,
)

W16A16 = get_qconfig(observer=MSEObserver, in_dtype=qint16, weight_dtype=qint16, out_dtype=qint8)
W8A16 = get_qconfig(observer=MSEObserver, out_dtype=qint16)


def network():
    """quant -> body.conv (+ bn, relu) -> body._generated_add_0 -> head -> dequant."""
    hand = Hand()
    x = hand.stub("quant", (1, 3, 4, 4))
    y = hand("body.conv", nn.Conv2d(3, 3, 1), x)
    y = hand("body._generated_add_0", "add", y, x)
    y = hand("_move", "flatten", y, start_dim=1, end_dim=-1)
    hand.dequant("dequant", hand("head", nn.Linear(48, 2), y))
    for fused in ("bn", "relu"):
        hand.model.body.add_module(fused, nn.Identity())
        hand.members[f"body.{fused}"] = "body.conv"
    hand.model.add_module("drop", nn.Dropout())
    return hand


LAYERS = ["quant", "body.conv", "body._generated_add_0", "head"]


def run(setters, hand=None):
    return run_setters(setters, (hand or network()).context())


def observer(qconfig, part="output"):
    keywords = getattr(qconfig, part).keywords
    return keywords["observer"], keywords.get("averaging_constant")


@pytest.mark.parametrize(
    ("name", "output", "sees", "averaging"),
    [
        ("default_calibration_qconfig_setter", qint8, MSEObserver, None),
        ("default_qat_qconfig_setter", qint8, MinMaxObserver, None),
        ("default_qat_fixed_act_qconfig_setter", qint8, MinMaxObserver, 0),
        ("calibration_8bit_weight_16bit_act_qconfig_setter", qint16, MSEObserver, None),
        ("qat_8bit_weight_16bit_act_qconfig_setter", qint16, MinMaxObserver, None),
        ("qat_8bit_weight_16bit_fixed_act_qconfig_setter", qint16, MinMaxObserver, 0),
    ],
)
def test_uniform_setters(name, output, sees, averaging):
    made = run(getattr(classic, name))
    assert list(made.qconfigs) == LAYERS and made.optimize
    for qconfig in made.qconfigs.values():
        assert dtype_of(qconfig, "output") == output and dtype_of(qconfig, "weight") == qint8
        assert observer(qconfig) == (sees, averaging) and qconfig.input is None
        weight = qconfig.weight()
        assert weight.ch_axis == 0
        assert type(weight.activation_post_process) is MinMaxObserver


def test_the_earlier_setter_wins_and_modules_get_their_qconfig():
    hand = network()
    made = run((ModuleNameQconfigSetter({"head": W8A16}), default_qat_qconfig_setter), hand)
    assert dtype_of(made.qconfigs["head"], "output") == qint16
    assert dtype_of(made.qconfigs["body.conv"], "output") == qint8
    assert hand.model.head.qconfig is made.qconfigs["head"]
    assert hand.model.body._generated_add_0.qconfig is made.qconfigs["body._generated_add_0"]
    made = run((default_qat_qconfig_setter, ModuleNameQconfigSetter({"head": W8A16})))
    assert dtype_of(made.qconfigs["head"], "output") == qint8


def test_tuples_may_stand_in_tuples():
    made = run([(ModuleNameQconfigSetter({"head": W8A16}),), [default_qat_qconfig_setter]])
    assert dtype_of(made.qconfigs["head"], "output") == qint16


def test_qconfigs_of_the_model_beat_setters_and_hold_below():
    hand = network()
    hand.model.body.qconfig = W8A16
    hand.model.head.qconfig = None
    made = run((ModuleNameQconfigSetter({"head": W8A16}), default_qat_qconfig_setter), hand)
    assert made.qconfigs["head"] is None and hand.model.head.qconfig is None
    assert dtype_of(made.qconfigs["body.conv"], "output") == qint16
    assert dtype_of(made.qconfigs["body._generated_add_0"], "output") == qint16
    assert dtype_of(made.qconfigs["quant"], "output") == qint8


def test_qconfigs_of_the_model_are_enough():
    hand = network()
    hand.model.qconfig = W8A16
    hand.model.body.qconfig = None
    made = run(None, hand)
    assert made.qconfigs["body.conv"] is None
    assert dtype_of(made.qconfigs["head"], "output") == qint16


def test_torch_qconfigs_are_taken():
    hand = network()
    hand.model.head.qconfig = torch.ao.quantization.QConfig(W8A16.output, W8A16.weight)
    made = run(default_qat_qconfig_setter, hand)
    assert dtype_of(made.qconfigs["head"], "output") == qint16
    hand.model.head.qconfig = torch.ao.quantization.get_default_qat_qconfig()
    with pytest.raises(TypeError, match="'head'.*FakeQuantize.with_args"):
        run(default_qat_qconfig_setter, hand)


def test_in_dtype_of_8_bits_asks_for_nothing_and_16_bits_do():
    made = run(
        (ModuleNameQconfigSetter({"head": W16A16, "quant": W8A16}), default_qat_qconfig_setter)
    )
    assert made.qconfigs["quant"].input is None
    assert dtype_of(made.qconfigs["head"], "input") == qint16
    listed = QConfig(input=[W8A16.input], output=W8A16.output, weight=W8A16.weight)
    made = run((ModuleNameQconfigSetter({"head": listed}), default_qat_qconfig_setter))
    assert dtype_of(made.qconfigs["head"], "input") == [qint8]


def test_the_dual_int16_snippet():
    """docs: w16a16 on a conv, and its producer's output becomes int16."""
    hand = network()
    made = run(
        (ModuleNameQconfigSetter({"body.conv": W16A16}), default_calibration_qconfig_setter), hand
    )
    final = canonicalize(hand.recording, made.qconfigs, ranking=made.ranking)
    dtypes = input_dtypes(hand.recording, final.qconfigs)
    assert dtypes["body.conv", 0] == dtypes["body.conv", 1] == qint16
    assert dtype_of(final.qconfigs["quant"], "output") == qint16
    assert dtype_of(final.qconfigs["body.conv"], "output") == qint8


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        ("head", ["head"]),
        ("body", ["body.conv", "body._generated_add_0"]),
        ("", LAYERS),
        ("body.relu", ["body.conv"]),  # fused into it
        ("body_generated_add_0", ["body._generated_add_0"]),  # symbolic tracing's spelling
        ("head(1)", ["head"]),
        ("head[add]", ["head"]),
        ("body._generated_add_0.inner", ["body._generated_add_0"]),
    ],
)
def test_names(name, layers):
    made = run((ModuleNameQconfigSetter({name: W8A16}), default_qat_qconfig_setter))
    wide = [layer for layer, q in made.qconfigs.items() if dtype_of(q, "output") == qint16]
    assert wide == layers


def test_the_nearest_name_above_counts_whatever_the_order():
    for names in (["", "body", "body.conv"], ["body.conv", "body", ""]):
        qconfigs = {"": None, "body": W8A16, "body.conv": W16A16}
        made = run(ModuleNameQconfigSetter({name: qconfigs[name] for name in names}))
        assert made.qconfigs["head"] is None and made.qconfigs["quant"] is None
        assert dtype_of(made.qconfigs["body._generated_add_0"], "output") == qint16
        assert dtype_of(made.qconfigs["body.conv"], "weight") == qint16


def test_none_by_name_is_float():
    made = run(
        (
            ModuleNameQconfigSetter({"body._generated_add_0": None}),
            default_qat_qconfig_setter,
        )
    )
    assert made.qconfigs["body._generated_add_0"] is None
    assert made.qconfigs["head"] is not None


def test_a_float_functional_is_its_only_call():
    for name in ("join", "join[add]", "join_generated_add_0", "join._generated_add_0"):
        hand = Hand()
        x = hand.stub("quant", (2, 4))
        hand.output(hand("join._generated_add_0", "add", x, x))
        made = run((ModuleNameQconfigSetter({name: W8A16}), default_qat_qconfig_setter), hand)
        assert wide(made) == ["join._generated_add_0"] == list(made.ranking)
    context = network().context()
    assert context.names.exact("body") is None  # which has more in it


def test_unknown_names_warn_with_the_nearest(caplog):
    names = {"head": W8A16, "hed": W8A16, "drop": W8A16}
    with caplog.at_level(logging.WARNING, "twofold.quantization"):
        made = run((ModuleNameQconfigSetter(names), default_qat_qconfig_setter))
    assert "there is no 'hed'; did you mean 'head'" in caplog.text
    assert "in 'drop' nothing computes" in caplog.text
    assert len(made.messages) == 2
    assert dtype_of(made.qconfigs["head"], "output") == qint16
    with pytest.raises(Error, match="'hed'; did you mean 'head'"):
        run(ModuleNameQconfigSetter(names, strict=True))
    with pytest.raises(Error, match="did you mean 'head'"):
        run((ModuleNameQconfigSetter({"hed": W8A16}), default_qat_qconfig_setter))


def test_two_names_of_one_layer_must_agree():
    same = ModuleNameQconfigSetter({"body.conv": W8A16, "body.relu": W8A16})
    assert dtype_of(run(same).qconfigs["body.conv"], "output") == qint16
    with pytest.raises(Error, match="'body.conv' and 'body.relu' are the same layer"):
        run(ModuleNameQconfigSetter({"body.conv": W8A16, "body.relu": W16A16}))


def test_a_shared_module_is_found_by_all_its_names():
    hand = network()
    hand.model.add_module("other", hand.model.head)
    made = run((ModuleNameQconfigSetter({"other": W8A16}), default_qat_qconfig_setter), hand)
    assert dtype_of(made.qconfigs["head"], "output") == qint16
    with pytest.raises(Error, match="'head' and 'other' are the same layer"):
        run(ModuleNameQconfigSetter({"head": W8A16, "other": None}), hand)


def test_setters_of_users():
    seen = []

    class Mine(QconfigSetterBase):
        def set_qconfig(self, model, example_inputs, example_kw_inputs):
            seen.append((model, example_inputs, example_kw_inputs))
            model.body.qconfig = W8A16
            model.head.qconfig = None

    hand = network()
    context = hand.context("inputs", {"word": 1})
    made = run_setters((Mine(), default_qat_qconfig_setter), context)
    assert seen == [(hand.model, "inputs", {"word": 1})]
    assert dtype_of(made.qconfigs["body.conv"], "output") == qint16
    assert made.qconfigs["head"] is None
    assert dtype_of(made.qconfigs["quant"], "output") == qint8
    assert "qconfig" not in vars(hand.model.body)  # what it assigned is gone again
    late = run((default_qat_qconfig_setter, Mine()))
    assert dtype_of(late.qconfigs["head"], "output") == qint8


def test_setters_of_users_do_not_beat_the_model():
    class Mine(QconfigSetterBase):
        def set_qconfig(self, model, example_inputs, example_kw_inputs):
            model.head.qconfig = W8A16

    hand = network()
    hand.model.head.qconfig = None
    made = run((Mine(), default_qat_qconfig_setter), hand)
    assert made.qconfigs["head"] is None


def test_a_setter_of_a_user_that_assigns_no_qconfig():
    class Mine(QconfigSetterBase):
        def set_qconfig(self, model, example_inputs, example_kw_inputs):
            model.head.qconfig = "int8"

    with pytest.raises(TypeError, match="Mine gives 'head' no qconfig.*get_qconfig"):
        run((Mine(), default_qat_qconfig_setter))


@pytest.mark.parametrize("wrong", [W8A16, ModuleNameQconfigSetter, "default", (W8A16,)])
def test_what_is_no_setter(wrong):
    with pytest.raises(TypeError, match="is no setter"):
        run(wrong)


def test_nothing_to_quantize():
    with pytest.raises(Error, match="no layer gets a qconfig"):
        run(None)
    with pytest.raises(Error, match="no layer gets a qconfig"):
        run(ModuleNameQconfigSetter({"": None}))
    with pytest.raises(TypeError, match="dict"):
        ModuleNameQconfigSetter({})


def test_ranking_is_the_order_of_names():
    setters = (
        ModuleNameQconfigSetter({"head": W8A16, "body": W8A16, "body.relu": W8A16}),
        ModuleNameQconfigSetter({"quant": W8A16, "head": W8A16}),
        default_qat_qconfig_setter,
    )
    assert run(setters).ranking == {"head": 0, "body.conv": 1, "quant": 2}


def row(name, kind, columns=6):
    return [name, kind, "<class 'torch.nn.Linear'>", 0.5, "qint8", "0(0%)"][:columns]


TABLE = [
    row("head", "activation"),
    row("body.conv", "weight"),
    row("body._generated_add_0", "activation"),
    row("quant", "activation"),
]


def wide(made):
    return [name for name, q in made.qconfigs.items() if dtype_of(q, "output") == qint16]


@pytest.mark.parametrize(
    ("name", "sees", "averaging"),
    [
        ("sensitive_op_calibration_8bit_weight_16bit_act_qconfig_setter", MSEObserver, None),
        ("sensitive_op_qat_8bit_weight_16bit_act_qconfig_setter", MinMaxObserver, None),
        ("sensitive_op_qat_8bit_weight_16bit_fixed_act_qconfig_setter", MinMaxObserver, 0),
    ],
)
def test_sensitive_layers_get_16_bits(name, sees, averaging):
    setter = getattr(classic, name)
    made = run((setter(TABLE, topk=1), default_qat_qconfig_setter))
    assert wide(made) == ["head"] and made.ranking == {"head": 0}
    assert observer(made.qconfigs["head"]) == (sees, averaging)
    assert not made.messages
    made = run((setter(TABLE, ratio=0.75), default_qat_qconfig_setter))
    assert wide(made) == ["body._generated_add_0", "head"]
    assert "1 of the 3 rows" in made.messages[0] and "weights" in made.messages[0]
    made = run((setter(TABLE, 1), setter(TABLE[3:], ratio=0.01), default_qat_qconfig_setter))
    assert wide(made) == ["quant", "head"] and made.ranking == {"head": 0, "quant": 1}


def test_older_names_of_sensitive_setters():
    calibration = classic.sensitive_op_8bit_weight_16bit_act_calibration_setter(TABLE, topk=1)
    assert wide(run((calibration[0], default_qat_qconfig_setter))) == ["head"]
    made = run(
        (
            classic.sensitive_op_8bit_weight_16bit_act_qat_setter(TABLE, ratio=0.25),
            default_qat_qconfig_setter,
        )
    )
    assert wide(made) == ["head"] and observer(made.qconfigs["head"])[0] is MinMaxObserver


@pytest.mark.parametrize("columns", [4, 5, 6])
def test_tables_of_all_widths(columns):
    table = [["op_name", "sensitive_type", "op_type", "L1"], row("head", "activation", columns)]
    setter = classic.sensitive_op_qat_8bit_weight_16bit_act_qconfig_setter
    assert wide(run((setter(table, topk=5), default_qat_qconfig_setter))) == ["head"]


def test_the_table_that_torch_loads(tmp_path):
    torch.save(TABLE, tmp_path / "output_0_L1_sensitive_ops.pt")
    table = torch.load(tmp_path / "output_0_L1_sensitive_ops.pt")
    setter = classic.sensitive_op_qat_8bit_weight_16bit_act_qconfig_setter
    assert wide(run((setter(table, topk=1), default_qat_qconfig_setter))) == ["head"]


def test_the_table_of_the_debugger():
    """Units are nodes, activations and weights of an exported ONNX file."""
    table = {
        "head.weight": {"mse": 1.0},
        "/body/Add_output_0": {"mse": 0.5},
        "/head/Gemm": {"mse": 0.25},
        "/body/conv/Conv": {"mse": 0.1},
    }
    setter = classic.sensitive_op_qat_8bit_weight_16bit_act_qconfig_setter
    made = run((setter(table, topk=3), default_qat_qconfig_setter))
    assert wide(made) == ["body._generated_add_0", "head"]
    assert "1 of the 3 rows" in made.messages[0]
    made = run((setter(table, ratio=1.0), default_qat_qconfig_setter))
    assert wide(made) == ["body.conv", "body._generated_add_0", "head"]


def test_a_table_of_another_model(caplog):
    setter = classic.sensitive_op_qat_8bit_weight_16bit_act_qconfig_setter
    other = [row("haed", "activation"), row("head", "activation")]
    assert wide(run((setter(other, topk=2), default_qat_qconfig_setter))) == ["head"]
    assert "there is no 'haed'; did you mean 'head'" in caplog.text
    with pytest.raises(Error, match="table is of another model.*'head'"):
        run((setter(other, topk=1), default_qat_qconfig_setter))


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ((TABLE,), ValueError, "topk= or ratio="),
        ((TABLE, 1, 0.5), ValueError, "topk= or ratio="),
        ((TABLE, 0), ValueError, "topk is 0"),
        ((TABLE, 1.5), ValueError, "topk is 1.5"),
        ((TABLE, None, 1.5), ValueError, "ratio is 1.5"),
        ((TABLE, None, 0.0), ValueError, "ratio is 0"),
        (("table.pt", 1), TypeError, "torch.load"),
        (([["head", "activation"]], 1), ValueError, "row 0"),
        (([row("head", "output")], 1), ValueError, "'activation' or 'weight'"),
        (([[1, "weight", "", 0.1]], 1), ValueError, "row 0"),
        ((["head"], 1), ValueError, "row 0"),
    ],
)
def test_wrong_tables(arguments, error, says):
    with pytest.raises(error, match=says):
        classic.sensitive_op_qat_8bit_weight_16bit_act_qconfig_setter(*arguments)


def test_ratio_is_rounded_up_but_not_by_rounding_errors():
    from twofold.quantization._sensitivity_tables import first_rows

    rows = list(range(100))
    assert len(first_rows(rows, topk=None, ratio=0.07)) == 7  # 0.07 * 100 is above 7 in floats
    assert len(first_rows(rows[:30], topk=None, ratio=0.02)) == 1


def test_qconfig_dict():
    made = run(QconfigDictSetter({"": W8A16, "module_type": [(nn.Linear, None), ("add", W16A16)]}))
    assert made.qconfigs["head"] is None
    assert dtype_of(made.qconfigs["body._generated_add_0"], "weight") == qint16
    assert dtype_of(made.qconfigs["quant"], "output") == qint16
    named = {"module_type": [(nn.Linear, None)], "module_name": [("head", W8A16)]}
    made = run(QconfigDictSetter(named))
    assert dtype_of(made.qconfigs["head"], "output") == qint16 and made.qconfigs["quant"] is None
    with pytest.raises(ValueError, match="no 'object_type'"):
        QconfigDictSetter({"object_type": []})


@pytest.mark.parametrize(
    "name",
    [
        "TemplateQconfigSetter",
        "HighPrecisionOutputTemplate",
        "ConstTensorQuantTemplate",
        "AllInt16Template",
    ],
)
def test_refused_names(name):
    with pytest.raises(Error, match=f"{name} is not built: "):
        getattr(classic, name)()


def test_fixed_act_alone_keeps_scales():
    fixed = run(default_qat_fixed_act_qconfig_setter).qconfigs["head"].output()
    moving = run(default_qat_qconfig_setter).qconfigs["head"].output()
    assert fixed.activation_post_process.averaging_constant == 0
    assert moving.activation_post_process.averaging_constant == 0.01
