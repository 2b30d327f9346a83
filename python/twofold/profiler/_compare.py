"""Two profiled runs side by side, layer by layer."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch

from ._infos import Info, InfoManager, as_csv, number
from ._metrics import METRICS
from ._progress import watched
from ._select import Selection

_log = logging.getLogger("twofold.profiler")

_METRIC_COLUMNS = {"Cosine": "Cosine", "MSE": "MSE", "L1": "L1", "KL": "KL", "SQNR": "SQNR"}
_METRIC_COLUMNS |= {"ATOL": "Atol", "RTOL": "Rtol"}
_SIDES = {"min": "least", "max": "largest", "mean": "mean", "var": "variance"}
HEADINGS = (
    *("mod_name", "base_op_type", "analy_op_type", "shape", "quant_dtype", "qscale"),
    *_METRIC_COLUMNS.values(),
    *(f"{side}_model_{what}" for what in _SIDES for side in ("base", "analy")),
    *("max_atol_diff", "max_qscale_diff"),
)


@dataclass
class Chain:
    """The layers of the baseline that one of the analysis model computes; the last one's result."""

    infos: list[Info]

    @property
    def last(self) -> Info:
        return self.infos[-1]

    @property
    def type_name(self) -> str:
        first, *fused = self.infos
        return " + ".join([first.type_name, *(info.op_name for info in fused)])


@dataclass
class LayerPair:
    """A layer's output in both models, and its metrics by name."""

    analysis: Info
    chain: Chain
    metrics: dict[str, float]

    @property
    def baseline(self) -> Info:
        return self.chain.last

    @property
    def steps(self) -> float | None:
        """The largest difference, in steps of the smallest scale."""
        scale = self.analysis.grid.scale
        return self.metrics["ATOL"] / min(scale) if scale else None

    @property
    def cells(self) -> list[Any]:
        """Of the table."""
        steps = self.steps
        return [
            self.analysis.name,
            self.chain.type_name,
            self.analysis.type_name,
            self.analysis.shape,
            self.analysis.grid.dtype,
            self.analysis.grid.cell,
            *(number(self.metrics[name]) for name in _METRIC_COLUMNS),
            *(
                number(getattr(info, what))
                for what in _SIDES.values()
                for info in (self.baseline, self.analysis)
            ),
            number(self.metrics["ATOL"]),
            "" if steps is None else number(steps),
        ]


def pairs_of(
    baseline: InfoManager, analysis: InfoManager, selection: Selection
) -> Iterator[tuple[LayerPair, torch.Tensor, torch.Tensor]]:
    """Every layer that both have, with its numbers in the baseline and in the analysis model.

    Names and numbers of calls have to agree. What the analysis model has fused stands under the
    name of the layer that computes it. Layers that the baseline has not, or in other shapes, are
    warned of.
    """
    known = {(info.layer, info.call, info.attr): info for info in baseline.outputs()}
    infos = [info for info in analysis.outputs() if selection.takes(info.name, info.op_name)]
    selection.check(info.name for info in analysis.outputs())
    missing = []
    for info in watched(infos, "compare", len(infos)):
        first = _counterpart(info, known)
        chain = None if first is None else _chain(first, known, analysis.handed_on)
        if chain is None or chain.last.shape != info.shape:
            missing.append(info.name)
            continue
        a, b = baseline.data(chain.last), analysis.data(info)
        if not a.is_floating_point() or not b.is_floating_point():
            continue
        yield LayerPair(info, chain, {name: of(a, b) for name, of in METRICS.items()}), a, b
    if missing:
        _log.warning(
            "%d layers of the analysis model have no counterpart of the same shape in the "
            "baseline, and are left out: %s",
            len(missing),
            ", ".join(missing),
        )


def _counterpart(info: Info, known: dict[tuple, Info]) -> Info | None:
    """The float model's layer of that name; PrepareMethod.EAGER has other ones for functions."""
    scope, dot, last = info.layer.rpartition(".")
    name = f"{scope}{dot}{last.replace('_float_', '_generated_', 1)}"
    found = known.get((name, info.call, info.attr))
    if found is not None:
        return found
    inside = f"{info.layer}._generated_"  # of a FloatFunctional
    calls = [
        other
        for (layer, call, attr), other in known.items()
        if layer.startswith(inside) and (call, attr) == (info.call, info.attr)
    ]
    return calls[-1] if calls else None


def _chain(first: Info, known: dict[tuple, Info], handed_on: set[str]) -> Chain:
    """On through what only hands on in the analysis model."""
    infos = [first]
    while infos[-1].reader is not None and infos[-1].reader[0] in handed_on:
        behind = known.get((*infos[-1].reader, "output"))
        if behind is None:
            break
        infos.append(behind)
    return Chain(infos)


def csv_of(pairs: list[LayerPair]) -> str:
    """compare_per_layer_out.csv."""
    return as_csv(HEADINGS, [pair.cells for pair in pairs])
