"""Plans of exported ONNX files, carried into training by the names of nodes."""

import copy
import warnings

import numpy as np
import pytest
import torch
import twofold
from hand_recordings import Hand
from torch import nn
from twofold import Error
from twofold.dtype import ec, qint8, qint16
from twofold.quantization._canonicalize.run import canonicalize, input_dtypes
from twofold.quantization._qconfig_parts import dtype_of
from twofold.quantization._setters.provenance import Provenance
from twofold.quantization._setters.run import run_setters
from twofold.quantization.observer_v2 import MinMaxObserver, MSEObserver
from twofold.quantization.qconfig import get_qconfig
from twofold.quantization.qconfig_template import PlanQconfigSetter, default_qat_qconfig_setter


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.q, self.k = nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        return torch.softmax(self.q(x) @ self.k(x).transpose(-1, -2), -1) @ x


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Sequential(nn.Conv2d(4, 4, 1)))
        self.attention = Attention()
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        return self.head(self.attention(self.body(x).flatten(2).transpose(1, 2)))


def recorded(net):
    """What the network calls between stubs, by hand."""
    hand = Hand()
    x = hand.stub("quant", (1, 3, 4, 4))
    y = hand("body.1.0", net.body[1][0], hand("body.0", net.body[0], x))
    y = hand("_move_1", "permute", hand("_move_0", "flatten", y, start_dim=2), dims=(0, 2, 1))
    q, k = hand("attention.q", net.attention.q, y), hand("attention.k", net.attention.k, y)
    k = hand("_move_2", "permute", k, dims=(0, 2, 1))
    a = hand("attention._generated_matmul_0", "matmul", q, k)
    a = hand("attention._generated_softmax_0", "softmax", a, dim=-1)
    y = hand("attention._generated_matmul_1", "matmul", a, y)
    hand.dequant("dequant", hand("head", net.head, y))
    return hand


NEAREST = {"weight": {"rounding": "nearest"}}


def written(net, folder):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        x = torch.randn(1, 3, 4, 4)
        torch.onnx.export(net, (x,), folder / "net.onnx", input_names=["x"], dynamo=False)
    return folder / "net.onnx"


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """The network, and its ONNX file as PyTorch's exporter names nodes."""
    torch.manual_seed(0)
    net = Net().eval()
    return net, written(net, tmp_path_factory.mktemp("plan"))


def planned(exported, folder, config):
    net, file = copy.deepcopy(exported[0]), exported[1]
    x = np.random.default_rng(0).standard_normal((1, 3, 4, 4)).astype(np.float32) + 1
    twofold.quantize(file, [{"x": x}], config, plan=folder / "plan.json")
    return recorded(net), folder / "plan.json"


CONFIG = {
    "model_config": {
        "all_node_type": "int8",
        "activation": {"asymmetric": False},
        "weight": {"rounding": "nearest"},
    },
    "op_config": {"Softmax": {"qtype": "float32"}},
    "node_config": {
        "/body/body.1/body.1.0/Conv": {"qtype": "dual-int16"},
        "/attention/MatMul_1": {"input0": "int16", "input1": "int8"},
        "/head/MatMul": {"input1": "ec"},
    },
}


def final(hand, setters):
    made = run_setters(setters, hand.context())
    canonical = canonicalize(hand.recording, made.qconfigs)
    return made, canonical.qconfigs, input_dtypes(hand.recording, canonical.qconfigs)


def test_precisions_of_a_plan_are_those_of_training(exported, tmp_path):
    hand, plan = planned(exported, tmp_path, CONFIG)
    made, qconfigs, dtypes = final(hand, (PlanQconfigSetter(plan), default_qat_qconfig_setter))
    expected = {
        ("body.0", 0): qint8,
        ("body.0", 1): qint8,
        ("body.1.0", 0): qint16,
        ("body.1.0", 1): qint16,
        ("attention.q", 0): qint8,
        ("attention.k", 0): qint8,
        ("attention._generated_matmul_0", 0): qint8,
        ("attention._generated_matmul_0", 1): qint8,
        ("attention._generated_matmul_1", 0): qint16,
        ("attention._generated_matmul_1", 1): qint8,
        ("attention._generated_softmax_0", 0): torch.float32,
        ("head", 0): qint8,
        ("head", 1): ec,
    }
    assert {key: dtypes[key] for key in expected} == expected
    # Softmax reads float, so that the product in front is not rounded; the head leaves.
    assert qconfigs["attention._generated_matmul_0"].output is None
    assert qconfigs["head"].output is None
    assert dtype_of(qconfigs["body.0"], "output") == qint16
    assert qconfigs["body.0"].output.keywords["observer"] is MSEObserver
    assert not made.messages


