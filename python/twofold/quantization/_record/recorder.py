"""Runs a model once and writes down what it calls."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch

from ..._twofold import Error
from ...qtensor import QTensor, plain, wrap
from .._kept import modes_kept
from .._ops import bind_function, bind_module, op_of_module
from .._ops.op import Bound, Kind, Op
from .._ops.stubs import DEQUANT, QUANT
from . import in_place
from .graph import Layer, Recording, Value
from .lines import user_line
from .plain_calls import call_plain
from .scopes import Frame, current, frames, watch
from .tree import map_tensors, tensors_of
from .whole_model import follows_inputs

# How names of layers begin that no operator is known for.
UNKNOWN = "_unknown_"

_local = threading.local()


def active() -> "Recorder | None":
    """That of this thread."""
    return getattr(_local, "recorder", None)


def _begins(module: torch.nn.Module) -> bool:
    """Whether it is a QuantStub, of a float model or of a prepared one."""
    return op_of_module(type(module)) is QUANT or getattr(module, "op_name", "") == QUANT.name


def unknown_op(name: str) -> Op:
    """An operator that Twofold knows nothing of: it stays float, and cannot be exported."""

    def refuse(*_: Any) -> None:
        raise Error(f"{name}: it is not known how ONNX says this; write it in other functions")

    return Op(name, Kind.COMPUTE, {}, refuse, refuse, quantized=())


class Recorder:
    """The calls of one run, of modules that are operators and of functions.

    Modules that `prepare` made record themselves (`add_module`); operators of torch.nn are watched.
    """

    def __init__(self, model: torch.nn.Module, functions_stay_float: bool = False):
        """For one run of `model`."""
        self.recording = Recording()
        self._model = model
        self._functions_stay_float = functions_stay_float
        self.is_for_export = False
        self._names = {module: name for name, module in model.named_modules()}
        self._constants: dict[int, Value] = {}
        self._calls: dict[str, int] = {}
        self._moves = 0
        self._inside: list[tuple] = []  # what the running leaves were called with
        self.between_stubs = False
        self.all_inside = follows_inputs(model) or not any(map(_begins, model.modules()))

    def run(self, args: tuple, kwargs: Mapping[str, Any], between_stubs: bool = False) -> Any:
        """Run the model; `between_stubs` alone, or all of it. Returns what it returns."""
        if not between_stubs:
            args, kwargs = (map_tensors(self.input, tree) for tree in (args, dict(kwargs)))
        with self.following(between_stubs):
            output = self._model(*args, **kwargs)
        for tensor in tensors_of(output):
            value = getattr(tensor, "_value", None)
            if value is not None:
                self.recording.outputs.append(value)
        return output

    @contextmanager
    def following(self, between_stubs: bool = False) -> Iterator[None]:
        """Record what the model does in here; `between_stubs` alone, or with what `input` gave."""
        handles = [handle for module in self._model.modules() for handle in self._watch(module)]
        self.between_stubs = between_stubs
        self.recording.is_whole = self.all_inside
        _local.recorder = self
        depth = len(frames())
        try:
            yield
        finally:
            _local.recorder = None
            del frames()[depth:]
            for handle in handles:
                handle.remove()

    def input(self, tensor: torch.Tensor) -> QTensor:
        """A tensor that nothing recorded computed, and that is no constant either."""
        value = Value(plain(tensor).detach(), is_input=True)
        self.recording.inputs.append(value)
        wrapped = wrap(plain(tensor))
        wrapped._value = value
        return wrapped

    def end(self, tensor: QTensor) -> None:
        """A tensor that the model itself dequantizes: it is an output of the graph."""
        if tensor._value not in self.recording.outputs:
            self.recording.outputs.append(tensor._value)

    def is_inside(self, bound: Bound) -> bool:
        """Whether a call belongs to the quantized part."""
        if self.all_inside:
            return True
        values = (getattr(tensor, "_value", None) for tensor in bound.inputs)
        return any(value is not None and value.quantized for value in values)

    def bind(self, func: Callable, args: tuple, kwargs: Mapping[str, Any]) -> Any:
        """The operator that a call means, and the call as it takes it: see `bind_function`."""
        return bind_function(func, args, kwargs)

    def bind_leaf(self, module: torch.nn.Module, args: tuple, kwargs: Mapping[str, Any]) -> Bound:
        """The call of a module that is an operator."""
        return bind_module(module, args, kwargs)

    def compute(self, func: Callable, args: tuple, kwargs: Mapping[str, Any]) -> Any:
        """What a call gives, in plain tensors."""
        return call_plain(func, args, kwargs)

    def add_module(self, module: torch.nn.Module, op: Op, bound: Bound, result: Any) -> None:
        """The call of a module that is an operator."""
        layer = self._add(self._names[module], op, module, bound, result)
        frame = current()
        layer.stays_float = frame is not None and frame.modules_stay_float

    def add_function(self, op: Op, frame: Frame, name: str, bound: Bound, result: Any) -> None:
        """A functional call in a module's forward, which a module is to be made for, or not."""
        if frame.functions_stay_float:
            name = name.replace("_generated_", "_float_", 1)
        layer = self._add(self._join(frame, name), op, None, bound, result)
        layer.stays_float = frame.functions_stay_float

    def add_scope(self, module: torch.nn.Module, parent: torch.nn.Module, name: str) -> None:
        """A module that is made while the model runs, as a child of one that was there."""
        above = self._names[parent]
        self._names[module] = f"{above}.{name}" if above else name

    def add_move(self, op: Op, bound: Bound, result: Any) -> None:
        """A call that only moves numbers."""
        self._moves += 1
        self._add(f"_move_{op.name}_{self._moves}", op, None, bound, result)

    def add_unknown(self, func: Callable, args: tuple, kwargs: Mapping, result: Any) -> None:
        """A call that no operator is known for: it stays as it is, and float."""
        inputs = [*tensors_of(args), *tensors_of(dict(kwargs))]
        op = unknown_op(getattr(func, "__name__", str(func)))
        name = f"{UNKNOWN}{op.name}_{len(self.recording.layers)}"
        self._add(name, op, None, Bound(inputs, {}), result).stays_float = True

    def _join(self, frame: Frame, name: str) -> str:
        scope = self._names[frame.module]
        return f"{scope}.{name}" if scope else name

    def _add(self, name: str, op: Op, module: Any, bound: Bound, result: Any) -> Layer:
        call = self._calls.get(name, 0)
        self._calls[name] = call + 1
        layer = Layer(name, op, module, [], bound.attributes, call=call, line=user_line())
        layer.called_once = call == 0
        if call == 1:
            next(other for other in self.recording.layers if other.name == name).called_once = False
        for position, tensor in enumerate(bound.inputs):
            value = None if tensor is None else self._value_of(tensor)
            layer.inputs.append(value)
            if value is not None:
                value.readers.append((layer, position))
        quantized = op is QUANT or self._has_quantized(layer)
        for tensor in tensors_of(result):
            value = Value(plain(tensor).detach(), layer, quantized=quantized)
            tensor._value = value
            layer.outputs.append(value)
        self.recording.layers.append(layer)
        return layer

    def _has_quantized(self, layer: Layer) -> bool:
        """Whether its results are inside, too: from a QuantStub on, or everywhere without one."""
        if layer.op is DEQUANT:
            return False
        return self.all_inside or any(
            value is not None and value.quantized for value in layer.inputs
        )

    def _value_of(self, tensor: torch.Tensor) -> Value:
        value = getattr(tensor, "_value", None)
        if value is not None:
            return value
        key = id(tensor)
        if key not in self._constants:
            self._constants[key] = Value(plain(tensor))  # which keeps the id from being used again
        return self._constants[key]

    def _watch(self, module: torch.nn.Module) -> list:
        if getattr(module, "records_itself", False) or getattr(module, "has_scope", False):
            return []
        if type(module) is torch.nn.Identity:  # which hands on the very tensor
            return []
        op = op_of_module(type(module))
        if op is None:
            return watch(module, self._functions_stay_float)

        def enter(module: torch.nn.Module, args: tuple, kwargs: dict) -> None:
            frames().append(Frame(module, is_leaf=True))
            self._inside.append((args, kwargs))

        def leave(module: torch.nn.Module, _args: tuple, _kwargs: dict, output: Any) -> Any:
            frames().pop()
            args, kwargs = self._inside.pop()
            frame = current()
            if output is None or (frame is not None and frame.is_leaf):
                return None
            return self.leaf(op, module, args, kwargs, output)

        return [
            module.register_forward_pre_hook(enter, with_kwargs=True),
            module.register_forward_hook(leave, with_kwargs=True, prepend=True, always_call=True),
        ]

    def leaf(self, op: Op, module: torch.nn.Module, args: tuple, kwargs: dict, output: Any) -> Any:
        """Record a module of torch.nn; what it returns from now on."""
        if op is QUANT:
            args, kwargs = map_tensors(self._begin, args), map_tensors(self._begin, kwargs)
        elif not any(isinstance(t, QTensor) for t in (*tensors_of(args), *tensors_of(kwargs))):
            return None
        in_place.check((args, kwargs))
        if getattr(module, "inplace", False):
            in_place.mark(args)
        # New wrappers: a module that hands its input on must not rename it.
        followed = map_tensors(lambda tensor: wrap(plain(tensor)), output)
        self.add_module(module, op, self.bind_leaf(module, args, kwargs), followed)
        if op is not DEQUANT or not self.between_stubs:
            return followed
        self.recording.outputs += [tensor._value for tensor in tensors_of(followed)]
        return map_tensors(plain, followed)

    def _begin(self, tensor: torch.Tensor) -> torch.Tensor:
        return tensor if isinstance(tensor, QTensor) else self.input(tensor)


def record_evaluated(
    model: torch.nn.Module, args: tuple, kwargs: Mapping[str, Any], for_export: bool = False
) -> Recording:
    """All that a model does in eval mode, without gradients; its modes are kept."""
    with modes_kept(model), torch.no_grad():
        recorder = Recorder(model.eval())
        recorder.is_for_export = for_export
        recorder.run(args, kwargs)
    return recorder.recording


@contextmanager
def paused() -> Iterator[None]:
    """Calls in here are not recorded."""
    recorder, _local.recorder = active(), None
    try:
        yield
    finally:
        _local.recorder = recorder
