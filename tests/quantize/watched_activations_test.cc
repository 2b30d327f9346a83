// Whatever activation a plan quantizes can be read and changed, at all precisions.
#include <algorithm>

#include "engine/lowered_model.h"
#include "loops/layout.h"
#include "quantize/quantized_networks.h"

namespace twofold {
namespace {

void expect_equal(const std::vector<Tensor>& got, const std::vector<Tensor>& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) testing::expect_same(got[i], expected[i]);
}

std::vector<Tensor> run(Graph graph, const std::vector<Tensor>& inputs) {
  return LoweredModel(std::move(graph), {.threads = 1}).run(inputs);
}

// The outputs of the graph where the tensor is an input, and no longer what a node computes.
std::vector<Tensor> with_input_instead(Graph graph, const std::string& name, const Tensor& tensor,
                                       std::vector<Tensor> inputs) {
  const ValueId id = graph.find_value(name);
  if (graph.is_input(id)) {
    inputs[0] = tensor;
    return run(std::move(graph), inputs);
  }
  const ValueId given = graph.add_value("given", {DType::kFloat32, std::nullopt});
  graph.replace_uses(id, given);
  graph.inputs.push_back(given);
  inputs.push_back(tensor);
  return run(std::move(graph), inputs);
}

// What a value of the graph is where it is an output too.
Tensor as_output(Graph graph, ValueId id, const std::vector<Tensor>& inputs) {
  graph.outputs.push_back({"looked at", id});
  return run(std::move(graph), inputs).back();
}

Tensor disturbed(const Tensor& tensor, uint32_t seed) {
  Tensor result = tensor;
  const Tensor noise = testing::random_tensor(tensor.shape(), seed);
  std::ranges::transform(tensor.data<float>(), noise.data<float>(), result.mutable_data<float>().begin(),
                         [](float x, float e) { return x + 0.3F * e; });
  return result;
}

// Every QuantizeLinear of the tensor gives in a kept run what it gives as an output of the graph, and value() is what
// the finest of these integers stand for, or the tensor itself.
void expect_values(const Graph& graph, const LoweredModel& model, const KeptValues& kept, const std::string& name,
                   const std::vector<Tensor>& inputs) {
  const WatchedTensor& watched = model.watched().at(name);
  const ValueId id = graph.find_value(name);
  for (const IntegerForm& form : watched.integers) {
    if (form.ec_scale > 0) continue;
    for (NodeId reader : graph.consumers(id)) {
      const auto edge = quantized_edge(graph, reader);
      if (!edge || edge->dtype != form.edge.dtype || edge->scale != form.edge.scale) continue;
      const Tensor expected = as_output(graph, edge->integers, inputs);
      testing::expect_same(kept.value(form.edge.integers), expected);
      if (watched.real != kNone || &form != &finest(watched)) continue;
      testing::expect_same(model.value(kept, name), dequantized(expected, *edge));
    }
  }
  if (watched.real != kNone) testing::expect_same(model.value(kept, name), as_output(graph, id, inputs));
}

void check(uint32_t seed, Precision precision) {
  SCOPED_TRACE("seed " + std::to_string(seed) + ", precision " + std::to_string(static_cast<int>(precision)));
  QuantizedNetwork network(seed);
  const Graph graph = network.quantize(precision);
  const std::vector<Tensor> inputs = {network.sample(seed)};
  const std::vector<Tensor> plain = run(graph, inputs);
  const std::vector<std::string> names(network.planned().begin(), network.planned().end());
  const LoweredModel all(graph, {.threads = 1, .watched = names});
  const KeptValues all_kept = all.keep(inputs);
  expect_equal(all_kept.outputs(), plain);
  for (const std::string& name : names) {
    SCOPED_TRACE(name);
    const LoweredModel model(graph, {.threads = 1, .watched = {name}});
    const KeptValues kept = model.keep(inputs);
    expect_equal(kept.outputs(), plain);
    expect_values(graph, model, kept, name, inputs);
    const Tensor own = model.value(kept, name);
    expect_equal(kept.run_from(model.changes(kept, {{name, own}})), plain);
    const Tensor changed = disturbed(own, seed + 1);
    const std::vector<Tensor> expected = with_input_instead(graph, name, changed, inputs);
    expect_equal(kept.run_from(model.changes(kept, {{name, changed}})), expected);
    expect_equal(all_kept.run_from(all.changes(all_kept, {{name, changed}})), expected);
  }
}

TEST(WatchedActivations, GiveTheBitsOfWholeRunsAtEveryPrecision) {
  for (uint32_t seed = 1; seed <= 8; ++seed) {
    for (int precision = 0; precision <= static_cast<int>(Precision::kMixed); ++precision) {
      check(seed, static_cast<Precision>(precision));
      if (::testing::Test::HasFailure()) return;
    }
  }
}

TEST(WatchedActivations, AreHandedOutAsTheyAreComputed) {
  QuantizedNetwork network(3);
  const Graph graph = network.quantize(Precision::kMixed);
  const std::vector<Tensor> inputs = {network.sample(3)};
  const std::vector<std::string> names(network.planned().begin(), network.planned().end());
  const LoweredModel model(graph, {.threads = 1, .watched = names});
  const KeptValues kept = model.keep(inputs);
  std::set<std::string> seen;
  model.run(inputs, [&](const std::string& name, const Tensor& real) {
    EXPECT_TRUE(seen.insert(name).second) << name;
    testing::expect_same(to_layout(real, Layout::kPlain), model.value(kept, name));
  });
  EXPECT_EQ(seen, network.planned());
  EXPECT_EQ(model.readable(), network.planned());
}

}  // namespace
}  // namespace twofold
