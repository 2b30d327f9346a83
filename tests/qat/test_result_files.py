"""The files that prepare writes: headings, columns and cells that scripts look for."""

import runpy

import pytest
import torch
from hand_recordings import Hand
from torch import nn
from twofold.dtype import qint8, qint16
from twofold.nn.quantized import FloatFunctional
from twofold.quantization._canonicalize.precisions import Change
from twofold.quantization._flops import flops_cells, flops_of, multiply_accumulates
from twofold.quantization._reports.changelog import changelog_text
from twofold.quantization._reports.dtypes import qconfig_dtypes
from twofold.quantization._reports.fx_graph import fx_graph_text
from twofold.quantization._reports.model_check import model_check_text
from twofold.quantization._reports.tables import table
from twofold.quantization._reports.write import write_reports
from twofold.quantization._setters.run import run_setters
from twofold.quantization.fake_cast import FakeCast
from twofold.quantization.fake_quantize import FakeQuantize
from twofold.quantization.observer_v2 import FixedScaleObserver, MinMaxObserver
from twofold.quantization.qconfig import get_qconfig
from twofold.quantization.qconfig_setter import ModuleNameTemplate, QconfigSetter

HEADINGS = [
    "Fusable modules are listed below:",
    "Each module called times:",
    "input dtype statistics:",
    "output dtype statistics:",
    "Each layer out qconfig:",
    "Weight qconfig:",
    "OPs with inputs of mixed precision:",
    "Please check if these OPs qconfigs are expected..",
]
CONV = "<class 'torch.nn.modules.conv.Conv2d'>"


def quantizer(dtype=qint8, **arguments):
    return FakeQuantize(observer=MinMaxObserver, dtype=dtype, **arguments)


def network():
    """quant -> conv (+ relu) -> matmul with a float branch -> head -> dequant, with quantizers."""
    hand = Hand()
    x = hand.stub("quant", (1, 3, 4, 4))
    y = hand("body.conv", nn.Conv2d(3, 3, 1), x)
    hand.layer("body.conv").clamp = ("relu", {})
    hand.model.body.add_module("relu", nn.Identity())
    hand.members["body.relu"] = "body.conv"
    f = hand("exact", nn.ReLU(), x)
    y = hand("body._generated_matmul_0", "matmul", y, f)
    hand.dequant("dequant", hand("head", nn.Linear(4, 2), y))
    for layer in hand.recording.layers:
        layer.module.qconfig = None if layer.name == "exact" else get_qconfig(MinMaxObserver)
    modules = dict(hand.model.named_modules())
    modules["quant"].activation_post_process = FakeQuantize(
        observer=FixedScaleObserver, dtype=qint16, scale=1 / 32768
    )
    modules["body.conv"].activation_post_process = quantizer()
    modules["body.conv"].weight_fake_quant = quantizer(qint16, ch_axis=0, averaging_constant=1)
    modules["body.conv"].activation_pre_process = nn.ModuleDict({"0": quantizer()})
    modules["body._generated_matmul_0"].activation_post_process = FakeCast(torch.float16)
    modules["head"].weight_fake_quant = quantizer(ch_axis=0)
    return hand


def sections(hand):
    text = model_check_text(hand.model, hand.recording, hand.members)
    lines = text.splitlines()
    starts = [lines.index(heading) for heading in HEADINGS]
    assert starts == sorted(starts)
    ends = [*starts[1:], len(lines) + 1]
    found = [lines[a + 1 : b - 1] for a, b in zip(starts, ends, strict=True)]
    return dict(zip(HEADINGS, found, strict=True))


def rows(section, name):
    return [line.split("  ") for line in section if line.split("  ")[0].rstrip() == name]


def cells(section, name):
    ((*parts,),) = rows(section, name)
    return [part.strip() for part in parts if part.strip()]


def test_each_layer_out_qconfig():
    section = sections(network())["Each layer out qconfig:"]
    assert [cell.strip() for cell in section[0].split("  ") if cell.strip()] == [
        "Module Name",
        "Module Type",
        "Input dtype",
        "out dtype",
        "ch_axis",
        "observer",
    ]
    fixed = "FixedScaleObserver(scale=tensor([3.0518e-05]),zero_point=tensor([0]))"
    assert cells(section, "quant")[2:] == ["[torch.float32]", "qint16", "-1", fixed]
    assert cells(section, "body.conv") == [
        "body.conv",
        f"{CONV} + relu",
        "['qint8']",
        "qint8",
        "-1",
        "MinMaxObserver(averaging_constant=0.01)",
    ]
    assert cells(section, "exact")[2:] == ["['qint16']", "torch.float32", "-1", "qconfig = None"]
    cast = "FakeCast(dtype=torch.float16,min_val=-65504.0,max_val=65504.0)"
    assert cells(section, "body._generated_matmul_0")[1:] == [
        "generated matmul",
        "['qint8', torch.float32]",
        "torch.float16",
        "-1",
        cast,
    ]
    assert cells(section, "head")[2:] == ["[torch.float16]", "torch.float32", "-1", "None"]
    assert cells(section, "dequant")[2:4] == ["[torch.float32]", "torch.float32"]


