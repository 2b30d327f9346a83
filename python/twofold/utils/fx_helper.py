"""What is left untraced, where older scripts import it from."""

from ..fx.fx_helper import wrap

__all__ = ["wrap"]
