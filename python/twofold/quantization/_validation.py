"""VALIDATION: an operator computed from its integers, by the engine that runs the export.

Of tensors on a GPU what torch computes there with the same bits; the rest is copied to the engine.
"""

import hashlib
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from torch import nn

from .. import _twofold
from ..nn._operator import OUTPUT, Operator
from ..qtensor import QTensor, plain
from ._on_device import run_on_device
from ._onnx_graph import GraphWriter
from ._ops.op import Bound, Kind
from ._record.graph import Layer, Value
from ._record.recorder import paused
from ._record.tree import map_tensors

# Devices that hold float64, and are not the engine's.
_COMPUTE_THEMSELVES = {"cuda"}


def run_on_integers(operator: Operator, bound: Bound) -> Any:
    """What the operator gives in the exported model, to the bit: float32, on the output's grid.

    Raises twofold.Error where the operator cannot be exported.
    """
    with torch.no_grad(), paused():
        result = None
        if _device(bound).type in _COMPUTE_THEMSELVES:
            result = run_on_device(operator, bound)
        return _engine_of(operator, bound).run(bound) if result is None else result


class _Engine:
    """One operator as a model of its own, for inputs of these shapes."""

    def __init__(self, operator: Operator, bound: Bound):
        inputs: list[Value | None] = []
        self._fed: dict[str, int] = {}
        writer = GraphWriter(operator.op_name)
        for position, tensor in enumerate(bound.inputs):
            if tensor is None:
                inputs.append(None)
                continue
            value = Value(plain(tensor).detach())
            inputs.append(value)
            if _is_constant(operator, position, tensor):
                value.tensor = tensor
                continue
            value.is_input = True
            name = f"x{position}"
            self._fed[name] = position
            grid = getattr(tensor, "_quantizer", None)
            writer.add_input(name, value, grid if grid is not None and grid.is_integer else None)
        layer = Layer(operator.op_name, operator.op, operator, inputs, bound.attributes)
        result = operator.compute([plain(t) for t in bound.inputs], bound.attributes)
        results = [result] if isinstance(result, torch.Tensor) else list(result)
        layer.outputs = [Value(tensor, layer) for tensor in results]
        self._is_one = isinstance(result, torch.Tensor)
        self._type = type(result)
        writer.add(layer)
        for i, value in enumerate(layer.outputs):
            writer.add_output(f"y{i}", value)
        self._session = _twofold.Session(writer.written.quantized())

    def run(self, bound: Bound) -> Any:
        """The results, as torch gives them."""
        device = _device(bound)
        feeds = {name: _array(bound.inputs[position]) for name, position in self._fed.items()}
        results = [torch.from_numpy(y).to(device) for y in self._session.run(feeds).values()]
        return results[0] if self._is_one else self._type(results)


# Beside the modules, which are copied and pickled.
_engines: WeakKeyDictionary[Operator, tuple[tuple, _Engine]] = WeakKeyDictionary()


def _device(bound: Bound) -> torch.device:
    """The inputs'; a tensor of the CPU beside others is a number."""
    devices = [tensor.device for tensor in bound.inputs if tensor is not None]
    return next((device for device in devices if device.type != "cpu"), devices[0])


def _array(tensor: torch.Tensor) -> np.ndarray:
    return plain(tensor).detach().cpu().contiguous().numpy()


def _is_constant(operator: Operator, position: int, tensor: torch.Tensor) -> bool:
    """Whether it is part of the engine's model: parameters, buffers, weights and biases.

    Those of a product are what the export has as constants: a bias is rounded there, among others.
    """
    if isinstance(tensor, QTensor):
        return False
    own = (*operator.parameters(recurse=False), *operator.buffers(recurse=False))
    is_factor = position > 0 and operator.op.kind is Kind.GEMM
    return is_factor or any(tensor is part for part in own)


def _engine_of(operator: Operator, bound: Bound) -> _Engine:
    """Made anew where weights, scales, shapes or attributes are others than last time."""
    key = _key(operator, bound)
    known = _engines.get(operator)
    if known is None or known[0] != key:
        known = _engines[operator] = (key, _Engine(operator, bound))
    return known[1]


def _key(operator: Operator, bound: Bound) -> tuple:
    tensors = [*operator.parameters(), *operator.buffers()]
    versions = tuple((tensor.data_ptr(), tensor._version) for tensor in tensors)
    inputs = tuple(
        _input_key(operator, position, tensor) for position, tensor in enumerate(bound.inputs)
    )
    attributes = map_tensors(lambda tensor: tuple(tensor.flatten().tolist()), bound.attributes)
    return versions, inputs, repr(attributes), OUTPUT in operator._modules


def _input_key(operator: Operator, position: int, tensor: torch.Tensor | None) -> Any:
    if tensor is None:
        return None
    if isinstance(tensor, QTensor) or not _is_constant(operator, position, tensor):
        return tuple(tensor.shape), tensor.dtype, _grid_key(tensor)
    if isinstance(tensor, nn.Parameter):
        return tensor.data_ptr(), tensor._version
    # Made anew in every forward, where the memory of others has been.
    return hashlib.sha256(_array(tensor).tobytes()).digest()


def _grid_key(tensor: torch.Tensor) -> tuple | None:
    quantizer = getattr(tensor, "_quantizer", None)
    if quantizer is None or not quantizer.is_integer:
        return None
    return id(quantizer), quantizer.scale._version, quantizer.zero_point._version
