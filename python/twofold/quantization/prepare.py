"""From a float model to one that is trained and validated as it will run."""

import copy
from collections.abc import Mapping
from enum import Enum
from typing import Any

import torch
from torch import nn

from .. import _twofold
from ..march import target_of_march
from ..nn._attention import open_up
from ..nn.quantized import take_over
from ._ops.stubs import QUANT
from ._prepare.configure import configure
from ._prepare.fuse import fuse
from ._prepare.insert import insert
from ._prepare.place import place, requests_of
from ._prepare.resolve import grant
from ._record.arguments import as_arguments
from ._record.recorder import Recorder
from ._record.tree import map_tensors
from ._reports.write import write_reports

__all__ = ["PrepareMethod", "prepare"]


class PrepareMethod(Enum):
    """How the operators of a model are found.

    JIT runs it on the example inputs and takes everything; JIT_STRIP what lies between QuantStub
    and DeQuantStub, or everything where there are none.
    """

    EAGER = "eager"
    SYMBOLIC = "symbolic"
    JIT = "jit"
    JIT_STRIP = "jit-strip"


def prepare(
    model: nn.Module,
    example_inputs: Any = None,
    qconfig_setter: Any = None,
    method: PrepareMethod | str = PrepareMethod.JIT_STRIP,
    example_kw_inputs: Mapping[str, Any] | None = None,
    *,
    inplace: bool = False,
    target: str | None = None,
    check_result_dir: str = ".",
) -> nn.Module:
    """The model with operators that quantize as the setters say, as far as the target can.

    `example_inputs` are a tensor, or a tuple, list or dict that are the arguments of one call; with
    `example_kw_inputs` by name. `qconfig_setter` is one setter or a tuple, the earlier one wins.
    `target` is a name that `twofold targets` lists, or a file; by default that of `set_march`, else
    "cpu". Reports are written to `check_result_dir`. The model's own forward, attributes, hooks
    and parameters stay; with `inplace` it is changed itself. Raises twofold.Error with the line of
    the model that cannot be taken.
    """
    method = PrepareMethod(method)
    if method in (PrepareMethod.EAGER, PrepareMethod.SYMBOLIC):
        raise _twofold.Error(f"method {method.value}: it is not there yet; use jit-strip")
    if example_inputs is None and not example_kw_inputs:
        raise _twofold.Error("prepare runs the model: give it example_inputs, one call's arguments")
    if not inplace:
        model = copy.deepcopy(model)
    open_up(model)
    take_over(model)
    args, kwargs = as_arguments(example_inputs, example_kw_inputs)
    recorder = _record(model, args, kwargs, method)
    recording = recorder.recording
    fusions = fuse(model, recording)
    insert(model, recording)
    target = target or target_of_march() or "cpu"
    requests, canonical = configure(
        model, recording, fusions, qconfig_setter, (args, kwargs), target
    )
    granted = grant(recording, requests_of(recording, canonical.qconfigs), target)
    place(recording, canonical.qconfigs, granted)
    write_reports(
        model,
        recording,
        members=fusions.members,
        changes=[*canonical.changes, *granted.changes],
        messages=requests.messages,
        check_result_dir=check_result_dir,
        save_dir=requests.save_dir,
    )
    return model


def _record(
    model: nn.Module, args: tuple, kwargs: dict[str, Any], method: PrepareMethod
) -> Recorder:
    """Run it once, and leave its buffers as they were."""
    recorder = Recorder(model)
    has_stubs = not recorder.all_inside
    between_stubs = method is PrepareMethod.JIT_STRIP and has_stubs
    if method is PrepareMethod.JIT:
        recorder.all_inside = True
    device = next((p.device for p in model.parameters()), torch.device("cpu"))
    args, kwargs = (map_tensors(lambda t: t.to(device), tree) for tree in (args, kwargs))
    buffers = {name: buffer.clone() for name, buffer in model.named_buffers()}
    with torch.no_grad():
        recorder.run(args, kwargs, between_stubs)
        for name, buffer in model.named_buffers():
            buffer.copy_(buffers[name])
    if between_stubs and not any(layer.op is QUANT for layer in recorder.recording.layers):
        raise _twofold.Error(
            "the example inputs reach no QuantStub, so nothing is quantized; call it in forward, "
            "or leave stubs out to quantize everything"
        )
    return recorder
