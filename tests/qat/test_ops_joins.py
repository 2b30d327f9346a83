"""Tensors side by side, and rows of a table: every spelling, and its ONNX."""

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
import twofold
from call_cases import cases, check, check_layer, emit
from ops_cases import bound_call
from torch import nn
from twofold.quantization._ops import OPS_BY_NAME, bind_function
from twofold.quantization._ops.op import Kind


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


CALLS = {  # of two [2, 3, 4]
    "cat": [
        lambda a, b: torch.cat([a, b]),
        lambda a, b: torch.cat((a, b), dim=-1),
        lambda a, b: torch.cat(tensors=[a, b, a], dim=1),
        lambda a, b: torch.cat([a, torch.empty(0), b], 1),
        lambda a, b: torch.cat([a]),
        lambda a, b: torch.concat([a, b], 1),
        lambda a, b: torch.concatenate([a, b], axis=1),
    ],
    "stack": [
        lambda a, b: torch.stack([a, b]),
        lambda a, b: torch.stack((a, b), dim=-1),
        lambda a, b: torch.stack([a, b, a], 1),
    ],
    "hstack": [lambda a, b: torch.hstack([a, b])],
    "vstack": [lambda a, b: torch.vstack([a, b]), lambda a, b: torch.row_stack([a, b])],
}


@pytest.mark.parametrize(("op", "call"), cases(CALLS))
def test_calls(op, call):
    check(call, torch.randn(2, 3, 4), torch.randn(2, 3, 4), op=op)


def test_of_other_sizes():
    check(lambda a, b: torch.cat([a, b], 1), torch.randn(2, 3), torch.randn(2, 5), op="cat")
    check(lambda a, b: torch.hstack([a, b]), torch.randn(3), torch.randn(4), op="hstack")
    check(lambda a, b: torch.vstack([a, b]), torch.randn(3), torch.randn(2, 3), op="vstack")


def test_scalars():
    a, b = torch.tensor(1.0), torch.tensor(2.0)
    check(lambda a, b: torch.hstack([a, b]), a, b, op="hstack")
    check(lambda a, b: torch.vstack([a, b]), a, b, op="vstack")
    check(lambda a, b: torch.stack([a, b]), a, b, op="stack")


def test_each_input_may_have_a_scale_of_its_own():
    op, bound = bound_call(lambda a: torch.cat([a] * 5), [torch.randn(2, 3)])
    assert op.kind is Kind.COMPUTE and op.quantized is None and len(bound.inputs) == 5


ROWS = [
    lambda table, i: F.embedding(i, table),
    lambda table, i: F.embedding(i, table, padding_idx=0),
    lambda table, i: F.embedding(input=i, weight=table, max_norm=None, sparse=False),
]


@pytest.mark.parametrize("call", ROWS)
def test_embedding(call):
    bound = check(call, torch.randn(7, 3), torch.randint(0, 7, (2, 5)), op="embedding")
    assert bound.inputs[0].shape == (7, 3)
    assert OPS_BY_NAME["embedding"].quantized == ()


def test_embedding_module():
    places = torch.randint(0, 7, (2, 5))
    check_layer(nn.Embedding(7, 3, padding_idx=1), places, op="embedding")
    limited = nn.Embedding(7, 3, max_norm=0.5)  # which writes to its own table
    check_layer(limited, places, op="embedding")
    assert limited.weight[places].norm(dim=-1).max() <= 0.5 + 1e-6


def test_the_padding_row_is_not_trained():
    table = torch.randn(4, 2, requires_grad=True)
    places = torch.tensor([0, 1, 1])
    _, bound = bind_function(F.embedding, (places, table, 0), {})
    OPS_BY_NAME["embedding"].compute(bound.inputs, bound.attributes).sum().backward()
    assert table.grad.tolist() == [[0, 0], [2, 2], [0, 0], [0, 0]]


def test_wrong_use():
    x = torch.randn(2, 3)
    with pytest.raises(twofold.Error, match="cat: all tensors are empty"):
        emit(lambda x: torch.cat([x, x]), torch.empty(0))
    with pytest.raises(TypeError, match="stack: got an unexpected keyword argument 'dims'"):
        bind_function(torch.stack, ([x, x],), {"dims": 1})
    with pytest.raises(TypeError, match="cat: out= cannot be followed"):
        bind_function(torch.cat, ([x, x],), {"out": x})
