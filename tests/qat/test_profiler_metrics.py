"""Metrics of the profiler: the numbers of docs/numerics.md, rule 9, by NumPy."""

import math

import numpy as np
import pytest
import torch
import twofold
from twofold.profiler._metrics import METRICS, chosen_metric


def by_numpy(a, b):
    a, b = a.astype(np.float64), b.astype(np.float64)
    error = a - b
    rows_a, rows_b = a.reshape(len(a), -1), b.reshape(len(b), -1)
    p = np.exp(rows_a - rows_a.max(1, keepdims=True))
    q = np.exp(rows_b - rows_b.max(1, keepdims=True))
    p, q = p / p.sum(1, keepdims=True), q / q.sum(1, keepdims=True)
    there = a != 0
    return {
        "Cosine": (a * b).sum() / np.linalg.norm(a) / np.linalg.norm(b),
        "MSE": (error**2).mean(),
        "L1": np.abs(error).mean(),
        "KL": (p * np.log(p / q)).sum(1).mean(),
        "SQNR": 10 * np.log10((a**2).sum() / (error**2).sum()),
        "ATOL": np.abs(error).max(),
        "RTOL": (np.abs(error)[there] / np.abs(a)[there]).max(),
    }


@pytest.mark.parametrize("shape", [(4, 7), (1, 3, 5, 2), (3, 1)])
def test_metrics_are_those_of_numpy(shape):
    random = np.random.default_rng(0)
    a = random.standard_normal(shape).astype(np.float32)
    a.flat[0] = 0
    b = a + 0.1 * random.standard_normal(shape).astype(np.float32)
    expected = by_numpy(a, b)
    assert expected.keys() == METRICS.keys()
    for name, metric in METRICS.items():
        found = metric(torch.from_numpy(a), torch.from_numpy(b))
        assert found == pytest.approx(expected[name], rel=1e-9), name


def test_a_vector_is_one_row_of_kl():
    a, b = torch.tensor([0.0, 0.0]), torch.tensor([0.0, math.log(3)])
    # p = (1/2, 1/2), q = (1/4, 3/4)
    expected = 0.5 * math.log(2) + 0.5 * math.log(2 / 3)
    assert METRICS["KL"](a, b) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("metric", "equal", "zeros_and_ones"),
    [
        ("Cosine", 1.0, 0.0),
        ("SQNR", math.inf, -math.inf),
        ("MSE", 0.0, 1.0),
        ("L1", 0.0, 1.0),
        ("KL", 0.0, 0.0),
        ("ATOL", 0.0, 1.0),
        ("RTOL", 0.0, 0.0),
    ],
)
def test_edges(metric, equal, zeros_and_ones):
    x, zeros, ones = torch.tensor([3.0, -1.0]), torch.zeros(4), torch.ones(4)
    of = METRICS[metric]
    assert of(x, x.clone()) == equal
    assert of(zeros, ones) == zeros_and_ones
    assert of(torch.zeros(0), torch.zeros(0)) == of(zeros, zeros.clone())


def test_both_zero_are_alike():
    assert METRICS["Cosine"](torch.zeros(3), torch.zeros(3)) == 1.0


@pytest.mark.parametrize("name", ["Cosine", "MSE", "L1", "KL", "SQNR", "ATOL"])
def test_nan_is_seen_and_is_the_worst(name):
    metric = METRICS[name]
    good = torch.tensor([1.0, 2.0])
    value = metric(good, torch.tensor([1.0, math.nan]))
    assert math.isnan(value)
    others = [metric(good, good.clone()), metric(good, torch.tensor([50.0, -1e9]))]
    assert all(metric.badness(value) > metric.badness(other) for other in others)
    assert metric.badness(others[1]) > metric.badness(others[0])


def test_shapes_have_to_agree():
    with pytest.raises(ValueError, match=r"\[2\] and \[3\]"):
        METRICS["L1"](torch.zeros(2), torch.zeros(3))


def test_metrics_are_found_in_any_case_or_listed():
    assert chosen_metric("COSINE") is METRICS["Cosine"]
    assert chosen_metric("atol") is METRICS["ATOL"]
    with pytest.raises(ValueError, match="Cosine, MSE, L1, KL, SQNR, ATOL"):
        chosen_metric("l2")


def test_own_metrics_need_an_order():
    def largest(a, b):
        return (a - b).abs().max()

    with pytest.raises(twofold.Error, match="ascending"):
        chosen_metric("L1", largest)
    falling = chosen_metric("L1", largest, "descending")
    assert falling.badness(2.0) > falling.badness(1.0)
    rising = chosen_metric("L1", largest, "ascending")
    assert rising.badness(1.0) > rising.badness(2.0)
    assert falling(torch.zeros(2), torch.tensor([1.0, -3.0])) == 3.0
