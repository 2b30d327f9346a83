"""The dict of prepare_qat_fx."""

from collections.abc import Mapping
from typing import Any

from .base import QconfigSetterBase
from .context import SetterContext
from .module_name import ModuleNameQconfigSetter

_KEYS = ("", "module_type", "module_name")


class QconfigDictSetter(QconfigSetterBase):
    """{"": qconfig, "module_type": [(type, qconfig)], "module_name": [(name, qconfig)]}.

    A name beats a type, and a type "". Types are classes, or names of functional operators.
    """

    def __init__(self, qconfigs: Mapping[str, Any]):
        unknown = [key for key in qconfigs if key not in _KEYS]
        if unknown:
            raise ValueError(
                f"qconfig_dict: there is no {unknown[0]!r}; there are '', 'module_type' and "
                "'module_name'"
            )
        self.qconfigs = dict(qconfigs)

    def apply(self, context: SetterContext) -> None:
        """Decide by name, then by type, then all that is left."""
        setter = type(self).__name__
        names = dict(self.qconfigs.get("module_name", ()))
        if names:
            ModuleNameQconfigSetter(names).apply(context)
        for kind, qconfig in self.qconfigs.get("module_type", ()):
            for name, layer in context.layers.items():
                is_type = isinstance(kind, type) and isinstance(layer.module, kind)
                if is_type or layer.op.name == kind:
                    context.decide(name, qconfig, setter)
        if "" in self.qconfigs:
            for name in context.layers:
                context.decide(name, self.qconfigs[""], setter)
