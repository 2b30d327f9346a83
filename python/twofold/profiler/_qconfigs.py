"""check_qconfig and set_preserve_qat_mode: what layers of a prepared model quantize with."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from torch import nn

from .._twofold import Error
from ..nn._operator import Operator
from ..quantization._reports.model_check import outputs_text, unusual_text, weights_text
from ..quantization._reports.rows import layer_rows
from ..quantization._reports.tables import table
from ..quantization._reports.write import write_whole
from ._calls import call
from ._select import Selection
from ._states import analysed, is_prepared, turn_off
from ._streaming import streamed

__all__ = ["check_qconfig", "set_preserve_qat_mode"]


def check_qconfig(
    model: nn.Module,
    example_inputs: Any,
    prefixes: Any = (),
    types: Any = (),
    custom_check_func: Callable[[nn.Module], bool] | None = None,
    out_dir: str | os.PathLike[str] | None = None,
) -> str:
    """The dtypes and observers of every layer of a prepared model, and what of it is unusual.

    `custom_check_func(module)` says True of modules that are unusual to the user. Writes
    qconfig_info.txt and returns its text. The model runs once in float.
    """
    if not is_prepared(model):
        raise Error("check_qconfig: this is a float model; prepare gives layers their qconfigs")
    selection = Selection(prefixes, types)
    with analysed(model), streamed(model, lambda layer, inputs, result: None) as recording:
        turn_off(model)
        call(model, example_inputs)
    rows = [
        row
        for row in layer_rows(model, recording)
        if selection.takes(row.layer.name, row.layer.op.name)
    ]
    selection.check(layer.name for layer in recording.computing())
    sections = [
        ("Each layer out qconfig:", outputs_text(rows)),
        ("Weight qconfig:", weights_text(rows)),
        ("Please check if these OPs qconfigs are expected..", unusual_text(rows)),
    ]
    if custom_check_func is not None:
        unusual = [[r.name, r.type_name] for r in rows if custom_check_func(r.layer.module)]
        sections.append(("custom_check_func:", table(["Module Name", "Module Type"], unusual)))
    text = "\n".join(f"{heading}\n{body}" for heading, body in sections)
    write_whole(Path(out_dir or ".") / "qconfig_info.txt", text)
    return text


def set_preserve_qat_mode(
    model: nn.Module, prefixes: Any = (), types: Any = (), value: bool = True
) -> None:
    """Let operators stay with float32 fake quantization where VALIDATION computes from integers.

    So it can be seen what one operator's arithmetic adds to the difference between training and the
    exported model. `prefixes` and `types` choose operators, as in `compare_per_layer`; `value`
    False takes it back. Before `prepare` there is nothing to choose: twofold.Error.
    """
    operators = {n: m for n, m in model.named_modules() if isinstance(m, Operator)}
    if not operators:
        raise Error("set_preserve_qat_mode: this is a float model; call it after prepare")
    selection = Selection(prefixes, types)
    selection.check(operators)
    for name, module in operators.items():
        if selection.takes(name, module.op.name):
            module.preserve_qat_mode = value
