// Rules on numbers small enough to follow: kinks, ties, what lies outside of windows. tests/gradients/*.py compares all
// rules with PyTorch.
#include <gtest/gtest.h>

#include <set>

#include "gradients/rule.h"
#include "gradients/sweep.h"
#include "infer/element_types.h"
#include "passes/graph_builder.h"
#include "traits/op_names.h"
#include "traits/op_traits.h"

namespace twofold {

namespace {

using Attributes = std::vector<std::pair<std::string, Attribute>>;
using Floats = std::vector<float>;
using Ints = std::vector<int64_t>;

struct Array {
  Shape shape;
  Floats values;
};

// The gradients of the inputs of a node with one output. Inputs beyond `inputs` are integers.
std::vector<Floats> gradients(const char* op_type, const std::vector<Array>& inputs, const Array& cotangent,
                              const Attributes& attributes = {}, const std::vector<Ints>& more = {}) {
  GraphBuilder net;
  std::vector<ValueId> ids;
  std::vector<Tensor> tensors;
  for (const Array& array : inputs) {
    ids.push_back(net.input(net.graph.unique_value_name("x"), array.shape));
    tensors.push_back(Tensor::from<float>(array.shape, array.values));
  }
  for (const Ints& list : more) ids.push_back(net.ints(list));
  net.output(net.node("y", op_type, ids, attributes));
  const Sweep result =
      sweep(net.graph, forward_values(net.graph, tensors), {Tensor::from<float>(cotangent.shape, cotangent.values)});
  EXPECT_TRUE(result.backward.incomplete.empty());
  std::vector<Floats> found;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const std::span<const float> data = result.gradients.at(ids[i]).data<float>();
    EXPECT_EQ(result.gradients.at(ids[i]).shape(), inputs[i].shape);
    found.emplace_back(data.begin(), data.end());
  }
  return found;
}

Floats gradient(const char* op_type, const Array& x, const Array& cotangent, const Attributes& attributes = {},
                const std::vector<Ints>& more = {}) {
  return gradients(op_type, {x}, cotangent, attributes, more)[0];
}

TEST(Rules, AtKinksOnePieceCounts) {
  const Array ones{{3}, {1, 1, 1}};
  EXPECT_EQ(gradient(op::kRelu, {{3}, {-1, 0, 1}}, ones), (Floats{0, 0, 1}));
  EXPECT_EQ(gradient(op::kAbs, {{3}, {-1, 0, 1}}, ones), (Floats{-1, 0, 1}));
  EXPECT_EQ(gradient(op::kLeakyRelu, {{3}, {-1, 0, 1}}, ones, {{"alpha", 0.25F}}), (Floats{0.25F, 0.25F, 1}));
  EXPECT_EQ(gradient(op::kHardSigmoid, {{3}, {-2, 0, 2}}, ones, {{"alpha", 0.25F}, {"beta", 0.5F}}),
            (Floats{0, 0.25F, 0}));
}

TEST(Rules, BoundsOfClipLetTheGradientPass) {
  // -2 is cut by the lower bound and 3 by the upper one, which get those gradients.
  EXPECT_EQ(gradients(op::kClip, {{{5}, {-2, -1, 0, 1, 3}}, {{}, {-1}}, {{}, {1}}}, {{5}, {1, 2, 4, 8, 16}}),
            (std::vector<Floats>{{0, 2, 4, 8, 0}, {1}, {16}}));
  // Bounds that contradict each other: all results are the upper one.
  EXPECT_EQ(gradients(op::kClip, {{{3}, {-2, 0, 3}}, {{}, {1}}, {{}, {-1}}}, {{3}, {1, 2, 4}}),
            (std::vector<Floats>{{0, 0, 0}, {0}, {7}}));
}

TEST(Rules, EqualNumbersShareInMaxAndTheFirstOneWinsInMaxPool) {
  EXPECT_EQ(gradients(op::kMax, {{{3}, {1, 2, 3}}, {{3}, {1, 3, 2}}}, {{3}, {2, 4, 8}}),
            (std::vector<Floats>{{1, 0, 8}, {1, 4, 0}}));
  EXPECT_EQ(gradient(op::kReduceMax, {{4}, {5, 1, 5, 2}}, {{1}, {8}}), (Floats{4, 0, 4, 0}));
  EXPECT_EQ(gradient(op::kMaxPool, {{1, 1, 4}, {5, 5, 1, 5}}, {{1, 1, 3}, {1, 2, 4}}, {{"kernel_shape", Ints{2}}}),
            (Floats{1, 2, 0, 4}));
}

TEST(Rules, SumOverWhatWasBroadcast) {
  // [2,1] + [3] -> [2,3]
  EXPECT_EQ(gradients(op::kSub, {{{2, 1}, {0, 0}}, {{3}, {0, 0, 0}}}, {{2, 3}, {1, 2, 3, 10, 20, 30}}),
            (std::vector<Floats>{{6, 60}, {-11, -22, -33}}));
  EXPECT_EQ(gradients(op::kMul, {{{}, {3}}, {{1, 2}, {5, 7}}}, {{1, 2}, {1, 10}}),
            (std::vector<Floats>{{75}, {3, 30}}));
}

TEST(Rules, ConvLeadsNothingToWhatNoWindowReaches) {
  // Windows of two start at -1, 2 and 5: places 1, 4 and 7 are in none.
  const std::vector<Floats> found = gradients(op::kConv, {{{1, 1, 8}, {1, 2, 3, 4, 5, 6, 7, 8}}, {{1, 1, 2}, {2, 3}}},
                                              {{1, 1, 3}, {1, 10, 100}}, {{"strides", Ints{3}}, {"pads", Ints{1, 0}}});
  EXPECT_EQ(found[0], (Floats{3, 0, 20, 30, 0, 200, 300, 0}));
  EXPECT_EQ(found[1], (Floats{0 * 1 + 3 * 10 + 6 * 100, 1 * 1 + 4 * 10 + 7 * 100}));
}

TEST(Rules, AveragePoolCountsWhatIsThere) {
  // The first and last windows hold one element each, of two.
  EXPECT_EQ(gradient(op::kAveragePool, {{1, 1, 2}, {1, 1}}, {{1, 1, 3}, {2, 4, 8}},
                     {{"kernel_shape", Ints{2}}, {"pads", Ints{1, 1}}}),
            (Floats{4, 10}));
  EXPECT_EQ(gradient(op::kAveragePool, {{1, 1, 2}, {1, 1}}, {{1, 1, 3}, {2, 4, 8}},
                     {{"kernel_shape", Ints{2}}, {"pads", Ints{1, 1}}, {"count_include_pad", int64_t{1}}}),
            (Floats{3, 6}));
}

TEST(Rules, ElementsThatAreTakenTwiceGetBoth) {
  EXPECT_EQ(gradient(op::kGather, {{3}, {0, 0, 0}}, {{4}, {1, 2, 4, 8}}, {}, {{2, 0, 2, -1}}), (Floats{2, 0, 13}));
  EXPECT_EQ(gradient(op::kTile, {{2}, {0, 0}}, {{6}, {1, 2, 4, 8, 16, 32}}, {}, {{3}}), (Floats{21, 42}));
  EXPECT_EQ(gradient(op::kPad, {{3}, {0, 0, 0}}, {{5}, {1, 2, 4, 8, 16}}, {{"mode", std::string("reflect")}}, {{1, 1}}),
            (Floats{2, 21, 8}));
}

TEST(Rules, PartsThatNobodyReadsGetZeros) {
  GraphBuilder net;
  const ValueId x = net.input("x", {4}), sizes = net.ints({1, 3});
  const ValueId a = net.graph.add_value("a"), b = net.graph.add_value("b");
  net.graph.add_node({"split", op::kSplit, "", {x, sizes}, {a, b}, {}, {}});
  net.output(b);
  const Sweep result = sweep(net.graph, forward_values(net.graph, {Tensor::from<float>({4}, Floats{1, 2, 3, 4})}),
                             {Tensor::from<float>({3}, Floats{5, 6, 7})});
  const std::span<const float> data = result.gradients.at(x).data<float>();
  EXPECT_EQ(Floats(data.begin(), data.end()), (Floats{0, 5, 6, 7}));
}

// A new operator gets a rule, or is put in this list.
TEST(Rules, AreThereForEveryOperatorThatGivesFloats) {
  const std::set<std::string_view> without = {
      op::kRnn,
      op::kGru,
      op::kLstm,
      op::kRoiAlign,
      op::kIf,
      op::kLoop,
      op::kScan,
      op::kUnique,
      op::kOneHot,
      op::kRange,
      op::kQuantizeLinear,
      op::kDequantizeLinear,
      op::kDynamicQuantizeLinear,
  };
  for (const OpTraits& row : all_traits()) {
    const bool integers = (row.takes & kTakesFloats) == 0 || row.type == TypeRule::kBool;
    if (!row.runs || integers) continue;
    Node node{
        .name = "n", .op_type = std::string(row.op_type), .domain = "", .inputs = {}, .outputs = {}, .attributes = {}};
    EXPECT_EQ(find_rule(node) == nullptr, without.contains(row.op_type)) << row.op_type;
  }
}

}  // namespace

}  // namespace twofold
