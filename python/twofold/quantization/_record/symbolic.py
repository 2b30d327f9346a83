"""Models traced by torch.fx, without example inputs."""

import inspect
import operator
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import fx, nn

from ..._twofold import Error
from ...nn._attention import MultiheadAttention
from ...nn._recurrent import GRU, LSTM, GRUCell, LSTMCell
from ...qtensor import QTensor, wrap
from .._ops import bind_function, bind_module, op_of_function, op_of_module
from .._ops.op import Bound
from .graph import Recording, Value
from .lines import is_users
from .plain_calls import call_plain
from .recorder import Recorder
from .scopes import frames, scope
from .tree import map_tensors, tensors_of

_SHAPE = (1, 1, 1, 1)
# What torch.fx cannot look into, though every call in it is known.
_LOOPS = (nn.MultiheadAttention, nn.LSTM, nn.GRU)


def check_traceable(model: nn.Module, args: tuple, kwargs: Mapping[str, Any]) -> None:
    """Raise twofold.Error with the user's line where torch.fx cannot trace a call of these."""
    with Recorder(model).following():
        _trace(_Tracer(len(args), [*kwargs]), model)


def record_symbolically(model: nn.Module) -> Recording:
    """What a model calls, of its arguments without a default: operators, and who feeds whom.

    Each call is made with stand-ins for tensors, which tell float from integer results, but no
    shapes: see `Recording.has_shapes`. twofold.Error with the user's line where torch.fx cannot
    trace the model.
    """
    recorder = _StandInRecorder(model)
    between_stubs = not recorder.all_inside
    tracer = _RecordingTracer(recorder, between_stubs, *_required(model))
    with torch.no_grad(), recorder.following(between_stubs):
        frames().append(scope(model))
        graph = _trace(tracer, model)
    (output,) = (node for node in graph.nodes if node.op == "output")
    for tensor in tensors_of(tracer.values_of(output.args)):
        if getattr(tensor, "_value", None) is not None:
            recorder.recording.outputs.append(tensor._value)
    recorder.recording.has_shapes = False
    return recorder.recording


def _required(model: nn.Module) -> tuple[int, list[str]]:
    """How many arguments by position, and which by name, a call needs."""
    parameters = inspect.signature(model.forward).parameters.values()
    needed = [p for p in parameters if p.default is p.empty]
    by_name = [p.name for p in needed if p.kind is p.KEYWORD_ONLY]
    return sum(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in needed), by_name


def _trace(tracer: fx.Tracer, model: nn.Module) -> fx.Graph:
    try:
        return tracer.trace(model)
    except Error as error:
        line = _line_of(error)
        raise Error(str(error) if str(error).startswith(line) else f"{line}: {error}") from error
    except Exception as error:
        raise Error(
            f"{_line_of(error)}: torch.fx cannot trace this: {error}. Take method jit-strip, which "
            "runs the model, or leave the function out with twofold.fx.fx_helper.wrap"
        ) from error


def _line_of(error: BaseException) -> str:
    """The innermost line of the user's that an error passed."""
    line, traceback = "the model", error.__traceback__
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        if is_users(file):
            line = f"{file}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return line


class _Tracer(fx.Tracer):
    """torch.fx's, for which operators are leaves, with as many arguments as are given."""

    def __init__(self, positional: int, by_name: list[str]):
        super().__init__()
        self._positional, self._by_name = positional, by_name

    def create_args_for_root(
        self, root_fn: Callable, is_module: bool, concrete_args: Any = None
    ) -> tuple[Callable, list]:
        """Proxies for these; all others have their defaults."""
        names = [*(f"input_{i}" for i in range(self._positional)), *self._by_name]
        proxies = [self.create_proxy("placeholder", name, (), {}) for name in names]

        def call(*values: Any) -> Any:
            named = dict(zip(self._by_name, values[self._positional :], strict=True))
            return root_fn(self.root, *values[: self._positional], **named)

        return call, proxies

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        """Operators, attention, and what torch.fx takes for one."""
        if op_of_module(type(m)) is not None or isinstance(m, _LOOPS):
            return True
        if isinstance(m, LSTMCell | GRUCell):
            return False
        return super().is_leaf_module(m, module_qualified_name)


