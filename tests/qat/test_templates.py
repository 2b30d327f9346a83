"""QconfigSetter and its templates; dtypes and scales derived by hand."""

import pytest
import torch
from hand_recordings import Hand
from torch import nn
from twofold import Error
from twofold.dtype import qint4, qint8, qint16
from twofold.quantization import qconfig_setter as templates
from twofold.quantization._canonicalize.run import canonicalize, input_dtypes
from twofold.quantization._qconfig_parts import dtype_of
from twofold.quantization._setters.run import run_setters
from twofold.quantization.observer_v2 import HistogramObserver, MinMaxObserver
from twofold.quantization.qconfig import QConfig, get_qconfig
from twofold.quantization.qconfig_setter import (
    ConvDtypeTemplate,
    MatmulDtypeTemplate,
    ModuleNameTemplate,
    QconfigSetter,
    SensitivityTemplate,
)
from twofold.quantization.qconfig_template import (
    ModuleNameQconfigSetter,
    default_qat_qconfig_setter,
)

LAYERS = ["quant", "body.conv", "body.up", "fc", "_generated_matmul_0", "_generated_add_0"]


def network():
    """quant -> conv (+ relu) -> up -> fc -> matmul with itself -> + constant."""
    hand = Hand()
    x = hand.stub("quant", (1, 3, 4, 4))
    y = hand("body.conv", nn.Conv2d(3, 3, 1), x)
    y = hand("body.up", nn.ConvTranspose2d(3, 3, 1), y)
    y = hand("fc", nn.Linear(4, 4), y)
    y = hand("_generated_matmul_0", "matmul", y, y)
    hand.output(hand("_generated_add_0", "add", y, hand.constant(4)))
    hand.model.body.add_module("relu", nn.Identity())
    hand.members["body.relu"] = "body.conv"
    return hand


def run(*said, hand=None, reference=None, **arguments):
    reference = reference or get_qconfig(MinMaxObserver)
    setter = QconfigSetter(reference, list(said), **arguments)
    return run_setters(setter, (hand or network()).context()).qconfigs


def outputs(qconfigs):
    return [dtype_of(qconfig, "output") for qconfig in qconfigs.values()]


def test_the_reference_is_what_nothing_else_is_said_about():
    made = run()
    assert list(made) == LAYERS and outputs(made) == [qint8] * 6
    assert all(part is None for q in made.values() for part in q.input or ())
    assert made["fc"].output.keywords["observer"] is MinMaxObserver
    made = run(
        reference=get_qconfig(
            HistogramObserver, weight_dtype=qint16, out_dtype=qint16, fix_scale=True
        )
    )
    assert outputs(made) == [qint16] * 6 and dtype_of(made["fc"], "weight") == qint16
    assert made["fc"].output.keywords["averaging_constant"] == 0
    made = run(reference=get_qconfig(MinMaxObserver, in_dtype=qint16))
    assert dtype_of(made["_generated_matmul_0"], "input") == [qint16, qint16]


def test_a_dtype_is_of_the_output():
    made = run(
        ModuleNameTemplate({"": qint16, "fc": "qint8", "body": qint8, "body.up": "torch.float16"})
    )
    assert outputs(made) == [qint16, qint8, torch.float16, qint8, qint16, qint16]
    assert dtype_of(made["fc"], "weight") == qint8
    assert (
        run(ModuleNameTemplate({"fc": {"dtype": qint16}}))["fc"].output.keywords["dtype"] == qint16
    )


@pytest.mark.parametrize(
    "value",
    [
        {"dtype": {"input": qint16, "weight": qint4, "output": torch.float32}},
        {"input": qint16, "weight": qint4, "output": torch.float32},
        {"input": [qint16], "dtype": {"weight": "qint4", "output": "float32"}},
    ],
)
def test_parts(value):
    made = run(ModuleNameTemplate({"fc": value}))["fc"]
    assert dtype_of(made, "input") == [qint16]
    assert dtype_of(made, "weight") == qint4
    assert dtype_of(made, "output") == torch.float32
    assert made.weight.keywords["ch_axis"] == 0


