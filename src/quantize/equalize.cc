#include "quantize/equalize.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <span>

#include "base/error.h"
#include "passes/pattern.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

// Whether each of the numbers times 2^exponent is that number but for its exponent.
bool are_exact(std::span<const float> numbers, int exponent) {
  if (exponent == 0) return true;
  const float factor = std::ldexp(1.0F, exponent);
  bool exact = true;
  for (const float number : numbers) {
    const float scaled = std::fabs(number * factor);
    exact &=
        number == 0 || (scaled >= std::numeric_limits<float>::min() && scaled <= std::numeric_limits<float>::max());
  }
  return exact;
}

// Calls body(constant, sign) for all constants of a site: 2^(sign * exponent) is what their channels are multiplied by.
template <typename Body>
void for_each_constant(const EqualizationSite& site, const Body& body) {
  for (const ChannelConstant& constant : site.divided) body(constant, -1);
  for (const ChannelConstant& constant : site.multiplied) body(constant, 1);
}

const Tensor& tensor_of(const Graph& graph, const ChannelConstant& constant) {
  return *graph.constant(graph.node(constant.node).input(constant.input));
}

[[noreturn]] void fail(const Equalization& equalization, std::string_view what) {
  throw_error(ErrorCode::kInvalidArgument, "the plan does not fit the model: tensor '{}', which it equalizes: {}",
              equalization.tensor, what);
}

// The site in the graph as it was before anything was scaled; constants are not looked at.
EqualizationSite site_of(const Graph& graph, const EqualizationSites& sites, const Equalization& equalization) {
  const ValueId tensor = graph.find_value(equalization.tensor);
  if (tensor == kNone) fail(equalization, "the model has no such tensor");
  const NodeId producer = graph.producer(tensor);
  if (!equalization.inserted && (producer == kNone || graph.node(producer).output(0) != tensor)) {
    fail(equalization, "no node computes it");
  }
  EqualizationSite site = equalization.inserted ? sites.in_front_of_readers(tensor) : sites.at(producer);
  std::vector<std::string> nodes;
  for (const NodeId id : site.nodes) nodes.push_back(graph.node(id).name);
  if (nodes != equalization.nodes) {
    fail(equalization, fmt::format("it concerns the nodes {} in the model, and {} in the plan", fmt::join(nodes, ", "),
                                   fmt::join(equalization.nodes, ", ")));
  }
  if (std::ssize(equalization.exponents) != site.channels) {
    fail(equalization,
         fmt::format("it has {} channels, and {} exponents", site.channels, equalization.exponents.size()));
  }
  const auto too_large = [](int exponent) { return std::abs(exponent) > kMaxExponent; };
  if (std::ranges::any_of(equalization.exponents, too_large)) {
    fail(equalization, fmt::format("its exponents must be from {} to {}", -kMaxExponent, kMaxExponent));
  }
  return site;
}

void scale(const Equalization& equalization, const ChannelConstant& constant, int sign, Graph& graph) {
  Tensor scaled = tensor_of(graph, constant);
  for_each_channel(constant.map, scaled.mutable_data<float>(), [&](size_t channel, std::span<float> numbers) {
    const int exponent = sign * equalization.exponents[channel];
    if (exponent == 0) return;
    if (!are_exact(numbers, exponent)) {
      fail(equalization,
           fmt::format("a constant of node '{}' leaves the range of float32 with exponent {} of channel {}",
                       graph.node(constant.node).name, sign * exponent, channel));
    }
    const float factor = std::ldexp(1.0F, exponent);
    for (float& number : numbers) number *= factor;
  });
  replace_constant(graph, constant.node, constant.input, std::move(scaled), "");
}

// Puts a Mul between the tensor and the products that read it.
void insert_division(const Equalization& equalization, const EqualizationSite& site, Graph& graph) {
  Shape shape(static_cast<size_t>(-site.tensors.front().axis.axis), 1);
  shape.front() = site.channels;
  Tensor factors(DType::kFloat32, std::move(shape));
  std::ranges::transform(equalization.exponents, factors.mutable_data<float>().begin(),
                         [](int exponent) { return std::ldexp(1.0F, -exponent); });
  const std::string& name = equalization.tensor;
  const ValueId constant = graph.add_constant(graph.unique_value_name(name + "/equalizers"), std::move(factors));
  const ValueId divided =
      graph.add_value(graph.unique_value_name(name + "/equalized"), graph.value(site.tensor()).type);
  graph.add_node({name + "/equalize", std::string(op::kMul), "", {site.tensor(), constant}, {divided}, {}, {}});
  for (const ChannelConstant& weight : site.multiplied) graph.set_input(weight.node, 0, divided);
}

}  // namespace

Graph equalize(const Graph& graph, const std::vector<Equalization>& equalizations) {
  Graph equalized = graph;
  if (equalizations.empty()) return equalized;
  const EqualizationSites sites(graph);
  for (const Equalization& equalization : equalizations) {
    equalize(site_of(graph, sites, equalization), equalization, equalized);
  }
  return equalized;
}

void equalize(const EqualizationSite& site, const Equalization& equalization, Graph& graph) {
  for_each_constant(site,
                    [&](const ChannelConstant& constant, int sign) { scale(equalization, constant, sign, graph); });
  if (equalization.inserted) insert_division(equalization, site, graph);
}

std::vector<int> exact_exponents(const Graph& graph, const EqualizationSite& site, std::vector<int> exponents) {
  for_each_constant(site, [&](const ChannelConstant& constant, int sign) {
    for_each_channel(constant.map, tensor_of(graph, constant).data<float>(),
                     [&](size_t channel, std::span<const float> numbers) {
                       if (!are_exact(numbers, sign * exponents[channel])) exponents[channel] = 0;
                     });
  });
  return exponents;
}

void rename_operands(const Graph& equalized, Plan& plan) {
  for (size_t i = 0; i < plan.operands().size(); ++i) {
    OperandPlan& operand = plan.operand(i);
    const Node& node = equalized.node(equalized.find_node(operand.node));
    const OperandRef ref = operand.operand;
    const ValueId value = ref.is_input() ? node.input(ref.index) : node.output(ref.index);
    if (value != kNone) operand.value = equalized.value(value).name;
  }
}

}  // namespace twofold
