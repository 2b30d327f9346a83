"""A function of one number as one operator, whatever calls it is made of: a table on a device."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ...qtensor import plain
from .layout import refuse
from .op import Builder, Kind, Op


def _compute(inputs: Sequence[Tensor], attributes: dict[str, Any]) -> Tensor:
    return plain(attributes["function"](inputs[0]))


def _emit(builder: Builder, inputs: Sequence[str], attributes: dict[str, Any]) -> str:
    """What the function calls, in float32."""
    recording = _recorded(attributes["function"], builder.shape(inputs[0]))
    if not recording.outputs:
        raise refuse("a table", "its function calls nothing on its argument; give another one.")
    names = {recording.inputs[0]: inputs[0]}
    for layer in recording.layers:
        given = []
        for value in layer.inputs:
            if value is not None and value not in names:
                names[value] = builder.constant(value.tensor)
            given.append("" if value is None else names[value])
        results = layer.op.emit(builder, given, layer.attributes)
        results = [results] if isinstance(results, str) else results
        names.update(zip(layer.outputs, results, strict=False))
    return names[recording.outputs[0]]


def _recorded(function: Callable[[Tensor], Tensor], shape: tuple[int, ...]) -> Any:
    from .._record.recorder import Recorder

    class Called(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return function(x)

    recorder = Recorder(Called())
    with torch.no_grad():
        recorder.run((torch.zeros(shape),), {})
    return recorder.recording


def _table(name: str) -> Op:
    return Op(name, Kind.COMPUTE, {}, _compute, _emit)


OPS = [_table("segment_lut"), _table("look_up_table")]
