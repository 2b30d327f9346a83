"""Running statistics of BatchNorms that fit the weights as they are now."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from ..._twofold import Error
from ...nn._operator import Operator
from .._kept import states_kept
from .._record.arguments import as_arguments
from .._states import FakeQuantState
from ..fake_quantize import FakeQuantize


def reestimate_bn_statistics(model: nn.Module, batches: Iterable[Any]) -> None:
    """Set running means and variances to their averages over batches, which all count the same.

    A batch is a tensor, or a tuple or list of one call's arguments. Of the model only BatchNorms
    run in train mode; it quantizes as in QAT, but no scale moves. Modes and states are put back.
    twofold.Error where there are no batches, or where no BatchNorm keeps statistics: `prepare`
    folds those behind a convolution into its weights, unless another `set_qat_mode` says so.
    """
    norms = [m for m in model.modules() if isinstance(m, _BatchNorm) and m.track_running_stats]
    if not norms:
        raise Error(
            "reestimate_bn_statistics: no BatchNorm here keeps statistics; in mode fuse_bn prepare "
            'has folded them into the weights. set_qat_mode("with_bn") before prepare keeps them'
        )
    batches = iter(batches)
    first = next(batches, None)
    if first is None:
        raise Error("reestimate_bn_statistics: there are no batches to take statistics of")
    with _only_averaging(model, norms), torch.no_grad():
        for norm in norms:
            norm.reset_running_stats()
        for batch in chain([first], batches):
            args, kwargs = as_arguments(batch, None)
            model(*args, **kwargs)


@contextmanager
def _only_averaging(model: nn.Module, norms: list[_BatchNorm]) -> Iterator[None]:
    """Everything in eval mode but the norms; no scale moves, and nothing runs on the engine."""
    momenta = {norm: norm.momentum for norm in norms}
    quantizers = [module for module in model.modules() if isinstance(module, FakeQuantize)]
    validated = [m for m in model.modules() if isinstance(m, Operator) and m.is_validated]
    try:
        with states_kept(model):
            model.eval()
            for norm in norms:
                norm.train()
                norm.momentum = None  # the average of all batches
            for operator in validated:
                operator.is_validated = False
            for quantizer in quantizers:
                if quantizer.fake_quant_state is FakeQuantState.VALIDATION:
                    quantizer.fake_quant_state = FakeQuantState.QAT
                if not quantizer.follows:
                    quantizer.disable_observer()
            yield
    finally:
        for operator in validated:
            operator.is_validated = True  # again: the weights that it folds are others now
        for norm, momentum in momenta.items():
            norm.momentum = momentum
