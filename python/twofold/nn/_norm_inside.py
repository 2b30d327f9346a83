"""A BatchNorm inside of the Conv, ConvTranspose or Linear in front, where it goes on learning.

What is quantized is the weight with the norm folded into it, W' = W g with g = gamma / sqrt(var +
eps), and b' = (b - mean) g + beta. In eval mode of the norm, mean and var are its running ones; so
they are in VALIDATION and in exports. In train mode, by QATMode:

    WithBN              mean and var are those of the batch, of x * W; W' and b' follow them
    WithBNReverseFold   g has the running var, so that W' does not jump from batch to batch; the
                        result is divided by g again, and the norm runs on it as it always does
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from .._twofold import Error
from ..quantization._ops.op import Bound

if TYPE_CHECKING:
    from ._operator import Operator

NORM = "bn"  # the child's name


def keep_norm(product: nn.Module, norm: nn.Module, reverse: bool) -> None:
    """Make a BatchNorm the product's own. `reverse`: WithBNReverseFold."""
    product.add_module(NORM, norm)
    product.divides_norm_out = reverse


def norm_of(product: nn.Module | None) -> _BatchNorm | None:
    """The BatchNorm inside of it, if there is one."""
    if product is None or "divides_norm_out" not in vars(product):
        return None
    return product._modules[NORM]


def fold_norm(product: nn.Module, bound: Bound) -> Bound:
    """The call of a product with the norm in its weight and bias, by running statistics."""
    norm = product._modules[NORM]
    gain = _gain(norm, norm.running_var)
    return _folded(product, bound, gain, norm.running_mean)


def run_with_norm(operator: "Operator", bound: Bound) -> Tensor:
    """Of a norm in train mode: the product, normalized and clamped; running statistics move."""
    norm = operator._modules[NORM]
    x, weight, bias = bound.inputs
    x = operator.quantized_input(0, x)
    if operator.divides_norm_out:
        gain = _gain(norm, norm.running_var)
        gain = torch.where(gain == 0, torch.ones_like(gain), gain)  # 0 cannot be divided out
        weight = operator.quantized_input(1, scale_channels(operator, weight, gain))
        product = operator.op.compute([x, weight, None], bound.attributes)
        shape = [1, -1, *[1] * (product.dim() - 2)]
        product = product / gain.view(shape)
        return operator.clamped(norm(product if bias is None else product + bias.view(shape)))
    mean, var = _batch_statistics(norm, operator.op.compute([x, weight, bias], bound.attributes))
    folded = _folded(operator, bound, _gain(norm, var), mean)
    weight = operator.quantized_input(1, folded.inputs[1])
    return operator.clamped(operator.op.compute([x, weight, folded.inputs[2]], bound.attributes))


def scale_channels(product: nn.Module, weight: Tensor, gain: Tensor) -> Tensor:
    """A weight with every output channel times its gain [C]."""
    if not isinstance(product, nn.modules.conv._ConvTransposeNd):
        return weight * gain.reshape(-1, *[1] * (weight.dim() - 1))
    # [in, out / groups, ...]: a group's output channels meet its own inputs.
    groups = product.groups
    shape = (groups, weight.shape[0] // groups, *weight.shape[1:])
    by_group = gain.reshape(groups, 1, -1, *[1] * (weight.dim() - 2))
    return (weight.reshape(shape) * by_group).reshape(weight.shape)


def fold_into(product: nn.Module, norm: nn.Module) -> tuple[Tensor, Tensor]:
    """(W', b') of a product and a norm behind it, by running statistics, in float64."""
    weight, bias, gamma, beta, mean, var = (
        None if tensor is None else tensor.detach().double()
        for tensor in (
            product.weight,
            product.bias,
            norm.weight,
            norm.bias,
            norm.running_mean,
            norm.running_var,
        )
    )
    gain = (var + norm.eps).rsqrt() * (1 if gamma is None else gamma)
    return scale_channels(product, weight, gain), _shifted(bias, mean, gain, beta)


def _folded(product: nn.Module, bound: Bound, gain: Tensor, mean: Tensor) -> Bound:
    x, weight, bias = bound.inputs
    norm = product._modules[NORM]
    weight = scale_channels(product, weight, gain)
    return Bound([x, weight, _shifted(bias, mean, gain, norm.bias)], bound.attributes)


def _gain(norm: nn.Module, var: Tensor) -> Tensor:
    gain = (var + norm.eps).rsqrt()
    return gain if norm.weight is None else gain * norm.weight


def _shifted(bias: Tensor | None, mean: Tensor, gain: Tensor, beta: Tensor | None) -> Tensor:
    shifted = (-mean if bias is None else bias - mean) * gain
    return shifted if beta is None else shifted + beta


def _batch_statistics(norm: nn.Module, product: Tensor) -> Sequence[Tensor]:
    """(mean, biased variance) per channel; the norm's running ones take part in them."""
    if isinstance(norm, nn.SyncBatchNorm) and _has_several_processes():
        raise Error(
            "with_bn folds in the statistics of one process's batch, not those of a SyncBatchNorm: "
            'set_qat_mode("with_bn_reverse_fold") before prepare, or freeze it with eval()'
        )
    with torch.no_grad():
        norm(product)
    var, mean = torch.var_mean(product, [0, *range(2, product.dim())], correction=0)
    return mean, var


def _has_several_processes() -> bool:
    distributed = torch.distributed
    return (
        distributed.is_available()
        and distributed.is_initialized()
        and distributed.get_world_size() > 1
    )
