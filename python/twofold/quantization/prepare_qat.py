"""The classic entry points for models as they are: PrepareMethod.EAGER."""

from collections.abc import Mapping
from typing import Any

from torch import nn

from .._twofold import Error
from ._prepare.method import PrepareMethod
from ._setters.base import Setters
from ._states import FakeQuantState, set_fake_quantize
from .prepare import prepare
from .qconfig_template import default_calibration_qconfig_setter

__all__ = ["load_calib_state_dict", "prepare_calibration", "prepare_qat"]


def prepare_qat(
    model: nn.Module,
    mapping: Any = None,
    inplace: bool = False,
    optimize_graph: bool = False,
    hybrid: bool = False,
    optimize_kwargs: Any = None,
    example_inputs: Any = None,
    qconfig_setter: Setters = None,
    verbose: Any = True,
) -> nn.Module:
    """`prepare` by PrepareMethod.EAGER, by the qconfigs that modules have and the setters.

    `optimize_graph`, `optimize_kwargs` and `verbose` have no effect. twofold.Error for a mapping
    of modules, and for hybrid models.
    """
    refuse_hybrid("prepare_qat", hybrid)
    if mapping is not None:
        raise Error(
            "prepare_qat: a mapping of modules is not taken: those of torch.nn, and what derives "
            "from them, are known; leave it out"
        )
    return prepare(model, example_inputs, qconfig_setter, PrepareMethod.EAGER, inplace=inplace)


def prepare_calibration(model: nn.Module, inplace: bool = False) -> nn.Module:
    """As prepare_qat, in the state CALIBRATION.

    Qconfigs are those that the model's modules have; where none has one, those of
    default_calibration_qconfig_setter.
    """
    setter = calibration_setter(model)
    model = prepare(model, None, setter, PrepareMethod.EAGER, inplace=inplace)
    set_fake_quantize(model, FakeQuantState.CALIBRATION)
    return model


def load_calib_state_dict(model: nn.Module, state_dict: Mapping[str, Any]) -> Any:
    """`model.load_state_dict(state_dict)`, which takes the scales of a calibrated model."""
    return model.load_state_dict(state_dict)


def calibration_setter(model: nn.Module) -> Setters:
    """None where the model has qconfigs of its own."""
    has_own = any(hasattr(module, "qconfig") for module in model.modules())
    return None if has_own else default_calibration_qconfig_setter


def refuse_hybrid(function: str, hybrid: Any) -> None:
    """twofold.Error where a model is to run on a device in parts."""
    if hybrid:
        raise Error(
            f"{function}: hybrid models are for a device that runs a part of them; here a part "
            "stays float by qconfig None, or outside of QuantStub and DeQuantStub"
        )
