"""What fake quantizers do, and telling a model's."""

import logging
from enum import StrEnum

from torch import nn

__all__ = ["FakeQuantState", "set_fake_quantize"]

_log = logging.getLogger("twofold.quantization")


class FakeQuantState(StrEnum):
    """What the fake quantizers of a model do.

    QAT: observe (unless averaging_constant is 0) and fake-quantize. CALIBRATION: observe only; the
    model computes in float. VALIDATION: fake-quantize with the scales as they are, and every
    quantized operator computes from its integers as the engine does. _FLOAT: neither.
    """

    QAT = "qat"
    CALIBRATION = "calibration"
    VALIDATION = "validation"
    _FLOAT = "float"

    @property
    def observes(self) -> bool:
        """Whether scales may move."""
        return self in (FakeQuantState.QAT, FakeQuantState.CALIBRATION)

    @property
    def quantizes(self) -> bool:
        """Whether numbers are rounded."""
        return self in (FakeQuantState.QAT, FakeQuantState.VALIDATION)


def set_fake_quantize(model: nn.Module, state: FakeQuantState | str) -> None:
    """Set the state of a prepared model, or of a part of it.

    The state does not depend on train() and eval(), nor they on it. Where it ends CALIBRATION, a
    warning of the logger "twofold.quantization" lists the fake quantizers that have no scale; one
    that needs it raises when it runs. Raises ValueError for what is no state.
    """
    from .fake_quantize import FakeQuantize

    try:
        state = FakeQuantState(state)
    except ValueError:
        states = ", ".join(f'"{member}"' for member in FakeQuantState)
        raise ValueError(f"there is no state {state!r}; there are {states}") from None
    unreached, found = [], False
    for name, module in model.named_modules():
        if hasattr(module, "is_validated"):  # an operator
            module.is_validated = state is FakeQuantState.VALIDATION
        if hasattr(module, "fake_quant_state"):
            found = True
            was = module.fake_quant_state
            module.fake_quant_state = state
            ends = was is FakeQuantState.CALIBRATION and state is not was
            if ends and isinstance(module, FakeQuantize) and not module.is_calibrated:
                unreached.append(module.name or name)
    if not found:
        _log.warning(
            "set_fake_quantize(%s): there are no fake quantizers in this %s; all of it is float. "
            "A float model becomes one that has them by twofold.quantization.prepare",
            state,
            type(model).__name__,
        )
    if unreached:
        _log.warning(
            "calibration did not reach %d fake quantizers, which have no scale: %s. They raise in "
            "VALIDATION, and in QAT where averaging_constant is 0: calibrate with data that "
            "reaches them, or leave them float",
            len(unreached),
            ", ".join(unreached),
        )
