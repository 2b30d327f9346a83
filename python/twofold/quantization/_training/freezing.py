"""Keeping what is good enough while the rest goes on learning."""

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from ..fake_quantize import FakeQuantize


def freeze_scales(model: nn.Module) -> None:
    """Let the scales of activations stay as they are, for good: averaging_constant 0.

    Learned scales are parameters without a gradient from then on. Scales of weights go on
    following the weights. It survives `set_fake_quantize`, unlike `disable_observer`. Fake
    quantizers that have no scale yet raise in QAT.
    """
    for module in model.modules():
        if not isinstance(module, FakeQuantize) or module.follows:
            continue
        module.activation_post_process.averaging_constant = 0
        if module.learnable:
            module.scale.requires_grad_(False)


def freeze_batch_norms(model: nn.Module) -> None:
    """Let BatchNorms use their running statistics, and no longer change them.

    As torch's own `eval()` on each of them, so that it is to be called after every `train()`.
    """
    for module in model.modules():
        if isinstance(module, _BatchNorm):
            module.eval()
