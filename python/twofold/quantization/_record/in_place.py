"""Calls that change a tensor in place, which operators of a prepared model do not."""

from collections.abc import Callable, Mapping
from typing import Any

from ... import _twofold
from ...qtensor import QTensor
from .lines import user_line
from .tree import tensors_of


def is_in_place(func: Callable, kwargs: Mapping[str, Any]) -> bool:
    """add_, __iadd__, relu_ and functions with inplace=True."""
    name = getattr(func, "__name__", "")
    if kwargs.get("inplace"):
        return True
    if name.startswith("__"):
        return name.startswith("__i") and name not in ("__invert__", "__index__", "__int__")
    return name.endswith("_")


def mark(tree: Any) -> None:
    """Note that the first tensor has other numbers now than this wrapper stands for.

    `x += y` gives x a new wrapper, and nothing is wrong; only the old one must not be read again.
    """
    first = next(tensors_of(tree), None)
    if isinstance(first, QTensor):
        first._changed_at = user_line()


def check(tree: Any) -> None:
    """Raise twofold.Error for a tensor that was changed in place before."""
    for tensor in tensors_of(tree):
        line = getattr(tensor, "_changed_at", None)
        if line is not None:
            raise _twofold.Error(
                f"{user_line()}: this tensor was changed in place at {line}; a prepared model "
                "changes nothing in place: there, write y = f(x) and read y"
            )
