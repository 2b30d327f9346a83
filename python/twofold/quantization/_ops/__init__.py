"""All operators that Twofold knows, and which of them a call or a module is."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch

from . import (
    activations,
    comparisons,
    elementwise,
    functions,
    indexing,
    joins,
    movers,
    norms,
    padding,
    pools,
    products,
    reductions,
    resampling,
    softmax,
    stubs,
    tables,
    unchanged,
)
from .calls import module_binder
from .op import Bound, Op

# Where several operators have a function, the first whose binder takes the call is meant.
_FILES = (
    stubs,
    products,
    elementwise,
    functions,
    comparisons,
    activations,
    softmax,
    norms,
    pools,
    resampling,
    movers,
    indexing,
    padding,
    joins,
    reductions,
    tables,
    unchanged,
)

OPS: list[Op] = [op for file in _FILES for op in file.OPS]
OPS_BY_NAME: dict[str, Op] = {op.name: op for op in OPS}


def _by_function() -> dict[Callable, list[Op]]:
    found: dict[Callable, list[Op]] = {}
    for op in OPS:
        for function in op.functions:
            found.setdefault(function, []).append(op)
    return found


_BY_FUNCTION = _by_function()
_BY_MODULE = {type_: op for op in OPS for type_ in op.modules}


def op_of_function(func: Callable) -> Op | None:
    """The operator of a function; of several (see `bind_function`) the first."""
    ops = _BY_FUNCTION.get(func)
    return None if ops is None else ops[0]


def bind_function(
    func: Callable, args: tuple, kwargs: Mapping[str, Any]
) -> tuple[Op, Bound] | None:
    """The operator that a call means, and the call as it takes it; None where there is none.

    A function may mean several: torch.max of two tensors is "maximum", of one a reduction. Binders
    give None for a call that is another operator's. Errors name the operator and the argument.
    """
    with torch._C.DisableTorchFunctionSubclass():  # binders ask tensors for shapes and types only
        for op in _BY_FUNCTION.get(func, ()):
            bound = op.functions[func](args, dict(kwargs))
            if bound is not None:
                return op, bound
    return None


def op_of_module(type_: type[torch.nn.Module]) -> Op | None:
    """The operator of modules of a type, or of one that it is a subclass of without a forward."""
    known = _known_type(type_)
    return None if known is None else _BY_MODULE[known]


def bind_module(module: torch.nn.Module, args: tuple, kwargs: Mapping[str, Any]) -> Bound:
    """The call of a module that `op_of_module` knows."""
    with torch._C.DisableTorchFunctionSubclass():
        return binder_of_module(type(module))(module, args, dict(kwargs))


def add_module_type(op: str, type_: type[torch.nn.Module], bind: Callable[..., Bound]) -> None:
    """Let modules of a type be an operator. `bind` takes the module, and what its forward does."""
    OPS_BY_NAME[op].modules[type_] = module_binder(op, bind)
    _BY_MODULE[type_] = OPS_BY_NAME[op]


def binder_of_module(type_: type[torch.nn.Module]) -> Callable[..., Bound]:
    """What binds the calls of modules of a type that `op_of_module` knows."""
    known = _known_type(type_)
    return _BY_MODULE[known].modules[known]


def _known_type(type_: type[torch.nn.Module]) -> type[torch.nn.Module] | None:
    return next((base for base in _bases(type_) if base in _BY_MODULE), None)


def _bases(type_: type[torch.nn.Module]) -> Iterator[type]:
    """The type, and those above it that have the same forward."""
    return (base for base in type_.__mro__ if getattr(base, "forward", None) is type_.forward)
