"""What forwards ask while `prepare` runs them."""

from ..quantization._record import recorder as recording
from ..quantization._record.blocks import dynamic_block

__all__ = ["Tracer", "dynamic_block"]


class Tracer:
    """The run of a model that is recorded."""

    dynamic_block = staticmethod(dynamic_block)

    @staticmethod
    def is_tracing() -> bool:
        """Whether the forward that asks is being recorded, for `prepare` or for an export."""
        return recording.active() is not None
