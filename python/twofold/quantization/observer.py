"""The observers under the names that older scripts write."""

from typing import Any

from .observer_v2 import (
    ClipObserver,
    ClipStd,
    FixedScaleObserver,
    HistogramObserver,
    KLObserver,
    MinMaxObserver,
    MixObserver,
    MSEObserver,
    PercentileObserver,
)

__all__ = [
    "CalibObserver",
    "ClipObserver",
    "ClipStd",
    "FixedScaleObserver",
    "HistogramObserver",
    "KLObserver",
    "MSEObserver",
    "MinMaxObserver",
    "MixObserver",
    "MovingAverageMinMaxObserver",
    "MovingAveragePerChannelMinMaxObserver",
    "PerChannelMinMaxObserver",
    "PercentileObserver",
]

MovingAverageMinMaxObserver = MinMaxObserver


class MovingAveragePerChannelMinMaxObserver(MinMaxObserver):
    """MinMaxObserver with a scale per channel, by default along axis 0."""

    def __init__(self, averaging_constant: float = 0.01, ch_axis: int = 0, **named: Any):
        """Arguments are those of all observers."""
        super().__init__(averaging_constant, ch_axis, **named)


class PerChannelMinMaxObserver(MovingAveragePerChannelMinMaxObserver):
    """The same without averaging: the scales are those of the last tensor, as weights need it."""

    def __init__(self, ch_axis: int = 0, **named: Any):
        """Arguments are those of all observers."""
        super().__init__(**{"averaging_constant": 1.0, "ch_axis": ch_axis, **named})


class CalibObserver(PercentileObserver):
    """What older calibration used: PercentileObserver."""
