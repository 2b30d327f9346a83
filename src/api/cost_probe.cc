#include "api/cost_probe.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <random>

#include "base/check.h"
#include "engine/lowered_model.h"
#include "graph/graph.h"
#include "traits/op_names.h"

namespace twofold {

namespace {

// The first layer of a network converts its input, and is not timed.
constexpr int kTimedLayers = 2;

bool is_float(DType dtype) { return dtype == DType::kFloat32; }

// Standard deviation of the integers; four of them fit into the type.
double spread(DType dtype) { return is_float(dtype) ? 1.0 : dtype == DType::kInt8 ? 32.0 : 8192.0; }

template <typename T>
Tensor normal_numbers(const Shape& shape, double deviation, std::mt19937& random) {
  std::normal_distribution<double> normal(0, deviation);
  Tensor tensor(kDTypeOf<T>, shape);
  for (T& x : tensor.mutable_data<T>()) {
    const double value = normal(random);
    if constexpr (std::is_same_v<T, float>) {
      x = static_cast<float>(value);
    } else {
      const double most = 4 * deviation - 1;
      x = static_cast<T>(std::lround(std::clamp(value, -most, most)));
    }
  }
  return tensor;
}

Tensor random_tensor(DType dtype, const Shape& shape, double float_deviation, std::mt19937& random) {
  switch (dtype) {
    case DType::kInt8: return normal_numbers<int8_t>(shape, spread(dtype), random);
    case DType::kInt16: return normal_numbers<int16_t>(shape, spread(dtype), random);
    default: return normal_numbers<float>(shape, float_deviation, random);
  }
}

// layer, layer, layer, each with activations and weights behind DequantizeLinear where they are integers. Scales are
// such that activations neither grow nor shrink.
class Network {
 public:
  Network(const ProbeLayer& layer, DType a, DType b) : layer_(layer), a_(a), b_(b) {
    ValueId x = graph_.add_value("x", {a, std::nullopt});
    graph_.inputs.push_back(x);
    for (int i = 0; i <= kTimedLayers; ++i) x = add_layer(x);
    graph_.outputs.push_back({"y", x});
  }

  const Graph& graph() const { return graph_; }
  Tensor input() { return random_tensor(a_, layer_.input, spread(a_), random_); }

 private:
  ValueId add_node(const char* op_type, std::vector<ValueId> inputs) {
    const ValueId output = graph_.add_value(graph_.unique_value_name(op_type));
    Node node{"", op_type, "", std::move(inputs), {output}, {}};
    if (node.op_type == op::kConv) {
      const int64_t pad = layer_.weights[2] / 2;
      node.attributes.set("pads", std::vector<int64_t>{pad, pad, pad, pad});
      node.attributes.set("group", layer_.input[1] / layer_.weights[1]);
    }
    graph_.add_node(std::move(node));
    return output;
  }
  ValueId constant(Tensor tensor) { return graph_.add_constant(graph_.unique_value_name("c"), std::move(tensor)); }
  ValueId zero(DType dtype) {
    return constant(dtype == DType::kInt8 ? Tensor::scalar<int8_t>(0) : Tensor::scalar<int16_t>(0));
  }
  ValueId convert(const char* op_type, ValueId value, DType dtype, double scale) {
    return add_node(op_type, {value, constant(Tensor::scalar(static_cast<float>(scale))), zero(dtype)});
  }

  ValueId add_layer(ValueId x) {
    const double gain = 1 / std::sqrt(static_cast<double>(layer_.fan_in()));
    ValueId w = constant(random_tensor(b_, layer_.weights, gain, random_));
    if (!is_float(b_)) w = convert(op::kDequantizeLinear, w, b_, gain / spread(b_));
    if (!is_float(a_)) x = convert(op::kDequantizeLinear, x, a_, 1 / spread(a_));
    const ValueId y = add_node(layer_.op_type.c_str(), {x, w});
    return is_float(a_) ? y : convert(op::kQuantizeLinear, y, a_, 1 / spread(a_));
  }

  const ProbeLayer& layer_;
  const DType a_, b_;
  std::mt19937 random_{1};
  Graph graph_;
};

bool is_product(const NodeProfile& node) {
  return node.op_type.ends_with(op::kConv) || node.op_type.ends_with(op::kMatMul);
}

// Seconds of all nodes behind the first product, so far.
double timed_seconds(const LoweredModel& model) {
  const std::vector<NodeProfile> nodes = model.executor().profile();
  const auto first = std::ranges::find_if(nodes, is_product);
  TWOFOLD_CHECK(first != nodes.end());
  double seconds = 0;
  for (auto node = first + 1; node != nodes.end(); ++node) seconds += node->seconds;
  return seconds;
}

}  // namespace

int64_t ProbeLayer::fan_in() const {
  return op_type == op::kMatMul ? weights[0] : weights[1] * weights[2] * weights[3];
}

int64_t ProbeLayer::macs() const { return num_elements(input) * fan_in(); }

const std::array<ProbeLayer, 4>& probe_layers() {
  static const std::array<ProbeLayer, 4> layers = {{
      {"Conv 3x3", op::kConv, {1, 64, 56, 56}, {64, 64, 3, 3}},
      {"Conv 1x1", op::kConv, {1, 128, 28, 28}, {128, 128, 1, 1}},
      {"depthwise 3x3", op::kConv, {1, 128, 56, 56}, {128, 1, 3, 3}},
      {op::kMatMul, op::kMatMul, {128, 768}, {768, 768}},
  }};
  return layers;
}

double probe(const ProbeLayer& layer, DType a, DType b, int threads, double seconds) {
  Network network(layer, a, b);
  const std::vector<Tensor> inputs = {network.input()};
  const LoweredModel model(network.graph(), {.threads = threads, .profile = true});
  model.run(inputs);
  model.run(inputs);
  const auto start = std::chrono::steady_clock::now();
  double best = std::numeric_limits<double>::max(), before = timed_seconds(model);
  do {
    model.run(inputs);
    const double now = timed_seconds(model);
    best = std::min(best, now - before);
    before = now;
  } while (std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() < seconds);
  return best / kTimedLayers;
}

}  // namespace twofold
