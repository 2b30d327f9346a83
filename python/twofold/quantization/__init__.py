"""Quantization-aware training: prepare, configure, calibrate, train, validate, export."""

from ..dtype import qint4, qint8, qint16
from ..march import March, get_march, set_march
from . import hbdk4, observer_v2
from .export import ExportedModel, export
from .fake_cast import FakeCast, default_fp16_fake_cast, default_fp32_fake_cast
from .fake_quantize import (
    FakeQuantize,
    FakeQuantState,
    default_8bit_fake_quant,
    default_weight_8bit_fake_quant,
    per_channel_8bit_fake_quant,
    set_fake_quantize,
)
from .observer_v2 import (
    FixedScaleObserver,
    HistogramObserver,
    KLObserver,
    MinMaxObserver,
    MixObserver,
    MSEObserver,
    PercentileObserver,
)
from .prepare import PrepareMethod, prepare
from .qconfig import QConfig, get_default_qat_qconfig, get_default_qconfig, get_qconfig
from .qconfig_setter import QconfigSetter
from .stubs import DeQuantStub, QuantStub

__all__ = [
    "DeQuantStub",
    "ExportedModel",
    "FakeCast",
    "FakeQuantState",
    "FakeQuantize",
    "FixedScaleObserver",
    "HistogramObserver",
    "KLObserver",
    "MSEObserver",
    "March",
    "MinMaxObserver",
    "MixObserver",
    "PercentileObserver",
    "PrepareMethod",
    "QConfig",
    "QconfigSetter",
    "QuantStub",
    "default_8bit_fake_quant",
    "default_fp16_fake_cast",
    "default_fp32_fake_cast",
    "default_weight_8bit_fake_quant",
    "export",
    "get_default_qat_qconfig",
    "get_default_qconfig",
    "get_march",
    "get_qconfig",
    "hbdk4",
    "observer_v2",
    "per_channel_8bit_fake_quant",
    "prepare",
    "qint16",
    "qint4",
    "qint8",
    "set_fake_quantize",
    "set_march",
]
