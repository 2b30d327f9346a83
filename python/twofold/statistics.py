"""Statistics: what calibration saw of a model's tensors."""

import os
from collections.abc import Callable
from typing import Any, Literal

from . import _twofold
from ._arguments import checks_arguments, optional_path
from ._job_data import Config, DataIs, job_data
from ._model import Model, as_file
from ._progress import Progress, progress_arguments
from .ptq import Data


class Statistics:
    """Ranges and histograms of all float32 tensors of one model, exact to merge.

    `quantize(model, config=..., statistics=[...])` takes them in place of calibration. They can be
    pickled, and passed between processes as bytes:

        parts = [None] * world_size
        torch.distributed.all_gather_object(parts, statistics.to_bytes())
        for part in parts: ...
    """

    def __init__(self, native: _twofold.Statistics):
        """Use `observe`, `load` or `from_bytes`."""
        self._native = native

    @classmethod
    @checks_arguments
    def observe(
        cls,
        model: Model,
        data: Data,
        config: Config = None,
        *,
        data_is: DataIs = "",
        threads: int = 0,
        cancelled: Callable[[], bool] | None = None,
        progress: Progress | Literal[False] | None = None,
    ) -> "Statistics":
        """Run the float model over the samples; all arguments are those of `quantize`.

        Of `config` input_parameters, march and output_nodes are used, as `quantize` does it.
        """
        with (
            as_file(model) as file,
            job_data(file, data, config, data_is) as (samples, arguments),
        ):
            return cls(
                _twofold.Statistics.observe(
                    file,
                    samples,
                    **arguments,
                    threads=threads,
                    cancelled=cancelled,
                    **progress_arguments(progress),
                )
            )

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> "Statistics":
        """Those in a file that `save` or `twofold quantize --save-statistics` wrote."""
        return cls(_twofold.Statistics.load(optional_path(path, "path")))

    @classmethod
    def from_bytes(cls, data: bytes) -> "Statistics":
        """Those that `to_bytes` gave."""
        return cls(_twofold.Statistics.from_bytes(data))

    def merge(self, other: "Statistics") -> None:
        """Add what others saw of the same model: as if one had seen all, in whatever order."""
        self._native.merge(other._native)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write them to a file, whole or not at all."""
        self._native.save(optional_path(path, "path"))

    def to_bytes(self) -> bytes:
        """What a file would hold."""
        return self._native.to_bytes()

    @property
    def tensors(self) -> list[dict[str, Any]]:
        """A row per tensor: elements, min, max, channels, and why it is refused, if it is."""
        return self._native.tensors()

    @property
    def num_samples(self) -> int:
        """How many samples were seen."""
        return self._native.num_samples

    @property
    def model_hash(self) -> str:
        """Of the simplified model, weights included."""
        return self._native.model_hash

    def __eq__(self, other: object) -> bool:
        """Whether both saw the same."""
        return isinstance(other, Statistics) and self.to_bytes() == other.to_bytes()

    __hash__ = None  # type: ignore[assignment]  # what is equal may change

    def __reduce__(self) -> tuple[Callable[[bytes], "Statistics"], tuple[bytes]]:
        """Pickle as bytes."""
        return Statistics.from_bytes, (self.to_bytes(),)
