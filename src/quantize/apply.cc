#include "quantize/apply.h"

#include <cmath>
#include <limits>
#include <map>
#include <optional>

#include "base/cancellation.h"
#include "base/check.h"
#include "numeric/ec.h"
#include "numeric/quantize.h"
#include "quantize/bias_shifts.h"
#include "traits/gemm_type.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

Tensor zero_points(const QParams& params) {
  const std::vector<int32_t> zeros =
      params.zero_point.empty() ? std::vector<int32_t>(params.scale.size(), 0) : params.zero_point;
  const Shape shape = params.axis < 0 ? Shape{} : Shape{static_cast<int64_t>(zeros.size())};
  if (params.qtype == QType::kInt16) {
    return Tensor::from<int16_t>(shape, std::vector<int16_t>(zeros.begin(), zeros.end()));
  }
  return Tensor::from<int8_t>(shape, std::vector<int8_t>(zeros.begin(), zeros.end()));
}

Tensor scales(const QParams& params) {
  const Shape shape = params.axis < 0 ? Shape{} : Shape{static_cast<int64_t>(params.scale.size())};
  return Tensor::from<float>(shape, std::span<const float>(params.scale));
}

// An int8 operand with the second digit's scales.
QParams residual_params(const QParams& ec) {
  QParams params{QType::kInt8, ec.axis, {}, {}};
  for (float s1 : ec.scale) params.scale.push_back(ec_residual_scale(s1));
  return params;
}

QParams first_params(const QParams& ec) { return {QType::kInt8, ec.axis, ec.scale, {}}; }

// Orders parameters, to find the Q/DQ pair that a tensor already has.
using PairKey = std::tuple<ValueId, QType, int, std::vector<float>, std::vector<int32_t>, Rounding>;

class Applier {
 public:
  Applier(Graph& graph, WeightCache& weights) : graph_(graph), weights_(weights) {}

  void quantize_output(ValueId y, const QParams& params);
  void quantize_inputs(NodeId node, const std::vector<const OperandQuantization*>& operands);

 private:
  // The float tensors an operand is read through: one, or the two terms of an ec operand.
  std::vector<ValueId> terms(ValueId value, const OperandQuantization& operand);
  ValueId quantized(ValueId x, const QParams& params, Rounding rounding);
  ValueId rounded_to_float16(ValueId x);
  ValueId dequantize(const std::string& name, ValueId integers, const QParams& params);
  std::pair<ValueId, ValueId> split(ValueId x, const QParams& params);
  void quantize_bias(NodeId node, const QParams& a, const QParams& b, NodeId residual);
  std::optional<Tensor> bias_constant(NodeId node) const;
  NodeId clone(NodeId node, const std::map<int, ValueId>& inputs);
  void expand(NodeId node, const std::map<int, std::vector<ValueId>>& terms, std::vector<NodeId>& nodes);

  Graph& graph_;
  WeightCache& weights_;
  std::map<PairKey, ValueId> pairs_;
  std::map<PairKey, std::pair<ValueId, ValueId>> splits_;
};

// The real values of integers; those in int32 have no zero point.
ValueId Applier::dequantize(const std::string& name, ValueId integers, const QParams& params) {
  const Tensor* constant = graph_.constant(integers);
  const bool has_zero_point = constant == nullptr || constant->dtype() != DType::kInt32;
  const bool is_matrix = constant != nullptr && constant->rank() == 2;
  const std::string base = graph_.unique_value_name(name + "_dequantized");
  const ValueId scale = graph_.add_constant(graph_.unique_value_name(base + "_scale"), scales(params));
  Node node{name + "_DequantizeLinear", op::kDequantizeLinear, "", {integers, scale}, {}, {}};
  if (has_zero_point) {
    node.inputs.push_back(graph_.add_constant(graph_.unique_value_name(base + "_zero_point"), zero_points(params)));
  }
  const ValueId real = graph_.add_value(base, {DType::kFloat32, std::nullopt});
  node.outputs = {real};
  if (params.axis >= 0) {
    // Axis 1 of a matrix is written as -1: for axis = 1, ONNX Runtime's level 2 takes any MatMul with an int8 weight
    // for a weight-only one (MatMulNBits) and rounds its activations to 8 bits.
    node.attributes.set("axis", is_matrix && params.axis == 1 ? int64_t{-1} : int64_t{params.axis});
  }
  graph_.add_node(std::move(node));
  return real;
}

