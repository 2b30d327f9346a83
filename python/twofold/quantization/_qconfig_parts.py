"""The dtypes of a qconfig: reading and changing them, as setters do."""

from typing import Any

import torch

from ..dtype import QuantDType, qint8, to_dtype
from ._factory import Factory
from ._qconfig import QConfig, get_qconfig, to_qconfig
from .fake_cast import FakeCast

__all__ = [
    "PARTS",
    "dtype_of",
    "factory_dtype",
    "factory_with_dtype",
    "replace_qconfig_dtype",
    "with_dtype",
]

PARTS = ("input", "weight", "output")


def factory_dtype(factory: Factory | None) -> QuantDType | torch.dtype | None:
    """The dtype of what one part of a qconfig makes; None where there is no part."""
    if factory is None:
        return None
    default = torch.float16 if issubclass(factory.func, FakeCast) else qint8
    return to_dtype(factory.keywords.get("dtype", default))


def factory_with_dtype(factory: Factory | None, dtype: Any, like: Factory | None = None) -> Factory:
    """One part of a qconfig with another dtype.

    Its observer and all else stay (a fixed scale too: the same scale, of other integers). A part
    that is missing or a FakeCast becomes `like` (by default, the output of get_qconfig()) where
    dtype is an integer's; any part becomes a FakeCast where it is torch.float16 or torch.float32.
    """
    dtype = to_dtype(dtype)
    if not isinstance(dtype, QuantDType):
        return FakeCast.with_args(dtype=dtype)
    if factory is None or issubclass(factory.func, FakeCast):
        factory = like if like is not None else get_qconfig().output
    return factory.with_args(dtype=dtype)


def dtype_of(qconfig: QConfig, part: str) -> Any:
    """The dtype of "input", "weight" or "output": a QuantDType, torch.float16 or torch.float32.

    None where the qconfig does not say. A list of these where there is one per input.
    """
    factory = getattr(qconfig, _checked(part))
    if isinstance(factory, tuple):
        return [factory_dtype(one) for one in factory]
    return factory_dtype(factory)


def with_dtype(qconfig: QConfig, part: str, dtype: Any, like: QConfig | None = None) -> QConfig:
    """A qconfig with another dtype of "input", "weight" or "output", by `factory_with_dtype`.

    `dtype` in any spelling; None takes the part out; for "input" also a list, one per input (None:
    as its producer's). `like` is the qconfig whose part stands in for one that has no observer, by
    default get_qconfig().
    """
    factory = getattr(qconfig, _checked(part))
    instead = getattr(get_qconfig() if like is None else like, part)
    if isinstance(dtype, list | tuple):
        if part != "input":
            raise TypeError(f"a list of dtypes is for inputs; the {part} has one dtype")
        changed = tuple(
            _changed(_at(factory, i), one, _at(instead, i)) for i, one in enumerate(dtype)
        )
    else:
        changed = _changed(_at(factory, 0), dtype, _at(instead, 0))
    parts = {name: getattr(qconfig, name) for name in PARTS}
    return QConfig(**{**parts, part: changed})


def replace_qconfig_dtype(qconfig: QConfig, dtype: Any) -> QConfig:
    """The same with another dtype of activations: output, and input where there is one.

    Observers and the weight stay; what is None, or a FakeCast, stays too.
    """

    def replaced(factory: Any) -> Any:
        if isinstance(factory, tuple):
            return tuple(replaced(one) for one in factory)
        if factory is None or issubclass(factory.func, FakeCast):
            return factory
        return factory_with_dtype(factory, dtype)

    qconfig = to_qconfig(qconfig)
    return QConfig(
        input=replaced(qconfig.input), weight=qconfig.weight, output=replaced(qconfig.output)
    )


def _changed(factory: Factory | None, dtype: Any, like: Factory | None) -> Factory | None:
    return None if dtype is None else factory_with_dtype(factory, dtype, like)


def _at(factory: Any, position: int) -> Factory | None:
    """The part for one of several inputs."""
    if not isinstance(factory, tuple):
        return factory
    return factory[position] if position < len(factory) else None


def _checked(part: str) -> str:
    if part not in PARTS:
        raise ValueError(f"a qconfig has no part {part!r}; there are {', '.join(PARTS)}")
    return part
