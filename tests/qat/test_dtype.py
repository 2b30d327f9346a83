"""Dtypes: ranges, spellings, identity."""

import copy
import pickle
import subprocess
import sys

import pytest
import torch
from twofold import dtype
from twofold.dtype import QuantDType, ec, get_horizon_quant_dtype, qinfo, qint8, qint16, to_dtype


@pytest.mark.parametrize(
    ("name", "low", "high", "steps"),
    [
        ("qint4", -8, 7, 7),
        ("qint8", -128, 127, 127),
        ("qint16", -32768, 32767, 32767),
        ("qint32", -2147483648, 2147483647, 2147483647),
        ("quint4", 0, 15, 15),
        ("ec", 254 * -128 - 128, 254 * 127 + 127, 127),
    ],
)
def test_ranges(name, low, high, steps):
    found = getattr(dtype, name)
    assert (found.min, found.max, found.steps) == (low, high, steps)
    assert qinfo(found) == qinfo(name) == (low, high)
    assert (qinfo(name).min, qinfo(name).max) == (low, high)
    assert str(found) == f"{found}" == repr(found) == name


def test_equal_to_its_name_and_to_nothing_else():
    assert qint8 == "qint8"
    assert qint8 != "qint16"
    assert qint8 != qint16
    assert qint8 != torch.qint8
    assert {"qint8": 1}[qint8] == {qint8: 1}["qint8"] == 1


def test_copies_and_pickles_are_the_same_object():
    for one in (qint8, qint16, ec):
        assert copy.deepcopy(one) is one
        assert pickle.loads(pickle.dumps(one)) is one
    assert isinstance(qint8, QuantDType)


@pytest.mark.parametrize(
    ("spelled", "meant"),
    [
        ("qint16", qint16),
        (qint16, qint16),
        ("torch.qint8", qint8),
        (torch.qint8, qint8),
        ("ec", ec),
        ("float16", torch.float16),
        ("torch.float16", torch.float16),
        (torch.half, torch.float16),
        ("float32", torch.float32),
        (torch.float32, torch.float32),
    ],
)
def test_spellings(spelled, meant):
    assert to_dtype(spelled) is meant
    assert get_horizon_quant_dtype(spelled) is meant


@pytest.mark.parametrize("wrong", ["int8", "qint9", "", 8, None, torch.int8, torch.bfloat16])
def test_what_is_none_is_refused_with_a_list(wrong):
    with pytest.raises(TypeError, match="qint8, qint16.*torch.float16"):
        to_dtype(wrong)


def test_floats_have_no_range_of_integers():
    with pytest.raises(TypeError, match="no range of integers"):
        qinfo(torch.float16)


@pytest.mark.parametrize("module", ["dtype", "march", "qat_mode", "utils.quant_switch"])
def test_importing_it_imports_no_torch(module):
    code = f"import twofold.{module}, sys; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
