"""What all templates have in common."""

from abc import ABC, abstractmethod

from ..._twofold import Error
from .specs import Specs


class Template(ABC):
    """Says something about some layers; of two templates the later one wins."""

    @abstractmethod
    def apply(self, specs: Specs) -> list[str]:
        """Say it; returns the layers that it names, in order, for the fallback V1."""


def layers_with_prefix(specs: Specs, prefix: str | None, template: str) -> list[str]:
    """All layers, or those at and below a module. twofold.Error where there are none."""
    if prefix is None:
        return list(specs.layers)
    found = specs.context.find(prefix)
    if not found:
        raise Error(f"{template}: prefix: {specs.context.names.unknown(prefix)}")
    return found
