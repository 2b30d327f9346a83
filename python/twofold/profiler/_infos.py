"""What a profiled run computed, in a folder: a table of statistics, and the tensors themselves."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from .._twofold import Error
from ..quantization._reports.tables import table
from ..quantization._reports.write import write_whole

COLUMNS = ("Index", "Op Name", "Mod Name", "Attr", "Dtype", "Scale", "Min", "Max", "Mean", "Var")
HEADINGS = (*COLUMNS, "Shape")
DATA = "op_infos"
_INDEX = "index.pt"


@dataclass
class Grid:
    """The integers that a tensor's numbers stand for. Scales are one, or one per channel."""

    dtype: str  # "torch.float32" where it has none
    scale: list[float] = field(default_factory=list)
    zero_point: list[int] = field(default_factory=list)
    ch_axis: int = -1

    @classmethod
    def of(cls, quantizer: Any) -> "Grid":
        """That of a fake quantizer, or of none."""
        if quantizer is None:
            return cls("torch.float32")
        if not quantizer.is_integer or not quantizer.is_calibrated:
            return cls(str(quantizer.dtype))
        scale, zero_point = quantizer.calculate_qparams()
        return cls(str(quantizer.dtype), scale.tolist(), zero_point.tolist(), quantizer.ch_axis)

    @property
    def cell(self) -> str:
        """The scale, or the range of many."""
        if len(self.scale) < 2:
            return "".join(map(number, self.scale))
        return f"{number(min(self.scale))} to {number(max(self.scale))} ({len(self.scale)})"


@dataclass
class Info:
    """One tensor of one call. `attr` is "output", "output-1" ..., or "weight"."""

    index: int
    layer: str  # the module's path
    call: int
    op_name: str
    type_name: str
    attr: str
    grid: Grid
    shape: list[int]
    least: float
    largest: float
    mean: float
    variance: float
    file: str = ""  # below op_infos, where the tensor was kept
    # The one that reads it, as it is: a path and the number of the call. None where there are more.
    reader: tuple[str, int] | None = None

    @property
    def name(self) -> str:
        """The path, with a number for calls after the first."""
        return f"{self.layer}({self.call})" if self.call else self.layer

    @property
    def cells(self) -> list[Any]:
        """Of the table."""
        statistics = (self.least, self.largest, self.mean, self.variance)
        return [
            self.index,
            self.op_name,
            self.name,
            self.attr,
            self.grid.dtype,
            self.grid.cell,
            *map(number, statistics),
            self.shape,
        ]


class InfoManager:
    """All tensors of a run, in the order in which they were computed.

    `handed_on` are the modules whose work another one does, and that only hand on: BatchNorm and
    ReLU behind a convolution, say.
    """

    def __init__(self, folder: Path, infos: Iterable[Info] = (), handed_on: Iterable[str] = ()):
        self.folder = folder
        self.infos = [*infos]
        self.handed_on = {*handed_on}

    def table(self) -> str:
        """statistic.txt: a row per tensor. Var is of all its numbers, divided by their count."""
        return table(HEADINGS, [info.cells for info in self.infos])

    def outputs(self) -> Iterator[Info]:
        """Without weights."""
        return (info for info in self.infos if info.attr != "weight")

    def data(self, info: Info) -> torch.Tensor:
        """The numbers. Raises twofold.Error where they are gone."""
        path = self.folder / DATA / info.file
        if not info.file or not path.exists():
            raise Error(f"{path}: the tensors of this run are gone; call run() again")
        return torch.load(path)

    def save(self) -> None:
        """Write statistic.txt, statistic.csv and what `load` needs."""
        write_whole(self.folder / "statistic.txt", self.table())
        rows = [info.cells for info in self.infos]
        write_whole(self.folder / "statistic.csv", as_csv(HEADINGS, rows))
        content = {
            "infos": [{**vars(info), "grid": vars(info.grid)} for info in self.infos],
            "handed_on": sorted(self.handed_on),
        }
        write_whole(self.folder / DATA / _INDEX, as_torch(content))

    @classmethod
    def load(cls, folder: Path) -> "InfoManager":
        """That of an earlier run. Raises twofold.Error where the folder has none."""
        path = folder / DATA / _INDEX
        if not path.exists():
            raise Error(
                f"{folder}: there are no tensors of a run; call run(), or name a folder that a "
                "ModelProfiler wrote and that clean() has not emptied"
            )
        content = torch.load(path)
        infos = [Info(**{**info, "grid": Grid(**info["grid"])}) for info in content["infos"]]
        return cls(folder, infos, content["handed_on"])


def number(value: float) -> str:
    """Of a table: six digits."""
    return f"{value:.6g}"


def as_csv(headings: Iterable[str], rows: Iterable[Iterable[Any]]) -> str:
    """A table as CSV."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(headings)
    writer.writerows(rows)
    return text.getvalue()


def as_torch(content: Any) -> bytes:
    """What torch.save writes."""
    buffer = io.BytesIO()
    torch.save(content, buffer)
    return buffer.getvalue()
