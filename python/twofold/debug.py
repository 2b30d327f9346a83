"""Which nodes, weights and activations lose a quantized model's accuracy, why, and what helps.

The functions have the names and keywords of the command line (`twofold debug --help`).

All of them take a float ONNX file, its bytes or an `onnx.ModelProto`; `calibrated_data`, which is
what `quantize` takes as data; and `config` (with `data_is`) and `target`, or `plan`, which say what
is tested. Or they take a file that `quantize` wrote, which stands for its float model, in
`float_model` or beside it, and its plan. `memory` is how many bytes of float values are kept (None:
4 GiB); others are computed again. `data_num` samples are looked at, all where it is None. Without
`save_dir` nothing is left on the disk, but where it has a default. `cancelled` and `progress` are
those of `quantize`. They raise `twofold.Error`.
"""

import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, TypedDict, Unpack, cast

from . import _report_tables as tables
from . import _twofold
from ._arguments import checks_arguments, optional_path
from ._job_data import Config, DataIs, job_data
from ._model import Model, as_file
from ._progress import Progress, progress_arguments
from ._tables import Report
from .ptq import Data

__all__ = [
    "find_remedies",
    "get_channelwise_data_distribution",
    "get_sensitivity_of_nodes",
    "plot_acc_error",
    "plot_distribution",
    "runall",
    "select_sensitive_samples",
    "sensitivity_analysis",
    "tensor_analysis",
]


Names = str | Iterable[str] | None
Lists = str | Iterable[str | Iterable[str]] | None

_SAVE_DIR = "./debug_result/"


class Subject(TypedDict, total=False):
    """What is tested, and how: keywords that all functions have (the module's text explains)."""

    config: Config
    data_is: DataIs
    target: str
    plan: str | os.PathLike[str] | None
    float_model: str | os.PathLike[str] | None
    memory: int | None
    threads: int
    cancelled: Callable[[], bool] | None
    progress: Progress | Literal[False] | None


@contextmanager
@checks_arguments
def _subject(
    model_or_file: Model,
    calibrated_data: Data | None,
    *,
    config: Config = None,
    data_is: DataIs = "",
    target: str = "",
    plan: str | os.PathLike[str] | None = None,
    float_model: str | os.PathLike[str] | None = None,
    memory: int | None = None,
    threads: int = 0,
    cancelled: Callable[[], bool] | None = None,
    progress: Progress | Literal[False] | None = None,
) -> Iterator[dict[str, Any]]:
    """What is debugged, as the extension takes it."""
    with (
        as_file(model_or_file, "model_or_file") as model,
        job_data(model, calibrated_data, config, data_is) as (samples, arguments),
    ):
        yield {
            "model": model,
            "samples": samples,
            **arguments,
            "target": target,
            "plan": optional_path(plan, "plan"),
            "float_model": optional_path(float_model, "float_model"),
            "memory": memory,
            "threads": threads,
            "cancelled": cancelled,
            **progress_arguments(progress),
        }


@contextmanager
def _folder(save_dir: str | os.PathLike[str] | None) -> Iterator[str]:
    if save_dir:
        yield os.fspath(save_dir)
        return
    with tempfile.TemporaryDirectory() as scratch:
        yield scratch


def _names(given: Names) -> list[str]:
    if given is None:
        return []
    return [given] if isinstance(given, str) else list(given)


def _lists(given: Lists) -> list[list[str]]:
    if given is None:
        return []
    return [_names(item) for item in ([given] if isinstance(given, str) else given)]


def _number(data_num: int | None) -> int:
    """How many samples, as the extension takes it: 0 for all."""
    if data_num is not None and data_num < 0:
        raise _twofold.Error(f"data_num is {data_num}; it must be a number of samples, or None")
    return data_num or 0


