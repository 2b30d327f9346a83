"""Steps of training without PyTorch's dispatcher compute what its operators do."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.fx.experimental.proxy_tensor import make_fx
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.checkpoint import checkpoint
from twofold import Error
from twofold.dtype import ec, qint4, qint8, qint16
from twofold.quantization import _direct
from twofold.quantization._kernels import fake_quantize, fake_quantize_ec, fake_quantize_learned
from twofold.quantization._observer import Observer
from twofold.quantization.fake_quantize import FakeQuantize
from twofold.quantization.observer_v2 import MinMaxObserver

INT8 = (-128, 127)
SPECIAL = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-45, 3e38, -3e38]


def tensor(shape, seed, special=0.0, spread=1.0):
    rng = np.random.default_rng(100 + seed)
    x = rng.normal(0, spread, shape)
    x = np.where(rng.random(shape) < special, rng.choice(SPECIAL, shape), x)
    return torch.from_numpy(x.astype(np.float32))


def same_bits(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.numpy().tobytes() == b.numpy().tobytes()


def operators(*arguments):
    return torch.ops.twofold.fake_quantize(*arguments)


# Fake quantization

LAYOUTS = {
    "contiguous": lambda t: t,
    "channels last": lambda t: t.to(memory_format=torch.channels_last),
    "transposed": lambda t: t.transpose(1, 3),
    "with gaps": lambda t: t[..., ::2],
}


def test_zero_points_of_either_type():
    x, scale = tensor((5, 8), 1), torch.full((5,), 0.02)
    zero = torch.tensor([0, -128, 127, 3, -7])
    expected = operators(x, scale, zero, INT8, 0, None)
    for dtype in (torch.int32, torch.int64):
        assert same_bits(fake_quantize(x, scale, zero.to(dtype), *INT8, 0), expected)
    strided = torch.stack([zero, zero + 1], 1)[:, 0]
    assert same_bits(fake_quantize(x, scale, strided, *INT8, 0), expected)


def test_zero_points_and_shapes_that_cannot_be():
    x, scale = tensor((5, 8), 1), torch.full((5,), 0.02)
    zero = torch.zeros(5, dtype=torch.int64)
    zero[3] = 2**40
    with pytest.raises(Error, match="zero point 3 is 2147483647; the integers are those from"):
        fake_quantize(x, scale, zero, *INT8, 0)
    with pytest.raises(ValueError, match=r"scale has the shape \(5,\); for axis 1"):
        fake_quantize(x, scale, None, *INT8, 1)
    with pytest.raises(ValueError, match="has no axis 2"):
        fake_quantize(x, scale, None, *INT8, 2)
    with pytest.raises(ValueError, match=r"zero_point has the shape \(5,\)"):
        fake_quantize(x, scale[:1], zero, *INT8)


def test_memory_that_holds_numbers_negated():
    """x and a gradient that are views of that kind."""
    numbers = tensor((4, 6), 5)
    negated = torch.complex(numbers, -numbers).conj().imag
    assert negated.is_neg() and torch.equal(negated, numbers)
    scale = torch.tensor([0.02])
    assert same_bits(
        fake_quantize(negated, scale, None, *INT8), fake_quantize(numbers, scale, None, *INT8)
    )
    found = []
    for gradient in (numbers, negated):
        leaf = numbers.clone().requires_grad_()
        fake_quantize(leaf, scale, None, *INT8).backward(gradient)
        found.append(leaf.grad)
    assert same_bits(*found)


@pytest.mark.parametrize("axis", [-1, 0, 1, 3])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", ["int8", "zero points", "ec", "learned"])
def test_bits_are_those_of_the_operators(axis, layout, kind):
    x = LAYOUTS[layout](tensor((3, 5, 6, 8), 3 + axis, special=0.1))
    gradient = tensor(x.shape, 7)
    channels = 1 if axis < 0 else x.shape[axis]
    scale = tensor((channels,), 3).abs() * 0.02 + 1e-3
    zero = torch.arange(channels) if kind == "zero points" else None
    integers = None if kind == "ec" else INT8
    factor = 0.3 if kind == "learned" else None
    found = []
    for call in (operators, lambda x, scale, *a: _direct.apply(x, scale, (*a, False))):
        leaf, scales = x.clone().requires_grad_(), scale.clone().requires_grad_(kind == "learned")
        y = call(leaf, scales, zero, integers, axis, factor)
        y.backward(gradient)
        found.append([y.detach(), leaf.grad] + ([scales.grad] if kind == "learned" else []))
    for theirs, ours in zip(*found, strict=True):
        assert same_bits(theirs, ours) and theirs.stride() == ours.stride()


def test_gradients_of_any_layout_are_taken():
    x = tensor((4, 6), 0, spread=2).requires_grad_()
    y = fake_quantize(x, torch.tensor([0.01]), None, *INT8)
    y.sum().backward()  # an expanded 1
    inside = np.rint(x.detach().numpy() / np.float32(0.01))
    inside = (inside >= -128) & (inside <= 127)
    assert 0 < inside.sum() < inside.size
    np.testing.assert_array_equal(x.grad.numpy(), inside.astype(np.float32))


class Watch(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.seen = set()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.seen.add(str(func))
        return func(*args, **(kwargs or {}))


def test_who_watches_sees_operators():
    x, scale = torch.randn(5, requires_grad=True), torch.tensor([0.1])
    with Watch() as watch:
        fake_quantize(x, scale, None, *INT8).sum().backward()
    assert {
        "twofold.fake_quantize.default",
        "twofold.fake_quantize_backward.default",
    } <= watch.seen
    y = fake_quantize(x, scale, None, *INT8)
    with Watch() as watch:
        y.sum().backward()
    assert "twofold.fake_quantize_backward.default" in watch.seen
    code = make_fx(lambda x: fake_quantize(x, scale, None, *INT8))(torch.randn(5)).code
    assert "torch.ops.twofold.fake_quantize.default" in code
    traced = torch.jit.trace(lambda x: fake_quantize(x, scale, None, *INT8), torch.randn(5))
    assert "twofold::fake_quantize" in str(traced.graph)


def test_vmap_sees_operators():
    x, scale = torch.randn(3, 5), torch.tensor([0.1])
    batched = torch.func.vmap(lambda row: fake_quantize(row, scale, None, *INT8))(x)
    assert torch.equal(batched, fake_quantize(x, scale, None, *INT8))


# What is known to fit


@pytest.mark.parametrize("call", [fake_quantize, fake_quantize_ec])
def test_what_fits_has_the_gradient_of_the_result(call):
    grid = (None, *INT8) if call is fake_quantize else ()
    x = tensor((7, 9), 1).requires_grad_()
    scale, gradient = torch.tensor([0.1]), tensor((7, 9), 2)
    results = []
    for fits in (False, True):
        y = call(x, scale, *grid, fits=fits)
        results.append((y.detach(), torch.autograd.grad(y, x, gradient)[0]))
    assert all(same_bits(a, b) for a, b in zip(*results, strict=True))
    assert same_bits(results[1][1], gradient)


@pytest.mark.parametrize("dtype", [qint4, qint8, qint16, ec])
@pytest.mark.parametrize("share", [0.01, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("ch_axis", [-1, 0, 1])
def test_what_an_observer_says_fits_is_not_clipped(dtype, share, ch_axis):
    observer = MinMaxObserver(share, ch_axis, dtype)
    observer.calibrating = False
    said = []
    scale = None
    for seed in range(60):
        x = tensor((6, 11), seed, spread=np.exp2(np.random.default_rng(seed).uniform(-1, 1)))
        scale = observer.observe(x, scale)
        said.append(observer.fits)
        integers = None if dtype == ec else (dtype.min, dtype.max)
        ones = torch.ones_like(x)
        passed = torch.ops.twofold.fake_quantize_backward(ones, x, scale, None, integers, ch_axis)
        assert not observer.fits or torch.equal(passed, ones)
    assert said[0] is False and any(said)
    assert all(said[1:]) if share == 1 else not all(said[1:])


@pytest.mark.parametrize("special", [np.nan, np.inf])
@pytest.mark.parametrize("ch_axis", [-1, 0])
def test_what_is_not_finite_does_not_fit(special, ch_axis):
    made = FakeQuantize(averaging_constant=1, ch_axis=ch_axis)
    made(torch.ones(3, 4))
    x = torch.full((3, 4), 1e-3)
    x[1, 2] = special
    x.requires_grad_()
    made(x).sum().backward()
    assert x.grad[1].tolist() == [1, 1, 0, 1]


def test_zero_points_are_not_what_an_observer_reckons_with():
    made = FakeQuantize(averaging_constant=1)
    made.set_qparams(1.0, 100)
    x = torch.tensor([127.0, 20.0, -127.0], requires_grad=True)
    made(x).sum().backward()
    assert made.activation_post_process.fits
    assert x.grad.tolist() == [0, 1, 1]


@pytest.mark.parametrize("use_reentrant", [False, True])
def test_a_recomputed_forward_saves_as_much(use_reentrant):
    net = nn.Sequential(FakeQuantize(averaging_constant=1), nn.Tanh(), FakeQuantize())
    x = torch.randn(4, 5, requires_grad=True)
    net(x)
    checkpoint(net, x, use_reentrant=use_reentrant).sum().backward()
    assert net[0].activation_post_process.fits
    assert torch.allclose(x.grad, 1 - torch.tanh(x) ** 2, atol=0.05)


# Scales


@pytest.mark.parametrize("dtype", [qint4, qint8, qint16, ec])
@pytest.mark.parametrize("share", [0.01, 0.3, 0.5, 0.99, 1.0])
@pytest.mark.parametrize("ch_axis", [-1, 0, 1])
def test_scales_move_as_those_of_any_observer(dtype, share, ch_axis):
    observer = MinMaxObserver(share, ch_axis, dtype)
    scale = observer.observe(tensor((6, 11), 99), None)
    observer.calibrating = False
    for seed in range(40):
        special = 0.05 if seed % 4 == 1 else 0
        x = tensor((6, 11), seed, special, spread=np.exp2(seed - 20.0))
        if seed % 5 == 0:
            x *= 0 if seed % 2 else 1e-38
        expected = Observer.observe(observer, x, scale)
        scale = observer.observe(x, scale)
        assert same_bits(scale, expected)


def test_an_observer_of_another_threshold_keeps_it():
    class Half(MinMaxObserver):
        def threshold(self, x):
            return self.largest(x) / 2

    made = FakeQuantize(observer=Half, averaging_constant=1)
    for _ in range(2):
        made(torch.tensor([127.0, -3.0]))
    assert made.scale.item() == 0.5
    assert not made.activation_post_process.fits


def test_learned_scales_get_their_gradient():
    x = tensor((50,), 0).requires_grad_()
    scale = torch.tensor([0.01], requires_grad=True)
    fake_quantize_learned(x, scale, None, *INT8, grad_factor=0.5).sum().backward()
    steps = x.detach().numpy() / np.float32(0.01)
    q = np.clip(np.rint(steps), *INT8)
    terms = np.where(q == np.rint(steps), q - steps, q).astype(np.float64)
    assert scale.grad.item() == pytest.approx(0.5 * terms.sum(), rel=1e-6)
