"""The mode of BatchNorm, and what of the original's arithmetic there is no need for."""

import pytest
from twofold import qat_mode
from twofold.qat_mode import ConsistencyStrategy, QATMode, get_qat_mode, set_qat_mode, tricks


@pytest.fixture(autouse=True)
def default(monkeypatch):
    monkeypatch.setattr(qat_mode, "_current", "fuse_bn")


def test_modes_are_plain_strings():
    assert get_qat_mode() == QATMode.FuseBN == "fuse_bn"
    set_qat_mode("with_bn")
    assert get_qat_mode() == QATMode.WithBN
    set_qat_mode(QATMode.WithBNReverseFold)
    assert get_qat_mode() == "with_bn_reverse_fold"
    assert type(QATMode.WithBN) is str


def test_what_is_no_mode_is_refused_and_sets_nothing():
    with pytest.raises(ValueError, match='"fuse_bn", "with_bn", "with_bn_reverse_fold"'):
        set_qat_mode("WithBN")
    assert get_qat_mode() == "fuse_bn"


def test_consistency_has_one_level():
    ConsistencyStrategy.set_consistency_level(0)
    for level in (1, 2, "1"):
        with pytest.raises(ValueError, match="the same bits with any scale: use 0"):
            ConsistencyStrategy.set_consistency_level(level)


def test_tricks_are_refused():
    with pytest.raises(AttributeError, match=r"tricks.relu6 adapts .* leave it out"):
        tricks.relu6 = True
    with pytest.raises(AttributeError, match=r"tricks.relu6 adapts .* leave it out"):
        _ = tricks.relu6
