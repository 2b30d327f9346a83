"""What becomes of products with two 16-bit inputs."""

from collections.abc import Mapping
from typing import NamedTuple

from ...dtype import qint8
from .._layers import data_positions, is_output, producer, readers, weight_position
from .._ops.op import Kind
from .._record.graph import Layer
from .precisions import Precisions, bits_of, is_integer
from .wanted_inputs import move_to_producers, stub_scale


class _Factor(NamedTuple):
    """One of the two inputs of a product, and what speaks for it."""

    position: int
    name: str  # in rankings: of its producer, or "<layer>.weight"
    order: int  # of its producer


def keep_one_wide_input(precisions: Precisions, ranking: Mapping[str, int]) -> None:
    """Fallback V1: of two 16-bit inputs of a Gemm-type operator one stays, the other gets int8.

    The one stays whose producer stands first in `ranking` (names that setters gave; weights are
    "<layer>.weight"), or else the one whose producer runs first. Inputs of the model run before
    all layers; weights and other constants come last.
    """
    tried = precisions.copy()
    move_to_producers(tried)
    order = {layer: i for i, layer in enumerate(precisions.recording.layers)}
    for layer in precisions.layers:
        factors = _factors(layer, order)
        if len(factors) < 2 or not all(_is_wide(tried, layer, f.position) for f in factors):
            continue
        kept, other = sorted(factors, key=lambda f: (ranking.get(f.name, len(ranking)), f.order))
        why = (
            f"fallback V1 keeps one 16-bit input of a {layer.op.name}: "
            f"input{kept.position}, {_reason(kept, other, ranking)}"
        )
        if other.position == weight_position(layer):
            precisions.set_weight(layer, qint8, why)
            continue
        before = tried.input(layer, other.position)
        precisions.set_input(layer, other.position, qint8, why, before)
        _narrow_producer(precisions, layer, other.position)


def _factors(layer: Layer, order: Mapping[Layer, int]) -> list[_Factor]:
    if layer.kind is not Kind.GEMM:
        return []
    weight, factors = weight_position(layer), []
    for position in data_positions(layer)[:2]:
        source = producer(layer.inputs[position])
        last = len(order) if layer.inputs[position].is_constant else -1
        factors.append(
            _Factor(
                position,
                "" if source is None else source.name,
                last if source is None else order[source],
            )
        )
    if weight is not None:
        factors = [*factors[:1], _Factor(weight, f"{layer.name}.weight", len(order))]
    return factors


def _is_wide(precisions: Precisions, layer: Layer, position: int) -> bool:
    dtype = precisions.input(layer, position)
    return is_integer(dtype) and bits_of(dtype) == 16


def _reason(kept: _Factor, other: _Factor, ranking: Mapping[str, int]) -> str:
    if kept.name == other.name:
        return "the first"
    if kept.name in ranking:
        return f"as '{kept.name}' is what setters name first"
    if not kept.name:
        return "which no layer computes"
    return f"as '{kept.name}' runs first"


def _narrow_producer(precisions: Precisions, layer: Layer, position: int) -> None:
    """Nobody needs 16 bits of which all readers take 8."""
    source = producer(layer.inputs[position])
    if source is None or source.name not in precisions.outputs:
        return
    if not _is_wide_output(precisions, source) or is_output(precisions.recording, source):
        return
    if precisions.has_fixed_output(source) or stub_scale(source) is not None:
        return
    for reader, at in readers(source):
        if precisions.requests.get((reader.name, at)) != qint8:
            return
    precisions.set_output(source, qint8, "all that read it take qint8")


def _is_wide_output(precisions: Precisions, layer: Layer) -> bool:
    dtype = precisions.outputs[layer.name]
    return is_integer(dtype) and bits_of(dtype) == 16