// x behind Q and DQ, or a constant behind DQ.
ValueId Applier::quantized(ValueId x, const QParams& params, Rounding rounding) {
  ValueId& known = pairs_.try_emplace({x, params.qtype, params.axis, params.scale, params.zero_point, rounding}, kNone)
                       .first->second;
  if (known != kNone) return known;
  const std::string name = graph_.value(x).name;
  const std::string integers_name = graph_.unique_value_name(name + "_quantized");
  if (const Tensor* constant = graph_.constant(x)) {
    const ValueId integers = graph_.add_constant(integers_name, weights_.quantized(*constant, params, rounding));
    return known = dequantize(name, integers, params);
  }
  const DType dtype = params.qtype == QType::kInt16 ? DType::kInt16 : DType::kInt8;
  const ValueId integers = graph_.add_value(integers_name, {dtype, std::nullopt});
  const ValueId scale = graph_.add_constant(graph_.unique_value_name(integers_name + "_scale"), scales(params));
  const ValueId zero =
      graph_.add_constant(graph_.unique_value_name(integers_name + "_zero_point"), zero_points(params));
  Node node{name + "_QuantizeLinear", op::kQuantizeLinear, "", {x, scale, zero}, {integers}, {}};
  if (params.axis >= 0) node.attributes.set("axis", static_cast<int64_t>(params.axis));
  graph_.add_node(std::move(node));
  return known = dequantize(name, integers, params);
}

// x behind a Cast to float16 and one back.
ValueId Applier::rounded_to_float16(ValueId x) {
  ValueId& known = pairs_.try_emplace({x, QType::kFloat16, -1, {}, {}, Rounding::kNearest}, kNone).first->second;
  if (known != kNone) return known;
  const std::string name = graph_.value(x).name;
  const ValueId half = graph_.add_value(graph_.unique_value_name(name + "_float16"), {DType::kFloat16, std::nullopt});
  known = graph_.add_value(graph_.unique_value_name(name + "_from_float16"), {DType::kFloat32, std::nullopt});
  for (const auto& [from, to, type] :
       {std::tuple{x, half, DType::kFloat16}, std::tuple{half, known, DType::kFloat32}}) {
    Node cast{name + "_Cast", op::kCast, "", {from}, {to}, {}};
    cast.attributes.set("to", static_cast<int64_t>(type));
    graph_.add_node(std::move(cast));
  }
  return known;
}

// The two terms of an ec operand.
std::pair<ValueId, ValueId> Applier::split(ValueId x, const QParams& params) {
  auto [entry, inserted] = splits_.try_emplace({x, params.qtype, params.axis, params.scale, {}, Rounding::kNearest});
  if (!inserted) return entry->second;
  const std::string name = graph_.value(x).name;
  if (const Tensor* constant = graph_.constant(x)) {
    const EcDigits digits = weights_.quantized_ec(*constant, params);
    const ValueId first = graph_.add_constant(graph_.unique_value_name(name + "_quantized"), digits.first);
    const ValueId second = graph_.add_constant(graph_.unique_value_name(name + "_residual_quantized"), digits.second);
    return entry->second = {dequantize(name, first, first_params(params)),
                            dequantize(name + "_residual", second, residual_params(params))};
  }
  const ValueId first = quantized(x, first_params(params), Rounding::kNearest);
  const ValueId residual =
      graph_.add_value(graph_.unique_value_name(name + "_residual"), {DType::kFloat32, std::nullopt});
  graph_.add_node({name + "_residual_Sub", op::kSub, "", {x, first}, {residual}, {}});
  return entry->second = {first, quantized(residual, residual_params(params), Rounding::kNearest)};
}

std::vector<ValueId> Applier::terms(ValueId value, const OperandQuantization& operand) {
  if (operand.params.qtype == QType::kFloat16) return {rounded_to_float16(value)};
  if (operand.params.qtype != QType::kEc) return {quantized(value, operand.params, operand.rounding)};
  const auto [first, second] = split(value, operand.params);
  return {first, second};
}

// The same node on other inputs, without its bias.
NodeId Applier::clone(NodeId id, const std::map<int, ValueId>& inputs) {
  Node copy = graph_.node(id);
  copy.name += "_residual";
  for (const auto& [index, value] : inputs) copy.inputs[static_cast<size_t>(index)] = value;
  if (takes_bias(copy) && copy.inputs.size() > 2) copy.inputs.resize(2);
  copy.outputs = {graph_.add_value(graph_.unique_value_name(graph_.value(copy.outputs[0]).name + "_residual"),
                                   {DType::kFloat32, std::nullopt})};
  return graph_.add_node(std::move(copy));
}

