"""Post-training quantization, with the words of the command line."""

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any, Literal, Protocol, cast

from . import _report_tables as tables
from . import _twofold
from ._arguments import checks_arguments, optional_path
from ._job_data import Config, DataIs, config_arguments, job_data
from ._model import Model, as_file, shown_name
from ._progress import Progress, progress_arguments
from ._tables import Report
from .reports import InspectReport, QuantizeReport, VerifyReport

if TYPE_CHECKING:
    from .statistics import Statistics


class IndexedSamples(Protocol):
    """Data that are not iterated over, a dataset of PyTorch for example."""

    def __len__(self) -> int:
        """How many samples there are."""

    def __getitem__(self, index: int, /) -> Any:
        """An array, a tuple of them in the order of inputs, or arrays by the names of inputs."""


class CalibrationDataReader(Protocol):
    """ONNX Runtime's."""

    def get_next(self) -> Mapping[str, Any] | None:
        """Arrays by the names of inputs; None at the end."""


# A path, all samples by the names of inputs, or samples: arrays, tuples of them, or mappings.
Data = (
    str
    | os.PathLike[str]
    | Mapping[str, Sequence[Any]]
    | Iterable[Any]
    | IndexedSamples
    | CalibrationDataReader
)


def _native(statistics: "Statistics | str | os.PathLike[str]") -> _twofold.Statistics:
    """Statistics as the extension has them; what is no object of them is a file."""
    from .statistics import Statistics

    if isinstance(statistics, Statistics):
        return statistics._native
    return _twofold.Statistics.load(optional_path(statistics, "statistics"))


@checks_arguments
def quantize(
    model: Model | None = None,
    data: Data | None = None,
    config: Config = None,
    *,
    data_is: DataIs = "",
    target: str = "",
    output: str | os.PathLike[str] | None = None,
    plan: str | os.PathLike[str] | None = None,
    from_plan: str | os.PathLike[str] | None = None,
    by_name: bool = False,
    statistics: "Iterable[Statistics | str | os.PathLike[str]]" = (),
    save_statistics: str | os.PathLike[str] | None = None,
    sensitivity: str | os.PathLike[str] | None = None,
    strict: bool = False,
    activation_format: str = "int8",
    compiler_version: str = "",
    threads: int = 0,
    cancelled: Callable[[], bool] | None = None,
    progress: Progress | Literal[False] | None = None,
) -> QuantizeReport:
    """Quantizes a float ONNX model and returns the report of the whole job.

    `model` is a path, the bytes of a file or an onnx.ModelProto.

    `data` is a directory (of images too), .npz or .npy file; a {input name: array of all samples};
    or it gives samples, and is read once per pass, by index or iteration: a list, a dataset, a
    loader. A sample is an array, a tuple of them in the order of the model's inputs, or an {input
    name: array}. What can be iterated over only once, a generator or a CalibrationDataReader, goes
    to a temporary file first. `config` is a YAML/JSON file or a dict of the same shape. `data_is`
    says whether its mean and scale are for the data ("raw") or not ("normalized"); by default its
    march does. `target` is by default that of the march, or cpu. `output` and `plan` are files to
    write.

    `from_plan` is a plan file in place of config, target, strict, compiler_version and
    activation_format: the model that it was made with comes out again, and no data are needed.
    With `by_name` it may be of another model, retrained say; the notes tell what did not fit.
    `statistics` are `twofold.Statistics`, or files of them, that take the place of calibration;
    data are then needed only where something is searched. `save_statistics` is a file for those of
    this job. `sensitivity` is a file of results of the debugger (sensitivity.jsonl): where fallback
    policy v1 lets one of two inputs keep 16 bits, the more sensitive one does.

    What is left out of `model`, `data` and `output` is taken from the paths of a PTQ file.
    The report has `operands` (what each got and why), `operand_counts`, `outputs` and `tensors`
    (metrics against the float model), `stages` (seconds, peak memory) and `notes`. It is a dict
    that prints as tables: the worst tensors and the notes.

    `progress` is called with a stage's name, and how much of it is done of how much in all. Without
    it, a job that takes longer than two seconds shows a bar on stderr, where that is a terminal or
    a notebook; False shows none. Once in 50 ms `cancelled` is called; if it returns True, the job
    ends with `twofold.Cancelled`. In the main thread Ctrl-C ends it with KeyboardInterrupt. Both
    are called in the thread that called this.
    Raises `twofold.Error`, or what reading `data`, `cancelled` or `progress` raises; then nothing
    has been written.
    """
    if activation_format not in ("int8", "uint8"):
        raise _twofold.Error(
            f"activation_format is '{activation_format}'; it must be int8 or uint8"
        )
    with (
        nullcontext("") if model is None else as_file(model) as file,
        job_data(file, data, config, data_is) as (samples, arguments),
    ):
        report = _twofold.quantize_to_json(
            file,
            samples,
            **arguments,
            target=target,
            compiler_version=compiler_version,
            output=optional_path(output, "output"),
            plan=optional_path(plan, "plan"),
            strict=strict,
            uint8_activations=activation_format == "uint8",
            from_plan=optional_path(from_plan, "from_plan"),
            by_name=by_name,
            statistics=[_native(part) for part in statistics],
            save_statistics=optional_path(save_statistics, "save_statistics"),
            sensitivity=optional_path(sensitivity, "sensitivity"),
            threads=threads,
            cancelled=cancelled,
            **progress_arguments(progress),
        )
    content = json.loads(report)
    if model is not None:
        content["model"] = shown_name(model)
    return cast("QuantizeReport", Report(content, tables.of_quantize))


