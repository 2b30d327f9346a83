"""From a QDQ network of int16 activations and int8 weights to a TensorFlow Lite model of the same integers.

It takes what convolutional networks consist of: Conv, Gemm, Add, MaxPool, GlobalAveragePool and Flatten, each with a
Relu or Clip to [0, 6] behind it that keeps the scale. All else is refused with the node's name.
"""

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from onnx import helper, numpy_helper

from integer_tensors import DEQUANTIZE, QUANTIZE
from tflite_file import TYPES, TfliteFile

LOWEST = np.iinfo(np.int16).min
ACTIVATION = schema.ActivationFunctionType
# Of biases; depthwise ones are always int64.
BIAS_TYPES = {"int32": np.int32, "int64": np.int64}


class NotTranslated(ValueError):
    """A node that has no counterpart here."""


class Translation:
    """Of one model with one integer input, of `shape` [N,C,H,W] or [rows,K], and one integer output."""

    def __init__(self, model, shape, bias_type):
        self.bias_type = bias_type
        self.graph = model.graph
        self.constants = {t.name: numpy_helper.to_array(t) for t in self.graph.initializer}
        self.producers = {output: node for node in self.graph.node for output in node.output}
        self.readers = {}
        for node in self.graph.node:
            for name in node.input:
                self.readers.setdefault(name, []).append(node)
        self.file = TfliteFile()
        self.indices, self.shapes, self.scales = {}, {}, {}  # of integer tensors, by ONNX's names; NHWC shapes
        first = self.graph.input[0].name
        self.add_tensor(first, nhwc(shape), self.scale(self.only_reader(first)))

    def serialize(self):
        """The .tflite file's bytes."""
        write = {
            "Conv": self.conv,
            "Gemm": self.gemm,
            "Add": self.add,
            "MaxPool": self.max_pool,
            "GlobalAveragePool": self.mean,
            "Flatten": self.flatten,
        }
        for node in self.graph.node:
            if node.op_type in (QUANTIZE, DEQUANTIZE) or self.is_fused(node):
                continue
            if node.op_type not in write:
                raise NotTranslated(f"node '{node.name}' ({node.op_type}): no translation")
            write[node.op_type](node, {a.name: helper.get_attribute_value(a) for a in node.attribute})
        ends = [[self.indices[value[0].name]] for value in (self.graph.input, self.graph.output)]
        return self.file.serialize(*ends)

    def conv(self, node, attributes):
        """Conv as CONV_2D or DEPTHWISE_CONV_2D."""
        require(node, attributes, dilations=[1, 1], auto_pad=b"NOTSET")
        weights, scales = self.weights(node.input[1])
        depthwise = weights.shape[1] == 1 and weights.shape[0] == attributes["group"] > 1
        options = schema.DepthwiseConv2DOptionsT() if depthwise else schema.Conv2DOptionsT()
        options.dilationHFactor = options.dilationWFactor = 1
        kernel, strides = attributes["kernel_shape"], attributes["strides"]
        x, options.padding, size = self.padded(self.source(node, 0), kernel, strides, attributes["pads"], 0)
        options.strideH, options.strideW = strides
        if depthwise:
            options.depthMultiplier = 1
        else:
            options.quantizedBiasType = TYPES[np.dtype(BIAS_TYPES[self.bias_type])]
        # [O,I,H,W] to [O,H,W,I], which depthwise has as [1,H,W,O].
        order, axis = ((1, 2, 3, 0), 3) if depthwise else ((0, 2, 3, 1), 0)
        inputs = [x, self.file.constant(weights.transpose(order), scales, axis), self.bias(node, depthwise)]
        name = "DEPTHWISE_CONV_2D" if depthwise else "CONV_2D"
        self.finish(node, name, inputs, [*size[:3], weights.shape[0]], options)

    def gemm(self, node, attributes):
        """Gemm as FULLY_CONNECTED."""
        require(node, attributes, alpha=1.0, beta=1.0, transA=0)
        weights, scales = self.weights(node.input[1])
        weights = weights if attributes.get("transB", 0) else weights.T
        options = schema.FullyConnectedOptionsT()
        options.quantizedBiasType = TYPES[np.dtype(BIAS_TYPES[self.bias_type])]
        source = self.source(node, 0)
        inputs = [self.indices[source], self.file.constant(weights, scales), self.bias(node)]
        self.finish(node, "FULLY_CONNECTED", inputs, [self.shapes[source][0], weights.shape[0]], options)

    def add(self, node, _):
        """Add of two activations of one shape."""
        a, b = self.source(node, 0), self.source(node, 1)
        options = schema.AddOptionsT()
        options.potScaleInt16 = False
        self.finish(node, "ADD", [self.indices[a], self.indices[b]], self.shapes[a], options)

    def max_pool(self, node, attributes):
        """MaxPool as MAX_POOL_2D."""
        require(node, attributes, dilations=[1, 1], auto_pad=b"NOTSET", ceil_mode=0)
        options = schema.Pool2DOptionsT()
        kernel, strides = attributes["kernel_shape"], attributes["strides"]
        x, options.padding, size = self.padded(self.source(node, 0), kernel, strides, attributes["pads"], LOWEST)
        options.strideH, options.strideW = strides
        options.filterHeight, options.filterWidth = kernel
        self.finish(node, "MAX_POOL_2D", [x], size, options)

    def mean(self, node, _):
        """GlobalAveragePool as MEAN."""
        source = self.source(node, 0)
        options = schema.ReducerOptionsT()
        options.keepDims = True
        n, _, _, c = self.shapes[source]
        axes = self.file.constant(np.array([1, 2], np.int32))
        self.finish(node, "MEAN", [self.indices[source], axes], [n, 1, 1, c], options)

    def flatten(self, node, _):
        """Flatten of [N,1,1,C], whose order does not depend on the layout, as RESHAPE."""
        source = self.source(node, 0)
        n, h, w, c = self.shapes[source]
        if h * w != 1:
            raise NotTranslated(f"node '{node.name}' (Flatten): of more than one pixel")
        shape = self.file.constant(np.array([n, c], np.int32))
        self.finish(node, "RESHAPE", [self.indices[source], shape], [n, c])

    def padded(self, source, kernel, strides, pads, value):
        """(tensor, padding, shape behind the window with C as it was); adds a PADV2 where neither padding fits."""
        index, (n, *size, c) = self.indices[source], self.shapes[source]
        same = [max((-(-s // t) - 1) * t + k - s, 0) for s, k, t in zip(size, kernel, strides, strict=True)]
        out = [(s + pads[i] + pads[i + 2] - kernel[i]) // strides[i] + 1 for i, s in enumerate(size)]
        if not any(pads):
            return index, schema.Padding.VALID, [n, *out, c]
        if pads == [*(s // 2 for s in same), *(s - s // 2 for s in same)]:
            return index, schema.Padding.SAME, [n, *out, c]
        widths = np.array([[0, 0], [pads[0], pads[2]], [pads[1], pads[3]], [0, 0]], np.int32)
        scale = self.scales[source]
        inputs = [index, self.file.constant(widths), self.file.constant(np.array([value], np.int16), scale)]
        index = self.file.tensor([n, *(s + sum(w) for s, w in zip(size, widths[1:3], strict=True)), c], np.int16, scale)
        self.file.operator("PADV2", inputs, index)
        return index, schema.Padding.VALID, [n, *out, c]

    def finish(self, node, name, inputs, shape, options=None):
        """Adds the operator; its output is the integer tensor behind it, and behind an activation that it takes in."""
        quantize = self.only_reader(node.output[0])
        activation, last = self.activation_behind(quantize)
        if activation and not hasattr(options, "fusedActivationFunction"):
            raise NotTranslated(f"node '{node.name}' ({node.op_type}): an activation behind it")
        if activation:
            options.fusedActivationFunction = activation
        self.file.operator(name, inputs, self.add_tensor(last.output[0], shape, self.scale(last)), options)

    def is_fused(self, node):
        """Whether an operator before this Relu or Clip has taken it in."""
        return node.op_type in ("Relu", "Clip") and self.only_reader(node.output[0]).output[0] in self.indices

    def activation_behind(self, quantize):
        """(activation, QuantizeLinear behind it); (NONE, `quantize`) where none follows that keeps the scale."""
        readers = self.readers.get(quantize.output[0], [])
        if len(readers) == 1:
            behind = self.readers[readers[0].output[0]]
            if len(behind) == 1 and behind[0].op_type in ("Relu", "Clip"):
                last = self.only_reader(behind[0].output[0])
                bounds = [float(self.constants[name]) for name in behind[0].input[1:]]
                if self.scale(last) != self.scale(quantize) or bounds not in ([], [0, 6]):
                    raise NotTranslated(f"node '{behind[0].name}' ({behind[0].op_type}): scale or bounds")
                return (ACTIVATION.RELU6 if bounds else ACTIVATION.RELU), last
        return ACTIVATION.NONE, quantize

    def add_tensor(self, name, shape, scale):
        """An activation."""
        self.shapes[name], self.scales[name] = list(shape), scale
        self.indices[name] = self.file.tensor(shape, np.int16, scale)
        return self.indices[name]

    def source(self, node, i):
        """The integer tensor that an operand is dequantized from."""
        return self.producers[node.input[i]].input[0]

    def weights(self, name):
        """(int8, scales) behind a DequantizeLinear with an axis of output channels."""
        dequantize = self.producers[name]
        return self.constants[dequantize.input[0]], self.constants[dequantize.input[1]]

    def bias(self, node, widest=False):
        """The bias of a product, in the units of its sums; depthwise ones take int64 only."""
        if len(node.input) < 3:
            raise NotTranslated(f"node '{node.name}' ({node.op_type}): no bias")
        bias, scales = self.weights(node.input[2])
        expected = self.scales[self.source(node, 0)] * self.weights(node.input[1])[1]
        if not np.allclose(scales, expected, rtol=1e-6, atol=0):
            raise NotTranslated(f"node '{node.name}' ({node.op_type}): bias in other units than the product")
        return self.file.constant(bias.astype(np.int64 if widest else BIAS_TYPES[self.bias_type]), scales)

    def scale(self, node):
        """The scale of a QuantizeLinear or DequantizeLinear of activations, which must be symmetric int16."""
        zero_point = self.constants[node.input[2]]
        if zero_point.dtype != np.int16 or zero_point != 0:
            raise NotTranslated(f"node '{node.name}' ({node.op_type}): not symmetric int16")
        return self.constants[node.input[1]]

    def only_reader(self, name):
        """The one node that reads `name`."""
        readers = self.readers[name]
        if len(readers) != 1:
            raise NotTranslated(f"value '{name}': read by {len(readers)} nodes")
        return readers[0]


def require(node, attributes, **expected):
    """Refuses attributes with values other than `expected`, which are ONNX's defaults."""
    for name, value in expected.items():
        if attributes.get(name, value) != value:
            raise NotTranslated(f"node '{node.name}' ({node.op_type}): {name} {attributes[name]}")


def nhwc(shape):
    """Of [N,C,H,W], [N,H,W,C]; matrices stay."""
    return [shape[0], *shape[2:], shape[1]] if len(shape) == 4 else list(shape)
