#include "quantize/operand_scales.h"

#include <gtest/gtest.h>

#include "plan/resolve.h"
#include "plan/test_graph.h"

namespace twofold {
namespace {

constexpr const char* kSymmetric = "{model_config: {activation: {asymmetric: false}}}";

// A graph, the plan of a config for it, and numbers of its tensors that a test makes up.
class Scales {
 public:
  explicit Scales(const Graph& graph, const std::map<std::string, Range>& seen, const std::string& config = kSymmetric)
      : graph_(graph), plan_(resolve(graph, parse_config(config, "config"), load_target("cpu"))) {
    for (const auto& [name, range] : seen) bounds_[graph_.find_value(name)] = range;
  }

  Scales& shared() {
    plan_.shared_scales = true;
    return *this;
  }

  // The names of the tensors whose range an input has.
  std::vector<std::string> range_of(const std::string& node, int input = 0) const {
    const OperandScales scales(graph_, plan_, bounds_);
    std::vector<std::string> names;
    for (const ValueId id : scales.observed(scales.scale(graph_.find_node(node), OperandRef::input(input)))) {
      names.push_back(graph_.value(id).name);
    }
    return names;
  }

  // "conv input0 by split: 100".
  std::vector<std::string> losses() const {
    const OperandScales scales(graph_, plan_, bounds_);
    std::vector<std::string> texts;
    for (const SharedScaleLoss& loss : scales.losses()) {
      const OperandPlan& operand = plan_.operands()[loss.operand];
      texts.push_back(fmt::format("{} {} by {}: {:.4g}", operand.node, to_string(operand.operand),
                                  loss.mover == kNone ? "all" : graph_.node(loss.mover).name, loss.ratio));
    }
    return texts;
  }

