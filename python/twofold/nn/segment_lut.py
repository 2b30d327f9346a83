"""Functions of one number that are a table on a device, and one operator here."""

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from ..quantization._ops import add_module_type
from ..quantization._ops.op import Bound

__all__ = ["LookUpTable", "SegmentLUT"]


class SegmentLUT(nn.Module):
    """A function of one number as one operator: what it calls inside is not rounded.

    `simulated_func` takes a tensor and gives one of the same shape, made of calls that ONNX has.
    Its input and output get int16. How a device would cut it into segments (all other arguments,
    and the attribute `num_tables`) has no effect: the engine computes the function itself.
    """

    def __init__(
        self,
        simulated_func: Callable[[Tensor], Tensor],
        is_centrosymmetric: bool = False,
        dividing_points: Any = None,
        input_range: Any = None,
        auto_divide_strategy: str = "curvature",
        inverse_func: Any = None,
    ):
        """All but `simulated_func` are for devices."""
        super().__init__()
        self.simulated_func = simulated_func

    def forward(self, x: Tensor) -> Tensor:
        """[...] to [...]."""
        return self.simulated_func(x)


class LookUpTable(nn.Module):
    """A function of one number as one operator, with the precisions that its qconfig says."""

    def __init__(self, func: Callable[[Tensor], Tensor]):
        """`func` is as in SegmentLUT."""
        super().__init__()
        self.func = func

    def forward(self, x: Tensor) -> Tensor:
        """[...] to [...]."""
        return self.func(x)


def _bind_segments(module: SegmentLUT, x: Tensor) -> Bound:
    return Bound([x], {"function": module.simulated_func})


def _bind_table(module: LookUpTable, x: Tensor) -> Bound:
    return Bound([x], {"function": module.func})


add_module_type("segment_lut", SegmentLUT, _bind_segments)
add_module_type("look_up_table", LookUpTable, _bind_table)
