"""Names of the original that raise where they would be used, and say what to use."""

from typing import Any

from .._twofold import Error

__all__ = ["DynamicFakeQuantize", "PACTFakeQuantize"]


class _Refused:
    instead = ""

    def __init__(self, *args: Any, **kwargs: Any):
        """Raises twofold.Error."""
        raise Error(f"{type(self).__name__}: {self.instead}")

    @classmethod
    def with_args(cls, **kwargs: Any) -> "_Refused":
        """Raises twofold.Error."""
        return cls(**kwargs)


class PACTFakeQuantize(_Refused):
    """Not here: raises twofold.Error."""

    instead = (
        "it learns where to clip; so does a learned scale: use FakeQuantize.with_args("
        "learnable=True, ...)"
    )


class DynamicFakeQuantize(_Refused):
    """Not here: raises twofold.Error."""

    instead = (
        "it makes a scale for each input when the model runs, and the engine's scales are in the "
        "file; use FakeQuantize with an observer"
    )
