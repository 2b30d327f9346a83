"""Pools over one to three axes. A max pool passes on numbers that it got; others make new ones."""

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from .calls import operator
from .layout import integers, with_batch
from .op import Bound, Builder, Kind, Op
from .windows import Windows, even_windows, per_axis, windows


def _max_pool(axes: int) -> Op:
    name = f"max_pool{axes}d"
    function = getattr(F, name)

    def bind(
        input: Tensor,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> Bound:
        attributes = {
            "kernel_size": kernel_size,
            "stride": stride,
            "padding": padding,
            "dilation": dilation,
            "ceil_mode": ceil_mode,
            "return_indices": return_indices,
        }
        return Bound([input], attributes)

    def bind_with_indices(*args: Any, **kwargs: Any) -> Bound:
        bound = bind(*args, **kwargs)
        bound.attributes["return_indices"] = True
        return bound

    def bind_module(module: nn.modules.pooling._MaxPoolNd, input: Tensor) -> Bound:
        return bind(
            input,
            module.kernel_size,
            module.stride,
            module.padding,
            module.dilation,
            module.ceil_mode,
            module.return_indices,
        )

    def emit(builder: Builder, inputs: list[str], attributes: dict[str, Any]) -> Any:
        def write(x: str, shape: tuple[int, ...]) -> Any:
            found = windows(shape[-axes:], attributes)
            return _max_pool_nodes(builder, x, shape, found, attributes["return_indices"])

        return with_batch(builder, inputs[0], axes + 2, write)

    functions = {
        function: bind,
        getattr(torch, name): bind,
        getattr(F, f"{name}_with_indices"): bind_with_indices,
    }
    if axes == 1:
        functions[torch.max_pool1d_with_indices] = bind_with_indices
    return operator(
        name,
        Kind.MOVE,
        functions,
        lambda inputs, attributes: function(inputs[0], **attributes),
        emit,
        {getattr(nn, f"MaxPool{axes}d"): bind_module},
    )


def _max_pool_nodes(
    builder: Builder, x: str, shape: tuple[int, ...], found: Windows, indices: bool
) -> str | list[str]:
    if not indices:
        return builder.node("MaxPool", [x], **found.attributes())
    values, places = builder.node("MaxPool", [x], outputs=2, **found.attributes())
    # ONNX counts from the first image's first channel, PyTorch within the channel.
    channel = builder.constant(math.prod(shape[2:]))
    places = builder.node("Mod", [places, channel])
    return [builder.node("Identity", [values]), places]  # the call's own node is the last one


def _avg_pool(axes: int) -> Op:
    name = f"avg_pool{axes}d"
    function = getattr(F, name)

    def bind(
        input: Tensor,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> Bound:
        attributes = {
            "kernel_size": kernel_size,
            "stride": stride,
            "padding": padding,
            "ceil_mode": ceil_mode,
            "count_include_pad": count_include_pad,
        }
        if axes > 1:
            attributes["divisor_override"] = divisor_override
        return Bound([input], attributes)

    def bind_module(module: nn.modules.pooling._AvgPoolNd, input: Tensor) -> Bound:
        return bind(
            input,
            module.kernel_size,
            module.stride,
            module.padding,
            module.ceil_mode,
            module.count_include_pad,
            getattr(module, "divisor_override", None),
        )

    def emit(builder: Builder, inputs: list[str], attributes: dict[str, Any]) -> Any:
        def write(x: str, shape: tuple[int, ...]) -> str:
            return _avg_pool_nodes(builder, x, windows(shape[-axes:], attributes), attributes)

        return with_batch(builder, inputs[0], axes + 2, write)

    return operator(
        name,
        Kind.COMPUTE,
        {function: bind},
        lambda inputs, attributes: function(inputs[0], **attributes),
        emit,
        {getattr(nn, f"AvgPool{axes}d"): bind_module},
    )


def _avg_pool_nodes(builder: Builder, x: str, found: Windows, attributes: dict[str, Any]) -> str:
    divisor = attributes.get("divisor_override")
    if divisor is not None:
        mean = _average_pool(builder, x, found, counts_padding=True)
        return builder.node("Mul", [mean, builder.constant(math.prod(found.kernel) / divisor)])
    counts_padding = attributes["count_include_pad"] and any(found.begin)
    if counts_padding and any(found.overhang):
        # The padding counts, what lies behind it does not: it becomes part of the input.
        x = _padded(builder, x, found)
        zeros = (0,) * len(found.begin)
        found = found._replace(begin=zeros, end=found.overhang)
        counts_padding = False
    return _average_pool(builder, x, found, counts_padding)


def _average_pool(builder: Builder, x: str, found: Windows, counts_padding: bool) -> str:
    return builder.node(
        "AveragePool", [x], **found.attributes(), count_include_pad=int(counts_padding)
    )


def _padded(builder: Builder, x: str, found: Windows) -> str:
    pads = [0, 0, *found.begin]
    return builder.node("Pad", [x, integers(builder, [*pads, *pads])])


def _lp_pool(axes: int) -> Op:
    name = f"lp_pool{axes}d"
    function = getattr(F, name)

    def bind(
        input: Tensor,
        norm_type: float,
        kernel_size: Any,
        stride: Any = None,
        ceil_mode: bool = False,
    ) -> Bound:
        attributes = {
            "norm_type": norm_type,
            "kernel_size": kernel_size,
            "stride": stride,
            "ceil_mode": ceil_mode,
        }
        return Bound([input], attributes)

    def bind_module(module: nn.modules.pooling._LPPoolNd, input: Tensor) -> Bound:
        norm_type = float(module.norm_type)
        return bind(input, norm_type, module.kernel_size, module.stride, module.ceil_mode)

    def emit(builder: Builder, inputs: list[str], attributes: dict[str, Any]) -> Any:
        def write(x: str, shape: tuple[int, ...]) -> str:
            return _lp_pool_nodes(
                builder, x, windows(shape[-axes:], attributes), float(attributes["norm_type"])
            )

        return with_batch(builder, inputs[0], axes + 2, write)

    return operator(
        name,
        Kind.COMPUTE,
        {function: bind},
        lambda inputs, attributes: function(inputs[0], **attributes),
        emit,
        {getattr(nn, f"LPPool{axes}d"): bind_module},
    )


def _lp_pool_nodes(builder: Builder, x: str, found: Windows, p: float) -> str:
    # Not LpPool, which takes |x|^p, and the sum, not the mean, of a window that passes the end.
    power = builder.node("Pow", [x, builder.constant(p)])
    mean = _average_pool(builder, power, found, counts_padding=False)
    positive = builder.node("Relu", [mean])
    total = builder.node("Mul", [positive, builder.constant(float(math.prod(found.kernel)))])
    return builder.node("Pow", [total, builder.constant(1 / p)])


def _adaptive_pool(
    name: str,
    axes: int,
    kind: Kind,
    compute: Callable,
    functions: dict[Callable, Callable[..., Bound]],
    global_pool: str,
    write_windows: Callable,
    module: type,
) -> Op:
    def bind_module(module: nn.Module, input: Tensor) -> Bound:
        return_indices = getattr(module, "return_indices", False)
        return Bound([input], _adaptive(module.output_size, return_indices))

    def emit(builder: Builder, inputs: list[str], attributes: dict[str, Any]) -> Any:
        def write(x: str, shape: tuple[int, ...]) -> Any:
            output_size, indices = attributes["output_size"], attributes["return_indices"]
            if not indices and per_axis(output_size, axes) == (1,) * axes:
                return builder.node(global_pool, [x])
            found = even_windows(name, shape[-axes:], output_size)
            return write_windows(builder, x, shape, found, indices)

        return with_batch(builder, inputs[0], axes + 2, write)

    return operator(name, kind, functions, compute, emit, {module: bind_module})


def _adaptive(output_size: Any, return_indices: bool) -> dict[str, Any]:
    return {"output_size": output_size, "return_indices": return_indices}


def _adaptive_avg_pool(axes: int) -> Op:
    name = f"adaptive_avg_pool{axes}d"
    function = getattr(F, name)

    def bind(input: Tensor, output_size: Any) -> Bound:
        return Bound([input], _adaptive(output_size, return_indices=False))

    def write_windows(
        builder: Builder, x: str, shape: tuple[int, ...], found: Windows, indices: bool
    ) -> str:
        return _average_pool(builder, x, found, counts_padding=False)

    return _adaptive_pool(
        name,
        axes,
        Kind.COMPUTE,
        lambda inputs, attributes: function(inputs[0], attributes["output_size"]),
        {function: bind},
        "GlobalAveragePool",
        write_windows,
        getattr(nn, f"AdaptiveAvgPool{axes}d"),
    )


def _adaptive_max_pool(axes: int) -> Op:
    name = f"adaptive_max_pool{axes}d"
    function = getattr(F, name)

    def bind(input: Tensor, output_size: Any, return_indices: bool = False) -> Bound:
        return Bound([input], _adaptive(output_size, return_indices))

    def bind_with_indices(input: Tensor, output_size: Any, return_indices: bool = True) -> Bound:
        return bind(input, output_size, True)

    functions = {function: bind, getattr(F, f"{name}_with_indices"): bind_with_indices}
    if axes == 1:
        functions[torch.adaptive_max_pool1d] = bind_with_indices
    return _adaptive_pool(
        name,
        axes,
        Kind.MOVE,
        lambda inputs, attributes: function(inputs[0], **attributes),
        functions,
        "GlobalMaxPool",
        _max_pool_nodes,
        getattr(nn, f"AdaptiveMaxPool{axes}d"),
    )


_FAMILIES = (_max_pool, _avg_pool, _lp_pool, _adaptive_avg_pool, _adaptive_max_pool)
OPS = [family(axes) for family in _FAMILIES for axes in (1, 2, 3)]