// op(sum of terms, sum of terms) => sum of op(term, term). Appends every operator, the node itself first.
void Applier::expand(NodeId id, const std::map<int, std::vector<ValueId>>& terms, std::vector<NodeId>& nodes) {
  std::vector<std::map<int, ValueId>> combinations = {{}};
  for (const auto& [index, values] : terms) {
    std::vector<std::map<int, ValueId>> longer;
    for (const auto& combination : combinations) {
      for (ValueId value : values) {
        longer.push_back(combination);
        longer.back()[index] = value;
      }
    }
    combinations = std::move(longer);
  }
  nodes = {id};
  for (const auto& [index, value] : combinations[0]) graph_.set_input(id, index, value);
  for (size_t i = 1; i < combinations.size(); ++i) nodes.push_back(clone(id, combinations[i]));
  if (nodes.size() == 1) return;
  // Sum pairwise: terms that differ in the last operand first, so that each sum is again one operator on a whole
  // operand.
  const ValueId result = graph_.node(id).output(0);
  const std::string name = graph_.node(id).name, result_name = graph_.value(result).name;
  graph_.set_output(
      id, 0, graph_.add_value(graph_.unique_value_name(result_name + "_first"), {DType::kFloat32, std::nullopt}));
  std::vector<ValueId> partial;
  for (NodeId node : nodes) partial.push_back(graph_.node(node).output(0));
  while (partial.size() > 1) {
    std::vector<ValueId> sums;
    for (size_t i = 0; i < partial.size(); i += 2) {
      const bool last = partial.size() == 2;
      const ValueId sum =
          last ? result
               : graph_.add_value(graph_.unique_value_name(result_name + "_partial"), {DType::kFloat32, std::nullopt});
      graph_.add_node({name + "_sum", op::kAdd, "", {partial[i], partial[i + 1]}, {sum}, {}, graph_.node(id).origins});
      sums.push_back(sum);
    }
    partial = std::move(sums);
  }
}

std::optional<Tensor> Applier::bias_constant(NodeId id) const {
  const Node& node = graph_.node(id);
  if (!takes_bias(node)) return std::nullopt;
  if (node.is(op::kGemm) && (node.attributes.get_float("beta", 1) != 1 || node.attributes.get_float("alpha", 1) != 1)) {
    return std::nullopt;
  }
  const Tensor* bias = graph_.constant(node.input(2));
  if (bias == nullptr || bias->dtype() != DType::kFloat32 || bias->rank() != 1) return std::nullopt;
  return *bias;
}

// The smallest k for which bias / (unit 2^k) fits an int32; nothing where even float32 cannot tell.
std::optional<int> bias_shift(double bias, double unit) {
  for (int k = 0; k < 64; ++k) {
    if (std::fabs(round_half_even(std::ldexp(bias / unit, -k))) <= 2147483647.0) return k;
  }
  return std::nullopt;
}

// bias = s_a s_b 2^k q, as int32; with a `residual` operator (an ec weight) the rest in its own, finer units.
// k > 0 only beside a 16-bit operand, where products are so fine that 32 bits may not reach the bias: runtimes with
// int8 kernels take s_a s_b for granted. (A bias left in float32 is no way out: ONNX Runtime's level-1 optimizer
// WeightBiasQuantization turns it into a saturated int32 in s_a s_b.)
void Applier::quantize_bias(NodeId id, const QParams& a, const QParams& b, NodeId residual) {
  const std::optional<Tensor> bias = bias_constant(id);
  if (!bias || a.axis >= 0) return;
  const std::span<const float> real = bias->data<float>();
  if (b.axis >= 0 && real.size() % b.scale.size() != 0) return;
  Tensor first(DType::kInt32, bias->shape()), rest(DType::kInt32, bias->shape());
  QParams units{QType::kInt8, real.size() == 1 ? -1 : 0, {}, {}}, rest_units = units;
  for (size_t c = 0; c < real.size(); ++c) {
    const float s_b = b.scale[b.scale.size() == 1 ? 0 : c % b.scale.size()];
    const double product = static_cast<double>(a.scale[0]) * s_b;
    const std::optional<int> shift = bias_shift(real[c], product);
    const bool may_shift = residual == kNone && (a.qtype == QType::kInt16 || b.qtype == QType::kInt16);
    if (!shift || (*shift > 0 && !may_shift)) return;
    const double unit = std::ldexp(product, *shift);
    const double rest_unit = static_cast<double>(a.scale[0]) * ec_residual_scale(s_b);
    const double q = round_half_even(real[c] / unit);
    const double q_rest = round_half_even((real[c] - q * unit) / rest_unit);
    const float scale = std::ldexp(static_cast<float>(product), *shift), rest_scale = static_cast<float>(rest_unit);
    // Below the normal range float32(s_a s_b) is no longer s_a s_b.
    if (rest_scale < std::numeric_limits<float>::min()) return;
    first.mutable_data<int32_t>()[c] = static_cast<int32_t>(q);
    rest.mutable_data<int32_t>()[c] = static_cast<int32_t>(q_rest);
    units.scale.push_back(scale);
    rest_units.scale.push_back(rest_scale);
  }
  const auto attach = [&](NodeId node, Tensor integers, const QParams& params, const std::string& name) {
    const ValueId constant = graph_.add_constant(graph_.unique_value_name(name + "_quantized"), std::move(integers));
    graph_.set_input(node, 2, dequantize(name, constant, params));
  };
  const std::string name = graph_.value(graph_.node(id).input(2)).name;
  attach(id, first, units, name);
  if (residual != kNone) attach(residual, rest, rest_units, name + "_residual");
}

