"""Sums, extremes, spreads, norms and running sums: every spelling, and its ONNX."""

import math

import pytest
import torch
import twofold
from call_cases import cases, check, emit, model_of
from ops_cases import bound_call
from twofold.quantization._ops import OPS_BY_NAME, bind_function

# Two dozen numbers added up in another order, and roots and logarithms of that.
CLOSE = {"rtol": 3e-6, "atol": 2e-6}


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def sums(name):
    function, method = getattr(torch, name), getattr(torch.Tensor, name)
    return [
        lambda x: function(x),
        lambda x: function(x, 1),
        lambda x: function(x, dim=(0, -1)),
        lambda x: function(x, (0, 2), True),
        lambda x: function(x, ()),
        lambda x: function(x, None, True),
        lambda x: function(x, axis=1, keepdims=True),
        lambda x: method(x, -1, keepdim=True),
        lambda x: method(x, dtype=torch.float64),
    ]


def extremes(name):
    function, method = getattr(torch, name), getattr(torch.Tensor, name)
    return [
        lambda x: function(x),
        lambda x: function(x, 1),
        lambda x: method(x),
        lambda x: method(x, dim=-1, keepdim=True),
        lambda x: method(x, 0, True),
    ]


def extremes_of_axes(name):
    function, method = getattr(torch, name), getattr(torch.Tensor, name)
    return [
        *extremes(name),
        lambda x: function(x, dim=(0, -1)),
        lambda x: function(x, (0, 2), True),
        lambda x: method(x, ()),
    ]


def spreads(name):
    function, method = getattr(torch, name), getattr(torch.Tensor, name)
    return [
        lambda x: function(x),
        lambda x: function(x, 1),
        lambda x: function(x, False),
        lambda x: function(x, unbiased=False),
        lambda x: function(x, 1, False),
        lambda x: function(x, (0, 1), True, True),
        lambda x: method(x, dim=-1, keepdim=True),
        lambda x: method(x, correction=0),
        lambda x: method(x, -1, correction=2, keepdim=True),
    ]


CALLS = {  # of [2, 3, 4]
    "sum": sums("sum"),
    "mean": sums("mean"),
    "prod": [
        lambda x: x.prod(),
        lambda x: x.prod(dim=-1, keepdim=True),
        lambda x: torch.prod(x, 1),
        lambda x: torch.prod(x, 1, dtype=torch.float64),
    ],
    "amax": extremes_of_axes("amax"),
    "amin": extremes_of_axes("amin"),
    "max": extremes("max"),
    "min": extremes("min"),
    "argmax": [*extremes("argmax"), lambda x: x.argmax(keepdim=True)],
    "argmin": [*extremes("argmin"), lambda x: x.argmin(keepdim=True)],
    "var": spreads("var"),
    "std": spreads("std"),
    "logsumexp": [
        lambda x: x.logsumexp(1),
        lambda x: torch.logsumexp(x, (0, 1), True),
        lambda x: torch.logsumexp(x, dim=-1, keepdim=True),
        lambda x: torch.special.logsumexp(x, -1),
    ],
    "cumsum": [
        lambda x: x.cumsum(1),
        lambda x: x.cumsum(0, dtype=torch.float64),
        lambda x: x.cumsum_(-1),
        lambda x: torch.cumsum(x, dim=-1),
    ],
    "norm": [
        lambda x: x.norm(),
        lambda x: x.norm(2, -1, True),
        lambda x: x.norm(p=1, dim=(0, 1)),
        lambda x: x.norm(-math.inf, 1),
        lambda x: x.norm(2, dtype=torch.float64),
        lambda x: torch.norm(x),
        lambda x: torch.norm(x, math.inf, 1),
        lambda x: torch.norm(x, dim=-1, keepdim=True),
        lambda x: torch.linalg.norm(x),
        lambda x: torch.linalg.norm(x, dim=1),
        lambda x: torch.linalg.norm(x, dim=(0, 1)),
        lambda x: torch.linalg.norm(x, "fro", (1, 2)),
        lambda x: torch.linalg.norm(x, ord=3, dim=1),
        lambda x: torch.linalg.vector_norm(x, 1, -1, keepdim=True),
        lambda x: torch.linalg.vector_norm(x, 2.5),
    ],
}
EXACT = ("amax", "amin", "max", "min", "argmax", "argmin")


