#include "plan/resolve.h"

#include <fmt/format.h>

#include "plan/expect_error.h"
#include "plan/test_graph.h"

namespace twofold {
namespace {

Plan resolve_text(const std::string& config, const std::string& target = "cpu", const ResolveOptions& options = {}) {
  const QuantConfig parsed = parse_config(config, "test.yaml");
  return resolve(small_graph(), parsed, load_target(target), options);
}

// "int16" of an operand, or "-" if it is not planned.
std::string granted(const Plan& plan, const std::string& node, OperandRef operand) {
  const OperandPlan* found = plan.find(node, operand);
  return found == nullptr ? "-" : std::string(to_string(found->granted));
}

std::string reason(const Plan& plan, const std::string& node, OperandRef operand) {
  const OperandPlan* found = plan.find(node, operand);
  return found == nullptr ? "not planned" : found->reason;
}

TEST(Resolve, DefaultsQuantizeWhatIsQuantizedByDefault) {
  const Plan plan = resolve_text("{}");
  EXPECT_EQ(granted(plan, "Conv_1", OperandRef::input(0)), "int8");
  EXPECT_EQ(granted(plan, "Conv_1", OperandRef::input(1)), "int8");
  EXPECT_EQ(granted(plan, "Conv_1", OperandRef::input(2)), "-");
  EXPECT_EQ(granted(plan, "MatMul_2", OperandRef::input(0)), "int8");
  EXPECT_EQ(granted(plan, "MatMul_2", OperandRef::input(1)), "int8");
  EXPECT_EQ(granted(plan, "Add_3", OperandRef::input(0)), "float32") << "it feeds the Softmax alone";
  EXPECT_EQ(granted(plan, "Softmax_4", OperandRef::input(0)), "float32");
  EXPECT_EQ(granted(plan, "Reshape_5", OperandRef::input(0)), "float32") << "its reader is the model's float32 output";
  EXPECT_EQ(granted(plan, "Reshape_5", OperandRef::input(1)), "-");
  EXPECT_EQ(granted(plan, "Reshape_5", OperandRef::output(0)), "float32");
  EXPECT_TRUE(plan.find("Conv_1", OperandRef::input(1))->is_weight);
  EXPECT_FALSE(plan.find("Conv_1", OperandRef::input(0))->is_weight);
  EXPECT_EQ(plan.fallbacks(), std::vector<std::string>{});
  EXPECT_EQ(plan.target, "cpu");
}

TEST(Resolve, TheFileOfTheDocumentationWorks) {
  const char* const kFile = R"(calibration_parameters:
  quant_config: {
    // model level
    "model_config": {
      // input type of every node
      "all_node_type": "int8",
      // type of the model outputs
      "model_output_type": "int8",
    },
    "node_config": {
      "Conv_1":   {"input0": "int16", "input1": "ec"},
      "Matmul_2": {"input0": "int16", "input1": "ec"},
    }
  }
)";
  GraphMaker maker;
  maker.input("x").input("y").weight("w1");
  maker.node("Conv", "Conv_1", {"x", "w1"}, {"c"}).node("MatMul", "Matmul_2", {"c", "y"}, {"out"}).output("out");
  const Plan plan = resolve(maker.graph, parse_config(kFile, "ptq.yaml"), load_target("cpu"));
  EXPECT_EQ(granted(plan, "Conv_1", OperandRef::input(0)), "int16");
  EXPECT_EQ(granted(plan, "Conv_1", OperandRef::input(1)), "ec");
  EXPECT_EQ(granted(plan, "Matmul_2", OperandRef::input(0)), "int16");
  EXPECT_EQ(granted(plan, "Matmul_2", OperandRef::input(1)), "ec");
  EXPECT_EQ(granted(plan, "Matmul_2", OperandRef::output(0)), "int8");
  EXPECT_EQ(plan.find("Conv_1", OperandRef::input(0))->decided_by, DecidedBy::kNode);
  EXPECT_EQ(plan.fallbacks(), std::vector<std::string>{});
}

TEST(Resolve, AGemmTakesOneSixteenBitInputOnOpenExplorer31) {
  const Plan plan =
      resolve_text("node_config: {MatMul_2: {qtype: int16}, Conv_1: {qtype: dual-int16}}", "journey6-oe3.1");
  EXPECT_EQ(granted(plan, "MatMul_2", OperandRef::input(0)), "int16");
  EXPECT_EQ(granted(plan, "MatMul_2", OperandRef::input(1)), "int8");
  EXPECT_EQ(plan.find("MatMul_2", OperandRef::input(1))->asked, QType::kInt16);
  EXPECT_EQ(reason(plan, "MatMul_2", OperandRef::input(1)),
            "fallback policy v1 keeps one 16-bit input of a MatMul: input0, as no sensitivity is given");
  EXPECT_EQ(granted(plan, "Conv_1", OperandRef::input(1)), "int8");
  EXPECT_EQ(reason(plan, "Conv_1", OperandRef::input(0)), "");
}

// What a node's data inputs are granted: "int16 int8".
std::string inputs_of(const Plan& plan, const std::string& node) {
  std::string text;
  for (const OperandPlan& operand : plan.operands()) {
    if (operand.node != node || !operand.operand.is_input()) continue;
    text += fmt::format("{}{}", text.empty() ? "" : " ", to_string(operand.granted));
  }
  return text;
}

TEST(Resolve, QTypesOfNodes) {
  const auto with = [](const std::string& qtype) {
    return resolve_text("op_config: {Conv: {qtype: " + qtype + "}, MatMul: {qtype: " + qtype +
                        "}, Add: {qtype: " + qtype + "}}");
  };
  EXPECT_EQ(inputs_of(with("int8"), "Conv_1"), "int8 int8");
  EXPECT_EQ(inputs_of(with("int16"), "Conv_1"), "int16 int8") << "weights stay int8";
  EXPECT_EQ(inputs_of(with("dual-int16"), "Conv_1"), "int16 int16");
  EXPECT_EQ(inputs_of(with("int16-ec"), "Conv_1"), "int16 ec");
  EXPECT_EQ(inputs_of(with("float16"), "Conv_1"), "float16 float16");
  EXPECT_EQ(inputs_of(with("float32"), "Conv_1"), "float32 float32");
  EXPECT_EQ(inputs_of(with("int16"), "MatMul_2"), "int16 int16") << "both inputs are data";
  EXPECT_EQ(inputs_of(with("int16-ec"), "MatMul_2"), "int16 ec");
  EXPECT_EQ(inputs_of(with("dual-int16"), "Add_3"), "int16 int16");
  EXPECT_EQ(inputs_of(with("int16-ec"), "Add_3"), "int16 int16");
  EXPECT_EQ(with("dual-int16").notes.back(), "op_config.Add: on Add, dual-int16 means int16 for every data input");
  EXPECT_TRUE(with("dual-int16").fallbacks().empty());
}

TEST(Resolve, TheWeightOfAMatMulMayBeEitherInput) {
  GraphMaker maker;
  maker.input("x").weight("w").node("MatMul", "m", {"w", "x"}, {"out"}).output("out");
  const auto with = [&](const std::string& qtype) {
    return resolve(maker.graph, parse_config("node_config: {m: {qtype: " + qtype + "}}", "f"), load_target("cpu"));
  };
  EXPECT_EQ(inputs_of(with("int16"), "m"), "int8 int16");
  EXPECT_EQ(inputs_of(with("int16-ec"), "m"), "ec int16");
  EXPECT_TRUE(with("int16").find("m", OperandRef::input(0))->is_weight);
}

TEST(Resolve, AllNodeType) {
  EXPECT_EQ(inputs_of(resolve_text("model_config: {all_node_type: int16}"), "Conv_1"), "int16 int8");
  EXPECT_EQ(inputs_of(resolve_text("model_config: {all_node_type: int16}"), "Softmax_4"), "float32");
  const Plan plan = resolve_text("model_config: {all_node_type: float32}");
  for (const OperandPlan& operand : plan.operands()) EXPECT_EQ(operand.granted, QType::kFloat32) << operand.node;
  EXPECT_EQ(inputs_of(resolve_text("op_config: {Softmax: {qtype: int16}}"), "Softmax_4"), "int16");
}

TEST(Resolve, PriorityOfLevels) {
  std::string config = "model_config: {all_node_type: int16}\n";
  const auto conv = [&] {
    const Plan plan = resolve_text(config);
    return fmt::format("{} {} {}", inputs_of(plan, "Conv_1"),
                       to_string(plan.find("Conv_1", OperandRef::input(0))->decided_by),
                       to_string(plan.find("Conv_1", OperandRef::input(1))->decided_by));
  };
  EXPECT_EQ(conv(), "int16 int8 default default");
  config += "op_config: {Conv: {qtype: int8, input1: int16}}\n";
  EXPECT_EQ(conv(), "int8 int16 op op") << "inputN beats qtype inside one level";
  config += "subgraph_config: {s: {inputs: [Conv_1], outputs: [MatMul_2], input1: float16}}\n";
  EXPECT_EQ(conv(), "int8 float16 op subgraph");
  config += "node_config: {Conv_1: {qtype: float32}}\n";
  EXPECT_EQ(conv(), "float32 float32 node node") << "a node's qtype beats an input of a lower level";
}

TEST(Resolve, SubgraphsHoldTheNodesOnThePaths) {
  const auto chosen = [](const std::string& ends) {
    std::string names;
    const Plan plan = resolve_text("subgraph_config: {s: {" + ends + ", input0: int16}}");
    for (const OperandPlan& operand : plan.operands()) {
      if (operand.decided_by == DecidedBy::kSubgraph) names += operand.node + " ";
    }
    return names;
  };
  EXPECT_EQ(chosen("inputs: [MatMul_2], outputs: [Add_3]"), "MatMul_2 Add_3 ");
  EXPECT_EQ(chosen("inputs: [Add_3]"), "Add_3 Softmax_4 Reshape_5 ");
  EXPECT_EQ(chosen("outputs: [MatMul_2]"), "Conv_1 MatMul_2 ");
  EXPECT_EQ(chosen("inputs: [y], outputs: [m]"), "MatMul_2 ") << "names of tensors";
  EXPECT_EQ(chosen("inputs: [Relu_1], outputs: [Conv_1]"), "Conv_1 ") << "a fused name";
  EXPECT_EQ(resolve_text("subgraph_config: {s: {inputs: [Add_3], outputs: [Conv_1], qtype: int16}}").unmet,
            std::vector<std::string>{"subgraph_config.s: no path leads from its inputs to its outputs"});
  const Plan later =
      resolve_text("subgraph_config: {b: {inputs: [Add_3], qtype: int8}, a: {inputs: [Add_3], qtype: int16}}");
  EXPECT_EQ(inputs_of(later, "Add_3"), "int16 int16") << "the later one wins";
}

TEST(Resolve, FusedNodesAreFoundByEveryOrigin) {
  EXPECT_EQ(inputs_of(resolve_text("node_config: {Relu_1: {qtype: int16}}"), "Conv_1"), "int16 int8");
  const Plan plan = resolve_text("node_config: {Relu_1: {qtype: int16}, Conv_1: {qtype: int8}}");
  EXPECT_EQ(inputs_of(plan, "Conv_1"), "int8 int8") << "the node's own name goes first";
}

TEST(Resolve, UnknownNames) {
  EXPECT_ERROR(resolve_text("node_config: {conv1: {qtype: int16}}"), ErrorCode::kNotFound,
               "node_config: the model has no node 'conv1'; the nearest names are 'Conv_1', 'Add_3', 'Relu_1'");
  EXPECT_ERROR(resolve_text("op_config: {Matmull: {qtype: int16}}"), ErrorCode::kNotFound,
               "op_config: the model has no operator 'Matmull'; the nearest names are 'MatMul',");
  EXPECT_ERROR(resolve_text("subgraph_config: {s: {inputs: [Cnv_1]}}"), ErrorCode::kNotFound,
               "subgraph_config.s.inputs: the model has no node or tensor 'Cnv_1'; the nearest names are 'Conv_1'");
  EXPECT_EQ(resolve_text("op_config: {Gelu: {qtype: int16}}").unmet,
            std::vector<std::string>{"op_config.Gelu: the model has no Gelu after folding and fusing"});
  ResolveOptions options;
  options.input_file_nodes = {"Constant_7"};
  EXPECT_EQ(resolve_text("node_config: {Constant_7: {qtype: int16}}", "cpu", options).unmet.size(), 1U);
}

TEST(Resolve, PatternsOfNames) {
  const Plan plan =
      resolve_text("node_config: {'*': {qtype: int16}, 'MatMul*': {qtype: float32}, Add_3: {qtype: int8}}");
  EXPECT_EQ(inputs_of(plan, "Conv_1"), "int16 int8");
  EXPECT_EQ(inputs_of(plan, "MatMul_2"), "float32 float32") << "the longer pattern wins";
  EXPECT_EQ(inputs_of(plan, "Add_3"), "int8 int8") << "a name wins over patterns";
  EXPECT_EQ(plan.find("Conv_1", OperandRef::input(0))->decided_by, DecidedBy::kNode);
  EXPECT_EQ(inputs_of(resolve_text("node_config: {'Rel*_1': {qtype: int16}}"), "Conv_1"), "int16 int8")
      << "origins too";
  EXPECT_EQ(inputs_of(resolve_text("node_config: {'*on*1': {qtype: int16}}"), "Conv_1"), "int16 int8");
  // An operand that not every node of a pattern has.
  EXPECT_EQ(inputs_of(resolve_text("node_config: {'*_*': {input1: int16}}"), "Conv_1"), "int8 int16");
  EXPECT_ERROR(resolve_text("node_config: {'*_*': {input7: int16}}"), ErrorCode::kInvalidArgument,
               "node_config.*_*.input7: no node that it applies to has this operand");
  EXPECT_ERROR(
      resolve_text("node_config:\n  'Conv_.*': {qtype: int16}"), ErrorCode::kNotFound,
      ":2: node_config: no node has a name of the pattern 'Conv_.*', in which * stands for any characters; the "
      "nearest names are 'Conv_1'");
  ResolveOptions options;
  options.input_file_nodes = {"Constant_7"};
  EXPECT_EQ(resolve_text("node_config: {'Constant*': {qtype: int16}}", "cpu", options).unmet.size(), 1U);
}

TEST(Resolve, OperandsThatANodeDoesNotHave) {
  EXPECT_ERROR(resolve_text("model_config: {}\n\nnode_config:\n  conv1: {qtype: int16}"), ErrorCode::kNotFound,
               ":4: node_config: the model has no node 'conv1'");
  EXPECT_ERROR(resolve_text("op_config:\n  Matmull: {qtype: int16}"), ErrorCode::kNotFound, ":2: op_config: ");
  EXPECT_ERROR(resolve_text("subgraph_config:\n  s: {inputs: Cnv_1}"), ErrorCode::kNotFound, ":2: subgraph_config.s");
  EXPECT_ERROR(resolve_text("node_config: {Conv_1: {input3: int16}}"), ErrorCode::kInvalidArgument,
               "node_config.Conv_1.input3: node 'Conv_1' (Conv) has no input3; it has 3 inputs and 1 output");
  EXPECT_ERROR(resolve_text("op_config: {Add: {output1: int16}}"), ErrorCode::kInvalidArgument,
               "op_config.Add.output1: no node that it applies to has this operand");
}

TEST(Resolve, EcWhereItHasNoEffectSaysSo) {
  const Plan plan = resolve_text(
      "node_config: {Conv_1: {input0: ec, qtype: int16}, Add_3: {input1: ec}, "
      "MatMul_2: {input0: ec, output0: ec}}");
  EXPECT_EQ(granted(plan, "Conv_1", OperandRef::input(0)), "int16") << "the next word decides";
  EXPECT_EQ(plan.find("Conv_1", OperandRef::input(0))->asked, QType::kEc);
  EXPECT_EQ(reason(plan, "Conv_1", OperandRef::input(0)), "ec has no effect on input0 of Conv");
  EXPECT_EQ(granted(plan, "Add_3", OperandRef::input(1)), "float32") << "as a part of the Softmax";
  EXPECT_EQ(plan.find("Add_3", OperandRef::input(1))->decided_by, DecidedBy::kDefault);
  EXPECT_EQ(reason(plan, "Add_3", OperandRef::input(1)), "ec has no effect on input1 of Add");
  EXPECT_EQ(granted(plan, "MatMul_2", OperandRef::input(0)), "ec");
  EXPECT_EQ(reason(plan, "MatMul_2", OperandRef::output(0)), "ec has no effect on outputs of MatMul");
  EXPECT_ERROR(resolve_text("node_config: {Add_3: {input1: ec}}", "cpu", {.strict = true}), ErrorCode::kUnsupported,
               "node 'Add_3' (Add) input1: asked ec, granted float32: ec has no effect on input1 of Add");
}

TEST(Resolve, OperandsThatAreNotDataSaySo) {
  const Plan plan = resolve_text("node_config: {Conv_1: {input2: int16}, Reshape_5: {input1: int8}}");
  EXPECT_EQ(reason(plan, "Conv_1", OperandRef::input(2)),
            "a bias is quantized with the scales of the other two inputs");
  EXPECT_EQ(granted(plan, "Conv_1", OperandRef::input(2)), "float32");
  EXPECT_EQ(reason(plan, "Reshape_5", OperandRef::input(1)),
            "it does not hold float32 numbers, as far as the model tells");
  GraphMaker maker;
  maker.input("x").node("Shape", "s", {"x"}, {"i"}).node("Gather", "g", {"i", "i"}, {"out"}).output("out");
  const Plan shapes = resolve(maker.graph, parse_config("node_config: {s: {qtype: int16}, g: {qtype: int16}}", "f"),
                              load_target("cpu"));
  EXPECT_EQ(reason(shapes, "s", OperandRef::input(0)), "this Shape has no operand that can be quantized");
  EXPECT_EQ(reason(shapes, "g", OperandRef::input(0)), "this Gather has no operand that can be quantized");
  EXPECT_EQ(granted(shapes, "g", OperandRef::output(0)), "-") << "an integer output of the model";
}

TEST(Resolve, NodesThatMoveDataFollowTheirReaders) {
  GraphMaker maker;
  maker.input("x").input("k").weight("w").indices("shape");
  maker.node("Relu", "relu", {"x"}, {"r"}).node("Conv", "conv", {"r", "w"}, {"c"});
  maker.node("Reshape", "reshape", {"c", "shape"}, {"d"}).node("Transpose", "transpose", {"d"}, {"t"});
  maker.node("MatMul", "matmul", {"t", "k"}, {"out"}).output("out");
  const auto transpose = [&](const std::string& config) {
    const Plan plan = resolve(maker.graph, parse_config(config, "f"), load_target("cpu"));
    return inputs_of(plan, "relu") + " " + inputs_of(plan, "reshape") + " " + inputs_of(plan, "transpose");
  };
  EXPECT_EQ(transpose(""), "int8 int8 int8");
  EXPECT_EQ(transpose("node_config: {matmul: {input0: int16}}"), "int8 int16 int16");
  EXPECT_EQ(transpose("node_config: {matmul: {input0: ec}}"), "int8 float32 float32") << "two terms only at the reader";
  EXPECT_EQ(transpose("node_config: {matmul: {qtype: float32}}"), "int8 float32 float32");
  EXPECT_EQ(transpose("node_config: {matmul: {input0: int16}, reshape: {qtype: int8}}"), "int8 int8 int16");
  EXPECT_EQ(transpose("node_config: {conv: {qtype: int16}, transpose: {output0: int8}}"), "int16 int8 int8");
  const Plan plan = resolve(maker.graph, QuantConfig{}, load_target("cpu"));
  EXPECT_TRUE(plan.find("reshape", OperandRef::input(0))->moves_data);
  EXPECT_FALSE(plan.find("conv", OperandRef::input(0))->moves_data);
}

TEST(Resolve, FallbackPolicies) {
  const std::string config = "node_config: {MatMul_2: {qtype: dual-int16}, Conv_1: {qtype: int16-ec}}";
  EXPECT_EQ(inputs_of(resolve_text(config), "MatMul_2"), "int16 int16") << "v2 is the default of the cpu";
  ResolveOptions v1{.policy = FallbackPolicy::kV1};
  EXPECT_EQ(inputs_of(resolve_text(config, "cpu", v1), "MatMul_2"), "int16 int8");
  EXPECT_EQ(inputs_of(resolve_text(config, "cpu", v1), "Conv_1"), "int16 int8");
  v1.sensitivity = {{{"MatMul_2", OperandRef::input(0)}, 0.1},
                    {{"MatMul_2", OperandRef::input(1)}, 0.2},
                    {{"Conv_1", OperandRef::input(1)}, 0.1}};
  const Plan plan = resolve_text(config, "cpu", v1);
  EXPECT_EQ(inputs_of(plan, "MatMul_2"), "int8 int16");
  EXPECT_EQ(inputs_of(plan, "Conv_1"), "int8 ec");
  EXPECT_EQ(reason(plan, "MatMul_2", OperandRef::input(0)),
            "fallback policy v1 keeps one 16-bit input of a MatMul: input1, the more sensitive one");
  EXPECT_EQ(plan.policy, FallbackPolicy::kV1);
  EXPECT_EQ(inputs_of(resolve_text("op_config: {Add: {qtype: int16}}", "cpu", v1), "Add_3"), "int16 int16")
      << "v1 is about Gemm-type operators";
}

TEST(Resolve, V2OnATargetThatCannot) {
  ResolveOptions options{.policy = FallbackPolicy::kV2, .sensitivity = {{{"MatMul_2", OperandRef::input(1)}, 1.0}}};
  const Plan plan = resolve_text("node_config: {MatMul_2: {qtype: dual-int16}}", "journey6-oe3.1", options);
  EXPECT_EQ(inputs_of(plan, "MatMul_2"), "int8 int16");
  EXPECT_EQ(
      reason(plan, "MatMul_2", OperandRef::input(0)),
      "target 'journey6-oe3.1' has no MatMul with inputs (int16, int16); the nearest is (int8, int16): a Gemm-type "
      "operator takes at most one 16-bit input here");
}

TEST(Resolve, OpenExplorer32GoesThroughEc) {
  const Plan plan =
      resolve_text("node_config: {MatMul_2: {qtype: dual-int16}, Conv_1: {qtype: int16-ec}}", "journey6-oe3.2");
  EXPECT_EQ(inputs_of(plan, "MatMul_2"), "int16 ec");
  EXPECT_EQ(inputs_of(plan, "Conv_1"), "int16 ec");
  EXPECT_NE(reason(plan, "MatMul_2", OperandRef::input(1)), "");
  EXPECT_EQ(reason(plan, "Conv_1", OperandRef::input(1)), "");
  EXPECT_EQ(granted(plan, "Conv_1", OperandRef::output(0)), "-") << "its reader is an integer operand";
  EXPECT_ERROR(resolve_text("{}", "journey6-oe3.2", {.compiler_version = "4.3.2"}), ErrorCode::kUnsupported,
               "needs the Journey 6 compiler 4.3.3 or newer, not 4.3.2");
  EXPECT_EQ(resolve_text("{}", "journey6-oe3.2", {.compiler_version = "4.3.3"}).compiler_version, "4.3.3");
}

TEST(Resolve, NoHighPrecisionOutputOfDualOperatorsOnOpenExplorer32) {
  const std::string dual = "node_config: {MatMul_2: {qtype: int16-ec, output0: float32}}";
  EXPECT_EQ(granted(resolve_text(dual), "MatMul_2", OperandRef::output(0)), "float32");
  const Plan plan = resolve_text(dual, "journey6-oe3.2");
  EXPECT_EQ(granted(plan, "MatMul_2", OperandRef::output(0)), "int16");
  EXPECT_EQ(
      reason(plan, "MatMul_2", OperandRef::output(0)),
      "target 'journey6-oe3.2' has no float32 output of MatMul with these inputs: two 16-bit inputs of a Gemm-type "
      "operator go through ec, and then there is no high-precision output");
  EXPECT_ERROR(resolve_text(dual, "journey6-oe3.2", {.strict = true}), ErrorCode::kUnsupported,
               "node 'MatMul_2' (MatMul) output0: asked float32, granted int16");
  const Plan read_as_float =
      resolve_text("node_config: {MatMul_2: {qtype: int16-ec}, Add_3: {input0: float32}}", "journey6-oe3.2");
  EXPECT_EQ(granted(read_as_float, "MatMul_2", OperandRef::output(0)), "int16") << "its reader sees it as float";

  GraphMaker maker;
  maker.input("x").weight("w").node("Conv", "c", {"x", "w"}, {"out"}).output("out");
  const auto output = [&](const std::string& config) {
    const QuantConfig parsed = parse_config("node_config: {c: {qtype: int16-ec}}\n" + config, "f");
    return *resolve(maker.graph, parsed, load_target("journey6-oe3.2")).find("c", OperandRef::output(0));
  };
  EXPECT_EQ(output("").granted, QType::kInt16);
  EXPECT_NE(output("").reason, "");
  EXPECT_EQ(output("model_config: {model_output_type: int16}").reason, "");
}

TEST(Resolve, TargetsWithoutAnyNearCombination) {
  const std::string target =
      "name: t\noperators:\n"
      "  - {ops: Conv, combinations: [{inputs: [int8, int8]}, {each_input: [float32]}]}\n"
      "  - {ops: MatMul, combinations: [{each_input: [float32]}]}\n"
      "  - {ops: Add, combinations: [{each_input: [int16]}]}\n"
      "  - {ops: '*', default: float32, combinations: [{each_input: [float32]}]}\n";
  const QuantConfig config = parse_config("op_config: {Conv: {qtype: int16}}", "f");
  const Plan plan = resolve(small_graph(), config, parse_target(target, "t"));
  EXPECT_EQ(inputs_of(plan, "Conv_1"), "int8 int8") << "fewer bits before float";
  EXPECT_EQ(inputs_of(plan, "MatMul_2"), "float32 float32");
  EXPECT_EQ(inputs_of(plan, "Add_3"), "int16 int16") << "more bits where there are no fewer";
  EXPECT_EQ(reason(plan, "Conv_1", OperandRef::input(0)),
            "target 't' has no Conv with inputs (int16, int8); the nearest is (int8, int8)");
  EXPECT_EQ(reason(plan, "Conv_1", OperandRef::input(1)), "");
}

TEST(Resolve, ModelOutputs) {
  EXPECT_EQ(granted(resolve_text("model_config: {model_output_type: int8}"), "Reshape_5", OperandRef::output(0)),
            "int8");
  const Plan plan = resolve_text("model_config: {model_output_type: int8}\nnode_config: {Reshape_5: {output0: int16}}");
  EXPECT_EQ(granted(plan, "Reshape_5", OperandRef::output(0)), "int16");
  EXPECT_EQ(inputs_of(plan, "Reshape_5"), "int16");
  EXPECT_EQ(granted(resolve_text("node_config: {Conv_1: {output0: int8}}"), "Conv_1", OperandRef::output(0)), "int8");
}

TEST(Resolve, SettingsOfCalibration) {
  const Plan plan = resolve_text(R"(
model_config: {activation: {max_percentile: 0.9, per_channel: [true, false]}, weight: {rounding: nearest}}
op_config: {MatMul: {activation: {calibration_type: [kl, mse], num_bin: 256}}}
node_config: {MatMul_2: {input0: int16, activation: {num_bin: 512}}, Conv_1: {input0: int16, weight: {bias_correction: {}}}, Add_3: {qtype: int8}}
)");
  const ActivationConfig& matmul = plan.find("MatMul_2", OperandRef::input(0))->activation;
  EXPECT_EQ(matmul.methods, (std::vector{RangeMethod::kKl, RangeMethod::kMse}));
  EXPECT_EQ(matmul.num_bin, std::vector{512});
  EXPECT_EQ(matmul.max_num_bin, std::vector{16384});
  EXPECT_EQ(matmul.max_percentile, std::vector{0.9});
  EXPECT_EQ(matmul.per_channel, (std::vector{true, false}));
  EXPECT_EQ(matmul.asymmetric, std::vector{false});
  EXPECT_EQ(plan.find("Conv_1", OperandRef::input(0))->activation.methods, std::vector{RangeMethod::kMax}) << "16 bits";
  EXPECT_TRUE(plan.find("Add_3", OperandRef::input(0))->activation.methods.empty()) << "to be searched";
  EXPECT_EQ(plan.find("Softmax_4", OperandRef::input(0))->activation, ActivationConfig{}) << "not quantized";
  const OperandPlan& weight = *plan.find("Conv_1", OperandRef::input(1));
  EXPECT_EQ(weight.activation, ActivationConfig{});
  EXPECT_EQ(weight.weight.rounding, std::vector{Rounding::kNearest});
  EXPECT_TRUE(weight.weight.bias_correction);
  EXPECT_ERROR(resolve_text("op_config: {Add: {qtype: int8, activation: {num_bin: 20000}}}"),
               ErrorCode::kInvalidArgument, "node 'Add_3' (Add): num_bin 20000 is more than max_num_bin 16384");
}

TEST(Resolve, StrictListsEveryFallback) {
  const std::string config =
      "node_config: {MatMul_2: {qtype: int16}, Add_3: {input0: ec}}\nop_config: {Gelu: {qtype: int8}}";
  EXPECT_NO_THROW(resolve_text("node_config: {MatMul_2: {qtype: int16}}", "cpu", {.strict = true}));
  EXPECT_ERROR(resolve_text(config, "journey6-oe3.1", {.strict = true}), ErrorCode::kUnsupported,
               "--strict: 3 requests cannot be met as asked: node 'MatMul_2' (MatMul) input1: asked int16, granted "
               "int8: ");
}

TEST(Resolve, NodesInBodiesStayFloat) {
  GraphMaker body;
  body.input("a").node("Relu", "inner", {"a"}, {"b"}).output("b");
  GraphMaker maker;
  maker.input("c", DType::kBool).input("x").node("If", "if", {"c", "x"}, {"out"}).output("out");
  maker.graph.attributes(0).set("then_branch", std::make_shared<const Graph>(body.graph));
  const Plan plan = resolve(maker.graph, parse_config("node_config: {inner: {qtype: int8}}", "f"), load_target("cpu"));
  EXPECT_EQ(plan.unmet,
            std::vector<std::string>{"node_config.inner: nodes in the bodies of If, Loop and Scan stay float32"});
  EXPECT_TRUE(plan.operands().empty());
}

// MaxPool's indices, masks, arithmetic on integers and islands of other floats are left as they are.
TEST(Resolve, OnlyFloat32IsQuantized) {
  GraphMaker maker;
  maker.input("x").input("c", DType::kBool).indices("one").weight("w");
  maker.node("Conv", "conv", {"x", "w"}, {"a"}).node("MaxPool", "pool", {"a"}, {"p", "i"});
  maker.node("Add", "shifted", {"i", "one"}, {"j"}).node("Cast", "to_double", {"p"}, {"d"});
  maker.graph.attributes(maker.graph.find_node("to_double")).set("to", static_cast<int64_t>(DType::kFloat64));
  maker.node("Mul", "island", {"d", "d"}, {"e"}).node("Cast", "back", {"e"}, {"f"});
  maker.graph.attributes(maker.graph.find_node("back")).set("to", static_cast<int64_t>(DType::kFloat32));
  maker.node("MaxUnpool", "unpool", {"f", "j"}, {"u"}).node("Where", "where", {"c", "u", "u"}, {"v"});
  maker.node("Conv", "last", {"v", "w"}, {"y"}).output("y").output("j");
  const Plan plan = resolve(maker.graph, QuantConfig{}, load_target("cpu"));
  EXPECT_EQ(inputs_of(plan, "conv"), "int8 int8");
  EXPECT_EQ(inputs_of(plan, "where"), "int8 int8");
  EXPECT_EQ(inputs_of(plan, "shifted"), "");
  EXPECT_EQ(inputs_of(plan, "island"), "");
  EXPECT_EQ(plan.notes.back(),
            "operators of other types stay as they are, since only float32 is quantized: Mul 'island' (float64)");
}

TEST(Resolve, TensorsWithoutARangeStayFloat) {
  const ResolveOptions options{
      .without_range = {{"m", "holds infinity in sample 3"}, {"out", "holds NaN in sample 0"}}};
  const std::string config = "node_config: {Add_3: {qtype: int8}, Reshape_5: {qtype: int16, output0: int8}}";
  const Plan plan = resolve_text(config, "cpu", options);
  EXPECT_EQ(inputs_of(plan, "Add_3"), "float32 int8");
  EXPECT_EQ(reason(plan, "Add_3", OperandRef::input(0)), "no range can be made of 'm': it holds infinity in sample 3");
  EXPECT_EQ(plan.find("Add_3", OperandRef::input(0))->asked, QType::kInt8);
  EXPECT_EQ(inputs_of(plan, "Reshape_5"), "float32") << "what comes out has the scale of what goes in";
  EXPECT_EQ(granted(plan, "Reshape_5", OperandRef::output(0)), "float32");
  EXPECT_EQ(reason(plan, "Reshape_5", OperandRef::output(0)),
            "no range can be made of 'out': it holds NaN in sample 0");
  EXPECT_EQ(inputs_of(resolve_text(config, "generic", options), "Add_3"), "float32 float32");
  ResolveOptions strict = options;
  strict.strict = true;
  EXPECT_ERROR(resolve_text(config, "cpu", strict), ErrorCode::kUnsupported, "node 'Add_3' (Add) input0: asked int8");
}

// Where one input cannot be integers, a target without mixed ones leaves all float, however many these are.
TEST(Resolve, OneTensorWithoutARangeAmongMany) {
  GraphMaker maker;
  maker.input("a").input("b").input("c").weight("w").node("Max", "max", {"a", "b", "c"}, {"m"});
  maker.node("MatMul", "product", {"m", "w"}, {"y"}).output("y");
  const Plan plan = resolve(maker.graph, QuantConfig{}, load_target("generic"),
                            {.without_range = {{"b", "holds infinity in sample 0"}}});
  EXPECT_EQ(inputs_of(plan, "max"), "float32 float32 float32");
}

// What CastLike gives is of the type of its second input.
TEST(Resolve, IntegersThatCastLikeMakesAreNotQuantized) {
  GraphMaker maker;
  maker.input("x").indices("like_integer").indices("one").weight("like_float").weight("w");
  maker.node("CastLike", "to_integer", {"x", "like_integer"}, {"i"});
  maker.node("Add", "add", {"i", "one"}, {"j"});
  maker.node("CastLike", "to_float", {"j", "like_float"}, {"f"});
  maker.node("MatMul", "matmul", {"f", "w"}, {"y"});
  maker.output("y");
  const Plan plan = resolve(maker.graph, parse_config("", "t"), load_target("cpu"));
  EXPECT_EQ(plan.find("add", OperandRef::input(0)), nullptr);
  EXPECT_EQ(granted(plan, "matmul", OperandRef::input(0)), "int8");
}

TEST(Resolve, OperatorsThatReadAShapeDoNotAskForFloat) {
  GraphMaker maker;
  maker.input("x").weight("w").node("Reshape", "reshape", {"x"}, {"r"});
  maker.node("EyeLike", "eye", {"r"}, {"e"}).node("MatMul", "matmul", {"r", "w"}, {"y"});
  maker.output("e").output("y");
  const Plan plan = resolve(maker.graph, parse_config("", "t"), load_target("cpu"));
  EXPECT_EQ(granted(plan, "reshape", OperandRef::input(0)), "int8") << "as the MatMul reads it";
}

// Functions of one number stay float as Exp does, but a config may ask for integers.
TEST(Resolve, EveryFunctionOfOneNumberCanBeQuantized) {
  GraphMaker maker;
  maker.input("x").node("Swish", "swish", {"x"}, {"s"}).node("Tan", "tan", {"s"}, {"y"}).output("y");
  const auto plan_with = [&](const std::string& config) {
    return resolve(maker.graph, parse_config(config, "t"), load_target("cpu"));
  };
  EXPECT_EQ(granted(plan_with(""), "swish", OperandRef::input(0)), "float32");
  const Plan asked = plan_with("op_config: {Swish: {qtype: int8}, Tan: {qtype: int16}}");
  EXPECT_EQ(granted(asked, "swish", OperandRef::input(0)), "int8");
  EXPECT_EQ(granted(asked, "tan", OperandRef::input(0)), "int16");
}

// x [..] -> LSTM with constant W and R -> y
Graph lstm_graph() {
  GraphMaker maker;
  maker.input("x").weight("w").weight("r").weight("b").node("LSTM", "lstm", {"x", "w", "r", "b"}, {"y"}).output("y");
  return maker.graph;
}

TEST(Resolve, WeightsOfAnLstmAreItsSecondAndThirdInput) {
  const auto with = [](const std::string& config, const ResolveOptions& options = {}) {
    return resolve(lstm_graph(), parse_config(config, "t"), load_target("cpu"), options);
  };
  const Plan plan = with("");
  EXPECT_EQ(inputs_of(plan, "lstm"), "int8 int8 int8");
  EXPECT_FALSE(plan.find("lstm", OperandRef::input(0))->is_weight);
  EXPECT_TRUE(plan.find("lstm", OperandRef::input(1))->is_weight);
  EXPECT_TRUE(plan.find("lstm", OperandRef::input(2))->is_weight);
  EXPECT_EQ(inputs_of(with("model_config: {all_node_type: int16}"), "lstm"), "int16 int8 int8");
  EXPECT_EQ(inputs_of(with("op_config: {LSTM: {qtype: dual-int16}}"), "lstm"), "int16 int16 int16");
  EXPECT_EQ(inputs_of(with("op_config: {LSTM: {input1: ec}}"), "lstm"), "int8 int8 int8");
  // Where a search finds 8 bits too coarse for a kind, its weights get 16, too.
  EXPECT_EQ(inputs_of(with("", {.kinds = {{"LSTM", QType::kInt16}}}), "lstm"), "int16 int16 int16");
  EXPECT_EQ(inputs_of(with("", {.kinds = {{"LSTM", QType::kFloat32}}}), "lstm"), "float32 float32 float32");
}

TEST(Resolve, DevicesKeepWhatHasAStateFloat) {
  const auto with = [](const std::string& config) {
    return resolve(lstm_graph(), parse_config(config, "t"), load_target("generic"));
  };
  EXPECT_EQ(inputs_of(with(""), "lstm"), "float32 float32 float32");
  EXPECT_TRUE(with("").fallbacks().empty());
  const Plan asked = with("op_config: {LSTM: {qtype: int8}}");
  EXPECT_EQ(inputs_of(asked, "lstm"), "float32 float32 float32");
  EXPECT_NE(reason(asked, "lstm", OperandRef::input(0)).find("operators with a state stay float"), std::string::npos);
}

}  // namespace
}  // namespace twofold
