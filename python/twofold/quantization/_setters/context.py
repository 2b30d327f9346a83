"""What setters see of a model, and where their decisions go."""

import logging
from collections.abc import Mapping
from typing import Any

from torch import nn

from .._layers import quantizable
from .._qconfig import QConfig, to_qconfig
from .._record.graph import Layer, Recording
from .default_input import without_default_input
from .names import Names

_log = logging.getLogger("twofold.quantization")


class SetterContext:
    """A recorded model, its names, and what has been decided about its layers so far.

    `layers` are those that may be quantized, by name: of a shared module the first call. `members`
    says which layers another one computes along: {"bn1": "conv1"}. `example_inputs` and
    `example_kw_inputs` are those of prepare. `decided` holds qconfigs by the names of layers,
    `ranking` numbers what setters name, in the order in which they do so (a weight is
    "<layer>.weight"), `messages` are what users are told, in order.
    """

    def __init__(
        self,
        model: nn.Module,
        recording: Recording,
        example_inputs: Any = (),
        example_kw_inputs: Mapping[str, Any] | None = None,
        members: Mapping[str, str] | None = None,
    ):
        self.model, self.recording = model, recording
        self.example_inputs, self.example_kw_inputs = example_inputs, dict(example_kw_inputs or {})
        self.layers: dict[str, Layer] = {}
        for layer in quantizable(recording):
            self.layers.setdefault(layer.name, layer)
        own = {module: name for name, module in model.named_modules()}
        paths = dict(model.named_modules(remove_duplicate=False))
        others = {path: own[module] for path, module in paths.items()}
        shared = {path: name for path, name in others.items() if path != name}
        self.names = Names(self.layers, paths, {**shared, **(members or {})})
        self.decided: dict[str, QConfig | None] = {}
        self.ranking: dict[str, int] = {}
        self.messages: list[str] = []

    def find(self, name: str) -> list[str]:
        """The layers that a name stands for, in any spelling; none if it is unknown."""
        return self.names.find(name)

    def decide(self, layer: str, qconfig: Any, setter: str) -> None:
        """Give a layer its qconfig, unless an earlier setter has.

        `qconfig` is a QConfig, torch's own too, or None for float; anything else is a TypeError
        that names the layer and the setter. An input of 8 bits asks for nothing, unless inputs are
        listed one by one: see `without_default_input`.
        """
        if layer in self.decided:
            return
        try:
            qconfig = to_qconfig(qconfig)
        except TypeError as error:
            raise TypeError(f"{setter} gives '{layer}' no qconfig: {error}") from None
        self.decided[layer] = None if qconfig is None else without_default_input(qconfig)

    def rank(self, name: str) -> None:
        """Note that a setter names this layer next."""
        self.ranking.setdefault(name, len(self.ranking))

    def say(self, message: str) -> None:
        """Tell the user, and keep it for the reports."""
        _log.warning(message)
        self.messages.append(message)
