#include "passes/infer_types.h"

#include <algorithm>
#include <map>
#include <string_view>

#include "base/error.h"

namespace twofold {

bool InferredType::is_static() const {
  return shape && std::find(shape->begin(), shape->end(), kUnknownDim) == shape->end();
}

namespace {

using Dims = std::vector<int64_t>;

// Longer integer tensors are data, not shapes.
constexpr int64_t kMaxElements = 16;

// A node and what is known of its inputs.
struct Inference {
  const Graph& graph;
  const Node& node;
  std::vector<InferredType>& types;

  const InferredType& input(int i) const {
    static const InferredType unknown;
    const ValueId id = node.input(i);
    return id == kNone ? unknown : types[static_cast<size_t>(id)];
  }
  InferredType& output(int i) const { return types[static_cast<size_t>(node.outputs[static_cast<size_t>(i)])]; }
  bool has_output(int i) const { return node.output(i) != kNone; }
  const Attributes& attributes() const { return node.attributes; }
};

std::optional<Dims> constant_elements(const Tensor& tensor) {
  if (tensor.rank() > 1 || tensor.size() > kMaxElements) return std::nullopt;
  if (tensor.dtype() == DType::kInt64) return Dims(tensor.data<int64_t>().begin(), tensor.data<int64_t>().end());
  if (tensor.dtype() == DType::kInt32) return Dims(tensor.data<int32_t>().begin(), tensor.data<int32_t>().end());
  return std::nullopt;
}

InferredType type_of_constant(const Tensor& tensor) {
  return {tensor.dtype(), tensor.shape(), constant_elements(tensor)};
}

InferredType type_of_input(const Value& value) {
  InferredType type{value.type.dtype, std::nullopt, std::nullopt};
  if (!value.type.shape) return type;
  type.shape.emplace();
  for (const Dim& dim : *value.type.shape) type.shape->push_back(dim.value >= 0 ? dim.value : kUnknownDim);
  return type;
}

// All of the elements, known; nullopt otherwise.
std::optional<Dims> known_elements(const InferredType& type) {
  if (!type.elements || std::count(type.elements->begin(), type.elements->end(), kUnknownDim) > 0) return std::nullopt;
  return type.elements;
}

// The axis counted from 0, or -1 where it is out of range.
int normalized(int64_t axis, int rank) {
  if (axis < 0) axis += rank;
  return axis >= 0 && axis < rank ? static_cast<int>(axis) : -1;
}

int64_t broadcast_dim(int64_t a, int64_t b) {
  if (a == b || b == 1) return a;
  if (a == 1) return b;
  // One of them is not 1, or unknown and then 1 or the same.
  return a == kUnknownDim ? b : b == kUnknownDim ? a : kUnknownDim;
}

std::optional<Dims> broadcast(const std::optional<Dims>& a, const std::optional<Dims>& b) {
  if (!a || !b) return std::nullopt;
  const Dims& longer = a->size() >= b->size() ? *a : *b;
  const Dims& shorter = a->size() >= b->size() ? *b : *a;
  Dims result = longer;
  const size_t offset = longer.size() - shorter.size();
  for (size_t i = 0; i < shorter.size(); ++i) result[offset + i] = broadcast_dim(longer[offset + i], shorter[i]);
  return result;
}

void same_as_input(const Inference& in) {
  in.output(0).dtype = in.input(0).dtype;
  in.output(0).shape = in.input(0).shape;
}

void elementwise(const Inference& in) {
  std::optional<Dims> shape = in.input(0).shape;
  for (int i = 1; i < static_cast<int>(in.node.inputs.size()); ++i) shape = broadcast(shape, in.input(i).shape);
  in.output(0).dtype = in.input(0).dtype;
  in.output(0).shape = std::move(shape);
}

void comparison(const Inference& in) {
  elementwise(in);
  in.output(0).dtype = DType::kBool;
}

void where(const Inference& in) {
  elementwise(in);
  in.output(0).dtype = in.input(1).dtype;
}

void cast(const Inference& in) {
  same_as_input(in);
  const auto to = static_cast<DType>(in.attributes().get_int("to", 0));
  in.output(0).dtype = is_known(to) ? to : DType::kUndefined;
  if (to == DType::kInt64 || to == DType::kInt32) in.output(0).elements = in.input(0).elements;
}

// Rank and channels from the weight; batch from the input; spatial dimensions are left open.
void conv(const Inference& in) {
  in.output(0).dtype = in.input(0).dtype;
  const int rank = in.input(1).rank() > 0 ? in.input(1).rank() : in.input(0).rank();
  if (rank < 2) return;
  Dims shape(static_cast<size_t>(rank), kUnknownDim);
  if (in.input(0).rank() == rank) shape[0] = (*in.input(0).shape)[0];
  if (in.input(1).rank() == rank) {
    const Dims& weight = *in.input(1).shape;
    const bool transposed = in.node.is("ConvTranspose");
    shape[1] = weight[transposed ? 1 : 0];
    const int64_t group = in.attributes().get_int("group", 1);
    if (transposed && shape[1] != kUnknownDim && __builtin_mul_overflow(shape[1], group, &shape[1])) return;
  }
  in.output(0).shape = std::move(shape);
}

// Batch and channels stay, spatial dimensions are left open, or are 1 for the global pools.
void pool(const Inference& in) {
  in.output(0).dtype = in.input(0).dtype;
  if (in.input(0).rank() < 2) return;
  Dims shape = *in.input(0).shape;
  std::fill(shape.begin() + 2, shape.end(), in.node.op_type.starts_with("Global") ? 1 : kUnknownDim);
  in.output(0).shape = std::move(shape);
}

// The rank stays and so does the element type; dimensions are left open.
void same_rank(const Inference& in) {
  in.output(0).dtype = in.input(0).dtype;
  if (in.input(0).shape) in.output(0).shape = Dims(in.input(0).shape->size(), kUnknownDim);
}

void gemm(const Inference& in) {
  in.output(0).dtype = in.input(0).dtype;
  Dims shape(2, kUnknownDim);
  if (in.input(0).rank() == 2) shape[0] = (*in.input(0).shape)[in.attributes().get_int("transA", 0) != 0 ? 1 : 0];
  if (in.input(1).rank() == 2) shape[1] = (*in.input(1).shape)[in.attributes().get_int("transB", 0) != 0 ? 0 : 1];
  in.output(0).shape = std::move(shape);
}

void matmul(const Inference& in) {
  in.output(0).dtype = in.input(0).dtype;
  if (in.input(0).rank() < 2 || in.input(1).rank() < 2) return;
  const Dims& a = *in.input(0).shape;
  const Dims& b = *in.input(1).shape;
  auto shape = broadcast(Dims(a.begin(), a.end() - 2), Dims(b.begin(), b.end() - 2));
  shape->push_back(a[a.size() - 2]);
  shape->push_back(b.back());
  in.output(0).shape = std::move(shape);
}

void transpose(const Inference& in) {
  in.output(0).dtype = in.input(0).dtype;
  if (!in.input(0).shape) return;
  const Dims& from = *in.input(0).shape;
  Dims reversed(from.size());
  for (size_t i = 0; i < from.size(); ++i) reversed[i] = static_cast<int64_t>(from.size() - 1 - i);
  const Dims perm = in.attributes().get_ints("perm", reversed);
  if (perm.size() != from.size()) return;
  Dims shape;
  for (int64_t axis : perm) {
    if (axis < 0 || axis >= static_cast<int64_t>(from.size())) return;
    shape.push_back(from[static_cast<size_t>(axis)]);
  }
  in.output(0).shape = std::move(shape);
}

// What a -1 in the target of a Reshape stands for, where both sides are known.
int64_t reshape_rest(const Dims& from, const Dims& to) {
  int64_t total = 1, known = 1;
  for (int64_t dim : from) {
    if (dim == kUnknownDim || __builtin_mul_overflow(total, dim, &total)) return kUnknownDim;
  }
  for (int64_t dim : to) {
    if (dim != -1 && (dim == kUnknownDim || __builtin_mul_overflow(known, dim, &known))) return kUnknownDim;
  }
  return known > 0 && total % known == 0 ? total / known : kUnknownDim;
}

void reshape(const Inference& in) {
  in.output(0).dtype = in.input(0).dtype;
  const InferredType& target = in.input(1);
  if (!target.elements) {
    if (target.rank() == 1 && (*target.shape)[0] >= 0 && (*target.shape)[0] <= kMaxElements) {
      in.output(0).shape = Dims(static_cast<size_t>((*target.shape)[0]), kUnknownDim);
    }
    return;
  }
  Dims shape = *target.elements;
  const bool copies_zero = in.attributes().get_int("allowzero", 0) == 0;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] != 0 || !copies_zero) continue;
    shape[i] = in.input(0).shape && i < in.input(0).shape->size() ? (*in.input(0).shape)[i] : kUnknownDim;
  }
  const int64_t rest = in.input(0).shape ? reshape_rest(*in.input(0).shape, shape) : kUnknownDim;
  std::replace(shape.begin(), shape.end(), int64_t{-1}, rest);
  in.output(0).shape = std::move(shape);
}

