"""Read text out of PP-OCRv4's recogniser and compare it with the truth."""

from pathlib import Path

import numpy as np
import onnx

BLANK = 0


def read_alphabet(model: Path) -> list[str]:
    """The character of each class: blank, the dictionary in the model's metadata, space."""
    properties = {entry.key: entry.value for entry in onnx.load(model).metadata_props}
    return ["", *properties["character"].splitlines(), " "]


def decode(probabilities: np.ndarray, alphabet: list[str]) -> list[str]:
    """Greedy CTC: float [B,T,classes] to B texts, without spaces at either end.

    Takes the best class of each step, then drops repeats and blanks.
    """
    texts = []
    for classes in probabilities.argmax(axis=2):
        starts = np.concatenate(([True], classes[1:] != classes[:-1]))
        kept = classes[starts & (classes != BLANK)]
        texts.append("".join(alphabet[index] for index in kept).strip())
    return texts


def edit_distance(a: str, b: str) -> int:
    """Fewest insertions, deletions and substitutions that turn `a` into `b`: O(len(a) len(b))."""
    row = list(range(len(b) + 1))
    for i, from_a in enumerate(a, 1):
        diagonal, row[0] = row[0], i
        for j, from_b in enumerate(b, 1):
            diagonal, row[j] = (
                row[j],
                min(row[j] + 1, row[j - 1] + 1, diagonal + (from_a != from_b)),
            )
    return row[-1]


def line_accuracy(texts: list[str], truth: list[str]) -> float:
    """Share of texts that equal the truth, in percent."""
    return 100.0 * sum(a == b for a, b in zip(texts, truth, strict=True)) / len(truth)


def char_accuracy(texts: list[str], truth: list[str]) -> float:
    """100 % less the edit distance per character of the truth, over all texts."""
    errors = sum(edit_distance(a, b) for a, b in zip(texts, truth, strict=True))
    return 100.0 * (1 - errors / sum(map(len, truth)))
