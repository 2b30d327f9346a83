"""Graphs of calls: what is recorded, what is not, and the canonicalizer of qconfigs."""

from .. import quantization as _quantization  # noqa: F401, which imports from here, and so is first
from . import fx_helper, graph_optimizers, jit_scheme

__all__ = ["fx_helper", "graph_optimizers", "jit_scheme"]
