"""Backward runs parts of a forward again (torch.utils.checkpoint), where no module's has begun."""

import sys

import torch
from torch.utils import checkpoint

from ..._twofold import Error


def check() -> None:
    """Raises twofold.Error in such a part: its functional calls would not find their modules."""
    if torch.compiler.is_compiling() or torch._C._current_graph_task_id() == -1:
        return
    frame = sys._getframe()
    while frame is not None:
        if frame.f_code.co_filename == checkpoint.__file__:
            raise Error(
                "torch.utils.checkpoint runs a part of a forward again, and it cannot be told "
                "which calls of that forward these are. Say use_reentrant=False, and hand it a "
                "module, or say context_fn=twofold.quantization.training.same_scope, too"
            )
        frame = frame.f_back
