"""Export under the names and arguments of torch.onnx."""

from .. import _torch_version  # noqa: F401, I001, says first what is wrong with PyTorch
import os
from collections.abc import Iterable
from typing import Any

from torch import nn

from .._twofold import Error
from ..quantization.export import exported

__all__ = ["export_quantized_onnx", "export_to_onnx"]


def export_to_onnx(
    model: nn.Module,
    args: Any,
    f: Any,
    export_params: bool = True,
    verbose: bool = False,
    training: Any = None,
    input_names: Iterable[str] | None = None,
    output_names: Iterable[str] | None = None,
    operator_export_type: Any = None,
    opset_version: int | None = None,
    do_constant_folding: bool = True,
    dynamic_axes: Any = None,
    **others: Any,
) -> None:
    """Write a prepared model as QDQ ONNX, opset 21, to the path or binary file `f`.

    `args` is a tensor or a tuple; a dict at its end holds arguments by name. Raises twofold.Error
    as `quantization.export` does, and for `dynamic_axes` and `export_params=False`: shapes are
    those of `args`, and the file holds its weights. All other arguments have no effect.
    """
    if dynamic_axes or not export_params:
        raise Error(
            "export_to_onnx: the file has the shapes of args, and its weights; leave dynamic_axes "
            "and export_params out"
        )
    args = args if isinstance(args, tuple) else (args,)
    kwargs = args[-1] if args and isinstance(args[-1], dict) else {}
    args = args[:-1] if args and isinstance(args[-1], dict) else args
    model_file = exported(model, args, "model", input_names, output_names, kwargs)
    if isinstance(f, str | os.PathLike):
        model_file.save(f)
    else:
        f.write(model_file.onnx)


export_quantized_onnx = export_to_onnx
