"""Who sees how far a long job is."""

import os
import sys
from collections.abc import Callable
from typing import Literal, TypedDict

from ._twofold import Error

Progress = Callable[[str, int, int], None]


class _Arguments(TypedDict):
    progress: Progress | None
    bar_columns: int


_USUAL_COLUMNS = 80


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    return ipython is not None and hasattr(ipython.get_ipython(), "kernel")


def _bar_columns() -> int:
    """Columns of a line on stderr that someone may watch, 0 if nobody does."""
    if _in_notebook():
        return _USUAL_COLUMNS
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or _USUAL_COLUMNS
    except (AttributeError, OSError, ValueError):  # no stderr, not a terminal, closed
        return 0


def progress_arguments(progress: Progress | Literal[False] | None) -> _Arguments:
    """What is asked for as the arguments of the extension."""
    if callable(progress):
        return {"progress": progress, "bar_columns": 0}
    if progress is not None and progress is not False:
        raise Error("progress is neither callable nor False nor None")
    return {"progress": None, "bar_columns": _bar_columns() if progress is None else 0}
