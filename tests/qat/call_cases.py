"""Checks of calls that give one tensor or several, and of operators that only move numbers."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnxruntime
import torch
import twofold
from ops_cases import bound_call
from twofold.quantization._ops import bind_module, op_of_module
from twofold.quantization._ops.onnx_model import OnnxModel
from twofold.quantization._ops.op import Bound, Kind, Op


def cases(table: dict[str, list]) -> list[tuple[str, Callable]]:
    """(operator, call), one by one."""
    return [(op, call) for op, calls in table.items() for call in calls]


def results(value: Any) -> list[torch.Tensor]:
    """One tensor, or several."""
    return [value] if isinstance(value, torch.Tensor) else list(value)


def same_bits(a: torch.Tensor, b: torch.Tensor) -> bool:
    """Of one dtype and shape, and equal, where NaN is NaN and -0 is not 0; in any strides."""
    raw = [x.detach().numpy().tobytes() for x in (a, b)]
    return a.dtype == b.dtype and a.shape == b.shape and raw[0] == raw[1]


def check(
    call: Callable, *tensors: torch.Tensor, op: str, rtol: float = 0, atol: float = 0
) -> Bound:
    """That `call(*tensors)` is one call of the operator, and the same in torch, ONNX and here."""
    found, bound = bound_call(call, tensors)
    assert found.name == op
    expected = call(*[tensor.clone() for tensor in tensors])
    _check(found, bound, expected, rtol, atol)
    return bound


def check_layer(
    module: torch.nn.Module, *args: Any, op: str, rtol: float = 0, atol: float = 0, **kwargs: Any
) -> Bound:
    """The same of a module in evaluation, whose parameters and buffers are constants in ONNX."""
    module.eval()
    found = op_of_module(type(module))
    assert found is not None and found.name == op
    bound = bind_module(module, args, kwargs)
    with torch.no_grad():
        _check(found, bound, module(*args, **kwargs), rtol, atol, [*module.buffers()])
    return bound


def model_of(op: Op, bound: Bound, constants: Sequence[torch.Tensor] = ()) -> OnnxModel:
    """The call "call", with inputs x0, x1 ... for tensors that are no constants."""
    model = OnnxModel()
    names = []
    for i, tensor in enumerate(bound.inputs):
        if tensor is None:
            names.append("")
        elif isinstance(tensor, torch.nn.Parameter) or any(tensor is c for c in constants):
            names.append(model.constant(tensor))
        else:
            names.append(model.input(f"x{i}", tensor))
    with model.call("call"):
        written = op.emit(model, names, bound.attributes)
    for i, name in enumerate([written] if isinstance(written, str) else written):
        model.output(f"y{i}", name)
    return model


def emit(call: Callable, *tensors: torch.Tensor) -> OnnxModel:
    """What a call is in ONNX; errors come from there."""
    return model_of(*bound_call(call, tensors))


def _check(
    op: Op,
    bound: Bound,
    expected: Any,
    rtol: float,
    atol: float,
    constants: Sequence[torch.Tensor] = (),
) -> None:
    computed = op.compute(bound.inputs, bound.attributes)
    assert type(computed) is type(expected)  # torch.return_types.max, too
    wanted = results(expected)
    for result, other in zip(results(computed), wanted, strict=True):
        assert same_bits(result, other)
    if op.kind is Kind.MOVE and bound.inputs[0].is_floating_point():
        _check_moves(op, bound, wanted)
    file = model_of(op, bound, constants).build()
    assert sum(node.name == "call" for node in file.graph.node) == 1
    for given in _run(file.SerializeToString(), bound):
        for array, tensor in zip(given, wanted, strict=True):
            other = tensor.detach().numpy()
            assert array.dtype == other.dtype and array.shape == other.shape
            np.testing.assert_allclose(array, other, rtol=rtol, atol=atol)


def _check_moves(op: Op, bound: Bound, wanted: list[torch.Tensor]) -> None:
    """Moved integers are the integers of what was moved, so no scale of its own is needed."""
    rounded = op.compute([bound.inputs[0].round(), *bound.inputs[1:]], bound.attributes)
    for result, other in zip(results(rounded), wanted, strict=True):
        if other.is_floating_point():  # others are places
            assert torch.equal(result, other.round())


def _run(file: bytes, bound: Bound) -> list[list[np.ndarray]]:
    """By ONNX Runtime, and by Twofold."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    reference = onnxruntime.InferenceSession(file, options)
    names = {value.name for value in reference.get_inputs()}
    feed = {
        f"x{i}": tensor.detach().numpy()
        for i, tensor in enumerate(bound.inputs)
        if f"x{i}" in names
    }
    return [reference.run(None, feed), [*twofold.Session(file, threads=1).run(feed).values()]]
