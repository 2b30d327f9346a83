"""Helpers of training loops."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from . import quant_switch

__all__ = ["quant_switch"]

# What needs quantization, which needs quant_switch.
_ON_DEMAND = ("check_model", "fx_helper", "onnx_helper", "quant_profiler")


if TYPE_CHECKING:
    from . import check_model as check_model
    from . import fx_helper as fx_helper
    from . import onnx_helper as onnx_helper
    from . import quant_profiler as quant_profiler
else:  # a type checker would take any name for one that is there

    def __getattr__(name: str) -> Any:
        """A module that is imported when it is first asked for."""
        if name in _ON_DEMAND:
            return import_module(f".{name}", __name__)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
