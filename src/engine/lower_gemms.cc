#include "engine/lower_gemms.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/cancellation.h"
#include "dialect/product_node.h"
#include "engine/float_chain.h"
#include "numeric/integer_limits.h"
#include "numeric/quantize.h"
#include "ops/unary_step.h"
#include "traits/gemm_type.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

constexpr int64_t kNotABias = std::numeric_limits<int64_t>::min();

// Everything about one node that lowering needs to know.
struct Match {
  QuantizedEdge a, b;
  Tensor bias;                // int64, units of s_a s_b; undefined: none
  NodeId activation = kNone;  // Relu or Clip fused behind the node
  ValueId result = kNone;     // the float value that the integer node replaces
  Readers readers;            // of the result
  FloatChain chain;           // what follows the product in float32; no steps: the outputs above
};

// k >= 0 with scale = float32(unit) 2^k, nothing where there is none.
std::optional<int> shift_of(float scale, double unit) {
  const auto base = static_cast<float>(unit);
  for (int k = 0; k < 64; ++k) {
    if (std::ldexp(base, k) == scale) return k;
    if (std::ldexp(base, k) > scale) break;
  }
  return std::nullopt;
}

// The integers of a bias in units of s_a s_b (int64, one per output channel); empty where there is none; nothing where
// the bias is not a constant vector, or of more than 2^52 steps. Integers that the file holds in float32(s_a s_b) 2^k
// are taken as they are; any other bias is rounded to the nearest step.
std::optional<Tensor> integer_bias(const Graph& graph, ValueId id, const QuantizedEdge& a, const QuantizedEdge& b) {
  if (id == kNone) return Tensor();
  const auto edge = dequantized_edge(graph, id);
  const Tensor* constant = graph.constant(edge ? edge->integers : id);
  if (constant == nullptr || !(constant->rank() == 1 || (constant->rank() == 2 && constant->dim(0) == 1))) {
    return std::nullopt;
  }
  const auto channels = static_cast<size_t>(constant->size());
  if (channels % b.scale.size() != 0 || (edge && channels % edge->scale.size() != 0)) return std::nullopt;
  if (constant->dtype() != (edge ? constant->dtype() : DType::kFloat32)) return std::nullopt;
  Tensor result(DType::kInt64, {constant->size()});
  const std::span<int64_t> out = result.mutable_data<int64_t>();
  for (size_t c = 0; c < channels; ++c) {
    const double unit = static_cast<double>(a.scale[0]) * b.scale[c % b.scale.size()];
    double real = 0;
    if (edge) {
      const int64_t q = constant->dtype() == DType::kInt32   ? constant->data<int32_t>()[c]
                        : constant->dtype() == DType::kInt64 ? constant->data<int64_t>()[c]
                                                             : kNotABias;
      if (q == kNotABias) return std::nullopt;
      const float scale = edge->scale[c % edge->scale.size()];
      const std::optional<int> shift = shift_of(scale, unit);
      if (shift && std::fabs(std::ldexp(static_cast<double>(q), *shift)) < 0x1p52) {
        out[c] = (q - edge->zero_point) * (int64_t{1} << *shift);
        continue;
      }
      real = static_cast<double>(q - edge->zero_point) * scale;
    } else {
      real = constant->data<float>()[c];
    }
    // Past 2^52 a double is no longer exact. A bias so large is that of a channel whose weights are next to nothing.
    const double steps = round_half_even(real / unit);
    if (!(std::fabs(steps) <= 0x1p52)) return std::nullopt;
    out[c] = static_cast<int64_t>(steps);
  }
  return result;
}

struct Bounds {
  float low, high;
};

// Of a node that does nothing but clamp.
std::optional<Bounds> bounds_of(const Graph& graph, const Node& node) {
  const std::optional<UnaryStep> step = unary_step(graph, node);
  if (step && step->op == UnaryOp::kRelu) return Bounds{0, std::numeric_limits<float>::infinity()};
  if (step && step->op == UnaryOp::kClip) return Bounds{step->params.alpha, step->params.beta};
  return std::nullopt;
}

void find_outputs(const Graph& graph, const ChainFinder& chains, NodeId id, Match& match) {
  match.result = graph.node(id).output(0);
  if (graph.has_single_use(match.result) && !chains.is_watched(match.result)) {
    const NodeId next = graph.consumers(match.result)[0];
    if (bounds_of(graph, graph.node(next)) && graph.node(next).input(0) == match.result) {
      const ValueId clamped = graph.node(next).output(0);
      const Readers readers = readers_of(graph, clamped);
      if (!readers.needs_float && !readers.quantizers.empty()) {
        match.activation = next;
        match.result = clamped;
        match.readers = readers;
        return;
      }
    }
  }
  match.chain = chains.behind(match.result, id);
  match.readers = readers_of(graph, match.result);
}

// True if the shape of a constant b is one that the operator takes, with one scale or one per output channel.
bool fits_operator(const Node& node, const Tensor& b, const QuantizedEdge& edge) {
  const bool convolution = node.is(op::kConv) || node.is(op::kConvTranspose);
  if (convolution ? b.rank() < 3 : node.is(op::kGemm) ? b.rank() != 2 : b.rank() < 1) return false;
  if (edge.scale.size() == 1) return true;
  const int axis = edge.axis < 0 ? edge.axis + b.rank() : edge.axis;
  return axis >= 0 && axis == output_channel_axis(node, 1, b.rank()) &&
         static_cast<int64_t>(edge.scale.size()) == b.dim(axis);
}

