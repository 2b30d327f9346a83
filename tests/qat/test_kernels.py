"""Fake quantization as an operator of PyTorch: its bits and gradients, and how PyTorch takes it."""

import numpy as np
import pytest
import torch
from twofold import Error
from twofold.quantization import _arrays, _torch_path
from twofold.quantization._kernels import fake_quantize, fake_quantize_ec, fake_quantize_learned

INT4, INT8, INT16, UINT8 = (-8, 7), (-128, 127), (-32768, 32767), (0, 255)

# Shape and axis: one scale; long and short runs of a channel; the last axis; several threads.
CASES = [
    ((), -1),
    ((7,), -1),
    ((33,), 0),
    ((5, 37), 1),
    ((64, 3, 3, 3), 0),
    ((6, 4, 3, 3), 1),
    ((2, 5, 17, 9), 1),
    ((3, 130, 700), 1),
    ((300, 257), 1),
]


def scales_of(shape, axis, seed=0):
    rng = np.random.default_rng(seed)
    scale = np.exp2(rng.uniform(-6, 1, 1 if axis < 0 else shape[axis])).astype(np.float32)
    scale[3:7] = np.float32([1e-40, 1e-25, 1e30, 3e38])[: len(scale[3:7])]
    return scale


def numbers_of(shape, axis, scale, integers, seed=0):
    """In and around the range, ties, numbers next to them, and what is no ordinary number."""
    rng = np.random.default_rng(seed)
    low, high = integers
    steps = rng.integers(2 * low - 9, 2 * high + 9, shape) * 0.5
    steps = np.where(rng.random(shape) < 0.5, steps + rng.uniform(-0.5, 0.5, shape), steps)
    with np.errstate(over="ignore"):
        x = (steps * along(scale, shape, axis)).astype(np.float32)
    x = np.where(rng.random(shape) < 0.2, np.nextafter(x, np.float32(np.inf)), x)
    special = np.float32([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-45, -1e-40, 3e38, -3e38])
    return np.where(rng.random(shape) < 0.1, rng.choice(special, shape), x).astype(np.float32)


def along(values, shape, axis):
    return values.reshape([-1 if i == axis else 1 for i in range(len(shape))] if shape else [])


def reference(x, scale, zero, integers, axis):
    """y and what is rounded, as docs/numerics.md has it."""
    s = along(scale, x.shape, axis)
    z = along(np.zeros_like(scale, dtype=np.int64) if zero is None else zero, x.shape, axis)
    with np.errstate(all="ignore"):
        q = np.rint(x / s).astype(np.float64) + z
        inside = (q >= integers[0]) & (q <= integers[1])
        q = np.clip(np.where(np.isnan(x), z, q), *integers)
        return (q - z).astype(np.float32) * s, inside


def ec_reference(x, scale, axis):
    s1 = along(scale, x.shape, axis)
    s2 = s1 / np.float32(254)
    with np.errstate(all="ignore"):
        q1 = np.clip(np.nan_to_num(np.rint(x / s1)), -128, 127) + np.float32(0)
        error = np.rint((x - q1 * s1) / s2)
        q2 = np.clip(np.nan_to_num(error), -128, 127) + np.float32(0)
        return (np.float32(254) * q1 + q2) * s2, q2 == error


def assert_same_bits(actual, expected):
    actual = actual.detach().numpy()
    assert actual.dtype == expected.dtype == np.float32
    assert actual.shape == expected.shape
    np.testing.assert_array_equal(actual.view(np.int32), expected.view(np.int32))


def both_paths(x, y_gradient, scale, zero, integers, axis):
    """y and the gradient of x, by the operator and by operations of PyTorch."""
    leaf = x.clone().requires_grad_()
    y = torch.ops.twofold.fake_quantize(leaf, scale, zero, integers, axis, None)
    yield y, torch.autograd.grad(y, leaf, y_gradient)[0]
    arguments = (x, scale, zero, integers, axis)
    yield (
        _arrays.forward(_torch_path, *arguments),
        _arrays.backward(_torch_path, y_gradient, *arguments),
    )


