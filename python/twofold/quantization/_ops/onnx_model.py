"""An ONNX model in the making: the Builder that writes a file's nodes, named after calls."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import onnx
import torch
from onnx import TensorProto, helper, shape_inference

from .op import Builder

OPSET = 21
IR_VERSION = 10

# Operators that become one product of integers, with a bias.
GEMM_TYPES = frozenset({"Conv", "ConvTranspose", "Gemm", "MatMul"})
# What may stand behind a product whose integers are the call's result.
_RESHAPING = frozenset({"Reshape", "Squeeze", "Transpose", "Unsqueeze"})

_ELEMENT_TYPES = {
    torch.float32: TensorProto.FLOAT,
    torch.float64: TensorProto.DOUBLE,
    torch.float16: TensorProto.FLOAT16,
    torch.bfloat16: TensorProto.BFLOAT16,
    torch.int8: TensorProto.INT8,
    torch.int16: TensorProto.INT16,
    torch.int32: TensorProto.INT32,
    torch.int64: TensorProto.INT64,
    torch.uint8: TensorProto.UINT8,
    torch.bool: TensorProto.BOOL,
}
# Constants that say what shape a result has (axes, shapes, pads) are this small; weights are not.
_MOST_PARAMETERS = 1024


def element_type(dtype: torch.dtype) -> int:
    """ONNX's number for a dtype, as Cast takes it; TypeError where ONNX has none."""
    if dtype not in _ELEMENT_TYPES:
        raise TypeError(f"ONNX has no element type for {dtype}; convert the tensor first.")
    return _ELEMENT_TYPES[dtype]


def as_tensor(values: Any) -> torch.Tensor:
    """Numbers as a tensor: booleans as bool, integers as int64, others as float32."""
    if isinstance(values, torch.Tensor):
        return values
    tensor = torch.tensor(values)
    return tensor.to(torch.float32) if tensor.is_floating_point() else tensor


@dataclass
class Call:
    """Nodes that were added for one call, once it has ended.

    `name` is the call's and that of its product, or of its last node: see `OnnxModel.call`.
    `result` is the node whose output holds the call's numbers: the product itself where only
    changes of shape stand behind it, else the last node.
    """

    name: str
    result: str = ""


