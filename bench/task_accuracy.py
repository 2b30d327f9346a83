"""Accuracy in the terms of those who use a network: text boxes found, lines read, nearest sentences."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "examples" / "ocr"))
from decode import decode, line_accuracy, read_alphabet
from render import render

TEXT, NARROWEST, OVERLAP = 0.3, 3, 0.5  # probability and pixels, as PP-OCR has them; intersection over union


@dataclass(frozen=True)
class TaskAccuracy:
    """What a user takes from one output of a network, and how much of it is right, in percent."""

    words: str
    take: Callable[[np.ndarray], Any]
    score: Callable[[list, list], float]  # of what was taken from a model's outputs, and from the float model's


def find_boxes(mask):
    """[top, left, bottom, right] of each connected region (by sides) of a bool [H,W]; ends are exclusive.

    Regions narrower than 3 pixels are left out, as PP-OCR does: specks of which no text can be read.
    """
    pixels = set(map(tuple, np.argwhere(mask).tolist()))
    boxes = []
    while pixels:
        border = {pixels.pop()}
        region = set(border)
        while border:
            around = {p for y, x in border for p in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1))}
            border = around & pixels
            pixels -= border
            region |= border
        points = np.array(list(region))
        first, end = points.min(axis=0), points.max(axis=0) + 1
        if (end - first).min() >= NARROWEST:
            boxes.append([*first, *end])
    return np.array(boxes, np.float64).reshape(-1, 4)


def intersections_over_unions(a, b):
    """[N,M] of N and M boxes."""
    sides = np.minimum(a[:, None, 2:], b[None, :, 2:]) - np.maximum(a[:, None, :2], b[None, :, :2])
    common = np.prod(np.maximum(sides, 0), axis=2)
    areas = [np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (a, b)]
    return common / (areas[0][:, None] + areas[1][None] - common)


def count_matches(a, b):
    """Pairs of a box of `a` and one of `b` that overlap enough: the best pair first, each box once."""
    overlaps, count = intersections_over_unions(a, b), 0
    while overlaps.size and overlaps.max() >= OVERLAP:
        row, column = np.unravel_index(overlaps.argmax(), overlaps.shape)
        overlaps[row], overlaps[:, column] = 0, 0
        count += 1
    return count


def f1_of_boxes(pages, references):
    """F1 of the boxes of all pages, in percent."""
    matches = sum(count_matches(a, b) for a, b in zip(pages, references, strict=True))
    return 200.0 * matches / sum(map(len, pages + references))


def nearest(embeddings):
    """Of each embedding the index of the most similar other one, by cosine."""
    rows = np.stack(embeddings).astype(np.float64)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    similarities = rows @ rows.T
    np.fill_diagonal(similarities, -np.inf)
    return similarities.argmax(axis=1)


def same_nearest(embeddings, references):
    """How many have the neighbour that the references give them, in percent."""
    return 100.0 * float(np.mean(nearest(embeddings) == nearest(references)))


def task_accuracy(network, count, seed):
    """That of a network on its `count` samples of `seed`; None where its weights are random."""
    match network.name:
        case "ppocrv4-det":
            words = "F1 of text boxes against the float model's"
            return TaskAccuracy(words, lambda output: find_boxes(output[0, 0] > TEXT), f1_of_boxes)
        case "ppocrv4-rec":
            alphabet, truth = read_alphabet(network.path), render(count, seed).texts
            return TaskAccuracy(
                "lines read as rendered",
                lambda output: decode(output, alphabet)[0],
                lambda texts, _: line_accuracy(texts, truth),
            )
        case "sentence-encoder":
            words = "texts with the float model's nearest neighbour"
            return TaskAccuracy(words, lambda output: output[0], same_nearest)
        case _:
            return None
