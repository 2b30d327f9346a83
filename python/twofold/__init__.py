"""Twofold: float ONNX networks to mixed int8 / int16 / dual-int16 ones, and an engine that runs them exactly."""

from ._twofold import Error, Session

__all__ = ["Error", "Session"]
