"""The report about a prepared model, on demand."""

from .. import _torch_version  # noqa: F401, I001, says first what is wrong with PyTorch
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from .._twofold import Error
from ..quantization._prepare.fuse import members_of
from ..quantization._record.arguments import as_arguments
from ..quantization._record.recorder import record_evaluated
from ..quantization._reports.model_check import model_check_text
from ..quantization._reports.write import write_whole

__all__ = ["check_qat_model"]


def check_qat_model(
    model: nn.Module,
    example_inputs: Any = None,
    example_kw_inputs: Mapping[str, Any] | None = None,
    save_results: bool = False,
    out_dir: str | os.PathLike[str] | None = None,
) -> None:
    """Print what prepare writes as model_check_result.txt; with `save_results` to `out_dir`, too.

    It runs the model in eval mode on the inputs, without which it raises twofold.Error.
    """
    if example_inputs is None and not example_kw_inputs:
        raise Error("check_qat_model runs the model: give it example_inputs, one call's arguments")
    args, kwargs = as_arguments(example_inputs, example_kw_inputs)
    text = model_check_text(model, record_evaluated(model, args, kwargs), members_of(model))
    print(text)
    if save_results:
        write_whole(Path(out_dir or ".") / "model_check_result.txt", text)
