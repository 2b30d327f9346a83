"""The digits of examples/digits, split for training and evaluation."""

import sys
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

DIGITS = Path(__file__).resolve().parents[1] / "digits"
sys.path.insert(0, str(DIGITS))

from network import ZeroSum  # noqa: E402
from train import jitter, load_digits  # noqa: E402

__all__ = ["BATCH", "Data", "ZeroSum", "jitter", "load"]

BATCH = 100
EVALUATION_SAMPLES = 2000
CALIBRATION_BATCHES = 5


class Data(NamedTuple):
    """Images [S,1,28,28] float32 in 0..1 and labels [S]."""

    images: Tensor
    labels: Tensor

    def batches(self) -> list[tuple[Tensor, Tensor]]:
        """In order, BATCH at a time."""
        return list(zip(self.images.split(BATCH), self.labels.split(BATCH), strict=True))


def load() -> tuple[Data, Data, Data]:
    """What is trained with, what scales are found with (a part of it), what is evaluated on."""
    images, labels = (torch.from_numpy(array) for array in load_digits(DIGITS / "digits.npz"))
    train = Data(images[EVALUATION_SAMPLES:], labels[EVALUATION_SAMPLES:])
    calibration = Data(*(part[: CALIBRATION_BATCHES * BATCH] for part in train))
    return train, calibration, Data(images[:EVALUATION_SAMPLES], labels[:EVALUATION_SAMPLES])
