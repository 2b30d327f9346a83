"""What a model is told to do, put back after something needed otherwise."""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn


@contextmanager
def modes_kept(model: nn.Module) -> Iterator[None]:
    """train() and eval() in here end with it."""
    modes = [(module, module.training) for module in model.modules()]
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


@contextmanager
def states_kept(model: nn.Module) -> Iterator[None]:
    """So do states of fake quantizers and of operators, and what users switched by hand."""
    modules = [*model.modules()]
    quantizers = [module for module in modules if hasattr(module, "fake_quant_state")]
    states = [(q, q.fake_quant_state, _switches(q)) for q in quantizers]
    # The attribute itself: setting is_validated lets weights' scales follow.
    validated = [(m, m._is_validated) for m in modules if "_is_validated" in vars(m)]
    with modes_kept(model):
        try:
            yield
        finally:
            for operator, was in validated:
                operator._is_validated = was
            for quantizer, state, switches in states:
                quantizer.fake_quant_state = state
                if switches is not None:
                    quantizer.enable_observer(switches[0])
                    quantizer.enable_fake_quant(switches[1])


def _switches(quantizer: nn.Module) -> tuple[bool, bool] | None:
    if not hasattr(quantizer, "observer_enabled"):
        return None
    return bool(quantizer.observer_enabled[0]), bool(quantizer.fake_quant_enabled[0])