@pytest.mark.parametrize(("op", "call"), cases(CALLS))
def test_calls(op, call):
    check(call, torch.randn(2, 3, 4), op=op, **({} if op in EXACT else CLOSE))


def logic(name):
    function, method = getattr(torch, name), getattr(torch.Tensor, name)
    return [
        lambda x: function(x),
        lambda x: function(x, 1),
        lambda x: method(x, dim=-1, keepdim=True),
        lambda x: method(x, (0, 1)),
    ]


LOGIC = {name: logic(name) for name in ("any", "all")}


@pytest.mark.parametrize(("op", "call"), cases(LOGIC))
@pytest.mark.parametrize("dtype", [torch.bool, torch.int64, torch.float32])
def test_logic(op, call, dtype):
    check(call, torch.randint(0, 2, (2, 3, 4)).to(dtype), op=op)


@pytest.mark.parametrize("dtype", [torch.int64, torch.int32, torch.uint8, torch.bool])
def test_sums_of_integers_are_int64(dtype):
    x = torch.randint(0, 9, (2, 3)).to(dtype)
    check(lambda x: x.sum(), x, op="sum")
    check(lambda x: x.sum(-1, dtype=torch.float32), x, op="sum")
    check(lambda x: x.cumsum(1), x, op="cumsum")
    check(lambda x: x.prod(1), x, op="prod")
    check(lambda x: x.mean(dtype=torch.float32), x, op="mean", **CLOSE)


def test_the_first_of_equal_ones():
    x = torch.tensor([[1.0, 3, 3, 0], [2, 2, 2, 2]])
    assert check(lambda x: x.max(1), x, op="max") is not None
    op, bound = bound_call(lambda x: x.max(1), [x])
    assert op.compute(bound.inputs, bound.attributes).indices.tolist() == [1, 0]
    check(lambda x: x.argmin(-1), x, op="argmin")


@pytest.mark.filterwarnings("ignore:var")
def test_extremes():
    check(lambda x: x.logsumexp(-1), torch.randn(3, 4) * 100, op="logsumexp", **CLOSE)
    check(lambda x: x.mean(), torch.tensor(3.0), op="mean")
    check(lambda x: x.var(), torch.tensor([3.0]), op="var")  # NaN: one number less one
    check(lambda x: x.std(correction=0), torch.tensor([3.0]), op="std")
    check(lambda x: x.norm(), torch.zeros(3), op="norm")


def test_by_hand():
    x = torch.tensor([[1.0, 2.0, 6.0]])
    for call, wanted in (
        (lambda x: x.var(1), 7.0),  # mean 3, squares 4 + 1 + 9, over 2
        (lambda x: x.var(1, correction=0), 14 / 3),
        (lambda x: x.norm(1, 1), 9.0),
        (lambda x: x.norm(3, 1), 225 ** (1 / 3)),
    ):
        file = model_of(*bound_call(call, [x])).build().SerializeToString()
        assert twofold.Session(file).run({"x0": x.numpy()})["y0"] == pytest.approx([wanted])


def test_max_of_two_is_no_reduction():
    x = torch.randn(2, 3)
    assert bind_function(torch.max, (x, x), {})[0].name == "maximum"
    assert bind_function(torch.Tensor.min, (x,), {"other": x})[0].name == "minimum"
    assert bind_function(torch.max, (x, 1, True), {})[0].name == "max"


def test_what_gets_integers():
    x = torch.randn(2, 3)
    for call in (torch.argmax, torch.any, torch.all):
        assert bind_function(call, (x,), {})[0].quantized == ()
    assert OPS_BY_NAME["mean"].quantized is None


def test_wrong_use():
    x = torch.randn(2, 3)
    with pytest.raises(TypeError, match="norm: the nuclear norm is not there"):
        bind_function(torch.norm, (x, "nuc"), {})
    with pytest.raises(TypeError, match="norm: the matrix norm 2 is not there"):
        bind_function(torch.linalg.norm, (x, 2), {})
    with pytest.raises(TypeError, match="sum: out= cannot be followed"):
        bind_function(torch.sum, (x,), {"out": torch.empty(())})
    with pytest.raises(TypeError, match="cumsum: missing a required argument: 'dim'"):
        bind_function(torch.cumsum, (x,), {})
    with pytest.raises(twofold.Error, match="norm: the norm of order 0 is not there; count"):
        emit(lambda x: x.norm(0), x)
