// A small network with what trials have to get right: tensors with several readers, residual additions, products of two
// activations, movers.
#ifndef TWOFOLD_TESTS_QUANTIZE_SMALL_NETWORK_H_
#define TWOFOLD_TESTS_QUANTIZE_SMALL_NETWORK_H_

#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "data/dataset.h"
#include "engine/executor.h"
#include "engine/lower.h"
#include "passes/graph_builder.h"
#include "plan/resolve.h"

namespace twofold {

inline std::vector<float> random_floats(std::mt19937& random, size_t count, float spread) {
  std::normal_distribution<float> normal(0.01F, spread);
  std::vector<float> values(count);
  for (float& v : values) v = normal(random);
  return values;
}

// x [1,4,6,6] -> conv1 -> relu1 -> conv2 -> add (with relu1) -> concat (with conv1) -> conv3 -> rows -> matmul with its
// own transpose -> softmax -> gemm -> y. What softmax gets is small, so that every change shows in the output.
inline Graph small_network(unsigned seed) {
  std::mt19937 random(seed);
  GraphBuilder b;
  const auto weight = [&](const Shape& shape, float spread = 0.3F) {
    return b.floats(shape, random_floats(random, static_cast<size_t>(num_elements(shape)), spread));
  };
  const std::pair<std::string, Attribute> same{"pads", std::vector<int64_t>{1, 1, 1, 1}};
  const ValueId x = b.input("x", {1, 4, 6, 6});
  const ValueId conv1 = b.node("conv1", "Conv", {x, weight({8, 4, 3, 3}), weight({8})}, {same});
  const ValueId relu1 = b.node("relu1", "Relu", {conv1});
  const ValueId conv2 = b.node("conv2", "Conv", {relu1, weight({8, 8, 1, 1}), weight({8})});
  const ValueId add = b.node("add", "Add", {conv2, relu1});
  const ValueId concat = b.node("concat", "Concat", {add, conv1}, {{"axis", int64_t{1}}});
  const ValueId conv3 = b.node("conv3", "Conv", {concat, weight({4, 16, 3, 3}, 0.03F), weight({4})}, {same});
  const ValueId rows = b.node("rows", "Reshape", {conv3, b.ints({4, 36})});
  const ValueId columns = b.node("columns", "Transpose", {rows}, {{"perm", std::vector<int64_t>{1, 0}}});
  const ValueId product = b.node("product", "MatMul", {rows, columns});
  const ValueId softmax = b.node("softmax", "Softmax", {product}, {{"axis", int64_t{-1}}});
  b.output(b.node("gemm", "Gemm", {softmax, weight({4, 5}), weight({5})}));
  return b.graph;
}

inline std::unique_ptr<Dataset> random_samples(const Graph& graph, int count, unsigned seed) {
  std::mt19937 random(seed);
  std::vector<std::map<std::string, Tensor>> samples(static_cast<size_t>(count));
  for (auto& sample : samples) {
    sample["x"] = Tensor::from<float>({1, 4, 6, 6}, std::span<const float>(random_floats(random, 144, 1.0F)));
  }
  return make_dataset(samples_in_memory(std::move(samples)), input_specs(graph));
}

inline Plan plan_of(const Graph& graph, const std::string& config, const std::string& target = "cpu") {
  return resolve(graph, parse_config(config, "config"), load_target(target));
}

// The outputs of a graph with Q/DQ as any caller of the engine gets them.
inline std::vector<std::vector<Tensor>> run_whole(Graph graph, const Dataset& data, int64_t samples) {
  lower(graph);
  const Executor executor(graph, {.threads = 1});
  std::vector<std::vector<Tensor>> outputs;
  for (int64_t i = 0; i < samples; ++i) outputs.push_back(executor.run(data.sample(i)));
  return outputs;
}

}  // namespace twofold

#endif  // TWOFOLD_TESTS_QUANTIZE_SMALL_NETWORK_H_
