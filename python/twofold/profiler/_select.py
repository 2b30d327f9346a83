"""Which layers are asked for: by the beginnings of their names, and by their types."""

import inspect
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any

from ..quantization._ops import op_of_function, op_of_module


class Selection:
    """Layers whose name begins with one of `prefixes` and whose type is one of `types`.

    Nothing given is all. `types` are classes, torch.nn.Conv2d or the prepared one, or functions,
    torch.add. Raises ValueError for a type that is no operator.
    """

    def __init__(self, prefixes: str | Iterable[str] | None = None, types: Any = None):
        self.prefixes = (prefixes,) if isinstance(prefixes, str) else tuple(prefixes or ())
        types = (types,) if callable(types) else tuple(types or ())
        self._ops = {_op_name(type_) for type_ in types}

    def takes(self, name: str, op_name: str) -> bool:
        """Whether a layer is meant."""
        if self._ops and op_name not in self._ops:
            return False
        return not self.prefixes or name.startswith(self.prefixes)

    def check(self, names: Iterable[str]) -> None:
        """Raise ValueError, with the nearest names, for a prefix that no name begins with."""
        names = [*names]
        for prefix in self.prefixes:
            if not any(name.startswith(prefix) for name in names):
                nearest = " or ".join(repr(n) for n in get_close_matches(prefix, names, 3, 0.5))
                hint = f"; did you mean {nearest}?" if nearest else ""
                raise ValueError(f"prefixes: no layer's name begins with {prefix!r}{hint}")


def _op_name(type_: Any) -> str:
    if inspect.isclass(type_):
        op = op_of_module(getattr(type_, "original", type_))
    else:
        op = op_of_function(type_)
    if op is None:
        raise ValueError(
            f"types: {type_!r} is no operator that Twofold knows; give classes such as "
            "torch.nn.Conv2d, or functions such as torch.add"
        )
    return op.name
