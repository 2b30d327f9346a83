"""Photographs out of scikit-image's wheel, and crops of them."""

from functools import cache

import numpy as np
from PIL import Image

from .wheels import open_member

SCIKIT_IMAGE = "scikit-image==0.26.0"
PHOTOS = ("astronaut.png", "camera.png", "chelsea.png", "coffee.png", "motorcycle_left.png", "rocket.jpg")


@cache
def photo(name):
    """One of PHOTOS, RGB."""
    return Image.open(open_member(SCIKIT_IMAGE, f"skimage/data/{name}")).convert("RGB")


def photo_crop(random, width, height):
    """A part of one of the photographs, in this size and shape."""
    image = photo(str(random.choice(PHOTOS)))
    scale = random.uniform(0.4, 1.0) * min(image.width / width, image.height / height)
    w, h = int(width * scale), int(height * scale)
    left, top = int(random.integers(image.width - w + 1)), int(random.integers(image.height - h + 1))
    return image.crop((left, top, left + w, top + h)).resize((width, height), Image.Resampling.BICUBIC)


def jitter(random, pixels):
    """Pixels [H,W,3] in 0..255 with another brightness, contrast and noise."""
    changed = (pixels - 128.0) * random.uniform(0.7, 1.2) + 128.0 + random.uniform(-25, 25)
    return np.clip(changed + random.normal(0, random.uniform(0, 6), pixels.shape), 0, 255)
