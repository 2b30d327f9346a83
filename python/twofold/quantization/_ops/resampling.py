"""Tensors between the places they were given at, and pixels that channels hold."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from .calls import operator
from .layout import integers, refuse, reshape
from .op import Bound, Builder, Kind
from .windows import per_axis

_RESIZE_MODES = {
    "nearest": "nearest",
    "nearest-exact": "nearest",
    "linear": "linear",
    "bilinear": "linear",
    "trilinear": "linear",
    "bicubic": "cubic",
}
_PYTORCHS_CUBIC = -0.75


def _interpolate(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Bound:
    attributes = {
        "size": size,
        "scale_factor": scale_factor,
        "mode": mode,
        "align_corners": align_corners,
        "recompute_scale_factor": recompute_scale_factor,
        "antialias": antialias,
    }
    return Bound([input], attributes)


def _upsample_module(module: nn.Upsample, input: Tensor) -> Bound:
    return _interpolate(
        input,
        module.size,
        module.scale_factor,
        module.mode,
        module.align_corners,
        module.recompute_scale_factor,
    )


def _emit_interpolate(builder: Builder, inputs: list[str], attributes: dict[str, Any]) -> str:
    mode = attributes["mode"]
    if attributes["antialias"]:
        raise refuse("interpolate", "antialias=True is not there; leave it out.")
    if mode not in _RESIZE_MODES:
        raise refuse("interpolate", f"mode {mode!r} is not there; use one of {[*_RESIZE_MODES]}.")
    shape = builder.shape(inputs[0])
    sizes, scales = _sizes_and_scales(shape[2:], attributes)
    if _RESIZE_MODES[mode] == "nearest":
        places = [_nearest(shape[2:], axis, attributes) for axis in range(len(sizes))]
        if not all(_repeats(axis, size) for axis, size in zip(places, shape[2:], strict=True)):
            return _pick(builder, inputs[0], shape[2:], places)
        scales = [None]  # sizes are in the ratio of integers, which no rounding changes
    if None in scales:
        where = [inputs[0], "", "", integers(builder, [*shape[:2], *sizes])]
    else:
        where = [inputs[0], "", builder.constant([1.0, 1.0, *scales])]
    return builder.node("Resize", where, **_resize_rule(mode, attributes["align_corners"]))


def _nearest(sizes: Sequence[int], axis: int, attributes: dict[str, Any]) -> Tensor:
    """The places along one axis that PyTorch takes numbers from: int64 [size of the result].

    Where a quotient comes next to an integer, its rounding decides; ONNX Runtime's is another.
    """
    where = torch.arange(sizes[axis], dtype=torch.float32)
    where = where.reshape(-1, *[1] * (len(sizes) - 1 - axis)).expand(1, 1, *sizes).contiguous()
    found = F.interpolate(where, **attributes).movedim(2 + axis, 0)
    return found.reshape(len(found), -1)[:, 0].to(torch.int64)


def _repeats(places: Tensor, size: int) -> bool:
    """Whether each number comes the same number of times, which all Resizes agree on."""
    return torch.equal(places, torch.arange(size).repeat_interleave(len(places) // size))


def _pick(builder: Builder, x: str, sizes: Sequence[int], places: Sequence[Tensor]) -> str:
    for axis, indices in enumerate(places):
        if not torch.equal(indices, torch.arange(sizes[axis])):
            x = builder.node("Gather", [x, integers(builder, indices.tolist())], axis=axis + 2)
    return x


def _sizes_and_scales(
    sizes: Sequence[int], attributes: dict[str, Any]
) -> tuple[Sequence[int], Sequence[float | None]]:
    """The result's spatial sizes, and the scales where PyTorch computes with those given.

    It does not between aligned corners.
    """
    none = [None] * len(sizes)
    if attributes["size"] is not None:
        return per_axis(attributes["size"], len(sizes)), none
    given = attributes["scale_factor"]
    scales = [float(s) for s in ([given] * len(sizes) if _is_number(given) else given)]
    results = [int(size * scale) for size, scale in zip(sizes, scales, strict=True)]
    if attributes["mode"] != "bicubic":  # then an axis that keeps its size stays as it is
        pairs = zip(sizes, results, scales, strict=True)
        scales = [1.0 if size == result else scale for size, result, scale in pairs]
    if attributes["recompute_scale_factor"] or attributes["align_corners"]:
        return results, none
    triples = zip(sizes, results, scales, strict=True)
    return results, [_scale_to(size, result, scale) for size, result, scale in triples]


def _scale_to(size: int, result: int, scale: float) -> float:
    """`scale` in float32, or the next number that gives the size that PyTorch has of the double."""
    found = np.float32(scale)
    while int(np.float32(size) * found) > result:
        found = np.nextafter(found, np.float32(0))
    while int(size * float(found)) < result:
        found = np.nextafter(found, np.float32(np.inf))
    return float(found)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float))


def _resize_rule(mode: str, align_corners: bool | None) -> dict[str, Any]:
    rule: dict[str, Any] = {"mode": _RESIZE_MODES[mode]}
    if mode == "nearest":
        rule |= {"coordinate_transformation_mode": "asymmetric", "nearest_mode": "floor"}
    elif mode == "nearest-exact":
        rule |= {"coordinate_transformation_mode": "half_pixel"}
        rule |= {"nearest_mode": "round_prefer_ceil"}
    else:
        corners = "align_corners" if align_corners else "half_pixel"
        rule |= {"coordinate_transformation_mode": corners}
    if mode == "bicubic":
        rule |= {"cubic_coeff_a": _PYTORCHS_CUBIC}
    return rule


def _grid_sample(
    input: Tensor,
    grid: Tensor,
    mode: str = "bilinear",
    padding_mode: str = "zeros",
    align_corners: bool | None = None,
) -> Bound:
    attributes = {"mode": mode, "padding_mode": padding_mode, "align_corners": align_corners}
    return Bound([input, grid], attributes)


def _emit_grid_sample(builder: Builder, inputs: list[str], attributes: dict[str, Any]) -> str:
    if (attributes["mode"], attributes["padding_mode"]) == ("bicubic", "border"):
        raise refuse(
            "grid_sample",
            "bicubic with padding_mode 'border' has other numbers at the border in ONNX than in "
            "PyTorch; use 'zeros' or 'reflection'.",
        )
    return builder.node(
        "GridSample",
        inputs,
        mode=_RESIZE_MODES[attributes["mode"]],
        padding_mode=attributes["padding_mode"],
        align_corners=int(bool(attributes["align_corners"])),
    )


def _affine_grid(theta: Tensor, size: Sequence[int], align_corners: bool | None = None) -> Bound:
    return Bound([theta], {"size": tuple(size), "align_corners": align_corners})


def _emit_affine_grid(builder: Builder, inputs: list[str], attributes: dict[str, Any]) -> str:
    size = integers(builder, attributes["size"])
    corners = int(bool(attributes["align_corners"]))
    return builder.node("AffineGrid", [inputs[0], size], align_corners=corners)


def _pixel_shuffle(input: Tensor, upscale_factor: int) -> Bound:
    return Bound([input], {"factor": upscale_factor})


def _pixel_unshuffle(input: Tensor, downscale_factor: int) -> Bound:
    return Bound([input], {"factor": downscale_factor})


def _emit_pixel_shuffle(builder: Builder, inputs: list[str], attributes: dict[str, Any]) -> str:
    factor, shape = attributes["factor"], builder.shape(inputs[0])
    *batch, channels, height, width = shape
    x = inputs[0] if len(shape) == 4 else reshape(builder, inputs[0], [-1, *shape[-3:]])
    x = builder.node("DepthToSpace", [x], blocksize=factor, mode="CRD")
    if len(shape) == 4:
        return x
    return reshape(builder, x, [*batch, channels // factor**2, height * factor, width * factor])


def _emit_pixel_unshuffle(builder: Builder, inputs: list[str], attributes: dict[str, Any]) -> str:
    # SpaceToDepth puts the places within a block before the channels; PyTorch behind them.
    factor = attributes["factor"]
    *batch, channels, height, width = builder.shape(inputs[0])
    height, width = height // factor, width // factor
    x = reshape(builder, inputs[0], [-1, height, factor, width, factor])
    x = builder.node("Transpose", [x], perm=[0, 2, 4, 1, 3])
    return reshape(builder, x, [*batch, channels * factor**2, height, width])


OPS = [
    operator(
        "interpolate",
        Kind.COMPUTE,
        {F.interpolate: _interpolate},
        lambda inputs, attributes: F.interpolate(inputs[0], **attributes),
        _emit_interpolate,
        {
            nn.Upsample: _upsample_module,
            nn.UpsamplingNearest2d: _upsample_module,
            nn.UpsamplingBilinear2d: _upsample_module,
        },
    ),
    operator(
        "grid_sample",
        Kind.COMPUTE,
        {F.grid_sample: _grid_sample},
        lambda inputs, attributes: F.grid_sample(*inputs, **attributes),
        _emit_grid_sample,
        quantized=(0, 1),
    ),
    operator(
        "affine_grid",
        Kind.COMPUTE,
        {F.affine_grid: _affine_grid},
        lambda inputs, attributes: F.affine_grid(inputs[0], **attributes),
        _emit_affine_grid,
        quantized=(),
    ),
    operator(
        "pixel_shuffle",
        Kind.MOVE,
        {torch.pixel_shuffle: _pixel_shuffle},
        lambda inputs, attributes: torch.pixel_shuffle(inputs[0], attributes["factor"]),
        _emit_pixel_shuffle,
        {nn.PixelShuffle: lambda module, input: _pixel_shuffle(input, module.upscale_factor)},
    ),
    operator(
        "pixel_unshuffle",
        Kind.MOVE,
        {torch.pixel_unshuffle: _pixel_unshuffle},
        lambda inputs, attributes: torch.pixel_unshuffle(inputs[0], attributes["factor"]),
        _emit_pixel_unshuffle,
        {nn.PixelUnshuffle: lambda module, input: _pixel_unshuffle(input, module.downscale_factor)},
    ),
]
