"""The observers."""

from ._fixed_scale import FixedScaleObserver
from ._histogram_observer import HistogramObserver
from ._range_observers import ClipObserver, ClipStd, MinMaxObserver
from ._search_observers import KLObserver, MixObserver, MSEObserver, PercentileObserver

__all__ = [
    "ClipObserver",
    "ClipStd",
    "FixedScaleObserver",
    "HistogramObserver",
    "KLObserver",
    "MSEObserver",
    "MinMaxObserver",
    "MixObserver",
    "PercentileObserver",
]
