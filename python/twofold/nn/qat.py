"""The modules of torch.nn as operators of a prepared model, under the same names."""

import copyreg
from typing import Any

from torch import nn

from .._uncompiled import uncompiled
from ..qtensor import plain
from ..quantization._ops import OPS, binder_of_module, op_of_module
from ..quantization._ops.stubs import DEQUANT
from ..quantization._record import recorder as recording
from ..quantization._record.tree import map_tensors
from ._operator import Operator

_CLASSES: dict[type, type] = {}


@uncompiled
def _forward(self: Operator, *args: Any, **kwargs: Any) -> Any:
    return self.run(type(self).bind(self, args, kwargs))


def _plain_result(self: Operator, result: Any, source: Any) -> Any:
    """What a DeQuantStub hands on; a recorder of the whole model goes on following it."""
    recorder = recording.active()
    if recorder is not None and not recorder.between_stubs:
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

__all__ = ["SegmentLUT", *sorted(cls.__name__ for cls in _CLASSES.values())]


def adopt(module: nn.Module) -> None:
    """Make a module an operator, in its place: parameters, hooks, attributes stay.

    Its type is one of torch.nn, one that Twofold knows, or derived from such without a forward of
    its own. Raises KeyError for any other.
    """
    original = type(module)
    module.__class__ = _operator_class(original)
    module.start(op_of_module(original))


def _operator_class(original: type) -> type:
    """That of torch.nn's types is in this file; that of others is made with the first of them."""
    if original not in _CLASSES:
        op = op_of_module(original)
        if op is None:
            raise KeyError(original)
        methods = {"_followed": _plain_result} if op is DEQUANT else {}
        bind = binder_of_module(original)
        _CLASSES[original] = _make(original, bind, __reduce_ex__=_reduce_to_original, **methods)
    return _CLASSES[original]


def _reduce_to_original(self: Operator, protocol: Any) -> Any:
    """A pickle holds the user's class, from which ours is made again: ours has no place to be."""
    reduced = super(type(self), self).__reduce_ex__(max(2, protocol))
    make, args, *state = reduced
    if make is not copyreg.__newobj__:  # it is pickled in a way of its own
        return reduced
    return _new, (type(self).original, *args[1:]), *state


def _new(original: type, *args: Any) -> Operator:
    cls = _operator_class(original)
    return cls.__new__(cls, *args)


# Behind the loop, which makes classes of torch.nn's types; of this one `adopt` makes it.
from .segment_lut import SegmentLUT  # noqa: E402
