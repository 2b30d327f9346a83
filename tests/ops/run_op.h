// Runs one operator through the executor, for tests.
#ifndef TWOFOLD_TESTS_OPS_RUN_OP_H_
#define TWOFOLD_TESTS_OPS_RUN_OP_H_

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <initializer_list>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "engine/executor.h"
#include "graph/graph.h"
#include "ops/op.h"
#include "twofold/error.h"

namespace twofold::testing {

using AttributeList = std::vector<std::pair<std::string, Attribute>>;

template <typename T>
Tensor tensor(Shape shape, const std::vector<T>& values) {
  EXPECT_EQ(num_elements(shape), static_cast<int64_t>(values.size()));
  return Tensor::from<T>(std::move(shape), values);
}

// A one-dimensional int64 tensor: axes, shapes, pads.
inline Tensor ints(const std::vector<int64_t>& values) {
  return tensor<int64_t>({static_cast<int64_t>(values.size())}, values);
}

// 0, 1, 2, ...
template <typename T>
Tensor counting(Shape shape) {
  Tensor result(kDTypeOf<T>, std::move(shape));
  T next = 0;
  for (T& value : result.mutable_data<T>()) value = next++;
  return result;
}

// Uniform in [-1, 1).
inline Tensor random_tensor(Shape shape, uint32_t seed) {
  std::mt19937 random(seed);
  Tensor result(DType::kFloat32, std::move(shape));
  for (float& value : result.mutable_data<float>()) value = static_cast<float>(random() >> 8) / (1 << 23) - 1.0F;
  return result;
}

template <typename T>
std::vector<T> values(const Tensor& tensor) {
  const auto data = tensor.data<T>();
  return {data.begin(), data.end()};
}

// All outputs of one node. An undefined input tensor is an omitted one.
inline std::vector<Tensor> run_op(const std::string& op_type, const std::vector<Tensor>& inputs,
                                  const AttributeList& attributes = {}, int num_outputs = 1, int threads = 1) {
  Graph graph;
  Node node{.name = "n", .op_type = op_type, .domain = "", .inputs = {}, .outputs = {}, .attributes = {}};
  std::vector<Tensor> given;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].defined()) {
      node.inputs.push_back(kNone);
      continue;
    }
    node.inputs.push_back(graph.add_value(fmt::format("x{}", i)));
    graph.inputs.push_back(node.inputs.back());
    given.push_back(inputs[i]);
  }
  for (int i = 0; i < num_outputs; ++i) {
    node.outputs.push_back(graph.add_value(fmt::format("y{}", i)));
    graph.outputs.push_back({fmt::format("y{}", i), node.outputs.back()});
  }
  for (const auto& [name, value] : attributes) node.attributes.set(name, value);
  graph.add_node(std::move(node));
  return Executor(graph, {threads, {}}).run(given);
}

// The code of the error that running the node throws; fails the test if none is thrown.
inline std::optional<ErrorCode> error_of(const std::string& op_type, const std::vector<Tensor>& inputs,
                                         const AttributeList& attributes = {}, int num_outputs = 1) {
  try {
    run_op(op_type, inputs, attributes, num_outputs);
  } catch (const Error& error) {
    return error.code();
  }
  return std::nullopt;
}

// The same elements with the bytes in the order N, spatial..., C.
inline Tensor channels_last(const Tensor& x) {
  Tensor result(x.dtype(), x.shape(), Layout::kChannelsLast);
  const int64_t channels = x.dim(1), spatial = x.size() / std::max<int64_t>(1, x.dim(0) * channels);
  const size_t bytes = byte_size(x.dtype());
  std::byte* out = result.mutable_bytes();
  for (int64_t n = 0; n < x.dim(0); ++n) {
    for (int64_t s = 0; s < spatial; ++s) {
      for (int64_t c = 0; c < channels; ++c) {
        const std::byte* from = x.bytes() + static_cast<size_t>((n * channels + c) * spatial + s) * bytes;
        out = std::copy(from, from + bytes, out);
      }
    }
  }
  return result;
}

// Expects two tensors to agree in dtype, shape and every byte. REQUIRES: plain layout.
inline void expect_same(const Tensor& a, const Tensor& b) {
  ASSERT_EQ(a.dtype(), b.dtype());
  ASSERT_EQ(a.shape(), b.shape());
  EXPECT_TRUE(std::equal(a.bytes(), a.bytes() + a.byte_size(), b.bytes()));
}

}  // namespace twofold::testing

#endif  // TWOFOLD_TESTS_OPS_RUN_OP_H_
