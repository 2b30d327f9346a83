"""model_profiler: all that can be said of two models, on one page."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from .._twofold import Error
from ..quantization._reports.write import write_whole
from ._counts import check_unfused_operations, get_module_called_count
from ._features import get_raw_features, profile_featuremap
from ._page import heading, html_table, page, preformatted
from ._qconfigs import check_qconfig
from ._similarity import HEADINGS, featuremap_similarity
from ._states import is_prepared
from ._weights import compare_weights

__all__ = ["model_profiler"]


def model_profiler(
    model1: nn.Module,
    model2: nn.Module,
    example_inputs: Any,
    mode: str,
    out_dir: str | os.PathLike[str] | None = None,
    kwargs_dict: Mapping[str, Mapping[str, Any]] | None = None,
) -> None:
    """Compare two models by all functions of this module, and write profiler.html.

    `mode`: "FvsQ", a float and a prepared model, or "CvsQ", two prepared ones. The folder, by
    default ./horizon_quant_debug, has the files of the functions, too; `kwargs_dict` has more
    arguments of them by their names. Models are in the state to be looked at, as in QuantAnalysis.
    """
    _check_mode(mode, model1)
    there, more = Path(out_dir or "./horizon_quant_debug"), dict(kwargs_dict or {})
    known = {f.__name__ for f in _FUNCTIONS}
    if not more.keys() <= known:
        raise ValueError(f"kwargs_dict: there are {', '.join(sorted(known))}, not {sorted(more)}")

    def of(function: Any, *args: Any, **named: Any) -> Any:
        return function(*args, **{**named, **more.get(function.__name__, {})})

    similar = of(featuremap_similarity, model1, model2, example_inputs, out_dir=there)
    features = of(get_raw_features, model2, example_inputs)
    weights = of(compare_weights, model1, model2, out_dir=there) if mode == "FvsQ" else []
    quiet = {"print_tabulate": False}
    counts = of(get_module_called_count, model2, example_inputs, **quiet)
    unfused = of(check_unfused_operations, model2, example_inputs, **quiet)
    parts = [
        heading("Similarity"),
        html_table(HEADINGS, similar),
        heading("Weights"),
        html_table(("Weight Name", "Similarity", "Atol"), weights),
        heading("Called times", "Modules that do not run exactly once."),
        html_table(("name", "called times"), [row for row in counts.items() if row[1] != 1]),
        heading("What could be fused and is not"),
        html_table(("Module Name", "Module Type"), unfused),
        heading("Qconfigs"),
        preformatted(of(check_qconfig, model2, example_inputs, out_dir=there)),
        heading("Statistics"),
        preformatted(of(profile_featuremap, features, out_dir=there)),
    ]
    write_whole(there / "profiler.html", page(f"Profile, {mode}", "Two models", parts))


_FUNCTIONS = (
    featuremap_similarity,
    get_raw_features,
    profile_featuremap,
    compare_weights,
    get_module_called_count,
    check_unfused_operations,
    check_qconfig,
)


def _check_mode(mode: str, model1: nn.Module) -> None:
    if mode == "QvsQ":
        raise Error(
            'mode "QvsQ" is about the vendor\'s fixed-point model; here a prepared model in '
            'FakeQuantState.VALIDATION computes what is exported: compare it with mode "FvsQ"'
        )
    if mode not in ("FvsQ", "CvsQ"):
        raise ValueError(f'mode is {mode!r}; it is "FvsQ" or "CvsQ"')
    if is_prepared(model1) != (mode == "CvsQ"):
        kind = "a prepared" if mode == "CvsQ" else "a float"
        raise ValueError(f'mode "{mode}" takes {kind} model as model1')
