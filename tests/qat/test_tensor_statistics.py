"""Statistics of one tensor: exact to merge, in any order; bytes; thresholds by name."""

import numpy as np
import pytest
from twofold._twofold import Error, TensorStatistics


def seen(*arrays):
    statistics = TensorStatistics()
    for array in arrays:
        statistics.observe(np.asarray(array, np.float32))
    return statistics


PARTS = [np.random.default_rng(i).normal(0, 10.0**i, 500).astype(np.float32) for i in range(3)]


def test_what_is_remembered():
    statistics = seen([[1.5, -2]], [], 3)
    assert (statistics.count, statistics.min, statistics.max) == (3, -2, 3)
    empty = TensorStatistics()
    assert (empty.count, empty.min, empty.max, empty.threshold("mse", "int8")) == (0, 0, 0, 0)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_merging_in_any_order_is_seeing_all(order):
    merged = TensorStatistics()
    for i in order:
        merged.merge(seen(PARTS[i]))
    assert merged.to_bytes() == seen(np.concatenate(PARTS)).to_bytes()


def test_bytes():
    statistics = seen(*PARTS)
    data = statistics.to_bytes()
    assert TensorStatistics.from_bytes(data).to_bytes() == data
    for damaged in (b"", data[:-1], data + b"\0", b"\0" + data[1:], b"\xff" * 20):
        with pytest.raises(Error, match="statistics of a tensor: damaged"):
            TensorStatistics.from_bytes(damaged)


def test_thresholds():
    statistics = seen([1.0, -4.0, 2.0])
    assert statistics.threshold("max", "int16") == 4
    assert statistics.threshold("percentile", "int8", percentile=1.0) == 4
    for arguments, message in [
        (("maximum", "int8"), "no range method 'maximum'"),
        (("mse", "int4"), "no precision 'int4'"),
        (("mse", "float16"), "float16 has no threshold"),
        (("percentile", "int8", 99.99), "must be from 0.5 to 1"),
        (("kl", "int8", 1.0, 100), "num_bin is 100"),
    ]:
        with pytest.raises(Error, match=message):
            statistics.threshold(*arguments)


def test_what_cannot_be_observed():
    for array, message in [
        (np.float32([1, np.nan]), "NaN"),
        (np.float32([np.inf]), "infinity"),
        (np.float64([1]), "float64"),
        ("x", "not an array|element type"),
    ]:
        with pytest.raises(Error, match=message):
            TensorStatistics().observe(array)
