"""Small QDQ models, written by hand node by node."""

import numpy as np
import onnx
from onnx import helper, numpy_helper


class QdqModel:
    """Collects nodes and constants; names are made up as it goes."""

    def __init__(self):
        self.nodes, self.constants, self.inputs, self.outputs = [], [], [], []

    def constant(self, array):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def input(self, name, dtype, shape):
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        self.inputs.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def output(self, name, dtype, rank):
        kind = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        sizes = [f"{name}_{i}" for i in range(rank)]
        self.outputs.append(helper.make_tensor_value_info(name, kind, sizes))

    def node(self, op_type, *inputs, **attributes):
        name = f"t{len(self.nodes)}"
        self.nodes.append(
            helper.make_node(
                op_type, list(inputs), [name], name=f"n{len(self.nodes)}", **attributes
            )
        )
        return name

    def dequantize(self, integers, scale, zero_point=None, **attributes):
        inputs = [integers, self.constant(np.asarray(scale, np.float32))]
        if zero_point is not None:
            inputs.append(self.constant(zero_point))
        return self.node("DequantizeLinear", *inputs, **attributes)

    def quantize(self, real, scale, zero_point, **attributes):
        scale = self.constant(np.asarray(scale, np.float32))
        return self.node("QuantizeLinear", real, scale, self.constant(zero_point), **attributes)

    def build(self, opset=21):
        graph = helper.make_graph(self.nodes, "qdq", self.inputs, self.outputs, self.constants)
        return helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10
        )

    def bytes(self):
        model = self.build()
        onnx.checker.check_model(model, full_check=True)
        return model.SerializeToString()
