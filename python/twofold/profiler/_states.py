"""Models while they are analysed, and as they were afterwards."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import nn

from .._twofold import Error
from ..nn._operator import Operator
from ..quantization._kept import states_kept
from ..quantization._states import FakeQuantState


def is_prepared(model: nn.Module) -> bool:
    """Whether `prepare` has made it."""
    return any(isinstance(module, Operator) for module in model.modules())


def quantizers_of(model: nn.Module) -> list[nn.Module]:
    """All that quantize or cast."""
    return [module for module in model.modules() if hasattr(module, "fake_quant_state")]


def is_on(quantizer: nn.Module) -> bool:
    """Whether it rounds in the state that it is in."""
    if hasattr(quantizer, "fake_quant_enabled"):
        return bool(quantizer.fake_quant_enabled[0])
    return quantizer.fake_quant_state.quantizes


def check_still(model: nn.Module, role: str) -> None:
    """Raise twofold.Error where a run would move the model's scales, or quantize nothing at all.

    `role` is "baseline_model" or "analysis_model", which has to quantize.
    """
    quantizers = quantizers_of(model)
    moving = next((q for q in quantizers if q.fake_quant_state.observes), None)
    if moving is not None:
        raise Error(
            f"{role}: {moving.name or 'a fake quantizer'} is in the state "
            f"{str(moving.fake_quant_state).upper()} and would go on observing; call "
            "set_fake_quantize(model, FakeQuantState.VALIDATION) first"
        )
    if role == "analysis_model" and not any(is_on(q) for q in quantizers):
        raise Error(
            "analysis_model: nothing in it quantizes; set_fake_quantize(model, "
            "FakeQuantState.VALIDATION), of a model that was prepared and calibrated"
        )


@contextmanager
def analysed(*models: nn.Module) -> Iterator[None]:
    """Models in eval mode, without gradients, cuDNN deterministic; all is put back at the end.

    States of fake quantizers and of operators may be changed in here.
    """
    cudnn = torch.backends.cudnn
    was = cudnn.deterministic, cudnn.benchmark
    with ExitStack() as kept, torch.no_grad():
        for model in models:
            kept.enter_context(states_kept(model))
            model.eval()
        cudnn.deterministic, cudnn.benchmark = True, False
        try:
            yield
        finally:
            cudnn.deterministic, cudnn.benchmark = was


def turn_off(model: nn.Module) -> None:
    """Float everywhere; `analysed` ends it."""
    for module in model.modules():
        if isinstance(module, Operator):
            module._is_validated = False
    for quantizer in quantizers_of(model):
        quantizer.fake_quant_state = FakeQuantState._FLOAT


@contextmanager
def alone(quantizers: list[nn.Module]) -> Iterator[None]:
    """These quantize, in a model that is float otherwise."""
    for quantizer in quantizers:
        quantizer.fake_quant_state = FakeQuantState.VALIDATION
    try:
        yield
    finally:
        for quantizer in quantizers:
            quantizer.fake_quant_state = FakeQuantState._FLOAT
