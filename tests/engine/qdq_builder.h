// Graphs with Q/DQ, and what lowering makes of them, for tests.
#ifndef TWOFOLD_TESTS_ENGINE_QDQ_BUILDER_H_
#define TWOFOLD_TESTS_ENGINE_QDQ_BUILDER_H_

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "engine/executor.h"
#include "engine/lower.h"
#include "ops/run_op.h"
#include "passes/graph_builder.h"

namespace twofold {

// Graphs with Q/DQ in few words.
struct QdqBuilder : GraphBuilder {
  ValueId zero_point(DType dtype, int32_t value) {
    Tensor tensor(dtype, {});
    switch (dtype) {
      case DType::kInt8: tensor.mutable_data<int8_t>()[0] = static_cast<int8_t>(value); break;
      case DType::kUInt8: tensor.mutable_data<uint8_t>()[0] = static_cast<uint8_t>(value); break;
      case DType::kInt16: tensor.mutable_data<int16_t>()[0] = static_cast<int16_t>(value); break;
      default: tensor.mutable_data<uint16_t>()[0] = static_cast<uint16_t>(value); break;
    }
    return graph.add_constant(graph.unique_value_name("z"), std::move(tensor));
  }
  // x, quantized and dequantized.
  ValueId edge(ValueId x, float scale, DType dtype = DType::kInt8, int32_t zero = 0) {
    const ValueId s = scalar(scale), z = zero_point(dtype, zero);
    const std::string name = graph.unique_value_name("q");
    return node(name + "_real", "DequantizeLinear", {node(name, "QuantizeLinear", {x, s, z}), s, z});
  }
  ValueId weight(const Shape& shape, float scale) {
    Tensor tensor(DType::kInt8, shape);
    uint32_t next = 11;
    for (int8_t& value : tensor.mutable_data<int8_t>())
      value = static_cast<int8_t>(static_cast<int32_t>((next = next * 37 + 5) % 240) - 120);
    const ValueId w = graph.add_constant(graph.unique_value_name("w"), std::move(tensor));
    return node(graph.unique_value_name("w_real"), "DequantizeLinear", {w, scalar(scale), zero_point(DType::kInt8, 0)});
  }
};

inline std::set<std::string> all_names(const Graph& graph) {
  std::set<std::string> names;
  for (ValueId id = 0; id < graph.num_values(); ++id) names.insert(graph.value(id).name);
  return names;
}

inline void expect_same_bits(const Graph& expected, const Graph& got, const std::vector<Tensor>& inputs) {
  const std::vector<Tensor> outputs = Executor(expected, {.threads = 1}).run(inputs);
  for (int threads : {1, 2}) {
    const std::vector<Tensor> lowered = Executor(got, {.threads = threads}).run(inputs);
    ASSERT_EQ(lowered.size(), outputs.size());
    for (size_t i = 0; i < outputs.size(); ++i) testing::expect_same(lowered[i], outputs[i]);
  }
}

// Lowered or operator by operator: the same bits. Returns the operators that lowering left.
inline std::string expect_definition(const Graph& graph, const std::vector<Tensor>& inputs) {
  Graph lowered = graph;
  lower(lowered);
  expect_same_bits(graph, lowered, inputs);
  return ops(lowered);
}

// For graphs with products, whose float form rounds: fused, or with every float tensor computed.
inline std::string expect_fusion_changes_nothing(const Graph& graph, const std::vector<Tensor>& inputs) {
  Graph fused = graph, unfused = graph;
  lower(fused);
  lower(unfused, {.watched = all_names(graph)});
  expect_same_bits(unfused, fused, inputs);
  return ops(fused);
}

}  // namespace twofold

#endif  // TWOFOLD_TESTS_ENGINE_QDQ_BUILDER_H_