@checks_arguments
def verify(
    reference: Model,
    other: Model,
    data: Data,
    config: Config = None,
    *,
    data_is: DataIs = "",
    threads: int = 0,
    cancelled: Callable[[], bool] | None = None,
    progress: Progress | Literal[False] | None = None,
) -> VerifyReport:
    """Runs two models on the same samples; metrics per output and per common inner tensor.

    Of `config`, a PTQ file or a dict of the same shape, `input_parameters`, `march` and
    `output_nodes` are used, as `quantize` does it: mean and scale are applied to raw data, with
    `data_is` as there. `cancelled` and `progress` are those of `quantize`, and Ctrl-C ends the job
    in the same way.
    """
    with (
        as_file(reference, "reference") as reference_file,
        as_file(other, "other") as other_file,
        job_data(reference_file, data, config, data_is) as (samples, arguments),
    ):
        report = _twofold.verify_to_json(
            reference_file,
            other_file,
            samples,
            **arguments,
            threads=threads,
            cancelled=cancelled,
            **progress_arguments(progress),
        )
    content = json.loads(report)
    content |= {"reference": shown_name(reference), "other": shown_name(other)}
    return cast("VerifyReport", Report(content, tables.of_verify))


@checks_arguments
def resolve(
    graph: Mapping[str, Any],
    config: Config = None,
    *,
    target: str = "",
    strict: bool = False,
    compiler_version: str = "",
    input_file_nodes: Iterable[str] = (),
) -> dict[str, Any]:
    """What a config makes of a graph that is no ONNX file: the plan, as a plan file has it.

    `graph` has rows (docs/config.md): `inputs`, `outputs`, `constants` (shapes, no numbers),
    `tensors` and `nodes`, with the operators of ONNX. The rows that `graph_rows` gives of an ONNX
    model get the plan of that model. `input_file_nodes` are names of nodes that are gone from the
    graph, so that the config may name them.
    """
    plan = _twofold.resolve_rows_to_json(
        json.dumps(graph),
        **config_arguments(config),
        target=target,
        compiler_version=compiler_version,
        strict=strict,
        input_file_nodes=list(input_file_nodes),
    )
    return json.loads(plan)


def graph_rows(model: Model) -> dict[str, Any]:
    """The simplified graph of an ONNX model, which `quantize` plans, as rows."""
    with as_file(model) as file:
        return json.loads(_twofold.graph_rows_to_json(file))


def inspect(model: Model) -> InspectReport:
    """The nodes of a model with the names a config uses, and what simplification makes of them."""
    with as_file(model) as file:
        content = json.loads(_twofold.inspect_to_json(file))
    return cast("InspectReport", Report(content | {"model": shown_name(model)}, tables.of_inspect))


def split(model: Model, nodes: Iterable[str], output: str | os.PathLike[str]) -> None:
    """Writes the float model with each named operator as two int8-friendly ones and an Add."""
    with as_file(model) as file:
        _twofold.split(file, list(nodes), optional_path(output, "output"))
