"""What lies around a tensor, and the windows within it laid out side by side."""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from .calls import operator
from .layout import axis_of, integers, reshape, squeeze, unsqueeze
from .op import Bound, Builder, Kind
from .windows import per_axis

_PAD_MODES = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def _pad(
    input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None
) -> Bound | None:
    """With numbers that are there, or zeros; `_constant_pad` has other numbers."""
    return None if value else Bound([input], {"pad": tuple(pad), "mode": mode})


def _constant_pad(
    input: Tensor, pad: Sequence[int], mode: str = "constant", value: float | None = None
) -> Bound | None:
    return Bound([input], {"pad": tuple(pad), "value": value}) if value else None


def _pad_modules(mode: str, name: str) -> dict[type, Any]:
    def bind(module: nn.Module, input: Tensor) -> Bound:
        return Bound([input], {"pad": module.padding, "mode": mode})

    return {getattr(nn, f"{name}{axes}d"): bind for axes in (1, 2, 3)}


def _constant_pad_module(module: nn.Module, input: Tensor) -> Bound:
    return Bound([input], {"pad": module.padding, "value": module.value})


def _emit_pad(builder: Builder, inputs: list[str], attributes: dict[str, Any]) -> str:
    rank = len(builder.shape(inputs[0]))
    # PyTorch begins with the last axis, ONNX has all begins, then all ends.
    pad = [*attributes["pad"], *[0] * (2 * rank - len(attributes["pad"]))]
    given = [inputs[0], integers(builder, [*pad[-2::-2], *pad[-1::-2]])]
    if "value" in attributes:
        given.append(builder.constant(float(attributes["value"])))
    return builder.node("Pad", given, mode=_PAD_MODES[attributes.get("mode", "constant")])


def _unfold(
    input: Tensor, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Bound:
    attributes = {
        "kernel_size": kernel_size,
        "dilation": dilation,
        "padding": padding,
        "stride": stride,
    }
    return Bound([input], attributes)


def _emit_unfold(builder: Builder, inputs: list[str], attributes: dict[str, Any]) -> str:
    shape = builder.shape(inputs[0])
    height, width = per_axis(attributes["padding"], 2)
    edges = [0, 0, height, width]
    x = inputs[0] if len(shape) == 4 else unsqueeze(builder, inputs[0], [0])
    if height or width:
        x = builder.node("Pad", [x, integers(builder, edges + edges)])
    sizes = (shape[-2] + 2 * height, shape[-1] + 2 * width)
    channels, places = shape[-3], _places(sizes, attributes)
    x = reshape(builder, x, [0, 0, -1])
    x = builder.node("Gather", [x, builder.constant(places)], axis=2)
    x = reshape(builder, x, [0, channels * places.shape[0], places.shape[1]])
    return x if len(shape) == 4 else squeeze(builder, x, [0])


def _places(sizes: tuple[int, int], attributes: dict[str, Any]) -> Tensor:
    """Where in a flat padded image the window's numbers are: a row per number of the window."""
    names = ("kernel_size", "dilation", "stride")
    kernel, dilation, stride = (per_axis(attributes[name], 2) for name in names)
    rows, columns = (
        dilation[i] * torch.arange(kernel[i])[:, None]
        + torch.arange(0, sizes[i] - dilation[i] * (kernel[i] - 1), stride[i])
        for i in (0, 1)
    )
    flat = rows[:, None, :, None] * sizes[1] + columns[None, :, None, :]
    return flat.reshape(kernel[0] * kernel[1], -1)


def _unfold_axis(input: Tensor, dimension: int, size: int, step: int) -> Bound:
    return Bound([input], {"dimension": dimension, "size": size, "step": step})


def _emit_unfold_axis(builder: Builder, inputs: list[str], attributes: dict[str, Any]) -> str:
    shape, size = builder.shape(inputs[0]), attributes["size"]
    axis = axis_of(attributes["dimension"], len(shape))
    starts = torch.arange(0, shape[axis] - size + 1, attributes["step"])
    places = builder.constant(starts[:, None] + torch.arange(size))
    x = builder.node("Gather", [inputs[0], places], axis=axis)
    order = [i for i in range(len(shape) + 1) if i != axis + 1]
    return builder.node("Transpose", [x], perm=[*order, axis + 1])


OPS = [
    operator(
        "pad",
        Kind.MOVE,
        {F.pad: _pad},
        lambda inputs, attributes: F.pad(inputs[0], **attributes),
        _emit_pad,
        {
            **_pad_modules("constant", "ZeroPad"),
            **_pad_modules("reflect", "ReflectionPad"),
            **_pad_modules("replicate", "ReplicationPad"),
            **_pad_modules("circular", "CircularPad"),
        },
    ),
    operator(
        "constant_pad",
        Kind.COMPUTE,
        {F.pad: _constant_pad},
        lambda inputs, attributes: F.pad(inputs[0], **attributes),
        _emit_pad,
        {
            module: _constant_pad_module
            for module in (nn.ConstantPad1d, nn.ConstantPad2d, nn.ConstantPad3d)
        },
    ),
    operator(
        "unfold",
        Kind.MOVE,
        {F.unfold: _unfold},
        lambda inputs, attributes: F.unfold(inputs[0], **attributes),
        _emit_unfold,
        {
            nn.Unfold: lambda module, input: _unfold(
                input, module.kernel_size, module.dilation, module.padding, module.stride
            )
        },
    ),
    operator(
        "unfold_axis",
        Kind.MOVE,
        {Tensor.unfold: _unfold_axis},
        lambda inputs, attributes: inputs[0].unfold(**attributes),
        _emit_unfold_axis,
    ),
]
