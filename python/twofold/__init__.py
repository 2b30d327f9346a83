"""Twofold: float ONNX networks to mixed int8 / int16 / dual-int16 ones, run exactly."""

from . import (
    _wait_policy,  # noqa: F401, loads ._twofold and so comes first
    debug,
)
from ._twofold import Cancelled, Error, KeptRun, Session, split, target_names
from .plan import Plan
from .ptq import graph_rows, inspect, quantize, resolve, verify
from .statistics import Statistics

__all__ = [
    "Cancelled",
    "Error",
    "KeptRun",
    "Plan",
    "Session",
    "Statistics",
    "debug",
    "graph_rows",
    "inspect",
    "quantize",
    "resolve",
    "split",
    "target_names",
    "verify",
]
