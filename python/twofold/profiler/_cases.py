"""The samples on which two models differ most."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from .._twofold import Error
from ..quantization._record.tree import map_tensors
from ..quantization._reports.tables import table
from ..quantization._reports.write import write_whole
from ._infos import as_torch, number
from ._metrics import Metric

# What torch.load takes back without being told to trust the file.
_STORABLE = (torch.Tensor, str, int, float, bool, type(None))


@dataclass
class Case:
    """A sample, and the models' cached attributes before they ran on it."""

    inputs: Any
    baseline: dict[str, Any] = field(default_factory=dict)
    analysis: dict[str, Any] = field(default_factory=dict)


@dataclass
class BadCases:
    """The worst samples of every output, by their numbers in the data.

    `values` are the metric of every sample. Of a sample that was only set, both are empty.
    """

    metric: str = ""
    values: dict[str, list[float]] = field(default_factory=dict)
    worst: dict[str, list[int]] = field(default_factory=dict)
    cases: dict[int, Case] = field(default_factory=dict)

    def see(
        self, index: int, case: Case, values: dict[str, float], metric: Metric, topk: int
    ) -> None:
        """Take a sample's metrics in; keep it if it is among the worst of an output."""
        for name, value in values.items():
            self.values.setdefault(name, []).append(value)
            ranked = [*self.worst.get(name, ()), index]
            every = self.values[name]
            ranked.sort(key=lambda i, every=every: metric.badness(every[i]), reverse=True)
            self.worst[name] = ranked[:topk]
        kept = {number for numbers in self.worst.values() for number in numbers}
        if index in kept:
            inputs = map_tensors(lambda tensor: tensor.detach().cpu().clone(), case.inputs)
            self.cases[index] = Case(inputs, case.baseline, case.analysis)
        self.cases = {number: self.cases[number] for number in self.cases if number in kept}

    def wanted(self, names: Iterable[str]) -> dict[str, list[int]]:
        """The cases of every output of these names."""
        return {name: self.worst.get(name) or [*self.cases] for name in names}

    def one(self, index: int | None, metric: Metric | None) -> int:
        """The number of a case: the asked one, or else the worst of the output that is worst.

        Raises twofold.Error where there is none.
        """
        if not self.cases:
            raise Error(
                "there is no bad case yet: call auto_find_bad_case(data), set_bad_case(inputs) or "
                "load_bad_case()"
            )
        if index is not None:
            if index not in self.cases:
                raise Error(
                    f"sample {index} is none of the bad cases, which are "
                    f"{', '.join(map(str, self.cases))}"
                )
            return index
        if not self.worst or metric is None:
            return next(iter(self.cases))
        first = {name: numbers[0] for name, numbers in self.worst.items()}
        name = max(first, key=lambda n: metric.badness(self.values[n][first[n]]))
        return first[name]

    def text(self) -> str:
        """badcase.txt: per output its worst samples, the worst first."""
        rows = [
            [name, sample, number(self.values[name][sample])]
            for name, samples in self.worst.items()
            for sample in samples
        ]
        count = max(map(len, self.values.values()), default=0)
        found = f"The worst of {count} samples by {self.metric}:\n"
        return found + table(["output", "sample", self.metric], rows)

    def save(self, path: Path) -> None:
        """Write all of it. Raises twofold.Error for inputs that torch.load would not take back."""
        cases = {number: vars(case) for number, case in self.cases.items()}
        if not _is_storable(cases):
            raise Error(
                "the bad cases hold objects of classes of their own, which torch.load does not "
                "read back; give inputs as tensors, numbers, strings, lists, tuples and dicts"
            )
        write_whole(path, as_torch({**vars(self), "cases": cases}))

    @classmethod
    def load(cls, path: Path) -> "BadCases":
        """Those that `save` wrote. Raises twofold.Error for any other file."""
        try:
            content = torch.load(path)
            cases = {number: Case(**case) for number, case in content.pop("cases").items()}
            return cls(**content, cases=cases)
        except FileNotFoundError:
            raise Error(f"{path}: there is no such file; save_bad_case() writes it") from None
        except OSError:
            raise
        except Exception as error:  # torch.load raises what it stumbles over
            raise Error(f"{path}: this is not what save_bad_case() writes") from error


def _is_storable(tree: Any) -> bool:
    if type(tree) in (list, tuple):
        return all(map(_is_storable, tree))
    if type(tree) is dict:
        return all(_is_storable(key) and _is_storable(value) for key, value in tree.items())
    return isinstance(tree, _STORABLE)
