"""The canonicalizer, where some scripts import it from."""

from ..quantization.fx.graph_optimizers import FallbackStrategyVersion, QconfigCanonicalizer

__all__ = ["FallbackStrategyVersion", "QconfigCanonicalizer"]
