"""Sentences: all-MiniLM-L6-v2 on the definitions and examples of WordNet."""

from functools import cache

import numpy as np
import onnx

import sentence_encoder
from task_accuracy import same_nearest

from .network import Samples, TrainedNetwork
from .wheels import debian_file

WORDNET = ("wordnet-base", "usr/share/wordnet/data.noun")


@cache
def glosses():
    """Token ids, [1,TOKENS] each, of every definition of a noun that is long enough to fill them."""
    vocabulary = sentence_encoder.read_vocabulary()
    lines = debian_file(*WORDNET).read_text(encoding="ascii").splitlines()
    texts = [line.split(" | ", 1)[1] for line in lines[::7] if " | " in line]
    ids = (sentence_encoder.tokenize(text, vocabulary) for text in texts if len(text) > 4 * sentence_encoder.TOKENS)
    return [np.array([row], np.int64) for row in ids if len(row) == sentence_encoder.TOKENS]


def sample_glosses(count, seed):
    """Other ones for another seed: 1 or 2."""
    rows = glosses()[seed % 2 :: 2]
    chosen = np.random.default_rng(seed).choice(len(rows), count, replace=False)
    return Samples([{"input_ids": rows[i]} for i in chosen], [None] * count)


def score_neighbours(outputs, references, _):
    """Texts whose nearest other text is the float network's."""
    return same_nearest(*([row["embedding"][0] for row in rows] for rows in (outputs, references)))


NETWORKS = [
    TrainedNetwork(
        "sentence-encoder",
        f"{sentence_encoder.REQUIREMENT}: all-MiniLM-L6-v2",
        "Apache-2.0",
        "texts with the float network's nearest neighbour, %",
        lambda: onnx.load(sentence_encoder.path()),
        sample_glosses,
        score_neighbours,
        calibration_count=64,
        held_out_count=300,
    )
]
