"""A scale in buffers: given, observed or loaded, and whether it was any of them."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from .._twofold import Error
from ..dtype import QuantDType
from ._fixed_scale import FixedScaleObserver
from ._load_scales import load_scales
from ._observer import Observer
from ._scales import scale_of

__all__ = ["ScaleBuffers"]

# What the engine calls the integers. Those of qint4 are int8 that keep to [-8, 7].
_PRECISIONS = {"qint4": "int8", "qint8": "int8", "qint16": "int16", "ec": "ec"}


class ScaleBuffers(nn.Module):
    """The scales of a FakeQuantize, `activation_post_process` being its observer.

    Buffers: `scale` (float32, also after half(); a parameter where learnable), `zero_point` and
    `steps` (int64), each [1] or [C]. `steps` is dtype.steps, or 0 where there is no scale yet. A
    checkpoint's scales fit any observer, and any dtype: then the threshold is kept.
    """

    activation_post_process: Observer
    scale: torch.Tensor
    zero_point: torch.Tensor
    steps: torch.Tensor

    def __init__(self, observer: Observer, channel_len: int, learnable: bool):
        """`channel_len`: the number of scales before anything was seen."""
        super().__init__()
        self.activation_post_process = observer
        self.name = ""
        device = observer.factory_kwargs
        scale = torch.ones(channel_len, **device)
        if learnable:
            self.scale = nn.Parameter(scale)
        else:
            self.register_buffer("scale", scale)
        self.register_buffer("zero_point", torch.zeros(channel_len, dtype=torch.int64, **device))
        self.register_buffer("steps", torch.zeros(channel_len, dtype=torch.int64, **device))
        self._is_known = False  # that there is a scale: `steps` need not be read any more
        if self.is_fixed:
            self.set_qparams(*observer.calculate_qparams())

    def grid(self) -> tuple[str, list[float], list[int]]:
        """What an export needs: (precision, scales, zero points), one each or one per channel.

        Raises twofold.Error where there is no scale.
        """
        self.check_scale()
        return _PRECISIONS[str(self.dtype)], self.scale.tolist(), self.zero_point.tolist()

    def set_qparams(self, scale: Any, zero_point: Any = None) -> None:
        """Give it a scale, and a zero point (else 0): numbers or tensors, one or one per channel.

        In QAT the observer moves it on, unless averaging_constant is 0.
        """
        scale = torch.as_tensor(scale, dtype=torch.float32).view(-1)
        zero_point = torch.as_tensor(0 if zero_point is None else zero_point).view(-1)
        if self.ch_axis < 0 and scale.numel() != 1:
            raise ValueError(f"{self._where}: there is one scale, not {scale.numel()}")
        if not bool((scale.isfinite() & (scale > 0)).all()):
            raise ValueError(f"{self._where}: scale is {scale}; it must be above 0")
        self.keep(scale)
        self.zero_point.copy_(zero_point)

    def set_threshold(self, threshold: Any) -> None:
        """Give it the scale of the symmetric range [-threshold, threshold], zero point 0."""
        threshold = torch.as_tensor(threshold, dtype=torch.float32).view(-1)
        self.set_qparams(scale_of(threshold, self.dtype))

    def calculate_qparams(self) -> tuple[torch.Tensor, torch.Tensor]:
        """(scale, zero point). Raises twofold.Error where there is no scale."""
        self.check_scale()
        return self.scale.detach(), self.zero_point

    @property
    def dtype(self) -> QuantDType:
        """The dtype of the integers."""
        return self._observer.dtype

    @property
    def ch_axis(self) -> int:
        """The axis that has a scale for each index; -1: one scale."""
        return self._observer.ch_axis

    @property
    def qscheme(self) -> torch.qscheme:
        """torch.per_tensor_symmetric or torch.per_channel_symmetric."""
        return self.activation_post_process.qscheme

    @property
    def quant_min(self) -> int:
        """The smallest integer."""
        return self.dtype.min

    @property
    def quant_max(self) -> int:
        """The largest integer."""
        return self.dtype.max

    @property
    def is_fixed(self) -> bool:
        """Whether the scale was given, and nothing that is seen or loaded changes it."""
        return isinstance(self._observer, FixedScaleObserver)

    @property
    def is_calibrated(self) -> bool:
        """Whether there is a scale: given, observed or loaded."""
        if not self._is_known:
            self._is_known = bool((self.steps > 0).all())
        return self._is_known

    @property
    def _observer(self) -> Observer:
        """`activation_post_process`, past nn.Module's search for it: each step asks it often."""
        return self._modules["activation_post_process"]

    @property
    def _where(self) -> str:
        return self.name or "a fake quantizer"

    def check_scale(self) -> None:
        """Raises twofold.Error that says what to do where there is no scale."""
        if not self.is_calibrated:
            raise Error(
                f"{self._where}: there is no scale to quantize with: none was observed, loaded or "
                "given (QAT observes none where averaging_constant is 0). Run calibration data "
                "through the model in FakeQuantState.CALIBRATION, load the state_dict of a "
                "calibrated model, or use a fixed scale"
            )

    def keep(self, scale: torch.Tensor) -> None:
        """Make it the scale, or the scales. In place, for those who hold the buffers."""
        kept = self.scale
        if scale.numel() not in (1, kept.numel()):
            self.resize(scale.numel())
            kept = self.scale
        kept.detach().copy_(scale)
        if not self._is_known:
            self.steps.fill_(self.dtype.steps)
            self._is_known = True

    def resize(self, channels: int) -> None:
        """Make room for as many scales, which are those of the first until they are set.

        Raises twofold.Error where there are others already.
        """
        if self.scale.numel() > 1 and channels > 1 and self.is_calibrated:
            raise Error(
                f"{self._where}: there are {self.scale.numel()} scales, but the tensor has "
                f"{channels} channels along axis {self.ch_axis}"
            )
        # Buffers made in inference mode could not be trained with.
        with torch.inference_mode(False):
            if isinstance(self.scale, nn.Parameter):
                self.scale.data = self.scale.data[:1].repeat(channels)
            else:
                self.scale = self.scale[:1].repeat(channels)
            self.zero_point = self.zero_point[:1].repeat(channels)
            self.steps = self.steps[:1].repeat(channels)

    def _apply(self, fn: Callable, recurse: bool = True) -> nn.Module:
        """Move it. Scales stay float32: in half() they would be others."""
        scale = self.scale.data
        super()._apply(fn, recurse)
        if self.scale.dtype != torch.float32:
            self.scale.data = scale.to(self.scale.device)
        return self

    def _load_from_state_dict(
        self,
        state: dict[str, Any],
        prefix: str,
        metadata: Any,
        strict: bool,
        missing: list[str],
        unexpected: list[str],
        errors: list[str],
    ) -> None:
        """Take a checkpoint's scales, whatever observer and dtype they were found with."""
        load_scales(self, state, prefix, errors)
        super()._load_from_state_dict(state, prefix, metadata, strict, missing, unexpected, errors)
        self._is_known = False