void Applier::quantize_inputs(NodeId id, const std::vector<const OperandQuantization*>& operands) {
  std::map<int, std::vector<ValueId>> replaced;
  std::map<int, const QParams*> params;
  for (const OperandQuantization* operand : operands) {
    replaced[operand->operand.index] = terms(graph_.node(id).input(operand->operand.index), *operand);
    params[operand->operand.index] = &operand->params;
  }
  std::vector<NodeId> nodes;
  expand(id, replaced, nodes);
  const bool gemm_type =
      params.contains(0) && params.contains(1) && is_integer(params[0]->qtype) && is_integer(params[1]->qtype);
  // An ec activation would need its bias in two activation scales; float32 keeps it exact.
  if (gemm_type && params[0]->qtype != QType::kEc) {
    quantize_bias(id, *params[0], *params[1], params[1]->qtype == QType::kEc ? nodes[1] : kNone);
  }
}

void Applier::quantize_output(ValueId y, const QParams& params) {
  const std::vector<NodeId> readers = graph_.consumers(y);
  const ValueId real =
      params.qtype == QType::kFloat16 ? rounded_to_float16(y) : quantized(y, params, Rounding::kNearest);
  graph_.set_type(real, {DType::kFloat32, graph_.value(y).type.shape});  // as outputs of the graph are declared
  for (NodeId reader : readers) {
    for (size_t i = 0; i < graph_.node(reader).inputs.size(); ++i) {
      if (graph_.node(reader).inputs[i] == y) graph_.set_input(reader, static_cast<int>(i), real);
    }
  }
  for (GraphOutput& output : graph_.outputs) {
    if (output.value == y) output.value = real;
  }
  // A reader that asks for the same integers takes these.
  pairs_[{real, params.qtype, params.axis, params.scale, params.zero_point, Rounding::kNearest}] = real;
}

}  // namespace

void apply_quantization(Graph& graph, const std::vector<OperandQuantization>& operands, WeightCache& weights) {
  Applier applier(graph, weights);
  std::map<NodeId, std::vector<const OperandQuantization*>> inputs, outputs;
  for (const OperandQuantization& operand : operands) {
    TWOFOLD_CHECK(operand.params.qtype != QType::kFloat32 &&
                  !(operand.operand.is_output && operand.params.qtype == QType::kEc));
    (operand.operand.is_output ? outputs : inputs)[operand.node].push_back(&operand);
  }
  for (const OperandQuantization& operand : operands) {
    if (!operand.bias_shift.empty()) shift_bias(graph, operand.node, operand.bias_shift);
  }
  // In order, so that a node's output is quantized before its readers ask for their input.
  for (NodeId id : graph.topological_order()) {
    throw_if_cancelled();
    const std::vector<ValueId> results = graph.node(id).outputs;  // expanding an ec operand moves them to another node
    if (const auto it = inputs.find(id); it != inputs.end()) applier.quantize_inputs(id, it->second);
    for (const OperandQuantization* operand : outputs[id]) {
      applier.quantize_output(results[static_cast<size_t>(operand->operand.index)], operand->params);
    }
  }
  verify(graph);
}

}  // namespace twofold
