"""The networks that are measured, with samples for them."""

import pathlib
import sys
from dataclasses import dataclass

import numpy as np
import onnx

import sentence_encoder
from models import MATMULS, SHAPED
from text_pages import text_lines, text_pages

OCR = {"ppocrv4-det": ("*det*.onnx", (1, 3, 640, 640)), "ppocrv4-rec": ("*rec*.onnx", (1, 3, 48, 320))}
ENCODER = "sentence-encoder"
NAMES = (*OCR, *SHAPED)


@dataclass(frozen=True)
class Network:
    """A float model with one input, of `shape`."""

    name: str
    path: pathlib.Path
    shape: tuple[int, ...]

    @property
    def input(self) -> str:
        """The input's name."""
        return onnx.load(self.path, load_external_data=False).graph.input[0].name

    def samples(self, count: int, seed: int) -> list[dict[str, np.ndarray]]:
        """Rendered text for the OCR models, sentences for the encoder, noise for those with random weights."""
        random = np.random.default_rng(seed)
        match self.name:
            case "ppocrv4-det":
                arrays = text_pages(random, self.shape, count)
            case "ppocrv4-rec":
                arrays = text_lines(count, seed)
            case "sentence-encoder":
                arrays = sentence_encoder.samples(count, seed)
            case _:
                arrays = random.standard_normal((count, *self.shape), dtype=np.float32)
        return [{self.input: array} for array in arrays]


def find_networks(names, ocr, folder):
    """Yields the networks called `names`; writes the shaped ones to `folder`."""
    for name, (pattern, shape) in OCR.items():
        if name not in names:
            continue
        files = sorted(ocr.rglob(pattern))
        if files:
            yield Network(name, files[0], shape)
        else:
            print(f"{name}: no {pattern} in {ocr}; give --ocr or run examples/ocr/fetch_model.py", file=sys.stderr)
    if ENCODER in names:
        yield Network(ENCODER, sentence_encoder.path(), (1, sentence_encoder.TOKENS))
    for name, make in (SHAPED | MATMULS).items():
        if name not in names:
            continue
        path = folder / f"{name}.onnx"
        model = make()
        onnx.save(model, path)
        yield Network(name, path, tuple(d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim))


def add_network_options(parser):
    """--models and --ocr, the first two arguments of find_networks."""
    choices = (*NAMES, *MATMULS)
    parser.add_argument("--models", nargs="*", default=NAMES, choices=choices, help="default: all networks")
    parser.add_argument("--ocr", type=pathlib.Path, default=pathlib.Path(".cache/ocr"), help="folder of PP-OCRv4 files")
