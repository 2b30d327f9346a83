"""compare_weights: the weights of a prepared model beside those of the float model."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from .._twofold import Error
from ..nn._norm_inside import fold_into, fold_norm, norm_of
from ..nn._operator import WEIGHT, Operator
from ..quantization._ops.op import Bound
from ..quantization._prepare.fuse import members_of
from ..quantization._reports.tables import table
from ..quantization._reports.write import write_whole
from ._infos import number
from ._metrics import METRICS, chosen_metric
from ._states import is_on, is_prepared

__all__ = ["compare_weights"]


def compare_weights(
    float_model: nn.Module,
    qat_quantized_model: nn.Module,
    similarity_func: str | Callable[..., float] = "Cosine",
    with_tensorboard: bool = False,
    tensorboard_dir: Any = None,
    out_dir: str | os.PathLike[str] | None = None,
) -> list[list[Any]]:
    """[weight name, similarity, largest difference] of every operator's weight.

    That of the float model, BatchNorm folded in where `prepare` did so, beside that of the prepared
    one as its state has it, rounded or not. Writes weight_comparison.txt. Functions as in
    `featuremap_similarity`.
    """
    if with_tensorboard or tensorboard_dir is not None:
        raise Error("compare_weights writes no TensorBoard files: weight_comparison.txt has it all")
    if not is_prepared(qat_quantized_model):
        raise Error("compare_weights: qat_quantized_model is a float model; give a prepared one")
    metric = chosen_metric(similarity_func, order="ascending")
    rows = [
        [name, metric(a, b), METRICS["ATOL"](a, b)]
        for name, a, b in _weights(float_model, qat_quantized_model)
    ]
    shown = [[name, number(similarity), number(atol)] for name, similarity, atol in rows]
    text = table(["Weight Name", "Similarity", "Atol"], shown)
    write_whole(Path(out_dir or ".") / "weight_comparison.txt", text)
    return rows


def _weights(
    float_model: nn.Module, prepared: nn.Module
) -> Iterator[tuple[str, torch.Tensor, torch.Tensor]]:
    originals = dict(float_model.named_modules())
    norms = {
        owner: originals[name]
        for name, owner in members_of(prepared).items()
        if isinstance(originals.get(name), _BatchNorm)
    }
    for name, module in prepared.named_modules():
        if not isinstance(module, Operator) or not isinstance(
            getattr(module, "weight", None), torch.Tensor
        ):
            continue
        original = originals.get(name)
        if original is None or not hasattr(original, "weight"):
            raise Error(f"{name} is not in float_model: give the model that was prepared")
        weight = original.weight.detach()
        if name in norms:
            weight = fold_into(original, norms[name])[0]
        yield f"{name}.weight", weight, _as_used(module)


def _as_used(module: nn.Module) -> torch.Tensor:
    """The weight that the operator computes with."""
    quantizer = getattr(module, WEIGHT, None)
    with torch.no_grad():
        weight = module.weight.detach()
        if norm_of(module) is not None:
            weight = fold_norm(module, Bound([None, weight, None], {})).inputs[1]
        if quantizer is None or not quantizer.is_integer or not is_on(quantizer):
            return weight
        return quantizer.quantize(weight)