@pytest.mark.parametrize(("word", "dtype"), [("int8", qint8), ("int16", qint16), ("float32", None)])
def test_outputs_of_the_model_are_those_of_the_plan(exported, tmp_path, word, dtype):
    hand, plan = planned(exported, tmp_path, {"model_config": {"model_output_type": word}})
    made = run_setters((PlanQconfigSetter(plan), default_qat_qconfig_setter), hand.context())
    # The exporter adds the Linear's bias by a node of its own.
    assert dtype_of(made.qconfigs["head"], "output") == dtype


def test_the_reference_makes_the_quantizers(exported, tmp_path):
    hand, plan = planned(exported, tmp_path, CONFIG)
    reference = get_qconfig(MinMaxObserver, fix_scale=True)
    _, qconfigs, _ = final(hand, PlanQconfigSetter(plan, reference_qconfig=reference))
    keywords = qconfigs["body.0"].output.keywords
    assert keywords["observer"] is MinMaxObserver and keywords["averaging_constant"] == 0


def test_plan_objects_are_taken(exported, tmp_path):
    hand, plan = planned(exported, tmp_path, CONFIG)
    _, _, dtypes = final(hand, PlanQconfigSetter(twofold.Plan.load(plan)))
    assert dtypes["body.1.0", 1] == qint16


def test_the_earlier_setter_wins(exported, tmp_path):
    hand, plan = planned(exported, tmp_path, CONFIG)
    made = run_setters((default_qat_qconfig_setter, PlanQconfigSetter(plan)), hand.context())
    assert dtype_of(made.qconfigs["body.0"], "output") == qint8


ASYMMETRIC = {
    "model_config": {
        "activation": {"asymmetric": True, "calibration_type": "max"},
        "weight": {"rounding": "nearest"},
    },
    "node_config": {"/attention/MatMul_1": {"input0": "int16", "input1": "int16"}},
}


def operands(plan):
    return {(row["node"], row["operand"]): row for row in twofold.Plan.load(plan).operands}


def test_scales_and_zero_points_cross_on_request(exported, tmp_path):
    hand, plan = planned(exported, tmp_path, ASYMMETRIC)
    setters = (PlanQconfigSetter(plan, scales=True), default_qat_qconfig_setter)
    made, qconfigs, _ = final(hand, setters)
    row = operands(plan)["/body/body.0/Conv", "input0"]
    stub = qconfigs["quant"].output()
    assert stub.is_fixed and stub.dtype == qint8
    assert stub.scale.tolist() == [np.float32(row["params"]["scale"][0])]
    assert stub.zero_point.tolist() == row["params"]["zero_point"] != [0]
    assert not made.messages
    # q, k and the second matmul read one tensor: the matmul has it at 16 bits, with its own scale.
    wide = qconfigs["body.1.0"].output()
    narrow = qconfigs["attention.q"].input[0]()
    rows = operands(plan)
    assert wide.dtype == qint16 and narrow.dtype == qint8
    assert wide.scale.item() == np.float32(
        rows["/attention/MatMul_1", "input1"]["params"]["scale"][0]
    )
    assert narrow.scale.item() == np.float32(
        rows["/attention/q/MatMul", "input0"]["params"]["scale"][0]
    )


def test_zero_points_that_do_not_cross_are_named(exported, tmp_path):
    hand, plan = planned(exported, tmp_path, ASYMMETRIC)
    made, qconfigs, _ = final(hand, (PlanQconfigSetter(plan), default_qat_qconfig_setter))
    assert not qconfigs["quant"].output().is_fixed
    (message,) = made.messages
    assert (
        "zero points" in message and "'/body/body.0/Conv'" in message and "scales=True" in message
    )


def test_roundings_and_bias_corrections_are_named(exported, tmp_path):
    weight = {"rounding": "preserve_sum", "bias_correction": {"num_sample": 1}}
    hand, plan = planned(exported, tmp_path, {"model_config": {"weight": weight}})
    made, _, _ = final(hand, (PlanQconfigSetter(plan), default_qat_qconfig_setter))
    assert any("keep their sums" in message for message in made.messages)
    assert any("corrections of biases" in message for message in made.messages)


