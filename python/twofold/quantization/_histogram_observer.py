"""The observer that keeps what it saw, so that scales can be made again in another way."""

from collections.abc import Mapping
from typing import Any

from torch import nn

from .. import _twofold
from .._twofold import Error
from ..dtype import QuantDType, to_dtype
from ._search_observers import SearchObserver

__all__ = ["HistogramObserver"]


class HistogramObserver(SearchObserver):
    """T is PTQ's, of everything that calibration saw: a histogram that all of it adds to.

    While calibrating, every number counts the same, whatever averaging_constant is. In training the
    histogram stays, and the scale moves towards that of each tensor alone. T is found by `mse`
    until `reset_scale` says otherwise. Per tensor.
    """

    def __init__(self, *common: Any, **named: Any):
        super().__init__(*common, **named)
        if self.ch_axis >= 0:
            raise ValueError(
                "HistogramObserver: it keeps one histogram; per channel, use MinMaxObserver or "
                "MSEObserver"
            )
        self.statistics = _twofold.TensorStatistics()
        self.method: dict[str, Any] = {"method": "mse"}

    def step(self) -> float:
        """All the way while calibrating: the histogram is the average."""
        return 1.0 if self.calibrating else super().step()

    def threshold(self, x: Any) -> Any:
        """Of all that was seen while calibrating, and else of this tensor."""
        return self.with_statistics(x, self._of_all if self.calibrating else self._of_one)

    def search(self, statistics: Any) -> float:
        """By the method that is set."""
        return statistics.threshold(precision=self.precision, **self.method)

    def _of_all(self, seen: list[Any]) -> list[float]:
        self.statistics.merge(seen[0])
        return self._of_one([self.statistics])

    def _of_one(self, seen: list[Any]) -> list[float]:
        return [self.search(seen[0])]

    @staticmethod
    def reset_scale(
        model: nn.Module,
        method: str = "mse",
        method_kwargs: Mapping[str, Any] | None = None,
        dtype: QuantDType | str | None = None,
        prefix: str | tuple[str, ...] | list[str] | None = None,
    ) -> list[str]:
        """Make the scales of a calibrated model again, from its histograms, by another method.

        `method` is "mse", or "percentile" with method_kwargs={"percentile": share of the numbers
        that is kept, 0.5 to 1}. Only fake quantizers of `dtype`, below the modules called
        `prefix`, where these are given; fixed scales and those of other observers stay. Observing
        goes on by the same method. Returns the names of the fake quantizers. Raises twofold.Error
        where the arguments fit nothing, or no histogram has seen anything.
        """
        asked = _as_options(method, method_kwargs)
        found = _observers(model, None if dtype is None else to_dtype(dtype), prefix)
        seen = {name: pair for name, pair in found.items() if pair[1].statistics.count > 0}
        if not seen:
            raise Error(
                "reset_scale: no HistogramObserver there has seen numbers; prepare with "
                "get_qconfig(observer=HistogramObserver), and run calibration data through the "
                "model in FakeQuantState.CALIBRATION"
            )
        for quantizer, observer in seen.values():
            observer.method = asked
            quantizer.set_threshold(observer.search(observer.statistics))
        return list(seen)


def _as_options(method: str, kwargs: Mapping[str, Any] | None) -> dict[str, Any]:
    kwargs = dict(kwargs or {})
    if method == "mse" and not kwargs:
        return {"method": method}
    if method != "percentile" or set(kwargs) != {"percentile"}:
        raise Error(
            "reset_scale takes method='percentile' with method_kwargs={'percentile': 0.9999}, or "
            f"method='mse' without, not method={method!r} with {kwargs}"
        )
    share = kwargs["percentile"]
    if not 0.5 <= share <= 1:
        raise Error(
            f"reset_scale: percentile is {share}; here it is the share of numbers that is kept, "
            "from 0.5 to 1, e.g. 0.9999"
        )
    return {"method": method, "percentile": float(share)}


def _observers(model: nn.Module, dtype: Any, prefix: Any) -> dict[str, tuple[Any, Any]]:
    """Fake quantizers with a HistogramObserver, and it, by name."""
    from .fake_quantize import FakeQuantize

    modules = dict(model.named_modules())
    prefixes = [""] if prefix is None else [prefix] if isinstance(prefix, str) else list(prefix)
    for name in prefixes:
        if name not in modules:
            raise Error(f"reset_scale: the model has no module {name!r}")
    found = {}
    for name, module in modules.items():
        if not isinstance(module, FakeQuantize):
            continue
        observer = module.activation_post_process
        is_below = any(p == "" or f"{name}.".startswith(f"{p}.") for p in prefixes)
        if isinstance(observer, HistogramObserver) and is_below and dtype in (None, module.dtype):
            found[name] = (module, observer)
    return found
