"""What becomes of a call with tensors that are followed: `QTensor.__torch_function__`."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

import torch

from ...nn._attention import COMPOSITES
from ...qtensor import QTensor, wrap
from .._ops import bind_function
from .._ops.op import Bound, Kind, Op
from . import in_place, lost_scope
from . import recorder as recording
from .in_place import is_in_place
from .lines import user_line
from .plain_calls import call_plain
from .scopes import Frame, current
from .tree import map_tensors, tensors_of

_log = logging.getLogger("twofold.quantization")

# Functions that give a tensor and compute nothing of the model.
_ASIDE = {torch.Tensor.grad.__get__, torch.Tensor.data.__get__, torch.Tensor.backward}
# What a view is one of. Wrapped it were a view itself, and torch.compile would ask on for ever.
_BASE = torch.Tensor._base.__get__


def dispatch(func: Callable, args: tuple, kwargs: Mapping[str, Any]) -> Any:
    """Run a call: as the module that stands for it, as it is, or only recorded."""
    frame = current()
    if frame is None or func == _BASE:
        lost_scope.check()
        return call_plain(func, args, kwargs)
    if frame.is_leaf or func in _ASIDE:
        return _follow(call_plain(func, args, kwargs))
    recorder = recording.active()
    if recorder is not None:
        in_place.check((args, kwargs))
        if is_in_place(func, kwargs):
            in_place.mark(args)
    if func in COMPOSITES:
        return COMPOSITES[func](*args, **kwargs)
    known = (bind_function if recorder is None else recorder.bind)(func, args, kwargs)
    if known is None:
        return _unknown(func, args, kwargs, recorder)
    op, bound = known
    if op.kind is Kind.MOVE:
        return _move(op, bound, _compute(recorder, func, args, kwargs), recorder)
    run_as = getattr(type(frame.module), "run_as", None)
    if run_as is not None:
        return run_as(frame.module, op, bound)
    if recorder is not None and not recorder.is_inside(bound):
        return _outside(op, frame, bound, _compute(recorder, func, args, kwargs), recorder)
    name = frame.next_name(op.name)
    module = None if frame.functions_stay_float else frame.module._modules.get(name)
    if module is not None:
        return module(bound)
    result = _follow(_compute(recorder, func, args, kwargs))
    if recorder is not None:
        recorder.add_function(op, frame, name, bound, result)
    elif _is_float(result) and not frame.functions_stay_float:
        _warn_unprepared(frame, name)
    return result


def _compute(recorder: Any, func: Callable, args: tuple, kwargs: Mapping[str, Any]) -> Any:
    return (call_plain if recorder is None else recorder.compute)(func, args, kwargs)


def _follow(result: Any, quantizer: Any = None) -> Any:
    return map_tensors(lambda tensor: wrap(tensor, quantizer), result)


def _is_float(result: Any) -> bool:
    return any(tensor.is_floating_point() for tensor in tensors_of(result))


def _move(op: Op, bound: Bound, result: Any, recorder: Any) -> Any:
    source = bound.inputs[0]
    quantizer = source._quantizer if isinstance(source, QTensor) else None
    result = _follow(result, quantizer)
    if recorder is not None:
        recorder.add_move(op, bound, result)
    return result


def _outside(op: Op, frame: Frame, bound: Bound, result: Any, recorder: Any) -> Any:
    """A call before a QuantStub or behind a DeQuantStub, which no module stands for.

    A prepared model does not follow it when it runs; so it takes no name of those that it follows.
    """
    result = _follow(result)
    recorder.add_function(op, frame, frame.next_name(f"outside_{op.name}"), bound, result)
    return result


def _unknown(func: Callable, args: tuple, kwargs: Mapping[str, Any], recorder: Any) -> Any:
    result = _compute(recorder, func, args, kwargs)
    if not any(True for _ in tensors_of(result)):
        return result
    result = _follow(result)
    if recorder is not None:
        recorder.add_unknown(func, args, kwargs, result)
    return result


_warned: set[tuple[int, str]] = set()


def _warn_unprepared(frame: Frame, name: str) -> None:
    key = (id(frame.module), name)
    if key in _warned:
        return
    _warned.add(key)
    _log.warning(
        "%s: %s was not called when the model was prepared, so it stays in float. Give prepare "
        "example inputs that come here, or mark the block with Tracer.dynamic_block",
        user_line(),
        name,
    )
