"""The reports hold what twofold.reports says, key by key."""

import types
from typing import Literal, get_args, get_origin, get_type_hints, is_typeddict

import pytest
import twofold
from command_line import ROOT
from twofold import reports

DIGITS = ROOT / "examples" / "digits"


def mismatch(value, hint, where="report"):
    """What a value has that its type has not, or the other way round; empty: nothing."""
    origin, parts = get_origin(hint), get_args(hint)
    if is_typeddict(hint):
        hints = get_type_hints(hint)
        if set(value) != set(hints):
            return f"{where}: {sorted(set(value) ^ set(hints))}"
        found = (mismatch(value[key], hints[key], f"{where}.{key}") for key in hints)
    elif origin is list:
        found = (mismatch(item, parts[0], f"{where}[]") for item in value)
    elif origin is dict:
        found = (mismatch(item, parts[1], f"{where}.{key}") for key, item in value.items())
    elif origin is types.UnionType or str(origin) == "typing.Union":
        found = (mismatch(value, part, where) for part in parts)
        return "" if "" in found else f"{where}: {value!r} is not {hint}"
    elif origin is Literal:
        return "" if value in parts else f"{where}: {value!r} is not {hint}"
    else:
        kinds = (int, float) if hint is float else hint
        return "" if isinstance(value, kinds) else f"{where}: {value!r} is not {hint}"
    return next(filter(None, found), "")


@pytest.mark.parametrize("with_file", [True, False])
def test_quantize(tmp_path, with_file):
    output = tmp_path / "q.onnx" if with_file else None
    config = {"node_config": {"/edges/Conv": {"qtype": "dual-int16"}}}
    data = DIGITS / "calibration.npz"
    report = twofold.quantize(DIGITS / "digits.onnx", data, config, output=output)
    assert mismatch(report, reports.QuantizeReport) == ""
    assert all(report[key] for key in ("outputs", "tensors", "stages", "operands"))


def test_verify(mixed_digits):
    report = twofold.verify(DIGITS / "digits.onnx", mixed_digits, DIGITS / "evaluation.npz")
    assert mismatch(report, reports.VerifyReport) == ""
    same = twofold.verify(mixed_digits, mixed_digits, DIGITS / "evaluation.npz")
    assert mismatch(same, reports.VerifyReport) == "" and same["first_difference"] is None


def test_inspect(mixed_digits):
    report = twofold.inspect(mixed_digits)
    assert mismatch(report, reports.InspectReport) == ""
    assert all(report[key] for key in ("inputs", "nodes", "passes", "lowered", "lowering"))


def test_sessions(mixed_digits):
    session = twofold.Session(mixed_digits)
    rows = session.inputs + session.outputs
    assert len(rows) == 2 and not any(mismatch(row, reports.TensorInfo) for row in rows)


def test_what_does_not_fit_is_told():
    assert mismatch({"name": "x", "dtype": "float32"}, reports.TensorInfo) == "report: ['shape']"
    row = {"name": "x", "dtype": "float32", "shape": ["n"]}
    assert "['n'] is not" in mismatch(row, reports.TensorInfo)
