#include "plan/float_functions.h"

#include <gtest/gtest.h>

#include <set>

#include "plan/config.h"
#include "plan/resolve.h"
#include "plan/test_graph.h"
#include "traits/op_traits.h"

namespace twofold {
namespace {

using Names = std::set<std::string>;

// x -> MatMul "in" -> h, to which a test adds a function h -> o; then o -> MatMul "out" -> y.
class Network : public GraphMaker {
 public:
  Network() {
    input("x").weight("w").weight("g").weight("b").weight("eps").weight("one").weight("two").indices("axes");
    node("MatMul", "in", {"x", "w"}, {"h"});
  }

  Plan plan(const std::string& config = "", const std::string& target = "cpu") {
    if (graph.outputs.empty()) node("MatMul", "out", {"o", "w"}, {"y"}).output("y");
    return resolve(graph, parse_config(config, "t"), load_target(target));
  }
  // Of the operators that are quantized by default, those whose inputs are all float32.
  Names floats(const std::string& config = "", const std::string& target = "cpu") {
    const Plan planned = plan(config, target);
    Names names, integers;
    for (const OperandPlan& operand : planned.operands()) {
      if (!operand.operand.is_input() || !traits_of(operand.op_type).quantized) continue;
      (is_integer(operand.granted) ? integers : names).insert(operand.node);
    }
    for (const std::string& name : integers) names.erase(name);
    return names;
  }
};

TEST(FloatFunctions, RmsNormAsPyTorchWritesIt) {
  Network network;
  network.node("Pow", "square", {"h", "two"}, {"p"}).node("ReduceMean", "mean", {"p", "axes"}, {"m"});
  network.node("Add", "epsilon", {"m", "eps"}, {"v"}).node("Sqrt", "sqrt", {"v"}, {"s"});
  network.node("Reciprocal", "reciprocal", {"s"}, {"r"}).node("Mul", "normalize", {"h", "r"}, {"n"});
  network.node("Mul", "scale", {"g", "n"}, {"o"});
  for (const char* const target : {"cpu", "generic", "journey6-oe3.1"}) {
    EXPECT_EQ(network.floats("", target), (Names{"epsilon", "normalize", "scale"})) << target;
    EXPECT_EQ(network.floats("model_config: {all_node_type: int16}", target), (Names{"epsilon", "normalize", "scale"}));
  }
  EXPECT_EQ(network.plan().find("out", OperandRef::input(0))->granted, QType::kInt8);
}

TEST(FloatFunctions, LayerNormAsJaxWritesIt) {
  Network network;
  network.node("ReduceMean", "mean", {"h", "axes"}, {"m"}).node("Mul", "square", {"h", "h"}, {"q"});
  network.node("ReduceMean", "mean_square", {"q", "axes"}, {"mq"}).node("Mul", "square_mean", {"m", "m"}, {"m2"});
  network.node("Sub", "variance", {"mq", "m2"}, {"v0"}).node("Max", "max", {"eps", "v0"}, {"v"});
  network.node("Sub", "center", {"h", "m"}, {"c"}).node("Add", "epsilon", {"v", "eps"}, {"ve"});
  network.node("Sqrt", "sqrt", {"ve"}, {"s"}).node("Reciprocal", "reciprocal", {"s"}, {"r"});
  network.node("Mul", "gain", {"r", "g"}, {"rg"}).node("Mul", "normalize", {"c", "rg"}, {"n"});
  network.node("Add", "bias", {"n", "b"}, {"o"});
  EXPECT_EQ(network.floats(),
            (Names{"square", "square_mean", "variance", "max", "center", "epsilon", "gain", "normalize", "bias"}));
}

TEST(FloatFunctions, SoftmaxByHand) {
  Network network;
  network.node("Add", "mask", {"h", "x"}, {"a"}).node("ReduceMax", "max", {"a", "axes"}, {"m"});
  network.node("Sub", "shift", {"a", "m"}, {"d"}).node("Exp", "exp", {"d"}, {"e"});
  network.node("ReduceSum", "sum", {"e", "axes"}, {"t"}).node("Div", "divide", {"e", "t"}, {"o"});
  EXPECT_EQ(network.floats(), (Names{"mask", "shift"}));
}

TEST(FloatFunctions, LogOfAPowerSpectrum) {
  Network network;
  network.node("MatMul", "sine", {"x", "w"}, {"i"}).node("Mul", "re2", {"h", "h"}, {"a"});
  network.node("Mul", "im2", {"i", "i"}, {"c"}).node("Add", "power", {"a", "c"}, {"p"});
  network.node("Add", "epsilon", {"p", "eps"}, {"pe"}).node("Log", "log", {"pe"}, {"l"});
  network.node("Mul", "decibel", {"l", "g"}, {"d"}).node("Sub", "center", {"d", "b"}, {"o"});
  EXPECT_EQ(network.floats(), (Names{"re2", "im2", "power", "epsilon", "decibel", "center"}));
}

TEST(FloatFunctions, WhatIsInFrontOfASoftmaxOrNormalization) {
  Network masked;
  masked.input("condition", DType::kBool).node("Where", "where", {"condition", "h", "b"}, {"m"});
  masked.node("Reshape", "reshape", {"m", "axes"}, {"r"}).node("Softmax", "softmax", {"r"}, {"o"});
  EXPECT_EQ(masked.floats(), (Names{"where", "reshape"}));
  Network residual;
  residual.node("Add", "residual", {"h", "x"}, {"a"}).node("LayerNormalization", "norm", {"a", "g", "b"}, {"o"});
  EXPECT_EQ(residual.floats(), Names{"residual"});
}

// Where products or outputs of the model read it as well, it is quantized for their sake.
TEST(FloatFunctions, WhatAlsoFeedsOtherOperatorsIsNoPart) {
  Network network;
  network.node("Add", "residual", {"h", "x"}, {"a"}).node("LayerNormalization", "norm", {"a", "g", "b"}, {"n"});
  network.node("Add", "next", {"a", "n"}, {"o"});
  EXPECT_EQ(network.floats(), Names{});
  Network output;
  output.node("Add", "residual", {"h", "x"}, {"a"}).node("Exp", "exp", {"a"}, {"o"}).output("a").output("o");
  EXPECT_EQ(output.floats(), Names{});
}

// SwiGLU: silu(h) * (x U). The result of the function is quantized where it meets another tensor.
TEST(FloatFunctions, AFunctionEndsWhereItMeetsAnotherTensor) {
  Network network;
  network.node("Neg", "negate", {"h"}, {"n"}).node("Exp", "exp", {"n"}, {"e"}).node("Add", "add", {"e", "one"}, {"d"});
  network.node("Reciprocal", "sigmoid", {"d"}, {"s"}).node("Mul", "silu", {"h", "s"}, {"a"});
  network.node("MatMul", "up", {"x", "w"}, {"u"}).node("Mul", "gate", {"a", "u"}, {"o"});
  EXPECT_EQ(network.floats(), (Names{"negate", "add", "silu"}));
}

TEST(FloatFunctions, OrdinaryNetworksStayIntegers) {
  Network network;
  network.node("Relu", "relu", {"h"}, {"r"}).node("Add", "add", {"r", "x"}, {"a"}).node("Sigmoid", "s", {"a"}, {"t"});
  network.node("Mul", "mul", {"a", "t"}, {"m"}).node("AveragePool", "pool", {"m"}, {"p"});
  network.node("Div", "divide", {"p", "two"}, {"d"}).node("Sub", "subtract", {"d", "x"}, {"u"});
  network.node("ReduceMean", "mean", {"u", "axes"}, {"o"});
  EXPECT_EQ(network.floats(), Names{}) << "means, and divisions by a constant, are not steep";
}

TEST(FloatFunctions, ResultsOfSamplingAreLikeThoseOfProducts) {
  Network network;
  network.node("Resize", "resize", {"h"}, {"r"}).node("Softmax", "softmax", {"r"}, {"o"});
  EXPECT_EQ(network.floats(), Names{});
}

TEST(FloatFunctions, AConfigDecides) {
  Network network;
  network.node("Mul", "square", {"h", "h"}, {"q"}).node("ReduceSum", "sum", {"q", "axes"}, {"t"});
  network.node("Add", "epsilon", {"t", "eps"}, {"v"}).node("Sqrt", "sqrt", {"v"}, {"s"});
  network.node("Div", "divide", {"h", "s"}, {"d"}).node("Mul", "scale", {"d", "g"}, {"o"});
  EXPECT_EQ(network.floats(), (Names{"square", "epsilon", "scale"}));
  EXPECT_EQ(network.floats("op_config: {Add: {qtype: int16}}"), Names{"scale"}) << "square now feeds integers";
  EXPECT_EQ(network.floats("node_config: {epsilon: {input0: int8}}"), Names{"scale"});
  EXPECT_EQ(network.floats("node_config: {divide: {qtype: int16}}"), (Names{"square", "epsilon"}));
  EXPECT_EQ(network.floats("op_config: {Mul: {qtype: int8}}"), Names{"epsilon"});
  EXPECT_EQ(network.floats("op_config: {Add: {qtype: float32}}"), (Names{"square", "epsilon", "scale"}));
  EXPECT_TRUE(network.plan().fallbacks().empty()) << "nothing was asked that is not so";
}

TEST(FloatFunctions, ATargetWithoutFloatsHasNoParts) {
  Network network;
  network.node("Add", "epsilon", {"h", "x"}, {"v"})
      .node("Exp", "exp", {"v"}, {"o"})
      .node("MatMul", "out", {"o", "w"}, {"y"});
  network.output("y");
  const Plan plan = resolve(network.graph, QuantConfig{},
                            parse_target(R"(
name: t
operators:
  - {ops: Add, combinations: [{each_input: [int8]}]}
  - {ops: "*", combinations: [{each_input: [int8, float32]}]}
)",
                                         "t"));
  EXPECT_EQ(plan.find("epsilon", OperandRef::input(0))->granted, QType::kInt8);
  EXPECT_TRUE(plan.fallbacks().empty());
}

TEST(FloatFunctions, ANoteCountsTheOperands) {
  Network network;
  network.node("Add", "epsilon", {"h", "x"}, {"v"}).node("Exp", "exp", {"v"}, {"e"});
  network.node("Mul", "scale", {"e", "g"}, {"o"});
  EXPECT_EQ(network.plan().notes,
            (std::vector<std::string>{
                "operands that stay float32 unless an op, subgraph or node config asks for them: Exp (1)",
                "operands that stay float32 as parts of functions with such operators, unless a config asks for them: "
                "Add (2), Mul (2)"}));
}

// A tensor of many tensors is one of its own, or sets of them would grow with the depth of a network.
TEST(FloatFunctions, ATensorMayComeFromMany) {
  Network network;
  std::string sum = "h";
  for (int i = 0; i < 20; ++i) {
    const std::string n = std::to_string(i);
    network.node("MatMul", "m" + n, {"x", "w"}, {"p" + n}).node("Add", "a" + n, {sum, "p" + n}, {"s" + n});
    sum = "s" + n;
  }
  network.node("Exp", "exp", {sum}, {"e"}).node("Mul", "mul", {sum, "e"}, {"o"});
  const Names floats = network.floats();
  EXPECT_EQ(floats.size(), 21U) << "all sums feed nothing but the function";
  EXPECT_TRUE(floats.contains("mul"));
}

}  // namespace
}  // namespace twofold
