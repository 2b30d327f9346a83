"""Which of ONNX's node conformance cases are in scope: by operator and type, not by what passes."""

# What networks for classification, detection, segmentation, OCR, speech and text are made of.
OPERATORS = frozenset(
    """
    Conv ConvTranspose MatMul Gemm Einsum AveragePool MaxPool LpPool GlobalAveragePool
    GlobalMaxPool GlobalLpPool BatchNormalization LayerNormalization GroupNormalization
    InstanceNormalization RMSNormalization LRN LpNormalization MeanVarianceNormalization Softmax
    LogSoftmax Hardmax Relu LeakyRelu PRelu Sigmoid HardSigmoid HardSwish Tanh Elu Selu Celu
    Softplus Softsign Gelu Mish Swish ThresholdedRelu Shrink Clip Resize Upsample GridSample
    AffineGrid DepthToSpace SpaceToDepth RoiAlign Add Sub Mul Div Pow Mod Min Max Mean Sum Abs
    Neg Exp Log Sqrt Reciprocal Floor Ceil Round Sign Erf Sin Cos Tan Asin Acos Atan Sinh Cosh
    Asinh Acosh Atanh BitShift BitwiseAnd BitwiseOr BitwiseXor BitwiseNot ReduceSum ReduceMean
    ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp
    ReduceSumSquare ArgMax ArgMin CumSum Equal Greater GreaterOrEqual Less LessOrEqual And Or
    Xor Not IsNaN IsInf Where Gather GatherElements GatherND Scatter ScatterElements ScatterND
    Slice Split Concat Pad Tile Expand Transpose TopK OneHot NonZero NonMaxSuppression Trilu
    Unique Compress ReverseSequence LSTM GRU RNN If Loop Scan Shape Size Reshape Squeeze
    Unsqueeze Flatten Identity Dropout Constant ConstantOfShape Range EyeLike Cast CastLike
    QuantizeLinear DequantizeLinear DynamicQuantizeLinear QLinearConv QLinearMatMul ConvInteger
    MatMulInteger
    """.split()  # noqa: SIM905 a list of 170 quoted words is hard to read
)

# The element types a Twofold tensor can have, as TensorProto.DataType. Strings, complex numbers,
# sequences, optionals, 8-bit floats and anything below 8 bits are not; such cases must be refused.
ELEMENT_TYPES = frozenset({1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 16})


def operators(graph):
    """The (domain, type) of every node of a graph and of its bodies."""
    found = set()
    for node in graph.node:
        found.add((node.domain if node.domain != "ai.onnx" else "", node.op_type))
        for attribute in node.attribute:
            if attribute.HasField("g"):
                found |= operators(attribute.g)
    return found


def in_scope(model):
    return all(domain == "" and op in OPERATORS for domain, op in operators(model.graph))


def has_our_types(model):
    values = [*model.graph.input, *model.graph.output]
    return all(
        value.type.HasField("tensor_type") and value.type.tensor_type.elem_type in ELEMENT_TYPES
        for value in values
    )
