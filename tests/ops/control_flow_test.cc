#include <limits>

#include "ops/run_op.h"

namespace twofold::testing {
namespace {

Tensor flag(bool value) {
  Tensor result(DType::kBool, {});
  result.mutable_data<uint8_t>()[0] = value ? 1 : 0;
  return result;
}

// A body that only passes values on: output i is input sources[i].
std::shared_ptr<const Graph> body(int inputs, const std::vector<int>& sources, int captures = 0) {
  auto graph = std::make_shared<Graph>();
  for (int i = 0; i < inputs; ++i) graph->inputs.push_back(graph->add_value(fmt::format("in{}", i)));
  for (size_t i = 0; i < sources.size(); ++i) {
    graph->outputs.push_back({fmt::format("out{}", i), graph->inputs[static_cast<size_t>(sources[i])]});
  }
  graph->num_captures = captures;
  return graph;
}

TEST(If, RunsOneBranchWithItsCaptures) {
  const AttributeList branches = {{"then_branch", body(2, {0}, 2)}, {"else_branch", body(2, {1}, 2)}};
  const Tensor a = ints({1}), b = ints({2, 3});
  EXPECT_EQ(values<int64_t>(run_op("If", {flag(true), a, b}, branches)[0]), (std::vector<int64_t>{1}));
  EXPECT_EQ(values<int64_t>(run_op("If", {flag(false), a, b}, branches)[0]), (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(error_of("If", {ints({1, 0}), a, b}, branches), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("If", {flag(true), a}, branches), ErrorCode::kInvalidModel);
}

TEST(Loop, CarriesValuesAndStacksScans) {
  // Inputs of the body: iteration, condition, two carried values, which swap; the scan output is the iteration.
  const AttributeList swap = {{"body", body(4, {1, 3, 2, 0})}};
  const auto out = run_op("Loop", {ints({3}), flag(true), ints({5}), ints({7})}, swap, 3);
  EXPECT_EQ(values<int64_t>(out[0]), (std::vector<int64_t>{7}));
  EXPECT_EQ(values<int64_t>(out[1]), (std::vector<int64_t>{5}));
  EXPECT_EQ(values<int64_t>(out[2]), (std::vector<int64_t>{0, 1, 2}));
  const auto none = run_op("Loop", {ints({0}), flag(true), ints({5}), ints({7})}, swap, 3);
  EXPECT_EQ(values<int64_t>(none[0]), (std::vector<int64_t>{5}));
  EXPECT_EQ(none[2].shape(), (Shape{0}));
}

TEST(Loop, HugeTripCountEndsByCondition) {
  // The condition of the next iteration is a captured false.
  const AttributeList attributes = {{"body", body(4, {3, 2, 0}, 1)}};
  const Tensor trips = ints({std::numeric_limits<int64_t>::max()});
  const auto out = run_op("Loop", {trips, flag(true), ints({5}), flag(false)}, attributes, 2);
  EXPECT_EQ(values<int64_t>(out[1]), (std::vector<int64_t>{0}));
}

TEST(Loop, RejectsBadArguments) {
  const AttributeList attributes = {{"body", body(3, {1, 2})}};
  EXPECT_EQ(error_of("Loop", {Tensor(), Tensor(), ints({5})}, attributes), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("Loop", {ints({1}), flag(true)}, attributes), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("Loop", {ints({1}), flag(true), ints({5})}, attributes, 2), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("Loop", {ints({1}), flag(true), ints({5})}), ErrorCode::kInvalidModel);
}

TEST(Scan, AnyAxisAndDirection) {
  // Inputs of the body: a state, and a column of the scanned input, which becomes the state and the scan output.
  const Tensor x = counting<float>({2, 3});
  AttributeList attributes = {
      {"body", body(2, {1, 1})}, {"num_scan_inputs", int64_t{1}}, {"scan_input_axes", std::vector<int64_t>{1}}};
  const auto forward = run_op("Scan", {tensor<float>({2}, {9, 9}), x}, attributes, 2);
  EXPECT_EQ(values<float>(forward[0]), (std::vector<float>{2, 5}));
  EXPECT_EQ(forward[1].shape(), (Shape{3, 2}));
  EXPECT_EQ(values<float>(forward[1]), (std::vector<float>{0, 3, 1, 4, 2, 5}));
  attributes.push_back({"scan_input_directions", std::vector<int64_t>{1}});
  attributes.push_back({"scan_output_axes", std::vector<int64_t>{-1}});
  const auto backward = run_op("Scan", {tensor<float>({2}, {9, 9}), x}, attributes, 2);
  EXPECT_EQ(values<float>(backward[0]), (std::vector<float>{0, 3}));
  EXPECT_EQ(values<float>(backward[1]), (std::vector<float>{2, 1, 0, 5, 4, 3}));
  EXPECT_EQ(error_of("Scan", {x}, {{"body", body(1, {0})}, {"num_scan_inputs", int64_t{2}}}), ErrorCode::kInvalidModel);
}

}  // namespace
}  // namespace twofold::testing
