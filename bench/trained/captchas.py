"""Letters in captchas: ddddocr's detector, a YOLOX."""

import numpy as np
import onnx
from PIL import ImageDraw

from text_pages import WORDS

from .labelled_boxes import box_score, suppress
from .network import Samples, TrainedNetwork, fix_shapes
from .pages import Page
from .photos import photo_crop
from .wheels import member

WHEEL, FILE = "ddddocr==1.6.1", "ddddocr/common_det.onnx"
SIDE, STRIDES, SCORE, OVERLAP = 416, (8, 16, 32), 0.1, 0.45  # as the package has them


def sample_captchas(count, seed):
    """[1,3,416,416] in 0..255, BGR: large letters all over a photograph, as captchas have them to be clicked on."""
    feeds = []
    for i in range(count):
        random = np.random.default_rng([seed, i])
        page = Page(random, SIDE, SIDE)
        height = int(random.integers(SIDE // 2, SIDE))
        page.image.paste((114, 114, 114), (0, 0, SIDE, SIDE))
        page.image.paste(photo_crop(random, SIDE, height), (0, 0))
        draw = ImageDraw.Draw(page.image)
        for _ in range(int(random.integers(3, 7))):
            size = int(random.integers(36, 72))
            at = (int(random.integers(SIDE - size)), int(random.integers(height - size)))
            letter = str(random.choice(WORDS))[0].upper()
            draw.text(at, letter, font=page.font(size), fill=tuple(int(v) for v in random.integers(0, 256, 3)))
        pixels = np.asarray(page.finish(), np.float32)[:, :, ::-1]
        feeds.append({"images": np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])})
    return Samples(feeds, [None] * count)


def decode_captcha(outputs):
    """{0: boxes [N,4]} of what YOLOX gives: offsets in cells and logarithms of sizes (Ge et al. 2021)."""
    rows = outputs["output"][0].astype(np.float64)
    cells, strides = [], []
    for stride in STRIDES:
        cells.append(np.mgrid[: SIDE // stride, : SIDE // stride].reshape(2, -1).T)
        strides.append(np.full(len(cells[-1]), stride))
    cells, strides = np.concatenate(cells), np.concatenate(strides)[:, None]
    middle, half = (rows[:, 1::-1] + cells) * strides, np.exp(np.minimum(rows[:, 3:1:-1], 10)) * strides / 2
    scores = rows[:, 4] * rows[:, 5]
    chosen = np.flatnonzero(scores > SCORE)
    boxes = np.concatenate([middle - half, middle + half], axis=1)[chosen]
    return {0: boxes[suppress(boxes, scores[chosen], OVERLAP)]}


NETWORKS = [
    TrainedNetwork(
        "captcha-detection",
        f"{WHEEL}: YOLOX",
        "MIT",
        "F1 of boxes against the float network's, %",
        lambda: fix_shapes(onnx.load_from_string(member(WHEEL, FILE)), {}),
        sample_captchas,
        box_score(decode_captcha),
        calibration_count=12,
        held_out_count=40,
    )
]
