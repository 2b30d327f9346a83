"""Helpers of training loops."""

from importlib import import_module
from typing import Any

from . import quant_switch

__all__ = ["quant_switch"]

# What needs quantization, which needs quant_switch.
_ON_DEMAND = ("check_model", "fx_helper", "onnx_helper", "quant_profiler")


def __getattr__(name: str) -> Any:
    """A module that is imported when it is first asked for."""
    if name in _ON_DEMAND:
        return import_module(f".{name}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
