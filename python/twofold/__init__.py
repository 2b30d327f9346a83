"""Twofold: float ONNX networks to mixed int8 / int16 / dual-int16 ones, run exactly."""

from . import _wait_policy  # noqa: F401, loads ._twofold and so comes first
from ._twofold import Cancelled, Error, KeptRun, Session, split, target_names
from .ptq import inspect, quantize, verify

__all__ = [
    "Cancelled",
    "Error",
    "KeptRun",
    "Session",
    "inspect",
    "quantize",
    "split",
    "target_names",
    "verify",
]
