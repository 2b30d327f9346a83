"""Checks of one operator: that every way to call it is known, and means what PyTorch means."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import onnxruntime
import torch
import twofold
from twofold.quantization._ops import bind_function, bind_module, op_of_module
from twofold.quantization._ops.onnx_model import OnnxModel
from twofold.quantization._ops.op import Bound, Op


class Spy(torch.Tensor):
    """A tensor that notes the function it is first handed to, as PyTorch itself sees the call."""

    calls: list[tuple[Callable, tuple, dict]] = []

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        cls.calls.append((func, plain(args), plain(kwargs or {})))
        with torch._C.DisableTorchFunctionSubclass():
            return func(*plain(args), **plain(kwargs or {}))


def plain(tree: Any) -> Any:
    """Arguments with the tensors that were spied on."""
    if isinstance(tree, Spy):
        return tree.original
    if isinstance(tree, (tuple, list)):
        return type(tree)(plain(item) for item in tree)
    return {key: plain(item) for key, item in tree.items()} if isinstance(tree, dict) else tree


def _spied(tensor: torch.Tensor) -> Spy:
    spy = tensor.as_subclass(Spy)
    spy.original = tensor
    return spy


def bound_call(call: Callable, tensors: Sequence[torch.Tensor]) -> tuple[Op, Bound]:
    """What the first function is that `call` hands one of the tensors to, as the table has it."""
    Spy.calls = []
    copies = [tensor.clone() for tensor in tensors]  # in-place calls write to them
    call(*[_spied(copy) for copy in copies])
    found = bind_function(*Spy.calls[0])
    assert found is not None, f"{Spy.calls[0][0]} is not known"
    for copy, tensor in zip(copies, tensors, strict=True):
        found[1].inputs[:] = [tensor if x is copy else x for x in found[1].inputs]
    return found


def same_bits(a: torch.Tensor, b: torch.Tensor) -> bool:
    """Of one dtype and shape, and equal, where NaN is NaN and -0 is not 0."""
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    raw = [x.detach().contiguous().reshape(-1).view(torch.uint8) for x in (a, b)]
    return torch.equal(*raw)


def check_call(
    call: Callable,
    *tensors: torch.Tensor,
    op: str,
    constants: Sequence[int] = (),
    rtol: float = 0,
    atol: float = 0,
) -> Bound:
    """That `call(*tensors)` is one call of the operator, and is the same in torch, ONNX and here.

    Tensors at the positions `constants` are weights in ONNX. The tolerance is that of ONNX Runtime
    and of Twofold against PyTorch; what `compute` gives must have PyTorch's bits.
    """
    found, bound = bound_call(call, tensors)
    assert found.name == op
    expected = call(*[tensor.clone() for tensor in tensors])
    assert same_bits(found.compute(bound.inputs, bound.attributes), expected)
    varying = [tensor for i, tensor in enumerate(tensors) if i not in constants]
    check_onnx(found, bound, varying, expected, rtol, atol)
    return bound


def check_module(
    module: torch.nn.Module, *args: Any, op: str, rtol: float = 0, atol: float = 0, **kwargs: Any
) -> Bound:
    """The same of a module of torch.nn, whose parameters are constants in ONNX."""
    module.eval()
    found = op_of_module(type(module))
    assert found is not None and found.name == op
    bound = bind_module(module, args, kwargs)
    with torch.no_grad():
        expected = module(
            *[a.clone() if isinstance(a, torch.Tensor) else a for a in args], **kwargs
        )
        assert same_bits(found.compute(bound.inputs, bound.attributes), expected)
    varying = [arg for arg in args if isinstance(arg, torch.Tensor)]
    check_onnx(found, bound, varying, expected, rtol, atol)
    return bound


def onnx_of(op: Op, bound: Bound, varying: Sequence[torch.Tensor]) -> OnnxModel:
    """A model of the one call, named "call", whose inputs x0, x1 ... are the varying tensors."""
    model = OnnxModel()
    names = [model.input(f"x{i}", tensor) for i, tensor in enumerate(varying)]

    def name_of(tensor: torch.Tensor | None) -> str:
        if tensor is None:
            return ""
        found = [name for name, other in zip(names, varying, strict=True) if other is tensor]
        return found[0] if found else model.constant(tensor)

    inputs = [name_of(tensor) for tensor in bound.inputs]
    with model.call("call"):
        result = op.emit(model, inputs, bound.attributes)
    model.output("y", result)
    return model


def check_onnx(
    op: Op,
    bound: Bound,
    varying: Sequence[torch.Tensor],
    expected: torch.Tensor,
    rtol: float,
    atol: float,
) -> None:
    """That the emitted model passes the checker and gives the expected tensor in both runtimes."""
    proto = onnx_of(op, bound, varying).build()
    assert sum(node.name == "call" for node in proto.graph.node) == 1
    file = proto.SerializeToString()
    feed = {f"x{i}": tensor.detach().numpy() for i, tensor in enumerate(varying)}
    wanted = expected.detach().numpy()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    used = {i.name for i in onnxruntime.InferenceSession(file, options).get_inputs()}
    reference = onnxruntime.InferenceSession(file, options).run(
        None, {name: array for name, array in feed.items() if name in used}
    )[0]
    ours = twofold.Session(file, threads=1).run(feed)["y"]
    for result in (reference, ours):
        assert result.dtype == wanted.dtype and result.shape == wanted.shape
        np.testing.assert_allclose(result, wanted, rtol=rtol, atol=atol)
