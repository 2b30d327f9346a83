"""The outputs of a model by name, so that those of two models can be compared."""

import re
from collections.abc import Iterator
from typing import Any

import torch

from .._twofold import Error
from ..qtensor import plain


def named_outputs(output: Any) -> dict[str, torch.Tensor]:
    """Its float tensors. "0", "1" ... are those of a sequence, keys those of a dict.

    Inside of others they are joined, "0-1", "heads-boxes"; a single tensor is "0". Raises
    twofold.Error where there is none.
    """
    found = {
        name: plain(tensor).detach()
        for name, tensor in _named(output, "")
        if tensor.is_floating_point()
    }
    if not found:
        raise Error(
            f"the model gives no float tensor that could be compared, but {type(output).__name__}; "
            "let post_process return the tensors that matter"
        )
    return found


def _named(tree: Any, name: str) -> Iterator[tuple[str, torch.Tensor]]:
    if isinstance(tree, torch.Tensor):
        yield name or "0", tree
    elif isinstance(tree, list | tuple):
        for number, item in enumerate(tree):
            yield from _named(item, _joined(name, number))
    elif isinstance(tree, dict):
        for key, item in tree.items():
            yield from _named(item, _joined(name, key))


def _joined(name: str, part: Any) -> str:
    return f"{name}-{part}" if name else str(part)


def as_file_name(name: str) -> str:
    """Without what file systems cannot have."""
    return re.sub(r"[^\w.\-()]+", "_", name)[:150]


def check_same(reference: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> None:
    """Raise twofold.Error where two models do not give the same outputs."""
    if reference.keys() != other.keys():
        raise Error(
            f"the models' outputs differ: {', '.join(reference)} of the baseline, "
            f"{', '.join(other)} of the analysis model; let post_process return what both have"
        )