def test_inputs_one_by_one():
    name = "_generated_matmul_0"
    assert dtype_of(run(ModuleNameTemplate({name: {"input": [qint16, None]}}))[name], "input") == [
        qint16,
        None,
    ]
    assert (
        dtype_of(run(ModuleNameTemplate({name: {"input": qint16}}))[name], "input") == [qint16] * 2
    )
    with pytest.raises(Error, match="'_generated_matmul_0' has 2 inputs.*3 are given"):
        run(ModuleNameTemplate({name: {"input": [qint16] * 3}}))
    # In a whole model, those that have as many.
    made = run(ModuleNameTemplate({"": {"input": [qint16, qint8]}}))
    assert dtype_of(made["_generated_add_0"], "input") == [qint16, qint8]
    assert made["fc"].input == (None,)


def test_thresholds_are_fixed_scales():
    made = run(
        ModuleNameTemplate(
            {
                "quant": {"dtype": qint16, "threshold": 1.0},
                "fc": {"threshold": 3},
                "_generated_matmul_0": {"threshold": {"input": 2.0, "output": torch.tensor(6.0)}},
            }
        )
    )

    def scale(part):
        quantizer = part()
        assert quantizer.is_fixed and quantizer.activation_post_process.ch_axis == -1
        return quantizer.dtype, quantizer.scale.tolist()

    assert scale(made["quant"].output) == (qint16, [1 / 32768])
    assert scale(made["fc"].output) == (qint8, [3 / 128])  # the dtype stays
    assert scale(made["_generated_matmul_0"].output) == (qint8, [6 / 128])
    for part in made["_generated_matmul_0"].input:
        assert scale(part) == (qint8, [2 / 128])


def test_thresholds_of_weights():
    limits = torch.tensor([1.0, 2.0, 0.5, 4.0])
    made = run(ModuleNameTemplate({"fc": {"threshold": {"weight": limits}, "weight": qint16}}))
    weight = made["fc"].weight()
    assert weight.is_fixed and weight.ch_axis == 0 and weight.dtype == qint16
    assert torch.equal(weight.scale, limits / 32768)
    made = run(ModuleNameTemplate({"fc": {"threshold": {"weight": 1}}}))["fc"].weight()
    assert made.ch_axis == -1 and made.scale.tolist() == [1 / 128]


def test_a_later_dtype_moves_the_scale_of_a_threshold():
    made = run(ModuleNameTemplate({"fc": {"threshold": 1.0}}), ModuleNameTemplate({"fc": qint16}))
    assert made["fc"].output().scale.tolist() == [1 / 32768]


@pytest.mark.parametrize(
    ("value", "error", "says"),
    [
        ({"threshold": 0.0}, ValueError, "must be above 0"),
        ({"threshold": float("nan")}, ValueError, "must be above 0"),
        ({"threshold": torch.ones(2)}, ValueError, "one threshold, not 2"),
        ({"threshold": 1.0, "dtype": torch.float16}, Error, "means nothing"),
        ({"threshold": {"inputs": 1.0}}, ValueError, "'inputs'; parts are input"),
        ({"dtypes": qint8}, ValueError, "takes a dtype, or a dict"),
        ({}, ValueError, "takes a dtype, or a dict"),
        ({"dtype": {"input": qint8}, "input": qint8}, ValueError, "its input twice"),
        ({"input": [qint8, "del"]}, Error, "'del' is not taken here"),
        ({"weight": [qint8]}, TypeError, "only inputs are several"),
        ("int3", TypeError, "'fc'.*no dtype"),
        (8, TypeError, "'fc'.*no dtype"),
    ],
)
def test_wrong_values(value, error, says):
    with pytest.raises(error, match=says):
        run(ModuleNameTemplate({"fc": value}))


