"""The setter that templates make."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from .._qconfig import QConfig, to_qconfig
from .._setters.base import QconfigSetterBase
from .._setters.context import SetterContext
from .._setters.module_name import ModuleNameQconfigSetter
from .specs import Specs
from .template import Template


class QconfigSetter(QconfigSetterBase):
    """`reference_qconfig` for all layers, with the dtypes and thresholds that templates say.

    Of two templates the later one wins, unless the earlier one freezes. `custom_qconfig_mapping`
    ({name: qconfig}, None for float) beats all templates. With `enable_optimize` outputs that only
    a DeQuantStub reads stay precise, and grids of grid_sample get 16 bits, as classic setters have
    it. Its reports go to `save_dir`.
    """

    def __init__(
        self,
        reference_qconfig: QConfig,
        templates: Sequence[Template],
        enable_optimize: bool = False,
        save_dir: str | os.PathLike[str] = "./qconfig_setting",
        custom_qconfig_mapping: Mapping[str, Any] | None = None,
    ):
        self.reference_qconfig = to_qconfig(reference_qconfig)
        if self.reference_qconfig is None:
            raise TypeError("QconfigSetter: reference_qconfig is None; give get_qconfig()")
        self.templates = list(templates)
        for template in self.templates:
            if not isinstance(template, Template):
                raise TypeError(
                    f"QconfigSetter: {template!r} is no template; give objects such as "
                    "ModuleNameTemplate({...})"
                )
        self.enable_optimize = enable_optimize
        self.save_dir = os.fspath(save_dir)
        self.custom_qconfig_mapping = custom_qconfig_mapping

    def apply(self, context: SetterContext) -> None:
        """Decide about all layers that are left."""
        if self.custom_qconfig_mapping:
            ModuleNameQconfigSetter(self.custom_qconfig_mapping, strict=True).apply(context)
        specs = Specs(context, self.reference_qconfig)
        named = [template.apply(specs) for template in self.templates]
        for names in reversed(named):
            for name in names:
                context.rank(name)
        for name in context.layers:
            context.decide(name, specs.qconfig(name), "QconfigSetter")