def test_scales_of_equalized_tensors_stay_behind(tmp_path):
    torch.manual_seed(0)
    net = Net().eval()
    with torch.no_grad():
        # One channel of the first Conv is as large as 100 others, which the second makes up for.
        net.body[0].weight[2] *= 100
        net.body[0].bias[2] *= 100
        net.body[1][0].weight[:, 2] /= 100
    file = written(net, tmp_path)
    by_max = {"model_config": {"activation": {"calibration_type": "max"}, **NEAREST}}
    hand, plan = planned((net, file), tmp_path, by_max)
    (equalization,) = twofold.Plan.load(plan).equalizations
    assert equalization["nodes"] == ["/body/body.0/Conv", "/body/body.1/body.1.0/Conv"]
    setters = (PlanQconfigSetter(plan, scales=True), default_qat_qconfig_setter)
    made, qconfigs, dtypes = final(hand, setters)
    assert dtypes["body.1.0", 0] == qint8
    assert qconfigs["quant"].output().is_fixed and qconfigs["body.1.0"].output().is_fixed
    assert not qconfigs["body.0"].output.keywords.get("scale")
    (message,) = made.messages
    assert "'/body/body.1/body.1.0/Conv'" in message and "equalized" in message
    assert "'/body/body.0/Conv'" not in message


def test_nodes_that_are_no_layers_are_named(exported, tmp_path):
    _, plan = planned(exported, tmp_path, CONFIG)
    hand = Hand()
    x = hand("body.0", nn.Conv2d(3, 4, 1), hand.stub("quant", (1, 3, 4, 4)))
    hand.output(hand("other", nn.ReLU(), x))
    made, _, _ = final(hand, (PlanQconfigSetter(plan), default_qat_qconfig_setter))
    (message,) = made.messages
    assert "'/body/body.1/body.1.0/Conv'" in message and "no layers here" in message
    assert "'/body/body.0/Conv'" not in message


def test_a_plan_of_another_model(exported, tmp_path):
    _, plan = planned(exported, tmp_path, CONFIG)
    hand = Hand()
    hand.output(hand("fc", nn.Linear(4, 4), hand.stub("quant", (2, 4))))
    with pytest.raises(Error, match="another one; its nodes are '/body/body.0/Conv'"):
        final(hand, PlanQconfigSetter(plan))
    with pytest.raises(Error, match=r"none\.json': No such file"):
        PlanQconfigSetter(tmp_path / "none.json")


def found(hand, *nodes, among=()):
    provenance = Provenance(hand.context(), (*nodes, *among))
    return [provenance.layer_of_node(node) for node in nodes]


def test_names_of_nodes():
    hand = Hand()
    x = hand.stub("quant", (1, 3, 4, 4))
    hand("model.0.conv", nn.Conv2d(3, 3, 1), x)
    hand("model.2.m.0.cv1", nn.Conv2d(3, 3, 1), x)
    hand("_generated_add_0", "add", x, x)
    assert found(hand, "/model.0/conv/Conv", "/model.2/m.0/cv1/Conv", "/Add") == [
        "model.0.conv",
        "model.2.m.0.cv1",
        "_generated_add_0",
    ]
    assert found(hand, "model.0.conv", "_generated_add_0") == ["model.0.conv", "_generated_add_0"]
    # Other operators of the same module, other modules, and what is no node of a layer.
    assert found(hand, "/model.0/conv/Relu", "/model.1/conv/Conv", "/Mul", "conv") == [None] * 4


def test_calls_are_told_apart_by_their_number_only_if_there_are_as_many():
    hand = Hand()
    x = hand.stub("quant", (4, 4))
    for k in (0, 1):
        hand(f"attn._generated_matmul_{k}", "matmul", x, x)
    names = ["/attn/MatMul", "/attn/MatMul_1"]
    layers = ["attn._generated_matmul_0", "attn._generated_matmul_1"]
    assert found(hand, *names) == layers
    assert found(hand, names[0]) == [None]
    assert found(hand, *names, among=["/attn/MatMul_2"]) == [None, None]
    assert found(hand, *names, among=["/attn/q/MatMul", "/attn/MatMulInteger"]) == layers


def test_constants_name_the_layer_that_owns_them():
    hand = Hand()
    hand("head", nn.Linear(4, 2), hand.stub("quant", (2, 4)))
    provenance = Provenance(hand.context())
    assert provenance.layer_of_constant("head.weight") == "head"
    assert provenance.layer_of_constant("onnx::MatMul_12") is None
