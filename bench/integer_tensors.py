"""Looking at the integers inside a QDQ model, whole and cut into single operators."""

import onnx
from onnx import helper, numpy_helper

QUANTIZE, DEQUANTIZE = "QuantizeLinear", "DequantizeLinear"


class QdqModel:
    """A QDQ model with names for its parts."""

    def __init__(self, path):
        self.model = onnx.load(path)
        graph = self.model.graph
        self.constants = {t.name: t for t in graph.initializer}
        self.producers = {output: node for node in graph.node for output in node.output}
        self.give_each_its_zero_point()

    def give_each_its_zero_point(self):
        """Copies those that several nodes share: ONNX Runtime, if it is to be exact, cannot open such models."""
        for index, node in enumerate(self.model.graph.node):
            if node.op_type not in (QUANTIZE, DEQUANTIZE) or len(node.input) < 3:
                continue
            name = node.input[2]
            while name in self.producers and self.producers[name].op_type == "Identity":
                name = self.producers[name].input[0]
            if name in self.constants:
                copy = self.model.graph.initializer.add()
                copy.CopyFrom(self.constants[name])
                copy.name = node.input[2] = f"{name}_of_{index}"
                self.constants[copy.name] = copy

    def quantized(self):
        """The integer tensors that the model computes, in order: {name: ONNX's element type}."""
        return {n.output[0]: self.integer_type(n) for n in self.model.graph.node if n.op_type == QUANTIZE}

    def integer_type(self, node):
        """What a QuantizeLinear makes: the type of its zero point, which some exporters keep in a node."""
        if len(node.input) < 3:
            return onnx.TensorProto.UINT8
        name = node.input[2]
        while name not in self.constants:
            producer = self.producers[name]
            if producer.op_type == "Constant":
                return next(a.t.data_type for a in producer.attribute if a.name == "value")
            name = producer.input[0]
        return self.constants[name].data_type

    def with_outputs(self, types):
        """A copy, serialized, that hands out the integer tensors of `types` besides its outputs."""
        copy = onnx.ModelProto()
        copy.CopyFrom(self.model)
        present = {output.name for output in copy.graph.output}
        copy.graph.output.extend(
            helper.make_tensor_value_info(name, kind, None) for name, kind in types.items() if name not in present
        )
        return copy.SerializeToString()

    def part(self, name, starts=None):
        """The model of one integer tensor: from the integers that it is computed from, and how it is described.

        It begins at the integer tensors `starts`, all if not given. Returns (serialized model, names of the integer
        inputs, operators between them and `name`). None where it also depends on floats, which are the model's own
        inputs.
        """
        types = self.quantized()
        starts = types if starts is None else starts
        nodes, inputs, pending, seen = [], [], [name], set()
        while pending:
            tensor = pending.pop()
            if tensor in seen or tensor in self.constants or not tensor:
                continue
            seen.add(tensor)
            if tensor in starts and tensor != name:
                inputs.append(tensor)
            elif tensor in self.producers:
                nodes.append(self.producers[tensor])
                pending.extend(self.producers[tensor].input)
            else:
                return None
        order = {id(node): i for i, node in enumerate(self.model.graph.node)}
        nodes.sort(key=lambda node: order[id(node)])
        used = {tensor for node in nodes for tensor in node.input}
        graph = helper.make_graph(
            nodes,
            "part",
            [helper.make_tensor_value_info(i, types[i], None) for i in inputs],
            [helper.make_tensor_value_info(name, types[name], None)],
            [tensor for tensor_name, tensor in self.constants.items() if tensor_name in used],
        )
        model = helper.make_model(graph, opset_imports=self.model.opset_import, ir_version=self.model.ir_version)
        between = [n.op_type for n in nodes if n.op_type not in (QUANTIZE, DEQUANTIZE)]
        return model.SerializeToString(), inputs, between

    def zero_points(self):
        """{integer tensor: its zero point}."""
        return {
            n.output[0]: int(numpy_helper.to_array(self.constants[n.input[2]])) if len(n.input) > 2 else 0
            for n in self.model.graph.node
            if n.op_type == QUANTIZE
        }
