"""Names of the original that are not built."""

from collections.abc import Callable
from typing import Any

from .._twofold import Error


def refused(name: str, instead: str) -> Callable[..., Any]:
    """A callable that raises twofold.Error with one sentence: what to do instead."""

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise Error(f"{name} is not built: {instead}")

    refuse.__name__ = refuse.__qualname__ = name
    refuse.__doc__ = f"Not built, raises twofold.Error: {instead}."
    return refuse
