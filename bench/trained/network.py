"""What a trained network is here: a model of fixed shapes, samples, and a measure of its answers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import onnx
from onnx import version_converter

CALIBRATION_SEED, HELD_OUT_SEED = 1, 2
OLDEST_OPSET, NEWER_OPSET = 13, 17  # the first has scales per channel, which the peers need

Arrays = dict[str, np.ndarray]


class Samples(NamedTuple):
    """Feeds of a network, and what is known of each: the text that was drawn, the notes that are played."""

    feeds: list[Arrays]
    truths: list[Any]


@dataclass(frozen=True)
class TrainedNetwork:
    """A network out of a package, `source`.

    `sample(count, seed)` makes Samples; those of another seed have nothing in common with them. `score(outputs,
    references, truths)` takes the outputs of a model and of the float one, a dict per sample, and gives what `metric`
    says, more being better.
    """

    name: str
    source: str
    licence: str
    metric: str
    load: Callable[[], onnx.ModelProto]
    sample: Callable[[int, int], Samples]
    score: Callable[[list[Arrays], list[Arrays], list[Any]], float]
    calibration_count: int = 32
    held_out_count: int = 200

    def calibration(self):
        """Feeds that ranges may be taken from."""
        return self.sample(self.calibration_count, CALIBRATION_SEED).feeds

    def held_out(self):
        """Samples that are measured."""
        return self.sample(self.held_out_count, HELD_OUT_SEED)


def fix_shapes(model, shapes):
    """The model with these shapes of its inputs, and an opset that has scales per channel."""
    used = {node.domain for node in model.graph.node} | {""}
    domains = [entry for entry in model.opset_import if entry.domain in used]
    del model.opset_import[:]
    model.opset_import.extend(domains)
    if next(entry.version for entry in domains if entry.domain == "") < OLDEST_OPSET:
        model = version_converter.convert_version(model, NEWER_OPSET)
    for value in model.graph.input:
        for dim, size in zip(value.type.tensor_type.shape.dim, shapes.get(value.name, ()), strict=False):
            dim.dim_value = size
    for value in model.graph.output:
        value.type.tensor_type.ClearField("shape")
    del model.graph.value_info[:]
    return onnx.shape_inference.infer_shapes(model)
