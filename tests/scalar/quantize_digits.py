"""Quantizes the digits model, trying every way to find ranges. usage: quantize_digits.py OUTPUT."""

import sys
from pathlib import Path

import twofold

DIGITS = Path(__file__).parents[2] / "examples" / "digits"
weight = {"bias_correction": {"num_sample": 4}}
twofold.quantize(
    DIGITS / "digits.onnx",
    DIGITS / "calibration.npz",
    {"model_config": {"weight": weight}},
    output=sys.argv[1],
    threads=1,
)
