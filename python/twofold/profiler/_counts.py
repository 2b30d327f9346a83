"""What runs how often, and what could be fused and is not."""

from collections.abc import Callable
from typing import Any

from torch import nn

from ..nn._operator import FusedAway, Operator
from ..nn.quantized import FloatFunctional
from ..quantization._record.graph import Layer
from ..quantization._reports.model_check import unfused
from ..quantization._reports.tables import table
from ._calls import call, in_steps
from ._states import analysed, quantizers_of
from ._streaming import streamed

__all__ = ["check_unfused_operations", "get_module_called_count"]


def get_module_called_count(
    model: nn.Module,
    example_inputs: Any,
    check_leaf_module: Callable[[nn.Module], bool] | None = None,
    print_tabulate: bool = True,
) -> dict[str, int]:
    """How often every module without children runs: {name: times}, 0 included.

    Of a prepared model functional calls are among them, and fake quantizers are not.
    `check_leaf_module(module)` says which count instead. The model runs once in eval mode.
    """
    model = in_steps(model)
    is_leaf = check_leaf_module or _leaf_of(model)
    counts = {name: 0 for name, module in model.named_modules() if name and is_leaf(module)}
    names = {module: name for name, module in model.named_modules()}

    def count(module: nn.Module, _args: Any, _result: Any) -> None:
        counts[names[module]] += 1

    def count_method(layer: Layer, _inputs: Any, _result: Any) -> None:
        is_own = isinstance(layer.module, FloatFunctional)  # PrepareMethod.EAGER
        owner = layer.name if is_own else layer.name.rpartition(".")[0]
        if owner in counts and isinstance(model.get_submodule(owner), FloatFunctional):
            counts[owner] += 1

    modules = [model.get_submodule(name) for name in counts]
    hooks = [module.register_forward_hook(count) for module in modules]
    try:
        with analysed(model), streamed(model, count_method):
            call(model, example_inputs)
    finally:
        for hook in hooks:
            hook.remove()
    if print_tabulate:
        print(table(["name", "called times"], [[name, n] for name, n in counts.items()]), end="")
    return counts


def check_unfused_operations(
    model: nn.Module, example_inputs: Any, print_tabulate: bool = True
) -> list[list[str]]:
    """[name, type] of layers that could be fused by their kind, and are not.

    Of a float model that is what `prepare` is going to fuse, and of a prepared one what it could
    not: a convolution whose result has another reader than its BatchNorm, say.
    """
    model = in_steps(model)
    with analysed(model), streamed(model, lambda layer, inputs, result: None) as recording:
        call(model, example_inputs)
    rows = unfused(recording)
    if print_tabulate:
        nothing = "All fusable modules are fused in model!\n"
        print(table(["Module Name", "Module Type"], rows) if rows else nothing, end="")
    return rows


def _leaf_of(model: nn.Module) -> Callable[[nn.Module], bool]:
    """Operators, and modules without children; not what belongs to a fake quantizer."""
    aside = {part for quantizer in quantizers_of(model) for part in quantizer.modules()}

    def is_leaf(module: nn.Module) -> bool:
        if module in aside or isinstance(module, FusedAway):
            return False
        if isinstance(module, Operator):
            return True
        return not any(True for _ in module.children()) and not isinstance(
            module, nn.ModuleDict | nn.ModuleList
        )

    return is_leaf
