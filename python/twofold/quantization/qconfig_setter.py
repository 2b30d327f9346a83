"""The newer setter: QconfigSetter, and the templates that it is made of."""

from ._not_built import refused
from ._templates.module_name import ModuleNameTemplate
from ._templates.products import ConvDtypeTemplate, MatmulDtypeTemplate
from ._templates.sensitivity import SensitivityTemplate
from ._templates.setter import QconfigSetter

__all__ = [
    "ConvDtypeTemplate",
    "MatmulDtypeTemplate",
    "ModuleNameTemplate",
    "PropagateTemplate",
    "QconfigSetter",
    "SensitivityTemplate",
    "SetDynamicQuantTemplate",
    "canonicalize_rules",
    "get_common_templates",
    "get_compat_templates",
]

_WRITE_OUT = (
    'write the templates out, e.g. ModuleNameTemplate({"": qint8}), '
    "ConvDtypeTemplate(qint8, qint8), MatmulDtypeTemplate(qint8)"
)

PropagateTemplate = refused(
    "PropagateTemplate",
    "operators that only hand numbers on follow those who read them, unasked; leave it out",
)
SetDynamicQuantTemplate = refused(
    "SetDynamicQuantTemplate",
    "the engine's scales are in the file, and none is made while it runs; use a FakeQuantize with "
    "an observer",
)
get_common_templates = refused("get_common_templates", _WRITE_OUT)
get_compat_templates = refused("get_compat_templates", _WRITE_OUT)
canonicalize_rules = refused(
    "canonicalize_rules", "enable_optimize=True of QconfigSetter applies all rules that there are"
)
