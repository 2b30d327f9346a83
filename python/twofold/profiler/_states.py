"""Models while they are analysed, and as they were afterwards."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from .._twofold import Error
from ..nn._operator import Operator
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
    saved = [_Saved(model) for model in models]
    cudnn = torch.backends.cudnn
    was = cudnn.deterministic, cudnn.benchmark
    cudnn.deterministic, cudnn.benchmark = True, False
    try:
        for model in models:
            model.eval()
        with torch.no_grad():
            yield
    finally:
        cudnn.deterministic, cudnn.benchmark = was
        for model in saved:
            model.restore()


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


class _Saved:
    """Modes and states of all modules."""

    def __init__(self, model: nn.Module):
        self._training = [(module, module.training) for module in model.modules()]
        # The attribute itself: setting is_validated lets weights' scales follow.
        self._validated = [
            (module, module._is_validated)
            for module in model.modules()
            if isinstance(module, Operator)
        ]
        self._states = [(q, q.fake_quant_state, _switches(q)) for q in quantizers_of(model)]

    def restore(self) -> None:
        for module, training in self._training:
            module.training = training
        for module, validated in self._validated:
            module._is_validated = validated
        for quantizer, state, switches in self._states:
            quantizer.fake_quant_state = state
            if switches is not None:
                quantizer.enable_observer(switches[0])
                quantizer.enable_fake_quant(switches[1])


def _switches(quantizer: nn.Module) -> tuple[bool, bool] | None:
    """What users may have switched by hand, beside the state."""
    if not hasattr(quantizer, "observer_enabled"):
        return None
    return bool(quantizer.observer_enabled[0]), bool(quantizer.fake_quant_enabled[0])
