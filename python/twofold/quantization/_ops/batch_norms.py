"""Normalizations by the statistics of channels, which modules keep for evaluation."""

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from .calls import operator
from .layout import affine, refuse, squeeze, unsqueeze
from .op import Bound, Builder, Kind


def _batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Bound:
    attributes = {"training": training, "momentum": momentum, "eps": eps, "process_group": None}
    return Bound([input, weight, bias, running_mean, running_var, None], attributes)


def _torch_batch_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    training: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool,
) -> Bound:
    return _batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)


def _batch_norm_module(module: nn.modules.batchnorm._BatchNorm, input: Tensor) -> Bound:
    module._check_input_dim(input)
    # While it trains without keeping statistics, the module does not let the buffers be written.
    keeps = module.track_running_stats or not module.training
    mean = module.running_mean if keeps else None
    var = module.running_var if keeps else None
    counts = module.training and module.track_running_stats
    inputs = [input, module.weight, module.bias, mean, var]
    attributes = {
        "training": module.training or (mean is None and var is None),
        "momentum": module.momentum,
        "eps": module.eps,
        "process_group": None,
    }
    return Bound([*inputs, module.num_batches_tracked if counts else None], attributes)


def _sync_batch_norm_module(module: nn.SyncBatchNorm, input: Tensor) -> Bound:
    bound = _batch_norm_module(module, input)
    distributed = torch.distributed
    if module.training and distributed.is_available() and distributed.is_initialized():
        group = module.process_group or distributed.group.WORLD
        if distributed.get_world_size(group) > 1:
            bound.attributes["process_group"] = group
    return bound


def _compute_batch_norm(inputs: list[Tensor | None], attributes: dict[str, Any]) -> Tensor:
    """In training, the running statistics and the count among the inputs are updated in place."""
    x, weight, bias, mean, var, count = inputs
    momentum = attributes["momentum"]
    if count is not None:
        count.add_(1)
    if momentum is None:  # the average of all batches so far
        momentum = 0.0 if count is None else 1.0 / float(count)
    group = attributes["process_group"]
    if group is None:
        return F.batch_norm(
            x, mean, var, weight, bias, attributes["training"], momentum, attributes["eps"]
        )
    if not x.is_cuda:
        raise refuse("batch_norm", "SyncBatchNorm of several processes needs tensors on a GPU.")
    world_size = torch.distributed.get_world_size(group)
    return nn.modules._functions.SyncBatchNorm.apply(
        x, weight, bias, mean, var, attributes["eps"], momentum, group, world_size
    )


def _emit_batch_norm(builder: Builder, inputs: list[str], attributes: dict[str, Any]) -> str:
    if attributes["training"]:
        raise refuse(
            "batch_norm",
            "it normalizes by the statistics of the batch, which no fixed graph has; call "
            "model.eval(), and let the norm track running statistics.",
        )
    x, weight, bias, mean, var = inputs[:5]
    weight, bias = affine(builder, weight, bias, builder.shape(mean))
    return builder.node(
        "BatchNormalization", [x, weight, bias, mean, var], epsilon=float(attributes["eps"])
    )


def _instance_norm(
    input: Tensor,
    running_mean: Tensor | None = None,
    running_var: Tensor | None = None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    use_input_stats: bool = True,
    momentum: float = 0.1,
    eps: float = 1e-5,
) -> Bound:
    attributes = {"use_input_stats": use_input_stats, "momentum": momentum, "eps": eps}
    inputs = [input, weight, bias, running_mean, running_var]
    return Bound(inputs, {**attributes, "unbatched": False})


def _torch_instance_norm(
    input: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    use_input_stats: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool,
) -> Bound:
    return _instance_norm(
        input, running_mean, running_var, weight, bias, use_input_stats, momentum, eps
    )


def _instance_norm_module(module: nn.modules.instancenorm._InstanceNorm, input: Tensor) -> Bound:
    module._check_input_dim(input)
    attributes = {
        "use_input_stats": module.training or not module.track_running_stats,
        "momentum": 0.0 if module.momentum is None else module.momentum,
        "eps": module.eps,
        "unbatched": input.dim() == module._get_no_batch_dim(),
    }
    inputs = [input, module.weight, module.bias, module.running_mean, module.running_var]
    return Bound(inputs, attributes)


def _compute_instance_norm(inputs: list[Tensor | None], attributes: dict[str, Any]) -> Tensor:
    """In training, the running statistics among the inputs are updated in place."""
    x, weight, bias, mean, var = inputs
    result = F.instance_norm(
        x.unsqueeze(0) if attributes["unbatched"] else x,
        mean,
        var,
        weight,
        bias,
        attributes["use_input_stats"],
        attributes["momentum"],
        attributes["eps"],
    )
    return result.squeeze(0) if attributes["unbatched"] else result


def _emit_instance_norm(builder: Builder, inputs: list[str], attributes: dict[str, Any]) -> str:
    x, weight, bias, mean, var = inputs
    channels = builder.shape(x)[0 if attributes["unbatched"] else 1]
    weight, bias = affine(builder, weight, bias, (channels,))
    if attributes["unbatched"]:
        x = unsqueeze(builder, x, [0])
    eps = float(attributes["eps"])
    if attributes["use_input_stats"]:
        x = builder.node("InstanceNormalization", [x, weight, bias], epsilon=eps)
    else:
        x = builder.node("BatchNormalization", [x, weight, bias, mean, var], epsilon=eps)
    return squeeze(builder, x, [0]) if attributes["unbatched"] else x


OPS = [
    operator(
        "batch_norm",
        Kind.COMPUTE,
        {F.batch_norm: _batch_norm, torch.batch_norm: _torch_batch_norm},
        _compute_batch_norm,
        _emit_batch_norm,
        {
            nn.BatchNorm1d: _batch_norm_module,
            nn.BatchNorm2d: _batch_norm_module,
            nn.BatchNorm3d: _batch_norm_module,
            nn.SyncBatchNorm: _sync_batch_norm_module,
        },
        quantized=(0,),
    ),
    operator(
        "instance_norm",
        Kind.COMPUTE,
        {F.instance_norm: _instance_norm, torch.instance_norm: _torch_instance_norm},
        _compute_instance_norm,
        _emit_instance_norm,
        {
            nn.InstanceNorm1d: _instance_norm_module,
            nn.InstanceNorm2d: _instance_norm_module,
            nn.InstanceNorm3d: _instance_norm_module,
        },
        quantized=(0,),
    ),
]