def _curves(
    quantize: Lists, non_quantize: Lists, metric: str, average_mode: bool
) -> dict[str, Any]:
    """The words weight and activation among the lists stand for all of these."""
    lists, left_out = _lists(quantize), _lists(non_quantize)
    for names in left_out:
        for word in ("weight", "activation"):
            if word in names:
                raise _twofold.Error(f"'{word}' may be quantized alone, not left out")
    return {
        "quantize": [names for names in lists if names not in (["weight"], ["activation"])],
        "non_quantize": left_out,
        "weights": ["weight"] in lists,
        "activations": ["activation"] in lists,
        "metric": metric,
        "average_mode": average_mode,
    }


@checks_arguments
def get_sensitivity_of_nodes(
    model_or_file: Model,
    metrics: str | Iterable[str] = "cosine-similarity",
    calibrated_data: Data | None = None,
    output_node: Names = None,
    node_type: str = "node",
    data_num: int | None = None,
    verbose: bool = False,
    interested_nodes: Names = None,
    save_dir: str | os.PathLike[str] | None = None,
    *,
    group: Lists = None,
    resume: bool = False,
    estimate: bool = False,
    confirm: int = 40,
    **subject: Unpack[Subject],
) -> dict[str, dict[str, float]]:
    """What each unit alone does to the model's outputs: {unit: {metric: value}}, worst first.

    A unit (a node with all its operands, one weight, or one activation for all its readers, as
    `node_type` says: node, weight, activation) is quantized as `config` or `plan` says, everything
    else stays float, and the outputs are compared with the float model's; the worst output counts.
    `metrics`, of which the first sorts: cosine-similarity, mse, mae, mre, sqnr, chebyshev.

    `group` makes units of several nodes: "op_type", "prefix" (the folders of their names),
    "prefix:<depth>", or lists of nodes.

    With `save_dir`, tables, JSON and the results of single units are written there, and `resume`
    goes on with what an earlier call has left. `verbose` prints the table.

    With `estimate` all errors are estimated to first order, in the time of a few model runs, and
    the `confirm` worst by the first metric are measured; metrics: cosine-similarity, mse, sqnr.
    """
    with _subject(model_or_file, calibrated_data, **subject) as given, _folder(save_dir) as folder:
        report, log = _twofold.debug_sensitivity(
            given,
            metrics=_names(metrics),
            outputs=_names(output_node),
            unit=node_type,
            interested_nodes=_names(interested_nodes),
            group=group if isinstance(group, str) else "",
            group_lists=[] if isinstance(group, str) else _lists(group),
            data_num=_number(data_num),
            save_dir=folder,
            resume=resume,
            estimate=estimate,
            confirm=confirm,
        )
    if verbose:
        print(log, end="")
    found = {
        row["name"]: {metric: float(value) for metric, value in row["metrics"].items()}
        for row in json.loads(report)["rows"]
    }
    return cast("dict[str, dict[str, float]]", Report(found, tables.of_sensitivity))


@checks_arguments
def find_remedies(
    model_or_file: Model,
    calibrated_data: Data | None = None,
    metrics: str | Iterable[str] = "cosine-similarity",
    output_node: Names = None,
    data_num: int | None = None,
    verbose: bool = False,
    save_dir: str | os.PathLike[str] | None = None,
    *,
    write_config: str | os.PathLike[str] | None = None,
    evaluate: str = "",
    estimate: bool = False,
    confirm: int = 40,
    resume: bool = False,
    **subject: Unpack[Subject],
) -> dict[str, Any]:
    """What limits the model, which operators need 16 bits in both inputs, why, and what helps.

    Returns what findings.json holds: `findings`, what limits the model first; `lines` for a config
    with all that is needed; `before` and `after`, the metrics without and with them; `both_inputs`,
    `kinds`, `blocks` and `remedies`, the tables that this rests on. Each remedy was tried.
    `write_config` is a file for the config with the lines. `evaluate` is a command in which {model}
    stands for a quantized model, and that prints a number last. `verbose` prints the findings.
    """
    with _subject(model_or_file, calibrated_data, **subject) as given, _folder(save_dir) as folder:
        report, text = _twofold.debug_findings(
            given,
            metrics=_names(metrics),
            outputs=_names(output_node),
            data_num=_number(data_num),
            save_dir=folder,
            resume=resume,
            estimate=estimate,
            confirm=confirm,
            write_config=optional_path(write_config, "write_config"),
            evaluate=evaluate,
        )
    if verbose:
        print(text, end="")
    return Report(json.loads(report), lambda _: [text])


