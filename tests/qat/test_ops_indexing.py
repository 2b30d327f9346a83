"""Parts of tensors: indices of all kinds, ranges, pieces, and tensors of places."""

import random

import pytest
import torch
import twofold
from call_cases import cases, check, emit, model_of, same_bits
from ops_cases import bound_call
from twofold.quantization._ops import bind_function


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


CALLS = {  # of [2, 3, 4]
    "getitem": [
        lambda x: x[0],
        lambda x: x[-1],
        lambda x: x[:, 1],
        lambda x: x[..., 0],
        lambda x: x[1, -2, 3],
        lambda x: x[:, 1:3],
        lambda x: x[:, -2:, ::2],
        lambda x: x[:, :-1, 1:-1],
        lambda x: x[:, 1:100],
        lambda x: x[None],
        lambda x: x[:, None, ..., None, 1],
        lambda x: x[...],
        lambda x: x[:],
        lambda x: x[1:, 0],
        lambda x: x[:, [0, 2]],
        lambda x: x[[1, 0], [2, 1]],
        lambda x: x[[[0, 1], [1, 1]], :, [[1], [-1]]],
        lambda x: x[0, :, [1, 2]],
        lambda x: x[:, [1, 2], None, [0, 1]],
        lambda x: x[range(2)],
        lambda x: x[torch.tensor(1) :],
        lambda x: x[:, torch.tensor([2, 0])],
        lambda x: x.__getitem__((0, slice(1, None))),
    ],
    "narrow": [
        lambda x: x.narrow(1, 1, 2),
        lambda x: torch.narrow(x, -1, -3, 3),
        lambda x: torch.narrow(x, -1, -3, 2),
        lambda x: x.narrow(dim=0, start=0, length=1),
    ],
    "select": [
        lambda x: x.select(1, 2),
        lambda x: x.select(dim=0, index=1),
        lambda x: torch.select(x, -1, -1),
    ],
    "split": [
        lambda x: x.split(2, 1),
        lambda x: x.split([1, 2], dim=1),
        lambda x: torch.split(x, 1, dim=-1),
        lambda x: torch.split(x, (2, 2), 2),
        lambda x: x.chunk(2, -1),
        lambda x: x.chunk(5, 2),
        lambda x: x.chunk(chunks=1),
        lambda x: torch.chunk(x, 2, dim=1),
        lambda x: torch.tensor_split(x, 3, 2),
        lambda x: x.tensor_split((1, 3), -1),
        lambda x: x.tensor_split((1, -1), dim=2),
        lambda x: x.tensor_split(sections=2, dim=1),
        lambda x: x.tensor_split(indices=(2,), dim=1),
        lambda x: x.split_with_sizes([1, 3], 2),
        lambda x: torch.split_with_sizes(x, [1, 1]),
    ],
    "unbind": [
        lambda x: x.unbind(),
        lambda x: x.unbind(dim=1),
        lambda x: torch.unbind(x, -1),
    ],
}


@pytest.mark.parametrize(("op", "call"), cases(CALLS))
def test_calls(op, call):
    check(call, torch.randn(2, 3, 4), op=op)


def random_item(size):
    kind = random.randrange(5)
    if kind == 0:
        return random.randint(-size, size - 1)
    if kind == 1:
        ends = [random.choice((None, random.randint(-size - 1, size + 1))) for _ in range(2)]
        return slice(*ends, random.choice((None, 1, 2, 3)))
    if kind == 2:
        return random.choice(([0], [size - 1, -1], [[0, -1], [0, 0]]))
    if kind == 3:
        shape = random.choice(((), (2,), (1,), (3, 2), (2, 1), (3, 1)))
        dtype = random.choice((torch.int64, torch.int32))
        return torch.randint(-size, size, shape, dtype=dtype)
    return slice(None)


def random_index(sizes):
    index = [random_item(size) for size in sizes[: random.randint(0, len(sizes))]]
    if len(index) < len(sizes) and random.random() < 0.3:
        index.append(Ellipsis)
    for _ in range(random.choice((0, 0, 1, 2))):
        index.insert(random.randint(0, len(index)), None)
    return tuple(index)


@pytest.mark.parametrize("case", range(150))
def test_random_indices(case):
    """Integers, ranges, lists and tensors, together and apart, in any order."""
    random.seed(case)
    torch.manual_seed(case)
    sizes = [random.randint(1, 5) for _ in range(random.randint(1, 4))]
    x, index = torch.randn(sizes), random_index(sizes)
    try:
        empty = x[index].numel() == 0
    except IndexError:  # lists and tensors that do not broadcast
        empty = True
    if not empty:
        check(lambda x: x[index], x, op="getitem")


