"""What several files of tests need."""

import pytest
import twofold
from command_line import ROOT

DIGITS = ROOT / "examples" / "digits"


@pytest.fixture(scope="session")
def mixed_digits(tmp_path_factory):
    """The network of examples/digits, quantized as its mixed.yaml says."""
    path = tmp_path_factory.mktemp("digits") / "quantized.onnx"
    data = DIGITS / "calibration.npz"
    twofold.quantize(DIGITS / "digits.onnx", data, DIGITS / "mixed.yaml", output=path)
    return path