void flatten(const Inference& in) {
  in.output(0).dtype = in.input(0).dtype;
  in.output(0).shape = Dims(2, kUnknownDim);
}

void squeeze(const Inference& in) {
  in.output(0).dtype = in.input(0).dtype;
  const auto axes = known_elements(in.input(1));
  if (in.input(0).elements) in.output(0).elements = in.input(0).elements;
  if (!in.input(0).shape || !axes) return;
  Dims shape = *in.input(0).shape;
  std::vector<bool> drop(shape.size(), false);
  for (int64_t axis : *axes) {
    const int at = normalized(axis, static_cast<int>(shape.size()));
    if (at < 0) return;
    drop[static_cast<size_t>(at)] = true;
  }
  Dims kept;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (!drop[i]) kept.push_back(shape[i]);
  }
  in.output(0).shape = std::move(kept);
}

void unsqueeze(const Inference& in) {
  in.output(0).dtype = in.input(0).dtype;
  const auto axes = known_elements(in.input(1));
  if (in.input(0).rank() == 0) in.output(0).elements = in.input(0).elements;
  if (!in.input(0).shape || !axes) return;
  Dims shape(in.input(0).shape->size() + axes->size(), kUnknownDim);
  std::vector<bool> added(shape.size(), false);
  for (int64_t axis : *axes) {
    const int at = normalized(axis, static_cast<int>(shape.size()));
    if (at < 0 || added[static_cast<size_t>(at)]) return;
    added[static_cast<size_t>(at)] = true;
  }
  size_t next = 0;
  for (size_t i = 0; i < shape.size(); ++i) shape[i] = added[i] ? 1 : (*in.input(0).shape)[next++];
  in.output(0).shape = std::move(shape);
}

