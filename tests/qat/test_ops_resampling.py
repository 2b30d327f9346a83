"""Interpolation, grids and pixels of channels: PyTorch's places and numbers, in ONNX."""

import random

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
import twofold
from call_cases import check, check_layer, emit, model_of
from ops_cases import bound_call
from torch import nn
from twofold.quantization._ops import OPS_BY_NAME, bind_function

# Weighted sums of up to 64 numbers, whose weights come from positions rounded in other ways.
CLOSE = {"rtol": 2e-5, "atol": 2e-5}
MODES = {
    1: ["linear", "nearest", "nearest-exact"],
    2: ["bilinear", "bicubic", "nearest", "nearest-exact"],
    3: ["trilinear", "nearest", "nearest-exact"],
}
RANKS_AND_MODES = [(axes, mode) for axes, modes in MODES.items() for mode in modes]


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def random_target(axes):
    if random.random() < 0.5:
        sizes = [random.randint(1, 12) for _ in range(axes)]
        return {"size": sizes if random.random() < 0.7 else sizes[0]}
    scales = [random.choice((1, 2, 3.0, 1.5, 1.3, 1.1, 2.7)) for _ in range(axes)]
    recompute = random.choice((None, True, False))
    scales = scales if random.random() < 0.5 else scales[0]
    return {"scale_factor": scales, "recompute_scale_factor": recompute}


@pytest.mark.parametrize(("axes", "mode"), RANKS_AND_MODES)
@pytest.mark.parametrize("case", range(20))
def test_random_interpolation(axes, mode, case):
    random.seed(case)
    x = torch.randn(2, 3, *[random.randint(1, 7) for _ in range(axes)])
    target = random_target(axes)
    is_nearest = "nearest" in mode
    corners = {} if is_nearest else {"align_corners": random.choice((None, False, True))}
    close = {} if is_nearest else CLOSE
    call = lambda x: F.interpolate(x, mode=mode, **corners, **target)  # noqa: E731
    check(call, x, op="interpolate", **close)


@pytest.mark.parametrize("mode", ["nearest", "nearest-exact"])
@pytest.mark.parametrize("size", [9, 14, 18, 49, 52, 60, 69])
@pytest.mark.parametrize("to", [8, 111, 121, 0.3, 2.3, 1.1, 2, 7 / 3])
def test_nearest_takes_pytorchs_numbers(mode, size, to):
    """Also where a place comes out next to an integer, and other roundings take its neighbour."""
    target = {"size" if isinstance(to, int) and to > 2 else "scale_factor": to}
    check(
        lambda x: F.interpolate(x, mode=mode, **target), torch.randn(1, 2, size), op="interpolate"
    )


@pytest.mark.parametrize("scale", [0.1, 0.3, 0.6, 0.7, 0.9, 1.1, 1.7, 2.7, 4.1])
@pytest.mark.parametrize("size", [10, 20, 37, 50, 60, 70])
def test_sizes_are_rounded_as_pytorch_does(scale, size):
    call = lambda x: F.interpolate(x, scale_factor=(scale, 1), mode="bilinear")  # noqa: E731
    check(call, torch.randn(1, 1, size, 3), op="interpolate", rtol=1e-4, atol=1e-4)


def test_repeating_is_a_resize():
    op, bound = bound_call(lambda x: F.interpolate(x, scale_factor=3), [torch.randn(1, 2, 4, 5)])
    assert [n.op_type for n in model_of(op, bound).build().graph.node] == ["Resize"]


def test_interpolation_by_hand():
    x = torch.tensor([[[0.0, 4.0]]])
    op, bound = bound_call(lambda x: F.interpolate(x, scale_factor=2, mode="linear"), [x])
    session = twofold.Session(model_of(op, bound).build().SerializeToString())
    assert session.run({"x0": x.numpy()})["y0"].tolist() == [[[0, 1, 3, 4]]]


