"""The ways in which PyTorch lets one call be written."""

from collections.abc import Callable

import torch
import torch.nn.functional as F  # noqa: N812

from .op import Bound

Bind = Callable[..., Bound | None]


def spellings(bind: Bind, *names: str, dunder: str = "") -> dict[Callable, Bind]:
    """`bind` for all of `names` that torch, torch.Tensor, F and torch.special have.

    With their in-place forms, as `relu_` of "relu": `compute` changes nothing in place. `dunder`
    "add" stands for `__add__`, `__iadd__`, and `__radd__`, which has its operands the other way
    round.
    """
    found: dict[Callable, Bind] = {}
    for name in names:
        for holder in (torch, torch.Tensor, F, torch.special):
            _add(found, getattr(holder, name, None), bind)
            _add(found, getattr(holder, f"{name}_", None), bind)
    if dunder:
        _add(found, getattr(torch.Tensor, f"__{dunder}__", None), bind)
        _add(found, getattr(torch.Tensor, f"__i{dunder}__", None), bind)
        _add(found, getattr(torch.Tensor, f"__r{dunder}__", None), swapped(bind))
    return found


def _add(found: dict[Callable, Bind], call: Callable | None, bind: Bind) -> None:
    if call is not None:
        found.setdefault(call, bind)


def swapped(bind: Bind) -> Bind:
    """For `self.__radd__(other)`, which is other + self."""
    return lambda self, other: bind(other, self)


def reads(bind: Bind, *attributes: str) -> Callable[..., Bound | None]:
    """Of modules that call `bind(input, ...)` with these attributes of theirs."""

    def bind_module(module: torch.nn.Module, input: torch.Tensor) -> Bound | None:
        return bind(input, **{name: getattr(module, name) for name in attributes})

    return bind_module
