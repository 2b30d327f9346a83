"""What is wrong with a layer's scale, and which one would be right."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch

from ..dtype import QuantDType, ec, qint8, to_dtype
from ..quantization._kernels import fake_quantize, fake_quantize_ec
from ..quantization._reports.tables import table
from ._compare import LayerPair
from ._infos import Info, as_csv, number

HEADINGS = (
    *("mod_name", "issue", "advice", "quant_dtype", "qscale", "base_model_min", "base_model_max"),
    *("SQNR", "analy_op_type"),
)

# A layer whose own quantization makes less noise than this is good enough (docs/debugging.md).
_GOOD_ENOUGH = 27.0
# A range so many times as wide as the numbers has two bits that say nothing.
_FAR_TOO_WIDE = 4.0


@dataclass
class Advice:
    """Of one layer. `sqnr` is of its numbers in the baseline, quantized with its scale, in dB."""

    pair: LayerPair
    sqnr: float
    issue: str
    advice: str

    @property
    def cells(self) -> list[Any]:
        """Of the table."""
        analysis, baseline = self.pair.analysis, self.pair.baseline
        return [
            analysis.name,
            self.issue,
            self.advice,
            analysis.grid.dtype,
            analysis.grid.cell,
            number(baseline.least),
            number(baseline.largest),
            number(self.sqnr),
            analysis.type_name,
        ]


def advise(pair: LayerPair, numbers: torch.Tensor) -> Advice | None:
    """What to do about a layer, from its float numbers in the baseline; None where all is well.

    The layer's own quantization is judged, not what its inputs bring along.
    """
    analysis = pair.analysis
    if _is_finite(pair.baseline) and not _is_finite(analysis):
        return Advice(pair, -math.inf, "its numbers are not finite", "Keep it in float")
    if len(analysis.grid.scale) != 1:
        return None
    quantized = _Quantized(numbers, pair)
    if not quantized.sqnr < _GOOD_ENOUGH:
        return None
    return Advice(pair, quantized.sqnr, *_said(quantized))


def _is_finite(info: Info) -> bool:
    return math.isfinite(info.least) and math.isfinite(info.largest)


def _said(quantized: "_Quantized") -> tuple[str, str]:
    fixed = f"Set fixed scale {quantized.scale_without_clipping:.9g}"
    if quantized.clipping > quantized.rounding:
        return f"{quantized.clipped_share:.2%} of its numbers are clipped", fixed
    width = quantized.scale / quantized.scale_without_clipping
    if width > _FAR_TOO_WIDE:
        return f"its range is {width:.1f} times as wide as its numbers", fixed
    if quantized.dtype.max <= qint8.max:
        return "its steps are too coarse for its numbers", "Use qint16"
    return "its steps are too coarse for its numbers", "Keep it in float"


class _Quantized:
    """Numbers rounded and clipped as a layer's output is, and the energy of both errors."""

    def __init__(self, numbers: torch.Tensor, pair: LayerPair):
        grid = pair.analysis.grid
        self.dtype: QuantDType = to_dtype(grid.dtype)
        self.scale, zero = grid.scale[0], grid.zero_point[0]
        digits = 254 if self.dtype == ec else 1
        self._bounds = (self.dtype.min - zero) / digits, (self.dtype.max - zero) / digits
        x = numbers.float()
        low, high = (bound * self.scale for bound in self._bounds)
        cut = x.double().clamp(low, high)
        self.clipping = float(((x - cut) ** 2).sum())
        self.clipped_share = float((x != cut).double().mean())
        self.rounding = float(((_rounded(x, grid, self.dtype) - cut) ** 2).sum())
        signal, noise = float((x.double() ** 2).sum()), self.clipping + self.rounding
        self.sqnr = 10 * math.log10(signal / noise) if signal > 0 and noise > 0 else math.inf
        self._least, self._largest = float(x.min()), float(x.max())

    @property
    def scale_without_clipping(self) -> float:
        """The smallest one whose range holds all numbers."""
        low, high = self._bounds
        needed = [n / bound for n, bound in ((self._least, low), (self._largest, high)) if bound]
        return max(needed)


def _rounded(x: torch.Tensor, grid: Any, dtype: QuantDType) -> torch.Tensor:
    scale = torch.tensor(grid.scale)
    if dtype == ec:
        return fake_quantize_ec(x, scale)
    return fake_quantize(x, scale, torch.tensor(grid.zero_point), dtype.min, dtype.max)


def advice_text(advices: Iterable[Advice]) -> str:
    """abnormal_layer_advisor.txt, the worst first."""
    rows = [advice.cells for advice in advices]
    if not rows:
        return "No layer's own quantization makes noise that matters.\n"
    return table(HEADINGS, rows)


def advice_csv(advices: Iterable[Advice]) -> str:
    """abnormal_layer_advisor.csv."""
    return as_csv(HEADINGS, [advice.cells for advice in advices])