class _RecordingTracer(_Tracer):
    """One that makes each call with stand-ins, too, while a recorder looks on."""

    def __init__(
        self, recorder: "_StandInRecorder", between_stubs: bool, positional: int, by_name: list[str]
    ):
        super().__init__(positional, by_name)
        self._recorder, self._between_stubs = recorder, between_stubs
        self._values: dict[fx.Node, Any] = {}
        self._evaluates = False

    def create_proxy(
        self, kind: str, target: Any, args: tuple, kwargs: dict, *more: Any, **named: Any
    ) -> fx.Proxy:
        """A node, and what it gives."""
        proxy = super().create_proxy(kind, target, args, kwargs, *more, **named)
        self._evaluates = True
        try:
            args, kwargs = self.values_of(args), self.values_of(kwargs)
            self._values[proxy.node] = self._evaluate(kind, target, args, kwargs)
        finally:
            self._evaluates = False
        return proxy

    def call_module(self, m: nn.Module, forward: Callable, args: tuple, kwargs: dict) -> Any:
        """As it is in a call with stand-ins."""
        if self._evaluates:
            return forward(*args, **kwargs)
        return super().call_module(m, forward, args, kwargs)

    def getattr(self, attr: str, attr_val: Any, parameter_proxy_cache: dict) -> Any:
        """As it is in a call with stand-ins."""
        if self._evaluates:
            return attr_val
        return super().getattr(attr, attr_val, parameter_proxy_cache)

    def values_of(self, tree: Any) -> Any:
        """What stands for the proxies, or nodes, of arguments."""

        def value(leaf: Any) -> Any:
            node = leaf.node if isinstance(leaf, fx.Proxy) else leaf
            return self._values.get(node, leaf) if isinstance(node, fx.Node) else leaf

        return fx.node.map_aggregate(tree, value)

    def _evaluate(self, kind: str, target: Any, args: tuple, kwargs: dict) -> Any:
        match kind:
            case "placeholder":
                return _stand_in() if self._between_stubs else self._recorder.input(_stand_in())
            case "get_attr":
                scope_name, _, name = target.rpartition(".")
                return getattr(self.root.get_submodule(scope_name), name)
            case "call_module":
                return self._module(self.root.get_submodule(target), args, kwargs)
            case "call_method":
                return self._call(getattr(type(args[0]), target, None), args, kwargs)
        return self._call(target, args, kwargs)

    def _module(self, module: nn.Module, args: tuple, kwargs: dict) -> Any:
        op = op_of_module(type(module))
        if type(module) is nn.Identity:
            return args[0]
        if op is not None:
            output = _stand_in()
            followed = self._recorder.leaf(op, module, args, kwargs, output)
            return output if followed is None else followed
        if isinstance(module, MultiheadAttention | LSTM | GRU):
            # Two steps, and two of a batch: of one, a step that comes behind is not seen.
            size = getattr(module, "embed_dim", None) or module.input_size
            args, kwargs = (
                map_tensors(lambda x: _like(x, (2, 2, size)), a) for a in (args, kwargs)
            )
            return module(*args, **kwargs)
        return self._unknown(type(module).__name__, args, kwargs)

    def _call(self, function: Any, args: tuple, kwargs: dict) -> Any:
        try:
            return function(*args, **kwargs)
        except Error:
            raise
        except Exception:  # stand-ins have other shapes, and the numbers that come of these
            is_part = function is operator.getitem and isinstance(args[0], tuple) and args[0]
            return self._another(args[0][0]) if is_part else None

    def _another(self, result: Any) -> Any:
        """One more of the results of a call that splits a tensor."""
        if not isinstance(result, QTensor):
            return result
        first, other = result._value, wrap(_stand_in())
        other._value = Value(_stand_in(), first.layer, quantized=first.quantized)
        first.layer.outputs.append(other._value)
        return other

    def _unknown(self, name: str, args: tuple, kwargs: dict) -> Any:
        if not any(isinstance(x, QTensor) for x in (*tensors_of(args), *tensors_of(kwargs))):
            return _stand_in()
        result = wrap(_stand_in())
        self._recorder.add_unknown(name, args, kwargs, result)
        return result

    def call_untraced(self, function: Callable, args: tuple, kwargs: dict) -> fx.Proxy:
        """A function that is not to be looked into, as one call that nothing is known of."""
        proxies = [leaf for leaf in _leaves((args, kwargs)) if isinstance(leaf, fx.Proxy)]
        proxy = fx.Tracer.create_proxy(self, "call_function", function, tuple(proxies), {})
        args, kwargs = self.values_of(args), self.values_of(kwargs)
        self._values[proxy.node] = self._unknown(function.__name__, args, kwargs)
        return proxy


class _StandInRecorder(Recorder):
    """One whose tensors have shapes that calls need not fit."""

    def bind(self, func: Callable, args: tuple, kwargs: Mapping[str, Any]) -> Any:
        """As far as it can be told from stand-ins."""
        try:
            return bind_function(func, args, kwargs)
        except Exception:
            op = op_of_function(func)
            return None if op is None else (op, _tensors_only(args, kwargs))

    def bind_leaf(self, module: nn.Module, args: tuple, kwargs: Mapping[str, Any]) -> Bound:
        """As far as it can be told from stand-ins."""
        try:
            return bind_module(module, args, kwargs)
        except Exception:
            own = (getattr(module, name, None) for name in ("weight", "bias"))
            return Bound([*tensors_of(args), *tensors_of(dict(kwargs)), *own], {})

    def compute(self, func: Callable, args: tuple, kwargs: Mapping[str, Any]) -> Any:
        """What stand-ins give; else another one."""
        try:
            return call_plain(func, args, kwargs)
        except Exception:
            return _stand_in()


def _tensors_only(args: tuple, kwargs: Mapping[str, Any]) -> Bound:
    return Bound([*tensors_of(args), *tensors_of(dict(kwargs))], {})


def _stand_in() -> torch.Tensor:
    return torch.zeros(_SHAPE)


def _like(tensor: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
    """The same value of another shape."""
    if not isinstance(tensor, QTensor):
        return torch.zeros(shape)
    other = wrap(torch.zeros(shape))
    other._value = tensor._value
    return other


def _leaves(tree: Any) -> list[Any]:
    found: list[Any] = []
    fx.node.map_aggregate(tree, lambda leaf: found.append(leaf))
    return found