void concat(const Inference& in) {
  in.output(0).dtype = in.input(0).dtype;
  std::optional<Dims> shape = in.input(0).shape;
  std::optional<Dims> elements = in.input(0).elements;
  if (!shape) return;
  const int axis = normalized(in.attributes().get_int("axis", 0), static_cast<int>(shape->size()));
  for (int i = 1; i < static_cast<int>(in.node.inputs.size()); ++i) {
    const InferredType& next = in.input(i);
    if (axis < 0 || next.rank() != static_cast<int>(shape->size())) return;
    for (int d = 0; d < next.rank(); ++d) {
      int64_t& dim = (*shape)[static_cast<size_t>(d)];
      const int64_t other = (*next.shape)[static_cast<size_t>(d)];
      if (d != axis) {
        if (dim == kUnknownDim) dim = other;
      } else if (dim == kUnknownDim || other == kUnknownDim || __builtin_add_overflow(dim, other, &dim)) {
        dim = kUnknownDim;
      }
    }
    if (elements && next.elements) {
      elements->insert(elements->end(), next.elements->begin(), next.elements->end());
    } else {
      elements.reset();
    }
  }
  if (elements && shape->size() == 1 && elements->size() <= kMaxElements) in.output(0).elements = std::move(elements);
  in.output(0).shape = std::move(shape);
}

