"""The ways to find out what a model calls."""

from enum import Enum


class PrepareMethod(Enum):
    """How the operators of a model are found.

    JIT runs it on the example inputs and takes everything; JIT_STRIP what lies between QuantStub
    and DeQuantStub, or everything where there are none. SYMBOLIC takes what JIT_STRIP does of a
    model that torch.fx can trace, and needs no example inputs. EAGER takes modules alone: those of
    torch.nn and FloatFunctionals are quantized, functional calls stay float, and nothing is fused
    but what `fuse_modules` was told; without example inputs nobody knows who feeds whom.
    """

    EAGER = "eager"
    SYMBOLIC = "symbolic"
    JIT = "jit"
    JIT_STRIP = "jit-strip"

    @classmethod
    def _missing_(cls, value: object) -> None:
        methods = ", ".join(f'"{method.value}"' for method in cls)
        raise ValueError(f"there is no method {value!r}; there are {methods}")
