from collections.abc import Callable, Mapping, Sequence
import os
from typing import Annotated, Any

import numpy
import numpy.typing
from numpy.typing import NDArray

import twofold._samples
import twofold.reports


def version() -> str:
    """Of the build."""

class Error(Exception):
    pass

class Cancelled(Error):
    pass

def run_twofold(words: Sequence[bytes]) -> int:
    """
    Runs the command that the words name, without the program's own, and returns the exit code. Ctrl-C is the command's from then on, also when it is done: for a process that ends with it.
    """

def run_debugger(words: Sequence[bytes]) -> int:
    """As run_twofold, for the commands of `twofold debug`."""

def write_file(path: str | os.PathLike[str], content: bytes) -> None:
    """Writes a file, whole or not at all; pipes and devices as they are."""

def check_outputs(paths: Sequence[str | os.PathLike[str]]) -> None:
    """Raises Error where one cannot be written, or two are one file."""

def normalized_plan(text: str, label: str) -> str:
    """The text of a plan file, checked, as Twofold writes it."""

def save_plan(text: str, path: str | os.PathLike[str]) -> None: ...

class Statistics:
    @staticmethod
    def observe(model: str | os.PathLike[str], data: twofold._samples.SampleSource | str, config_path: str, config_text: str, data_is: str, threads: int, cancelled: Callable[[], bool] | None, progress: Callable[[str, int, int], None] | None, bar_columns: int) -> Statistics: ...

    @staticmethod
    def load(path: str | os.PathLike[str]) -> Statistics: ...

    @staticmethod
    def from_bytes(data: bytes) -> Statistics: ...

    def merge(self, other: Statistics) -> None: ...

    def save(self, path: str | os.PathLike[str]) -> None: ...

    def to_bytes(self) -> bytes: ...

    def tensors(self) -> list[dict[str, Any]]: ...

    @property
    def model_hash(self) -> str: ...

    @property
    def num_samples(self) -> int: ...

class TensorStatistics:
    def __init__(self) -> None: ...

    @staticmethod
    def from_bytes(data: bytes) -> TensorStatistics: ...

    def observe(self, tensor: numpy.typing.ArrayLike) -> None: ...

    def merge(self, other: TensorStatistics) -> None: ...

    def to_bytes(self) -> bytes: ...

    def threshold(self, method: str, precision: str, percentile: float = 1.0, num_bin: int = 1024) -> float: ...

    @property
    def count(self) -> int: ...

    @property
    def min(self) -> float: ...

    @property
    def max(self) -> float: ...

    def __getstate__(self) -> bytes: ...

    def __setstate__(self, arg: bytes, /) -> None: ...

def quantize_to_json(model: str | os.PathLike[str], data: twofold._samples.SampleSource | str, config_path: str, config_text: str, data_is: str, target: str, compiler_version: str, output: str, plan: str, strict: bool, uint8_activations: bool, from_plan: str, by_name: bool, statistics: Sequence[Statistics], save_statistics: str, sensitivity: str, threads: int, cancelled: Callable[[], bool] | None, progress: Callable[[str, int, int], None] | None, bar_columns: int) -> str: ...

def verify_to_json(reference: str | os.PathLike[str], other: str | os.PathLike[str], data: twofold._samples.SampleSource | str, config_path: str, config_text: str, data_is: str, threads: int, cancelled: Callable[[], bool] | None, progress: Callable[[str, int, int], None] | None, bar_columns: int) -> str: ...

def resolve_rows_to_json(rows: str, config_path: str, config_text: str, target: str, compiler_version: str, strict: bool, input_file_nodes: Sequence[str]) -> str: ...

def quantize_operands(model: bytes, operands: Sequence[tuple[str, str, str, Sequence[float], Sequence[int], int]]) -> bytes:
    """
    An ONNX file's bytes with QuantizeLinear and DequantizeLinear at operands: (node, operand, precision, scales, zero points, axis).
    """

def plan_of_operands(model: bytes, operands: Sequence[tuple[str, str, str, Sequence[float], Sequence[int], int]]) -> str:
    """
    The same as the text of a plan file, for the model as it is simplified.
    """