@pytest.mark.parametrize("shape,axis", CASES)
@pytest.mark.parametrize("with_zeros", [False, True])
@pytest.mark.parametrize("integers", [INT4, INT8, INT16, UINT8])
def test_bits_are_those_of_the_rules(shape, axis, with_zeros, integers):
    scale = scales_of(shape, axis)
    zero = np.random.default_rng(1).integers(*integers, len(scale)) if with_zeros else None
    x = numbers_of(shape, axis, scale, integers)
    gradient = np.random.default_rng(2).standard_normal(shape).astype(np.float32)
    y, inside = reference(x, scale, zero, integers, axis)
    tensors = [None if a is None else torch.from_numpy(np.asarray(a)) for a in (scale, zero)]
    for actual in both_paths(
        torch.from_numpy(np.asarray(x)), torch.tensor(gradient), *tensors, integers, axis
    ):
        assert_same_bits(actual[0], y)
        assert_same_bits(actual[1], np.where(inside, gradient, np.float32(0)))


@pytest.mark.parametrize("shape,axis", CASES)
def test_bits_of_ec_are_those_of_the_rules(shape, axis):
    scale = scales_of(shape, axis)
    x = numbers_of(shape, axis, scale, (-128, 127))
    gradient = np.random.default_rng(2).standard_normal(shape).astype(np.float32)
    y, inside = ec_reference(x, scale, axis)
    for actual in both_paths(
        torch.tensor(x), torch.tensor(gradient), torch.tensor(scale), None, None, axis
    ):
        assert_same_bits(actual[0], y)
        assert_same_bits(actual[1], np.where(inside, gradient, np.float32(0)))
    assert_same_bits(fake_quantize_ec(torch.tensor(x), torch.tensor(scale), axis), y)


