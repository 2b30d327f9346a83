// The names of ONNX's operators: those of its own domain that Twofold knows. Code outside of operator implementations
// names them through these constants (tools/check_op_names.py).
#ifndef TWOFOLD_SRC_TRAITS_OP_NAMES_H_
#define TWOFOLD_SRC_TRAITS_OP_NAMES_H_

namespace twofold::op {

// Sums of products.
inline constexpr char kConv[] = "Conv", kConvTranspose[] = "ConvTranspose", kMatMul[] = "MatMul", kGemm[] = "Gemm",
                      kEinsum[] = "Einsum", kConvInteger[] = "ConvInteger", kMatMulInteger[] = "MatMulInteger",
                      kRnn[] = "RNN", kGru[] = "GRU", kLstm[] = "LSTM";

// Functions of one number.
inline constexpr char kAbs[] = "Abs", kAcos[] = "Acos", kAcosh[] = "Acosh", kAsin[] = "Asin", kAsinh[] = "Asinh",
                      kAtan[] = "Atan", kAtanh[] = "Atanh", kCeil[] = "Ceil", kCelu[] = "Celu", kClip[] = "Clip",
                      kCos[] = "Cos", kCosh[] = "Cosh", kElu[] = "Elu", kErf[] = "Erf", kExp[] = "Exp",
                      kFloor[] = "Floor", kGelu[] = "Gelu", kHardSigmoid[] = "HardSigmoid", kHardSwish[] = "HardSwish",
                      kLeakyRelu[] = "LeakyRelu", kLog[] = "Log", kMish[] = "Mish", kNeg[] = "Neg",
                      kReciprocal[] = "Reciprocal", kRelu[] = "Relu", kRound[] = "Round", kSelu[] = "Selu",
                      kShrink[] = "Shrink", kSigmoid[] = "Sigmoid", kSign[] = "Sign", kSin[] = "Sin", kSinh[] = "Sinh",
                      kSoftplus[] = "Softplus", kSoftsign[] = "Softsign", kSqrt[] = "Sqrt", kSwish[] = "Swish",
                      kTan[] = "Tan", kTanh[] = "Tanh", kThresholdedRelu[] = "ThresholdedRelu";
inline constexpr char kBitwiseNot[] = "BitwiseNot", kCast[] = "Cast", kCastLike[] = "CastLike", kIsInf[] = "IsInf",
                      kIsNaN[] = "IsNaN", kNot[] = "Not";

// Functions of several numbers at one place.
inline constexpr char kAdd[] = "Add", kDiv[] = "Div", kMax[] = "Max", kMean[] = "Mean", kMin[] = "Min", kMod[] = "Mod",
                      kMul[] = "Mul", kPRelu[] = "PRelu", kPow[] = "Pow", kSub[] = "Sub", kSum[] = "Sum",
                      kWhere[] = "Where";
inline constexpr char kAnd[] = "And", kBitShift[] = "BitShift", kBitwiseAnd[] = "BitwiseAnd",
                      kBitwiseOr[] = "BitwiseOr", kBitwiseXor[] = "BitwiseXor", kEqual[] = "Equal",
                      kGreater[] = "Greater", kGreaterOrEqual[] = "GreaterOrEqual", kLess[] = "Less",
                      kLessOrEqual[] = "LessOrEqual", kOr[] = "Or", kXor[] = "Xor";

// Pools and sampling.
inline constexpr char kAffineGrid[] = "AffineGrid", kAveragePool[] = "AveragePool",
                      kGlobalAveragePool[] = "GlobalAveragePool", kGlobalLpPool[] = "GlobalLpPool",
                      kGlobalMaxPool[] = "GlobalMaxPool", kGridSample[] = "GridSample", kLpPool[] = "LpPool",
                      kMaxPool[] = "MaxPool", kMaxUnpool[] = "MaxUnpool", kResize[] = "Resize",
                      kRoiAlign[] = "RoiAlign";

// Normalizations.
inline constexpr char kBatchNormalization[] = "BatchNormalization", kGroupNormalization[] = "GroupNormalization",
                      kHardmax[] = "Hardmax", kInstanceNormalization[] = "InstanceNormalization", kLrn[] = "LRN",
                      kLayerNormalization[] = "LayerNormalization", kLogSoftmax[] = "LogSoftmax",
                      kLpNormalization[] = "LpNormalization",
                      kMeanVarianceNormalization[] = "MeanVarianceNormalization",
                      kRmsNormalization[] = "RMSNormalization", kSoftmax[] = "Softmax";

// Reductions.
inline constexpr char kArgMax[] = "ArgMax", kArgMin[] = "ArgMin", kCumSum[] = "CumSum", kReduceL1[] = "ReduceL1",
                      kReduceL2[] = "ReduceL2", kReduceLogSum[] = "ReduceLogSum",
                      kReduceLogSumExp[] = "ReduceLogSumExp", kReduceMax[] = "ReduceMax", kReduceMean[] = "ReduceMean",
                      kReduceMin[] = "ReduceMin", kReduceProd[] = "ReduceProd", kReduceSum[] = "ReduceSum",
                      kReduceSumSquare[] = "ReduceSumSquare";

// Operators that move numbers, or choose some.
inline constexpr char kCompress[] = "Compress", kConcat[] = "Concat", kDepthToSpace[] = "DepthToSpace",
                      kDropout[] = "Dropout", kExpand[] = "Expand", kFlatten[] = "Flatten", kGather[] = "Gather",
                      kGatherElements[] = "GatherElements", kGatherNd[] = "GatherND", kIdentity[] = "Identity",
                      kPad[] = "Pad", kReshape[] = "Reshape", kReverseSequence[] = "ReverseSequence",
                      kScatterElements[] = "ScatterElements", kScatterNd[] = "ScatterND", kSlice[] = "Slice",
                      kSpaceToDepth[] = "SpaceToDepth", kSplit[] = "Split", kSqueeze[] = "Squeeze", kTile[] = "Tile",
                      kTopK[] = "TopK", kTranspose[] = "Transpose", kTrilu[] = "Trilu", kUnique[] = "Unique",
                      kUnsqueeze[] = "Unsqueeze";

// Shapes, indices and constants.
inline constexpr char kConstant[] = "Constant", kConstantOfShape[] = "ConstantOfShape", kEyeLike[] = "EyeLike",
                      kNonMaxSuppression[] = "NonMaxSuppression", kNonZero[] = "NonZero", kOneHot[] = "OneHot",
                      kRange[] = "Range", kShape[] = "Shape", kSize[] = "Size";

// Control flow.
inline constexpr char kIf[] = "If", kLoop[] = "Loop", kScan[] = "Scan";

// Quantization.
inline constexpr char kDequantizeLinear[] = "DequantizeLinear", kDynamicQuantizeLinear[] = "DynamicQuantizeLinear",
                      kQuantizeLinear[] = "QuantizeLinear";

// Known by name only: Twofold reads and writes them, but does not run them.
inline constexpr char kAttention[] = "Attention", kBernoulli[] = "Bernoulli", kBitCast[] = "BitCast",
                      kCausalConvWithState[] = "CausalConvWithState", kCumProd[] = "CumProd",
                      kLinearAttention[] = "LinearAttention", kMultinomial[] = "Multinomial",
                      kQLinearConv[] = "QLinearConv", kQLinearMatMul[] = "QLinearMatMul",
                      kRandomNormal[] = "RandomNormal", kRandomNormalLike[] = "RandomNormalLike",
                      kRandomUniform[] = "RandomUniform", kRandomUniformLike[] = "RandomUniformLike",
                      kRotaryEmbedding[] = "RotaryEmbedding", kSequenceAt[] = "SequenceAt",
                      kStringNormalizer[] = "StringNormalizer", kSwiGlu[] = "SwiGLU",
                      kTensorScatter[] = "TensorScatter", kTfIdfVectorizer[] = "TfIdfVectorizer";

}  // namespace twofold::op

#endif  // TWOFOLD_SRC_TRAITS_OP_NAMES_H_
