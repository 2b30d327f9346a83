"""Curves as SVG, in the colours of the page around them."""

import math
from collections.abc import Mapping, Sequence
from html import escape

_LEFT, _RIGHT, _TOP, _HEIGHT = 108, 20, 12, 230
_WIDTH = 960
# So many names fit below a plot; where there are more, numbers stand there.
_MOST_NAMES = 40
_LONGEST = 22
# Longer ones are turned.
_SHORT = 3
SERIES = 5


def line_plot(
    title: str, labels: Sequence[str], series: Mapping[str, Sequence[float]], *, log: bool = False
) -> str:
    """A figure with a curve per series over `labels`; numbers that are not finite leave gaps.

    `log`: powers of ten on the y axis, where numbers that are not above 0 leave gaps too.
    """
    axis = _log_axis(series) if log else _linear_axis(series)
    named = len(labels) <= _MOST_NAMES
    below = 124 if named and not _are_short(labels) else 34
    parts = [_grid(axis), _x_axis(labels, named)]
    for n, (name, values) in enumerate(series.items()):
        parts.append(_curve(n, name, labels, values, axis))
    height = _TOP + _HEIGHT + below
    svg = (
        f'<svg class="plot" viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'aria-label="{escape(title)}"><g transform="translate({_LEFT},{_TOP})">'
        f"{''.join(parts)}</g></svg>"
    )
    return f"<figure><figcaption>{escape(title)}{_legend(series)}</figcaption>{svg}</figure>"


def _legend(series: Mapping[str, Sequence[float]]) -> str:
    if len(series) < 2:
        return ""
    return "".join(
        f'<span class="key"><i class="k{n % SERIES}"></i>{escape(name)}</span>'
        for n, name in enumerate(series)
    )


class _Axis:
    """Where values are on the y axis, from `low` at the bottom to `high`."""

    def __init__(self, low: float, high: float, ticks: Sequence[float], log: bool):
        self.ticks, self._log = ticks, log
        self._low, self._high = self._scaled(low), self._scaled(high)

    def at(self, value: float) -> float | None:
        if not math.isfinite(value) or (self._log and value <= 0):
            return None
        part = (self._scaled(value) - self._low) / (self._high - self._low)
        return round(_HEIGHT * (1 - part), 1)

    def _scaled(self, value: float) -> float:
        return math.log10(value) if self._log else value


def _finite(series: Mapping[str, Sequence[float]]) -> list[float]:
    return [value for values in series.values() for value in values if math.isfinite(value)]


def _linear_axis(series: Mapping[str, Sequence[float]]) -> _Axis:
    values = _finite(series) or [0.0, 1.0]
    low, high = min(values), max(values)
    if low == high:
        margin = abs(low) * 0.1 or 1.0
        low, high = low - margin, high + margin
    step = _round_step((high - low) / 5)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return _Axis(first * step, last * step, [n * step for n in range(first, last + 1)], False)


def _log_axis(series: Mapping[str, Sequence[float]]) -> _Axis:
    values = [value for value in _finite(series) if value > 0] or [1.0]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    high = max(high, low + 1)
    step = math.ceil((high - low) / 6)
    return _Axis(10.0**low, 10.0**high, [10.0**n for n in range(low, high + 1, step)], True)


def _round_step(value: float) -> float:
    """1, 2 or 5 times a power of ten, at least `value`."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(n * power for n in (1, 2, 5, 10) if n * power >= value * (1 - 1e-9))


def _grid(axis: _Axis) -> str:
    width = _WIDTH - _LEFT - _RIGHT
    lines = []
    for tick, text in zip(axis.ticks, _tick_texts(axis.ticks), strict=True):
        y = axis.at(tick)
        lines.append(f'<line class="grid" x2="{width}" y1="{y}" y2="{y}"/>')
        lines.append(f'<text class="end" x="-10" y="{y}" dy="0.35em">{text}</text>')
    return "".join(lines)


def _tick_texts(ticks: Sequence[float]) -> list[str]:
    """With as many digits as tell them apart."""
    for digits in range(4, 17):
        texts = [f"{tick:.{digits}g}" for tick in ticks]
        if len(set(texts)) == len(texts):
            break
    return texts


def _x_at(i: int, count: int) -> float:
    width = _WIDTH - _LEFT - _RIGHT
    return round(width * (i + 0.5) / count, 1) if count < 3 else round(width * i / (count - 1), 1)


def _x_axis(labels: Sequence[str], named: bool) -> str:
    width = _WIDTH - _LEFT - _RIGHT
    parts = [f'<line class="axis" x2="{width}" y1="{_HEIGHT}" y2="{_HEIGHT}"/>']
    every = 1 if named else int(_round_step(len(labels) / 12))
    for i in range(0, len(labels), max(1, every)):
        x = _x_at(i, len(labels))
        if named and not _are_short(labels):
            place = f'class="end" transform="translate({x + 4},{_HEIGHT + 14}) rotate(-40)"'
            parts.append(f"<text {place}>{escape(_shortened(labels[i]))}</text>")
        else:
            text = escape(labels[i]) if named else i
            parts.append(f'<text class="middle" x="{x}" y="{_HEIGHT + 20}">{text}</text>')
    return "".join(parts)


def _are_short(labels: Sequence[str]) -> bool:
    return all(len(label) <= _SHORT for label in labels)


def _shortened(label: str) -> str:
    return label if len(label) <= _LONGEST else f"…{label[1 - _LONGEST :]}"


def _curve(n: int, name: str, labels: Sequence[str], values: Sequence[float], axis: _Axis) -> str:
    points = [(_x_at(i, len(labels)), axis.at(value)) for i, value in enumerate(values)]
    path, pen_up = [], True
    for x, y in points:
        if y is not None:
            path.append(f"{'M' if pen_up else 'L'}{x},{y}")
        pen_up = y is None
    dots = "".join(
        f'<circle cx="{x}" cy="{y}" r="3"><title>{escape(label)}\n{escape(name)}: {value:.6g}'
        "</title></circle>"
        for (x, y), label, value in zip(points, labels, values, strict=True)
        if y is not None
    )
    return f'<g class="s{n % SERIES}"><path d="{"".join(path)}"/>{dots}</g>'