LAYOUTS = {
    "channels last": lambda t: t.to(memory_format=torch.channels_last),
    "transposed": lambda t: t.transpose(0, 3),
    "every other": lambda t: t[:, :, ::2],
    "expanded": lambda t: t[:1].expand(4, -1, -1, -1),
    "one channel of many": lambda t: t[:, 1:2],
    "none": lambda t: t[:, :, :0],
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("axis", [-1, 0, 1, 3])
def test_any_layout_gives_the_same_numbers(layout, axis):
    x = LAYOUTS[layout](torch.randn(4, 6, 8, 10))
    scale = torch.tensor(scales_of(x.shape, axis))
    plain = x.contiguous().requires_grad_()
    expected = fake_quantize_learned(plain, scale.requires_grad_(), None, *INT8, axis)
    wanted = torch.autograd.grad(expected.sum(), (plain, scale))  # of an expanded gradient
    leaf = x.detach().requires_grad_()
    y = fake_quantize_learned(leaf, scale, None, *INT8, axis)
    got = torch.autograd.grad(y.sum(), (leaf, scale))
    assert torch.equal(y, expected) and torch.equal(got[0], wanted[0])
    torch.testing.assert_close(got[1], wanted[1], rtol=1e-6, atol=0)
    assert y.stride() == got[0].stride() == torch.empty_like(x).stride()


@pytest.mark.parametrize("layout", ["channels last", "transposed"])
def test_dense_tensors_are_not_copied(layout):
    x = LAYOUTS[layout](torch.randn(4, 6, 8, 10))
    view = _arrays.view(_arrays.dense(x, torch.empty_like(x)), 1)
    assert view.data_ptr() == x.data_ptr() and view.shape[1:] == (6, x.stride(1))


def learned_reference(x, y_gradient, scale, zero, integers, axis):
    """The gradient of scales in float64, and what float32 may differ by."""
    s = along(scale, x.shape, axis).astype(np.float64)
    z = along(zero, x.shape, axis)
    steps = x.astype(np.float64) / s
    q = np.clip(np.rint(steps) + z, *integers)
    inside = np.rint(steps) + z == q
    gradient = y_gradient.astype(np.float64)
    terms = gradient * np.where(inside, q - z - steps, q - z)
    # Of every quotient, product and sum half a unit in the last place.
    error = np.abs(gradient * np.where(inside, steps, 0)) + 2 * np.abs(terms)
    others = tuple(i for i in range(x.ndim) if i != axis)
    return terms.sum(others).reshape(-1), 2.0**-24 * error.sum(others).reshape(-1)


@pytest.mark.parametrize("shape,axis", CASES)
@pytest.mark.parametrize("integers", [INT4, INT8, UINT8])
def test_learned_scales_have_the_gradient_of_the_paper(shape, axis, integers):
    rng = np.random.default_rng(3)
    scale = np.exp2(rng.uniform(-6, 1, 1 if axis < 0 else shape[axis])).astype(np.float32)
    zero = rng.integers(*integers, len(scale))
    # No ties, whose side would depend on the precision.
    steps = rng.integers(integers[0] - 300, integers[1] + 300, shape) + rng.uniform(
        -0.4, 0.4, shape
    )
    x = (steps * along(scale, shape, axis)).astype(np.float32)
    gradient = rng.standard_normal(shape).astype(np.float32)
    expected, tolerance = learned_reference(x, gradient, scale, zero, integers, axis)
    leaf, s = torch.tensor(x, requires_grad=True), torch.tensor(scale, requires_grad=True)
    z = torch.tensor(zero)
    y = fake_quantize_learned(leaf, s, z, *integers, axis, 0.125)
    by_kernel = torch.autograd.grad(y, (leaf, s), torch.tensor(gradient))
    by_torch = _arrays.learned_backward(
        _torch_path, torch.tensor(gradient), leaf, s, z, integers, axis, 0.125
    )
    straight = fake_quantize(leaf, s, z, *integers, axis)
    assert torch.equal(y, straight)
    wanted = torch.autograd.grad(straight, leaf, torch.tensor(gradient))[0]
    for x_gradient, scale_gradient in (by_kernel, by_torch):
        assert torch.equal(x_gradient, wanted)
        assert (np.abs(scale_gradient.numpy() / 0.125 - expected) <= tolerance).all()
    torch.testing.assert_close(by_kernel[1], by_torch[1], rtol=1e-6, atol=0)


def test_learned_scales_by_hand():
    # Steps of 0.5: 0.7 is 1.4 steps, so 1 - 1.4; 9 is beyond 7 steps, and -9 beyond -8; NaN counts
    # nothing.
    x = torch.tensor([0.7, 9.0, -9.0, float("nan")], requires_grad=True)
    scale = torch.tensor([0.5], requires_grad=True)
    y = fake_quantize_learned(x, scale, None, *INT4, grad_factor=0.5)
    y.backward(torch.tensor([1.0, 2.0, 4.0, 8.0]))
    assert y.tolist() == [0.5, 3.5, -4.0, 0.0]
    assert x.grad.tolist() == [1.0, 0.0, 0.0, 0.0]
    assert scale.grad.item() == pytest.approx(0.5 * (1 * -0.4 + 2 * 7 + 4 * -8), rel=1e-6)


def test_scales_have_no_gradient_unless_learned():
    x = torch.randn(8, requires_grad=True)
    scale = torch.tensor([0.1], requires_grad=True)
    for y in (fake_quantize(x, scale, None, *INT8), fake_quantize_ec(x, scale)):
        assert torch.autograd.grad(y.sum(), (x, scale), allow_unused=True)[1] is None


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_change_no_bit(threads):
    x = torch.randn(3, 130, 700, generator=torch.Generator().manual_seed(1)).requires_grad_()
    scale = torch.full((130,), 0.01, requires_grad=True)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        y = fake_quantize_learned(x, scale, None, *INT8, 1)
        gradients = torch.autograd.grad(y.square().sum(), (x, scale))
    finally:
        torch.set_num_threads(before)
    steps = x.detach().numpy() / np.float32(0.01)
    q = np.clip(np.rint(steps), *INT8)
    terms = 2 * y.detach().numpy() * np.where(q == np.rint(steps), q - steps, q)
    # float32 holds the exact sum's nearest number, in whatever order doubles are added.
    expected = terms.astype(np.float64).sum((0, 2)).astype(np.float32)
    assert_same_bits(gradients[1], expected)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_floats_are_computed_in_float32(dtype):
    x = torch.randn(4, 9).to(dtype).requires_grad_()
    scale = torch.tensor([0.013, 0.1, 3e-3, 1.0], requires_grad=True)
    gradient = torch.randn(4, 9).to(dtype)
    y = fake_quantize_learned(x, scale, None, *INT8, 0)
    single = x.detach().float().requires_grad_()
    expected = fake_quantize_learned(single, scale, None, *INT8, 0)
    assert y.dtype == dtype and torch.equal(y, expected.to(dtype))
    got = torch.autograd.grad(y, (x, scale), gradient)
    wanted = torch.autograd.grad(expected, (single, scale), gradient.float())
    assert got[0].dtype == dtype and torch.equal(got[0], wanted[0].to(dtype))
    assert torch.equal(got[1], wanted[1])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_autocast_leaves_float32(dtype):
    x = torch.randn(4, 9).to(dtype).requires_grad_()
    scale = torch.tensor([0.013])
    with torch.autocast("cpu", torch.bfloat16):
        y = fake_quantize(x, scale, None, *INT8)
    assert y.dtype == torch.float32
    assert torch.equal(y, fake_quantize(x.float(), scale, None, *INT8))
    y.sum().backward()
    assert x.grad.dtype == dtype


def arguments(axis, integers, factor, learned_scale=True):
    x = torch.randn(2, 3, 5, 7).to(memory_format=torch.channels_last).requires_grad_()
    scale = torch.full((1 if axis < 0 else x.shape[axis],), 0.1)
    zero = None if integers is None else torch.zeros_like(scale, dtype=torch.int32)
    return x, scale.requires_grad_(factor is not None), zero, integers, axis, factor


@pytest.mark.parametrize(
    "axis,integers,factor", [(-1, INT8, None), (1, INT16, None), (1, INT8, 0.5), (0, None, None)]
)
def test_pytorch_finds_nothing_wrong_with_the_operators(axis, integers, factor):
    inputs = arguments(axis, integers, factor)
    torch.library.opcheck(torch.ops.twofold.fake_quantize.default, inputs)
    grid = [a.detach() if isinstance(a, torch.Tensor) else a for a in inputs[:5]]
    gradient = torch.randn_like(grid[0])
    torch.library.opcheck(torch.ops.twofold.fake_quantize_backward.default, (gradient, *grid))
    if factor is not None:
        torch.library.opcheck(
            torch.ops.twofold.fake_quantize_learned_backward.default, (gradient, *grid, factor)
        )


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_compiles_as_one_graph(backend):
    def loss(x, scale, fine):
        y = fake_quantize_learned(torch.relu(x), scale, None, *INT8, 1, 0.5)
        return fake_quantize_ec(fake_quantize(y * 2, fine, None, *INT16), fine).square().mean()

    x, scale = torch.randn(2, 3, 5, requires_grad=True), torch.full((3,), 0.1, requires_grad=True)
    fine = torch.tensor([0.01])
    eager = loss(x, scale, fine)
    compiled = torch.compile(loss, fullgraph=True, backend=backend)(x, scale, fine)
    assert torch.equal(compiled, eager)
    for got, wanted in zip(
        torch.autograd.grad(compiled, (x, scale)),
        torch.autograd.grad(eager, (x, scale)),
        strict=True,
    ):
        assert torch.equal(got, wanted)


def test_meta_tensors_have_shapes_and_layouts():
    x = torch.empty(2, 3, 5, 7, device="meta").to(memory_format=torch.channels_last)
    y = fake_quantize(x, torch.empty(3, device="meta"), None, *INT8, 1)
    assert y.is_meta and y.shape == x.shape and y.stride() == x.stride()


def test_wrong_arguments_are_named():
    x, one = torch.randn(2, 3), torch.ones(1)
    with pytest.raises(TypeError, match=r"floats, and x is torch\.int32"):
        fake_quantize(x.int(), one, None, *INT8)
    with pytest.raises(ValueError, match=r"shape \(2, 3\) has no axis 2"):
        fake_quantize(x, one, None, *INT8, 2)
    with pytest.raises(ValueError, match=r"scale has the shape \(1,\).*it is \(3,\)"):
        fake_quantize(x, one, None, *INT8, 1)
    with pytest.raises(ValueError, match=r"zero_point has the shape \(2,\).*it is \(1,\)"):
        fake_quantize(x, one, torch.zeros(2, dtype=torch.int32), *INT8)
    with pytest.raises(Error, match="scale 0 is -1; scales are positive"):
        fake_quantize(x, -one, None, *INT8)
    with pytest.raises(Error, match="zero point 0 is 200; the integers are those from -128 to 127"):
        fake_quantize(x, one, torch.tensor([200]), *INT8)
