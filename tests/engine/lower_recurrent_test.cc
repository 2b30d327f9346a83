#include "engine/lower_recurrent.h"

#include "engine/lowered_node.h"
#include "engine/qdq_builder.h"

namespace twofold {
namespace {

using testing::random_tensor;

// x [6,2,5] -> LSTM of both directions -> y, with X and W as the test makes them.
struct Network : QdqBuilder {
  ValueId x = input("x", {6, 2, 5});

  ValueId lstm(ValueId read, ValueId w) {
    const ValueId r = weight({2, 12, 3}, 0.004F);
    return node("lstm", "LSTM", {read, w, r},
                {{"hidden_size", int64_t{3}}, {"direction", std::string("bidirectional")}});
  }
};

std::string reason(Graph graph) {
  const Lowering lowering = lower(graph);
  const auto found = lowering.reasons.find("lstm");
  return found == lowering.reasons.end() ? "" : found->second;
}

TEST(LowerRecurrent, TheProductsOfAllStepsBecomeOne) {
  for (const DType dtype : {DType::kInt8, DType::kUInt8, DType::kInt16, DType::kUInt16}) {
    Network b;
    const float scale = byte_size(dtype) == 1 ? 0.02F : 0.0001F;
    const ValueId x = b.edge(b.x, scale, dtype, dtype == DType::kUInt8 ? 120 : 0);
    b.output(b.edge(b.lstm(x, b.weight({2, 12, 5}, 0.005F)), 0.01F));
    EXPECT_EQ(expect_fusion_changes_nothing(b.graph, {random_tensor({6, 2, 5}, 1)}),
              "QuantizeLinear IntegerMatMul LSTM QuantizeLinear DequantizeLinear");
    EXPECT_EQ(reason(b.graph), "");
  }
}

TEST(LowerRecurrent, StepsCountAsFloatAndTheirProductsAsIntegers) {
  Network b;
  b.output(b.lstm(b.edge(b.x, 0.02F), b.weight({2, 12, 5}, 0.005F)));
  Graph graph = b.graph;
  const Lowering lowering = lower(graph);
  for (const LoweredNode& entry : describe_lowered(graph, lowering.reasons)) {
    const Node& node = graph.node(entry.node);
    if (node.name != "lstm" && node.name != "lstm_input") continue;
    EXPECT_EQ(entry.kind, node.name == "lstm" ? LoweredKind::kFloat : LoweredKind::kInteger);
    EXPECT_EQ(entry.why.find("its state is float32") != std::string::npos, node.name == "lstm");
  }
}

TEST(LowerRecurrent, SaysWhyThereIsNoProductOfIntegers) {
  Network plain;
  plain.output(plain.lstm(plain.x, plain.ramp({2, 12, 5})));
  EXPECT_EQ(reason(plain.graph), "input 0 is not quantized with constant scales and one zero point");

  Network alone;
  alone.output(alone.lstm(alone.edge(alone.x, 0.02F), alone.ramp({2, 12, 5})));
  EXPECT_EQ(reason(alone.graph), "input 1 is not quantized with constant scales and one zero point");

  Network computed;
  computed.output(
      computed.lstm(computed.edge(computed.x, 0.02F), computed.edge(computed.input("w", {2, 12, 5}), 0.01F)));
  EXPECT_EQ(reason(computed.graph), "input 1 is not a constant of 3 dimensions");

  Network by_direction;
  const ValueId integers =
      by_direction.graph.add_constant("w", Tensor::from<int8_t>({2, 12, 5}, std::vector<int8_t>(120, 3)));
  const ValueId w = by_direction.node("w_real", "DequantizeLinear", {integers, by_direction.floats({2}, {0.1F, 0.2F})},
                                      {{"axis", int64_t{0}}});
  by_direction.output(by_direction.lstm(by_direction.edge(by_direction.x, 0.02F), w));
  EXPECT_EQ(reason(by_direction.graph), "the 2 scales of input 1 are not one per row of the gates");
}

TEST(LowerRecurrent, AnInputOfItsProductCannotBeWatched) {
  Network b;
  const ValueId x = b.edge(b.x, 0.02F);
  b.output(b.lstm(x, b.weight({2, 12, 5}, 0.005F)));
  const std::string read = b.graph.value(x).name;
  EXPECT_THROW(lower(b.graph, {.held = {read}}), Error);
}

}  // namespace
}  // namespace twofold
