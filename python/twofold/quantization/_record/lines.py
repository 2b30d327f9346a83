"""Where in the user's code we are."""

import sys
from pathlib import Path

import torch

_OURS = (str(Path(__file__).resolve().parents[2]), str(Path(torch.__file__).resolve().parent))


def user_line() -> str:
    """The innermost line that is neither ours nor PyTorch's, "file:line"; "" if there is none."""
    frame = sys._getframe(1)
    while frame is not None:
        if is_users(frame.f_code.co_filename):
            return f"{frame.f_code.co_filename}:{frame.f_lineno}"
        frame = frame.f_back
    return ""


def is_users(file: str) -> bool:
    """Whether a file is neither ours nor PyTorch's."""
    return not file.startswith(_OURS) and not file.startswith("<")
