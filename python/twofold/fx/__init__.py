"""Graphs of calls: the canonicalizer of qconfigs."""

from .. import quantization as _quantization  # noqa: F401, which imports from here, and so is first
from . import graph_optimizers

__all__ = ["graph_optimizers"]