class OnnxModel(Builder):
    """A float model of opset 21, written node by node; `nodes` are those so far.

    Shapes are those of the example inputs, and are inferred as nodes are added, so that a node that
    does not fit is refused where it is added: ValueError, with the name of the call.

        model = OnnxModel()
        x = model.input("x", (1, 8))
        weight = model.constant(torch.randn(4, 8), name="head.weight")
        with model.call("head"):
            y = model.node("Gemm", [x, weight], transB=1)
        model.output("logits", y)
        onnx.save(model.build(), "head.onnx")
    """

    def __init__(self, name: str = "model"):
        """`name` is the graph's."""
        self._name = name
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[tuple[str, str]] = []  # the name of the output, and the tensor
        self._constants: dict[str, TensorProto] = {}
        self.nodes: list[onnx.NodeProto] = []
        self._types: dict[str, onnx.TypeProto] = {}
        self._node_names: set[str] = set()
        self._call: str | None = None

    def input(
        self, name: str, like: torch.Tensor | Sequence[int], dtype: torch.dtype = torch.float32
    ) -> str:
        """Add an input of the graph, of an example's shape and dtype, or of these as given."""
        self._refuse_taken(name)
        if isinstance(like, torch.Tensor):
            dtype = like.dtype
        shape = like.shape if isinstance(like, torch.Tensor) else like
        info = helper.make_tensor_value_info(name, element_type(dtype), list(shape))
        self._inputs.append(info)
        self._types[name] = info.type
        return name

    def output(self, name: str, tensor: str, like: torch.Tensor | None = None) -> None:
        """Make `tensor` an output of the graph called `name`. One tensor may be several.

        `like` is what it was on the example inputs, for tensors whose shape depends on values.
        """
        self._type_of(tensor)
        if like is not None:
            self._types[tensor] = helper.make_tensor_type_proto(
                element_type(like.dtype), list(like.shape)
            )
        if any(name == other for other, _ in self._outputs):
            raise ValueError(f"There are two outputs called {name!r}; give each its own name.")
        if name != tensor:
            self._refuse_taken(name)
        self._outputs.append((name, tensor))

    @contextmanager
    def call(self, name: str) -> Iterator[Call]:
        """Nodes added inside belong to the call of this name.

        The call's product carries the name itself, where there is exactly one Conv, ConvTranspose,
        Gemm or MatMul; else its last node does. Others are `<name>/<op type>_<i>`.
        """
        if self._call is not None:
            raise ValueError(f"{name!r} begins inside {self._call!r}; calls do not nest.")
        if name in self._node_names:
            raise ValueError(f"There is a node called {name!r} already; each call needs its own.")
        self._call = name
        call, first = Call(name), len(self.nodes)
        try:
            yield call
        finally:
            self._call = None
        nodes = self.nodes[first:]
        if nodes:
            products = [i for i, node in enumerate(nodes) if node.op_type in GEMM_TYPES]
            main = products[0] if len(products) == 1 else len(nodes) - 1
            self._node_names.discard(nodes[main].name)
            self._node_names.add(name)
            nodes[main].name = name
            only_shapes = all(node.op_type in _RESHAPING for node in nodes[main + 1 :])
            call.result = name if only_shapes else nodes[-1].name

    def node(self, op_type: str, inputs: Sequence[str], outputs: int = 1, **attributes: Any) -> Any:
        """As Builder has it. Attributes that are None are left out."""
        name = self._unused(op_type, self._node_names)
        self._node_names.add(name)
        names = [name if outputs == 1 else f"{name}:{i}" for i in range(outputs)]
        given = {key: value for key, value in attributes.items() if value is not None}
        node = helper.make_node(op_type, list(inputs), names, name=name, **given)
        self._types.update(self._inferred(node))
        self.nodes.append(node)
        return names[0] if outputs == 1 else names

    def constant(self, values: Any, name: str | None = None) -> str:
        """As Builder has it. `name` is the initializer's, by default one after the call."""
        tensor = as_tensor(values).detach().cpu()
        if name is None:
            name = self._unused("constant", self._types)
        self._refuse_taken(name)
        # A copy, since a tensor of one element may have any strides.
        packed = tensor.clone(memory_format=torch.contiguous_format)
        numbers = packed.reshape(-1).view(torch.uint8).numpy().tobytes()
        dtype, shape = element_type(tensor.dtype), list(tensor.shape)
        self._constants[name] = TensorProto(
            name=name, data_type=dtype, dims=shape, raw_data=numbers
        )
        self._types[name] = helper.make_tensor_type_proto(dtype, shape)
        return name

    def shape(self, name: str) -> tuple[int, ...]:
        """Of any tensor there is; ValueError where it depends on what other tensors hold."""
        tensor = self._type_of(name).tensor_type
        known = tensor.HasField("shape") and all(d.HasField("dim_value") for d in tensor.shape.dim)
        if not known:
            raise ValueError(f"The shape of {name!r} depends on values; a fixed one is needed.")
        return tuple(d.dim_value for d in tensor.shape.dim)

    def dtype(self, name: str) -> torch.dtype:
        """Of any tensor there is."""
        number = self._type_of(name).tensor_type.elem_type
        return next(dtype for dtype, other in _ELEMENT_TYPES.items() if other == number)

    def computed_by(self, tensor: str) -> tuple[str, int] | None:
        """The name of the node that computes a tensor, and which of its outputs it is."""
        for node in reversed(self.nodes):
            if tensor in node.output:
                return node.name, list(node.output).index(tensor)
        return None

    def build(self) -> onnx.ModelProto:
        """The model, checked. ValueError where there is no output."""
        if not self._outputs:
            raise ValueError("The model has no output; call output() before build().")
        nodes = [onnx.NodeProto.FromString(node.SerializeToString()) for node in self.nodes]
        outputs = []
        renamed: dict[str, str] = {}
        made = {output for node in nodes for output in node.output}
        for name, tensor in self._outputs:
            if tensor in made and tensor not in renamed:
                renamed[tensor] = name
            elif name != tensor or tensor in renamed:
                # An input, a constant, or an output already: only a node gives it another name.
                source = renamed.get(tensor, tensor)
                nodes.append(
                    helper.make_node("Identity", [source], [name], name=f"{name}/Identity")
                )
            outputs.append(onnx.ValueInfoProto(name=name, type=self._type_of(tensor)))
        for node in nodes:
            node.input[:] = [renamed.get(name, name) for name in node.input]
            node.output[:] = [renamed.get(name, name) for name in node.output]
        graph = helper.make_graph(
            nodes, self._name, self._inputs, outputs, list(self._constants.values())
        )
        opset = helper.make_opsetid("", OPSET)
        model = helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION)
        onnx.checker.check_model(model, full_check=True)
        return model

    def _unused(self, kind: str, taken: Any) -> str:
        """`<call>/<kind>_<i>` with the first free i; tensors have the names of their nodes."""
        scope = f"{self._call}/{kind}" if self._call is not None else kind
        i = 0
        while f"{scope}_{i}" in taken or f"{scope}_{i}" in self._types:
            i += 1
        return f"{scope}_{i}"

    def _refuse_taken(self, name: str) -> None:
        if name in self._types:
            raise ValueError(f"There is a tensor called {name!r} already; give each its own name.")

    def _type_of(self, name: str) -> onnx.TypeProto:
        if name not in self._types:
            raise ValueError(f"There is no tensor called {name!r}; add what computes it first.")
        return self._types[name]

    def _inferred(self, node: onnx.NodeProto) -> dict[str, onnx.TypeProto]:
        given = [name for name in node.input if name]
        types = {name: self._type_of(name) for name in given}
        data = {
            name: self._constants[name]
            for name in given
            if name in self._constants and len(self._constants[name].raw_data) <= _MOST_PARAMETERS
        }
        try:
            return shape_inference.infer_node_outputs(
                onnx.defs.get_schema(node.op_type, OPSET, ""),
                node,
                types,
                data,
                opset_imports=[helper.make_opsetid("", OPSET)],
                ir_version=IR_VERSION,
            )
        except Exception as error:
            shapes = ", ".join(f"{name} {list(self.shape(name))}" for name in given)
            raise ValueError(
                f"{self._call or node.op_type}: no ONNX {node.op_type} of {shapes}: {error}"
            ) from error
