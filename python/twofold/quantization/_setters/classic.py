"""Setters that give all layers the same qconfig."""

from .._qconfig import QConfig
from .base import QconfigSetterBase
from .context import SetterContext


class UniformQconfigSetter(QconfigSetterBase):
    """The same qconfig for every layer that has none yet."""

    def __init__(self, qconfig: QConfig):
        self.qconfig = qconfig

    def apply(self, context: SetterContext) -> None:
        """Decide all that is left."""
        for name in context.layers:
            context.decide(name, self.qconfig, type(self).__name__)
