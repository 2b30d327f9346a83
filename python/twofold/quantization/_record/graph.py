"""What a model did with its example inputs: the calls in order, and the tensors between them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import torch

from .._ops.op import Kind, Op


@dataclass(eq=False)
class Value:
    """A tensor of the recorded run.

    `layer` computed it, or None: then it is an input of the graph (`is_input`), or a constant, that
    is, a parameter, a buffer or a tensor that was there before. `tensor` is what the run had.
    `quantized` says whether it is inside the part to be quantized: between QuantStub and
    DeQuantStub, or everywhere where there are no stubs. `is_unknown`: something computes it, but
    nobody has seen what (PrepareMethod.EAGER without example inputs).
    """

    tensor: torch.Tensor
    layer: "Layer | None" = None
    is_input: bool = False
    quantized: bool = False
    is_unknown: bool = False
    readers: list[tuple["Layer", int]] = field(default_factory=list)  # and the position there

    @property
    def is_constant(self) -> bool:
        """Whether it does not depend on the inputs."""
        return self.layer is None and not self.is_input and not self.is_unknown


@dataclass(eq=False)
class Layer:
    """One call of one operator.

    `name` is the module's path ("blocks.0.mlp.1", "blocks.0._generated_matmul_0"); of operators
    that only move numbers, and need no module, one that no module has. `module` is None there.
    `call` counts the calls of the same module. `line` is where the user's code calls it,
    "file:line".
    """

    name: str
    op: Op
    module: torch.nn.Module | None
    inputs: list[Value | None]
    attributes: dict[str, Any]
    outputs: list[Value] = field(default_factory=list)
    call: int = 0
    line: str = ""
    called_once: bool = True  # no other layer has its name
    clamp: tuple[str, dict[str, Any]] | None = None  # that it computes along: operator, attributes
    stays_float: bool = False  # where `prepare` has to leave it

    @property
    def kind(self) -> Kind:
        """Of its operator."""
        return self.op.kind


@dataclass(eq=False)
class Recording:
    """All calls, in the order they were made: producers come before their readers.

    Without `has_shapes` no example inputs ran, and shapes of values mean nothing.
    """

    layers: list[Layer] = field(default_factory=list)
    inputs: list[Value] = field(default_factory=list)
    outputs: list[Value] = field(default_factory=list)
    has_shapes: bool = True
    is_whole: bool = False  # all of the model is to be quantized, not only what stubs enclose

    def computing(self) -> Iterator[Layer]:
        """Those that compute, and so may be quantized: all but what only moves numbers."""
        return (layer for layer in self.layers if layer.kind is not Kind.MOVE)

    @staticmethod
    def source(value: Value) -> Value:
        """The value whose numbers these are, before anything moved them."""
        while value.layer is not None and value.layer.kind is Kind.MOVE:
            value = value.layer.inputs[0]
        return value

    @classmethod
    def numbers_readers(cls, value: Value) -> Iterator[tuple[Layer, int]]:
        """Who computes with these numbers, behind all that only moves them: (layer, position)."""
        for layer, position in value.readers:
            if layer.kind is not Kind.MOVE:
                yield layer, position
            elif position == 0:
                for output in layer.outputs:
                    yield from cls.numbers_readers(output)
