"""get_raw_features and profile_featuremap: the tensors of a run in memory, and their statistics."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn

from .._twofold import Error
from ..nn._operator import OUTPUT, WEIGHT, GeneratedOperator
from ..nn.quantized import FloatFunctional
from ..qtensor import QTensor, plain
from ..quantization._record.graph import Layer
from ..quantization._reports.tables import table
from ..quantization._reports.write import write_whole
from ._calls import call, in_steps
from ._infos import number
from ._page import heading, html_table, page
from ._select import Selection
from ._states import analysed
from ._statistics import moments
from ._streaming import call_name, results_of, streamed, type_name

__all__ = ["get_raw_features", "profile_featuremap"]

HEADINGS = (
    *("Module Index", "Module Name", "Module Type", "Input/Output/Attr"),
    *("Min", "Max", "Mean", "Var", "Scale"),
)


def get_raw_features(
    model: nn.Module,
    example_inputs: Any,
    prefixes: Any = (),
    types: Any = (),
    device: Any = None,
    preserve_int: bool = False,
    use_class_name: bool = False,
    skip_identity: bool = False,
) -> list[dict[str, Any]]:
    """What goes into every layer and comes out of it, and its parameters, in the order of the run.

    Rows are dicts: module_name; attr "input", "input-1", "output", "weight", "bias" ...; data, a
    tensor; scale and ch_axis, None and -1 where its numbers are on no grid; ff_method, "add" of a
    FloatFunctional's call, else None; module_type. `preserve_int`: data are integers where there is
    a scale. `use_class_name`: module_type is "Conv2d", not the printed class. The model is float or
    prepared, runs in eval mode and is put back. `device` is ignored; Identity has no rows in any
    case.
    """
    model = in_steps(model)
    selection, rows = Selection(prefixes, types), []
    names: list[str] = []

    def take(layer: Layer, inputs: list[torch.Tensor | None], result: Any) -> None:
        names.append(layer.name)
        if selection.takes(layer.name, layer.op.name):
            for row in _rows(model, layer, inputs, result, preserve_int):
                row["module_type"] = _type(layer, use_class_name)
                rows.append(row)

    with analysed(model), streamed(model, take):
        call(model, example_inputs)
    selection.check(names)
    return rows


def profile_featuremap(
    featuremap: list[dict[str, Any]],
    with_tensorboard: bool = False,
    tensorboard_dir: Any = None,
    print_per_channel_scale: bool = False,
    show_per_channel: bool = False,
    out_dir: str | os.PathLike[str] | None = None,
    file_name: str | None = None,
) -> str:
    """Statistics of what `get_raw_features` returned, as a table; a row per tensor.

    `print_per_channel_scale`: all scales of a tensor, not their range. `show_per_channel`: a row
    per index of ch_axis, of axis 1 where there is none. Writes `file_name`.txt and .html, by
    default statistic, and returns the text.
    """
    if with_tensorboard or tensorboard_dir is not None:
        raise Error("profile_featuremap writes no TensorBoard files: its .html has the same table")
    rows: list[list[Any]] = []
    for feature in featuremap:
        for suffix, data in _parts(feature, show_per_channel):
            values = map(number, moments(data.float()))
            scale = _scale_cell(feature["scale"], print_per_channel_scale)
            rows.append(
                [
                    len(rows),
                    feature["module_name"],
                    feature.get("module_type", ""),
                    feature["attr"] + suffix,
                    *values,
                    scale,
                ]
            )
    text, there = table(HEADINGS, rows), Path(out_dir or ".")
    name = file_name or "statistic"
    write_whole(there / f"{name}.txt", text)
    parts = [heading("Tensors"), html_table(HEADINGS, rows)]
    write_whole(there / f"{name}.html", page("Feature maps", "Statistics", parts))
    return text


def _rows(
    model: nn.Module, layer: Layer, inputs: list[torch.Tensor | None], result: Any, as_int: bool
) -> Iterator[dict[str, Any]]:
    module = layer.module
    parameters = {} if module is None else dict(module.named_parameters(recurse=False))
    own = {id(parameter) for parameter in parameters.values()}
    for position, tensor in enumerate(inputs):
        if tensor is not None and id(tensor) not in own:
            grid = tensor._quantizer if isinstance(tensor, QTensor) else None
            attr = f"input-{position}" if position else "input"
            yield _row(model, layer, attr, plain(tensor), grid, as_int)
    for position, tensor in enumerate(results_of(result)):
        grid = getattr(module, OUTPUT, None) if position == 0 else None
        attr = f"output-{position}" if position else "output"
        yield _row(model, layer, attr, tensor, grid, as_int)
    for name, parameter in parameters.items():
        grid = getattr(module, WEIGHT, None) if name == "weight" else None
        yield _row(model, layer, name, parameter, grid, as_int)


def _row(
    model: nn.Module, layer: Layer, attr: str, tensor: torch.Tensor, grid: Any, as_int: bool
) -> dict[str, Any]:
    data = tensor.detach()
    has_scale = grid is not None and grid.is_integer and grid.is_calibrated
    if has_scale and as_int:
        data = grid.integers(data)
    return {
        "module_name": call_name(layer),
        "attr": attr,
        "data": data.clone(),
        "scale": grid.scale.detach().clone() if has_scale else None,
        "ch_axis": grid.ch_axis if has_scale else -1,
        "ff_method": _method(model, layer),
    }


def _method(model: nn.Module, layer: Layer) -> str | None:
    scope = layer.name.rpartition(".")[0]
    around = dict(model.named_modules()).get(scope)  # a dynamic block is none in a float model
    is_call = isinstance(layer.module, FloatFunctional) or isinstance(around, FloatFunctional)
    return layer.op.name if is_call else None


def _type(layer: Layer, as_class_name: bool) -> str:
    if not as_class_name:
        return type_name(layer)
    is_generated = layer.module is None or isinstance(layer.module, GeneratedOperator)
    return layer.op.name if is_generated else type(layer.module).__name__


def _parts(feature: dict[str, Any], per_channel: bool) -> Iterable[tuple[str, torch.Tensor]]:
    data = feature["data"]
    axis = feature["ch_axis"] if feature["ch_axis"] >= 0 else 1
    if not per_channel or data.dim() <= axis:
        return [("", data)]
    return [(f"[{i}]", part) for i, part in enumerate(data.unbind(axis))]


def _scale_cell(scale: torch.Tensor | None, in_full: bool) -> str:
    if scale is None:
        return ""
    numbers = scale.tolist()
    if len(numbers) == 1 or in_full:
        return ", ".join(map(number, numbers))
    return f"{number(min(numbers))} to {number(max(numbers))} ({len(numbers)})"
