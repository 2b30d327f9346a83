"""Gradients of pools and of sampling, against PyTorch."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F  # noqa: N812 as everybody calls it
from gradient_case import check_node, floats, ints, normal, random

POOLS = [
    ((2, 3, 9), {"kernel_shape": [3]}),
    ((2, 3, 9), {"kernel_shape": [2], "strides": [2]}),
    ((1, 3, 8, 9), {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}),
    ((1, 2, 8, 9), {"kernel_shape": [3, 2], "strides": [1, 2], "pads": [1, 0, 1, 0]}),
    ((1, 2, 9, 9), {"kernel_shape": [2, 2], "strides": [3, 3]}),
    ((1, 2, 4, 5, 6), {"kernel_shape": [2, 2, 3], "strides": [2, 1, 3]}),
]


@pytest.mark.parametrize("case", [*POOLS, ((1, 1, 7), {"kernel_shape": [3], "dilations": [2]})])
def test_max_pool(tmp_path, case):
    shape, attributes = case
    n = len(shape) - 2
    pool = [F.max_pool1d, F.max_pool2d, F.max_pool3d][n - 1]

    def reference(x):
        return pool(
            x,
            attributes["kernel_shape"],
            attributes.get("strides", [1] * n),
            attributes.get("pads", [0] * n)[:n],
            attributes.get("dilations", [1] * n),
        )

    # Whole numbers: many windows have several largest elements.
    x = random.integers(-3, 4, shape).astype(np.float32)
    check_node(tmp_path, "MaxPool", [x], reference, attributes)


@pytest.mark.parametrize("include", [0, 1])
@pytest.mark.parametrize("case", POOLS)
def test_average_pool(tmp_path, case, include):
    shape, attributes = case
    n = len(shape) - 2
    pool = [F.avg_pool1d, F.avg_pool2d, F.avg_pool3d][n - 1]

    def reference(x):
        return pool(
            x,
            attributes["kernel_shape"],
            attributes.get("strides", [1] * n),
            attributes.get("pads", [0] * n)[:n],
            count_include_pad=bool(include),
        )

    attributes = {**attributes, "count_include_pad": include}
    check_node(tmp_path, "AveragePool", [normal(*shape)], reference, attributes)


@pytest.mark.parametrize("op", ["MaxPool", "AveragePool"])
@pytest.mark.parametrize("shape", [(1, 2, 8, 10), (1, 2, 7, 9)])
def test_ceil_mode(tmp_path, op, shape):
    def reference(x):
        if op == "MaxPool":
            return F.max_pool2d(x, 3, 2, 1, ceil_mode=True)
        return F.avg_pool2d(x, 3, 2, 1, ceil_mode=True, count_include_pad=False)

    attributes = {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1], "ceil_mode": 1}
    check_node(tmp_path, op, [normal(*shape)], reference, attributes)


def test_max_pool_of_padding(tmp_path):
    """The first windows see padding alone."""

    def reference(x):
        return F.max_pool1d(F.pad(x, [3, 0], value=torch.finfo(torch.float32).min), 2)

    attributes = {"kernel_shape": [2], "strides": [2], "pads": [3, 0]}
    check_node(tmp_path, "MaxPool", [normal(1, 2, 7)], reference, attributes)


@pytest.mark.parametrize("p", [1, 2, 3])
def test_lp_pool(tmp_path, p):
    def reference(x):
        return F.lp_pool2d(x.abs(), p, (3, 2), (2, 1))

    attributes = {"kernel_shape": [3, 2], "strides": [2, 1], "p": p}
    check_node(tmp_path, "LpPool", [normal(1, 2, 7, 6)], reference, attributes)


GLOBAL = {
    "GlobalAveragePool": lambda x: x.mean((2, 3), keepdim=True),
    "GlobalMaxPool": lambda x: F.adaptive_max_pool2d(x, 1),
    "GlobalLpPool": lambda x: torch.linalg.vector_norm(x, 2, (2, 3), keepdim=True),
}


@pytest.mark.parametrize("op", GLOBAL)
def test_global_pool(tmp_path, op):
    x = random.integers(-3, 4, (2, 3, 4, 5)).astype(np.float32)
    check_node(tmp_path, op, [x], GLOBAL[op])


def test_max_unpool(tmp_path):
    pooled, at = F.max_pool2d(torch.tensor(normal(1, 1, 4, 6)), 2, return_indices=True)

    def reference(x, at):
        return F.max_unpool2d(x, at, 2)

    inputs = [pooled.numpy(), at.numpy()]
    attributes = {"kernel_shape": [2, 2], "strides": [2, 2]}
    check_node(tmp_path, "MaxUnpool", inputs, reference, attributes)


RESIZES = [
    # sizes, mode, coordinates, interpolate's arguments
    ((8, 10), "nearest", "asymmetric", {"mode": "nearest"}),
    ((7, 3), "nearest", "asymmetric", {"mode": "nearest"}),
    ((8, 15), "linear", "half_pixel", {"mode": "bilinear", "align_corners": False}),
    ((7, 9), "linear", "align_corners", {"mode": "bilinear", "align_corners": True}),
    ((2, 3), "linear", "half_pixel", {"mode": "bilinear", "align_corners": False}),
    ((9, 3), "cubic", "half_pixel", {"mode": "bicubic", "align_corners": False}),
    ((9, 11), "cubic", "align_corners", {"mode": "bicubic", "align_corners": True}),
]


@pytest.mark.parametrize("case", RESIZES)
def test_resize(tmp_path, case):
    sizes, mode, coordinates, arguments = case
    attributes = {
        "mode": mode,
        "coordinate_transformation_mode": coordinates,
        "nearest_mode": "floor",
        "cubic_coeff_a": -0.75,
    }

    def reference(x, *_):
        return F.interpolate(x, sizes, **arguments)

    inputs = [normal(2, 3, 4, 5), None, None, ints(2, 3, *sizes)]
    check_node(tmp_path, "Resize", inputs, reference, attributes, constants=(3,))


def test_resize_by_scales_along_axes(tmp_path):
    attributes = {
        "mode": "nearest",
        "coordinate_transformation_mode": "asymmetric",
        "nearest_mode": "floor",
        "axes": [2, 3],
    }

    def reference(x, *_):
        return F.interpolate(x, scale_factor=(2, 3), mode="nearest")

    inputs = [normal(2, 3, 4, 5), None, floats(2, 3)]
    check_node(tmp_path, "Resize", inputs, reference, attributes, constants=(2,))


def test_resize_of_volumes(tmp_path):
    attributes = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}

    def reference(x, *_):
        return F.interpolate(x, (5, 3, 8), mode="trilinear", align_corners=False)

    inputs = [normal(1, 2, 3, 4, 5), None, None, ints(1, 2, 5, 3, 8)]
    check_node(tmp_path, "Resize", inputs, reference, attributes, constants=(3,))


def test_resize_with_antialias(tmp_path):
    attributes = {"mode": "linear", "antialias": 1, "exclude_outside": 1}

    def reference(x, *_):
        return F.interpolate(x, (4, 3), mode="bilinear", align_corners=False, antialias=True)

    inputs = [normal(1, 2, 9, 10), None, None, ints(1, 2, 4, 3)]
    check_node(tmp_path, "Resize", inputs, reference, attributes, constants=(3,))


@pytest.mark.parametrize("align", [0, 1])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("mode", ["nearest", "linear", "cubic"])
def test_grid_sample(tmp_path, mode, padding, align):
    # Far outside, too.
    grid = random.uniform(-1.8, 1.8, (2, 5, 6, 2)).astype(np.float32)
    torch_mode = {"nearest": "nearest", "linear": "bilinear", "cubic": "bicubic"}[mode]
    if mode == "cubic" and padding != "zeros":
        # PyTorch pads the taps of cubic samples only, ONNX the position first.
        grid *= 0.5

    def reference(x, grid):
        return F.grid_sample(x, grid, torch_mode, padding, bool(align))

    attributes = {"mode": mode, "padding_mode": padding, "align_corners": align}
    check_node(tmp_path, "GridSample", [normal(2, 3, 4, 5), grid], reference, attributes)


@pytest.mark.parametrize("padding", ["zeros", "border"])
def test_grid_sample_of_volumes(tmp_path, padding):
    grid = random.uniform(-1.3, 1.3, (1, 3, 4, 2, 3)).astype(np.float32)

    def reference(x, grid):
        return F.grid_sample(x, grid, "bilinear", padding, False)

    attributes = {"mode": "linear", "padding_mode": padding}
    check_node(tmp_path, "GridSample", [normal(1, 2, 3, 4, 5), grid], reference, attributes)


@pytest.mark.parametrize("align", [0, 1])
@pytest.mark.parametrize("size", [(2, 3, 4, 5), (2, 1, 3, 4, 2)])
def test_affine_grid(tmp_path, size, align):
    n = len(size) - 2

    def reference(theta, _):
        return F.affine_grid(theta, size, bool(align))

    inputs = [normal(2, n, n + 1), ints(*size)]
    check_node(tmp_path, "AffineGrid", inputs, reference, {"align_corners": align}, constants=(1,))
