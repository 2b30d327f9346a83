"""Least, largest, mean and variance of a tensor."""

import math
from typing import NamedTuple

import torch


class Moments(NamedTuple):
    """Of all numbers; NaN where there are none or one is NaN. The variance divides by the count."""

    least: float
    largest: float
    mean: float
    variance: float


def moments(tensor: torch.Tensor) -> Moments:
    """In float64."""
    if not tensor.numel():
        return Moments(*[math.nan] * 4)
    x = tensor.detach().double()
    return Moments(float(x.min()), float(x.max()), float(x.mean()), float(x.var(correction=0)))
