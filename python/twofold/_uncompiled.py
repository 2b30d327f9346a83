"""What torch.compile leaves to Python."""

from . import _torch_version  # noqa: F401, I001, says first what is wrong with PyTorch
from collections.abc import Callable
from typing import Any

import torch

_WHY = (
    "in a prepared model, functional calls find their modules while it runs, in Python; "
    "torch.compile leaves them as they are (no fullgraph=True)"
)


def uncompiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let torch.compile neither look into a function, nor into what it calls."""
    return torch.compiler.disable(function, reason=_WHY)
