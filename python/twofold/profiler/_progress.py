"""How far a long job is, drawn as the C++ side draws it (src/base/progress.cc)."""

import math
import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

from .._progress import _bar_columns

_QUIET_FOR = 2.0
_BETWEEN_DRAWS = 0.1
_T = TypeVar("_T")


def watched(items: Iterable[_T], stage: str, total: int | None = None) -> Iterator[_T]:
    """The items, and a bar on a terminal while they are worked on for more than two seconds."""
    bar = _Bar(stage, total)
    try:
        for done, item in enumerate(items):
            bar.update(done)
            yield item
    finally:
        bar.clear()


class _Bar:
    def __init__(self, stage: str, total: int | None):
        self._stage, self._total = stage, total
        self._start = time.monotonic()
        self._drawn, self._drawn_at = 0, 0.0

    def update(self, done: int) -> None:
        now = time.monotonic()
        if now - self._start < _QUIET_FOR or now - self._drawn_at < _BETWEEN_DRAWS:
            return
        columns = _bar_columns()
        if columns > 0:
            self._draw(line(self._stage, done, self._total, now - self._start, columns - 1))
            self._drawn_at = now

    def clear(self) -> None:
        if self._drawn:
            self._draw("")
            sys.stderr.write("\r")
            sys.stderr.flush()

    def _draw(self, text: str) -> None:
        """Blanks cover what the last line leaves."""
        sys.stderr.write("\r" + text.ljust(self._drawn))
        sys.stderr.flush()
        self._drawn = len(text)


def line(stage: str, done: int, total: int | None, seconds: float, width: int) -> str:
    """`sensitivity  [####....]   50%  12 s left`; of an unknown total how many are done."""
    if not total:
        return f"{stage}  {done} done"[:width]
    part = done / total
    left = f"  {_duration(seconds / part - seconds)} left" if done else ""
    tail = f"  {math.floor(100 * part):3d}%{left}"
    room = min(max(width - len(stage) - len(tail) - 4, 0), 40)
    full = int(room * part)
    return f"{stage}  [{'#' * full}{'.' * (room - full)}]{tail}"[:width]


def _duration(seconds: float) -> str:
    whole = math.ceil(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole // 60 % 60} min"
