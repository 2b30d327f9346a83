"""Numbers that stay what they are: copies, casts, and dropout outside of training."""

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from .calls import operator
from .layout import refuse
from .onnx_model import element_type
from .op import Bound, Builder, Kind
from .spellings import spellings

_TYPES = {
    "float": torch.float32,
    "double": torch.float64,
    "half": torch.float16,
    "bfloat16": torch.bfloat16,
    "char": torch.int8,
    "byte": torch.uint8,
    "short": torch.int16,
    "int": torch.int32,
    "long": torch.int64,
    "bool": torch.bool,
}


def _contiguous(input: Tensor, *, memory_format: Any = torch.contiguous_format) -> Bound:
    return Bound([input], {"what": "contiguous", "memory_format": memory_format})


def _clone(input: Tensor, *, memory_format: Any = torch.preserve_format) -> Bound:
    return Bound([input], {"what": "clone", "memory_format": memory_format})


def _detach(input: Tensor) -> Bound:
    return Bound([input], {"what": "detach", "memory_format": None})


def _identity_module(module: nn.Identity, input: Tensor) -> Bound:
    return Bound([input], {"what": "identity", "memory_format": None})


def _compute_identity(inputs: list[Tensor], attributes: dict[str, Any]) -> Tensor:
    x, memory_format = inputs[0], attributes["memory_format"]
    match attributes["what"]:
        case "contiguous":
            return x.contiguous(memory_format=memory_format)
        case "clone":
            return x.clone(memory_format=memory_format)
        case "detach":
            return x.detach()
    return x


def _emit_identity(builder: Builder, inputs: list[str], attributes: dict[str, Any]) -> str:
    return builder.node("Identity", inputs)


def _to(input: Tensor, *args: Any, **kwargs: Any) -> Bound | None:
    """Where the type stays; `_cast` has the others."""
    bound = _converted(input, args, kwargs)
    return bound if bound.attributes["dtype"] == input.dtype else None


def _cast(input: Tensor, *args: Any, **kwargs: Any) -> Bound | None:
    bound = _converted(input, args, kwargs)
    return bound if bound.attributes["dtype"] != input.dtype else None


def _converted(input: Tensor, args: tuple, kwargs: dict[str, Any]) -> Bound:
    if args and isinstance(args[0], Tensor):  # of which only the type and the device matter
        args = (args[0].device, args[0].dtype, *args[1:])
    given = (*args, *kwargs.values())
    dtype = next((value for value in given if isinstance(value, torch.dtype)), input.dtype)
    return Bound([input], {"args": args, "kwargs": kwargs, "dtype": dtype})


def _conversions(bind: Any) -> dict[Callable, Any]:
    """All ways to ask for another type or device, for a binder of Tensor.to."""

    def to_type(dtype: torch.dtype) -> Any:
        return lambda input, memory_format=torch.preserve_format: bind(
            input, dtype, memory_format=memory_format
        )

    return {
        Tensor.to: bind,
        Tensor.type: lambda input, dtype, non_blocking=False: bind(input, _as_dtype(dtype)),
        Tensor.type_as: bind,
        Tensor.cpu: lambda input, memory_format=torch.preserve_format: bind(input, "cpu"),
        Tensor.cuda: lambda input, device="cuda", non_blocking=False: bind(
            input, torch.device(device), non_blocking=non_blocking
        ),
        **{getattr(Tensor, name): to_type(dtype) for name, dtype in _TYPES.items()},
    }


def _as_dtype(dtype: Any) -> torch.dtype:
    if not isinstance(dtype, torch.dtype):
        raise TypeError(f"give a torch.dtype, not {dtype!r}")
    return dtype


def _compute_to(inputs: list[Tensor], attributes: dict[str, Any]) -> Tensor:
    return inputs[0].to(*attributes["args"], **attributes["kwargs"])


def _emit_cast(builder: Builder, inputs: list[str], attributes: dict[str, Any]) -> str:
    return builder.node("Cast", inputs, to=element_type(attributes["dtype"]))


def _dropout(name: str, trains: bool) -> Any:
    """The binder of F's function `name`, whose `training` is `trains` where it is left out."""

    def bind(
        input: Tensor, p: float = 0.5, training: bool = trains, inplace: bool = False
    ) -> Bound:
        return Bound([input], {"kind": name, "p": p, "training": training})

    return bind


def _torch_dropouts(*names: str) -> dict[Callable, Any]:
    """torch's functions of these names, and their in-place forms, which have no defaults."""

    def binder(name: str) -> Any:
        return lambda input, p, train: _dropout(name, train)(input, p)

    return {getattr(torch, f"{name}{end}"): binder(name) for name in names for end in ("", "_")}


def _dropout_module(name: str) -> Any:
    def bind(module: nn.modules.dropout._DropoutNd, input: Tensor) -> Bound:
        return Bound([input], {"kind": name, "p": module.p, "training": module.training})

    return bind


def _compute_dropout(inputs: list[Tensor], attributes: dict[str, Any]) -> Tensor:
    dropout = getattr(F, attributes["kind"])
    return dropout(inputs[0], attributes["p"], attributes["training"])


def _emit_dropout(builder: Builder, inputs: list[str], attributes: dict[str, Any]) -> str:
    if attributes["training"] and attributes["p"] > 0:
        raise refuse("dropout", "it draws random numbers in training; call model.eval() first.")
    return builder.node("Identity", inputs)


_DROPOUT_MODULES = {
    nn.Dropout: "dropout",
    nn.Dropout1d: "dropout1d",
    nn.Dropout2d: "dropout2d",
    nn.Dropout3d: "dropout3d",
    nn.AlphaDropout: "alpha_dropout",
    nn.FeatureAlphaDropout: "feature_alpha_dropout",
}

OPS = [
    operator(
        "identity",
        Kind.MOVE,
        {
            Tensor.contiguous: _contiguous,
            **spellings(_clone, "clone"),
            **spellings(_detach, "detach"),
        },
        _compute_identity,
        _emit_identity,
        {nn.Identity: _identity_module},
    ),
    operator("to", Kind.MOVE, _conversions(_to), _compute_to, _emit_identity),
    operator("cast", Kind.COMPUTE, _conversions(_cast), _compute_to, _emit_cast, quantized=()),
    operator(
        "dropout",
        Kind.MOVE,
        {
            F.dropout: _dropout("dropout", trains=True),
            F.dropout1d: _dropout("dropout1d", trains=True),
            F.dropout2d: _dropout("dropout2d", trains=True),
            F.dropout3d: _dropout("dropout3d", trains=True),
            F.alpha_dropout: _dropout("alpha_dropout", trains=False),
            F.feature_alpha_dropout: _dropout("feature_alpha_dropout", trains=False),
            **_torch_dropouts("dropout", "alpha_dropout", "feature_alpha_dropout"),
        },
        _compute_dropout,
        _emit_dropout,
        {type_: _dropout_module(name) for type_, name in _DROPOUT_MODULES.items()},
    ),
]