def test_places_come_as_inputs():
    x, i = torch.randn(3, 4), torch.tensor([2, 0])
    for call in (lambda x, i: x[i], lambda x, i: x[i, 1], lambda x, i: x[i, i]):
        bound = check(call, x, i, op="getitem")
        assert bound.inputs[1] is i
    check(lambda x, i: x[:, i], x, torch.tensor(3), op="getitem")
    check(lambda x, i, j: x[i, :, j], torch.randn(2, 3, 4), i.clamp(0, 1), i, op="getitem")


PLACES = {  # of [2, 3, 4], and places [2, 5, 4] along axis 1
    "gather": [
        lambda x, i: x.gather(1, i),
        lambda x, i: x.gather(dim=1, index=i),
        lambda x, i: torch.gather(x, -2, i),
        lambda x, i: torch.gather(input=x, dim=1, index=i, sparse_grad=False),
    ],
    "take_along_dim": [
        lambda x, i: x.take_along_dim(i, 1),
        lambda x, i: x.take_along_dim(i),
        lambda x, i: torch.take_along_dim(x, i, dim=-2),
    ],
}
ROWS = [
    lambda x, i: x.index_select(1, i),
    lambda x, i: x.index_select(dim=1, index=i),
    lambda x, i: torch.index_select(x, -2, i),
]


@pytest.mark.parametrize(("op", "call"), cases(PLACES))
def test_tensors_of_places(op, call):
    check(call, torch.randn(2, 3, 4), torch.randint(0, 3, (2, 5, 4)), op=op)


@pytest.mark.parametrize("call", ROWS)
@pytest.mark.parametrize("places", [[2, 0, 0], 1])
@pytest.mark.parametrize("dtype", [torch.int64, torch.int32])
def test_rows(call, places, dtype):
    check(call, torch.randn(2, 3, 4), torch.tensor(places, dtype=dtype), op="index_select")


def test_places_of_other_shapes():
    x = torch.randn(2, 3, 4)
    check(lambda x, i: x.gather(1, i), x, torch.randint(0, 3, (1, 5, 3)), op="gather")
    i = torch.randint(0, 3, (1, 5, 4))
    check(lambda x, i: x.take_along_dim(i, 1), x[..., :1], i, op="take_along_dim")


def test_a_scalar_tensor_is_a_number():
    """x[0, :, i] keeps the order of axes: NumPy would put what lists pick first."""
    x = torch.arange(24.0).reshape(2, 3, 4)
    op, bound = bound_call(lambda x: x[1, :, torch.tensor([0, 3])], [x])
    wanted = torch.tensor([[12.0, 15], [16, 19], [20, 23]])
    assert same_bits(op.compute(bound.inputs, bound.attributes), wanted)


def test_pieces_of_other_sizes():
    op, bound = bound_call(lambda x: x.tensor_split(3), [torch.arange(5.0)])
    pieces = op.compute(bound.inputs, bound.attributes)
    assert [piece.tolist() for piece in pieces] == [[0, 1], [2, 3], [4]]
    nodes = model_of(op, bound).build().graph.node
    assert [(node.op_type, len(node.output)) for node in nodes] == [("Split", 3)]


def test_masks_have_no_onnx():
    x, mask = torch.randn(2, 3), torch.tensor([True, False])
    for call in (lambda x: x[mask], lambda x: x[[True, False]], lambda x: x[True]):
        op, bound = bound_call(call, [x])
        assert same_bits(op.compute(bound.inputs, bound.attributes), call(x))
        with pytest.raises(twofold.Error, match=r"getitem: a mask .* use torch\.where"):
            emit(call, x)


def test_wrong_use():
    x = torch.randn(2, 3)
    with pytest.raises(TypeError, match="getitem: an index of type float is not there"):
        bind_function(torch.Tensor.__getitem__, (x, 1.5), {})
    with pytest.raises(TypeError, match=r"split: the indices \(2, 1\) do not ascend"):
        bind_function(torch.tensor_split, (x, (2, 1), 1), {})
    with pytest.raises(TypeError, match="gather: missing a required argument: 'index'"):
        bind_function(torch.gather, (x, 0), {})
