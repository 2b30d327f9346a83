"""Activations: functions of each number, with a few parameters."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from .calls import operator
from .op import Bound, Builder, Kind, Op
from .spellings import reads, spellings

# Those that only clamp, by numbers: what computes in front of one can do it.
CLAMPS = frozenset({"relu", "relu6", "hardtanh", "clamp"})

# From here on ln(1 + exp(x)) is x in float32, so that ONNX's Softplus needs no threshold.
_SOFTPLUS_IS_LINEAR = 17


def _plain(input: Tensor, inplace: bool = False) -> Bound:
    """`inplace` changes nothing here and below: `compute` gives a new tensor."""
    return Bound([input], {})


def _activation(
    name: str,
    module: type[nn.Module],
    function: Callable,
    op_type: str,
    *,
    others: Sequence[str] = (),
    **onnx_attributes: Any,
) -> Op:
    """One without parameters."""

    def emit(builder: Builder, inputs: Sequence[str], attributes: dict[str, Any]) -> str:
        return builder.node(op_type, [inputs[0]], **onnx_attributes)

    return operator(
        name,
        Kind.COMPUTE,
        spellings(_plain, name, *others),
        lambda inputs, _: function(inputs[0]),
        emit,
        {module: reads(_plain)},
    )


def _with_alpha(name: str, module: type[nn.Module], function: Callable, op_type: str) -> Op:
    """elu and celu."""

    def bind(input: Tensor, alpha: float = 1.0, inplace: bool = False) -> Bound:
        return Bound([input], {"alpha": float(alpha)})

    return operator(
        name,
        Kind.COMPUTE,
        spellings(bind, name),
        lambda inputs, attributes: function(inputs[0], attributes["alpha"]),
        lambda builder, inputs, attributes: builder.node(
            op_type, inputs, alpha=attributes["alpha"]
        ),
        {module: reads(bind, "alpha")},
    )


def _emit_clip(builder: Builder, x: str, low: Any, high: Any) -> str:
    bounds = ["" if bound is None else builder.constant(bound) for bound in (low, high)]
    return builder.node("Clip", [x, *bounds] if high is not None else [x, bounds[0]])


def _hardtanh(
    input: Tensor, min_val: float = -1.0, max_val: float = 1.0, inplace: bool = False
) -> Bound:
    return Bound([input], {"min": float(min_val), "max": float(max_val)})


def _emit_hardtanh(builder: Builder, inputs: Sequence[str], attributes: dict[str, Any]) -> str:
    return _emit_clip(builder, inputs[0], attributes["min"], attributes["max"])


def _clamp(input: Tensor, min: Any = None, max: Any = None) -> Bound:
    """Bounds that are numbers become attributes, tensors become inputs."""
    if isinstance(min, Tensor) or isinstance(max, Tensor):
        return Bound([input, *(_as_bound(bound, input) for bound in (min, max))], {})
    if min is None and max is None:
        raise ValueError("clamp: give min, max or both.")
    number = float if input.is_floating_point() else int
    low, high = (None if bound is None else number(bound) for bound in (min, max))
    return Bound([input], {"min": low, "max": high})


def _as_bound(value: Any, input: Tensor) -> Tensor | None:
    if value is None or isinstance(value, Tensor):
        return value
    return torch.tensor(value, dtype=input.dtype, device=input.device)


def _compute_clamp(inputs: Sequence[Tensor | None], attributes: dict[str, Any]) -> Tensor:
    bounds = inputs[1:] or (attributes["min"], attributes["max"])
    return torch.clamp(inputs[0], *bounds)


def _emit_clamp(builder: Builder, inputs: Sequence[str], attributes: dict[str, Any]) -> str:
    if len(inputs) == 1:
        return _emit_clip(builder, inputs[0], attributes["min"], attributes["max"])
    x, low, high = inputs
    x = builder.node("Max", [x, low]) if low else x
    return builder.node("Min", [x, high]) if high else x


def _leaky_relu(input: Tensor, negative_slope: float = 0.01, inplace: bool = False) -> Bound:
    return Bound([input], {"negative_slope": float(negative_slope)})


def _prelu(input: Tensor, weight: Tensor) -> Bound:
    return Bound([input, weight], {})


def _emit_prelu(builder: Builder, inputs: Sequence[str], attributes: dict[str, Any]) -> str:
    x, slope = inputs
    behind = len(builder.shape(x)) - 2  # axes behind the channels
    if behind > 0 and builder.shape(slope) != (1,):
        axes = builder.constant(list(range(1, behind + 1)))
        slope = builder.node("Unsqueeze", [slope, axes])
    return builder.node("PRelu", [x, slope])


def _gelu(input: Tensor, *, approximate: str = "none") -> Bound:
    return Bound([input], {"approximate": approximate})


def _emit_silu(builder: Builder, inputs: Sequence[str], attributes: dict[str, Any]) -> str:
    return builder.node("Mul", [inputs[0], builder.node("Sigmoid", inputs)])


def _emit_logsigmoid(builder: Builder, inputs: Sequence[str], attributes: dict[str, Any]) -> str:
    """-softplus(-x), since the logarithm of a sigmoid is minus infinity from -104 on."""
    return builder.node("Neg", [builder.node("Softplus", [builder.node("Neg", inputs)])])


def _softplus(input: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Bound:
    return Bound([input], {"beta": float(beta), "threshold": float(threshold)})


def _emit_softplus(builder: Builder, inputs: Sequence[str], attributes: dict[str, Any]) -> str:
    x, beta, threshold = inputs[0], attributes["beta"], attributes["threshold"]
    if beta == 1 and threshold >= _SOFTPLUS_IS_LINEAR:
        return builder.node("Softplus", [x])
    factor = builder.constant(beta)
    scaled = builder.node("Mul", [x, factor])
    soft = builder.node("Div", [builder.node("Softplus", [scaled]), factor])
    if threshold >= _SOFTPLUS_IS_LINEAR:
        return soft
    is_linear = builder.node("Greater", [scaled, builder.constant(threshold)])
    return builder.node("Where", [is_linear, x, soft])


def _threshold(input: Tensor, threshold: float, value: float, inplace: bool = False) -> Bound:
    attributes = {"threshold": float(threshold), "value": float(value)}
    return Bound([input], attributes)


def _compute_threshold(inputs: Sequence[Tensor], attributes: dict[str, Any]) -> Tensor:
    return F.threshold(inputs[0], attributes["threshold"], attributes["value"])


def _emit_threshold(builder: Builder, inputs: Sequence[str], attributes: dict[str, Any]) -> str:
    """x where it is not at most the threshold, so that NaN stays."""
    limit, value = (builder.constant(attributes[name]) for name in ("threshold", "value"))
    below = builder.node("LessOrEqual", [inputs[0], limit])
    return builder.node("Where", [below, value, inputs[0]])


OPS = [
    _activation("relu", nn.ReLU, torch.relu, "Relu"),
    operator(
        "relu6",
        Kind.COMPUTE,
        spellings(_plain, "relu6"),
        lambda inputs, _: F.relu6(inputs[0]),
        lambda builder, inputs, _: _emit_clip(builder, inputs[0], 0.0, 6.0),
        {nn.ReLU6: reads(_plain)},
    ),
    operator(
        "hardtanh",
        Kind.COMPUTE,
        spellings(_hardtanh, "hardtanh"),
        lambda inputs, attributes: F.hardtanh(inputs[0], attributes["min"], attributes["max"]),
        _emit_hardtanh,
        {nn.Hardtanh: reads(_hardtanh, "min_val", "max_val")},
    ),
    operator(
        "clamp",
        Kind.COMPUTE,
        spellings(_clamp, "clamp", "clip")
        | spellings(lambda input, min: _clamp(input, min), "clamp_min")
        | spellings(lambda input, max: _clamp(input, None, max), "clamp_max"),
        _compute_clamp,
        _emit_clamp,
        quantized=(0,),
    ),
    operator(
        "leaky_relu",
        Kind.COMPUTE,
        spellings(_leaky_relu, "leaky_relu"),
        lambda inputs, attributes: F.leaky_relu(inputs[0], attributes["negative_slope"]),
        lambda builder, inputs, attributes: builder.node(
            "LeakyRelu", inputs, alpha=attributes["negative_slope"]
        ),
        {nn.LeakyReLU: reads(_leaky_relu, "negative_slope")},
    ),
    operator(
        "prelu",
        Kind.COMPUTE,
        spellings(_prelu, "prelu"),
        lambda inputs, _: torch.prelu(*inputs),
        _emit_prelu,
        {nn.PReLU: reads(_prelu, "weight")},
        quantized=(0,),
    ),
    _with_alpha("elu", nn.ELU, F.elu, "Elu"),
    _with_alpha("celu", nn.CELU, F.celu, "Celu"),
    _activation("selu", nn.SELU, torch.selu, "Selu"),
    operator(
        "gelu",
        Kind.COMPUTE,
        spellings(_gelu, "gelu"),
        lambda inputs, attributes: F.gelu(inputs[0], approximate=attributes["approximate"]),
        lambda builder, inputs, attributes: builder.node("Gelu", inputs, **attributes),
        {nn.GELU: reads(_gelu, "approximate")},
    ),
    operator(
        "silu",
        Kind.COMPUTE,
        spellings(_plain, "silu"),
        lambda inputs, _: F.silu(inputs[0]),
        _emit_silu,
        {nn.SiLU: reads(_plain)},
    ),
    _activation("mish", nn.Mish, F.mish, "Mish"),
    _activation("sigmoid", nn.Sigmoid, torch.sigmoid, "Sigmoid", others=["expit"]),
    operator(
        "logsigmoid",
        Kind.COMPUTE,
        spellings(_plain, "logsigmoid"),
        lambda inputs, _: F.logsigmoid(inputs[0]),
        _emit_logsigmoid,
        {nn.LogSigmoid: reads(_plain)},
    ),
    _activation("hardsigmoid", nn.Hardsigmoid, F.hardsigmoid, "HardSigmoid", alpha=1 / 6, beta=0.5),
    _activation("hardswish", nn.Hardswish, F.hardswish, "HardSwish"),
    _activation("tanh", nn.Tanh, torch.tanh, "Tanh"),
    operator(
        "softplus",
        Kind.COMPUTE,
        spellings(_softplus, "softplus"),
        lambda inputs, attributes: F.softplus(inputs[0], **attributes),
        _emit_softplus,
        {nn.Softplus: reads(_softplus, "beta", "threshold")},
    ),
    _activation("softsign", nn.Softsign, F.softsign, "Softsign"),
    operator(
        "threshold",
        Kind.COMPUTE,
        spellings(_threshold, "threshold"),
        _compute_threshold,
        _emit_threshold,
        {nn.Threshold: reads(_threshold, "threshold", "value")},
    ),
]
