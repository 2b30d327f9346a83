"""What templates have said about every layer so far."""

from collections.abc import Mapping
from typing import Any

import torch

from ..._twofold import Error
from ...dtype import QuantDType, qint8, to_dtype
from .._factory import Factory
from .._fixed_scale import FixedScaleObserver
from .._layers import data_positions, weight_position
from .._qconfig import QConfig
from .._qconfig_parts import factory_dtype, factory_with_dtype
from .._record.graph import Layer
from .._setters.context import SetterContext
from .._setters.default_input import without_default_input
from ..fake_quantize import FakeQuantize

# "output", "weight" or the position of an input.
Part = str | int


class Specs:
    """Dtypes and thresholds by (layer, part), over a reference qconfig that says all the rest."""

    def __init__(self, context: SetterContext, reference: QConfig):
        self.context = context
        self._reference = reference
        self._said: dict[tuple[str, Part, str], Any] = {}
        self._frozen: set[tuple[str, Part, str]] = set()

    @property
    def layers(self) -> Mapping[str, Layer]:
        """By name."""
        return self.context.layers

    def set(self, layer: str, part: Part, what: str, value: Any) -> None:
        """Say the "dtype" or the "threshold" of a part, unless that is frozen."""
        if (layer, part, what) not in self._frozen:
            self._said[layer, part, what] = value

    def freeze(self, layer: str, part: Part, what: str) -> None:
        """Let nothing that comes later change it."""
        self._frozen.add((layer, part, what))

    def parts(self, layer: str) -> list[Part]:
        """What there is of a layer to say something about."""
        recorded = self.layers[layer]
        weight = [] if weight_position(recorded) is None else ["weight"]
        return ["output", *weight, *data_positions(recorded)]

    def qconfig(self, layer: str) -> QConfig:
        """What has been said, as a qconfig."""
        positions = data_positions(self.layers[layer])
        inputs: list[Factory | None] = [None] * (1 + max(positions, default=-1))
        for position in positions:
            inputs[position] = self._input(layer, position)
        return QConfig(
            input=tuple(inputs) or None,
            weight=self._made(layer, "weight", self._reference.weight),
            output=self._made(layer, "output", self._reference.output),
        )

    def _input(self, layer: str, position: int) -> Factory | None:
        """A part where somebody wants it otherwise than its producer has it."""
        given = self._reference.input
        given = given[position : position + 1] or (None,) if isinstance(given, tuple) else (given,)
        said = any((layer, position, what) in self._said for what in ("dtype", "threshold"))
        if not said:
            wanted = without_default_input(self._reference).input
            return None if wanted is None else given[0]
        part = given[0] if given[0] is not None else self._reference.output
        return self._made(layer, position, part)

    def _made(self, layer: str, part: Part, like: Factory | None) -> Factory | None:
        dtype = self._said.get((layer, part, "dtype"))
        made = like if dtype is None else factory_with_dtype(like, dtype)
        threshold = self._said.get((layer, part, "threshold"))
        return made if threshold is None else _fixed(layer, part, made, threshold)


def checked_dtype(value: Any, where: str) -> Any:
    """A dtype in any spelling as the object; TypeError that says where it stands."""
    if value == "del":
        raise Error(
            f"{where}: 'del' is not taken here; give the dtype that the input is to have, "
            "torch.float32 for none"
        )
    try:
        return to_dtype(value)
    except TypeError as error:
        raise TypeError(f"{where}: {error}") from None


def _fixed(layer: str, part: Part, made: Factory | None, threshold: Any) -> Factory:
    """The part with the scale threshold / 2^(bits - 1)."""
    dtype = qint8 if made is None else factory_dtype(made)
    what = part if isinstance(part, str) else f"input{part}"
    if not isinstance(dtype, QuantDType):
        raise Error(f"'{layer}': the threshold of its {what} means nothing, since that is {dtype}")
    limits = torch.as_tensor(threshold, dtype=torch.float32).detach().reshape(-1)
    if limits.numel() > 1 and part != "weight":
        raise ValueError(
            f"'{layer}': its {what} has one threshold, not {limits.numel()}; weights may have one "
            "per channel"
        )
    if not bool((limits.isfinite() & (limits > 0)).all()):
        raise ValueError(f"'{layer}': the threshold of its {what} must be above 0, not {threshold}")
    axis = {"ch_axis": 0} if limits.numel() > 1 else {}
    return FakeQuantize.with_args(
        observer=FixedScaleObserver, dtype=dtype, scale=limits / -dtype.min, **axis
    )
