"""Processes that train one model together (torch.distributed), and what they have seen together."""

from typing import Any

import torch
import torch.distributed as dist

from .. import _twofold

__all__ = ["are_several", "largest_of_ranks", "merged_over_ranks", "sum_over_ranks"]


def are_several() -> bool:
    """Whether there are other processes."""
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def largest_of_ranks(numbers: torch.Tensor) -> torch.Tensor:
    """Element by element, the largest that any process has."""
    largest = numbers.clone()
    dist.all_reduce(largest, dist.ReduceOp.MAX)
    return largest


def sum_over_ranks(numbers: torch.Tensor) -> torch.Tensor:
    """Element by element, the sum over all processes."""
    total = numbers.clone()
    dist.all_reduce(total, dist.ReduceOp.SUM)
    return total


def merged_over_ranks(statistics: list[Any]) -> list[Any]:
    """Statistics of tensors, with what the other processes have seen of the same tensors."""
    parts: list[Any] = [None] * dist.get_world_size()
    dist.all_gather_object(parts, [one.to_bytes() for one in statistics])
    merged = [_twofold.TensorStatistics.from_bytes(data) for data in parts[0]]
    for part in parts[1:]:
        for one, data in zip(merged, part, strict=True):
            one.merge(_twofold.TensorStatistics.from_bytes(data))
    return merged
