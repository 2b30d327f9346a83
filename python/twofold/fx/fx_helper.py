"""What is left untraced."""

from ..quantization._record.untraced import wrap

__all__ = ["wrap"]
