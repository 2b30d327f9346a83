"""Dtypes and thresholds by the names of modules."""

from collections.abc import Iterator, Mapping
from typing import Any

from ..._twofold import Error
from .specs import Part, Specs, checked_dtype
from .template import Template

_PARTS = ("input", "weight", "output")
_KEYS = ("dtype", "threshold", *_PARTS)
_ALLOWED = f"a dtype, or a dict with {', '.join(repr(key) for key in _KEYS)}"


class ModuleNameTemplate(Template):
    """{name: value}, each for the module of that name and all below it; "" is the whole model.

    A value is a dtype, of the output, or a dict:

        {"dtype": d}                    the output's
        {"dtype": {"input": d, "weight": d, "output": d}}, {"input": d, ...}   some parts'
        {"input": [d, d]}               one per input; None leaves one as it is
        {"threshold": t}                the output's scale is t / 128 of qint8, t / 32768 of qint16
        {"threshold": {"input": t, "weight": t, "output": t}}

    Thresholds are numbers or tensors, of a weight also one per channel. What a value does not
    mention stays. A layer's own name beats the modules above it. With `freeze` no later template
    changes what this one says. twofold.Error for names that are not found, with the nearest.
    """

    def __init__(self, config_mapping: Mapping[str, Any], freeze: bool = False):
        if not isinstance(config_mapping, Mapping) or not config_mapping:
            raise TypeError(
                f"ModuleNameTemplate takes a dict {{name: value}}, not {config_mapping!r}"
            )
        self.values = {name: list(_said(name, v)) for name, v in config_mapping.items()}
        self.freeze = freeze

    def apply(self, specs: Specs) -> list[str]:
        """Say it, what stands for more layers first."""
        names = specs.context.names
        reasons = [names.unknown(name) for name in self.values if not names.find(name)]
        if reasons:
            raise Error(f"ModuleNameTemplate: {'; '.join(reasons)}")
        own = {name: names.exact(name) for name in self.values}
        said: dict[tuple[str, Part, str], tuple[str, Any]] = {}
        for name in sorted(self.values, key=lambda name: (own[name] is not None, len(name))):
            for key, value in self._about(specs, name, own[name]):
                before = said.get(key)
                if before is not None and own[before[0]] == own[name] == key[0]:
                    _refuse_other(before, (name, value), key)
                said[key] = (name, value)
        for key, (_, value) in said.items():
            specs.set(*key, value)
            if self.freeze:
                specs.freeze(*key)
        return [layer for layer in own.values() if layer is not None]

    def _about(
        self, specs: Specs, name: str, own: str | None
    ) -> Iterator[tuple[tuple[str, Part, str], Any]]:
        """((layer, part, what), value) of one name."""
        layers = [own] if own is not None else specs.context.find(name)
        for part, what, value in self.values[name]:
            found = False
            for layer in layers:
                for of_layer, one in _spread(specs, layer, part, value, name, own is not None):
                    found = True
                    if one is not None:
                        yield (layer, of_layer, what), one
            if not found:
                raise Error(f"ModuleNameTemplate: '{name}' has no {part}")


def _said(name: str, value: Any) -> Iterator[tuple[str, str, Any]]:
    """(part, "dtype" or "threshold", value) of one entry; inputs may have a list."""
    where = f"ModuleNameTemplate: '{name}'"
    if not isinstance(value, Mapping):
        yield "output", "dtype", checked_dtype(value, where)
        return
    unknown = [key for key in value if key not in _KEYS]
    if unknown or not value:
        raise ValueError(f"{where} has {value!r}; it takes {_ALLOWED}")
    dtypes = {part: value[part] for part in _PARTS if part in value}
    for part, dtype in _by_part(value.get("dtype"), where).items():
        if part in dtypes:
            raise ValueError(f"{where} gives the dtype of its {part} twice")
        dtypes[part] = dtype
    for part, dtype in dtypes.items():
        yield part, "dtype", _each(dtype, part, where)
    for part, threshold in _by_part(value.get("threshold"), where).items():
        yield part, "threshold", threshold


def _by_part(value: Any, where: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        return {"output": value}
    unknown = [part for part in value if part not in _PARTS]
    if unknown:
        raise ValueError(f"{where} has {unknown[0]!r}; parts are {', '.join(_PARTS)}")
    return dict(value)


def _each(dtype: Any, part: str, where: str) -> Any:
    if not isinstance(dtype, list | tuple):
        return checked_dtype(dtype, where)
    if part != "input":
        raise TypeError(f"{where} has a list for its {part}; only inputs are several")
    return [None if one is None else checked_dtype(one, where) for one in dtype]


def _spread(
    specs: Specs, layer: str, part: str, value: Any, name: str, is_own: bool
) -> Iterator[tuple[Part, Any]]:
    """The parts of a layer that are meant: an input stands for each of them."""
    there = specs.parts(layer)
    if part != "input":
        if part in there:
            yield part, value
        return
    positions = [position for position in there if isinstance(position, int)]
    if not isinstance(value, list | tuple):
        yield from ((position, value) for position in positions)
    elif len(value) == len(positions):
        yield from zip(positions, value, strict=True)
    elif is_own:
        raise Error(
            f"ModuleNameTemplate: '{name}' has {len(positions)} inputs that can be quantized, and "
            f"{len(value)} are given"
        )


def _refuse_other(before: tuple[str, Any], now: tuple[str, Any], key: tuple) -> None:
    if before[1] is not now[1] and not bool(before[1] == now[1]):
        raise Error(
            f"ModuleNameTemplate: '{before[0]}' and '{now[0]}' are the same layer, '{key[0]}', and "
            f"have different values for its {key[1]}: keep one of the two names"
        )