 private:
  Graph graph_;
  Plan plan_;
  ValueBounds bounds_;
};

using Names = std::vector<std::string>;

Range up_to(float extent) { return {-extent / 2, extent}; }

// a is read by conv_a and, beside b, by a Concat.
Graph pyramid() {
  GraphMaker maker;
  maker.input("x").weight("w");
  maker.node("Conv", "conv_x", {"x", "w"}, {"a"}).node("Conv", "conv_b", {"x", "w"}, {"b"});
  maker.node("Conv", "conv_a", {"a", "w"}, {"y"}).output("y");
  maker.node("Concat", "concat", {"a", "b"}, {"ab"}).node("Conv", "conv_ab", {"ab", "w"}, {"z"}).output("z");
  return maker.graph;
}

TEST(OperandScales, AreOneWhereNothingIsLost) {
  // 1.4 < sqrt(2)
  const Scales scales(pyramid(), {{"a", up_to(1)}, {"b", up_to(1.4F)}, {"ab", up_to(1.4F)}});
  for (const char* node : {"conv_a", "concat", "conv_ab"}) EXPECT_EQ(scales.range_of(node), Names{"ab"});
  EXPECT_EQ(scales.losses(), Names{});
}

TEST(OperandScales, AConcatLeavesOthersTheirOwn) {
  const Scales scales(pyramid(), {{"a", up_to(1)}, {"b", up_to(1.42F)}, {"ab", up_to(1.42F)}});
  EXPECT_EQ(scales.range_of("conv_a"), Names{"a"});
  EXPECT_EQ(scales.range_of("concat", 0), Names{"ab"});
  EXPECT_EQ(scales.range_of("concat", 1), Names{"ab"});
  EXPECT_EQ(scales.range_of("conv_ab"), Names{"ab"});
  EXPECT_EQ(scales.losses(), Names{});
}

TEST(OperandScales, AreOneWhereTheTargetHasItSoAndSayWhatThatCosts) {
  Scales scales(pyramid(), {{"a", up_to(1)}, {"b", up_to(100)}, {"ab", up_to(100)}});
  scales.shared();
  for (const char* node : {"conv_a", "concat", "conv_ab"}) EXPECT_EQ(scales.range_of(node), Names{"ab"});
  EXPECT_EQ(scales.losses(), Names{"conv_a input0 by all: 100"});
}

TEST(OperandScales, AreOneWhereNumbersWereNotObserved) {
  const Scales scales(pyramid(), {{"ab", up_to(100)}});
  EXPECT_EQ(scales.range_of("conv_a"), Names{"ab"});
}

// Zeros are zeros at any scale.
TEST(OperandScales, OfZerosDoNotMatter) {
  const Scales scales(pyramid(), {{"a", {0, 0}}, {"b", up_to(100)}, {"ab", up_to(100)}});
  EXPECT_EQ(scales.range_of("conv_a"), Names{"ab"});
  EXPECT_EQ(scales.losses(), Names{});
}

// Symmetric, both reach to 1; with zero points, [0, 1] has half the steps of [-1, 1].
TEST(OperandScales, WithZeroPointsFollowTheWidth) {
  const std::map<std::string, Range> seen = {{"a", {0, 1}}, {"b", {-1, 0}}, {"ab", {-1, 1}}};
  EXPECT_EQ(Scales(pyramid(), seen).range_of("conv_a"), Names{"ab"});
  const std::string asymmetric = "{model_config: {activation: {asymmetric: true}}}";
  EXPECT_EQ(Scales(pyramid(), seen, asymmetric).range_of("conv_a"), Names{"a"});
}

// Each Concat adds to the one before, and a Conv reads each.
TEST(OperandScales, ThatGrowStepByStepJoinWhereTheyAreAlike) {
  GraphMaker maker;
  maker.input("x").weight("w").node("Conv", "conv", {"x", "w"}, {"y0"});
  for (int i = 1; i <= 3; ++i) {
    const std::string before = "y" + std::to_string(i - 1), k = std::to_string(i);
    maker.node("Conv", "conv" + k, {before, "w"}, {"a" + k});
    maker.node("Concat", "concat" + k, {before, "a" + k}, {"y" + k});
  }
  maker.node("Conv", "conv4", {"y3", "w"}, {"z"}).output("z");
  const Scales scales(maker.graph, {{"y0", up_to(1)}, {"y1", up_to(1.3F)}, {"y2", up_to(1.6F)}, {"y3", up_to(4)}});
  // 4 / 1.6 is more than sqrt(2), 1.6 / 1.3 is less, and 1.6 / 1 is more, though 1.3 / 1 is less.
  EXPECT_EQ(scales.range_of("conv4"), Names{"y3"});
  EXPECT_EQ(scales.range_of("concat3"), Names{"y3"});
  EXPECT_EQ(scales.range_of("conv3"), Names{"y2"});
  EXPECT_EQ(scales.range_of("concat2"), Names{"y2"});
  EXPECT_EQ(scales.range_of("conv2"), Names{"y2"});
  EXPECT_EQ(scales.range_of("concat1"), Names{"y2"});
  EXPECT_EQ(scales.range_of("conv1"), Names{"y0"});
  EXPECT_EQ(scales.losses(), Names{});
}

// What a Slice leaves out may be cut off.
TEST(OperandScales, ASliceHasTheRangeOfItsPart) {
  GraphMaker maker;
  maker.input("x").weight("w").indices("i").node("Conv", "conv", {"x", "w"}, {"a"});
  maker.node("Conv", "conv_a", {"a", "w"}, {"y"}).output("y");
  maker.node("Slice", "slice", {"a", "i", "i"}, {"part"}).node("Conv", "conv_part", {"part", "w"}, {"z"}).output("z");
  const Scales scales(maker.graph, {{"a", up_to(100)}, {"part", up_to(1)}});
  EXPECT_EQ(scales.range_of("conv_a"), Names{"a"});
  EXPECT_EQ(scales.range_of("slice"), Names{"part"});
  EXPECT_EQ(scales.range_of("conv_part"), Names{"part"});
  EXPECT_EQ(scales.losses(), Names{});
  EXPECT_EQ(Scales(maker.graph, {{"a", up_to(1.4F)}, {"part", up_to(1)}}).range_of("slice"), Names{"a"});
}

Graph split_network() {
  GraphMaker maker;
  maker.input("x").weight("w").node("Conv", "conv", {"x", "w"}, {"a"});
  maker.node("Split", "split", {"a"}, {"p", "q"});
  maker.node("Conv", "conv_p", {"p", "w"}, {"y"}).output("y").node("Conv", "conv_q", {"q", "w"}, {"z"}).output("z");
  return maker.graph;
}

// All parts of a Split have its scale.
TEST(OperandScales, ASplitIsTooCoarseForASmallPart) {
  const Scales scales(split_network(), {{"a", up_to(100)}, {"p", up_to(100)}, {"q", up_to(1)}});
  EXPECT_EQ(scales.range_of("split"), Names{"p"});
  EXPECT_EQ(scales.range_of("conv_q"), Names{"q"});
  EXPECT_EQ(scales.losses(), Names{"conv_q input0 by split: 100"});
}

// 16 bits have 256 steps for each of 8 bits.
TEST(OperandScales, ASplitIn16BitsIsFineEnoughFor8) {
  const std::string config = "{node_config: {conv_p: {input0: int16}}}";
  const Scales fine(split_network(), {{"a", up_to(100)}, {"p", up_to(100)}, {"q", up_to(1)}}, config);
  EXPECT_EQ(fine.range_of("conv_q"), Names{"q"});
  EXPECT_EQ(fine.losses(), Names{});
  const Scales coarse(split_network(), {{"a", up_to(512)}, {"p", up_to(512)}, {"q", up_to(1)}}, config);
  EXPECT_EQ(coarse.losses(), Names{"conv_q input0 by split: 2"});
}

// Boxes and scores: the Slices would be fine with two ranges, but the Concat has one.
TEST(OperandScales, AMoverBeforePartsIsAsCoarseAsTheWidest) {
  GraphMaker maker;
  maker.input("x").weight("w").indices("i");
  maker.node("Conv", "conv_b", {"x", "w"}, {"b"}).node("Conv", "conv_s", {"x", "w"}, {"s"});
  maker.node("Concat", "concat", {"b", "s"}, {"bs"});
  maker.node("Slice", "slice_b", {"bs", "i", "i"}, {"b2"}).node("Slice", "slice_s", {"bs", "i", "i"}, {"s2"});
  maker.node("Conv", "boxes", {"b2", "w"}, {"y"}).output("y").node("Conv", "scores", {"s2", "w"}, {"z"}).output("z");
  const Scales scales(maker.graph, {{"bs", up_to(640)}, {"b2", up_to(640)}, {"s2", up_to(1)}});
  EXPECT_EQ(scales.range_of("concat"), Names{"b2"});
  EXPECT_EQ(scales.range_of("slice_s"), Names{"s2"});
  EXPECT_EQ(scales.losses(), Names{"scores input0 by concat: 640"});
}

// The largest of each window may be far below the largest of all: what reads the input is not to be cut off there.
TEST(OperandScales, AMaxPoolCutsOffNothingForOthers) {
  GraphMaker maker;
  maker.input("x").weight("w").node("Conv", "conv", {"x", "w"}, {"a"});
  maker.node("Conv", "conv_a", {"a", "w"}, {"y"}).output("y");
  maker.node("MaxPool", "pool", {"a"}, {"top"}).node("Conv", "conv_top", {"top", "w"}, {"z"}).output("z");
  const Scales scales(maker.graph, {{"a", {-10, 1}}, {"top", {-1, 1}}});
  EXPECT_EQ(scales.range_of("conv_a"), Names{"a"});
  EXPECT_EQ(scales.range_of("pool"), Names{"top"});
  EXPECT_EQ(scales.range_of("conv_top"), Names{"top"});
  Scales one(maker.graph, {{"a", {-10, 1}}, {"top", {-1, 1}}});
  one.shared();
  EXPECT_EQ(one.range_of("conv_a"), (Names{"top", "a"}));
  EXPECT_EQ(one.losses(), Names{"conv_top input0 by all: 10"});
}

TEST(OperandScales, AReluOfANarrowPartHasItsRange) {
  GraphMaker maker;
  maker.input("x").weight("w").node("Conv", "conv", {"x", "w"}, {"a"});
  maker.node("Conv", "conv_a", {"a", "w"}, {"y"}).output("y");
  maker.node("Relu", "relu", {"a"}, {"r"}).node("Conv", "conv_r", {"r", "w"}, {"z"}).output("z");
  const Scales narrow(maker.graph, {{"a", {-10, 1}}, {"r", {0, 1}}});
  EXPECT_EQ(narrow.range_of("conv_a"), Names{"a"});
  EXPECT_EQ(narrow.range_of("relu"), Names{"r"});
  const Scales alike(maker.graph, {{"a", {-1.2F, 1}}, {"r", {0, 1}}});
  EXPECT_EQ(alike.range_of("relu"), Names{"a"});
  EXPECT_EQ(alike.range_of("conv_r"), Names{"r"});
  Scales shared(maker.graph, {{"a", {-10, 1}}, {"r", {0, 1}}});
  shared.shared();
  EXPECT_EQ(shared.range_of("relu"), Names{"a"});
}

// Where, Max and Min compute: each input has its own.
TEST(OperandScales, OperatorsThatChooseNumbersByPlaceShareNothing) {
  GraphMaker maker;
  maker.input("x").input("y").input("c", DType::kBool).weight("w");
  maker.node("Where", "where", {"c", "x", "y"}, {"a"}).node("Max", "max", {"x", "y"}, {"b"});
  maker.node("Add", "add", {"a", "b"}, {"z"}).output("z");
  const Scales scales(maker.graph, {{"x", up_to(1)}, {"y", up_to(100)}, {"a", up_to(100)}, {"b", up_to(100)}});
  EXPECT_EQ(scales.range_of("where", 1), Names{"x"});
  EXPECT_EQ(scales.range_of("where", 2), Names{"y"});
  EXPECT_EQ(scales.range_of("max", 0), Names{"x"});
}

// One constant beside two tensors, such as a class token, says nothing about them.
TEST(OperandScales, AConstantJoinsNothing) {
  GraphMaker maker;
  maker.input("x").input("y").weight("token").weight("w");
  maker.node("Concat", "concat_x", {"token", "x"}, {"tx"}).node("Concat", "concat_y", {"token", "y"}, {"ty"});
  maker.node("Conv", "conv_x", {"tx", "w"}, {"a"}).output("a").node("Conv", "conv_y", {"ty", "w"}, {"b"}).output("b");
  const Scales scales(maker.graph, {{"tx", up_to(1)}, {"ty", up_to(1.1F)}});
  EXPECT_EQ(scales.range_of("concat_x", 1), Names{"tx"});
  EXPECT_EQ(scales.range_of("concat_y", 1), Names{"ty"});
}

}  // namespace
}  // namespace twofold
