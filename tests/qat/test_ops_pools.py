"""Pools: windows that PyTorch, ONNX Runtime and Twofold cut alike, over one to three axes."""

import random

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
import twofold
from call_cases import check, check_layer, emit, model_of
from ops_cases import bound_call
from torch import nn
from twofold.quantization._ops import OPS_BY_NAME, bind_function
from twofold.quantization._ops.op import Kind
from twofold.quantization._ops.windows import windows

# Sums of some dozen numbers in another order, and roots of them.
CLOSE = {"rtol": 2e-6, "atol": 1e-6}
ROOTS = {"rtol": 2e-5, "atol": 1e-5}
AXES = [1, 2, 3]


def random_pool(axes, case):
    """An input, and a kernel, stride, padding and dilation that fit it."""
    random.seed(case)
    torch.manual_seed(case)
    sizes = [random.randint(5, 9) for _ in range(axes)]
    kernel = [random.randint(1, 4) for _ in range(axes)]
    stride = [random.randint(1, 4) for _ in range(axes)]
    padding = [random.randint(0, size // 2) for size in kernel]
    fits = [2 * (k - 1) < size for k, size in zip(kernel, sizes, strict=True)]
    dilation = [random.choice((1, 1, 2)) if fit else 1 for fit in fits]
    batch = [2] if random.random() < 0.7 else []  # PyTorch lets it be left out
    return torch.randn(*batch, 3, *sizes), kernel, stride, padding, dilation


def perhaps():
    return random.random() < 0.5


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("case", range(20))
def test_random_max_pools(axes, case):
    pool = getattr(F, f"max_pool{axes}d")
    x, *args = random_pool(axes, case)
    args += [perhaps(), perhaps()]
    check(lambda x: pool(x, *args), x, op=f"max_pool{axes}d")


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("case", range(20))
def test_random_avg_pools(axes, case):
    pool = getattr(F, f"avg_pool{axes}d")
    x, *args, _ = random_pool(axes, case)
    args += [perhaps(), perhaps()]
    args += [] if axes == 1 else [random.choice((None, 3))]
    check(lambda x: pool(x, *args), x, op=f"avg_pool{axes}d", **CLOSE)


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("p", [2, 3.0])
@pytest.mark.parametrize("case", range(8))
def test_random_lp_pools(axes, p, case):
    pool = getattr(F, f"lp_pool{axes}d")
    x, kernel, stride, *_ = random_pool(axes, case)
    args = [kernel[0], stride[0]] if axes == 1 else [kernel, stride]
    args.append(perhaps())
    x = x.abs() if p == 3 else x  # a root of a negative sum is NaN
    check(lambda x: pool(x, p, *args), x, op=f"lp_pool{axes}d", **ROOTS)


@pytest.mark.parametrize("axes", AXES)
@pytest.mark.parametrize("case", range(10))
def test_random_adaptive_pools(axes, case):
    average = getattr(F, f"adaptive_avg_pool{axes}d")
    largest = getattr(F, f"adaptive_max_pool{axes}d")
    x, *_ = random_pool(axes, case)
    out = [random.choice([n for n in range(1, s + 1) if s % n == 0]) for s in x.shape[-axes:]]
    check(lambda x: average(x, out), x, op=f"adaptive_avg_pool{axes}d", **CLOSE)
    check(lambda x: largest(x, out), x, op=f"adaptive_max_pool{axes}d")
    check(lambda x: largest(x, out, return_indices=True), x, op=f"adaptive_max_pool{axes}d")


@pytest.mark.parametrize("axes", AXES)
def test_spellings(axes):
    x = torch.randn(2, 3, *[6] * axes)
    pool = f"max_pool{axes}d"
    check(lambda x: getattr(torch, pool)(x, 2), x, op=pool)
    check(lambda x: getattr(torch, pool)(x, kernel_size=3, padding=1, ceil_mode=True), x, op=pool)
    check(lambda x: getattr(F, f"{pool}_with_indices")(x, 2, stride=1), x, op=pool)
    check_layer(getattr(nn, f"MaxPool{axes}d")(3, 2, 1, ceil_mode=True), x, op=pool)
    check_layer(getattr(nn, f"MaxPool{axes}d")(2, return_indices=True), x[0], op=pool)
    average = f"avg_pool{axes}d"
    check(lambda x: getattr(F, average)(x, kernel_size=2, padding=1), x, op=average, **CLOSE)
    check_layer(getattr(nn, f"AvgPool{axes}d")(3, 2, 1), x, op=average, **CLOSE)
    layer = getattr(nn, f"AvgPool{axes}d")(3, 2, 1, ceil_mode=True, count_include_pad=False)
    check_layer(layer, x, op=average, **CLOSE)
    check_layer(getattr(nn, f"LPPool{axes}d")(2, 3, stride=2), x, op=f"lp_pool{axes}d", **ROOTS)
    average = f"adaptive_avg_pool{axes}d"
    for size in (1, 2, (3,) * axes):
        check_layer(getattr(nn, f"AdaptiveAvgPool{axes}d")(size), x, op=average, **CLOSE)
    largest = f"adaptive_max_pool{axes}d"
    check(lambda x: getattr(F, largest)(x, 1), x, op=largest)
    check(lambda x: getattr(F, f"{largest}_with_indices")(x, 1), x, op=largest)
    check_layer(getattr(nn, f"AdaptiveMaxPool{axes}d")(2, return_indices=True), x, op=largest)


def test_spellings_of_some():
    x = torch.randn(2, 3, 6)
    check(lambda x: torch.max_pool1d_with_indices(x, 2), x, op="max_pool1d")
    check(lambda x: torch.adaptive_max_pool1d(x, 3), x, op="adaptive_max_pool1d")
    x = torch.randn(2, 3, 6, 4)
    check_layer(nn.AvgPool2d(2, divisor_override=3), x, op="avg_pool2d", **CLOSE)
    check_layer(nn.AdaptiveAvgPool2d((1, None)), x, op="adaptive_avg_pool2d", **CLOSE)
    check_layer(nn.AdaptiveMaxPool2d((None, 2)), x, op="adaptive_max_pool2d")


def test_all_that_is_one_number_is_a_global_pool():
    x = torch.randn(1, 2, 4, 6)
    op, bound = bound_call(lambda x: F.adaptive_avg_pool2d(x, (1, 1)), [x])
    assert [n.op_type for n in model_of(op, bound).build().graph.node] == ["GlobalAveragePool"]
    op, bound = bound_call(lambda x: F.adaptive_max_pool2d(x, 1), [x])
    assert [n.op_type for n in model_of(op, bound).build().graph.node] == ["GlobalMaxPool"]


def test_windows_by_hand():
    pool = {"kernel_size": 3, "stride": 2, "padding": 0, "dilation": 1, "ceil_mode": True}
    # Of 6 numbers, windows begin at 0, 2 and 4; the last passes the end by one.
    assert windows([6], pool).overhang == (1,)
    assert windows([6], pool | {"ceil_mode": False}).overhang == (0,)
    # With a padding of 1, they begin at -1, 1, 3 and 5: the last has one number, and passes by one.
    assert windows([6], pool | {"padding": 1}).end == (2,)
    # One that would begin in the end padding is no window: of 5 numbers, at -1, 1 and 3 only.
    assert windows([5], pool | {"padding": 1, "stride": 2}).end == (1,)
    assert windows([4], pool | {"kernel_size": 2, "padding": 1, "stride": 3}).end == (1,)


def test_ceil_mode_by_hand():
    x = torch.tensor([[[1.0, 2, 3, 4, 5, 6]]])
    op, bound = bound_call(lambda x: F.max_pool1d(x, 3, 2, ceil_mode=True), [x])
    assert op.compute(bound.inputs, bound.attributes).tolist() == [[[3, 5, 6]]]
    # Padding counts as a number, what lies behind it does not: (0 + 1 + 2) / 3 ... (6 + 0) / 2.
    op, bound = bound_call(lambda x: F.avg_pool1d(x, 3, 2, 1, ceil_mode=True), [x])
    session = twofold.Session(model_of(op, bound).build().SerializeToString())
    assert session.run({"x0": x.numpy()})["y0"].tolist() == [[[1, 3, 5, 3]]]


def test_kinds():
    assert OPS_BY_NAME["max_pool2d"].kind is Kind.MOVE
    assert OPS_BY_NAME["adaptive_max_pool3d"].kind is Kind.MOVE
    assert OPS_BY_NAME["avg_pool2d"].kind is Kind.COMPUTE


def test_what_onnx_has_not():
    with pytest.raises(twofold.Error, match=r"adaptive_avg_pool2d: windows from \[6, 7\] to"):
        emit(lambda x: F.adaptive_avg_pool2d(x, (2, 3)), torch.randn(1, 1, 6, 7))


def test_wrong_use():
    with pytest.raises(TypeError, match="max_pool2d: missing a required argument: 'kernel_size'"):
        bind_function(F.max_pool2d, (torch.randn(1, 1, 4, 4),), {})
    with pytest.raises(TypeError, match="avg_pool2d: out= cannot be followed"):
        bind_function(F.avg_pool2d, (torch.randn(1, 1, 4, 4), 2), {"out": torch.empty(1)})
