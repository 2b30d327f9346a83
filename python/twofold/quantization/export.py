"""The trained model as a QDQ ONNX file, and how far it is from what was validated."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import onnx
from torch import nn

from .. import _twofold
from ..nn._operator import Operator
from ._files import write_file
from ._onnx_graph import Written, write
from ._record.arguments import as_arguments
from ._record.recorder import record_evaluated
from ._states import FakeQuantState

__all__ = ["ExportedModel", "export"]


class ExportedModel:
    """A quantized model in memory: the bytes of an ONNX file."""

    def __init__(self, name: str, written: Written):
        """`name` is the model's."""
        self.name = name
        self.onnx = written.quantized()
        self._written = written

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the ONNX file, whole or not at all."""
        write_file(Path(path), self.onnx)

    def save_float(self, path: str | os.PathLike[str], plan: str | os.PathLike[str]) -> None:
        """Write the float model as ONNX, and a plan with all precisions and scales for it.

        `twofold quantize FLOAT --from-plan PLAN` makes this model of them; `--by-name` gives the
        plan to another model whose nodes are called the same.
        """
        _twofold.check_outputs([path, plan])
        write_file(Path(path), self._written.proto().SerializeToString())
        write_file(Path(plan), self._written.plan())

    def integers(self) -> dict[str, str]:
        """{operator: the tensor of the file that has the integers of its output}."""
        graph = onnx.load_from_string(self.onnx).graph
        quantized = {n.input[0]: n.output[0] for n in graph.node if n.op_type == "QuantizeLinear"}
        first = {node.name: node.output[0] for node in graph.node}
        return {name: quantized[first[node]] for name, node in self._written.results.items()}

    def session(self, threads: int = 0) -> _twofold.Session:
        """It on the engine."""
        return _twofold.Session(self.onnx, threads=threads)


def exported(
    model: nn.Module,
    example_inputs: Any,
    name: str = "forward",
    input_names: Iterable[str] | None = None,
    output_names: Iterable[str] | None = None,
    example_kw_inputs: Mapping[str, Any] | None = None,
) -> ExportedModel:
    """A prepared model with the scales it has, for inputs of these shapes.

    Raises twofold.Error for a float model, for one that is not calibrated, and for calls that ONNX
    has no operators for, with the line of the model.
    """
    _check(model)
    args, kwargs = as_arguments(example_inputs, example_kw_inputs)
    recording = record_evaluated(model, args, kwargs, for_export=True)
    return ExportedModel(name, write(recording, input_names or (), output_names or ()))


def export(
    model: nn.Module,
    example_inputs: Any,
    path: str | os.PathLike[str],
    *,
    input_names: Iterable[str] | None = None,
    output_names: Iterable[str] | None = None,
    example_kw_inputs: Mapping[str, Any] | None = None,
) -> ExportedModel:
    """Write a prepared model as QDQ ONNX, opset 21. Raises as `exported`."""
    result = exported(
        model, example_inputs, Path(path).stem, input_names, output_names, example_kw_inputs
    )
    result.save(path)
    return result


def _check(model: nn.Module) -> None:
    operators = [module for module in model.modules() if isinstance(module, Operator)]
    if not operators:
        raise _twofold.Error(
            "this is a float model; prepare and calibrate it, or export it with torch.onnx and "
            "quantize the file (`twofold quantize`)"
        )
    for name, module in model.named_modules():
        if getattr(module, "fake_quant_state", None) is FakeQuantState.CALIBRATION:
            raise _twofold.Error(
                f"{name} is still calibrating: set_fake_quantize(model, "
                "FakeQuantState.VALIDATION), look at the accuracy, and then export"
            )