@checks_arguments
def plot_acc_error(
    save_dir: str | os.PathLike[str] = _SAVE_DIR,
    calibrated_data: Data | None = None,
    model_or_file: Any = None,
    quantize_node: Lists = None,
    non_quantize_node: Lists = None,
    metric: str = "cosine-similarity",
    average_mode: bool = False,
    data_num: int | None = 8,
    **subject: Unpack[Subject],
) -> dict[str, Any]:
    """How the error builds up node by node where some nodes are quantized, a curve for each list.

    `quantize_node` are nodes, lists of them, or the words weight and activation;
    `non_quantize_node` are nodes, or lists of them, that stay float. Returns `nodes` and `curves`;
    accumulate_error.svg and .json are written.
    """
    curves = _curves(quantize_node, non_quantize_node, metric, average_mode)
    with _subject(model_or_file, calibrated_data, **subject) as given:
        return json.loads(
            _twofold.debug_error_curves(
                given, data_num=_number(data_num), save_dir=os.fspath(save_dir), **curves
            )
        )


@checks_arguments
def plot_distribution(
    save_dir: str | os.PathLike[str] = _SAVE_DIR,
    model_or_file: Any = None,
    calibrated_data: Data | None = None,
    nodes_list: Names = None,
    data_num: int | None = 1,
    **subject: Unpack[Subject],
) -> dict[str, Any]:
    """Histograms of the operands of nodes before and after quantization; all without a list.

    Returns `operands`; an SVG per operand and distribution.json are written.
    """
    with _subject(model_or_file, calibrated_data, **subject) as given:
        return json.loads(
            _twofold.debug_distribution(
                given,
                nodes=_names(nodes_list),
                data_num=_number(data_num),
                save_dir=os.fspath(save_dir),
            )
        )


@checks_arguments
def get_channelwise_data_distribution(
    save_dir: str | os.PathLike[str] = _SAVE_DIR,
    model_or_file: Any = None,
    calibrated_data: Data | None = None,
    nodes_list: Names = None,
    axis: int | None = None,
    data_num: int | None = 1,
    **subject: Unpack[Subject],
) -> dict[str, Any]:
    """Smallest, quartiles and largest of every channel, and a box plot per tensor.

    `axis` is that of channels: 0 of weights and 1 of activations, if it is None.
    """
    with _subject(model_or_file, calibrated_data, **subject) as given:
        return json.loads(
            _twofold.debug_channels(
                given,
                nodes=_names(nodes_list),
                axis=axis,
                data_num=_number(data_num),
                save_dir=os.fspath(save_dir),
            )
        )


@checks_arguments
def sensitivity_analysis(
    model_or_file: Model,
    calibrated_data: Data | None = None,
    pick_threshold: float = 0.999,
    data_num: int | None = 1,
    sensitive_nodes: Names = None,
    qtype: str = "float32",
    save_dir: str | os.PathLike[str] = _SAVE_DIR,
    metric: str = "cosine-similarity",
    verbose: bool = False,
    *,
    resume: bool = False,
    **subject: Unpack[Subject],
) -> dict[str, Any]:
    """What becomes of the quantized model if sensitive nodes get another precision.

    Sensitive are `sensitive_nodes`, or those that alone are worse than `pick_threshold`. Returns
    `quantized`, the metric as it is, and `rows`: per node the metric with it, and with all up to
    it, at `qtype`.
    """
    with _subject(model_or_file, calibrated_data, **subject) as given:
        report, log = _twofold.debug_sensitivity_analysis(
            given,
            metric=metric,
            pick_threshold=pick_threshold,
            sensitive_nodes=_names(sensitive_nodes),
            qtype=qtype,
            data_num=_number(data_num),
            save_dir=os.fspath(save_dir),
            resume=resume,
        )
    if verbose:
        print(log, end="")
    return Report(json.loads(report), lambda _: [log])


