"""Classic setters: `qconfig_setter` of prepare is one of these, or a tuple where the earlier wins.

Weights have 8 bits and a scale per channel. "calibration" setters observe activations by
MSEObserver, "qat" ones by MinMaxObserver; with "fixed_act" scales stay as they were calibrated.
"""

from typing import Any

from ._classic_qconfigs import (
    default_calib_8bit_fake_quant_qconfig,
    default_calib_8bit_weight_16bit_act_fake_quant_qconfig,
    default_qat_8bit_fake_quant_qconfig,
    default_qat_8bit_fixed_act_fake_quant_qconfig,
    default_qat_8bit_weight_16bit_act_fake_quant_qconfig,
    default_qat_8bit_weight_16bit_fixed_act_fake_quant_qconfig,
)
from ._not_built import refused
from ._setters.base import QconfigSetterBase
from ._setters.classic import UniformQconfigSetter
from ._setters.module_name import ModuleNameQconfigSetter
from ._setters.plan import PlanQconfigSetter
from ._setters.sensitive import sensitive_setter

__all__ = [
    "AllInt16Template",
    "ConstTensorQuantTemplate",
    "HighPrecisionOutputTemplate",
    "ModuleNameQconfigSetter",
    "PlanQconfigSetter",
    "QconfigSetterBase",
    "TemplateQconfigSetter",
    "calibration_8bit_weight_16bit_act_qconfig_setter",
    "default_calibration_qconfig_setter",
    "default_qat_fixed_act_qconfig_setter",
    "default_qat_qconfig_setter",
    "qat_8bit_weight_16bit_act_qconfig_setter",
    "qat_8bit_weight_16bit_fixed_act_qconfig_setter",
    "sensitive_op_8bit_weight_16bit_act_calibration_setter",
    "sensitive_op_8bit_weight_16bit_act_qat_setter",
    "sensitive_op_calibration_8bit_weight_16bit_act_qconfig_setter",
    "sensitive_op_qat_8bit_weight_16bit_act_qconfig_setter",
    "sensitive_op_qat_8bit_weight_16bit_fixed_act_qconfig_setter",
]

default_calibration_qconfig_setter = UniformQconfigSetter(default_calib_8bit_fake_quant_qconfig)
default_qat_qconfig_setter = UniformQconfigSetter(default_qat_8bit_fake_quant_qconfig)
default_qat_fixed_act_qconfig_setter = UniformQconfigSetter(
    default_qat_8bit_fixed_act_fake_quant_qconfig
)
calibration_8bit_weight_16bit_act_qconfig_setter = UniformQconfigSetter(
    default_calib_8bit_weight_16bit_act_fake_quant_qconfig
)
qat_8bit_weight_16bit_act_qconfig_setter = UniformQconfigSetter(
    default_qat_8bit_weight_16bit_act_fake_quant_qconfig
)
qat_8bit_weight_16bit_fixed_act_qconfig_setter = UniformQconfigSetter(
    default_qat_8bit_weight_16bit_fixed_act_fake_quant_qconfig
)

sensitive_op_calibration_8bit_weight_16bit_act_qconfig_setter = sensitive_setter(
    default_calib_8bit_weight_16bit_act_fake_quant_qconfig,
    "sensitive_op_calibration_8bit_weight_16bit_act_qconfig_setter",
)
sensitive_op_qat_8bit_weight_16bit_act_qconfig_setter = sensitive_setter(
    default_qat_8bit_weight_16bit_act_fake_quant_qconfig,
    "sensitive_op_qat_8bit_weight_16bit_act_qconfig_setter",
)
sensitive_op_qat_8bit_weight_16bit_fixed_act_qconfig_setter = sensitive_setter(
    default_qat_8bit_weight_16bit_fixed_act_fake_quant_qconfig,
    "sensitive_op_qat_8bit_weight_16bit_fixed_act_qconfig_setter",
)


def sensitive_op_8bit_weight_16bit_act_calibration_setter(
    table: Any, topk: int | None = None, ratio: float | None = None
) -> tuple[QconfigSetterBase]:
    """The older name; a tuple, since scripts take its first element."""
    setter = sensitive_op_calibration_8bit_weight_16bit_act_qconfig_setter
    return (setter(table, topk, ratio),)


def sensitive_op_8bit_weight_16bit_act_qat_setter(
    table: Any, topk: int | None = None, ratio: float | None = None
) -> tuple[QconfigSetterBase]:
    """The older name; a tuple, since scripts take its first element."""
    return (sensitive_op_qat_8bit_weight_16bit_act_qconfig_setter(table, topk, ratio),)


TemplateQconfigSetter = refused(
    "TemplateQconfigSetter", "use QconfigSetter with templates, of twofold.quantization"
)
HighPrecisionOutputTemplate = refused(
    "HighPrecisionOutputTemplate",
    "all classic setters, and QconfigSetter with enable_optimize=True, keep outputs precise that "
    "only a DeQuantStub reads; leave it out",
)
ConstTensorQuantTemplate = refused(
    "ConstTensorQuantTemplate", "constants that a quantized layer reads are quantized; leave it out"
)
AllInt16Template = refused(
    "AllInt16Template",
    "use calibration_8bit_weight_16bit_act_qconfig_setter or "
    "qat_8bit_weight_16bit_act_qconfig_setter",
)