def test_names_of_float_functionals():
    hand = Hand()
    hand.model.add_module("join", FloatFunctional())
    x = hand.stub("quant", (2, 4))
    hand.output(hand("join._generated_add_0", "add", x, x))
    section = sections(hand)["Each layer out qconfig:"]
    assert cells(section, "join[add]")[1:3] == ["generated add", "[torch.float32, torch.float32]"]
    assert list(qconfig_dtypes(hand.model, hand.recording)) == ["quant", "join._generated_add_0"]


def test_weight_qconfig():
    section = sections(network())["Weight qconfig:"]
    assert section[0].split() == [
        "Module",
        "Name",
        "Module",
        "Type",
        "weight",
        "dtype",
        "ch_axis",
        "observer",
    ]
    assert cells(section, "body.conv")[2:] == [
        "qint16",
        "0",
        "MinMaxObserver(averaging_constant=1)",
    ]
    assert len(section) == 4  # headings, rule, two layers


def test_statistics():
    found = sections(network())
    into, out = found["input dtype statistics:"], found["output dtype statistics:"]
    assert into[0].split() == [
        "module",
        "type",
        "torch.float32",
        "qint8",
        "qint16",
        "torch.float16",
    ]
    # float: quant, dequant and one of matmul; qint8: conv and the other; exact qint16; head float16
    assert into[-1].split() == ["total", "3", "2", "1", "1"]
    assert cells(into, "generated matmul")[1:] == ["1", "1", "0", "0"]
    # quant qint16; conv qint8; matmul float16; exact, head, dequant float
    assert out[-1].split() == ["total", "3", "1", "1", "1"]


def test_mixed_and_unusual():
    found = sections(network())
    mixed = found["OPs with inputs of mixed precision:"]
    assert len(mixed) == 3 and mixed[2].startswith("body._generated_matmul_0")
    unusual = found["Please check if these OPs qconfigs are expected.."]
    assert unusual[0].split() == ["Module", "Name", "Module", "Type", "Msg"]
    assert cells(unusual, "quant")[2] == "Fixed scale 3.05e-05"
    assert cells(unusual, "body.conv")[2] == "qint16 weight!!!"
    assert len(unusual) == 4


def test_clean_cases():
    hand = Hand()
    hand.dequant("dequant", hand("fc", nn.Linear(4, 2), hand.stub("quant", (2, 4))))
    found = sections(hand)
    assert found[HEADINGS[0]] == ["All fusable modules are fused in model!"]
    assert found[HEADINGS[1]] == ["All modules in the model run exactly once."]
    assert found[HEADINGS[6]] == ["All inputs of each OP have the same dtype."]
    assert found[HEADINGS[7]] == ["Nothing unusual."]


def test_what_is_not_fused_and_how_often_modules_run():
    hand = Hand()
    x = hand.stub("quant", (1, 3, 4, 4))
    y = hand("conv", nn.Conv2d(3, 3, 1), x)
    z = hand("relu", nn.ReLU(), y)
    y = hand.again("conv", y)
    hand.output(hand("bn", nn.BatchNorm2d(3), y), z)
    hand("alone", nn.ReLU(), x)
    hand.model.add_module("never", nn.Linear(2, 2))
    found = sections(hand)
    fusable = found["Fusable modules are listed below:"]
    assert [line.split("  ")[0].rstrip() for line in fusable[2:]] == [
        "conv(shared)",
        "relu",
        "conv(shared)",
        "bn",
    ]
    assert fusable[0].split() == ["Module", "Name", "Module", "Type"]
    called = found["Each module called times:"]
    assert called[0].split("  ")[-1].strip() == "called times"
    assert cells(called, "conv")[1] == "2" and cells(called, "never")[1] == "0"
    assert len(called) == 4
    outputs = found["Each layer out qconfig:"]
    assert rows(outputs, "conv") and rows(outputs, "conv(1)")


def test_fused_members_are_not_called_by_themselves():
    hand = network()
    assert sections(hand)["Each module called times:"] == [
        "All modules in the model run exactly once."
    ]
    hand.members = {}
    assert "body.relu" in sections(hand)["Each module called times:"][2]


def test_table():
    assert table(["a", "bcd"], [["xx", 1], ["", None]]) == "a   bcd\n--  ----\nxx  1\n    None\n"


def test_fx_graph():
    lines = fx_graph_text(network().recording).splitlines()
    assert lines[0].split() == ["opcode", "name", "target", "args", "kwargs"]
    assert lines[2].split() == ["placeholder", "input_0", "input_0", "()", "{}"]
    assert lines[3].split()[:4] == ["call_module", "quant", "quant", "(input_0,)"]
    (line,) = [line for line in lines if " body._generated_matmul_0 " in line]
    assert line.split()[:3] == [
        "call_module",
        "body__generated_matmul_0",
        "body._generated_matmul_0",
    ]
    assert "(body_conv, exact)" in line
    (line,) = [line for line in lines if " body.conv " in line]
    assert "(quant,)" in line  # and not its own weight
    hand = Hand()
    hand.output(hand("_generated_add_0", "add", hand.stub("quant", (2, 4)), hand.constant(4)))
    lines = fx_graph_text(hand.recording).splitlines()
    assert lines[4].split()[:3] == ["get_attr", "constant_1", "tensor[4]"]
    assert "(quant, constant_1)" in lines[5]
    assert lines[-1].split()[0] == "output"


