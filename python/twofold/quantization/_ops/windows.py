"""Where the windows of pools lie: PyTorch's rules, written as ONNX's explicit padding."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from .layout import refuse


class Windows(NamedTuple):
    """One entry per spatial axis. `begin` and `end` pad the input so that no window passes its end.

    `overhang` is the part of `end` that only ceil_mode asks for.
    """

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    begin: tuple[int, ...]
    end: tuple[int, ...]
    overhang: tuple[int, ...]

    def attributes(self) -> dict[str, Any]:
        """Those that all of ONNX's pools have."""
        # ONNX Runtime refuses padding as wide as the kernel, which a dilated one may need.
        explicit = all(end < kernel for end, kernel in zip(self.end, self.kernel, strict=True))
        return {
            "kernel_shape": list(self.kernel),
            "strides": list(self.stride),
            "dilations": list(self.dilation),
            "pads": [*self.begin, *(self.end if explicit else self.begin)],
            "ceil_mode": int(not explicit),
        }


def per_axis(value: int | Sequence[int], axes: int) -> tuple[int, ...]:
    """One number, or one per axis, as PyTorch takes them."""
    if isinstance(value, int):
        return (value,) * axes
    return tuple(value) * axes if len(value) == 1 else tuple(value)


def windows(sizes: Sequence[int], attributes: dict[str, Any]) -> Windows:
    """Of a pool over spatial `sizes`, with kernel_size, stride, padding ... as users say them.

    In ceil_mode PyTorch keeps a last window that passes the end, if it begins before the end
    padding.
    """
    axes = len(sizes)
    kernel = per_axis(attributes["kernel_size"], axes)
    stride = per_axis(attributes["stride"] or kernel, axes)
    padding = per_axis(attributes.get("padding", 0), axes)
    dilation = per_axis(attributes.get("dilation", 1), axes)
    overhang = []
    for i, size in enumerate(sizes):
        extent = dilation[i] * (kernel[i] - 1) + 1
        room = size + 2 * padding[i] - extent
        steps = room // stride[i]
        if attributes["ceil_mode"] and room % stride[i]:
            steps += (steps + 1) * stride[i] < size + padding[i]
        overhang.append(max(steps * stride[i] - room, 0))
    end = tuple(pad + more for pad, more in zip(padding, overhang, strict=True))
    return Windows(kernel, stride, dilation, padding, end, tuple(overhang))


def even_windows(op: str, sizes: Sequence[int], output_size: Any) -> Windows:
    """Of an adaptive pool, where all its windows have one size and meet without overlap."""
    outputs = per_axis(output_size, len(sizes)) if output_size is not None else sizes
    outputs = [
        size if output is None else output for size, output in zip(sizes, outputs, strict=True)
    ]
    if any(size % output for size, output in zip(sizes, outputs, strict=True)):
        raise refuse(
            op,
            f"windows from {list(sizes)} to {list(outputs)} have several sizes, which no pool of "
            "ONNX has; choose an output size that divides the input's.",
        )
    kernel = tuple(size // output for size, output in zip(sizes, outputs, strict=True))
    zeros = (0,) * len(sizes)
    return Windows(kernel, kernel, (1,) * len(sizes), zeros, zeros, zeros)
