"""All rules, in their order."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from .._layers import data_positions, weight_position
from .._qconfig import QConfig
from .._record.graph import Layer, Recording
from .fallback import keep_one_wide_input
from .grid import widen_grids
from .outputs import keep_outputs_precise
from .own_inputs import quantize_own_inputs
from .precisions import Change, Precisions
from .tables import widen_tables
from .wanted_inputs import drop_met_requests, move_to_producers


class Canonical(NamedTuple):
    """Qconfigs that fit together, and all that was changed for it.

    In `qconfigs` an input is a tuple with a part per position of the layer's inputs, None for those
    that are as their producer quantizes them; or None as a whole.
    """

    qconfigs: dict[str, QConfig | None]
    changes: list[Change]


def canonicalize(
    recording: Recording,
    qconfigs: Mapping[str, QConfig | None],
    *,
    policy: str = "v2",
    ranking: Mapping[str, int] | None = None,
    optimize: bool = True,
) -> Canonical:
    """Make what was asked of single layers fit together. Pure: nothing that is given changes.

    `qconfigs` are by the names of layers; None, or a layer that is missing, is float. `policy` is
    "v1" or "v2", what becomes of products with two 16-bit inputs; `ranking` is whom v1 prefers.
    `optimize` does what nobody asked for and nearly everybody wants: high precision in front of a
    DeQuantStub, 16 bits for grids.
    """
    precisions = Precisions(recording, qconfigs)
    quantize_own_inputs(precisions, products=True)
    widen_tables(precisions)
    if optimize:
        widen_grids(precisions)
        keep_outputs_precise(precisions)
    if policy == "v1":
        keep_one_wide_input(precisions, ranking or {})
    move_to_producers(precisions)
    quantize_own_inputs(precisions, products=False)
    drop_met_requests(precisions)
    floats = {name: None for name, qconfig in qconfigs.items() if qconfig is None}
    return Canonical({**floats, **precisions.as_qconfigs()}, precisions.changes)


def input_dtypes(
    recording: Recording, qconfigs: Mapping[str, QConfig | None]
) -> dict[tuple[str, int], Any]:
    """What every input of a layer with a qconfig is, weights too: {(layer, position): dtype}.

    A QuantDType, torch.float16 or torch.float32; of several calls of a module, in the last one.
    `qconfigs` are as `canonicalize` returns them.
    """
    return {
        (layer.name, position): dtype for layer, position, dtype in call_dtypes(recording, qconfigs)
    }


def call_dtypes(
    recording: Recording, qconfigs: Mapping[str, QConfig | None]
) -> Iterator[tuple[Layer, int, Any]]:
    """The same call by call: layer, position, dtype."""
    precisions = Precisions(recording, qconfigs)
    for layer in precisions.layers:
        weight = weight_position(layer)
        for position in [*data_positions(layer), *([] if weight is None else [weight])]:
            yield layer, position, precisions.input(layer, position)
