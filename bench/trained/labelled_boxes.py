"""Boxes with labels: the best of those that overlap, and how well two sets of them agree."""

import numpy as np

from task_accuracy import f1_of_boxes, intersections_over_unions


def suppress(boxes, scores, overlap):
    """Indices of boxes [N,4] (top, left, bottom, right): the best score first, none that overlaps a better one."""
    kept = []
    for i in np.argsort(-scores):
        if not kept or intersections_over_unions(boxes[i : i + 1], boxes[kept]).max() <= overlap:
            kept.append(i)
    return kept


def suppress_by_label(boxes, scores, threshold, overlap):
    """{label: [N,4]} of boxes [M,4] whose scores [M,labels] are above the threshold."""
    found = {}
    for label in range(scores.shape[1]):
        chosen = np.flatnonzero(scores[:, label] > threshold)
        if chosen.size:
            kept = suppress(boxes[chosen], scores[chosen, label], overlap)
            found[label] = boxes[chosen][kept]
    return found


def f1_of_labelled_boxes(images, references):
    """F1 in percent over all images: a box counts if its label is right too. 100 where there are none at all."""
    none = np.zeros((0, 4))
    mine, theirs = [], []
    for found, expected in zip(images, references, strict=True):
        for label in sorted(found.keys() | expected.keys()):
            mine.append(found.get(label, none))
            theirs.append(expected.get(label, none))
    return f1_of_boxes(mine, theirs) if sum(map(len, mine + theirs)) else 100.0


def box_score(decode):
    """A network's score: F1 of what decode(outputs) finds, {label: boxes [N,4]}, against the float network's."""

    def score(outputs, references, _):
        return f1_of_labelled_boxes(list(map(decode, outputs)), list(map(decode, references)))

    return score
