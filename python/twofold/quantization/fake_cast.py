"""Float16 and float32 in a model that is quantized elsewhere."""

from typing import Any

import torch
from torch import nn

from ..dtype import QuantDType, to_dtype
from ..utils.quant_switch import GlobalFakeQuantSwitch
from ._factory import WithArgs
from ._states import FakeQuantState
from ._straight_through import straight_through

__all__ = ["FakeCast", "default_fp16_fake_cast", "default_fp32_fake_cast"]


class FakeCast(WithArgs, nn.Module):
    """Rounds to float16 and back as the engine does, gradients pass; float32 stays as it is.

    Numbers beyond float16's largest, 65504, become infinite, as they would when the model runs.
    """

    is_integer = False
    follows = False

    _enabled = True

    def __init__(self, dtype: torch.dtype | str = torch.float16):
        """Raises ValueError for an integer dtype, TypeError for what is none."""
        super().__init__()
        self.dtype = to_dtype(dtype)
        if isinstance(self.dtype, QuantDType):
            raise ValueError(
                f"FakeCast: {dtype} is no float dtype; write FakeQuantize.with_args(dtype=...)"
            )
        self.fake_quant_state = FakeQuantState.QAT
        self.name = ""

    @staticmethod
    def disable() -> None:
        """From here on every FakeCast hands tensors on as they are."""
        FakeCast._enabled = False

    @staticmethod
    def enable() -> None:
        """From here on every FakeCast rounds."""
        FakeCast._enabled = True

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """A float tensor, rounded in the states that quantize."""
        is_on = FakeCast._enabled and GlobalFakeQuantSwitch.is_enabled()
        if not is_on or not self.fake_quant_state.quantizes or self.dtype == torch.float32:
            return x
        return straight_through(x, x.detach().to(self.dtype).to(x.dtype))

    def extra_repr(self) -> str:
        """The dtype and its range."""
        info = torch.finfo(self.dtype)
        return f"dtype={self.dtype},min_val={info.min},max_val={info.max}"


default_fp16_fake_cast: Any = FakeCast.with_args(dtype=torch.float16)
default_fp32_fake_cast: Any = FakeCast.with_args(dtype=torch.float32)
