"""Normalizations: every spelling, what they are in ONNX, and how batch norms keep statistics."""

import copy

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
import twofold
from call_cases import cases, check, check_layer, emit
from torch import nn
from twofold.quantization._ops import bind_module, op_of_module
from twofold.quantization._ops.masked_softmax import masked_softmax

# Means and roots of a few dozen numbers, added up in another order.
CLOSE = {"rtol": 2e-5, "atol": 2e-6}
SHAPES = {1: (3, 4, 5), 2: (2, 4, 5, 7), 3: (2, 4, 3, 2, 5)}


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def settled(module):
    """With statistics, weights and biases that are none of 0 and 1."""
    for tensor in (*module.parameters(), *module.buffers()):
        if tensor.is_floating_point():
            nn.init.uniform_(tensor, 0.5, 2)
    return module


C = torch.tensor([0.5, -1.0, 2.0, 0.1])
V = torch.tensor([1.0, 2.0, 0.3, 0.7])
FUNCTIONS = {
    "batch_norm": [
        lambda x: F.batch_norm(x, C, V),
        lambda x: F.batch_norm(x, C, V, weight=V, eps=1e-3),
        lambda x: F.batch_norm(x, C, V, C, V, False, 0.1, 1e-2),
        lambda x: torch.batch_norm(x, C, V, C, V, False, 0.1, 1e-2, True),
    ],
    "layer_norm": [
        lambda x: F.layer_norm(x, (7,)),
        lambda x: F.layer_norm(x, [5, 7], weight=torch.full((5, 7), 2.0)),
        lambda x: F.layer_norm(x, torch.Size((7,)), bias=torch.arange(7.0), eps=1e-2),
        lambda x: torch.layer_norm(x, (7,), torch.arange(7.0), torch.arange(7.0)),
    ],
    "group_norm": [
        lambda x: F.group_norm(x, 2),
        lambda x: F.group_norm(x, 4, C, V, 1e-2),
        lambda x: torch.group_norm(x, num_groups=1, weight=C),
    ],
    "instance_norm": [
        lambda x: F.instance_norm(x),
        lambda x: F.instance_norm(x, weight=C, bias=V, eps=1e-2),
        lambda x: F.instance_norm(x, C, V, use_input_stats=False),
        lambda x: torch.instance_norm(x, C, V, None, None, True, 0.1, 1e-3, True),
    ],
    "rms_norm": [
        lambda x: F.rms_norm(x, (7,)),
        lambda x: F.rms_norm(x, (5, 7), torch.full((5, 7), 2.0), 1e-2),
        lambda x: torch.rms_norm(x, (7,), eps=1e-3),
    ],
    "normalize": [
        lambda x: F.normalize(x),
        lambda x: F.normalize(x, 1, -1),
        lambda x: F.normalize(x, p=float("inf"), dim=0),
        lambda x: F.normalize(x, dim=(1, 2), eps=3.0),
    ],
    "local_response_norm": [
        lambda x: F.local_response_norm(x, 3),
        lambda x: F.local_response_norm(x, 5, alpha=0.5, beta=0.5, k=2.0),
    ],
}


@pytest.mark.parametrize(("op", "call"), cases(FUNCTIONS))
def test_functions(op, call):
    check(call, torch.randn(2, 4, 5, 7), op=op, **CLOSE)


@pytest.mark.parametrize("axes", [1, 2, 3])
@pytest.mark.parametrize("affine", [True, False])
def test_modules_of_every_rank(axes, affine):
    x = torch.randn(SHAPES[axes])
    batch_norm = getattr(nn, f"BatchNorm{axes}d")(4, affine=affine)
    check_layer(settled(batch_norm), x, op="batch_norm", **CLOSE)
    instance_norm = getattr(nn, f"InstanceNorm{axes}d")
    check_layer(settled(instance_norm(4, affine=affine)), x, op="instance_norm", **CLOSE)
    tracking = instance_norm(4, affine=affine, track_running_stats=True)
    check_layer(settled(tracking), x, op="instance_norm", **CLOSE)
    check_layer(settled(instance_norm(4, affine=affine)), x[0], op="instance_norm", **CLOSE)
    check_layer(settled(nn.GroupNorm(2, 4, affine=affine)), x, op="group_norm", **CLOSE)
    check_layer(nn.LocalResponseNorm(3), x, op="local_response_norm", **CLOSE)


def test_modules():
    x = torch.randn(6, 4)
    check_layer(settled(nn.BatchNorm1d(4)), x, op="batch_norm", **CLOSE)
    check_layer(settled(nn.SyncBatchNorm(4)), x, op="batch_norm", **CLOSE)
    check_layer(settled(nn.GroupNorm(2, 12)), torch.randn(3, 12), op="group_norm", **CLOSE)
    check_layer(settled(nn.LayerNorm(4)), x, op="layer_norm", **CLOSE)
    check_layer(settled(nn.LayerNorm((6, 4), bias=False)), x, op="layer_norm", **CLOSE)
    check_layer(nn.LayerNorm(4, elementwise_affine=False), x, op="layer_norm", **CLOSE)
    check_layer(settled(nn.RMSNorm(4)), x, op="rms_norm", **CLOSE)
    check_layer(settled(nn.RMSNorm((6, 4), eps=0.1)), x, op="rms_norm", **CLOSE)


def test_nothing_to_normalize():
    check(lambda x: F.normalize(x, dim=-1), torch.zeros(2, 3), op="normalize")
    check(lambda x: F.layer_norm(x, (3,)), torch.full((2, 3), 5.0), op="layer_norm", **CLOSE)