def graph_rows_to_json(model: str | os.PathLike[str]) -> str: ...

def calibration_folders(config_path: str, config_text: str) -> list[str]:
    """Folders of samples that the config names, in its own order."""

def model_inputs_to_json(model: str | os.PathLike[str], config_path: str, config_text: str) -> str: ...

def inspect_to_json(model: str | os.PathLike[str]) -> str: ...

def split(model: str | os.PathLike[str], nodes: Sequence[str], output: str | os.PathLike[str]) -> None:
    """
    Writes the float model with each named operator as two int8-friendly ones and an Add.
    """

def target_names() -> list[str]:
    """Names of the built-in targets."""

class KeptRun:
    """
    One run of a session, whose tensors can be read and changed: Session.keep() makes it. A name stands for an input or a tensor that the session watches. Methods may run at once.
    """

    @property
    def outputs(self) -> dict[str, numpy.typing.NDArray[Any]]:
        """{output name: array}. The arrays are read-only, not copies."""

    @property
    def kept_bytes(self) -> int:
        """Bytes of kept tensors, inputs and outputs not among them."""

    def value(self, name: str, cancelled: Callable[[], bool] | None = None) -> numpy.typing.NDArray[Any]:
        """
        A tensor of the run as a read-only array: the kept bytes, or computed again. Where the engine has only the integers of a float tensor, what they stand for.
        """

    def run_from(self, changed: Mapping[str, numpy.typing.ArrayLike], cancelled: Callable[[], bool] | None = None) -> dict[str, numpy.typing.NDArray[Any]]:
        """
        The outputs, {output name: array}, as they are if the tensors of `changed`, {name: array}, have come out so. Runs only the nodes that depend on them. As for run(), arrays are not copied and the GIL is released.
        """

    def nodes_to_run(self, names: Sequence[str]) -> int:
        """How many nodes run_from() runs for a change of these tensors."""

class Session:
    """A loaded ONNX model (float or QDQ) that runs on Twofold's engine."""

    def __init__(self, model: bytes | str | os.PathLike[str], threads: int = 0, watched: Sequence[str] = [], ec_in_two_passes: bool = False) -> None:
        """
        Loads a file (path) or a model in memory (bytes); twofold.Session says what the others are.
        """

    @property
    def inputs(self) -> list[twofold.reports.TensorInfo]:
        """List of {name, dtype, shape}; dimensions that are not fixed are -1."""

    @property
    def outputs(self) -> list[twofold.reports.TensorInfo]: ...

    @property
    def input_names(self) -> list[str]: ...

    @property
    def output_names(self) -> list[str]: ...

    def run(self, inputs: Mapping[str, numpy.typing.ArrayLike], cancelled: Callable[[], bool] | None = None) -> dict[str, numpy.typing.NDArray[Any]]:
        """
        Runs on {input name: NumPy array}; returns {output name: array}. Arrays that are C-contiguous are not copied, outputs are not either, and the GIL is released. Between nodes, once in 50 ms, `cancelled` is called where it is given; if it returns True, the run raises twofold.Cancelled. In the main thread Ctrl-C ends a run in the same way, with KeyboardInterrupt.
        """

    def keep(self, inputs: Mapping[str, numpy.typing.ArrayLike], memory_cap: int | None = None, cancelled: Callable[[], bool] | None = None) -> KeptRun:
        """
        Runs as run() does and returns a KeptRun, which keeps the tensors that nodes compute for runs from the middle, in the order they are computed, up to `memory_cap` bytes (None: all). What does not fit is computed again where it is needed. Do not write to the input arrays while the KeptRun is there.
        """

def debug_sensitivity(subject: dict[str, Any], metrics: Sequence[str], outputs: Sequence[str], unit: str, interested_nodes: Sequence[str], group: str, group_lists: Sequence[Sequence[str]], data_num: int, save_dir: str, resume: bool, estimate: bool, confirm: int) -> tuple[str, str]: ...

def debug_findings(subject: dict[str, Any], metrics: Sequence[str], outputs: Sequence[str], data_num: int, save_dir: str, resume: bool, estimate: bool, confirm: int, write_config: str, evaluate: str) -> tuple[str, str]: ...

