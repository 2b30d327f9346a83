"""Gradients of windows and of chains of movers with attributes drawn at random, against PyTorch."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812 as everybody calls it
from gradient_case import check_node, normal
from test_network_gradients import Network, compare, doubles


def draw(seed):
    return np.random.default_rng(seed)


def pad_spatial(x, begin, end):
    return F.pad(
        x, [p for b, e in zip(reversed(begin), reversed(end), strict=True) for p in (b, e)]
    )


@pytest.mark.parametrize("seed", range(40))
def test_conv(tmp_path, seed):
    random = draw(seed)
    n = int(random.integers(1, 4))
    kernel, strides = random.integers(1, 5, n).tolist(), random.integers(1, 5, n).tolist()
    dilations = random.integers(1, 4, n).tolist()
    begin, end = random.integers(0, 4, n).tolist(), random.integers(0, 4, n).tolist()
    group = int(random.choice([1, 2, 3]))
    channels, filters = group * int(random.integers(1, 3)), group * int(random.integers(1, 3))
    extents = [(k - 1) * d + 1 for k, d in zip(kernel, dilations, strict=True)]
    # From one that is hardly covered by a window.
    x = normal(2, channels, *[e + int(random.integers(0, 6)) for e in extents])
    convolve = [F.conv1d, F.conv2d, F.conv3d][n - 1]

    def reference(x, w):
        return convolve(pad_spatial(x, begin, end), w, None, strides, 0, dilations, groups=group)

    attributes = {
        "strides": strides,
        "dilations": dilations,
        "pads": begin + end,
        "group": group,
    }
    w = normal(filters, channels // group, *kernel)
    check_node(tmp_path, "Conv", [x, w], reference, attributes)


@pytest.mark.parametrize("seed", range(40))
def test_conv_transpose(tmp_path, seed):
    random = draw(seed)
    n = int(random.integers(1, 4))
    kernel, strides = random.integers(2, 5, n).tolist(), random.integers(1, 4, n).tolist()
    dilations = random.integers(1, 4, n).tolist()
    extra = [int(random.integers(0, s)) for s in strides]
    begin, end = random.integers(0, 2, n).tolist(), random.integers(0, 2, n).tolist()
    group = int(random.choice([1, 2]))
    channels, filters = group * int(random.integers(1, 3)), int(random.integers(1, 3))
    x = normal(2, channels, *random.integers(2, 5, n).tolist())
    convolve = [F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d][n - 1]

    def reference(x, w):
        y = convolve(x, w, None, strides, 0, extra, group, dilations)
        return pad_spatial(y, [-b for b in begin], [-e for e in end])

    attributes = {
        "strides": strides,
        "dilations": dilations,
        "pads": begin + end,
        "output_padding": extra,
        "group": group,
    }
    w = normal(channels, filters, *kernel)
    check_node(tmp_path, "ConvTranspose", [x, w], reference, attributes)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("op", ["MaxPool", "AveragePool"])
def test_pool(tmp_path, op, seed):
    random = draw(seed)
    kernel, strides = random.integers(2, 5, 2).tolist(), random.integers(1, 5, 2).tolist()
    # PyTorch pads both ends alike, by half a window at most.
    pads = [int(random.integers(0, k // 2 + 1)) for k in kernel]
    ceil = bool(random.integers(0, 2))
    x = normal(2, 3, *[k + int(random.integers(0, 7)) for k in kernel])

    def reference(x):
        if op == "MaxPool":
            return F.max_pool2d(x, kernel, strides, pads, ceil_mode=ceil)
        return F.avg_pool2d(x, kernel, strides, pads, ceil, count_include_pad=False)

    attributes = {
        "kernel_shape": kernel,
        "strides": strides,
        "pads": pads * 2,
        "ceil_mode": int(ceil),
    }
    check_node(tmp_path, op, [x], reference, attributes)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
def test_resize(tmp_path, mode, seed):
    random = draw(seed)
    sizes = random.integers(1, 12, 2).tolist()
    align = bool(random.integers(0, 2)) and mode != "nearest"
    coordinates = "align_corners" if align else "half_pixel"
    x = normal(1, 2, *random.integers(1, 8, 2).tolist())

    def reference(x, *_):
        if mode == "nearest":
            return F.interpolate(x, sizes, mode="nearest")
        return F.interpolate(x, sizes, mode=f"bi{mode}", align_corners=align)

    attributes = {
        "mode": mode,
        "coordinate_transformation_mode": "asymmetric" if mode == "nearest" else coordinates,
        "nearest_mode": "floor",
    }
    inputs = [x, None, None, np.array([1, 2, *sizes], np.int64)]
    check_node(tmp_path, "Resize", inputs, reference, attributes, constants=(3,))


def move(net, random, name, array, tensor, number):
    """Appends one mover of `name` to the network; returns its output's name and tensor."""
    to = f"v{number}"
    rank = array.ndim
    match random.choice(["Transpose", "Slice", "Pad", "Reshape", "Concat", "Gather", "Relu"]):
        case "Transpose":
            order = random.permutation(rank).tolist()
            net.node("Transpose", name, to, perm=order)
            return to, tensor.permute(order)
        case "Slice":
            axis = int(random.integers(rank))
            step = int(random.choice([1, 2, -1]))
            begin, end = (0, 2**40) if step > 0 else (-1, -(2**40))
            for part, value in (("s", begin), ("e", end), ("a", axis), ("t", step)):
                net.constant(f"{part}{number}", np.array([value], np.int64))
            net.node("Slice", f"{name} s{number} e{number} a{number} t{number}", to)
            index = np.arange(array.shape[axis])[::step].copy()
            return to, tensor.index_select(axis, torch.from_numpy(index))
        case "Pad":
            pads = random.integers(0, 2, 2 * rank)
            net.constant(f"p{number}", pads)
            net.node("Pad", f"{name} p{number}", to)
            return to, pad_spatial(tensor, pads[:rank].tolist(), pads[rank:].tolist())
        case "Reshape":
            shape = [array.shape[0], -1] + [1] * int(random.integers(2))
            net.constant(f"r{number}", np.array(shape, np.int64))
            net.node("Reshape", f"{name} r{number}", to)
            return to, tensor.reshape(shape)
        case "Concat":
            axis = int(random.integers(rank))
            net.node("Concat", f"{name} {name}", to, axis=axis)
            return to, torch.cat([tensor, tensor], axis)
        case "Gather":
            axis = int(random.integers(rank))
            index = random.integers(0, array.shape[axis], 3)
            net.constant(f"i{number}", index)
            net.node("Gather", f"{name} i{number}", to, axis=axis)
            return to, tensor.index_select(axis, torch.from_numpy(index))
        case "Relu":
            net.node("Relu", name, to)
            return to, F.relu(tensor)


@pytest.mark.parametrize("seed", range(30))
def test_chain_of_movers(tmp_path, seed):
    random = draw(seed)
    net = Network()
    x = normal(3, 4, 2)
    net.input("x", x)
    first = doubles(x)
    name, tensor = "x", first
    for number in range(7):
        name, tensor = move(net, random, name, tensor.detach().numpy(), tensor, number)
    net.outputs = [name]
    cotangents = {name: normal(*tensor.shape)}
    found = net.gradients(tmp_path, cotangents, passes=bool(seed % 2))
    assert not found.incomplete
    compare(found, {"x": first}, {name: tensor}, cotangents)
