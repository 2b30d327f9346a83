"""Normalizations: the tensor first, then what PyTorch learns of it or keeps of it.

Among them a softmax that leaves out what a mask says.
"""

import math
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from . import batch_norms, masked_softmax
from .calls import as_tuple, operator
from .layout import affine, integers, refuse, reshape
from .op import Bound, Builder, Kind


def _layer_norm(
    input: Tensor,
    normalized_shape: Any,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
    cudnn_enable: bool = True,
) -> Bound:
    return Bound([input, weight, bias], {"shape": as_tuple(normalized_shape), "eps": eps})


def _compute_layer_norm(inputs: list[Tensor | None], attributes: dict[str, Any]) -> Tensor:
    x, weight, bias = inputs
    return F.layer_norm(x, attributes["shape"], weight, bias, attributes["eps"])


def _emit_layer_norm(builder: Builder, inputs: list[str], attributes: dict[str, Any]) -> str:
    x, weight, bias = inputs
    shape = attributes["shape"]
    given = [x, weight or builder.constant(torch.ones(shape)), *([bias] if bias else [])]
    eps = float(attributes["eps"])
    return builder.node("LayerNormalization", given, axis=-len(shape), epsilon=eps)


def _group_norm(
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
    cudnn_enabled: bool = True,
) -> Bound:
    return Bound([input, weight, bias], {"num_groups": num_groups, "eps": eps})


def _compute_group_norm(inputs: list[Tensor | None], attributes: dict[str, Any]) -> Tensor:
    x, weight, bias = inputs
    return F.group_norm(x, attributes["num_groups"], weight, bias, attributes["eps"])


def _emit_group_norm(builder: Builder, inputs: list[str], attributes: dict[str, Any]) -> str:
    x, weight, bias = inputs
    shape = builder.shape(x)
    weight, bias = affine(builder, weight, bias, shape[1:2])
    norm = builder.node(
        "GroupNormalization",
        [x, weight, bias],
        num_groups=attributes["num_groups"],
        epsilon=float(attributes["eps"]),
    )
    # ONNX infers no shape behind GroupNormalization; the engine takes this away again.
    return reshape(builder, norm, shape)


def _rms_norm(
    input: Tensor, normalized_shape: Any, weight: Tensor | None = None, eps: float | None = None
) -> Bound:
    return Bound([input, weight], {"shape": as_tuple(normalized_shape), "eps": eps})


def _compute_rms_norm(inputs: list[Tensor | None], attributes: dict[str, Any]) -> Tensor:
    return F.rms_norm(inputs[0], attributes["shape"], inputs[1], attributes["eps"])


def _emit_rms_norm(builder: Builder, inputs: list[str], attributes: dict[str, Any]) -> str:
    # ONNX's own RMSNormalization came with opset 23.
    x, weight = inputs
    axes = integers(builder, range(-len(attributes["shape"]), 0))
    square = builder.node("Mul", [x, x])
    mean = builder.node("ReduceMean", [square, axes], keepdims=1)
    eps = attributes["eps"]
    eps = builder.constant(torch.finfo(torch.float32).eps if eps is None else float(eps))
    root = builder.node("Sqrt", [builder.node("Add", [mean, eps])])
    result = builder.node("Div", [x, root])
    return builder.node("Mul", [result, weight]) if weight else result


def _normalize(
    input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: None = None
) -> Bound:
    return Bound([input], {"p": p, "dim": dim, "eps": eps})


def _compute_normalize(inputs: list[Tensor | None], attributes: dict[str, Any]) -> Tensor:
    return F.normalize(inputs[0], attributes["p"], attributes["dim"], attributes["eps"])


def _emit_normalize(builder: Builder, inputs: list[str], attributes: dict[str, Any]) -> str:
    # LpNormalization divides by 0 where the norm is: it has no eps.
    x, p = inputs[0], float(attributes["p"])
    axes = integers(builder, as_tuple(attributes["dim"]))
    if p == 2:
        norm = builder.node("ReduceL2", [x, axes], keepdims=1)
    elif p == 1:
        norm = builder.node("ReduceL1", [x, axes], keepdims=1)
    elif p == math.inf:
        norm = builder.node("ReduceMax", [builder.node("Abs", [x]), axes], keepdims=1)
    else:
        raise refuse("normalize", f"p = {p} is not there in ONNX; use 1, 2 or inf.")
    eps = builder.constant(float(attributes["eps"]))
    return builder.node("Div", [x, builder.node("Max", [norm, eps])])


def _local_response_norm(
    input: Tensor, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0
) -> Bound:
    return Bound([input], {"size": size, "alpha": alpha, "beta": beta, "k": k})


def _compute_local_response_norm(inputs: list[Tensor | None], attributes: dict) -> Tensor:
    return F.local_response_norm(inputs[0], **attributes)


def _emit_local_response_norm(
    builder: Builder, inputs: list[str], attributes: dict[str, Any]
) -> str:
    size = attributes["size"]
    if size % 2 == 0:
        raise refuse(
            "local_response_norm",
            f"with the even size {size}, ONNX's LRN looks at other channels than PyTorch; use an "
            "odd size.",
        )
    shape = builder.shape(inputs[0])
    # ONNX Runtime wants four axes.
    x = inputs[0] if len(shape) == 4 else reshape(builder, inputs[0], [0, 0, -1, 1])
    x = builder.node(
        "LRN",
        [x],
        size=size,
        alpha=float(attributes["alpha"]),
        beta=float(attributes["beta"]),
        bias=float(attributes["k"]),
    )
    return x if len(shape) == 4 else reshape(builder, x, shape)


OPS = [
    *batch_norms.OPS,
    operator(
        "layer_norm",
        Kind.COMPUTE,
        {F.layer_norm: _layer_norm, torch.layer_norm: _layer_norm},
        _compute_layer_norm,
        _emit_layer_norm,
        {
            nn.LayerNorm: lambda module, input: _layer_norm(
                input, module.normalized_shape, module.weight, module.bias, module.eps
            )
        },
        quantized=(0,),
    ),
    operator(
        "group_norm",
        Kind.COMPUTE,
        {F.group_norm: _group_norm, torch.group_norm: _group_norm},
        _compute_group_norm,
        _emit_group_norm,
        {
            nn.GroupNorm: lambda module, input: _group_norm(
                input, module.num_groups, module.weight, module.bias, module.eps
            )
        },
        quantized=(0,),
    ),
    operator(
        "rms_norm",
        Kind.COMPUTE,
        {F.rms_norm: _rms_norm, torch.rms_norm: _rms_norm},
        _compute_rms_norm,
        _emit_rms_norm,
        {
            nn.RMSNorm: lambda module, input: _rms_norm(
                input, module.normalized_shape, module.weight, module.eps
            )
        },
        quantized=(0,),
    ),
    operator(
        "normalize",
        Kind.COMPUTE,
        {F.normalize: _normalize},
        _compute_normalize,
        _emit_normalize,
        quantized=(0,),
    ),
    operator(
        "local_response_norm",
        Kind.COMPUTE,
        {F.local_response_norm: _local_response_norm},
        _compute_local_response_norm,
        _emit_local_response_norm,
        {
            nn.LocalResponseNorm: lambda module, input: _local_response_norm(
                input, module.size, module.alpha, module.beta, module.k
            )
        },
        quantized=(0,),
    ),
    *masked_softmax.OPS,
]
