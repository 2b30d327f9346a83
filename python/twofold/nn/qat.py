"""The modules of torch.nn as operators of a prepared model, under the same names."""

from typing import Any

from torch import nn

from ..qtensor import plain
from ..quantization._ops import OPS, op_of_module
from ..quantization._ops.stubs import DEQUANT
from ..quantization._record import recorder as recording
from ..quantization._record.tree import map_tensors
from ._operator import Operator

_CLASSES: dict[type, type] = {}


def _forward(self: Operator, *args: Any, **kwargs: Any) -> Any:
    return self.run(type(self).bind(self, args, kwargs))


def _plain_result(self: Operator, result: Any, source: Any) -> Any:
    """What a DeQuantStub hands on; a recorder goes on following it."""
    if recording.active() is not None:
        return Operator._followed(self, result, source)
    return map_tensors(plain, result)


def _make(original: type, bind: Any, **methods: Any) -> type:
    name = original.__name__
    body = {"original": original, "bind": staticmethod(bind), "forward": _forward, **methods}
    made = type(name, (Operator, original), body)
    made.__module__ = __name__
    made.__doc__ = f"torch.nn.{name} that quantizes its inputs, weight and output as a plan says."
    return made


for _op in OPS:
    for _type, _bind in _op.modules.items():
        _methods = {"_followed": _plain_result} if _op is DEQUANT else {}
        _made = _make(_type, _bind, **_methods)
        # torch.ao's stubs have the names of ours.
        if _made.__name__ in globals():
            _made.__name__ = _made.__qualname__ = f"Torch{_type.__name__}"
        _CLASSES[_type] = globals()[_made.__name__] = _made

__all__ = sorted(cls.__name__ for cls in _CLASSES.values())


def adopt(module: nn.Module) -> None:
    """Make a module of torch.nn an operator, in its place: parameters, hooks, attributes stay.

    Raises KeyError for a type that is none.
    """
    op = op_of_module(type(module))
    module.__class__ = _CLASSES[type(module)]
    module.start(op)
