"""Which module's forward is running: where functional calls belong, and how many there were."""

import threading
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from ..._uncompiled import uncompiled


@dataclass
class Frame:
    """One running forward. Counts the calls of every operator in it.

    A leaf is an operator itself: what it calls inside is nobody's business. Where functions stay
    float, `prepare` makes no modules of calls; where modules do, it leaves those that are called.
    """

    module: torch.nn.Module
    is_leaf: bool = False
    calls: Counter = field(default_factory=Counter)
    functions_stay_float: bool = False
    modules_stay_float: bool = False

    def next_name(self, op: str) -> str:
        """What the module of this call is called in its scope."""
        number = self.calls[op]
        self.calls[op] += 1
        return f"_generated_{op}_{number}"


_local = threading.local()


def frames() -> list[Frame]:
    """Of this thread, the innermost last."""
    if not hasattr(_local, "frames"):
        _local.frames = []
    return _local.frames


def current() -> Frame | None:
    """The innermost one; None outside of all."""
    stack = frames()
    return stack[-1] if stack else None


def scope(module: torch.nn.Module) -> Frame:
    """The frame of a scope that begins now. What stays float around it does so inside, too."""
    around = current()
    if around is None:
        return Frame(module)
    return replace(around, module=module, is_leaf=False, calls=Counter())


@uncompiled
def enter(module: torch.nn.Module, _args: tuple) -> None:
    """Forward pre-hook of a module in which functional calls are looked for."""
    frames().append(scope(module))


@uncompiled
def enter_of_modules(module: torch.nn.Module, _args: tuple) -> None:
    """The same where modules alone are quantized (PrepareMethod.EAGER)."""
    frames().append(replace(scope(module), functions_stay_float=True))


@uncompiled
def leave(_module: torch.nn.Module, _args: tuple, _output: Any) -> None:
    """Forward hook of the same; runs when its forward raises, too."""
    frames().pop()


def watch(
    module: torch.nn.Module, functions_stay_float: bool = False
) -> list[torch.utils.hooks.RemovableHandle]:
    """Let it have a frame whenever it runs. Hooks that users set stay outside of it."""
    return [
        module.register_forward_pre_hook(enter_of_modules if functions_stay_float else enter),
        module.register_forward_hook(leave, prepend=True, always_call=True),
    ]