@pytest.mark.parametrize("momentum", [0.1, 0.75, None])
@pytest.mark.parametrize("tracks", [True, False])
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("kind", [nn.BatchNorm2d, nn.SyncBatchNorm])
def test_batch_norm_keeps_statistics(kind, training, tracks, momentum):
    module = kind(4, momentum=momentum, track_running_stats=tracks).train(training)
    other = copy.deepcopy(module)
    op = op_of_module(kind)
    for _ in range(3):
        x = torch.randn(3, 4, 5, 5) * 3 + 1
        bound = bind_module(module, (x,), {})
        assert torch.equal(op.compute(bound.inputs, bound.attributes), other(x))
    theirs = other.state_dict()
    for name, mine in module.state_dict().items():
        assert torch.equal(mine, theirs[name]), name
    if training and tracks:
        assert module.num_batches_tracked == 3


def test_batch_norm_of_a_module_without_tracking_leaves_its_buffers():
    module = nn.BatchNorm1d(2).train()
    module.track_running_stats = False
    bound = bind_module(module, (torch.randn(5, 2),), {})
    op_of_module(nn.BatchNorm1d).compute(bound.inputs, bound.attributes)
    assert torch.equal(module.running_mean, torch.zeros(2))
    assert module.num_batches_tracked == 0


def test_instance_norm_keeps_statistics():
    module = nn.InstanceNorm1d(3, track_running_stats=True).train()
    other = copy.deepcopy(module)
    x = torch.randn(2, 3, 9)
    bound = bind_module(module, (x,), {})
    op = op_of_module(nn.InstanceNorm1d)
    assert torch.equal(op.compute(bound.inputs, bound.attributes), other(x))
    assert torch.equal(module.running_var, other.running_var)


def test_batch_norm_by_hand():
    bound = bind_module(nn.BatchNorm1d(1, eps=1e-12).train(), (torch.tensor([[1.0], [5.0]]),), {})
    y = op_of_module(nn.BatchNorm1d).compute(bound.inputs, bound.attributes)
    assert y.tolist() == [[-1.0], [1.0]]  # mean 3, deviation 2
    assert bound.inputs[3].item() == pytest.approx(0.3)  # 0.1 of the mean
    assert bound.inputs[4].item() == pytest.approx(0.9 + 0.8)  # 0.1 of the variance 8, n - 1


def test_what_onnx_has_not():
    x = torch.randn(2, 4, 3)
    with pytest.raises(twofold.Error, match=r"batch_norm: .*model\.eval\(\)"):
        emit(lambda x: F.batch_norm(x, C, V, training=True), x)
    with pytest.raises(twofold.Error, match="local_response_norm: .*even size 4"):
        emit(lambda x: F.local_response_norm(x, 4), x)
    with pytest.raises(twofold.Error, match="normalize: p = 3.0"):
        emit(lambda x: F.normalize(x, 3), x)


def test_wrong_use():
    with pytest.raises(ValueError, match="expected 4D input"):
        bind_module(nn.BatchNorm2d(4), (torch.randn(2, 4),), {})
    with pytest.raises(TypeError, match="layer_norm: missing a required argument: 'input'"):
        bind_module(nn.LayerNorm(4), (), {})
    with pytest.raises(TypeError, match="batch_norm: got an unexpected keyword argument 'mask'"):
        bind_module(nn.BatchNorm1d(4), (torch.randn(2, 4),), {"mask": None})


def test_sync_batch_norm_of_several_processes_needs_a_gpu(monkeypatch):
    monkeypatch.setattr(torch.distributed, "is_initialized", lambda: True)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda group=None: 2)
    monkeypatch.setattr(torch.distributed, "group", type("group", (), {"WORLD": "all"}))
    module = nn.SyncBatchNorm(4).train()
    bound = bind_module(module, (torch.randn(2, 4),), {})
    with pytest.raises(twofold.Error, match="batch_norm: SyncBatchNorm of several processes"):
        op_of_module(nn.SyncBatchNorm).compute(bound.inputs, bound.attributes)
    bound = bind_module(module.eval(), (torch.randn(2, 4),), {})
    op_of_module(nn.SyncBatchNorm).compute(bound.inputs, bound.attributes)


MASK = torch.tensor([[True, False, False], [False, False, True], [True, True, True]])


@pytest.mark.parametrize("dim", [-1, 0, 2])
@pytest.mark.parametrize("is_bool", [True, False])
def test_masked_softmax(dim, is_bool):
    mask = MASK if is_bool else torch.randn(2, 1, 3).masked_fill(MASK[:2, None], -torch.inf)
    scores = torch.randn(2, 3, 3) * 4
    # Exponentials, which each library approximates in its own way.
    check(lambda x, m: masked_softmax(x, m, dim), scores, mask, op="masked_softmax", atol=1e-6)


@pytest.mark.parametrize("mask", [MASK, torch.zeros(3, 3).masked_fill(MASK, -torch.inf)])
def test_masked_softmax_by_hand(mask):
    rows = [[100.0, 0.0, 0.0], [0.0, 0.0, 50.0], [1.0, 2.0, 3.0]]
    scores = torch.tensor(rows, requires_grad=True)
    weights = masked_softmax(scores, mask)
    assert weights.tolist() == [[0.0, 0.5, 0.5], [0.5, 0.5, 0.0], [0.0, 0.0, 0.0]]
    weights[:, 1].sum().backward()
    assert scores.grad.tolist() == [[0.0, 0.25, -0.25], [-0.25, 0.25, 0.0], [0.0, 0.0, 0.0]]
