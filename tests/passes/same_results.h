// Runs a graph before and after a pass and compares.
#ifndef TWOFOLD_TESTS_PASSES_SAME_RESULTS_H_
#define TWOFOLD_TESTS_PASSES_SAME_RESULTS_H_

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "engine/executor.h"

namespace twofold {

// One random tensor per input of the graph; unknown dimensions are 3.
inline std::vector<Tensor> random_inputs(const Graph& graph) {
  std::mt19937 random(7);
  std::vector<Tensor> inputs;
  for (ValueId id : graph.inputs) {
    Shape shape;
    for (const Dim& dim : *graph.value(id).type.shape) shape.push_back(dim.value >= 0 ? dim.value : 3);
    Tensor tensor(DType::kFloat32, shape);
    for (float& v : tensor.mutable_data<float>())
      v = static_cast<float>(static_cast<int>(random() % 2001) - 1000) / 200;
    inputs.push_back(std::move(tensor));
  }
  return inputs;
}

// The float outputs agree to rounding: within 1e-5 of the largest magnitude of each output.
inline void expect_same_results(const Graph& before, const Graph& after) {
  verify(after);
  const std::vector<Tensor> inputs = random_inputs(before);
  const std::vector<Tensor> expected = Executor(before).run(inputs);
  const std::vector<Tensor> actual = Executor(after).run(inputs);
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t o = 0; o < expected.size(); ++o) {
    EXPECT_EQ(after.outputs[o].name, before.outputs[o].name);
    ASSERT_EQ(actual[o].shape(), expected[o].shape());
    const std::span<const float> want = expected[o].data<float>(), got = actual[o].data<float>();
    float magnitude = 0;
    for (float v : want) magnitude = std::fmax(magnitude, std::fabs(v));
    ASSERT_GT(magnitude, 0) << "the test proves nothing";
    for (size_t i = 0; i < want.size(); ++i) ASSERT_NEAR(got[i], want[i], 1e-5F * magnitude) << "element " << i;
  }
}

// Runs a pass that must make `rewrites` rewrites and keep the results.
inline void run_and_compare(Graph& graph, int (*pass)(Graph&), int rewrites) {
  const Graph before = graph;
  EXPECT_EQ(pass(graph), rewrites);
  expect_same_results(before, graph);
}

}  // namespace twofold

#endif  // TWOFOLD_TESTS_PASSES_SAME_RESULTS_H_