@checks_arguments
def tensor_analysis(
    model_or_file: Model,
    calibrated_data: Data | None = None,
    node_names: Names = None,
    save_dir: str | os.PathLike[str] = _SAVE_DIR,
    num_processes: int = 0,
    data_num: int | None = 1,
    verbose: bool = False,
    **subject: Unpack[Subject],
) -> dict[str, Any]:
    """All numbers about the operands of nodes, as text and CSV; `num_processes` means threads."""
    subject.setdefault("threads", num_processes)
    with _subject(model_or_file, calibrated_data, **subject) as given:
        report, table = _twofold.debug_tensors(
            given,
            nodes=_names(node_names),
            data_num=_number(data_num),
            save_dir=os.fspath(save_dir),
        )
    if verbose:
        print(table, end="")
    return Report(json.loads(report), lambda _: [table])


@checks_arguments
def runall(
    model_or_file: Model,
    calibrated_data: Data | None = None,
    save_dir: str | os.PathLike[str] = _SAVE_DIR,
    ns_metrics: str | Iterable[str] = "cosine-similarity",
    output_node: Names = None,
    node_type: Names = None,
    data_num: int | None = 1,
    verbose: bool = False,
    interested_nodes: Names = None,
    dis_nodes_list: Names = None,
    cw_nodes_list: Names = None,
    axis: int | None = None,
    quantize_node: Lists = None,
    non_quantize_node: Lists = None,
    ae_metric: str = "cosine-similarity",
    average_mode: bool = False,
    pick_threshold: float = 0.999,
    sensitive_nodes: Names = None,
    *,
    write_config: str | os.PathLike[str] | None = None,
    evaluate: str = "",
    estimate: bool = False,
    confirm: int = 40,
    resume: bool = False,
    **subject: Unpack[Subject],
) -> dict[str, Any]:
    """All of this but `tensor_analysis`, and report.html, one page with everything.

    `node_type` is node, weight or activation, weights and activations if it is None. Returns
    `findings`, as `find_remedies` does, the other results, and the `files` that were written, the
    page first. `verbose` prints the findings.
    """
    with _subject(model_or_file, calibrated_data, **subject) as given:
        report, text = _twofold.debug_all(
            given,
            save_dir=os.fspath(save_dir),
            metrics=_names(ns_metrics),
            outputs=_names(output_node),
            units=_names(node_type) or ["weight", "activation"],
            data_num=_number(data_num),
            interested_nodes=_names(interested_nodes),
            distribution_nodes=_names(dis_nodes_list),
            channel_nodes=_names(cw_nodes_list),
            axis=axis,
            curves=_curves(quantize_node, non_quantize_node, ae_metric, average_mode),
            pick_threshold=pick_threshold,
            sensitive_nodes=_names(sensitive_nodes),
            resume=resume,
            estimate=estimate,
            confirm=confirm,
            write_config=optional_path(write_config, "write_config"),
            evaluate=evaluate,
        )
    if verbose:
        print(text, end="")
    return Report(json.loads(report), lambda _: [text])


@checks_arguments
def select_sensitive_samples(
    model_or_file: Model,
    data: Data | None = None,
    metric: str = "cosine-similarity",
    num_sample: int = 1,
    **subject: Unpack[Subject],
) -> list[dict[str, Any]]:
    """The samples on which the quantized model is worst: [{"sample": index, metric: value}, ...].

    The model is calibrated on the same data. Of several outputs the worst counts.
    """
    with _subject(model_or_file, data, **subject) as given:
        return json.loads(_twofold.debug_samples(given, metric=metric, count=num_sample))
