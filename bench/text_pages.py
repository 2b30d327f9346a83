"""Rendered text as the two networks of PP-OCRv4 take it."""

import sys
from pathlib import Path

import numpy as np
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "examples" / "ocr"))
from render import draw_line, make_text, render

WORDS = ["invoice", "total", "amount", "street", "number", "date", "paid", "thank", "order"]


def text_pages(random, shape, count):
    """Yields `count` pages of text, float32 [1,C,H,W], with the detector's mean and scale.

    With images that have no text, ONNX Runtime's histograms would run out of memory: their bins
    keep the width that the first sample gave them.
    """
    _, channels, height, width = shape
    mean, scale = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    for _ in range(count):
        page = Image.new("RGB", (width, height), tuple(int(v) for v in random.integers(200, 256, 3)))
        for y in range(8, height - 48, 48):
            page.paste(draw_line(random, make_text(random, WORDS)), (int(random.integers(0, width // 2)), y))
        image = ((np.asarray(page) / 255 - mean) / scale).transpose(2, 0, 1)[None, :channels]
        yield image.astype(np.float32)


def text_lines(count, seed):
    """The first `count` lines of text that `seed` gives, float32 [1,3,48,320] each."""
    images = render(count, seed).network_input()
    return [images[i : i + 1] for i in range(count)]
