// Small random networks as `twofold quantize` writes them, for tests.
#ifndef TWOFOLD_TESTS_QUANTIZE_QUANTIZED_NETWORKS_H_
#define TWOFOLD_TESTS_QUANTIZE_QUANTIZED_NETWORKS_H_

#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "ops/run_op.h"
#include "passes/graph_builder.h"
#include "passes/remove_dead_nodes.h"
#include "quantize/apply.h"
#include "traits/gemm_type.h"

namespace twofold {

// What the operators of a network compute in; mixed: each in one of the others, or in float32.
enum class Precision : uint8_t { kInt8, kInt16, kDualInt16, kEc, kMixed };

// A float network of [1,4,8,8] tensors: convolutions, matrix products, residual connections, Concat, Resize and others
// at random. `quantize` makes its QDQ form, in which every operator reads integers.
class QuantizedNetwork : public GraphBuilder {
 public:
  explicit QuantizedNetwork(uint32_t seed) : random_(seed) {
    tensors_ = {input("x", kShape)};
    for (int i = 0; i < 9; ++i) tensors_.push_back(add_layer(std::to_string(i)));
    output(node("y", "Add", {tensors_.back(), any()}));
    remove_dead_nodes(graph);
  }

  Tensor sample(uint32_t seed) const { return testing::random_tensor(kShape, seed); }

  // The names of the activations that are quantized, in planned().
  Graph quantize(Precision precision) {
    std::vector<OperandQuantization> operands;
    for (NodeId id : graph.topological_order()) add_operands(id, precision, operands);
    Graph quantized = graph;
    WeightCache weights;
    apply_quantization(quantized, operands, weights);
    quantized.compact();
    return quantized;
  }
  const std::set<std::string>& planned() const { return planned_; }

 private:
  const Shape kShape = {1, 4, 8, 8};

  uint32_t draw(size_t n) { return static_cast<uint32_t>(random_() % n); }
  ValueId any() { return tensors_[draw(tensors_.size())]; }
  ValueId weights(const Shape& shape) {
    Tensor tensor = testing::random_tensor(shape, random_());
    for (float& w : tensor.mutable_data<float>()) w *= 0.4F;
    return graph.add_constant(graph.unique_value_name("w"), std::move(tensor));
  }
  ValueId conv(const std::string& name, ValueId x, int64_t channels, int64_t kernel) {
    const int64_t pad = kernel / 2;
    return node(name, "Conv", {x, weights({4, channels, kernel, kernel}), floats({4}, {0.3F, -0.2F, 0.1F, 0})},
                {{"pads", std::vector<int64_t>{pad, pad, pad, pad}}});
  }

  ValueId add_layer(const std::string& n) {
    const ValueId x = any();
    switch (draw(9)) {
      case 0: return conv("conv" + n, x, 4, 3);
      case 1: return node("relu" + n, "Relu", {conv("conv" + n, x, 4, 1)});
      case 2: return node("sum" + n, "Add", {conv("conv" + n, x, 4, 1), any()});
      case 3: return node("sigmoid" + n, "Sigmoid", {x});
      case 4: return node("clamped" + n, "Relu", {x});
      case 5: return conv("conv" + n, node("concat" + n, "Concat", {x, any()}, {{"axis", int64_t{1}}}), 8, 1);
      case 6: {
        const ValueId large = node("large" + n, "Resize", {x, kNone, floats({4}, {1, 1, 2, 2})});
        return node("pool" + n, "MaxPool", {large},
                    {{"kernel_shape", std::vector<int64_t>{2, 2}}, {"strides", std::vector<int64_t>{2, 2}}});
      }
      case 7: {
        Tensor grid = testing::random_tensor({1, 8, 8, 2}, random_());
        return node("warped" + n, "GridSample", {x, graph.add_constant(graph.unique_value_name("g"), std::move(grid))});
      }
      default: {
        const ValueId flat = node("flat" + n, "Reshape", {x, ints({1, 4, 64})});
        const ValueId turned = node("turned" + n, "Transpose", {flat}, {{"perm", std::vector<int64_t>{0, 2, 1}}});
        const ValueId product = node("product" + n, "MatMul", {turned, weights({4, 4})});
        const ValueId back = node("back" + n, "Transpose", {product}, {{"perm", std::vector<int64_t>{0, 2, 1}}});
        return node("image" + n, "Reshape", {back, ints({1, 4, 8, 8})});
      }
    }
  }

  // One threshold for each tensor; what only moves numbers keeps it.
  QParams params(ValueId id, QType type) {
    const NodeId producer = graph.producer(id);
    static const std::set<std::string> movers = {"Reshape", "Transpose", "Resize", "MaxPool", "Concat"};
    if (producer != kNone && movers.contains(graph.node(producer).op_type)) {
      return params(graph.node(producer).inputs[0], type);
    }
    const auto [it, added] = thresholds_.try_emplace(id, 0.0F);
    if (added) it->second = draw(2) == 0 ? 1.5F : 2.5F;
    return {type, -1, {symmetric_scale(it->second, type)}, {}};
  }

  void add_operand(NodeId id, bool is_output, int index, QType type, std::vector<OperandQuantization>& operands) {
    const ValueId value = is_output ? graph.node(id).output(index) : graph.node(id).input(index);
    operands.push_back({id, is_output, index, params(value, type), Rounding::kNearest});
    if (graph.constant(value) == nullptr) planned_.insert(graph.value(value).name);
  }

  void add_operands(NodeId id, Precision precision, std::vector<OperandQuantization>& operands) {
    const Node& node = graph.node(id);
    if (precision == Precision::kMixed) {
      const uint32_t choice = draw(5);
      if (choice == 4) return;
      precision = static_cast<Precision>(choice);
    }
    const bool is_product = is_gemm_type(node);
    const bool is_ec = precision == Precision::kEc;
    const QType data = precision == Precision::kInt8 ? QType::kInt8 : QType::kInt16;
    add_operand(id, false, 0, is_product && is_ec ? QType::kEc : data, operands);
    if (is_product) {
      add_operand(id, false, 1,
                  is_ec                                ? QType::kEc
                  : precision == Precision::kDualInt16 ? QType::kInt16
                                                       : QType::kInt8,
                  operands);
    } else if (node.is("Add") || node.is("Concat")) {
      if (node.inputs[0] != node.inputs[1]) add_operand(id, false, 1, data, operands);
    }
    if (draw(3) > 0) add_operand(id, true, 0, data, operands);
  }

  std::mt19937 random_;
  std::vector<ValueId> tensors_;
  std::map<ValueId, float> thresholds_;
  std::set<std::string> planned_;
};

}  // namespace twofold

#endif  // TWOFOLD_TESTS_QUANTIZE_QUANTIZED_NETWORKS_H_
