"""What the input of a qconfig asks for, and what it only says by default."""

from dataclasses import replace
from typing import Any

from ...dtype import qint8
from .._canonicalize.precisions import has_fixed_scale
from .._qconfig import QConfig
from .._qconfig_parts import factory_dtype


def without_default_input(qconfig: QConfig) -> QConfig:
    """A qconfig without an input that asks for 8 bits, which is what get_qconfig says by default.

    Inputs then are as their producers quantize them. A list with a part per input is left alone,
    and so is a scale that is given.
    """
    part: Any = qconfig.input
    if isinstance(part, tuple) or has_fixed_scale(part) or factory_dtype(part) != qint8:
        return qconfig
    return replace(qconfig, input=None)
