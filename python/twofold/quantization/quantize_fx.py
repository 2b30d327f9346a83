"""The classic entry points for models that torch.fx can trace."""

import copy
from collections.abc import Mapping
from typing import Any

from torch import nn

from .._twofold import Error
from ._elsewhere import convert_fx
from ._ops.activations import CLAMPS
from ._prepare.fuse import is_foldable, only_producer
from ._prepare.method import PrepareMethod
from ._record.graph import Layer
from ._record.symbolic import record_symbolically
from ._setters.base import Setters
from ._setters.qconfig_dict import QconfigDictSetter
from ._states import FakeQuantState, set_fake_quantize
from .fuse_modules import fuse_modules
from .prepare import prepare
from .prepare_qat import calibration_setter, refuse_hybrid

__all__ = ["convert_fx", "fuse_fx", "prepare_calibration_fx", "prepare_qat_fx"]

# What prepare_custom_config_dict may say: attributes stay in any case.
_KEPT = "preserved_attributes"


def prepare_qat_fx(
    model: nn.Module,
    qconfig_dict: Mapping[str, Any] | None = None,
    prepare_custom_config_dict: Mapping[str, Any] | None = None,
    optimize_graph: bool = False,
    hybrid: bool = False,
    hybrid_dict: Any = None,
    opset_version: Any = None,
    example_inputs: Any = None,
    qconfig_setter: Setters = None,
) -> nn.Module:
    """`prepare` by PrepareMethod.SYMBOLIC; a copy of the model, not a GraphModule.

    `qconfig_dict` is {"": qconfig, "module_type": [(type, qconfig)], "module_name": [(name,
    qconfig)]}; `module.qconfig` beats it, and it beats `qconfig_setter`. Without example inputs
    who feeds whom is known, shapes are not. `optimize_graph` and `opset_version` have no effect.
    twofold.Error for hybrid models, and where torch.fx cannot trace the model.
    """
    refuse_hybrid("prepare_qat_fx", hybrid or hybrid_dict)
    unknown = [key for key in prepare_custom_config_dict or () if key != _KEPT]
    if unknown:
        raise Error(
            f"prepare_qat_fx: prepare_custom_config_dict has {unknown[0]!r}, which is not taken; "
            "leave functions untraced with twofold.fx.fx_helper.wrap, and choose qconfigs by name"
        )
    setters: tuple[Setters, ...] = (qconfig_setter,)
    if qconfig_dict is not None:
        setters = (QconfigDictSetter(qconfig_dict), qconfig_setter)
    return prepare(model, example_inputs, setters, PrepareMethod.SYMBOLIC)


def prepare_calibration_fx(model: nn.Module, inplace: bool = False) -> nn.Module:
    """As prepare_qat_fx, in the state CALIBRATION.

    Qconfigs are those that the model's modules have; where none has one, those of
    default_calibration_qconfig_setter.
    """
    setter = calibration_setter(model)
    model = prepare(model, None, setter, PrepareMethod.SYMBOLIC, inplace=inplace)
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    return model


def fuse_fx(model: nn.Module, fuse_custom_config_dict: Any = None) -> nn.Module:
    """A copy with BatchNorms behind Conv, ConvTranspose and Linear folded into their weights.

    What `fuse_modules` does, for all groups that torch.fx finds. A copy of the model, not a
    GraphModule. `prepare` does the same by itself. twofold.Error where torch.fx cannot trace it.
    """
    if fuse_custom_config_dict:
        raise Error("fuse_fx: fuse_custom_config_dict is not taken; leave it out")
    model = copy.deepcopy(model)
    recording = record_symbolically(model)
    groups: dict[Layer, list[Layer]] = {}
    for layer in recording.layers:
        if layer.module is None or not (layer.op.name in CLAMPS or layer.op.name == "batch_norm"):
            continue
        source = only_producer(recording, layer)
        if source is None or source.module is None:
            continue
        group = groups.get(source, [source])
        is_norm = layer.op.name == "batch_norm"
        if is_foldable(source, layer) if is_norm else group[-1].op.name not in CLAMPS:
            groups.pop(source, None)
            groups[layer] = [*group, layer]
    for group in groups.values():
        fuse_modules(model, [layer.name for layer in group], inplace=True)
    return model