def test_qconfig_dtypes_can_be_asked_for_again(tmp_path):
    hand = network()
    dtypes = qconfig_dtypes(hand.model, hand.recording)
    assert dtypes == {
        "quant": {"output": "qint16"},
        "body.conv": {"input": ["qint8"], "weight": "qint16", "output": "qint8"},
        "exact": {"input": ["qint16"], "output": "torch.float32"},
        "body._generated_matmul_0": {
            "input": ["qint8", "torch.float32"],
            "output": "torch.float16",
        },
        "head": {"input": ["torch.float16"], "weight": "qint8", "output": "torch.float32"},
    }
    values = {name: {"dtype": parts} for name, parts in dtypes.items()}
    for layer in hand.recording.layers:
        del layer.module.qconfig
    setter = QconfigSetter(get_qconfig(MinMaxObserver), [ModuleNameTemplate(values)])
    made = run_setters(setter, hand.context()).qconfigs
    assert made["body.conv"].weight.keywords["dtype"] == qint16


def test_changelog():
    change = Change("q", "output", "qint8", "qint16", "'m' wants it as input1")
    text = changelog_text([change], ["table: 1 row is skipped"]).splitlines()
    assert text[0] == "table: 1 row is skipped"
    assert text[1].split() == ["layer", "what", "from", "to", "why"]
    assert [cell.strip() for cell in text[3].split("  ") if cell] == list(change)
    assert changelog_text([]) == "Every layer has what was asked for it.\n"


def test_files(tmp_path):
    hand = network()
    write_reports(
        hand.model,
        hand.recording,
        members=hand.members,
        changes=[],
        messages=["told"],
        check_result_dir=tmp_path / "check",
        save_dir=tmp_path / "deep" / "setting",
    )
    check = (tmp_path / "check" / "model_check_result.txt").read_text()
    assert check == model_check_text(hand.model, hand.recording, hand.members)
    assert (tmp_path / "check" / "fx_graph.txt").read_text() == fx_graph_text(hand.recording)
    setting = tmp_path / "deep" / "setting"
    assert (setting / "qconfig_changelogs.txt").read_text().startswith("told\n")
    dtypes = qconfig_dtypes(hand.model, hand.recording)
    assert torch.load(setting / "qconfig_dtypes.pt") == dtypes
    assert runpy.run_path(str(setting / "qconfig_dtypes.pt.py"))["qconfig_dtypes"] == dtypes
    assert sorted(path.name for path in setting.iterdir()) == [
        "qconfig_changelogs.txt",
        "qconfig_dtypes.pt",
        "qconfig_dtypes.pt.py",
    ]


def test_all_files_go_to_one_folder_without_a_save_dir(tmp_path):
    hand = network()
    write_reports(
        hand.model, hand.recording, members={}, changes=[], messages=[], check_result_dir=tmp_path
    )
    assert len(list(tmp_path.iterdir())) == 5
    with pytest.raises(OSError):
        write_reports(
            hand.model,
            hand.recording,
            members={},
            changes=[],
            messages=[],
            check_result_dir=tmp_path / "fx_graph.txt",
        )


def test_flops():
    hand = Hand()
    x = hand.stub("quant", (1, 4, 5, 5))
    conv = hand("conv", nn.Conv2d(4, 6, 3, padding=1, groups=2), x)
    hand("up", nn.ConvTranspose2d(6, 4, 2, stride=2, groups=2), conv)
    hand("fc", nn.Linear(5, 7), x)
    m = hand("_generated_matmul_0", "matmul", x, x)
    hand("_generated_add_0", "add", m, m)
    hand.again("fc", x)
    assert flops_of(hand.recording) == {
        "quant": 0,
        "conv": 25 * 6 * (4 // 2) * 9,
        "up": 25 * 6 * (4 // 2) * 4,  # every input meets a kernel of its group's outputs
        "fc": 2 * (4 * 5) * 7 * 5,
        "_generated_matmul_0": 4 * 5 * 5 * 5,
        "_generated_add_0": 0,
    }


def test_flops_of_einsum():
    hand = Hand()
    x, y = hand.stub("x", (2, 3, 4)), hand.stub("y", (2, 4, 5))
    value = hand._add("_generated_einsum_0", "einsum", None, [x, y], equation="bij,bjk->bik")
    assert multiply_accumulates(value.layer) == 2 * 3 * 4 * 5


def test_flops_cells():
    cells = flops_cells({"a": 36720, "b": 0}, ["a", "b", "c"])
    assert cells == {"a": "36720(100.00%)", "b": "0(0%)", "c": "0(0%)"}
    cells = flops_cells({"a": 7, "b": 9993}, ["a"])
    assert cells == {"a": "7(0.07%)"}
    assert flops_cells({}, ["a"]) == {"a": "0(0%)"}
