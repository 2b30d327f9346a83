"""What is known of one kind of operator: how it is called, what it computes, what ONNX calls it.

Every place that needs to know an operator (recording, fake quantization, validation, export) asks
the same object, so that what is trained is what is exported.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple

import torch


class Kind(Enum):
    """What an operator does to numbers."""

    GEMM = "gemm"  # products, summed: two inputs that get integers, and a bias that does not
    COMPUTE = "compute"  # new numbers: its result is quantized by itself
    MOVE = "move"  # the same numbers elsewhere: what it passes on is as quantized as what it gets


class Bound(NamedTuple):
    """A call, whatever way it was written in: tensors apart from all else.

    `inputs` are tensors in ONNX's order; None where an optional one is left out. `attributes` are
    plain values. `compute(inputs, attributes)` does not depend on anything else.
    """

    inputs: list[torch.Tensor | None]
    attributes: dict[str, Any]


@dataclass(frozen=True)
class Op:
    """One operator.

    `name` is what generated modules are called by: `_generated_<name>_<k>`. `functions` are all
    callables that mean it (torch.add, torch.Tensor.add, torch.Tensor.__radd__ ...), each with its
    binder, (args, kwargs) -> Bound; `modules` the module types, each with (module, args, kwargs) ->
    Bound, where parameters are among the inputs. `compute` gives a tensor, or a tuple of tensors.
    `emit(builder, inputs, attributes)` writes it as ONNX nodes and returns the name of its result,
    or a list of them. `quantized` are the inputs, by position, that get integers where they are
    float tensors (None: all); others, as biases, indices and the scales of norms, stay as they are.
    """

    name: str
    kind: Kind
    functions: Mapping[Callable, Callable[[tuple, dict], Bound]]
    compute: Callable[[Sequence[torch.Tensor | None], Mapping[str, Any]], Any]
    emit: Callable[["Builder", Sequence[str], Mapping[str, Any]], Any]
    modules: Mapping[type, Callable[[torch.nn.Module, tuple, dict], Bound]] = field(
        default_factory=dict
    )
    quantized: tuple[int, ...] | None = None


class Builder:
    """Where `emit` writes ONNX nodes of opset 21. `onnx_model.py` has the one that makes a file.

    Names of tensors are strings; "" stands for an optional input that is left out.
    """

    def node(self, op_type: str, inputs: Sequence[str], outputs: int = 1, **attributes: Any) -> Any:
        """Add a node; the name of its output, or a list of names where there are several.

        The last node that an `emit` adds carries the call's name (or, of a GEMM, the product
        itself does); others get names below it.
        """
        raise NotImplementedError

    def constant(self, values: Any) -> str:
        """A constant: a tensor, or numbers, of which integers become int64 and others float32."""
        raise NotImplementedError

    def shape(self, name: str) -> tuple[int, ...]:
        """Of a tensor that the call reads, on the example inputs."""
        raise NotImplementedError
