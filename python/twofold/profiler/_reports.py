"""The pages of QuantAnalysis."""

import math
from collections.abc import Sequence

from ._advisor import HEADINGS as ADVICE_HEADINGS
from ._advisor import Advice
from ._cases import BadCases
from ._compare import HEADINGS, LayerPair
from ._infos import number
from ._page import card, heading, html_table, page
from ._plot import line_plot

# Below these a layer stands out: docs/debugging.md has 27 dB as good enough.
_SQNR = 27.0


def compare_page(pairs: Sequence[LayerPair], advices: Sequence[Advice]) -> str:
    """profiler.html: how the error grows along the model, and where scales are wrong."""
    labels = [pair.analysis.name for pair in pairs]

    def curve(name: str) -> list[float]:
        return [pair.metrics[name] for pair in pairs]

    steps = [math.nan if pair.steps is None else pair.steps for pair in pairs]
    ranges = {
        f"{side} {what}": [getattr(getattr(pair, side), field) for pair in pairs]
        for side in ("baseline", "analysis")
        for what, field in (("min", "least"), ("max", "largest"))
    }
    bad = [i for i, pair in enumerate(pairs) if pair.metrics["SQNR"] < _SQNR]
    parts = [heading("Layers whose scale should be another")]
    parts.append(html_table(ADVICE_HEADINGS, [advice.cells for advice in advices]))
    parts.append(heading("Error along the model", "Layers in the order in which they run."))
    parts += [
        card(line_plot("Signal over noise, dB (SQNR)", labels, {"SQNR": curve("SQNR")})),
        card(line_plot("Cosine similarity", labels, {"Cosine": curve("Cosine")})),
        card(
            line_plot(
                "Mean and largest difference",
                labels,
                {"L1": curve("L1"), "Atol": curve("ATOL")},
                log=True,
            )
        ),
        card(line_plot("Largest difference in steps (max_qscale_diff)", labels, {"steps": steps})),
        card(line_plot("Ranges", labels, ranges)),
    ]
    note = f"Layers with less than {_SQNR:g} dB stand out." if bad else ""
    parts.append(heading("All layers", note))
    parts.append(html_table(HEADINGS, [pair.cells for pair in pairs], bad))
    return page("Layer by layer", "Baseline and quantized model", parts)


def bad_case_page(bad: BadCases) -> str:
    """badcase_report.html: the metric of every sample, and the worst ones."""
    count = max(map(len, bad.values.values()), default=0)
    parts = [heading("Worst samples", f"Of {count}, by {bad.metric}.")]
    rows = [
        [name, sample, number(bad.values[name][sample])]
        for name, samples in bad.worst.items()
        for sample in samples
    ]
    parts.append(html_table(("output", "sample", bad.metric), rows))
    parts.append(heading("All samples"))
    labels = [str(sample) for sample in range(count)]
    for name, values in bad.values.items():
        parts.append(card(line_plot(f"{bad.metric} of output {name}", labels, {name: values})))
    return page("Bad cases", f"{count} samples, {bad.metric}", parts)
