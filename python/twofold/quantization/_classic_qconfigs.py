"""Qconfigs of the classic setters: by words, and ready-made."""

from typing import Any

import torch

from .._twofold import Error
from ..dtype import QuantDType, qint8, qint16, to_dtype
from ._factory import Factory
from ._qconfig import QConfig
from .fake_quantize import (
    FakeQuantize,
    default_8bit_fake_quant,
    default_weight_8bit_fake_quant,
)
from .observer_v2 import (
    ClipObserver,
    ClipStd,
    FixedScaleObserver,
    KLObserver,
    MinMaxObserver,
    MixObserver,
    MSEObserver,
    PercentileObserver,
)

__all__ = [
    "default_calib_8bit_fake_quant_qconfig",
    "default_calib_8bit_weight_16bit_act_fake_quant_qconfig",
    "default_calib_8bit_weight_32bit_out_fake_quant_qconfig",
    "default_calib_out_8bit_fake_quant_qconfig",
    "default_qat_8bit_fake_quant_qconfig",
    "default_qat_8bit_fixed_act_fake_quant_qconfig",
    "default_qat_8bit_lsq_quant_qconfig",
    "default_qat_8bit_weight_16bit_act_fake_quant_qconfig",
    "default_qat_8bit_weight_16bit_fixed_act_fake_quant_qconfig",
    "default_qat_8bit_weight_32bit_out_fake_quant_qconfig",
    "default_qat_out_8bit_fake_quant_qconfig",
    "get_default_calib_qconfig",
    "get_default_qat_out_qconfig",
    "get_default_qat_qconfig",
    "get_default_qconfig",
    "per_channel_qat_8bit_qconfig",
]

_OBSERVERS = {
    "min_max": MinMaxObserver,
    "fixed_scale": FixedScaleObserver,
    "clip": ClipObserver,
    "percentile": PercentileObserver,
    "clip_std": ClipStd,
    "mse": MSEObserver,
    "kl": KLObserver,
    "mix": MixObserver,
}
_BITS = {8: qint8, 16: qint16}


def get_default_qconfig(
    activation_fake_quant: str | None = "fake_quant",
    weight_fake_quant: str | None = "fake_quant",
    activation_observer: str = "min_max",
    weight_observer: str = "min_max",
    activation_qkwargs: dict[str, Any] | None = None,
    weight_qkwargs: dict[str, Any] | None = None,
) -> QConfig:
    """A qconfig by words.

    Fake quantizers are "fake_quant", "lsq" (a learned scale) and None: the output stays in high
    precision, the weight float. Observers are min_max, fixed_scale, clip, percentile, clip_std,
    mse, kl and mix. The qkwargs are arguments of both. Weights have a scale per channel (axis 0)
    that follows them. Raises twofold.Error for other words.
    """
    by_channel = {"qscheme": torch.per_channel_symmetric, "ch_axis": 0}
    if weight_observer != "fixed_scale":
        by_channel.update(averaging_constant=1.0, is_sync_quantize=False)
    return QConfig(
        output=_by_words(activation_fake_quant, activation_observer, activation_qkwargs or {}),
        weight=_by_words(weight_fake_quant, weight_observer, by_channel | (weight_qkwargs or {})),
    )


def _by_words(fake_quant: str | None, observer: str, arguments: dict[str, Any]) -> Factory | None:
    if fake_quant is None:
        return None
    if observer not in _OBSERVERS:
        raise Error(f"there is no observer {observer!r}; there are {', '.join(_OBSERVERS)}")
    if fake_quant == "pact":
        raise Error("pact learns where to clip; so does a learned scale: use 'lsq'")
    if fake_quant not in ("fake_quant", "lsq"):
        raise Error(
            f"there is no fake quantizer {fake_quant!r}; there are fake_quant, lsq and None"
        )
    arguments = {"observer": _OBSERVERS[observer], "dtype": qint8, **arguments}
    if fake_quant == "lsq":
        arguments["learnable"] = True
    return FakeQuantize.with_args(**arguments)


