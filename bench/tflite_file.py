"""Writes TensorFlow Lite models with the flatbuffer schema that LiteRT's package brings."""

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

TYPES = {
    np.dtype(np.int8): schema.TensorType.INT8,
    np.dtype(np.int16): schema.TensorType.INT16,
    np.dtype(np.int32): schema.TensorType.INT32,
    np.dtype(np.int64): schema.TensorType.INT64,
}
# The versions of the operators that take int16 activations.
VERSIONS = {"ADD": 4, "CONV_2D": 8, "DEPTHWISE_CONV_2D": 5, "FULLY_CONNECTED": 11, "MAX_POOL_2D": 3, "MEAN": 3}


class TfliteFile:
    """Grows one subgraph; tensors are numbers, as in the file. Activations are [N,H,W,C]."""

    def __init__(self):
        self.tensors, self.operators, self.codes = [], [], []
        self.buffers = [schema.BufferT()]  # the first one stands for "no data"

    def tensor(self, shape, dtype, scales=None, axis=0, data=None):
        """Adds a tensor; `scales` has one number, or one per index of `axis`. Zero points are 0."""
        tensor = schema.TensorT()
        tensor.name, tensor.shape, tensor.type = f"t{len(self.tensors)}", list(shape), TYPES[np.dtype(dtype)]
        tensor.hasRank = True
        tensor.buffer = 0
        if data is not None:
            buffer = schema.BufferT()
            buffer.data = np.frombuffer(np.ascontiguousarray(data).tobytes(), np.uint8)
            tensor.buffer = len(self.buffers)
            self.buffers.append(buffer)
        if scales is not None:
            scales = np.atleast_1d(np.asarray(scales, np.float32))
            quantization = schema.QuantizationParametersT()
            quantization.scale, quantization.zeroPoint = scales, np.zeros(scales.size, np.int64)
            quantization.quantizedDimension = axis
            tensor.quantization = quantization
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def constant(self, array, scales=None, axis=0):
        """Adds a tensor with data."""
        return self.tensor(array.shape, array.dtype, scales, axis, array)

    def operator(self, name, inputs, output, options=None):
        """Adds an operator by its name in the schema's BuiltinOperator."""
        code = getattr(schema.BuiltinOperator, name)
        if code not in [c.builtinCode for c in self.codes]:
            operator_code = schema.OperatorCodeT()
            operator_code.builtinCode, operator_code.deprecatedBuiltinCode = code, min(code, 127)
            operator_code.version = VERSIONS.get(name, 1)
            self.codes.append(operator_code)
        operator = schema.OperatorT()
        operator.opcodeIndex = [c.builtinCode for c in self.codes].index(code)
        operator.inputs, operator.outputs = list(inputs), [output]
        if options is not None:
            operator.builtinOptions = options
            operator.builtinOptionsType = getattr(schema.BuiltinOptions, type(options).__name__.removesuffix("T"))
        self.operators.append(operator)

    def serialize(self, inputs, outputs):
        """The file's bytes."""
        subgraph = schema.SubGraphT()
        subgraph.tensors, subgraph.operators = self.tensors, self.operators
        subgraph.inputs, subgraph.outputs = list(inputs), list(outputs)
        model = schema.ModelT()
        model.version, model.operatorCodes, model.subgraphs, model.buffers = 3, self.codes, [subgraph], self.buffers
        builder = flatbuffers.Builder(1 << 20)
        builder.Finish(model.Pack(builder), file_identifier=b"TFL3")
        return bytes(builder.Output())
