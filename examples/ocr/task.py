"""What the demo quantizes and how its output is read: text lines, or digits where these cannot be
had."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import onnx

import decode
import fetch_model
import render

HERE = Path(__file__).resolve().parent
DIGITS = HERE.parent / "digits"
MATMUL_LIKE = ("Conv", "ConvTranspose", "Gemm", "MatMul")


@dataclass(frozen=True)
class Task:
    """A model with its data. `calibration` and `evaluation` return network inputs as float32
    [S,...]; `read` turns one output [B,...] into B texts, which are right where they equal
    `truth` [S]."""

    name: str
    unit: str
    model: Path
    input_name: str
    calibration: Callable[[], np.ndarray]
    evaluation: Callable[[int, int], np.ndarray]
    truth: list[str]
    read: Callable[[np.ndarray], list[str]]

    def calibration_samples(self) -> list[dict[str, np.ndarray]]:
        """One {input name: [1,...]} for each calibration sample."""
        return [{self.input_name: sample[None]} for sample in self.calibration()]

    def matmul_like(self) -> list[str]:
        """The operator types of the model that take two inputs which can both be 16-bit."""
        present = {node.op_type for node in onnx.load(self.model).graph.node}
        return [op_type for op_type in MATMUL_LIKE if op_type in present]


def text_lines(lines: int) -> Task:
    """PP-OCRv4's recogniser on `lines` rendered lines.

    Raises fetch_model.ModelUnavailableError and render.FontsMissingError.
    """
    model = fetch_model.fetch().rec
    evaluation = render.evaluation_lines(lines)
    return Task(
        name="PP-OCRv4 text recognition",
        unit="line",
        model=model,
        input_name="x",
        calibration=render.calibration_lines().network_input,
        evaluation=evaluation.network_input,
        truth=evaluation.texts,
        read=partial(decode.decode, alphabet=decode.read_alphabet(model)),
    )


def digits(images: int) -> Task:
    """The digits network on `images` of its evaluation images; a text is one digit."""
    with np.load(DIGITS / "evaluation.npz") as archive:
        samples, labels = archive["image"][:images], archive["label"][:images]
    with np.load(DIGITS / "calibration.npz") as archive:
        calibration = archive["image"]
    return Task(
        name="handwritten digits",
        unit="image",
        model=DIGITS / "digits.onnx",
        input_name="image",
        calibration=lambda: calibration,
        evaluation=lambda first, last: samples[first:last],
        truth=[str(label) for label in labels],
        read=lambda logits: [str(label) for label in logits.argmax(axis=1)],
    )
