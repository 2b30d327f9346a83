"""Which modules are one group: said by name, before `prepare`."""

import copy
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from torch import nn

from .._twofold import Error
from ..nn.quantized import FloatFunctional
from ..qat_mode import QATMode, get_qat_mode
from ._ops import op_of_module
from ._ops.activations import CLAMPS
from ._ops.op import Kind
from ._prepare.fuse import declare, fold, is_foldable_weight, set_module

__all__ = ["FuseMode", "fuse_known_modules", "fuse_modules"]

_FUNCTIONALS = (FloatFunctional, nn.quantized.FloatFunctional)


def fuse_known_modules(
    mod_list: Sequence[nn.Module],
    is_qat: bool | None = None,
    additional_fuser_method_mapping: Any = None,
) -> list[nn.Module]:
    """A group of modules that run one behind the other, as what is to stand in their places.

    The first is a Conv, ConvTranspose, Linear or another operator; behind it come a BatchNorm, a
    FloatFunctional whose sum it takes part in, a ReLU or another clamp, each where there is one.
    BatchNorm is folded into the weight now, or stays for `prepare` (`set_qat_mode`); `prepare`
    lets the operator in front clamp. The float model computes what it did. `is_qat` has no effect;
    twofold.Error for other methods, and for groups that cannot be.
    """
    if additional_fuser_method_mapping:
        raise Error("fuse_known_modules: other methods of fusing are not taken; leave them out")
    owner, result = mod_list[0], [mod_list[0]]
    behind: list[nn.Module] = []
    for module in mod_list[1:]:
        if isinstance(module, _FUNCTIONALS):
            declare(owner, behind)
            owner, behind = module, []
            result.append(module)
            continue
        _check(owner, behind, module)
        if _is_norm(module) and get_qat_mode() == QATMode.FuseBN:
            fold(owner, module)
            result.append(nn.Identity().train(module.training))
            result[-1].fused_into = [owner]  # in a list, so that it is no child
        else:
            result.append(module)
            behind.append(module)
    declare(owner, behind)
    return result


def _check(owner: nn.Module, behind: list[nn.Module], module: nn.Module) -> None:
    """twofold.Error where the module cannot be in the group."""
    first = op_of_module(type(owner))
    if _is_norm(module) and first is not None:
        is_first = first.kind is Kind.GEMM and not behind
        fits = is_first and module.running_mean is not None and is_foldable_weight(owner)
    else:
        is_operator = first is not None or isinstance(owner, _FUNCTIONALS)
        fits = is_operator and _is_clamp(module) and not any(map(_is_clamp, behind))
    if fits:
        return
    raise Error(
        f"fuse_modules: {type(module).__name__} cannot be fused behind {type(owner).__name__}: a "
        "group is Conv, ConvTranspose or Linear, a BatchNorm with running statistics, a "
        "FloatFunctional, ReLU or another clamp, in this order"
    )


def _is_norm(module: nn.Module) -> bool:
    return isinstance(module, nn.modules.batchnorm._BatchNorm)


def _is_clamp(module: nn.Module) -> bool:
    op = op_of_module(type(module))
    return op is not None and op.name in CLAMPS


def fuse_modules(
    model: nn.Module,
    modules_to_fuse: Sequence[Any],
    inplace: bool = False,
    fuser_func: Callable[[list[nn.Module]], Sequence[nn.Module]] = fuse_known_modules,
    fuse_custom_config_dict: Any = None,
) -> nn.Module:
    """The model with groups of modules fused: one list of names, or a list of such lists.

    A copy, unless `inplace`. Only PrepareMethod.EAGER and prepare_qat need to be told; the other
    methods see the groups by themselves. AttributeError for a name that there is not, twofold.Error
    for groups that cannot be.
    """
    if fuse_custom_config_dict:
        raise Error("fuse_modules: fuse_custom_config_dict is not taken; leave it out")
    if not inplace:
        model = copy.deepcopy(model)
    groups = [modules_to_fuse] if isinstance(modules_to_fuse[0], str) else modules_to_fuse
    for names in groups:
        fused = fuser_func([model.get_submodule(name) for name in names])
        for name, module in zip(names, fused, strict=True):
            set_module(model, name, module)
    return model


class _Refusing(type):
    def __getattr__(cls, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        raise AttributeError(
            f"FuseMode.{name}: prepare takes no mode of fusing: methods jit, jit-strip, symbolic "
            "fuse BatchNorm and ReLU with what is in front, eager what fuse_modules was told"
        )


class FuseMode(metaclass=_Refusing):
    """Not here: any member raises AttributeError that says which PrepareMethod fuses what."""