def test_wrong_names_and_parts():
    with pytest.raises(Error, match="there is no 'fcc'; did you mean 'fc'"):
        run(ModuleNameTemplate({"fc": qint8, "fcc": qint8}))
    with pytest.raises(Error, match="'quant' has no weight"):
        run(ModuleNameTemplate({"quant": {"weight": qint16}}))
    with pytest.raises(Error, match="'body.conv' and 'body.relu' are the same layer.*its output"):
        run(ModuleNameTemplate({"body.conv": qint8, "body.relu": qint16}))
    made = run(ModuleNameTemplate({"body.conv": {"weight": qint16}, "body.relu": qint16}))
    assert dtype_of(made["body.conv"], "output") == dtype_of(made["body.conv"], "weight") == qint16
    with pytest.raises(TypeError, match="dict"):
        ModuleNameTemplate(qint8)


def test_what_a_value_does_not_mention_stays_that_of_the_module_above():
    for names in (["", "fc"], ["fc", ""]):
        values = {"": qint16, "fc": {"weight": qint4}}
        made = run(ModuleNameTemplate({name: values[name] for name in names}))["fc"]
        assert dtype_of(made, "output") == qint16 and dtype_of(made, "weight") == qint4


def test_conv_template():
    made = run(ConvDtypeTemplate(input_dtype=qint16, weight_dtype=qint4))
    for name in ("body.conv", "body.up", "fc"):
        assert dtype_of(made[name], "input") == [qint16]
        assert dtype_of(made[name], "weight") == qint4 and dtype_of(made[name], "output") == qint8
    assert made["_generated_matmul_0"].input == (None, None)
    made = run(ConvDtypeTemplate("qint16", "qint16", prefix="body"))
    assert dtype_of(made["body.up"], "input") == [qint16] and made["fc"].input == (None,)
    with pytest.raises(Error, match="ConvDtypeTemplate: prefix: there is no 'boby'.*'body'"):
        run(ConvDtypeTemplate(qint8, qint8, prefix="boby"))
    with pytest.raises(TypeError, match="ConvDtypeTemplate: weight_dtype"):
        ConvDtypeTemplate(qint8, None)


def test_conv_template_of_a_functional_call():
    hand = Hand()
    x = hand.stub("quant", (2, 4))
    hand.output(hand("_generated_linear_0", "linear", x, hand.constant(3, 4)))
    made = run(ConvDtypeTemplate(qint8, qint16), hand=hand)["_generated_linear_0"]
    assert dtype_of(made, "input") == [qint8, qint16]


def test_matmul_template():
    name = "_generated_matmul_0"
    assert dtype_of(run(MatmulDtypeTemplate([qint8, qint16]))[name], "input") == [qint8, qint16]
    assert dtype_of(run(MatmulDtypeTemplate(qint16))[name], "input") == [qint16, qint16]
    assert dtype_of(run(MatmulDtypeTemplate("qint16", prefix=name))[name], "input") == [qint16] * 2
    made = run(MatmulDtypeTemplate(qint16, prefix="body"))
    assert made[name].input == (None, None)
    assert run(MatmulDtypeTemplate(qint16))["fc"].input == (None,)
    with pytest.raises(Error, match="3; a matmul has two"):
        MatmulDtypeTemplate([qint8] * 3)
    with pytest.raises(Error, match="prefix: there is no 'x'"):
        run(MatmulDtypeTemplate(qint8, prefix="x"))


TABLE = [
    ["fc", "weight", "Linear", 0.9, "qint8", "1(1%)"],
    ["body.conv", "activation", "Conv2d", 0.5, "qint8", "1(1%)"],
    ["body.conv", "weight", "Conv2d", 0.4, "qint8", "1(1%)"],
    ["quant", "activation", "QuantStub", 0.1, "qint8", "0(0%)"],
]


