#include "passes/fold_pad.h"

#include <gtest/gtest.h>

#include <limits>

#include "passes/graph_builder.h"
#include "passes/same_results.h"

namespace twofold {
namespace {

using Ints = std::vector<int64_t>;

// relu -> Pad(pads, value) -> an operator with a 3x3 window.
struct PadChain {
  GraphBuilder b;
  ValueId padded;

  explicit PadChain(const Ints& pads = {0, 0, 1, 2, 0, 0, 1, 0}, float value = 0, const std::string& mode = "constant",
                    const std::string& before = "Relu") {
    const ValueId x = b.node("before", before, {b.input("x", {1, 2, 6, 6})});
    padded = b.node("pad", "Pad", {x, b.ints(pads), b.scalar(value)}, {{"mode", mode}});
  }
  GraphBuilder& then(const std::string& op, std::vector<std::pair<std::string, Attribute>> attributes = {}) {
    attributes.emplace_back("kernel_shape", Ints{3, 3});
    std::vector<ValueId> inputs = {padded};
    if (op == "Conv") inputs.push_back(b.ramp({2, 2, 3, 3}));
    b.output(b.node("op", op, inputs, attributes));
    return b;
  }
};

const Attributes& attributes(const GraphBuilder& b) { return b.graph.node(b.graph.find_node("op")).attributes; }

TEST(FoldPad, AddsToTheConvsOwnPads) {
  PadChain chain;
  GraphBuilder& b = chain.then("Conv", {{"pads", Ints{1, 0, 0, 1}}});
  run_and_compare(b.graph, fold_pad, 1);
  EXPECT_EQ(ops(b.graph), "Relu Conv");
  EXPECT_EQ(attributes(b).get_ints("pads", {}), (Ints{2, 2, 1, 1}));
  EXPECT_EQ(b.graph.node(b.graph.find_node("op")).origins, (std::vector<std::string>{"op", "pad"}));
}

TEST(FoldPad, RespectsAutoPad) {
  PadChain valid, same;
  GraphBuilder& b = valid.then("Conv", {{"auto_pad", std::string("VALID")}});
  run_and_compare(b.graph, fold_pad, 1);
  EXPECT_EQ(attributes(b).get_ints("pads", {}), (Ints{1, 2, 1, 0}));
  EXPECT_FALSE(attributes(b).has("auto_pad"));
  EXPECT_EQ(fold_pad(same.then("Conv", {{"auto_pad", std::string("SAME_UPPER")}}).graph), 0);
}

TEST(FoldPad, CountsThePaddingOfAnAveragePool) {
  PadChain chain, uncounted;
  GraphBuilder& b = chain.then("AveragePool");
  run_and_compare(b.graph, fold_pad, 1);
  EXPECT_EQ(attributes(b).get_int("count_include_pad", 0), 1);
  EXPECT_EQ(fold_pad(uncounted.then("AveragePool", {{"pads", Ints{1, 1, 1, 1}}}).graph), 0);
}

TEST(FoldPad, MaxPoolTakesZerosOnlyBehindWhatIsNotNegative) {
  PadChain relu, tanh({0, 0, 1, 1, 0, 0, 1, 1}, 0, "constant", "Tanh");
  PadChain infinite({0, 0, 1, 1, 0, 0, 1, 1}, -std::numeric_limits<float>::infinity(), "constant", "Tanh");
  run_and_compare(relu.then("MaxPool").graph, fold_pad, 1);
  EXPECT_EQ(fold_pad(tanh.then("MaxPool").graph), 0);
  run_and_compare(infinite.then("MaxPool").graph, fold_pad, 1);
}

TEST(FoldPad, RefusesWhatIsNotZeroPaddingOfSpace) {
  PadChain value({0, 0, 1, 1, 0, 0, 1, 1}, 1), mode({0, 0, 1, 1, 0, 0, 1, 1}, 0, "reflect"),
      channels({0, 1, 0, 0, 0, 0, 0, 0}), negative({0, 0, -1, 0, 0, 0, 0, 0}), wide({0, 0, 3, 0, 0, 0, 0, 0}), ceil;
  EXPECT_EQ(fold_pad(value.then("Conv").graph), 0);
  EXPECT_EQ(fold_pad(mode.then("Conv").graph), 0);
  EXPECT_EQ(fold_pad(channels.then("Conv").graph), 0);
  EXPECT_EQ(fold_pad(negative.then("Conv").graph), 0);
  EXPECT_EQ(fold_pad(wide.then("MaxPool").graph), 0);
  EXPECT_EQ(fold_pad(ceil.then("AveragePool", {{"ceil_mode", int64_t{1}}}).graph), 0);
}

TEST(FoldPad, APadWithOtherUsesStays) {
  PadChain chain;
  GraphBuilder& b = chain.then("Conv");
  b.output(b.node("sigmoid", "Sigmoid", {chain.padded}));
  run_and_compare(b.graph, fold_pad, 1);
  EXPECT_EQ(ops(b.graph), "Relu Pad Conv Sigmoid");
}

}  // namespace
}  // namespace twofold
