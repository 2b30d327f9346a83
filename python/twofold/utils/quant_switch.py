"""Quantization off for a part of a forward."""

__all__ = ["GlobalFakeQuantSwitch"]


class GlobalFakeQuantSwitch:
    """Between `disable()` and `enable()` the model computes in float.

    To be called in a forward, around a part of it. Fake quantizers there neither quantize nor
    observe, in any state and any model.
    """

    _enabled = True

    @classmethod
    def disable(cls) -> None:
        """From here on, float."""
        GlobalFakeQuantSwitch._enabled = False

    @classmethod
    def enable(cls) -> None:
        """From here on, as the states say."""
        GlobalFakeQuantSwitch._enabled = True

    @classmethod
    def is_enabled(cls) -> bool:
        """Whether fake quantizers do what their states say."""
        return GlobalFakeQuantSwitch._enabled
