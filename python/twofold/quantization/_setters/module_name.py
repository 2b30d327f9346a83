"""Qconfigs by the names of modules."""

from collections.abc import Mapping
from typing import Any

from ..._twofold import Error
from .base import QconfigSetterBase
from .context import SetterContext


class ModuleNameQconfigSetter(QconfigSetterBase):
    """{name: qconfig}, each for the module of that name and all below it; None means float.

    The nearest name above a layer counts. A name that is not found is warned of, with the nearest
    ones; it is a twofold.Error where no name is found, or with `strict`.
    """

    def __init__(self, qconfigs: Mapping[str, Any], strict: bool = False):
        if not isinstance(qconfigs, Mapping) or not qconfigs:
            raise TypeError(
                "ModuleNameQconfigSetter takes a dict {name of a module: qconfig} with a name at "
                f"least, not {qconfigs!r}"
            )
        self.qconfigs = dict(qconfigs)
        self.strict = strict

    def apply(self, context: SetterContext) -> None:
        """Decide about the layers of every name."""
        named = {name: context.find(name) for name in self.qconfigs}
        self._refuse_unknown(context, [name for name, found in named.items() if not found])
        for name in self.qconfigs:
            layer = context.names.exact(name)
            if layer is not None:
                context.rank(layer)
        for layer, name in spread(context, named, self.qconfigs).items():
            context.decide(layer, self.qconfigs[name], type(self).__name__)

    def _refuse_unknown(self, context: SetterContext, unknown: list[str]) -> None:
        reasons = [context.names.unknown(name) for name in unknown]
        if unknown and (self.strict or len(unknown) == len(self.qconfigs)):
            raise Error(f"ModuleNameQconfigSetter: {'; '.join(reasons)}")
        for reason in reasons:
            context.say(f"ModuleNameQconfigSetter: {reason}")


def spread(
    context: SetterContext, named: Mapping[str, list[str]], values: Mapping[str, Any]
) -> dict[str, str]:
    """{layer: the name that counts for it}, of names and the layers that they stand for.

    A layer's own name beats the modules above it, and the nearest of these the others.
    twofold.Error where two names of one layer (fused, or a shared module) have different values.
    """
    chosen: dict[str, str] = {}
    for name, layers in named.items():
        own = context.names.exact(name)
        for layer in layers:
            before = chosen.get(layer)
            if before is None or _is_nearer(context, name, before, layer):
                chosen[layer] = name
            elif layer == own == context.names.exact(before) and values[name] != values[before]:
                raise Error(
                    f"'{before}' and '{name}' are the same layer, '{layer}', and are given "
                    "different qconfigs: keep one of the two names"
                )
    return chosen


def _is_nearer(context: SetterContext, name: str, other: str, layer: str) -> bool:
    def depth(name: str) -> int:
        return len(layer) + 1 if context.names.exact(name) == layer else len(name)

    return depth(name) > depth(other)
