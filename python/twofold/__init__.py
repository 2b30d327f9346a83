"""Twofold: float ONNX networks to mixed int8 / int16 / dual-int16 ones, run exactly."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from . import (
    _wait_policy,  # noqa: F401, loads ._twofold and so comes first
    debug,
)
from ._twofold import Cancelled, Error, KeptRun, target_names
from ._twofold import version as _version
from .plan import Plan
from .ptq import graph_rows, inspect, quantize, resolve, split, verify
from .session import Session
from .statistics import Statistics

__all__ = [
    "Cancelled",
    "Error",
    "KeptRun",
    "Plan",
    "Session",
    "Statistics",
    "__version__",
    "debug",
    "graph_rows",
    "inspect",
    "quantize",
    "resolve",
    "split",
    "target_names",
    "verify",
]

__version__ = _version()

# What is imported when it is first asked for: quantization-aware training needs PyTorch.
_ON_DEMAND = (
    "dtype",
    "functional",
    "fx",
    "hbdk4",
    "jit",
    "march",
    "nn",
    "profiler",
    "qat_mode",
    "qtensor",
    "quantization",
    "utils",
)
# Names that scripts take from the package itself.
_OF_MARCH = ("March", "get_march", "set_march", "with_march")

if TYPE_CHECKING:
    from . import dtype as dtype
    from . import functional as functional
    from . import fx as fx
    from . import hbdk4 as hbdk4
    from . import jit as jit
    from . import march as march
    from . import nn as nn
    from . import profiler as profiler
    from . import qat_mode as qat_mode
    from . import qtensor as qtensor
    from . import quantization as quantization
    from . import utils as utils
    from .march import March as March
    from .march import get_march as get_march
    from .march import set_march as set_march
    from .march import with_march as with_march
else:  # a type checker would take any name for one that is there

    def __getattr__(name: str) -> Any:
        """A part of the package, or a name that scripts take from it."""
        if name in _ON_DEMAND:
            return import_module(f".{name}", __name__)
        if name in _OF_MARCH:
            return getattr(import_module(".march", __name__), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_ON_DEMAND, *_OF_MARCH})
