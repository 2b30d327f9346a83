"""Observers that search the threshold in a histogram, as PTQ does, by the same C++ functions."""

from typing import Any

import torch

from .. import _twofold
from ..dtype import qint4
from ._observer import NOTHING, Observer
from ._ranks import merged_over_ranks, sum_over_ranks
from ._scales import rows, scale_of

__all__ = ["KLObserver", "MSEObserver", "MixObserver", "PercentileObserver", "SearchObserver"]

# |x| is counted in 4096 to 8192 bins of equal width.
_FEWEST_BINS = 4096
_PRECISIONS = {"qint8": "int8", "qint16": "int16", "ec": "ec"}


class SearchObserver(Observer):
    """Counts the numbers of a tensor, on the CPU, and searches T in the counts."""

    def __init__(self, *common: Any, **named: Any):
        super().__init__(*common, **named)
        if self.dtype == qint4:
            raise ValueError(
                f"{type(self).__name__}: qint4 is for weights, whose scales are exact; "
                "use MinMaxObserver"
            )

    @property
    def precision(self) -> str:
        """The dtype as the word of a config file."""
        return _PRECISIONS[str(self.dtype)]

    def search(self, statistics: Any) -> float:
        """T of what was seen (a `_twofold.TensorStatistics`)."""
        raise NotImplementedError

    def counted(self, numbers: torch.Tensor) -> torch.Tensor:
        """Which numbers of [C, n] count."""
        return numbers

    def threshold(self, x: torch.Tensor) -> torch.Tensor:
        """Of this tensor's numbers, of all processes."""
        return self.with_statistics(x, lambda seen: [self.search(one) for one in seen])

    def with_statistics(self, x: torch.Tensor, thresholds_of: Any) -> torch.Tensor:
        """`thresholds_of` the statistics of each channel, where numbers are there and finite."""
        largest = self.largest(x)
        if not bool((largest.isfinite() & (largest >= 0)).all()):
            return largest
        numbers = self.counted(rows(x.detach(), self.ch_axis)).cpu().float().contiguous().numpy()
        seen = [_twofold.TensorStatistics() for _ in numbers]
        for one, channel in zip(seen, numbers, strict=True):
            one.observe(channel)
        if self.is_shared:
            seen = merged_over_ranks(seen)
        return torch.tensor(thresholds_of(seen), dtype=torch.float32, device=x.device)


class MSEObserver(SearchObserver):
    """T has the smallest mean squared error of quantization: PTQ's method `mse`.

    `stride`: every stride-th number of a tensor counts.
    """

    def __init__(self, stride: int = 1, *common: Any, **named: Any):
        super().__init__(*common, **named)
        if not (isinstance(stride, int) and stride >= 1):
            raise ValueError(f"MSEObserver: stride is {stride!r}; it must be an integer from 1 on")
        self.stride = stride

    def counted(self, numbers: torch.Tensor) -> torch.Tensor:
        """Every stride-th of each channel."""
        return numbers[:, :: self.stride]

    def search(self, statistics: Any) -> float:
        """By method `mse`."""
        return statistics.threshold("mse", self.precision)

    def extra_repr(self) -> str:
        """The stride, and the averaging constant."""
        return f"stride={self.stride},{super().extra_repr()}"


class PercentileObserver(SearchObserver):
    """T leaves `percentile` percent of the magnitudes inside: PTQ's method `percentile`.

    `percentile` is from 50 to 100. `bins` is how many bins |x| has at least, at most 4096.
    """

    def __init__(self, percentile: float = 99.99, bins: int = 2048, *common: Any, **named: Any):
        super().__init__(*common, **named)
        if not 50 <= percentile <= 100:
            raise ValueError(
                f"PercentileObserver: percentile is {percentile}; it is in percent, from 50 to "
                "100, e.g. 99.99"
            )
        if not 1 <= bins <= _FEWEST_BINS:
            raise ValueError(
                f"PercentileObserver: bins is {bins}; magnitudes have {_FEWEST_BINS} bins or more "
                "here, so up to that many are there for sure"
            )
        self.percentile, self.bins = percentile, bins

    def search(self, statistics: Any) -> float:
        """By method `percentile`."""
        return statistics.threshold("percentile", self.precision, percentile=self.percentile / 100)

    def extra_repr(self) -> str:
        """The percentile, and the averaging constant."""
        return f"percentile={self.percentile},{super().extra_repr()}"


