"""From a float model to one that is trained and validated as it will run."""

import copy
import os
from collections.abc import Mapping
from typing import Any

from torch import nn

from .._twofold import Error
from ..march import target_of_march
from ..nn._eager_functional import take_functionals
from ..nn._in_steps import put_in_steps
from ..nn._operator import Operator
from ._prepare.configure import configure
from ._prepare.fuse import fuse, note_members
from ._prepare.insert import insert, watch_scopes
from ._prepare.method import PrepareMethod
from ._prepare.place import place, requests_of
from ._prepare.record import record, unknown_calls
from ._prepare.resolve import grant
from ._record.arguments import as_arguments
from ._record.whole_model import follow_inputs
from ._reports.write import write_reports
from ._setters.base import Setters

__all__ = ["PrepareMethod", "prepare"]


def prepare(
    model: nn.Module,
    example_inputs: Any = None,
    qconfig_setter: Setters = None,
    method: PrepareMethod | str = PrepareMethod.JIT_STRIP,
    example_kw_inputs: Mapping[str, Any] | None = None,
    *,
    inplace: bool = False,
    target: str | None = None,
    check_result_dir: str | os.PathLike[str] = ".",
) -> nn.Module:
    """The model with operators that quantize as the setters say, as far as the target can.

    `example_inputs` are a tensor, or a tuple, list or dict that are the arguments of one call; with
    `example_kw_inputs` by name. EAGER and SYMBOLIC do without. `qconfig_setter` is one setter or a
    tuple, the earlier one wins. `target` is a name that `twofold targets` lists, or a file; by
    default that of `set_march`, else "cpu". Reports are written to `check_result_dir`, where the
    calls are known. The model's own forward, attributes, hooks and parameters stay; with `inplace`
    it is changed itself. Raises twofold.Error with the line of the model that cannot be taken.
    """
    method = PrepareMethod(method)
    _refuse_prepared(model)
    has_inputs = example_inputs is not None or bool(example_kw_inputs)
    args, kwargs = as_arguments(example_inputs, example_kw_inputs)
    if not inplace:
        model = copy.deepcopy(model)
    is_eager = method is PrepareMethod.EAGER
    put_in_steps(model)
    if is_eager:
        take_functionals(model)
    recording = record(model, method, (args, kwargs) if has_inputs else None)
    unknown = unknown_calls(recording)
    members = fuse(model, recording, only_declared=is_eager)
    insert(model, recording)
    watch_scopes(model, functions_stay_float=is_eager)
    if recording.is_whole and not is_eager:
        follow_inputs(model)
    note_members(model, members)
    target = target or target_of_march() or "cpu"
    requests, canonical = configure(
        model, recording, members, qconfig_setter, (args, kwargs), target
    )
    granted = grant(recording, requests_of(recording, canonical.qconfigs), target)
    place(recording, canonical.qconfigs, granted)
    if has_inputs or not is_eager:
        write_reports(
            model,
            recording,
            members=members,
            changes=[*canonical.changes, *granted.changes],
            messages=[*unknown, *requests.messages],
            check_result_dir=check_result_dir,
            save_dir=requests.save_dir,
        )
    return model


def _refuse_prepared(model: nn.Module) -> None:
    for name, module in model.named_modules():
        if isinstance(module, Operator):
            raise Error(
                f"this model is prepared already: '{name}' is a {type(module)}. Prepare the float "
                "model, and load the state_dict of this one into the result"
            )
