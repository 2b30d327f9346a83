"""What torch.compile leaves to Python."""

from collections.abc import Callable
from typing import Any

import torch

_WHY = (
    "in a prepared model, functional calls find their modules while it runs, in Python; "
    "torch.compile leaves them as they are (no fullgraph=True)"
)


def uncompiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let torch.compile neither look into a function, nor into what it calls."""
    options: dict[str, Any] = {"reason": _WHY}
    try:
        return torch.compiler.disable(function, **options)
    except TypeError:  # PyTorch before 2.7 asks for no reason
        return torch.compiler.disable(function)
