#include "plan/operands.h"

#include <algorithm>
#include <map>
#include <string>

namespace twofold {

namespace {

// Which inputs are data.
enum class DataInputs : uint8_t { kFirst, kFirstTwo, kAll, kSecondAndThird, kFirstAndThird };

const std::map<std::string_view, DataInputs>& data_input_table() {
  static const std::map<std::string_view, DataInputs> table = [] {
    std::map<std::string_view, DataInputs> built;
    const auto add = [&built](DataInputs inputs, std::initializer_list<std::string_view> ops) {
      for (const std::string_view op : ops) built.emplace(op, inputs);
    };
    add(DataInputs::kFirstTwo, {"Conv", "ConvTranspose", "Gemm", "MatMul", "Add", "Sub", "Mul", "Div"});
    add(DataInputs::kAll, {"Concat", "Sum", "Mean", "Min", "Max", "Einsum"});
    add(DataInputs::kSecondAndThird, {"Where"});                        // the first is the condition
    add(DataInputs::kFirstAndThird, {"ScatterElements", "ScatterND"});  // the second is the indices
    add(DataInputs::kFirst,
        {// activations and other functions of one number
         "Relu", "LeakyRelu", "PRelu", "Sigmoid", "Tanh", "HardSigmoid", "HardSwish", "Elu", "Selu", "Celu", "Softplus",
         "Softsign", "Mish", "Gelu", "ThresholdedRelu", "Clip", "Abs", "Neg", "Erf", "Exp", "Log", "Sqrt", "Reciprocal",
         "Pow", "Ceil", "Floor", "Round", "Sign", "Sin", "Cos",
         // pools and sampling
         "MaxPool", "AveragePool", "LpPool", "GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool", "Resize",
         "GridSample",
         // normalizations
         "BatchNormalization", "LayerNormalization", "GroupNormalization", "InstanceNormalization", "RMSNormalization",
         "LpNormalization", "MeanVarianceNormalization", "LRN", "Softmax", "LogSoftmax",
         // reductions
         "ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2", "ReduceSumSquare",
         "ReduceLogSum", "ReduceLogSumExp", "CumSum",
         // data movement
         "Reshape", "Transpose", "Slice", "Gather", "GatherElements", "GatherND", "Split", "Squeeze", "Unsqueeze",
         "Flatten", "Expand", "Tile", "Pad", "Identity", "Dropout", "DepthToSpace", "SpaceToDepth"});
    return built;
  }();
  return table;
}

bool is_in(std::string_view op_type, std::initializer_list<std::string_view> ops) {
  return std::find(ops.begin(), ops.end(), op_type) != ops.end();
}

bool is_float(DType dtype) {
  return dtype == DType::kFloat32 || dtype == DType::kFloat16 || dtype == DType::kBFloat16 || dtype == DType::kFloat64;
}

// The type named by an attribute of the ONNX enumeration, e.g. Cast's `to`.
bool attribute_is_float(const Node& node, std::string_view name, DType fallback) {
  return is_float(static_cast<DType>(node.attributes.get_int(name, static_cast<int64_t>(fallback))));
}

bool is_float_output(const Node& node, size_t output, const std::vector<bool>& known) {
  const auto input_is_float = [&](int i) {
    return node.input(i) != kNone && known[static_cast<size_t>(node.input(i))];
  };
  if (!node.domain.empty()) return false;
  const std::string& op = node.op_type;
  if (is_in(op, {"Shape",
                 "Size",
                 "ArgMax",
                 "ArgMin",
                 "NonZero",
                 "NonMaxSuppression",
                 "QuantizeLinear",
                 "Equal",
                 "Less",
                 "Greater",
                 "LessOrEqual",
                 "GreaterOrEqual",
                 "And",
                 "Or",
                 "Not",
                 "Xor",
                 "IsNaN",
                 "IsInf",
                 "If",
                 "Loop",
                 "Scan",
                 "SequenceAt",
                 "StringNormalizer",
                 "TfIdfVectorizer",
                 "BitShift",
                 "BitwiseAnd",
                 "BitwiseOr",
                 "BitwiseXor",
                 "BitwiseNot",
                 "QLinearConv",
                 "QLinearMatMul",
                 "ConvInteger",
                 "MatMulInteger",
                 "DynamicQuantizeLinear"})) {
    return false;
  }
  if (op == "Cast") return attribute_is_float(node, "to", DType::kUndefined);
  if (op == "DequantizeLinear") return true;
  if (op == "ConstantOfShape") {
    return !node.attributes.has("value") || is_float(node.attributes.get_tensor("value").dtype());
  }
  if (is_in(op, {"RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike"})) {
    return attribute_is_float(node, "dtype", DType::kFloat32);
  }
  if (op == "EyeLike") return attribute_is_float(node, "dtype", input_is_float(0) ? DType::kFloat32 : DType::kInt64);
  if (op == "OneHot") return input_is_float(2);
  if (op == "Where") return input_is_float(1);
  if (is_in(op, {"TopK", "MaxPool", "Unique", "Dropout"}) && output > 0) return false;
  return input_is_float(0);
}

}  // namespace

std::vector<int> data_inputs(const Node& node) {
  if (!node.domain.empty()) return {};
  const auto it = data_input_table().find(node.op_type);
  if (it == data_input_table().end()) return {};
  std::vector<int> indices;
  const auto add = [&](int i) {
    if (node.input(i) != kNone) indices.push_back(i);
  };
  switch (it->second) {
    case DataInputs::kFirst: add(0); break;
    case DataInputs::kFirstTwo: add(0), add(1); break;
    case DataInputs::kSecondAndThird: add(1), add(2); break;
    case DataInputs::kFirstAndThird: add(0), add(2); break;
    case DataInputs::kAll:
      for (int i = 0; i < static_cast<int>(node.inputs.size()); ++i) add(i);
      break;
  }
  return indices;
}

bool is_quantizable_op(std::string_view op_type) { return data_input_table().contains(op_type); }

bool takes_ec(std::string_view op_type, int input) {
  if (is_in(op_type, {"Conv", "ConvTranspose"})) return input == 1;
  if (is_in(op_type, {"MatMul", "Gemm"})) return input == 0 || input == 1;
  return is_in(op_type, {"GridSample", "Resize"}) && input == 0;
}

bool is_weight(const Graph& graph, const Node& node, int input) {
  return is_gemm_type(node) && graph.constant(node.input(input)) != nullptr;
}

std::vector<bool> float_values(const Graph& graph) {
  std::vector<bool> known(static_cast<size_t>(graph.num_values()), false);
  for (ValueId id = 0; id < graph.num_values(); ++id)
    known[static_cast<size_t>(id)] = is_float(graph.value(id).type.dtype);
  for (const NodeId id : graph.topological_order()) {
    const Node& node = graph.node(id);
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      const ValueId output = node.outputs[i];
      if (output == kNone || graph.value(output).type.dtype != DType::kUndefined) continue;
      known[static_cast<size_t>(output)] = is_float_output(node, i, known);
    }
  }
  return known;
}

std::vector<int> float_data_inputs(const Node& node, const std::vector<bool>& is_float) {
  std::vector<int> indices = data_inputs(node);
  std::erase_if(indices, [&](int i) { return !is_float[static_cast<size_t>(node.input(i))]; });
  return indices;
}

}  // namespace twofold
