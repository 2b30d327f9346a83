"""Export under the name that scripts know: `hbdk4.export(model, inputs, name=...)`."""

import copy
from collections.abc import Iterable
from typing import Any

from torch import nn

from .. import _twofold
from ._not_built import refused
from ._record import recorder as recording
from .export import ExportedModel, exported

__all__ = [
    "export",
    "get_hbir_input_flattener",
    "get_hbir_output_unflattener",
    "is_exporting",
    "pre_export",
]


def export(
    model: nn.Module,
    example_inputs: Any,
    name: str = "forward",
    input_names: Iterable[str] | None = None,
    output_names: Iterable[str] | None = None,
    input_descs: Any = None,
    output_descs: Any = None,
    native_pytree: bool = True,
) -> ExportedModel:
    """The prepared model as an object whose `.save(path)` writes QDQ ONNX.

    `native_pytree` has no effect: outputs are flat. Raises as `quantization.export`.
    """
    del native_pytree
    if input_descs is not None or output_descs is not None:
        raise _twofold.Error(
            "input_descs and output_descs belong to the vendor's file; an ONNX file has "
            "input_names and output_names"
        )
    if isinstance(example_inputs, dict):
        example_inputs = (example_inputs,)
    return exported(model, example_inputs, name, input_names, output_names)


def pre_export(model: nn.Module, inplace: bool = False) -> nn.Module:
    """The model itself or a copy: nothing has to be changed before `export`."""
    return model if inplace else copy.deepcopy(model)


def is_exporting() -> bool:
    """Whether the forward that asks is being recorded for an export."""
    recorder = recording.active()
    return recorder is not None and recorder.is_for_export


_FLAT = "inputs and outputs of the ONNX file are flat, in the order of input_names and output_names"

get_hbir_input_flattener = refused("get_hbir_input_flattener", _FLAT)
get_hbir_output_unflattener = refused("get_hbir_output_unflattener", _FLAT)
