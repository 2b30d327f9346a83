"""Fake quantization: numbers rounded to a grid of integers, in float32, with gradients."""

import math
from typing import Any

import numpy as np
import torch

from .._twofold import Error
from ..dtype import ec, qint8
from ..utils.quant_switch import GlobalFakeQuantSwitch
from ._factory import Factory, WithArgs
from ._fixed_scale import FixedScaleObserver
from ._grids import integers_of
from ._kernels import fake_quantize, fake_quantize_ec, fake_quantize_learned
from ._observer import Observer
from ._range_observers import MinMaxObserver
from ._refused import DynamicFakeQuantize, PACTFakeQuantize
from ._scale_buffers import ScaleBuffers
from ._states import FakeQuantState, set_fake_quantize
from ._straight_through import straight_through

__all__ = [
    "DynamicFakeQuantize",
    "FakeQuantState",
    "FakeQuantize",
    "PACTFakeQuantize",
    "default_8bit_fake_quant",
    "default_weight_8bit_fake_quant",
    "per_channel_8bit_fake_quant",
    "set_fake_quantize",
]

# A learned scale gets no smaller: torch.finfo(torch.float32).eps.
_LEAST_LEARNED = 2.0**-23


class FakeQuantize(WithArgs, ScaleBuffers):
    """Rounds a tensor to multiples of a scale, at most dtype's range (docs/numerics.md, rule 1).

    `observer` is the class that finds the scale, or a factory of it; it is made with
    `observer_kwargs` and is the attribute `activation_post_process`. `channel_len` is the number of
    scales before anything was seen, where `ch_axis` gives one to each channel. `learnable`: the
    scale is a parameter that the loss moves (LSQ), once it has been observed or loaded; its
    gradient counts 1 / sqrt(numbers per scale * dtype.max). `saturate`: no gradient for numbers
    beyond the range; False: all gradients pass. Buffers are those of ScaleBuffers.

    `fake_quant_state` is what it does, set by `set_fake_quantize`; `name` is where it is, for
    messages.
    """

    is_integer = True

    def __init__(
        self,
        observer: type[Observer] | Factory = MinMaxObserver,
        channel_len: int = 1,
        *,
        learnable: bool = False,
        saturate: bool = True,
        **observer_kwargs: Any,
    ):
        """Raises TypeError and ValueError for arguments that cannot be."""
        made = _made(observer, observer_kwargs)
        if made.ch_axis < 0 and channel_len != 1:
            raise ValueError(
                f"FakeQuantize: channel_len is {channel_len}, but there is one scale; give "
                "ch_axis, the axis of channels"
            )
        if learnable and (isinstance(made, FixedScaleObserver) or made.dtype == ec):
            raise ValueError("FakeQuantize: a fixed scale, and one of ec, cannot be learnable")
        super().__init__(made, channel_len, learnable)
        self.learnable = learnable
        self.saturate = saturate
        self.fake_quant_state = FakeQuantState.QAT

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """A float tensor as its state says, in its own dtype; rounded under autocast, in float32.

        Raises twofold.Error that names this module where its state needs a scale and there is none,
        and while calibrating for NaN and infinity.
        """
        if not GlobalFakeQuantSwitch.is_enabled():
            return x
        fits = False
        if self._observe_now and self._moves() and not _is_recomputing():
            self.observe(x)
            fits = self._observer.fits
        if not self._quantize_now:
            return x
        self.check_scale()
        return self.quantize(x, fits)

    def observe(self, x: torch.Tensor) -> None:
        """Let the observer see a tensor, and take its scale."""
        known = self.scale.detach() if self.is_calibrated else None
        try:
            scale = self._observer.observe(x, known)
        except Error as e:
            raise Error(f"{self._where}: the tensor {e}") from None
        if scale is not None:
            self.keep(scale)

    def quantize(self, x: torch.Tensor, fits: bool = False) -> torch.Tensor:
        """Fake-quantize with the scale as it is; `fits`: with zero points of 0, nothing is clipped.

        Nor is anything NaN; only gradients are taken in a shorter way then.
        """
        if not x.is_floating_point():
            raise Error(f"{self._where}: {x.dtype} numbers cannot be quantized, only float ones")
        if self.saturate:
            return self._rounded(x, fits)
        return straight_through(x, self._rounded(x.detach(), fits))

    def _rounded(self, x: torch.Tensor, fits: bool) -> torch.Tensor:
        # A copy where the scale may move on before the backward that needs it.
        scale = self.scale.clone() if self._observe_now and not self.learnable else self.scale
        axis = self.ch_axis if scale.numel() > 1 else -1  # all channels may have been given one
        dtype, zero_point = self.dtype, self.zero_point
        fits = fits and _is_zero(zero_point)
        if dtype == ec:
            return fake_quantize_ec(x, scale, axis, fits=fits)
        grid = (x, scale, zero_point, dtype.min, dtype.max, axis)
        if not self.learnable:
            return fake_quantize(*grid, fits=fits)
        self.scale.data.clamp_(min=_LEAST_LEARNED)
        count = max(1, x.numel() // self.scale.numel())
        return fake_quantize_learned(*grid, 1 / math.sqrt(count * dtype.max))

    def integers(self, x: torch.Tensor) -> torch.Tensor:
        """The integers that numbers of any shape stand for, int32; of ec, 254 q1 + q2."""
        return integers_of(x, self.scale, self.zero_point, self.dtype, self.ch_axis)

    @property
    def fake_quant_state(self) -> FakeQuantState:
        """What it does."""
        return self._state

    @fake_quant_state.setter
    def fake_quant_state(self, state: FakeQuantState | str) -> None:
        self._state = FakeQuantState(state)
        self._observe_now, self._quantize_now = self._state.observes, self._state.quantizes
        self.activation_post_process.calibrating = self._state is FakeQuantState.CALIBRATION

    @property
    def observer_enabled(self) -> np.ndarray:
        """[1] where it observes, else [0]; read-only: `enable_observer` changes it."""
        return _flag(self._observe_now)

    @property
    def fake_quant_enabled(self) -> np.ndarray:
        """[1] where it rounds, else [0]; read-only: `enable_fake_quant` changes it."""
        return _flag(self._quantize_now)

    def enable_observer(self, enabled: bool = True) -> None:
        """Let it observe or not, until its state is set again."""
        self._observe_now = bool(enabled)

    def disable_observer(self) -> None:
        """Let it not observe, until its state is set again."""
        self.enable_observer(False)

    def enable_fake_quant(self, enabled: bool = True) -> None:
        """Let it round or not, until its state is set again."""
        self._quantize_now = bool(enabled)

    def disable_fake_quant(self) -> None:
        """Let it not round, until its state is set again."""
        self.enable_fake_quant(False)

    def extra_repr(self) -> str:
        """Dtype, scale, zero point and state."""
        scale = "none yet"
        if self.is_calibrated:
            scale = self.scale.item() if self.ch_axis < 0 else f"{self.scale.numel()} numbers"
        return f"dtype={self.dtype}, ch_axis={self.ch_axis}, scale={scale}, state={self._state}"

    @property
    def follows(self) -> bool:
        """Whether its scale is always that of what it saw last, as weights have it."""
        given = self.is_fixed or self.learnable
        return not given and self.activation_post_process.averaging_constant == 1

    def _moves(self) -> bool:
        """Whether what is seen changes the scale."""
        observer = self._observer
        if isinstance(observer, FixedScaleObserver):
            return False
        if self._state is FakeQuantState.CALIBRATION:
            return True
        if observer.averaging_constant == 0:
            return False
        return not (self.learnable and self.is_calibrated)


class _LearnableFakeQuantize(FakeQuantize):
    """FakeQuantize with a scale that the loss moves."""

    def __init__(self, *args: Any, **named: Any):
        """Arguments are those of FakeQuantize."""
        super().__init__(*args, **{"learnable": True, **named})


def _made(observer: Any, arguments: dict[str, Any]) -> Observer:
    cls = observer.func if isinstance(observer, Factory) else observer
    if not (isinstance(cls, type) and issubclass(cls, Observer)):
        raise TypeError(
            f"FakeQuantize: observer is {observer!r}; it must be a class of "
            "twofold.quantization.observer_v2, e.g. MinMaxObserver"
        )
    return observer(**arguments)


def _flag(is_on: bool) -> np.ndarray:
    flag = np.array([is_on], dtype=np.uint8)
    flag.setflags(write=False)
    return flag


def _is_zero(zero_point: torch.Tensor) -> bool:
    one = zero_point.numel() == 1
    return not (zero_point.item() if one else zero_point.any())


def _is_recomputing() -> bool:
    """Whether this forward runs inside a backward (torch.utils.checkpoint): it has been seen."""
    if torch.compiler.is_compiling():
        return False
    return torch._C._current_graph_task_id() != -1


default_8bit_fake_quant: Any = FakeQuantize.with_args(observer=MinMaxObserver, dtype=qint8)
per_channel_8bit_fake_quant: Any = default_8bit_fake_quant.with_args(
    qscheme=torch.per_channel_symmetric, ch_axis=0
)
# All ranks hold the same weights, and scales follow them at once.
default_weight_8bit_fake_quant: Any = per_channel_8bit_fake_quant.with_args(
    averaging_constant=1.0, is_sync_quantize=False
)