void shape_of(const Inference& in) {
  InferredType& out = in.output(0);
  out.dtype = DType::kInt64;
  out.shape = Dims(1, kUnknownDim);
  if (!in.input(0).shape) return;
  const Dims& dims = *in.input(0).shape;
  const auto rank = static_cast<int64_t>(dims.size());
  const auto clamped = [rank](int64_t at) { return std::clamp<int64_t>(at < 0 ? at + rank : at, 0, rank); };
  const int64_t start = clamped(in.attributes().get_int("start", 0));
  const int64_t end = std::max(start, clamped(in.attributes().get_int("end", rank)));
  out.shape = Dims(1, end - start);
  if (end - start <= kMaxElements) out.elements = Dims(dims.begin() + start, dims.begin() + end);
}

// Slice of a 1-D tensor of elements with step 1; of all else the rank.
void slice(const Inference& in) {
  same_rank(in);
  const auto starts = known_elements(in.input(1)), ends = known_elements(in.input(2));
  const auto steps = in.node.input(4) == kNone ? Dims{1} : known_elements(in.input(4)).value_or(Dims{});
  if (!in.input(0).elements || in.input(0).rank() != 1 || !starts || !ends) return;
  if (starts->size() != 1 || ends->size() != 1 || steps != Dims{1}) return;
  const auto size = static_cast<int64_t>(in.input(0).elements->size());
  const auto clamped = [size](int64_t at) { return std::clamp<int64_t>(at < 0 ? at + size : at, 0, size); };
  const int64_t start = clamped((*starts)[0]);
  const int64_t end = std::max(start, clamped((*ends)[0]));
  in.output(0).elements = Dims(in.input(0).elements->begin() + start, in.input(0).elements->begin() + end);
  in.output(0).shape = Dims{end - start};
}

void gather(const Inference& in) {
  in.output(0).dtype = in.input(0).dtype;
  const InferredType& indices = in.input(1);
  if (!in.input(0).shape || !indices.shape) return;
  const Dims& from = *in.input(0).shape;
  const int axis = normalized(in.attributes().get_int("axis", 0), static_cast<int>(from.size()));
  if (axis < 0) return;
  Dims shape(from.begin(), from.begin() + axis);
  shape.insert(shape.end(), indices.shape->begin(), indices.shape->end());
  shape.insert(shape.end(), from.begin() + axis + 1, from.end());
  in.output(0).shape = std::move(shape);
  const auto picks = known_elements(indices);
  if (!in.input(0).elements || in.input(0).rank() != 1 || !picks) return;
  Dims elements;
  for (int64_t pick : *picks) {
    const int at = normalized(pick, static_cast<int>(in.input(0).elements->size()));
    if (at < 0) return;
    elements.push_back((*in.input(0).elements)[static_cast<size_t>(at)]);
  }
  in.output(0).elements = std::move(elements);
}

void reduce(const Inference& in) {
  in.output(0).dtype = in.input(0).dtype;
  const auto axes = known_elements(in.input(1));
  if (!in.input(0).shape || !axes || axes->empty()) return;
  const bool keep = in.attributes().get_int("keepdims", 1) != 0;
  Dims shape = *in.input(0).shape;
  std::vector<bool> reduced(shape.size(), false);
  for (int64_t axis : *axes) {
    const int at = normalized(axis, static_cast<int>(shape.size()));
    if (at < 0) return;
    reduced[static_cast<size_t>(at)] = true;
  }
  Dims result;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (!reduced[i]) result.push_back(shape[i]);
    if (reduced[i] && keep) result.push_back(1);
  }
  in.output(0).shape = std::move(result);
}

void split(const Inference& in) {
  for (int i = 0; i < static_cast<int>(in.node.outputs.size()); ++i) {
    if (!in.has_output(i)) continue;
    in.output(i).dtype = in.input(0).dtype;
    if (in.input(0).shape) in.output(i).shape = Dims(in.input(0).shape->size(), kUnknownDim);
  }
}

void quantize_linear(const Inference& in) {
  in.output(0).shape = in.input(0).shape;
  in.output(0).dtype = in.node.input(2) == kNone ? DType::kUndefined : in.input(2).dtype;
}