def sensitive(*arguments, before=(), **named):
    made = run(*before, SensitivityTemplate(TABLE, *arguments, **named))
    return [
        str(dtype_of(made[name], part))
        for name, part in (
            ("fc", "weight"),
            ("body.conv", "output"),
            ("body.conv", "weight"),
            ("quant", "output"),
            ("fc", "output"),
        )
    ]


def test_sensitivity_template():
    assert sensitive(2) == ["qint16", "qint16", "qint8", "qint8", "qint8"]
    assert sensitive(0.75) == ["qint16", "qint16", "qint16", "qint8", "qint8"]
    assert sensitive(1, "activation") == ["qint8", "qint16", "qint8", "qint8", "qint8"]
    assert sensitive(2, sensitive_type="weight") == ["qint16", "qint8", "qint16", "qint8", "qint8"]
    assert sensitive(1, "weight", "qint4", "qint8") == ["qint8", "qint8", "qint4", "qint8", "qint8"]
    # Rows behind the worst get the low dtype, layers that the table does not have nothing.
    wide = ModuleNameTemplate({"": qint16})
    assert sensitive(1, before=[wide]) == ["qint16", "qint8", "qint8", "qint8", "qint16"]


def test_a_layer_with_several_rows_keeps_what_the_worst_got():
    table = [["fc", "activation", "Linear", 0.9], ["fc(1)", "activation", "Linear", 0.1]]
    assert dtype_of(run(SensitivityTemplate(table, 1))["fc"], "output") == qint16


def test_the_table_of_the_debugger():
    """A node is about its output and its weight."""
    table = {"/fc/Gemm": {}, "/body/conv/Conv_output_0": {}, "body.conv.weight": {}, "/MatMul": {}}
    made = run(SensitivityTemplate(table, 1))
    assert outputs(made) == [qint8, qint8, qint8, qint16, qint8, qint8]
    assert dtype_of(made["fc"], "weight") == qint16
    assert dtype_of(made["body.conv"], "weight") == qint8
    made = run(SensitivityTemplate(table, 4, "activation"))
    assert outputs(made) == [qint8, qint16, qint8, qint16, qint16, qint8]
    assert dtype_of(made["fc"], "weight") == qint8
    made = run(SensitivityTemplate(table, 2, "weight"))
    assert dtype_of(made["fc"], "weight") == dtype_of(made["body.conv"], "weight") == qint16
    assert outputs(made) == [qint8] * 6


def test_sensitivity_template_takes_no_other_models_table():
    other = [["fcc", "activation", "Linear", 0.9], *TABLE]
    with pytest.raises(Error, match="table is of another model: there is no 'fcc'.*'fc'"):
        run(SensitivityTemplate(other, 1))
    with pytest.raises(Error, match="'quant' has no weight"):
        run(SensitivityTemplate([["quant", "weight", "QuantStub", 0.9]], 1))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((TABLE, 1, "input"), "'input'; it is one of activation, weight, both"),
        ((TABLE, 0), "topk is 0"),
        ((TABLE, 1.5), "ratio is 1.5"),
        ((TABLE, True), "ratio is True"),
    ],
)
def test_wrong_arguments_of_the_sensitivity_template(arguments, says):
    with pytest.raises(ValueError, match=says):
        SensitivityTemplate(*arguments)


def test_the_later_template_wins_unless_the_earlier_froze():
    wide, narrow = {"fc": {"input": qint16, "weight": qint16}}, ConvDtypeTemplate(qint8, qint8)
    made = run(ModuleNameTemplate(wide), narrow)["fc"]
    assert dtype_of(made, "input") == [qint8] and dtype_of(made, "weight") == qint8
    made = run(narrow, ModuleNameTemplate(wide))["fc"]
    assert dtype_of(made, "input") == [qint16] and dtype_of(made, "weight") == qint16
    made = run(ModuleNameTemplate(wide, freeze=True), narrow)["fc"]
    assert dtype_of(made, "input") == [qint16] and dtype_of(made, "weight") == qint16
    made = run(ModuleNameTemplate({"fc": {"input": qint16}}, freeze=True), narrow)["fc"]
    assert dtype_of(made, "input") == [qint16] and dtype_of(made, "weight") == qint8


