"""featuremap_similarity: two models layer by layer, and each layer with the other's inputs."""

import math
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from .._twofold import Error
from ..nn._operator import Operator
from ..qtensor import QTensor, plain, wrap
from ..quantization._record.tree import map_tensors
from ..quantization._reports.tables import table
from ..quantization._reports.write import write_whole
from ._calls import call, in_steps
from ._compare import LayerPair, pairs_of
from ._infos import InfoManager, number
from ._metrics import METRICS, Metric, chosen_metric
from ._model_profiler import ModelProfiler
from ._page import card, heading, html_table, page
from ._plot import line_plot
from ._select import Selection
from ._states import analysed, check_still, is_prepared

__all__ = ["featuremap_similarity"]

HEADINGS = (
    *("Index", "Module Name", "Module Type", "Similarity", "qscale", "Acc Error (float atol)"),
    *("Acc Error (N out_qscale)", "Op Error with Same Input (N out_qscale)"),
)


@dataclass
class Similarity:
    """A layer: how like its outputs are, and its own part of the difference."""

    pair: LayerPair
    similarity: float
    own_error: float  # the largest difference, both computed from the first model's inputs

    @property
    def own_steps(self) -> float | None:
        """The same in steps of its scale."""
        scale = self.pair.analysis.grid.scale
        return self.own_error / min(scale) if scale else None

    def cells(self, index: int) -> list[Any]:
        """Of the table."""
        analysis, steps, own = self.pair.analysis, self.pair.steps, self.own_steps
        return [
            index,
            analysis.name,
            analysis.type_name,
            number(self.similarity),
            analysis.grid.cell,
            number(self.pair.metrics["ATOL"]),
            "" if steps is None else number(steps),
            "" if own is None else number(own),
        ]


def featuremap_similarity(
    model1: nn.Module,
    model2: nn.Module,
    inputs: Any,
    similarity_func: str | Callable[..., float] = "Cosine",
    threshold: float | None = None,
    devices: Any = None,
    out_dir: str | os.PathLike[str] | None = None,
) -> list[list[Any]]:
    """How like the outputs of every layer of two models are, on the same inputs.

    `model1` is the float model, or a prepared one; `model2` a prepared one, in VALIDATION say.
    `similarity_func` is a metric of QuantAnalysis, or a function of two tensors, of which less is
    worse; results worse than `threshold` are marked in the page. "Acc Error" is the largest
    difference, in numbers and in steps of the layer's scale. "Op Error with Same Input" is that of
    the layer alone: it computes from `model1`'s numbers. Writes similarity.txt, in the order in
    which layers run, ordered_op_error_similarity.txt, the layer that is worst by itself first, and
    similarity.html; returns the rows of the first. `devices` is ignored.
    """
    if not is_prepared(model2):
        raise Error("model2 is a float model: give the one that twofold.quantization.prepare made")
    metric = chosen_metric(similarity_func, order="ascending")
    found = _similarities(model1, model2, inputs, metric)
    rows = [one.cells(index) for index, one in enumerate(found)]
    there = Path(out_dir or ".")
    write_whole(there / "similarity.txt", table(HEADINGS, rows))
    ordered = sorted(zip(found, rows, strict=True), key=lambda each: -(each[0].own_steps or 0))
    text = table(HEADINGS, [row for _, row in ordered])
    write_whole(there / "ordered_op_error_similarity.txt", text)
    write_whole(there / "similarity.html", _page(found, rows, metric, threshold))
    return rows


def _similarities(
    model1: nn.Module, model2: nn.Module, inputs: Any, metric: Metric
) -> list[Similarity]:
    first = in_steps(model1)
    check_still(first, "model1")
    check_still(model2, "model2")
    with tempfile.TemporaryDirectory() as folder, analysed(first, model2):
        for name, model in (("first", first), ("second", model2)):
            with ModelProfiler(model, Path(folder) / name):
                call(model, inputs)
        baseline, analysis = (InfoManager.load(Path(folder) / name) for name in ("first", "second"))
        found, numbers = [], {}
        for pair, a, b in pairs_of(baseline, analysis, Selection()):
            found.append(Similarity(pair, metric(a, b), 0.0))
            numbers[pair.analysis.layer, pair.analysis.call, pair.analysis.attr] = a
        own = _own_errors(model2, inputs, numbers)
    for one in found:
        analysis = one.pair.analysis
        one.own_error = own.get((analysis.layer, analysis.call, analysis.attr), 0.0)
    return found


def _own_errors(model: nn.Module, inputs: Any, numbers: dict[tuple, torch.Tensor]) -> dict:
    """Every layer's largest error where all before it hand on the other model's numbers."""
    errors: dict[tuple, float] = {}
    calls: dict[str, int] = {}
    names = {module: name for name, module in model.named_modules()}

    def replace(module: nn.Module, _args: Any, result: Any) -> Any:
        name = names[module]
        calls[name] = calls.get(name, -1) + 1
        position = iter(range(1000))

        def right(tensor: torch.Tensor) -> torch.Tensor:
            n = next(position)
            key = (name, calls[name], f"output-{n}" if n else "output")
            other = numbers.get(key)
            if other is None:
                return tensor
            other, is_followed = other.to(tensor.device), isinstance(tensor, QTensor)
            errors[key] = METRICS["ATOL"](plain(tensor), other)
            return wrap(other) if is_followed else other

        return map_tensors(right, result)

    with _hooked(model, replace):
        call(model, inputs)
    return errors


@contextmanager
def _hooked(model: nn.Module, hook: Callable[..., Any]) -> Iterator[None]:
    handles = [
        module.register_forward_hook(hook)
        for module in model.modules()
        if isinstance(module, Operator)
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _page(
    found: list[Similarity], rows: list[list[Any]], metric: Metric, threshold: float | None
) -> str:
    labels = [one.pair.analysis.name for one in found]
    own, all_of_it = (
        [math.nan if steps is None else steps for steps in values]
        for values in ([one.own_steps for one in found], [one.pair.steps for one in found])
    )
    bad = []
    if threshold is not None:
        limit = metric.badness(threshold)
        bad = [i for i, one in enumerate(found) if metric.badness(one.similarity) > limit]
    curves = {metric.name: [one.similarity for one in found]}
    steps = {"Acc Error": all_of_it, "Op Error with Same Input": own}
    return page(
        "Feature maps",
        "Similarity of two models",
        [
            heading("Similarity", "Layers in the order in which they run."),
            card(line_plot(metric.name, labels, curves)),
            card(line_plot("Largest difference, in steps of the layer's scale", labels, steps)),
            heading("All layers"),
            html_table(HEADINGS, rows, bad),
        ],
    )