void dequantize_linear(const Inference& in) {
  in.output(0).shape = in.input(0).shape;
  in.output(0).dtype = in.input(1).dtype;
}

using Rule = void (*)(const Inference&);

const std::map<std::string_view, Rule>& rules() {
  static const std::map<std::string_view, Rule> table = [] {
    std::map<std::string_view, Rule> built = {
        {"Cast", cast},
        {"Conv", conv},
        {"ConvTranspose", conv},
        {"Gemm", gemm},
        {"MatMul", matmul},
        {"Transpose", transpose},
        {"Reshape", reshape},
        {"Flatten", flatten},
        {"Squeeze", squeeze},
        {"Unsqueeze", unsqueeze},
        {"Concat", concat},
        {"Shape", shape_of},
        {"Slice", slice},
        {"Gather", gather},
        {"Split", split},
        {"Where", where},
        {"QuantizeLinear", quantize_linear},
        {"DequantizeLinear", dequantize_linear},
    };
    for (const char* op : {"Abs",
                           "BatchNormalization",
                           "Ceil",
                           "Celu",
                           "Clip",
                           "Cos",
                           "CumSum",
                           "Dropout",
                           "Elu",
                           "Erf",
                           "Exp",
                           "Floor",
                           "Gelu",
                           "GroupNormalization",
                           "HardSigmoid",
                           "HardSwish",
                           "Hardmax",
                           "Identity",
                           "InstanceNormalization",
                           "LRN",
                           "LayerNormalization",
                           "LeakyRelu",
                           "Log",
                           "LogSoftmax",
                           "LpNormalization",
                           "MeanVarianceNormalization",
                           "Mish",
                           "Neg",
                           "Not",
                           "RMSNormalization",
                           "Reciprocal",
                           "Relu",
                           "Round",
                           "Selu",
                           "Sigmoid",
                           "Sign",
                           "Sin",
                           "Softmax",
                           "Softplus",
                           "Softsign",
                           "Sqrt",
                           "Tanh",
                           "ThresholdedRelu",
                           "Trilu"}) {
      built.emplace(op, same_as_input);
    }
    for (const char* op :
         {"Add", "And", "Div", "Max", "Mean", "Min", "Mod", "Mul", "Or", "PRelu", "Pow", "Sub", "Sum", "Xor"}) {
      built.emplace(op, elementwise);
    }
    for (const char* op : {"Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual"}) built.emplace(op, comparison);
    for (const char* op : {"AveragePool", "GlobalAveragePool", "GlobalLpPool", "GlobalMaxPool", "LpPool", "MaxPool"}) {
      built.emplace(op, pool);
    }
    for (const char* op : {"Pad", "Resize", "Tile"}) built.emplace(op, same_rank);
    for (const char* op : {"ReduceL1", "ReduceL2", "ReduceMax", "ReduceMean", "ReduceMin", "ReduceProd", "ReduceSum",
                           "ReduceSumSquare", "ReduceLogSum", "ReduceLogSumExp"}) {
      built.emplace(op, reduce);
    }
    return built;
  }();
  return table;
}

}  // namespace

std::vector<InferredType> infer_types(const Graph& graph) {
  std::vector<InferredType> types(static_cast<size_t>(graph.num_values()));
  for (ValueId id : graph.inputs) types[static_cast<size_t>(id)] = type_of_input(graph.value(id));
  for (ValueId id = 0; id < graph.num_values(); ++id) {
    if (const Tensor* constant = graph.constant(id)) types[static_cast<size_t>(id)] = type_of_constant(*constant);
  }
  for (NodeId id : graph.topological_order()) {
    const Node& node = graph.node(id);
    const auto rule = rules().find(node.op_type);
    if (!node.domain.empty() || rule == rules().end() || node.output(0) == kNone) continue;
    try {
      rule->second({graph, node, types});
    } catch (const Error&) {
      // A malformed attribute: nothing is known, and running the node says what is wrong.
      for (ValueId output : node.outputs) {
        if (output != kNone) types[static_cast<size_t>(output)] = {};
      }
    }
  }
  return types;
}

}  // namespace twofold