// True if a bias has one element per output channel, or just one where the operator broadcasts it.
bool fits_bias(const Node& node, const Tensor& b, const Tensor& bias) {
  if (!bias.defined()) return true;
  int64_t channels = b.dim(output_channel_axis(node, 1, b.rank()));
  if (node.is(op::kConvTranspose)) channels *= node.attributes.get_int("group", 1);
  return bias.size() == channels || (node.is(op::kGemm) && bias.size() == 1);
}

// What keeps a node from running on integers; empty where nothing does.
std::string obstacle(const Graph& graph, const Node& node) {
  for (int i : {0, 1}) {
    const auto edge = dequantized_edge(graph, node.input(i));
    if (!edge) return fmt::format("input {} is not quantized with constant scales and one zero point", i);
    if (!is_operand_type(edge->dtype)) return fmt::format("input {} is {}", i, to_string(edge->dtype));
    if (i == 0 && edge->scale.size() != 1) return "input 0 has a scale per channel";
    const Tensor* constant = i == 1 ? graph.constant(edge->integers) : nullptr;
    if (constant != nullptr && !fits_operator(node, *constant, *edge)) {
      return fmt::format("the {} scales of input 1 are not one per output channel", edge->scale.size());
    }
    if (constant == nullptr && edge->scale.size() != 1) return fmt::format("input {} has a scale per channel", i);
  }
  const bool scaled = node.attributes.get_float("alpha", 1) != 1 ||
                      (node.input(2) != kNone && node.attributes.get_float("beta", 1) != 1);
  return node.is(op::kGemm) && scaled ? "alpha or beta is not 1" : "";
}

// Sets `why` where there is no match.
std::optional<Match> match_gemm(const Graph& graph, const ChainFinder& chains, NodeId id, std::string& why) {
  const Node& node = graph.node(id);
  why = obstacle(graph, node);
  if (!why.empty()) return std::nullopt;
  const auto a = dequantized_edge(graph, node.input(0)), b = dequantized_edge(graph, node.input(1));
  const Tensor* b_constant = graph.constant(b->integers);
  const std::optional<Tensor> bias = integer_bias(graph, node.input(2), *a, *b);
  if (!bias || (b_constant != nullptr && !fits_bias(node, *b_constant, *bias))) {
    why = "the bias is not a constant with one number per output channel, of at most 2^52 steps";
    return std::nullopt;
  }
  Match match{*a, *b, *bias, kNone, kNone, {}, {}};
  find_outputs(graph, chains, id, match);
  return match;
}

// One output of the accumulators, with the fused activation's bounds in its saturation.
StoredForm output_form(const Graph& graph, const Match& match, const QuantizedEdge& edge) {
  StoredForm form = stored_form(edge);
  if (match.activation == kNone) return form;
  const auto step = [&](float bound) {
    const double q = round_half_even(bound / form.scale) + form.zero_point;
    return static_cast<int32_t>(std::clamp(q, static_cast<double>(form.low), static_cast<double>(form.high)));
  };
  const Bounds bounds = *bounds_of(graph, graph.node(match.activation));
  form.high = step(bounds.high);
  form.low = std::min(step(bounds.low), form.high);  // ONNX: a Clip with min > max gives max everywhere
  return form;
}

// The outputs that are requantized accumulators. Returns their forms.
std::vector<StoredForm> take_direct_outputs(Graph& graph, const Match& match, Node& lowered) {
  std::vector<StoredForm> forms;
  for (NodeId quantizer : match.readers.quantizers) {
    const QuantizedEdge edge = *quantized_tensor(graph, quantizer);
    forms.push_back(output_form(graph, match, edge));
    lowered.outputs.push_back(edge.integers);
  }
  if (match.readers.needs_float || forms.empty()) {
    forms.push_back({});
    lowered.outputs.push_back(match.result);
  }
  for (NodeId quantizer : match.readers.quantizers) graph.remove_node(quantizer);
  if (match.activation == kNone) return forms;
  const std::vector<std::string>& origins = graph.node(match.activation).origins;
  lowered.origins.insert(lowered.origins.end(), origins.begin(), origins.end());
  graph.remove_node(match.activation);
  return forms;
}

void replace(Graph& graph, NodeId id, Match& match) {
  Node lowered = graph.node(id);
  lowered.outputs.clear();
  ProductNode product;
  product.op_type = ProductNode::op_type_of(lowered.op_type);
  product.a = match.a.integers;
  product.b = match.b.integers;
  if (match.bias.defined()) {
    product.bias = graph.add_constant(graph.unique_value_name(lowered.name + "_bias"), match.bias);
  }
  product.a_dtype = match.a.dtype;
  product.a_scale = match.a.scale[0];
  product.a_zero_point = match.a.zero_point;
  product.b_scale = match.b.scale;
  product.b_zero_point = match.b.zero_point;
  product.ec = EcOperands::read(lowered.attributes);
  if (match.chain.program.empty()) {
    product.outputs = take_direct_outputs(graph, match, lowered);
  } else {
    take_outputs(graph, match.chain, lowered);
    product.outputs = {StoredForm{}};
    product.operands = match.chain.operands;
    product.program = match.chain.program;
  }
  product.write(lowered);
  graph.remove_node(id);
  graph.add_node(std::move(lowered));
}

}  // namespace

int lower_gemms(Graph& graph, const ChainFinder& chains, FloatReasons& reasons) {
  int count = 0;
  for (NodeId id : graph.topological_order()) {
    if (!graph.has_node(id) || !is_gemm_type(graph.node(id))) continue;
    throw_if_cancelled();
    std::string why;
    std::optional<Match> match = match_gemm(graph, chains, id, why);
    if (!match) {
      reasons.emplace(graph.node(id).name, why);
      continue;
    }
    replace(graph, id, *match);
    ++count;
  }
  return count;
}

}  // namespace twofold
