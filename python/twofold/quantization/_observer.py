"""What all observers share: arguments, averaging, processes that see parts of the data."""

from typing import Any

import torch
from torch import nn

from .._twofold import Error
from ..dtype import QuantDType, ec, qint4, qint8, qint16, to_dtype
from ._factory import WithArgs
from ._ranks import are_several, largest_of_ranks
from ._scales import rows, scale_of

__all__ = ["NOTHING", "Observer"]

_QSCHEMES = (torch.per_tensor_symmetric, torch.per_channel_symmetric)
# The threshold of a tensor without numbers.
NOTHING = -1.0


class Observer(WithArgs, nn.Module):
    """Looks at tensors and says with which scales they are best quantized.

    `averaging_constant` c: with every tensor that is seen, the scale moves by the share c of the
    way to that tensor's own scale. The first tensor sets it; 0: then it stays. `ch_axis`: the axis
    that has a scale for each index, -1 for one scale; `qscheme` is per_channel_symmetric with the
    former, and may be left out. `dtype`: qint4, qint8, qint16 or ec. `quant_min`, `quant_max`:
    nothing but the dtype's own bounds, where the engine saturates. `is_sync_quantize`: under
    torch.distributed all ranks see all ranks' numbers; False: each sees its own.
    `factory_kwargs`: {"device": ...} of a FakeQuantize's buffers.

    NaN and infinity are an error while calibrating; in training a tensor that holds them does not
    move the scale.
    """

    # Whether all that is seen counts the same, or the newest more (FakeQuantState.QAT).
    calibrating = True
    # Whether nothing of the tensor seen last lies beyond the scales that `observe` gave for it, as
    # far as the observer knows.
    fits = False

    def __init__(
        self,
        averaging_constant: float = 0.01,
        ch_axis: int = -1,
        dtype: QuantDType | str = qint8,
        qscheme: torch.qscheme = torch.per_tensor_symmetric,
        quant_min: int | None = None,
        quant_max: int | None = None,
        is_sync_quantize: bool = True,
        factory_kwargs: dict[str, Any] | None = None,
    ):
        super().__init__()
        self.averaging_constant = averaging_constant
        self.ch_axis = ch_axis
        self.dtype = to_dtype(dtype)
        self.is_sync_quantize = is_sync_quantize
        self.factory_kwargs = {} if factory_kwargs is None else factory_kwargs
        self._scale: torch.Tensor | None = None
        self._check(qscheme)
        self._check_bounds(quant_min, quant_max)
        self.qscheme = torch.per_channel_symmetric if ch_axis >= 0 else torch.per_tensor_symmetric

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """See a tensor, by itself: outside of a FakeQuantize. Returns it."""
        self._scale = self.observe(x, self._scale)
        return x

    def calculate_qparams(self) -> tuple[torch.Tensor, torch.Tensor]:
        """(scale, zero point) of what `forward` saw: float32 and int64, [1] or [C].

        Raises twofold.Error where it saw nothing.
        """
        if self._scale is None:
            raise Error(f"{type(self).__name__} has seen no numbers: run some through it first")
        return self._scale, torch.zeros_like(self._scale, dtype=torch.int64)

    @torch.no_grad()
    def observe(self, x: torch.Tensor, scale: torch.Tensor | None) -> torch.Tensor | None:
        """The scales after seeing `x`, where they were `scale` before; None: there were none.

        `x` is a float tensor of any shape, the scales are float32, [1] or [C]. None is returned
        where there still are none. Raises twofold.Error for NaN and infinity while calibrating.
        """
        step = self.step()
        if scale is not None and step == 0:
            return scale
        threshold = self.threshold(x)
        if scale is not None and scale.numel() not in (1, threshold.numel()):
            raise Error(
                f"has {threshold.numel()} channels along axis {self.ch_axis}, but there are "
                f"{scale.numel()} scales"
            )
        if (scale is None or self.calibrating) and bool(threshold.isinf().any()):
            raise Error("holds NaN or infinity, of which no scale can be made")
        new = scale_of(threshold, self.dtype)
        if scale is None:
            return None if bool((threshold < 0).any()) else new
        usable = threshold.isfinite() & (threshold >= 0)
        return torch.where(usable, torch.lerp(scale, new, step), scale)

    def step(self) -> float:
        """The share of its way that a scale moves."""
        return self.averaging_constant

    def threshold(self, x: torch.Tensor) -> torch.Tensor:
        """The thresholds T of a tensor: float32, [1] or [C]; [-T, T] is what gets quantized.

        Infinity stands for those of numbers that are not finite, NOTHING for those of none.
        """
        raise NotImplementedError

    def extra_repr(self) -> str:
        """The averaging constant."""
        return f"averaging_constant={self.averaging_constant}"

    @property
    def is_shared(self) -> bool:
        """Whether other processes see other parts of the data."""
        return self.is_sync_quantize and are_several()

    def largest(self, x: torch.Tensor) -> torch.Tensor:
        """The largest magnitudes, of all processes: a `threshold`."""
        if x.numel() == 0:
            channels = 1 if self.ch_axis < 0 else x.shape[self.ch_axis]
            found = x.new_full((channels,), NOTHING, dtype=torch.float32)
        else:
            low, high = _ends(x, self.ch_axis)
            found = torch.maximum(-low, high).float().nan_to_num(nan=torch.inf, posinf=torch.inf)
        return largest_of_ranks(found) if self.is_shared else found

    def _check(self, qscheme: torch.qscheme) -> None:
        name = type(self).__name__
        c = self.averaging_constant
        if not (isinstance(c, int | float) and 0 <= c <= 1):
            raise ValueError(f"{name}: averaging_constant is {c!r}; it must be from 0 to 1")
        if not (isinstance(self.ch_axis, int) and self.ch_axis >= -1):
            raise ValueError(
                f"{name}: ch_axis is {self.ch_axis!r}; it must be an axis, or -1 for one scale"
            )
        if qscheme not in _QSCHEMES:
            raise ValueError(
                f"{name}: qscheme is {qscheme}; trained scales are symmetric here: "
                "torch.per_tensor_symmetric or torch.per_channel_symmetric"
            )
        if qscheme == torch.per_channel_symmetric and self.ch_axis < 0:
            raise ValueError(f"{name}: a scale per channel needs ch_axis, the axis of channels")
        if self.dtype not in (qint4, qint8, qint16, ec):
            raise ValueError(f"{name}: {_why_not(self.dtype)}")
        other = set(self.factory_kwargs) - {"device"}
        if other:
            raise ValueError(f"{name}: factory_kwargs takes device, not {', '.join(sorted(other))}")

    def _check_bounds(self, quant_min: int | None, quant_max: int | None) -> None:
        low, high = self.dtype.min, self.dtype.max
        if quant_min not in (None, low) or quant_max not in (None, high):
            raise ValueError(
                f"{type(self).__name__}: quant_min {quant_min} and quant_max {quant_max} are not "
                f"the bounds of {self.dtype}, {low} and {high}, at which integers saturate when "
                "the model runs; leave them out"
            )


def _ends(x: torch.Tensor, ch_axis: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Smallest and largest numbers, [1] or [C]."""
    x = x.detach()
    # aminmax takes half as long again as both, and twenty times as long along an axis.
    if ch_axis < 0:
        return x.amin().view(1), x.amax().view(1)
    channels = rows(x, ch_axis)
    return channels.amin(1), channels.amax(1)


def _why_not(dtype: Any) -> str:
    if not isinstance(dtype, QuantDType):
        return f"{dtype} has no scale; write FakeCast.with_args(dtype={dtype})"
    if dtype == "qint32":
        return "qint32 is what a high-precision output has; leave the output's part out (None)"
    return f"{dtype} has no sign; there are qint4, qint8 and qint16"
