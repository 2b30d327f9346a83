"""Dtypes of the inputs of Conv, ConvTranspose, Linear and of matmuls."""

from collections.abc import Sequence
from typing import Any

from ..._twofold import Error
from .._layers import data_positions
from .._ops.op import Kind
from .._record.graph import Layer
from .specs import Specs, checked_dtype
from .template import Template, layers_with_prefix


class ConvDtypeTemplate(Template):
    """The input and the weight of all Conv, ConvTranspose and Linear, or those below `prefix`."""

    def __init__(self, input_dtype: Any, weight_dtype: Any, prefix: str | None = None):
        self.input_dtype = checked_dtype(input_dtype, "ConvDtypeTemplate: input_dtype")
        self.weight_dtype = checked_dtype(weight_dtype, "ConvDtypeTemplate: weight_dtype")
        self.prefix = prefix

    def apply(self, specs: Specs) -> list[str]:
        """Say it."""
        for name in layers_with_prefix(specs, self.prefix, "ConvDtypeTemplate"):
            layer = specs.layers[name]
            if not _has_weight(layer):
                continue
            first, *functional = data_positions(layer)
            specs.set(name, first, "dtype", self.input_dtype)
            # The weight of a functional call is an input like others.
            for part in functional or ["weight"]:
                specs.set(name, part, "dtype", self.weight_dtype)
        return []


class MatmulDtypeTemplate(Template):
    """The inputs of all matmuls, or those below `prefix`: one dtype, or a list of one per input."""

    def __init__(self, input_dtypes: Any, prefix: str | None = None):
        where = "MatmulDtypeTemplate: input_dtypes"
        one = not isinstance(input_dtypes, Sequence) or isinstance(input_dtypes, str)
        given = [input_dtypes] * 2 if one else list(input_dtypes)
        if len(given) != 2:
            raise Error(f"{where} are {len(given)}; a matmul has two inputs")
        self.input_dtypes = [checked_dtype(dtype, where) for dtype in given]
        self.prefix = prefix

    def apply(self, specs: Specs) -> list[str]:
        """Say it."""
        for name in layers_with_prefix(specs, self.prefix, "MatmulDtypeTemplate"):
            layer = specs.layers[name]
            if layer.kind is not Kind.GEMM or _has_weight(layer):
                continue
            for position, dtype in zip(data_positions(layer), self.input_dtypes, strict=False):
                specs.set(name, position, "dtype", dtype)
        return []


def _has_weight(layer: Layer) -> bool:
    return layer.kind is Kind.GEMM and layer.op.name.startswith(("conv", "linear"))
