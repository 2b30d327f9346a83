"""Which nodes, weights and activations lose a quantized model's accuracy.

The functions have the names and keywords of the command line (`twofold debug --help`).
"""

import json
import os
import tempfile
from collections.abc import Callable, Iterable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from . import _twofold
from ._progress import Progress, progress_arguments
from ._samples import open_samples
from .ptq import Config, Data, config_arguments

__all__ = ["get_sensitivity_of_nodes"]

_MEMORY = 4 << 30


@contextmanager
def _as_file(model: Any):
    """A path as it is; an onnx.ModelProto as a file for as long as it takes."""
    if not hasattr(model, "SerializeToString"):
        yield os.fspath(model)
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        path.write_bytes(model.SerializeToString())
        yield os.fspath(path)


def _names(given: str | Iterable[str] | None) -> list[str]:
    if given is None:
        return []
    return [given] if isinstance(given, str) else list(given)


def get_sensitivity_of_nodes(
    model_or_file: Any,
    metrics: str | Iterable[str] = "cosine-similarity",
    calibrated_data: Data | None = None,
    output_node: str | Iterable[str] | None = None,
    node_type: str = "node",
    data_num: int | None = None,
    verbose: bool = False,
    interested_nodes: str | Iterable[str] | None = None,
    save_dir: str | os.PathLike | None = None,
    *,
    config: Config = None,
    target: str = "",
    plan: str | os.PathLike | None = None,
    memory: int = _MEMORY,
    resume: bool = False,
    threads: int = 0,
    cancelled: Callable[[], bool] | None = None,
    progress: Progress | bool | None = None,
) -> dict[str, dict[str, float]]:
    """What each unit alone does to the model's outputs: {unit: {metric: value}}, worst first.

    A unit (a node with all its operands, one weight, or one activation for all its readers, as
    `node_type` says: node, weight, activation) is quantized as `config` or `plan` says, everything
    else stays float, and the outputs are compared with the float model's; the worst output counts.
    `model_or_file` is a float ONNX file or an onnx.ModelProto, `calibrated_data` is what `quantize`
    takes as data. `metrics`, of which the first sorts: cosine-similarity, mse, mae, mre, sqnr,
    chebyshev. `data_num` samples are measured on, all by default.

    With `save_dir`, tables, JSON and the results of single units are written there, and `resume`
    goes on with what an earlier call has left. `memory` is how many bytes of float values are kept;
    others are computed again. `verbose` prints the table. `cancelled` and `progress` are those of
    `quantize`. Raises `twofold.Error`.
    """
    with (
        _as_file(model_or_file) as model,
        open_samples(calibrated_data) as samples,
        tempfile.TemporaryDirectory() as scratch,
    ):
        report, log = _twofold.sensitivity_to_json(
            model,
            samples,
            **config_arguments(config),
            target=target,
            plan=os.fspath(plan) if plan else "",
            metrics=_names(metrics),
            outputs=_names(output_node),
            unit=node_type,
            interested_nodes=_names(interested_nodes),
            data_num=data_num or 0,
            memory_bytes=memory,
            save_dir=os.fspath(save_dir) if save_dir else scratch,
            resume=resume,
            threads=threads,
            cancelled=cancelled,
            **progress_arguments(progress),
        )
    if verbose:
        print(log, end="")
    return {
        row["name"]: {metric: float(value) for metric, value in row["metrics"].items()}
        for row in json.loads(report)["rows"]
    }
