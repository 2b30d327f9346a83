#include "quantize/equalize.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <random>

#include "engine/executor.h"
#include "passes/graph_builder.h"
#include "passes/same_results.h"
#include "plan/expect_error.h"

namespace twofold {
namespace {

using AttributeList = std::vector<std::pair<std::string, Attribute>>;
using Ints = std::vector<int64_t>;

// Networks with one site or more, each by the kinds of nodes that it is there for.
const std::map<std::string, std::function<Graph()>>& networks() {
  static const AttributeList window = {{"kernel_shape", Ints{2, 2}}};
  static const auto grouped = [](int64_t groups) { return AttributeList{{"group", groups}}; };
  static const std::map<std::string, std::function<Graph()>> all = {
      {"LayerNormalization, read by two",
       [] {
         GraphBuilder b;
         const ValueId y = b.node("ln", "LayerNormalization", {b.input("x", {2, 3, 4}), b.ramp({4}), b.ramp({4})});
         b.output(b.node("q", "MatMul", {y, b.ramp({4, 5})}));
         b.output(b.node("k", "MatMul", {y, b.ramp({4, 2})}));
         return b.graph;
       }},
      {"LayerNormalization beside a residual",
       [] {
         GraphBuilder b;
         const ValueId y = b.node("ln", "LayerNormalization", {b.input("x", {2, 3, 4}), b.ramp({4}), b.ramp({4})});
         const ValueId q = b.node("q", "MatMul", {y, b.ramp({4, 4})});
         const ValueId k = b.node("k", "Gemm", {b.node("rows", "Reshape", {y, b.ints({6, 4})}), b.ramp({4, 4})});
         b.output(b.node("sum", "Add", {b.node("other", "Add", {y, q}), b.node("v", "MatMul", {y, b.ramp({4, 4})})}));
         b.output(k);
         return b.graph;
       }},
      {"depthwise Conv behind an activation",
       [] {
         GraphBuilder b;
         const ValueId c = b.node("conv", "Conv", {b.input("x", {2, 3, 5, 5}), b.ramp({4, 3, 1, 1}), b.ramp({4})});
         const ValueId h = b.node("h", "HardSwish", {c});
         b.output(b.node("d", "Conv", {h, b.ramp({8, 1, 3, 3})}, grouped(4)));
         return b.graph;
       }},
      {"Gelu",
       [] {
         GraphBuilder b;
         const ValueId m = b.node("m", "MatMul", {b.input("x", {2, 3, 4}), b.ramp({4, 5})});
         b.output(b.node("o", "MatMul", {b.node("g", "Gelu", {m}), b.ramp({5, 2})}));
         return b.graph;
       }},
      {"RMSNormalization",
       [] {
         GraphBuilder b;
         const ValueId y = b.node("rms", "RMSNormalization", {b.input("x", {2, 3, 4}), b.ramp({4})});
         b.output(b.node("m", "MatMul", {y, b.ramp({4, 5})}));
         return b.graph;
       }},
      {"BatchNormalization",
       [] {
         GraphBuilder b;
         const ValueId y =
             b.node("bn", "BatchNormalization",
                    {b.input("x", {2, 3, 4, 4}), b.ramp({3}), b.ramp({3}), b.ramp({3}), b.floats({3}, {1, 0.5F, 3})});
         b.output(b.node("conv", "Conv", {b.node("r", "Relu", {y}), b.ramp({2, 3, 2, 2})}));
         return b.graph;
       }},
      {"InstanceNormalization and GroupNormalization",
       [] {
         GraphBuilder b;
         const ValueId i =
             b.node("in", "InstanceNormalization", {b.input("x", {2, 4, 4, 4}), b.ramp({4}), b.ramp({4})});
         const ValueId c = b.node("conv", "Conv", {i, b.ramp({4, 4, 1, 1})});
         const ValueId g =
             b.node("gn", "GroupNormalization", {c, b.ramp({4}), b.ramp({4})}, {{"num_groups", int64_t{2}}});
         b.output(b.node("d", "Conv", {g, b.ramp({2, 4, 1, 1})}));
         return b.graph;
       }},
      {"Conv through activations and pools",
       [] {
         GraphBuilder b;
         const ValueId c = b.node("conv", "Conv", {b.input("x", {1, 3, 8, 8}), b.ramp({4, 3, 3, 3}), b.ramp({4})});
         const ValueId p = b.node("p", "PRelu", {b.node("r", "LeakyRelu", {c}), b.ramp({4, 1, 1})});
         const ValueId m = b.node("m", "MaxPool", {b.node("i", "Identity", {b.node("n", "Neg", {p})})}, window);
         const ValueId a = b.node("a", "AveragePool", {b.node("abs", "Abs", {m})}, window);
         b.output(b.node("d", "Conv", {a, b.ramp({2, 4, 1, 1})}));
         return b.graph;
       }},
      {"depthwise Conv on either side",
       [] {
         GraphBuilder b;
         const ValueId c = b.node("conv", "Conv", {b.input("x", {1, 3, 6, 6}), b.ramp({4, 3, 1, 1}), b.ramp({4})});
         const ValueId d =
             b.node("d", "Conv", {b.node("r", "Relu", {c}), b.ramp({4, 1, 3, 3}), b.ramp({4})}, grouped(4));
         b.output(b.node("e", "Conv", {b.node("s", "Relu", {d}), b.ramp({5, 4, 1, 1})}));
         return b.graph;
       }},
      {"groups of Conv and ConvTranspose",
       [] {
         GraphBuilder b;
         const ValueId c =
             b.node("conv", "Conv", {b.input("x", {1, 4, 5, 5}), b.ramp({6, 2, 1, 1}), b.ramp({6})}, grouped(2));
         const ValueId t =
             b.node("t", "ConvTranspose", {b.node("r", "Relu", {c}), b.ramp({6, 2, 2, 2}), b.ramp({6})}, grouped(3));
         b.output(b.node("d", "Conv", {b.node("s", "Relu", {t}), b.ramp({4, 3, 1, 1})}, grouped(2)));
         return b.graph;
       }},
      {"GlobalAveragePool, Flatten, Gemm",
       [] {
         GraphBuilder b;
         const ValueId c = b.node("conv", "Conv", {b.input("x", {2, 3, 5, 5}), b.ramp({4, 3, 1, 1})});
         const ValueId f = b.node("f", "Flatten", {b.node("g", "GlobalAveragePool", {b.node("r", "Relu", {c})})});
         const ValueId h = b.node("h", "Gemm", {f, b.ramp({6, 4}), b.ramp({6})}, {{"transB", int64_t{1}}});
         b.output(b.node("o", "Gemm", {b.node("s", "Relu", {h}), b.ramp({6, 2}), b.ramp({2})}, {{"alpha", 0.5F}}));
         return b.graph;
       }},
      {"windows flattened",
       [] {
         GraphBuilder b;
         const ValueId c = b.node("conv", "Conv", {b.input("x", {2, 3, 3, 2}), b.ramp({4, 3, 1, 1})});
         b.output(b.node("h", "Gemm", {b.node("f", "Flatten", {c}), b.ramp({24, 3})}));
         return b.graph;
       }},
      {"rows of pixels",
       [] {
         GraphBuilder b;
         const ValueId c = b.node("conv", "Conv", {b.input("x", {2, 3, 3, 2}), b.ramp({4, 3, 1, 1})});
         const ValueId r = b.node("r", "Reshape", {c, b.ints({2, 4, 6})});
         const ValueId t = b.node("t", "Transpose", {r}, {{"perm", Ints{0, 2, 1}}});
         b.output(b.node(
             "m", "MatMul",
             {b.node("s", "Squeeze", {b.node("u", "Unsqueeze", {t, b.ints({1})}), b.ints({1})}), b.ramp({4, 3})}));
         return b.graph;
       }},
      {"MatMul and constants",
       [] {
         GraphBuilder b;
         const ValueId m = b.node("m", "MatMul", {b.input("x", {2, 3, 4}), b.ramp({4, 5})});
         const ValueId a = b.node("a", "Add", {b.ramp({5}), m}), s = b.node("s", "Sub", {b.ramp({3, 5}), a});
         const ValueId d = b.node("d", "Div", {b.node("u", "Mul", {s, b.ramp({3, 1})}), b.scalar(3)});
         b.output(b.node("o", "MatMul", {b.node("r", "Relu", {d}), b.ramp({5, 2})}));
         return b.graph;
       }},
      {"Mul by a constant",
       [] {
         GraphBuilder b;
         const ValueId y = b.node("scale", "Mul", {b.input("x", {2, 3, 4, 4}), b.ramp({3, 1, 1})});
         b.output(b.node("conv", "Conv", {y, b.ramp({2, 3, 1, 1})}));
         return b.graph;
       }},
  };
  return all;
}

Equalization random_equalization(const Graph& graph, const EqualizationSite& site, std::mt19937& random) {
  Equalization equalization{graph.value(site.tensor()).name, {}, {}, site.inserted};
  for (const NodeId id : site.nodes) equalization.nodes.push_back(graph.node(id).name);
  for (int64_t c = 0; c < site.channels; ++c) equalization.exponents.push_back(static_cast<int>(random() % 13) - 6);
  equalization.exponents[0] = 5;
  return equalization;
}

std::vector<Equalization> equalizations_of(const Graph& graph) {
  std::mt19937 random(11);
  std::vector<Equalization> result;
  for (const EqualizationSite& site : EqualizationSites(graph).all()) {
    result.push_back(random_equalization(graph, site, random));
  }
  return result;
}

void expect_same_bits(const Graph& a, const Graph& b) {
  const std::vector<Tensor> inputs = random_inputs(a);
  const std::vector<Tensor> expected = Executor(a).run(inputs), found = Executor(b).run(inputs);
  ASSERT_EQ(found.size(), expected.size());
  for (size_t o = 0; o < expected.size(); ++o) {
    ASSERT_EQ(found[o].shape(), expected[o].shape());
    for (size_t i = 0; i < expected[o].data<float>().size(); ++i) {
      ASSERT_EQ(found[o].data<float>()[i], expected[o].data<float>()[i]) << "output " << o << ", element " << i;
    }
  }
}

TEST(Equalize, KeepsEveryBitOfTheOutputs) {
  for (const auto& [name, make] : networks()) {
    SCOPED_TRACE(name);
    const Graph graph = make();
    const std::vector<Equalization> equalizations = equalizations_of(graph);
    ASSERT_FALSE(equalizations.empty());
    const Graph equalized = equalize(graph, equalizations);
    verify(equalized);
    expect_same_bits(graph, equalized);
  }
}

// By the definition of an equalization, element by element.
TEST(Equalize, DividesTheChannelsOfTheTensor) {
  for (const auto& [name, make] : networks()) {
    SCOPED_TRACE(name);
    const Graph graph = make();
    for (const Equalization& equalization : equalizations_of(graph)) {
      const ValueId value = graph.find_value(equalization.tensor);
      const NodeId producer = graph.producer(value);
      const bool of_pixels = graph.node(graph.find_node(equalization.nodes.back())).is("Conv");
      const bool last = (equalization.inserted && !of_pixels) || graph.node(producer).is("LayerNormalization") ||
                        graph.node(producer).is("RMSNormalization") || graph.node(producer).is("MatMul") ||
                        graph.node(producer).is("Gemm");
      Graph before = graph, after = equalize(graph, {equalization});
      const NodeId reader = after.find_node(equalization.nodes[0]);
      before.outputs = {{"t", value}};
      after.outputs = {{"t", equalization.inserted ? after.node(reader).input(0) : value}};
      const std::vector<Tensor> inputs = random_inputs(graph);
      const Tensor x = Executor(before).run(inputs)[0], y = Executor(after).run(inputs)[0];
      const auto channels = static_cast<int64_t>(equalization.exponents.size());
      const int64_t inner = last ? 1 : x.size() / x.dim(0) / channels;
      for (int64_t i = 0; i < x.size(); ++i) {
        const int exponent = equalization.exponents[static_cast<size_t>(i / inner % channels)];
        ASSERT_EQ(y.data<float>()[static_cast<size_t>(i)],
                  std::ldexp(x.data<float>()[static_cast<size_t>(i)], -exponent));
      }
    }
  }
}

TEST(Equalize, FindsTheSitesOfEachNetwork) {
  const std::map<std::string, std::vector<std::string>> expected = {
      {"LayerNormalization, read by two", {"ln"}},
      {"LayerNormalization beside a residual", {"ln", "rows"}},
      {"depthwise Conv behind an activation", {"h"}},
      {"Gelu", {"x", "g"}},
      {"RMSNormalization", {"rms"}},
      {"BatchNormalization", {"bn"}},
      {"InstanceNormalization and GroupNormalization", {"in", "gn"}},
      {"Conv through activations and pools", {"conv"}},
      {"depthwise Conv on either side", {"conv", "d"}},
      {"groups of Conv and ConvTranspose", {"conv", "t"}},
      {"GlobalAveragePool, Flatten, Gemm", {"conv", "h"}},
      {"windows flattened", {"conv"}},
      {"rows of pixels", {"conv"}},
      {"MatMul and constants", {"m", "x"}},
      {"Mul by a constant", {"scale"}},
  };
  for (const auto& [name, make] : networks()) {
    std::vector<std::string> found;
    for (const Equalization& equalization : equalizations_of(make())) found.push_back(equalization.tensor);
    EXPECT_EQ(found, expected.at(name)) << name;
  }
}

// What stands between a Conv and the product that reads it, or beside that.
TEST(Equalize, RefusesWhatDoesNotCommute) {
  using Between = std::function<ValueId(GraphBuilder&, ValueId)>;
  const auto apply = [](const std::string& op, AttributeList attributes = {}) {
    return [=](GraphBuilder& b, ValueId v) { return b.node("between", op, {v}, attributes); };
  };
  const std::map<std::string, Between> betweens = {
      {"node 'between' (Sigmoid) reads it otherwise than by channel", apply("Sigmoid")},
      {"node 'between' (Clip) reads",
       [](GraphBuilder& b, ValueId v) {
         return b.node("between", "Clip", {v, b.scalar(0), b.scalar(6)});
       }},
      {"node 'between' (Softmax) reads", apply("Softmax")},
      {"node 'between' (Concat) reads",
       [](GraphBuilder& b, ValueId v) {
         return b.node("between", "Concat", {v, b.graph.inputs[0]}, {{"axis", int64_t{1}}});
       }},
      {"node 'between' (Add) reads",
       [](GraphBuilder& b, ValueId v) {
         return b.node("between", "Add", {v, b.graph.inputs[0]});
       }},
      {"node 'shift' (Add) reads",
       [](GraphBuilder& b, ValueId v) {
         return b.node("shift", "Add", {v, b.scalar(1)});
       }},
      {"node 'per' (Div) reads",
       [](GraphBuilder& b, ValueId v) {
         return b.node("per", "Div", {b.scalar(1), v});
       }},
      {"node 'pad' (Pad) reads",
       [](GraphBuilder& b, ValueId v) {
         return b.node("pad", "Pad", {v, b.ints({0, 0, 1, 1, 0, 0, 1, 1}), b.scalar(1)});
       }},
      {"node 'square' (Mul) reads",
       [](GraphBuilder& b, ValueId v) {
         return b.node("square", "Mul", {v, v});
       }},
      {"node 'heads' (Reshape) reads",
       [](GraphBuilder& b, ValueId v) {
         return b.node("back", "Reshape",
                       {b.node("heads", "Reshape", {v, b.ints({1, 2, 2, 6, 6})}), b.ints({1, 4, 6, 6})});
       }},
      {"'conv' is an output of the model",
       [](GraphBuilder& b, ValueId v) {
         b.output(v);
         return v;
       }},
  };
  for (const auto& [message, between] : betweens) {
    GraphBuilder b;
    const ValueId c = b.node("conv", "Conv", {b.input("x", {1, 4, 6, 6}), b.ramp({4, 4, 1, 1})});
    const ValueId read = between(b, c);
    const int64_t channels = message.find("Concat") == std::string::npos ? 4 : 8;
    b.output(b.node("d", "Conv", {read, b.ramp({2, channels, 1, 1})}));
    const EqualizationSites sites(b.graph);
    EXPECT_ERROR(sites.at(b.graph.find_node("conv")), ErrorCode::kInvalidArgument, message);
  }
}

TEST(Equalize, RefusesWhatHasNoScales) {
  GraphBuilder b;
  const ValueId x = b.input("x", {1, 4, 6, 6});
  const ValueId one_bias = b.node("g", "Gemm", {b.input("z", {2, 4}), b.ramp({4, 3}), b.scalar(1)});
  b.output(b.node("h", "Gemm", {one_bias, b.ramp({3, 2})}));
  const ValueId computed = b.node("m", "MatMul", {x, x});
  b.output(b.node("n", "MatMul", {b.node("r", "Relu", {computed}), b.ramp({6, 2})}));
  for (const EqualizationSite& site : EqualizationSites(b.graph).all()) EXPECT_TRUE(site.inserted);
  EXPECT_ERROR(EqualizationSites(b.graph).at(b.graph.find_node("m")), ErrorCode::kInvalidArgument,
               "tensor 'm': its channels cannot be scaled: node 'm' (MatMul) has no constant scales");
}

TEST(Equalize, CopiesWeightsThatOtherNodesRead) {
  GraphBuilder b;
  const ValueId shared = b.ramp({4, 4});
  const std::string name = b.graph.value(shared).name;
  const ValueId first = b.node("first", "MatMul", {b.input("x", {3, 4}), shared});
  const ValueId second = b.node("second", "MatMul", {b.node("r", "Relu", {first}), shared});
  b.output(b.node("third", "MatMul", {b.node("s", "Sigmoid", {second}), shared}));
  const Graph equalized = equalize(b.graph, {{"first", {"first", "r", "second"}, {1, -2, 3, 0}}});
  expect_same_bits(b.graph, equalized);
  EXPECT_EQ(equalized.value(equalized.node(equalized.find_node("third")).input(1)).name, name);
  EXPECT_NE(equalized.value(equalized.node(equalized.find_node("first")).input(1)).name, name);
  Plan plan;
  plan.add({.node = "second", .op_type = "MatMul", .operand = OperandRef::input(1), .value = name, .is_weight = true});
  rename_operands(equalized, plan);
  EXPECT_EQ(plan.operands()[0].value, equalized.value(equalized.node(equalized.find_node("second")).input(1)).name);
  EXPECT_NE(plan.operands()[0].value, name);
}

TEST(Equalize, LeavesChannelsThatFloatsCannotHold) {
  GraphBuilder b;
  const ValueId w = b.floats({1, 4}, {1e-37F, 1, 1e38F, 0});
  const ValueId y = b.node("first", "MatMul", {b.input("x", {3, 1}), w});
  b.output(b.node("second", "MatMul", {y, b.floats({4, 1}, {1, 1e-37F, 1, 1e38F})}));
  const EqualizationSite site = EqualizationSites(b.graph).all().at(0);
  EXPECT_EQ(exact_exponents(b.graph, site, {4, 5, -3, -2}), (std::vector<int>{0, 5, 0, -2}));
  EXPECT_EQ(exact_exponents(b.graph, site, {-4, -5, 3, 2}), (std::vector<int>{-4, 0, 3, 0}));
  EXPECT_ERROR(equalize(b.graph, {{"first", {"first", "second"}, {4, 0, 0, 0}}}), ErrorCode::kInvalidArgument,
               "tensor 'first', which it equalizes: a constant of node 'first' leaves the range of float32");
}

TEST(Equalize, NamesWhatDoesNotFitTheModel) {
  const Graph graph = networks().at("LayerNormalization, read by two")();
  const std::vector<std::string> nodes = {"ln", "q", "k"};
  const auto refused = [&](const Equalization& equalization, const std::string& message) {
    EXPECT_ERROR(
        equalize(graph, {equalization}), ErrorCode::kInvalidArgument,
        "the plan does not fit the model: tensor '" + equalization.tensor + "', which it equalizes: " + message);
  };
  refused({"gone", nodes, {1, 0, 0, 0}}, "the model has no such tensor");
  refused({"x", nodes, {1, 0, 0, 0}}, "no node computes it");
  refused({"ln", nodes, {1, 0, 0}}, "it has 4 channels, and 3 exponents");
  refused({"ln", {"ln", "q"}, {1, 0, 0, 0}}, "it concerns the nodes ln, q, k in the model, and ln, q in the plan");
  refused({"ln", nodes, {16, 0, 0, 0}}, "its exponents must be from -15 to 15");
  EXPECT_ERROR(equalize(graph, {{"x", {"ln"}, {1, 0, 0, 0}, true}}), ErrorCode::kInvalidArgument,
               "tensor 'x': its channels cannot be scaled: no MatMul, Gemm or depthwise Conv with");
}

}  // namespace
}  // namespace twofold
