"""Quantized dtypes as users of QAT write them. Importing this needs no PyTorch."""

from typing import Any, NamedTuple

__all__ = [
    "QuantDType",
    "ec",
    "get_horizon_quant_dtype",
    "qinfo",
    "qint16",
    "qint32",
    "qint4",
    "qint8",
    "quint4",
    "to_dtype",
]


class QuantDType:
    """An integer type of quantized numbers: one object per type, equal to its name.

    `min` and `max` are its smallest and largest integer. `steps` is how many steps of its scale
    make the threshold of a symmetric range (docs/numerics.md, rule 2): scale = threshold / steps.
    """

    __slots__ = ("_name", "max", "min", "steps")

    def __init__(self, name: str, smallest: int, largest: int, steps: int):
        """Users find them in this module and make none."""
        self._name = name
        self.min = smallest
        self.max = largest
        self.steps = steps

    def __str__(self) -> str:
        """The name, e.g. "qint8"."""
        return self._name

    __repr__ = __str__

    def __eq__(self, other: object) -> bool:
        """Whether it is the same type, or its name."""
        return other == self._name if isinstance(other, str) else self is other

    def __hash__(self) -> int:
        """That of the name, so that both find an entry of a dict."""
        return hash(self._name)

    def __reduce__(self) -> str:
        """Copies and pickles are the object itself."""
        return self._name


qint4 = QuantDType("qint4", -8, 7, 7)
qint8 = QuantDType("qint8", -128, 127, 127)
qint16 = QuantDType("qint16", -32768, 32767, 32767)
qint32 = QuantDType("qint32", -(2**31), 2**31 - 1, 2**31 - 1)
quint4 = QuantDType("quint4", 0, 15, 15)
# 16 bits as two int8 digits (docs/numerics.md, rule 3); `scale` is the first digit's.
ec = QuantDType("ec", -32640, 32385, 127)

_QUANTIZED = {str(dtype): dtype for dtype in (qint4, qint8, qint16, qint32, quint4, ec)}
_FLOAT = {"float16": "float16", "half": "float16", "float32": "float32", "float": "float32"}


class QInfo(NamedTuple):
    """The range of an integer type."""

    min: int
    max: int


def to_dtype(value: Any) -> Any:
    """A dtype in any spelling, as the object: a QuantDType, torch.float16 or torch.float32.

    Taken are these objects, their names ("qint16", "float16", "torch.float32") and torch.qint8.
    Raises TypeError that lists them for anything else.
    """
    if isinstance(value, QuantDType):
        return value
    name = str(value).removeprefix("torch.")
    if name in _QUANTIZED:
        return _QUANTIZED[name]
    if name in _FLOAT:
        import torch

        return getattr(torch, _FLOAT[name])
    raise TypeError(
        f"{value!r} is no dtype of a quantized model; there are {', '.join(_QUANTIZED)}, "
        "torch.float16 and torch.float32, or their names"
    )


def qinfo(dtype: QuantDType | str) -> QInfo:
    """The smallest and the largest integer of a quantized dtype: (min, max).

    Raises TypeError for a float dtype and for what is none.
    """
    found = to_dtype(dtype)
    if not isinstance(found, QuantDType):
        raise TypeError(f"{dtype} has no range of integers; qinfo takes {', '.join(_QUANTIZED)}")
    return QInfo(found.min, found.max)


get_horizon_quant_dtype = to_dtype
