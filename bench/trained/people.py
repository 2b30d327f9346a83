"""People in photographs: NudeNet's YOLOv8n, on street scenes and portraits.

Two photographs are taken out of the wheel of ultralytics (AGPL-3.0), of which nothing is installed or kept here.
"""

import numpy as np
import onnx
from PIL import Image

from .labelled_boxes import box_score, suppress_by_label
from .network import Samples, TrainedNetwork, fix_shapes
from .photos import SCIKIT_IMAGE, jitter
from .wheels import member, open_member

WHEEL, FILE = "nudenet==3.4.2", "nudenet/320n.onnx"
SIDE, SCORE, OVERLAP = 320, 0.25, 0.45  # as the package has them
ASSETS = "ultralytics==8.4.190"
# Of a seed modulo 2, so that what is measured shows nobody that was calibrated on.
PHOTOS = (
    ((ASSETS, "ultralytics/assets/zidane.jpg"), (SCIKIT_IMAGE, "skimage/data/astronaut.png")),
    ((ASSETS, "ultralytics/assets/bus.jpg"), (SCIKIT_IMAGE, "skimage/data/camera.png")),
)


def sample_people(count, seed):
    """[1,3,320,320] in 0..1: parts of photographs, turned over or not, lighter or darker."""
    photos = [Image.open(open_member(*name)).convert("RGB") for name in PHOTOS[seed % 2]]
    feeds = []
    for i in range(count):
        random = np.random.default_rng([seed, i])
        photo = photos[i % len(photos)]
        side = int(min(photo.size) * random.uniform(0.5, 1.0))
        left, top = int(random.integers(photo.width - side + 1)), int(random.integers(photo.height - side + 1))
        part = photo.crop((left, top, left + side, top + side)).resize((SIDE, SIDE), Image.Resampling.BILINEAR)
        pixels = jitter(random, np.asarray(part, np.float64))
        pixels = pixels[:, ::-1] if random.random() < 0.5 else pixels
        feeds.append({"images": np.ascontiguousarray(pixels.transpose(2, 0, 1)[None] / 255, np.float32)})
    return Samples(feeds, [None] * count)


def decode_people(outputs):
    """{label: boxes [N,4]} of rows x, y, width, height and scores."""
    rows = outputs["output0"][0].T.astype(np.float64)
    (x, y, w, h), scores = rows[:, :4].T, rows[:, 4:]
    return suppress_by_label(np.stack([y - h / 2, x - w / 2, y + h / 2, x + w / 2], axis=1), scores, SCORE, OVERLAP)


NETWORKS = [
    TrainedNetwork(
        "people-detection",
        f"{WHEEL}: YOLOv8n",
        "MIT",
        "F1 of boxes and labels against the float network's, %",
        lambda: fix_shapes(onnx.load_from_string(member(WHEEL, FILE)), {"images": (1, 3, SIDE, SIDE)}),
        sample_people,
        box_score(decode_people),
        calibration_count=24,
        held_out_count=100,
    )
]