def debug_error_curves(subject: dict[str, Any], quantize: Sequence[Sequence[str]], non_quantize: Sequence[Sequence[str]], weights: bool, activations: bool, metric: str, average_mode: bool, data_num: int, save_dir: str) -> str: ...

def debug_distribution(subject: dict[str, Any], nodes: Sequence[str], data_num: int, save_dir: str) -> str: ...

def debug_channels(subject: dict[str, Any], nodes: Sequence[str], axis: int | None, data_num: int, save_dir: str) -> str: ...

def debug_tensors(subject: dict[str, Any], nodes: Sequence[str], data_num: int, save_dir: str) -> tuple[str, str]: ...

def debug_sensitivity_analysis(subject: dict[str, Any], metric: str, pick_threshold: float, sensitive_nodes: Sequence[str], qtype: str, data_num: int, save_dir: str, resume: bool) -> tuple[str, str]: ...

def debug_samples(subject: dict[str, Any], metric: str, count: int) -> str: ...

def debug_all(subject: dict[str, Any], save_dir: str, metrics: Sequence[str], outputs: Sequence[str], units: Sequence[str], data_num: int, interested_nodes: Sequence[str], distribution_nodes: Sequence[str], channel_nodes: Sequence[str], axis: int | None, curves: dict[str, Any], pick_threshold: float, sensitive_nodes: Sequence[str], resume: bool, estimate: bool, confirm: int, write_config: str, evaluate: str) -> tuple[str, str]: ...

def fake_quantize(x: Annotated[NDArray[numpy.float32], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], scale: Annotated[NDArray[numpy.float32], dict(shape=(None,), order='C', device='cpu', writable=False)], zero_point: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)] | None, integers: tuple[int, int] | None, y: Annotated[NDArray[numpy.float32], dict(shape=(None, None, None), order='C', device='cpu')], threads: int) -> None:
    """
    Writes to y what x, [outer, channels, inner], stands for once it is quantized. integers: (lowest, highest), or None for ec.
    """

def fake_quantize_backward(y_gradient: Annotated[NDArray[numpy.float32], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], x: Annotated[NDArray[numpy.float32], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], scale: Annotated[NDArray[numpy.float32], dict(shape=(None,), order='C', device='cpu', writable=False)], zero_point: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)] | None, integers: tuple[int, int] | None, x_gradient: Annotated[NDArray[numpy.float32], dict(shape=(None, None, None), order='C', device='cpu')], threads: int) -> None:
    """Writes the straight-through gradient."""

def fake_quantize_learned_backward(y_gradient: Annotated[NDArray[numpy.float32], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], x: Annotated[NDArray[numpy.float32], dict(shape=(None, None, None), order='C', device='cpu', writable=False)], scale: Annotated[NDArray[numpy.float32], dict(shape=(None,), order='C', device='cpu', writable=False)], zero_point: Annotated[NDArray[numpy.int32], dict(shape=(None,), order='C', device='cpu', writable=False)] | None, integers: tuple[int, int] | None, factor: float, x_gradient: Annotated[NDArray[numpy.float32], dict(shape=(None, None, None), order='C', device='cpu')], scale_gradient: Annotated[NDArray[numpy.float32], dict(shape=(None,), order='C', device='cpu')], threads: int) -> None:
    """Writes the straight-through gradient, and that of scales times factor."""

def fake_quantize_at(x: int, outer: int, channels: int, inner: int, scale: int, zero_point: int, integers: tuple[int, int] | None, y: int, threads: int) -> None:
    """
    fake_quantize on addresses of dense memory; of int64 zero points, or 0.
    """

def fake_quantize_backward_at(y_gradient: int, x: int, outer: int, channels: int, inner: int, scale: int, zero_point: int, integers: tuple[int, int] | None, x_gradient: int, threads: int) -> None:
    """fake_quantize_backward, likewise."""

def fake_quantize_learned_backward_at(y_gradient: int, x: int, outer: int, channels: int, inner: int, scale: int, zero_point: int, integers: tuple[int, int] | None, factor: float, x_gradient: int, scale_gradient: int, threads: int) -> None:
    """fake_quantize_learned_backward, likewise."""
