"""QuantAnalysis: where a quantized model differs from the float one, and why."""

import itertools
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import torch
from torch import nn

from .._twofold import Error
from ..quantization._reports.tables import table
from ..quantization._reports.write import write_whole
from ._advisor import advice_csv, advice_text, advise
from ._attributes import put_back, snapshot, unchanged
from ._calls import call, device_of, in_steps
from ._cases import BadCases, Case
from ._compare import HEADINGS, csv_of, pairs_of
from ._infos import DATA, InfoManager, as_torch
from ._metrics import Metric, chosen_metric
from ._model_profiler import ModelProfiler
from ._outputs import as_file_name, check_same, named_outputs
from ._progress import watched
from ._reports import bad_case_page, compare_page
from ._select import Selection
from ._sensitivity import measure, say_others, sensitivity_rows, sensitivity_text, units_of
from ._states import analysed, check_still, is_prepared

__all__ = ["QuantAnalysis"]

_BASELINE, _ANALYSIS = "baseline_model", "analysis_model"


class QuantAnalysis:
    """Compares a quantized model with its baseline: which sample, which layers, and what to do.

    `baseline_model` is the float model that `prepare` was given, or another prepared one;
    `analysis_model` a prepared one in the state to be looked at, that is VALIDATION.
    `analysis_model_type` is "fake_quant". `post_process(output)` gives what outputs are compared
    by. Files are written to `out_dir`, by default ./horizon_quant_analysis. Models run in eval
    mode; modes and states are put back.

    Layers are named as in `analysis_model.named_modules()`. A float baseline runs as `prepare` sees
    it, and its functional calls have the same names; what the analysis model computes along with a
    layer (BatchNorm, ReLU) is followed in the baseline, too.
    """

    def __init__(
        self,
        baseline_model: nn.Module,
        analysis_model: nn.Module,
        analysis_model_type: str,
        device_ids: Any = None,
        post_process: Callable[[Any], Any] | None = None,
        out_dir: str | os.PathLike[str] | None = None,
    ):
        """Raises twofold.Error for another type of analysis, and for a float analysis model.

        `device_ids`: models run where they are, so that others than these raise ValueError.
        """
        _check_type(analysis_model_type)
        if not is_prepared(analysis_model):
            raise Error(
                "analysis_model is a float model: give the one that twofold.quantization.prepare "
                "returned, calibrated and in FakeQuantState.VALIDATION"
            )
        if baseline_model is analysis_model:
            raise ValueError("baseline_model and analysis_model are the same object")
        self._baseline_model, self._analysis_model = baseline_model, analysis_model
        _check_devices(device_ids, baseline_model, analysis_model)
        self._post_process = post_process
        self._out_dir = Path(out_dir or "./horizon_quant_analysis")
        self._dirs = self._out_dir / _BASELINE, self._out_dir / _ANALYSIS
        self._bad = BadCases()
        self._metric: Metric | None = None

    def auto_find_bad_case(
        self,
        data_generator: Iterable[Any],
        num_steps: int | None = None,
        metric: str = "L1",
        device: Any = None,
        custom_metric_func: Callable[..., float] | None = None,
        custom_metric_order_seq: str | None = None,
        cached_attrs: Iterable[str] | None = None,
        topk: int = 1,
    ) -> None:
        """Find the `topk` samples on which each output differs most.

        `data_generator` gives the arguments of a call, as example_inputs of `prepare`; `num_steps`
        of them are looked at, or all. `metric` is Cosine, MSE, L1, KL, SQNR, ATOL or RTOL, as
        docs/numerics.md, rule 9, has them (L1 is its mae, ATOL its chebyshev, KL is of softmaxes);
        or `custom_metric_func(baseline's output, analysis model's output)`, with
        `custom_metric_order_seq` how its numbers go from the worst to the best, "ascending" or
        "descending". `cached_attrs` are attributes that models keep from sample to sample, which
        are part of a bad case. Writes badcase.txt, all_badcase_info.pt and badcase_report.html.
        """
        _check_devices(device, self._baseline_model, self._analysis_model)
        if isinstance(topk, bool) or not isinstance(topk, int) or topk < 1:
            raise ValueError(f"topk is {topk!r}; it is a number of samples, at least 1")
        chosen = chosen_metric(metric, custom_metric_func, custom_metric_order_seq)
        bad = BadCases(chosen.name)
        attributes = [*(cached_attrs or ())]
        with self._models(attributes) as (baseline, analysis):
            total = _length(data_generator, num_steps)
            samples = itertools.islice(data_generator, num_steps)
            for index, inputs in enumerate(watched(samples, "bad case", total)):
                kept = [snapshot(model, attributes) for model in (baseline, analysis)]
                reference = self._outputs(baseline, inputs)
                other = self._outputs(analysis, inputs)
                check_same(reference, other)
                values = {
                    name: chosen.of_output(name, reference[name], other[name]) for name in reference
                }
                bad.see(index, Case(inputs, *kept), values, chosen, topk)
        if not bad.cases:
            raise Error("data_generator gave no sample; give a list, a DataLoader or a generator")
        self._bad, self._metric = bad, chosen
        write_whole(self._out_dir / "badcase.txt", bad.text())
        write_whole(self._out_dir / "badcase_report.html", bad_case_page(bad))
        self.save_bad_case()

    def set_bad_case(self, data: Any) -> None:
        """The inputs of one call are the bad case, for all outputs."""
        self._bad, self._metric = BadCases(cases={0: Case(data)}), None

    def save_bad_case(self) -> None:
        """Write all_badcase_info.pt."""
        self._bad.one(None, None)
        self._bad.save(self._out_dir / "all_badcase_info.pt")

    def load_bad_case(self, filename: str | os.PathLike[str] | None = None) -> None:
        """What `save_bad_case` wrote; by default all_badcase_info.pt in out_dir."""
        self._bad = BadCases.load(Path(filename or self._out_dir / "all_badcase_info.pt"))
        if self._bad.metric and (self._metric is None or self._metric.name != self._bad.metric):
            is_own = self._bad.metric == "custom"
            self._metric = None if is_own else chosen_metric(self._bad.metric)

    def set_model_profiler_dir(
        self, baseline_dir: str | os.PathLike[str], analysis_dir: str | os.PathLike[str]
    ) -> None:
        """Compare what `run` or ModelProfiler wrote to these folders before."""
        self._dirs = Path(baseline_dir), Path(analysis_dir)

    def run(
        self,
        run_baseline_model: bool = True,
        run_analysis_model: bool = True,
        device: Any = None,
        index: int | None = None,
    ) -> None:
        """Run the models on the bad case, and keep what their layers compute.

        The case is that of the output that is worst, or sample `index`. Writes baseline_model/ and
        analysis_model/, each as ModelProfiler does. `device` is ignored.
        """
        case = self._bad.cases[self._bad.one(index, self._metric)]
        dirs = self._out_dir / _BASELINE, self._out_dir / _ANALYSIS
        with self._models(case.analysis) as models:
            for model, wanted, folder, attributes in zip(
                models,
                (run_baseline_model, run_analysis_model),
                dirs,
                (case.baseline, case.analysis),
                strict=True,
            ):
                if not wanted:
                    continue
                put_back(model, attributes)
                with ModelProfiler(model, folder):
                    call(model, case.inputs)
        self._dirs = dirs

    def compare_per_layer(self, prefixes: Any = None, types: Any = None) -> list[dict[str, Any]]:
        """Compare what `run` kept, layer by layer, and look for scales that are wrong.

        `prefixes` are beginnings of names, `types` classes or functions. Writes
        compare_per_layer_out.txt, .csv, profiler.html, abnormal_layer_advisor.txt and .csv. Returns
        the rows of the table.
        """
        baseline, analysis = (InfoManager.load(folder) for folder in self._dirs)
        pairs, advices = [], []
        for pair, numbers, _ in pairs_of(baseline, analysis, Selection(prefixes, types)):
            pairs.append(pair)
            advice = advise(pair, numbers)
            if advice is not None:
                advices.append(advice)
        advices.sort(key=lambda advice: advice.sqnr)
        there = self._out_dir
        rows = [pair.cells for pair in pairs]
        write_whole(there / "compare_per_layer_out.txt", table(HEADINGS, rows))
        write_whole(there / "compare_per_layer_out.csv", csv_of(pairs))
        write_whole(there / "abnormal_layer_advisor.txt", advice_text(advices))
        write_whole(there / "abnormal_layer_advisor.csv", advice_csv(advices))
        write_whole(there / "profiler.html", compare_page(pairs, advices))
        return [dict(zip(HEADINGS, row, strict=True)) for row in rows]

    def sensitivity(
        self,
        device: Any = None,
        metric: str = "L1",
        reverse: bool = False,
        prefixes: Any = (),
        types: Any = (),
        output_names: Iterable[str] | None = None,
        use_sensitivity_v2: Any = None,
        custom_metric_func: Callable[..., float] | None = None,
        custom_metric_order_seq: str | None = None,
    ) -> dict[str, list[list[Any]]]:
        """What each output loses by one layer's weight, or activation, that is quantized alone.

        The model is the analysis model, and float but for that; so it is what `twofold debug` calls
        the sensitivity of weights and activations. An activation is a layer's output, for all its
        readers. Of several bad cases it is the mean. Rows are [op_name, sensitive_type, op_type,
        metric, quant_dtype, flops], the worst first, with `reverse` last. Writes
        output_<name>_<metric>_sensitive_ops.txt and .pt for every output, or for `output_names`,
        and returns {name: rows}. Custom metrics are those of `auto_find_bad_case`, whose own is
        "custom" here. `device` and `use_sensitivity_v2` are ignored.
        """
        chosen = self._sensitivity_metric(metric, custom_metric_func, custom_metric_order_seq)
        self._bad.one(None, self._metric)
        selection = Selection(prefixes, types)
        model = self._analysis_model
        check_still(model, _ANALYSIS)
        attributes = {name for case in self._bad.cases.values() for name in case.analysis}
        with analysed(model), unchanged(attributes, model):
            cases = {
                number: partial(self._on_case, model, case)
                for number, case in self._bad.cases.items()
            }
            units = units_of(model, next(iter(cases.values())))
            names = _asked(output_names, next(iter(cases.values()))())
            wanted = self._bad.wanted(names)
            chosen_units = measure(units, cases, wanted, chosen, selection)
        tables = {
            name: sensitivity_rows(chosen_units, name, chosen, units.flops, reverse)
            for name in names
        }
        for name, rows in tables.items():
            stem = f"output_{as_file_name(name)}_{chosen.name}_sensitive_ops"
            write_whole(self._out_dir / f"{stem}.txt", sensitivity_text(rows, chosen))
            write_whole(self._out_dir / f"{stem}.pt", as_torch(rows))
            say_others(units.others, name, chosen)
        return tables

    def clean(self) -> None:
        """Remove the tensors that `run` kept; reports, tables and bad cases stay."""
        for folder in (_BASELINE, _ANALYSIS):
            shutil.rmtree(self._out_dir / folder / DATA, ignore_errors=True)

    def tune_bad_case(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Not built, raises twofold.Error."""
        raise Error(
            "tune_bad_case is not built: sensitivity() says which layers matter, and "
            "SensitivityTemplate or the sensitive_op_* setters take its tables"
        )

    def plot_opinfo(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Not built, raises twofold.Error."""
        raise Error(
            "plot_opinfo is not built: compare_per_layer() draws profiler.html, and the tensors "
            "are in baseline_model/op_infos and analysis_model/op_infos, for torch.load"
        )

    plot_opinfo_bar3d = plot_opinfo

    @contextmanager
    def _models(self, attributes: Iterable[str]) -> Iterator[tuple[nn.Module, nn.Module]]:
        """Both, ready to run: the baseline in steps, and their states put back afterwards."""
        baseline, analysis = in_steps(self._baseline_model), self._analysis_model
        check_still(baseline, _BASELINE)
        check_still(analysis, _ANALYSIS)
        with analysed(baseline, analysis), unchanged(attributes, baseline, analysis):
            yield baseline, analysis

    def _outputs(self, model: nn.Module, inputs: Any) -> dict[str, torch.Tensor]:
        output = call(model, inputs)
        return named_outputs(output if self._post_process is None else self._post_process(output))

    def _on_case(self, model: nn.Module, case: Case) -> dict[str, torch.Tensor]:
        put_back(model, case.analysis)
        return self._outputs(model, case.inputs)

    def _sensitivity_metric(self, metric: Any, function: Any, order: str | None) -> Metric:
        is_known = self._metric is not None and self._metric.is_own
        if function is None and str(metric).lower() == "custom" and is_known:
            return self._metric
        return chosen_metric(metric, function, order)


def _check_type(kind: str) -> None:
    if kind == "fake_quant":
        return
    if kind in ("quantized", "pre_export", "export", "convert"):
        raise Error(
            f'analysis_model_type "{kind}" is about the vendor\'s model; here a prepared model in '
            'FakeQuantState.VALIDATION computes what is exported: give it, with type "fake_quant"'
        )
    raise ValueError(f'analysis_model_type is {kind!r}; it is "fake_quant"')


def _check_devices(device_ids: Any, *models: nn.Module) -> None:
    """Raise ValueError where models are elsewhere."""
    if device_ids is None:
        return
    ids = device_ids if isinstance(device_ids, list | tuple) else [device_ids]
    asked = {torch.device("cuda", d) if isinstance(d, int) else torch.device(d) for d in ids}
    there = {device_of(model) for model in models}
    if not there <= asked:
        raise ValueError(
            f"device_ids is {device_ids!r}, but the models are on "
            f"{', '.join(sorted(map(str, there)))}: move them with .to(...), and leave it out"
        )


def _length(data: Any, num_steps: int | None) -> int | None:
    """How many samples there are, where that is known."""
    try:
        length = len(data)
    except TypeError:
        return num_steps
    return length if num_steps is None else min(length, num_steps)


def _asked(names: Iterable[str] | None, outputs: dict[str, torch.Tensor]) -> list[str]:
    """The outputs to look at. Raises ValueError for names that there are none of."""
    if names is None:
        return [*outputs]
    names = [names] if isinstance(names, str) else [*names]
    unknown = [name for name in names if name not in outputs]
    if unknown or not names:
        raise ValueError(
            f"output_names: there is no {', '.join(map(repr, unknown)) or 'name in it'}; the "
            f"outputs are {', '.join(map(repr, outputs))}"
        )
    return names
