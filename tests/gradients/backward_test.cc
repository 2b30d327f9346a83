// What a sweep hands out: inputs, gradients, and what is said to be missing.
#include "gradients/backward.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "gradients/sweep.h"
#include "passes/graph_builder.h"
#include "traits/op_names.h"
#include "twofold/error.h"

namespace twofold {

namespace {

Tensor floats(const Shape& shape, const std::vector<float>& values) { return Tensor::from<float>(shape, values); }

std::vector<float> numbers(const Tensor& tensor) {
  const std::span<const float> data = tensor.data<float>();
  return {data.begin(), data.end()};
}

std::vector<std::string> names(const Graph& graph, const std::vector<ValueId>& ids) {
  std::vector<std::string> result;
  for (const ValueId id : ids) result.push_back(graph.value(id).name);
  return result;
}

std::map<ValueId, Shape> all_of_shape(const Graph& graph, const Shape& shape) {
  std::map<ValueId, Shape> shapes;
  for (ValueId id = 0; id < graph.num_values(); ++id) shapes[id] = shape;
  return shapes;
}

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

// y = relu(x * w) + x
struct Residual : GraphBuilder {
  ValueId x = input("x", {3}), w = floats({3}, {2, -1, 3}), m = node("m", op::kMul, {x, w}),
          r = node("r", op::kRelu, {m}), y = node("y", op::kAdd, {r, x});
  Residual() { output(y); }
};

TEST(Backward, LeadsGradientsToEveryValue) {
  const Residual net;
  const auto values = forward_values(net.graph, {floats({3}, {1, 2, -4})});
  const Sweep result = sweep(net.graph, values, {floats({3}, {1, 10, 100})});
  // m = 2, -2, -12: Relu lets only the first one through.
  EXPECT_EQ(numbers(result.gradients.at(net.y)), (std::vector<float>{1, 10, 100}));
  EXPECT_EQ(numbers(result.gradients.at(net.r)), (std::vector<float>{1, 10, 100}));
  EXPECT_EQ(numbers(result.gradients.at(net.m)), (std::vector<float>{1, 0, 0}));
  EXPECT_EQ(numbers(result.gradients.at(net.x)), (std::vector<float>{3, 10, 100}));
  EXPECT_EQ(result.gradients.size(), 4U) << "weights have none";
  EXPECT_TRUE(result.backward.incomplete.empty());
  EXPECT_TRUE(result.backward.without_rule.empty());
}

TEST(Backward, TakesOnlyTheForwardValuesThatItReads) {
  const Residual net;
  const Backward backward = backward_of(net.graph, all_of_shape(net.graph, {3}));
  EXPECT_EQ(names(net.graph, backward.forward), (std::vector<std::string>{"r"}));
  ASSERT_EQ(backward.graph.inputs.size(), 2U);
  EXPECT_EQ(backward.graph.value(backward.graph.inputs[1]).name, "cotangent");
}

TEST(Backward, StopsAtWhatIsWanted) {
  const Residual net;
  const Backward backward = backward_of(net.graph, all_of_shape(net.graph, {3}), {net.r});
  EXPECT_EQ(backward.gradients, (std::map<ValueId, size_t>{{net.r, 0}}));
  EXPECT_EQ(backward.graph.num_nodes(), 0);
  EXPECT_TRUE(backward.forward.empty());
}

TEST(Backward, AddsTheCotangentsOfAllOutputs) {
  Residual net;
  net.output(net.r);
  net.graph.outputs.push_back({"r again", net.r});
  const auto values = forward_values(net.graph, {floats({3}, {1, 2, -4})});
  const Sweep result =
      sweep(net.graph, values, {floats({3}, {1, 0, 0}), floats({3}, {10, 0, 0}), floats({3}, {100, 0, 0})});
  EXPECT_EQ(numbers(result.gradients.at(net.x)), (std::vector<float>{223, 0, 0}));
}

TEST(Backward, HasNoGradientThroughIntegers) {
  GraphBuilder net;
  const ValueId x = net.input("x", {3}), top = net.node("top", op::kArgMax, {x}),
                back = net.node("back", op::kCast, {top}, {{"to", int64_t{1}}}), f = net.node("f", op::kFloor, {x}),
                y = net.node("y", op::kMul, {f, back});
  net.output(y);
  net.output(top);
  const auto values = forward_values(net.graph, {floats({3}, {1.5F, 0.5F, 2.5F})});
  const Sweep result = sweep(net.graph, values, {floats({3}, {1, 1, 1}), floats({1}, {5})});
  EXPECT_EQ(numbers(result.gradients.at(f)), (std::vector<float>{2, 2, 2}));
  EXPECT_EQ(numbers(result.gradients.at(back)), (std::vector<float>{3})) << "1 + 0 + 2";
  EXPECT_FALSE(result.gradients.contains(top));
  EXPECT_FALSE(result.gradients.contains(x)) << "zero";
  EXPECT_TRUE(result.backward.incomplete.empty());
}

TEST(Backward, LeavesOutValuesThatReachNoOutput) {
  Residual net;
  const ValueId unused = net.node("unused", op::kExp, {net.m});
  const Backward backward = backward_of(net.graph, all_of_shape(net.graph, {3}));
  EXPECT_FALSE(backward.gradients.contains(unused));
  EXPECT_FALSE(backward.incomplete.contains(unused));
}

TEST(Backward, SaysWhatNoRuleLeadsThrough) {
  GraphBuilder net;
  const ValueId x = net.input("x", {2}), a = net.node("a", op::kNeg, {x}), b = net.node("b", op::kExp, {a}),
                s = net.node("s", op::kUnique, {b}), y = net.node("y", op::kAdd, {s, a});
  net.output(y);
  const auto values = forward_values(net.graph, {floats({2}, {1, 2})});
  const Sweep result = sweep(net.graph, values, {floats({2}, {1, 10})});
  EXPECT_EQ(result.backward.without_rule,
            (std::map<NodeId, std::string>{{net.graph.producer(s), "no rule for Unique"}}));
  EXPECT_EQ(result.backward.incomplete, (std::set<ValueId>{x, a, b}));
  EXPECT_EQ(numbers(result.gradients.at(x)), (std::vector<float>{-1, -10})) << "what goes the other way";
  EXPECT_FALSE(result.gradients.contains(b));
}

TEST(Backward, DoesNotMindARulelessNodeBehindWhichNothingIsWanted) {
  GraphBuilder net;
  const ValueId x = net.input("x", {2}), s = net.node("s", op::kUnique, {x}), y = net.node("y", op::kNeg, {s});
  net.output(y);
  const Backward backward = backward_of(net.graph, all_of_shape(net.graph, {2}), {s});
  EXPECT_TRUE(backward.without_rule.empty());
  EXPECT_EQ(backward.gradients.size(), 1U);
}

TEST(Backward, SaysWhichOperandIsMissing) {
  GraphBuilder net;
  const ValueId x = net.input("x", {2}), v = net.input("v", {}), y = net.node("y", op::kPad, {x, net.ints({1, 1}), v});
  net.output(y);
  const auto values = forward_values(net.graph, {floats({2}, {1, 2}), floats({}, {5})});
  const Sweep result = sweep(net.graph, values, {floats({4}, {1, 2, 3, 4})});
  EXPECT_EQ(result.backward.incomplete, (std::set<ValueId>{v}));
  EXPECT_EQ(result.backward.without_rule.at(net.graph.producer(y)), "no rule for a fill value that is computed");
  EXPECT_EQ(numbers(result.gradients.at(x)), (std::vector<float>{2, 3}));
}

TEST(Backward, SaysThatScalesOfAResizeAreMissing) {
  GraphBuilder net;
  const ValueId x = net.input("x", {2}), scales = net.input("scales", {1}),
                y = net.node("y", op::kResize, {x, kNone, scales});
  net.output(y);
  const auto values = forward_values(net.graph, {floats({2}, {1, 2}), floats({1}, {2})});
  const Sweep result = sweep(net.graph, values, {floats({4}, {1, 2, 3, 4})});
  EXPECT_EQ(result.backward.incomplete, (std::set<ValueId>{x, scales}));
  EXPECT_EQ(result.backward.without_rule.at(net.graph.producer(y)), "its scales are known only at run time");
}

TEST(Backward, NamesWhatIsWrong) {
  const Residual net;
  EXPECT_EQ(message_of([&] { backward_of(net.graph, {}); }), "the shape of tensor 'y' is needed");
  EXPECT_EQ(message_of([&] { backward_of(net.graph, all_of_shape(net.graph, {3}), {net.w}); }),
            "'" + net.graph.value(net.w).name + "' is no float activation, so it has no gradient");
  EXPECT_EQ(message_of([&] { backward_of(net.graph, all_of_shape(net.graph, {3}), {99}); }),
            "'99' is no float activation, so it has no gradient");
  GraphBuilder bad;
  bad.output(bad.node("y", op::kSoftmax, {bad.input("x", {3})}, {{"axis", int64_t{4}}}));
  EXPECT_TRUE(
      message_of([&] { backward_of(bad.graph, all_of_shape(bad.graph, {3})); }).starts_with("node 'y' (Softmax): "));
}

// The derivative along a direction, from two runs, against the gradient.
TEST(Backward, AgreesWithDifferencesOfANetwork) {
  GraphBuilder net;
  const ValueId x = net.input("x", {1, 2, 6, 5});
  const ValueId c = net.node("conv", op::kConv, {x, net.ramp({4, 2, 3, 3}), net.ramp({4})},
                             {{"strides", std::vector<int64_t>{2, 1}}, {"pads", std::vector<int64_t>{1, 1, 0, 1}}});
  const ValueId s = net.node("s", op::kSigmoid, {c}), m = net.node("m", op::kMul, {c, s});
  const ValueId p = net.node("p", op::kAveragePool, {m}, {{"kernel_shape", std::vector<int64_t>{2, 2}}});
  const ValueId f = net.node("f", op::kFlatten, {p}), t = net.node("t", op::kTanh, {f});
  net.output(net.node("y", op::kGemm, {t, net.ramp({32, 3})}));
  const Tensor at = net.graph.constant(net.ramp({1, 2, 6, 5}))->reshaped({1, 2, 6, 5});
  const Tensor v = floats({1, 3}, {1, -2, 0.5F});
  const Sweep result = sweep(net.graph, forward_values(net.graph, {at}), {v});
  const auto moved = [&](float step) {
    Tensor to = at;
    for (size_t i = 0; i < to.mutable_data<float>().size(); ++i) {
      to.mutable_data<float>()[i] += step * static_cast<float>(i % 7) / 7;
    }
    const Tensor y = Executor(net.graph).run({to})[0];
    double sum = 0;
    for (size_t i = 0; i < 3; ++i) sum += static_cast<double>(y.data<float>()[i]) * v.data<float>()[i];
    return sum;
  };
  double along = 0;
  const std::vector<float> gradient = numbers(result.gradients.at(x));
  for (size_t i = 0; i < gradient.size(); ++i) along += gradient[i] * static_cast<double>(i % 7) / 7;
  // A step of 1/64 leaves an error of its square, and float32 one of 1e-5.
  EXPECT_NEAR((moved(1.0F / 64) - moved(-1.0F / 64)) * 32, along, 2e-3 * std::abs(along));
  EXPECT_GT(std::abs(along), 0.01) << "the test proves nothing";
}

}  // namespace

}  // namespace twofold
