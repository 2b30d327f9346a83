"""Convolutions and transposed convolutions, of one to three dimensions."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from .calls import operator
from .layout import integers, with_batch
from .op import Bound, Builder, Kind, Op

# PyTorch's names of what stands in the border, and ONNX's.
_PAD_MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def _per_dimension(value: int | Sequence[int], dimensions: int) -> tuple[int, ...]:
    """One number for all dimensions, or one each."""
    values = tuple(value) if isinstance(value, (tuple, list)) else (value,)
    return values * dimensions if len(values) == 1 else values


def _borders(attributes: dict[str, Any], kernel: Sequence[int]) -> list[tuple[int, int]]:
    """What is added in front and behind, per dimension."""
    padding, dilation = attributes["padding"], attributes["dilation"]
    if padding == "valid":
        return [(0, 0)] * len(kernel)
    if padding != "same":
        return [(p, p) for p in padding]
    totals = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
    return [(total // 2, total - total // 2) for total in totals]


def _bind_conv(dimensions: int) -> Callable[..., Bound]:
    def bind(
        input: Tensor,
        weight: Tensor,
        bias: Tensor | None = None,
        stride: int | Sequence[int] = 1,
        padding: int | str | Sequence[int] = 0,
        dilation: int | Sequence[int] = 1,
        groups: int = 1,
        padding_mode: str = "zeros",
    ) -> Bound:
        attributes = {
            "stride": _per_dimension(stride, dimensions),
            "padding": padding
            if padding in ("same", "valid")
            else _per_dimension(padding, dimensions),
            "dilation": _per_dimension(dilation, dimensions),
            "groups": groups,
            "padding_mode": padding_mode,
        }
        return Bound([input, weight, bias], attributes)

    return bind


def _compute_conv(function: Callable) -> Callable:
    def compute(inputs: Sequence[Tensor | None], attributes: dict[str, Any]) -> Tensor:
        x, weight, bias = inputs
        padding = attributes["padding"]
        if attributes["padding_mode"] != "zeros":
            # F.pad begins with the last dimension.
            borders = reversed(_borders(attributes, weight.shape[2:]))
            x = F.pad(x, [p for border in borders for p in border], attributes["padding_mode"])
            padding = 0
        return function(
            x,
            weight,
            bias,
            attributes["stride"],
            padding,
            attributes["dilation"],
            attributes["groups"],
        )

    return compute


def _emit_conv(builder: Builder, inputs: Sequence[str], attributes: dict[str, Any]) -> str:
    x, weight, bias = inputs
    kernel = builder.shape(weight)[2:]
    borders = _borders(attributes, kernel)
    mode = attributes["padding_mode"]

    def write(x: str, _shape: tuple[int, ...]) -> str:
        pads = [begin for begin, _ in borders] + [end for _, end in borders]
        if mode != "zeros":
            half = len(pads) // 2
            everywhere = [0, 0, *pads[:half], 0, 0, *pads[half:]]
            x = builder.node("Pad", [x, integers(builder, everywhere)], mode=_PAD_MODES[mode])
            pads = [0] * len(pads)
        return builder.node(
            "Conv",
            [x, weight, bias] if bias else [x, weight],
            kernel_shape=kernel,
            strides=attributes["stride"],
            pads=pads,
            dilations=attributes["dilation"],
            group=attributes["groups"],
        )

    return with_batch(builder, x, 2 + len(kernel), write)


def _bind_transposed(dimensions: int) -> Callable[..., Bound]:
    def bind(
        input: Tensor,
        weight: Tensor,
        bias: Tensor | None = None,
        stride: int | Sequence[int] = 1,
        padding: int | Sequence[int] = 0,
        output_padding: int | Sequence[int] = 0,
        groups: int = 1,
        dilation: int | Sequence[int] = 1,
    ) -> Bound:
        attributes = {
            "stride": _per_dimension(stride, dimensions),
            "padding": _per_dimension(padding, dimensions),
            "output_padding": _per_dimension(output_padding, dimensions),
            "groups": groups,
            "dilation": _per_dimension(dilation, dimensions),
        }
        return Bound([input, weight, bias], attributes)

    return bind


def _compute_transposed(function: Callable) -> Callable:
    def compute(inputs: Sequence[Tensor | None], attributes: dict[str, Any]) -> Tensor:
        return function(*inputs, **attributes)

    return compute


def _emit_transposed(builder: Builder, inputs: Sequence[str], attributes: dict[str, Any]) -> str:
    x, weight, bias = inputs
    kernel = builder.shape(weight)[2:]

    def write(x: str, _shape: tuple[int, ...]) -> str:
        return builder.node(
            "ConvTranspose",
            [x, weight, bias] if bias else [x, weight],
            kernel_shape=kernel,
            strides=attributes["stride"],
            pads=[*attributes["padding"], *attributes["padding"]],
            output_padding=attributes["output_padding"],
            dilations=attributes["dilation"],
            group=attributes["groups"],
        )

    return with_batch(builder, x, 2 + len(kernel), write)


def _conv(dimensions: int, module: type[nn.Module]) -> Op:
    name = f"conv{dimensions}d"
    function, bind = getattr(F, name), _bind_conv(dimensions)

    def bind_module(module: nn.Module, input: Tensor) -> Bound:
        return bind(
            input,
            module.weight,
            module.bias,
            module.stride,
            module.padding,
            module.dilation,
            module.groups,
            module.padding_mode,
        )

    return operator(
        name,
        Kind.GEMM,
        {function: bind, getattr(torch, name): bind},
        _compute_conv(function),
        _emit_conv,
        {module: bind_module},
        quantized=(0, 1),
    )


def _conv_transpose(dimensions: int, module: type[nn.Module]) -> Op:
    name = f"conv_transpose{dimensions}d"
    function, bind = getattr(F, name), _bind_transposed(dimensions)

    def bind_module(
        module: nn.Module, input: Tensor, output_size: Sequence[int] | None = None
    ) -> Bound:
        output_padding = module._output_padding(
            input,
            output_size,
            module.stride,
            module.padding,
            module.kernel_size,
            dimensions,
            module.dilation,
        )
        return bind(
            input,
            module.weight,
            module.bias,
            module.stride,
            module.padding,
            output_padding,
            module.groups,
            module.dilation,
        )

    return operator(
        name,
        Kind.GEMM,
        {function: bind, getattr(torch, name): bind},
        _compute_transposed(function),
        _emit_transposed,
        {module: bind_module},
        quantized=(0, 1),
    )


OPS = [
    *(_conv(d, module) for d, module in enumerate((nn.Conv1d, nn.Conv2d, nn.Conv3d), 1)),
    *(
        _conv_transpose(d, module)
        for d, module in enumerate((nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d), 1)
    ),
]