class KLObserver(SearchObserver):
    """T loses the least information, 16-bit types keep all: PTQ's method `kl`.

    `bins`: over the bulk of the numbers, at least 129. `update_interval`: the scale moves with the
    first tensor, and then with every update_interval-th, for all numbers seen since it moved.
    """

    def __init__(self, bins: int = 512, update_interval: int = 1, *common: Any, **named: Any):
        super().__init__(*common, **named)
        if not (isinstance(bins, int) and bins >= 129):
            raise ValueError(f"KLObserver: bins is {bins!r}; it must be an integer from 129 on")
        if not (isinstance(update_interval, int) and update_interval >= 1):
            raise ValueError(
                f"KLObserver: update_interval is {update_interval!r}; it must be an integer from "
                "1 on"
            )
        self.bins, self.update_interval = bins, update_interval
        self._since: list[Any] = []  # per channel, what was seen since the scale moved
        self._left = 1  # tensors until it moves

    def threshold(self, x: torch.Tensor) -> torch.Tensor:
        """Of all that was seen since the last one; NOTHING where it is not time yet."""
        return self.with_statistics(x, self._next)

    def search(self, statistics: Any) -> float:
        """By method `kl`."""
        return statistics.threshold("kl", self.precision, num_bin=self.bins)

    def _next(self, seen: list[Any]) -> list[float]:
        for one, before in zip(seen, self._since, strict=bool(self._since)):
            one.merge(before)
        self._left -= 1
        if self._left > 0:
            self._since = seen
            return [NOTHING] * len(seen)
        self._since, self._left = [], self.update_interval
        return [self.search(one) for one in seen]

    def extra_repr(self) -> str:
        """The bins, the interval, and the averaging constant."""
        return f"bins={self.bins},update_interval={self.update_interval},{super().extra_repr()}"


class MixObserver(SearchObserver):
    """Of the thresholds of max, percentile (99.99), kl and mse the one most like the float numbers.

    That is, with the highest cosine similarity to them; of equals the first. Per tensor.
    """

    _METHODS = ({"method": "max"}, {"method": "percentile", "percentile": 0.9999},
                {"method": "kl"}, {"method": "mse"})  # fmt: skip

    def __init__(self, *common: Any, **named: Any):
        super().__init__(*common, **named)
        if self.ch_axis >= 0:
            raise ValueError("MixObserver: it compares whole tensors; per channel, use MSEObserver")

    def threshold(self, x: torch.Tensor) -> torch.Tensor:
        """The best of the four."""
        return self.with_statistics(x, lambda seen: [self._best(x.detach().float(), seen[0])])

    def _best(self, x: torch.Tensor, seen: Any) -> float:
        candidates = [seen.threshold(precision=self.precision, **kind) for kind in self._METHODS]
        sums = torch.stack([self._products(x, threshold) for threshold in candidates])
        if self.is_shared:
            sums = sum_over_ranks(sums)
        similarity = sums[:, 0] / sums[:, 1].sqrt().clamp(min=torch.finfo(torch.float64).tiny)
        return candidates[int(similarity.argmax())]

    def _products(self, x: torch.Tensor, threshold: float) -> torch.Tensor:
        """<x, y> and <y, y>, y quantized."""
        scale = scale_of(torch.tensor(threshold, device=x.device), self.dtype)
        if self.dtype == "ec":
            scale = scale / 254
        y = ((x / scale).round().clamp(self.dtype.min, self.dtype.max) * scale).double()
        return torch.stack([(x.double() * y).sum(), (y * y).sum()])
