"""How far two tensors are apart, in numbers that tables are sorted by."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from .._twofold import Error

__all__ = ["METRICS", "Metric", "chosen_metric", "flat"]


@dataclass(frozen=True)
class Metric:
    """`of` takes a reference and what is compared with it: float64 [rows, n], as `flat` says."""

    name: str
    of: Callable[[torch.Tensor, torch.Tensor], float]
    more_is_better: bool = False
    is_own: bool = False  # a user's, which gets the tensors as they are

    def __call__(self, reference: torch.Tensor, other: torch.Tensor) -> float:
        """The number. Raises ValueError where shapes differ."""
        if self.is_own:
            return float(self.of(reference, other))
        if reference.shape != other.shape:
            raise ValueError(
                f"shapes are {list(reference.shape)} and {list(other.shape)}, which cannot be "
                "compared number by number"
            )
        return self.of(flat(reference), flat(other))

    def of_output(self, name: str, reference: torch.Tensor, other: torch.Tensor) -> float:
        """The number of a model's output. Raises twofold.Error where shapes differ."""
        try:
            return self(reference, other)
        except ValueError as error:
            raise Error(
                f"output {name}: {error}; let post_process return tensors of equal shapes"
            ) from error

    def badness(self, value: float) -> tuple[bool, float]:
        """What sorts the best first; NaN is the worst."""
        if math.isnan(value):
            return True, 0.0
        return False, -value if self.more_is_better else value


def flat(tensor: torch.Tensor) -> torch.Tensor:
    """Its numbers in float64, [rows, n]: a row per index of the first axis, one of a vector."""
    tensor = tensor.detach().double()
    return tensor.reshape(1, -1) if tensor.dim() < 2 else tensor.flatten(1)


def _cosine(a: torch.Tensor, b: torch.Tensor) -> float:
    aa, bb = float((a * a).sum()), float((b * b).sum())
    if aa == 0 and bb == 0:
        return 1.0
    if aa == 0 or bb == 0:
        return 0.0
    value = float((a * b).sum()) / math.sqrt(aa * bb)
    return value if math.isnan(value) else min(value, 1.0)


def _kl(a: torch.Tensor, b: torch.Tensor) -> float:
    if not a.numel():
        return 0.0
    p, q = torch.log_softmax(a, 1), torch.log_softmax(b, 1)
    return float((p.exp() * (p - q)).sum(1).mean())


def _sqnr(a: torch.Tensor, b: torch.Tensor) -> float:
    signal, noise = float((a * a).sum()), float(((a - b) ** 2).sum())
    if noise == 0:
        return math.inf
    return -math.inf if signal == 0 else 10 * math.log10(signal / noise)


def _mean(values: torch.Tensor) -> float:
    return float(values.mean()) if values.numel() else 0.0


def _largest(values: torch.Tensor) -> float:
    return float(values.max()) if values.numel() else 0.0


def _rtol(a: torch.Tensor, b: torch.Tensor) -> float:
    there = a != 0
    return _largest((a - b).abs()[there] / a.abs()[there].clamp(min=1e-12))


# docs/numerics.md, rule 9: L1 is its mae, ATOL its chebyshev. KL is of the softmax over all numbers
# of an index of the first axis, in nats, and the mean over these.
METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("Cosine", _cosine, more_is_better=True),
        Metric("MSE", lambda a, b: _mean((a - b) ** 2)),
        Metric("L1", lambda a, b: _mean((a - b).abs())),
        Metric("KL", _kl),
        Metric("SQNR", _sqnr, more_is_better=True),
        Metric("ATOL", lambda a, b: _largest((a - b).abs())),
        Metric("RTOL", _rtol),
    )
}

_BY_UPPER = {name.upper(): metric for name, metric in METRICS.items()}
_ORDERS = {"ascending": True, "descending": False}


def chosen_metric(metric: Any, function: Any = None, order: str | None = None) -> Metric:
    """The metric of a name, in any case; or a user's `function(reference, other) -> number`.

    `order` says how the user's numbers go from the worst to the best: "ascending" or "descending".
    Raises ValueError or twofold.Error that says what is missing.
    """
    if callable(metric):
        metric, function = "custom", metric
    if function is None:
        found = _BY_UPPER.get(str(metric).upper())
        if found is None:
            raise ValueError(
                f"there is no metric {metric!r}; there are {', '.join(METRICS)}, or your own: "
                "custom_metric_func with custom_metric_order_seq"
            )
        return found
    if order not in _ORDERS:
        raise Error(
            f"custom_metric_order_seq is {order!r}: say how the numbers of custom_metric_func go "
            'from the worst to the best, "ascending" or "descending"'
        )
    return Metric("custom", function, more_is_better=_ORDERS[order], is_own=True)
