"""Qconfigs: what quantizes a module's inputs, weight and output."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import nn

from .._twofold import Error
from ..dtype import QuantDType, qint4, qint8, to_dtype
from ._factory import Factory
from .fake_cast import FakeCast
from .fake_quantize import FakeQuantize, default_weight_8bit_fake_quant
from .observer_v2 import HistogramObserver, MinMaxObserver, MSEObserver

__all__ = ["QConfig", "get_qconfig", "to_qconfig"]


@dataclass(frozen=True)
class QConfig:
    """What makes the fake quantizers of a module: FakeQuantize.with_args(...) or FakeCast's.

    `output` (by its older name `activation`; both may not be given) quantizes the result; None: it
    stays in high precision. `weight` the weight; None: float. `input` the inputs, where they are to
    be otherwise than their producers quantize them; a list has one per input, None among them for
    those that are as they come. Raises TypeError for anything else.
    """

    activation: Any = None
    weight: Any = None
    input: Any = None
    output: Any = None

    def __post_init__(self) -> None:
        """Make all parts factories."""
        output, activation = self.output, self.activation
        if output is not None and activation is not None and output is not activation:
            raise TypeError("QConfig: activation is the older name of output; give one of them")
        output = _factory(output if output is not None else activation, "output")
        inputs = self.input
        if isinstance(inputs, list | tuple):
            inputs = tuple(_factory(part, "input") for part in inputs)
        else:
            inputs = _factory(inputs, "input")
        parts = {"activation": output, "output": output, "input": inputs}
        parts["weight"] = _factory(self.weight, "weight")
        for name, part in parts.items():
            object.__setattr__(self, name, part)


def _factory(part: Any, name: str) -> Factory | None:
    if part is None or part is nn.Identity:
        return None
    cls = part.func if isinstance(part, partial) else part
    if not (isinstance(cls, type) and issubclass(cls, FakeQuantize | FakeCast)):
        raise TypeError(
            f"QConfig: {name} is {part}; it must be FakeQuantize.with_args(observer=..., "
            "dtype=...) or FakeCast.with_args(dtype=...) of twofold.quantization, or None"
        )
    if isinstance(part, partial) and part.args:
        raise TypeError(f"QConfig: {name} is {part}; give its arguments by name")
    if isinstance(part, Factory):
        return part
    return Factory(cls, **(part.keywords if isinstance(part, partial) else {}))


def to_qconfig(value: Any) -> QConfig | None:
    """A qconfig of ours or torch's two-argument one as ours; None (float) stays None.

    Raises TypeError for anything else, and for parts that are not ours.
    """
    if value is None or isinstance(value, QConfig):
        return value
    if getattr(value, "_fields", None) == ("activation", "weight"):
        return QConfig(activation=value.activation, weight=value.weight)
    raise TypeError(
        f"{value!r} is no qconfig; write twofold.quantization.get_qconfig(...) or QConfig(...)"
    )


def get_qconfig(
    observer: type = HistogramObserver,
    in_dtype: Any = qint8,
    weight_dtype: Any = qint8,
    out_dtype: Any = qint8,
    fix_scale: bool = False,
) -> QConfig:
    """A qconfig whose activations `observer` observes: MinMax-, MSE- or HistogramObserver.

    Weights are observed by MinMaxObserver, with a scale per channel that follows them. `fix_scale`:
    scales of activations stay as they were calibrated (averaging_constant 0). A dtype is any that
    `twofold.dtype.to_dtype` takes; qint4 for weights alone. Raises twofold.Error for other
    observers.
    """
    if observer not in (MinMaxObserver, MSEObserver, HistogramObserver):
        raise Error(
            f"get_qconfig: observer is {getattr(observer, '__name__', observer)}; it takes "
            "MinMaxObserver, MSEObserver and HistogramObserver, which need no arguments of their "
            "own; for others write QConfig(output=FakeQuantize.with_args(observer=...), ...)"
        )
    for name, dtype in (("in_dtype", in_dtype), ("out_dtype", out_dtype)):
        if to_dtype(dtype) == qint4:
            raise Error(f"get_qconfig: {name} is qint4, which is for weights; use qint8 or qint16")
    arguments = {"averaging_constant": 0} if fix_scale else {}
    activation = FakeQuantize.with_args(observer=observer, **arguments)
    return QConfig(
        input=_of_dtype(activation, in_dtype),
        weight=_of_dtype(default_weight_8bit_fake_quant, weight_dtype),
        output=_of_dtype(activation, out_dtype),
    )


def _of_dtype(factory: Factory, dtype: Any) -> Factory:
    dtype = to_dtype(dtype)
    is_integer = isinstance(dtype, QuantDType)
    return factory.with_args(dtype=dtype) if is_integer else FakeCast.with_args(dtype=dtype)
