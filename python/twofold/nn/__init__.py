"""Modules for models that are quantized: FloatFunctional, and the operators that prepare makes."""

from .. import quantization as _quantization  # noqa: F401, which imports from here, and so is first
from . import qat, quantized

__all__ = ["qat", "quantized"]