@pytest.mark.filterwarnings("ignore:`nn.functional.upsample")
def test_upsampling_modules():
    x = torch.randn(1, 2, 3, 4)
    check_layer(nn.Upsample(scale_factor=2), x, op="interpolate")
    check_layer(nn.Upsample((5, 6), mode="bicubic"), x, op="interpolate", **CLOSE)
    aligned = nn.Upsample(scale_factor=(2, 3), mode="bilinear", align_corners=True)
    check_layer(aligned, x, op="interpolate", **CLOSE)
    check_layer(nn.UpsamplingNearest2d(size=(5, 6)), x, op="interpolate")
    check_layer(nn.UpsamplingBilinear2d(scale_factor=2), x, op="interpolate", **CLOSE)
    check(lambda x: F.upsample_nearest(x, scale_factor=2), x, op="interpolate")
    check(lambda x: F.upsample_bilinear(x, size=(5, 5)), x, op="interpolate", **CLOSE)


@pytest.mark.filterwarnings("ignore:Default grid_sample")
@pytest.mark.parametrize("mode", ["bilinear", "nearest", "bicubic"])
@pytest.mark.parametrize("padding_mode", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("align_corners", [None, False, True])
def test_grid_sample(mode, padding_mode, align_corners):
    x, grid = torch.randn(2, 3, 5, 6), torch.rand(2, 4, 7, 2) * 2.6 - 1.3
    call = lambda x, grid: F.grid_sample(x, grid, mode, padding_mode, align_corners)  # noqa: E731
    if (mode, padding_mode) == ("bicubic", "border"):
        with pytest.raises(twofold.Error, match="grid_sample: bicubic .* use 'zeros'"):
            emit(call, x, grid)
    else:
        bound = check(call, x, grid, op="grid_sample", **CLOSE)
        assert bound.inputs[1] is grid


@pytest.mark.parametrize("mode", ["bilinear", "nearest"])
def test_grid_sample_of_volumes(mode):
    x, grid = torch.randn(2, 3, 5, 6, 4), torch.rand(2, 4, 7, 3, 3) * 2.6 - 1.3
    call = lambda x, grid: F.grid_sample(x, grid, mode=mode, align_corners=True)  # noqa: E731
    check(call, x, grid, op="grid_sample", **CLOSE)


@pytest.mark.filterwarnings("ignore:Default grid_sample")
@pytest.mark.parametrize("align_corners", [None, False, True])
@pytest.mark.parametrize("size", [(2, 3, 5, 6), [2, 3, 5, 6, 4]])
def test_affine_grid(align_corners, size):
    theta = torch.randn(2, len(size) - 2, len(size) - 1)
    call = lambda theta: F.affine_grid(theta, size, align_corners)  # noqa: E731
    check(call, theta, op="affine_grid", **CLOSE)


@pytest.mark.parametrize("shape", [(2, 12, 4, 6), (12, 4, 6), (2, 3, 12, 4, 6)])
def test_pixels_of_channels(shape):
    x = torch.randn(shape)
    check(lambda x: F.pixel_shuffle(x, 2), x, op="pixel_shuffle")
    check(lambda x: torch.pixel_shuffle(x, upscale_factor=2), x, op="pixel_shuffle")
    check_layer(nn.PixelShuffle(2), x, op="pixel_shuffle")
    check(lambda x: F.pixel_unshuffle(x, 2), x, op="pixel_unshuffle")
    check(lambda x: torch.pixel_unshuffle(x, downscale_factor=2), x, op="pixel_unshuffle")
    check_layer(nn.PixelUnshuffle(2), x, op="pixel_unshuffle")


def test_what_gets_integers():
    assert OPS_BY_NAME["grid_sample"].quantized == (0, 1)
    assert OPS_BY_NAME["affine_grid"].quantized == ()


def test_what_onnx_has_not():
    x = torch.randn(1, 1, 4, 4)
    with pytest.raises(twofold.Error, match="interpolate: antialias=True is not there"):
        emit(lambda x: F.interpolate(x, 3, mode="bilinear", antialias=True), x)
    with pytest.raises(twofold.Error, match="interpolate: mode 'area' is not there; use one of"):
        emit(lambda x: F.interpolate(x, 2, mode="area"), x)


def test_wrong_use():
    with pytest.raises(TypeError, match="grid_sample: missing a required argument: 'grid'"):
        bind_function(F.grid_sample, (torch.randn(1, 1, 4, 4),), {})
