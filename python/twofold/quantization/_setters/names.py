"""What users call layers by, and which layers these are."""

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

# "name[add]" of a FloatFunctional's call, "name(1)" of a module's second call.
_CALL = re.compile(r"(\[\w+\]|\(\d+\))$")
# "<scope>_generated_<op>_<k>", as symbolic tracing writes "<scope>._generated_<op>_<k>".
_SIBLING = re.compile(r"(?<=[^.])_generated_(?=\w+_\d+)")
# What a composite operator has inside: "<scope>._generated_<op>_<k>.<inner>".
_INNER = re.compile(r"^((?:.*\.)?_generated_\w+_\d+)\..+$")


class Names:
    """The names of all layers, and every other way to say them.

    `layers` are the layers that may be quantized; `modules` are all paths of the model; `members`
    are layers that another one computes along: {name: the layer it stands under}.
    """

    def __init__(self, layers: Iterable[str], modules: Iterable[str], members: Mapping[str, str]):
        self._layers = dict.fromkeys(layers)
        self._members = {name: owner for name, owner in members.items() if owner in self._layers}
        self._modules = dict.fromkeys([*modules, *self._members])

    def find(self, name: str) -> list[str]:
        """The layers that a name stands for: one, or all below a module; none if it is unknown."""
        for spelling in _spellings(name):
            exact = self._exact(spelling)
            found = self.below(spelling) if exact is None else [exact]
            if found:
                return found
        return []

    def exact(self, name: str) -> str | None:
        """The one layer that a name stands for; None where it is unknown or a module above some."""
        return next(filter(None, map(self._exact, _spellings(name))), None)

    def below(self, name: str) -> list[str]:
        """The layers that a module's path is a part of; all for ""."""
        prefix = f"{name}." if name else ""
        found = [layer for layer in self._layers if layer == name or layer.startswith(prefix)]
        fused = [self._members[m] for m in self._members if m == name or m.startswith(prefix)]
        return list(dict.fromkeys([*found, *fused]))

    def is_module(self, name: str) -> bool:
        """Whether the model has a module of that name, with something to quantize in it or not."""
        return any(spelling in self._modules for spelling in _spellings(name))

    def nearest(self, name: str) -> list[str]:
        """Up to three known names that look like it, the nearest first."""
        known = dict.fromkeys([*self._layers, *filter(None, self._modules)])
        return get_close_matches(name, known, 3, 0.5)

    def unknown(self, name: str) -> str:
        """Why a name finds nothing, and what was perhaps meant."""
        if self.is_module(name):
            return (
                f"in '{name}' nothing computes that could be quantized, between QuantStub and "
                "DeQuantStub and with the example inputs"
            )
        nearest = " or ".join(f"'{near}'" for near in self.nearest(name))
        return f"there is no '{name}'" + (f"; did you mean {nearest}?" if nearest else "")

    def _exact(self, name: str) -> str | None:
        if name in self._layers:
            return name
        return self._members.get(name) or self._only_call(name)

    def _only_call(self, name: str) -> str | None:
        """The one call in a module that has nothing else in it, such as a FloatFunctional."""
        below = self.below(name) if name else []
        is_only = len(below) == 1 and below[0].startswith(f"{name}._generated_")
        return below[0] if is_only else None


def _spellings(name: str) -> list[str]:
    """The name itself first, then what else it may mean."""
    plain = _CALL.sub("", name)
    spellings = [name, plain, _SIBLING.sub("._generated_", plain)]
    inner = _INNER.match(spellings[-1])
    if inner:
        spellings.append(inner[1])
    return list(dict.fromkeys(spellings))
