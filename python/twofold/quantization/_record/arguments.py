"""Example inputs in the forms that users give them in."""

from collections.abc import Mapping
from typing import Any


def as_arguments(inputs: Any, kwargs: Mapping[str, Any] | None) -> tuple[tuple, dict[str, Any]]:
    """Example inputs in any of their forms as the arguments of a call."""
    if inputs is None:
        inputs = ()
    if not isinstance(inputs, tuple | list):
        inputs = (inputs,)
    return tuple(inputs), dict(kwargs or {})
