"""ONNX's own node conformance cases, made by the onnx package, run through twofold.Session."""

import numpy as np
import pytest
import twofold
from exceptions import EXCEPTIONS
from onnx_cases import CASES, FOREIGN_CASES, feeds, to_array

SHARE_THAT_MUST_PASS = 0.95


def _comparable(array):
    """bfloat16 is unknown to NumPy's comparisons."""
    return array.astype(np.float32) if array.dtype.name == "bfloat16" else array


def _run(case):
    session = twofold.Session(case.model.SerializeToString(), threads=1)
    names = [value.name for value in case.model.graph.output]
    for inputs, expected in case.data_sets:
        outputs = session.run(feeds(case, inputs))
        for name, want in zip(names, expected, strict=True):
            got, want = outputs[name], to_array(want)
            assert got.dtype == want.dtype, f"{name} is {got.dtype}, not {want.dtype}"
            assert got.shape == want.shape, f"{name} has shape {got.shape}, not {want.shape}"
            np.testing.assert_allclose(
                _comparable(got), _comparable(want), rtol=case.rtol, atol=case.atol
            )


@pytest.mark.parametrize("name", CASES)
def test_case(name):
    if name not in EXCEPTIONS:
        _run(CASES[name])
        return
    with pytest.raises((twofold.Error, AssertionError)):
        _run(CASES[name])
        pytest.fail(f"{name} passes: take it off exceptions.py")


@pytest.mark.parametrize("name", FOREIGN_CASES)
def test_foreign_element_types_are_refused(name):
    with pytest.raises((twofold.Error, TypeError)):
        _run(FOREIGN_CASES[name])


def test_enough_cases_pass():
    unknown = sorted(set(EXCEPTIONS) - set(CASES))
    assert not unknown, f"exceptions.py names cases that do not exist: {unknown}"
    assert len(CASES) > 1000
    assert 1 - len(EXCEPTIONS) / len(CASES) >= SHARE_THAT_MUST_PASS