def get_default_qat_qconfig(
    dtype: Any = "qint8",
    weight_dtype: Any = "qint8",
    activation_qkwargs: dict[str, Any] | None = None,
    weight_qkwargs: dict[str, Any] | None = None,
    backend: str = "",
    *,
    bits: int | None = None,
) -> QConfig:
    """MinMaxObserver for activations of `dtype` (also 8 or 16, or by its older name `bits`)."""
    _check_backend(backend)
    return get_default_qconfig(
        activation_qkwargs={"dtype": _of_bits(dtype if bits is None else bits)}
        | (activation_qkwargs or {}),
        weight_qkwargs={"dtype": to_dtype(weight_dtype)} | (weight_qkwargs or {}),
    )


def get_default_qat_out_qconfig(
    dtype: Any = "qint8",
    weight_dtype: Any = "qint8",
    weight_qkwargs: dict[str, Any] | None = None,
    backend: str = "",
    *,
    bits: int | None = None,
) -> QConfig:
    """The same for a layer at the end: its weight alone, the output in high precision.

    `dtype` and `bits` say nothing then, and are only checked.
    """
    _check_backend(backend)
    _of_bits(dtype if bits is None else bits)
    arguments = {"dtype": to_dtype(weight_dtype)} | (weight_qkwargs or {})
    return get_default_qconfig(activation_fake_quant=None, weight_qkwargs=arguments)


def get_default_calib_qconfig(
    dtype: Any = "qint8", calib_qkwargs: dict[str, Any] | None = None, backend: str = ""
) -> QConfig:
    """MSEObserver for activations of `dtype`, with the arguments `calib_qkwargs`."""
    _check_backend(backend)
    return get_default_qconfig(
        activation_observer="mse",
        activation_qkwargs={"dtype": _of_bits(dtype)} | (calib_qkwargs or {}),
    )


def _of_bits(dtype: Any) -> Any:
    return _BITS[dtype] if dtype in _BITS else to_dtype(dtype)


def _check_backend(backend: str) -> None:
    if backend != "":
        raise Error(
            f"backend is {backend!r}; there is one here, and prepare's `target` says what hardware "
            "can do: leave it out"
        )


def _classic(observer: str, dtype: QuantDType | None, **arguments: Any) -> QConfig:
    """Weights of 8 bits; activations of `dtype`, or in high precision."""
    return get_default_qconfig(
        activation_fake_quant=None if dtype is None else "fake_quant",
        activation_observer=observer,
        activation_qkwargs={"dtype": dtype, **arguments},
    )


default_qat_8bit_fake_quant_qconfig = _classic("min_max", qint8)
default_qat_8bit_fixed_act_fake_quant_qconfig = _classic("min_max", qint8, averaging_constant=0)
default_qat_8bit_weight_16bit_act_fake_quant_qconfig = _classic("min_max", qint16)
default_qat_8bit_weight_16bit_fixed_act_fake_quant_qconfig = _classic(
    "min_max", qint16, averaging_constant=0
)
default_qat_8bit_weight_32bit_out_fake_quant_qconfig = _classic("min_max", None)
default_qat_out_8bit_fake_quant_qconfig = default_qat_8bit_weight_32bit_out_fake_quant_qconfig
default_qat_8bit_lsq_quant_qconfig = get_default_qconfig("lsq", "lsq")
default_calib_8bit_fake_quant_qconfig = _classic("mse", qint8)
default_calib_8bit_weight_16bit_act_fake_quant_qconfig = _classic("mse", qint16)
default_calib_8bit_weight_32bit_out_fake_quant_qconfig = _classic("mse", None)
default_calib_out_8bit_fake_quant_qconfig = default_calib_8bit_weight_32bit_out_fake_quant_qconfig
per_channel_qat_8bit_qconfig = QConfig(
    output=default_8bit_fake_quant, weight=default_weight_8bit_fake_quant
)