def test_the_order_in_which_v1_prefers():
    setter = QconfigSetter(
        get_qconfig(MinMaxObserver),
        [ModuleNameTemplate({"fc": qint16, "": qint8}), SensitivityTemplate(TABLE, 2)],
    )
    made = run_setters(setter, network().context())
    assert made.ranking == {"fc.weight": 0, "body.conv": 1, "fc": 2}


def test_custom_qconfigs_beat_templates():
    own = QConfig(output=get_qconfig().output)
    made = run(ModuleNameTemplate({"": qint16}), custom_qconfig_mapping={"fc": own, "body": None})
    assert made["fc"] == own and made["body.conv"] is None
    assert dtype_of(made["quant"], "output") == qint16
    with pytest.raises(Error, match="no 'fcc'; did you mean 'fc'"):
        run(custom_qconfig_mapping={"fc": own, "fcc": own})


def test_the_setter_says_whether_to_optimize_and_where_reports_go():
    reference = get_qconfig(MinMaxObserver)
    made = run_setters(QconfigSetter(reference, []), network().context())
    assert (made.optimize, made.save_dir) == (False, "./qconfig_setting")
    setter = QconfigSetter(reference, [], enable_optimize=True, save_dir="there")
    made = run_setters(setter, network().context())
    assert (made.optimize, made.save_dir) == (True, "there")


def test_it_may_stand_in_a_tuple():
    setter = QconfigSetter(get_qconfig(MinMaxObserver), [ModuleNameTemplate({"": qint16})])
    named = ModuleNameQconfigSetter({"fc": None})
    made = run_setters((named, setter, default_qat_qconfig_setter), network().context()).qconfigs
    assert made["fc"] is None and dtype_of(made["quant"], "output") == qint16


def test_wrong_arguments_of_the_setter():
    with pytest.raises(TypeError, match="no template"):
        QconfigSetter(get_qconfig(), [ModuleNameTemplate])
    with pytest.raises(TypeError, match="reference_qconfig is None"):
        QconfigSetter(None, [])
    with pytest.raises(TypeError, match="no qconfig"):
        QconfigSetter("int8", [])


def test_wishes_of_templates_end_in_operands():
    """The snippet of the docs: int8 everywhere, dual int16 where it is named."""
    hand = network()
    name = "_generated_matmul_0"
    made = run(
        ModuleNameTemplate({"": qint8, "quant": qint16}),
        ConvDtypeTemplate(input_dtype=qint8, weight_dtype=qint8),
        MatmulDtypeTemplate(input_dtypes=[qint8, qint8]),
        ModuleNameTemplate(
            {name: {"input": [qint16, qint16]}, "fc": {"weight": qint16}}, freeze=True
        ),
        hand=hand,
    )
    final = canonicalize(hand.recording, made, optimize=False)
    dtypes = input_dtypes(hand.recording, final.qconfigs)
    assert dtypes[name, 0] == dtypes[name, 1] == dtype_of(final.qconfigs["fc"], "output") == qint16
    # The stub is as it was asked for, and the conv behind it as well.
    assert dtype_of(final.qconfigs["quant"], "output") == qint16
    assert dtypes["body.conv", 0] == dtypes["body.conv", 1] == qint8
    assert (dtypes["fc", 0], dtypes["fc", 1]) == (qint8, qint16)


@pytest.mark.parametrize(
    "name",
    [
        "PropagateTemplate",
        "SetDynamicQuantTemplate",
        "canonicalize_rules",
        "get_common_templates",
        "get_compat_templates",
    ],
)
def test_refused_names(name):
    with pytest.raises(Error, match=f"{name} is not built: "):
        getattr(templates, name)()
