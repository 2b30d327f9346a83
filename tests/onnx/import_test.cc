#include "onnx/import.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <fstream>

#include "onnx/expect_error.h"
#include "onnx/model_builder.h"

namespace twofold::testing {
namespace {

Graph import_text(const std::string& bytes) {
  return import_onnx_bytes(std::as_bytes(std::span(bytes.data(), bytes.size())), "model", {});
}

TEST(Import, KeepsNamesTypesAndMetadata) {
  ModelBuilder builder;
  builder.input("x", {1, 3}).node("Relu", {"x"}, {"t"}, {}, "", "first").node("Abs", {"t"}, {"y"}).output("y");
  onnx::TensorShapeProto& shape =
      *builder.model.mutable_graph()->mutable_input(0)->mutable_type()->mutable_tensor_type()->mutable_shape();
  shape.mutable_dim(0)->set_dim_param("batch");
  fill_value(*builder.model.mutable_graph()->add_value_info(), "t", {7, 3});
  onnx::StringStringEntryProto& entry = *builder.model.add_metadata_props();
  entry.set_key("author");
  entry.set_value("me");
  const Graph graph = builder.import();
  EXPECT_EQ(describe(graph),
            "test captures=0\n"
            "in x<float32 -1batch 3>\n"
            ".Relu 'first' origins=first x<float32 -1batch 3> -> t<float32 7 3>\n"
            ".Abs 'Abs_1' origins=Abs_1 t<float32 7 3> -> y<float32>\n"
            "out y=y<float32>\n"
            "meta author=me\n");
}

TEST(Import, NamesGiveWayToThoseInTheFile) {
  const Graph graph = ModelBuilder()
                          .input("x", {1})
                          .node("Relu", {"x"}, {"a"})
                          .node("Relu", {"a"}, {"b"}, {}, "", "Relu_0")
                          .node("Relu", {"b"}, {"c"}, {}, "", "same")
                          .node("Relu", {"c"}, {"y"}, {}, "", "same")
                          .output("y")
                          .import();
  EXPECT_EQ(graph.value(node_named(graph, "Relu_0").output(0)).name, "b");
  EXPECT_EQ(graph.value(node_named(graph, "Relu_0_1").output(0)).name, "a");
  EXPECT_EQ(graph.value(node_named(graph, "same").output(0)).name, "c");
  EXPECT_EQ(graph.value(node_named(graph, "same_1").output(0)).name, "y");
}

TEST(Import, InitializersThatAreInputsAreConstants) {
  const Graph graph = ModelBuilder()
                          .input("x", {2})
                          .input("w", {2})
                          .floats("w", {2}, {1, 2})
                          .node("Add", {"x", "w"}, {"y"})
                          .output("y")
                          .import();
  ASSERT_EQ(graph.inputs.size(), 1U);
  EXPECT_EQ(constant_input(graph, node_named(graph, "Add_0"), 1), (std::vector<double>{1, 2}));
}

TEST(Import, ConstantNodesBecomeConstants) {
  const Graph graph = ModelBuilder()
                          .input("x", {2})
                          .node("Constant", {}, {"f"}, {{"value_float", 2.5F}})
                          .node("Constant", {}, {"i"}, {{"value_ints", std::vector<int64_t>{3, 4}}})
                          .node("Add", {"x", "f"}, {"t"})
                          .node("Expand", {"t", "i"}, {"y"})
                          .output("y")
                          .import();
  EXPECT_EQ(operators(graph), "Add Expand");
  EXPECT_EQ(constant_input(graph, node_named(graph, "Add_2"), 1), std::vector<double>{2.5});
  EXPECT_EQ(constant_input(graph, node_named(graph, "Expand_3"), 1), (std::vector<double>{3, 4}));
}

TEST(Import, NodesNeedNotBeInOrder) {
  const Graph graph =
      ModelBuilder().input("x", {2}).node("Abs", {"t"}, {"y"}).node("Relu", {"x"}, {"t"}).output("y").import();
  EXPECT_EQ(operators(graph), "Relu Abs");
}

TEST(Import, RefusesWhatContradictsItself) {
  const auto base = [] { return ModelBuilder().input("x", {2}); };
  expect_error(ErrorCode::kInvalidModel, {"model: ", "cycle"}, [&] {
    base().node("Add", {"x", "b"}, {"a"}).node("Relu", {"a"}, {"b"}).output("b").import();
  });
  expect_error(ErrorCode::kInvalidModel, {"'Relu_0'", "'nowhere'"},
               [&] { base().node("Relu", {"nowhere"}, {"y"}).output("y").import(); });
  expect_error(ErrorCode::kInvalidModel, {"'y'", "twice"},
               [&] { base().node("Relu", {"x"}, {"y"}).node("Abs", {"x"}, {"y"}).output("y").import(); });
  expect_error(ErrorCode::kInvalidModel, {"'Relu_0'", "cycle"},
               [&] { base().node("Relu", {"x"}, {"x"}).output("x").import(); });
  expect_error(ErrorCode::kInvalidModel, {"output 'y'"},
               [&] { base().node("Relu", {"x"}, {"z"}).output("y").import(); });
  expect_error(ErrorCode::kInvalidModel, {"'x'"}, [&] { base().input("x", {2}).import(); });
  expect_error(ErrorCode::kInvalidModel, {"'w'"},
               [&] { base().floats("w", {1}, {1}).floats("w", {1}, {2}).output("w").import(); });
  expect_error(ErrorCode::kInvalidModel, {"no operator"}, [&] { base().node("", {"x"}, {"y"}).import(); });
}

TEST(Import, RefusesOldOpsetsAndForeignTypes) {
  expect_error(ErrorCode::kUnsupported, {"model: ", "opset 6"},
               [] { ModelBuilder(6).input("x", {2}).node("Relu", {"x"}, {"y"}).output("y").import(); });
  expect_error(ErrorCode::kUnsupported, {"input 'text'", "string"}, [] {
    ModelBuilder().input("text", {2}, static_cast<DType>(onnx::TensorProto::STRING)).output("text").import();
  });
  ModelBuilder sequence;
  sequence.model.mutable_graph()->add_input()->set_name("list");
  sequence.model.mutable_graph()->mutable_input(0)->mutable_type()->mutable_sequence_type();
  expect_error(ErrorCode::kUnsupported, {"input 'list'"}, [&] { sequence.import(); });
}

TEST(Import, SaysWhatIsNoModel) {
  expect_error(ErrorCode::kInvalidModel, {"model: ", "empty"}, [] { import_text(""); });
  expect_error(ErrorCode::kInvalidModel, {"model: ", "not an ONNX model"}, [] { import_text("a text, no model"); });
  expect_error(ErrorCode::kNotFound, {"/no/such/model.onnx"}, [] { import_onnx("/no/such/model.onnx"); });
}

TEST(Import, SurvivesEveryTruncationAndEveryChangedByte) {
  const std::string whole = ModelBuilder(11)
                                .input("x", {2, 3})
                                .floats("w", {3}, {1, 2, 3})
                                .node("Add", {"x", "w"}, {"t"})
                                .node("Softmax", {"t"}, {"u"}, {{"axis", int64_t{0}}})
                                .node("Clip", {"u", "", "w"}, {"y"})
                                .output("y")
                                .bytes();
  EXPECT_EQ(import_text(whole).num_nodes(), 6);
  int refused = 0;
  const auto attempt = [&](const std::string& bytes) {
    try {
      import_text(bytes);
    } catch (const Error& error) {
      ++refused;
      EXPECT_EQ(std::string(error.what()).rfind("model: ", 0), 0U) << error.what();
    }
  };
  for (size_t i = 0; i < whole.size(); ++i) {
    attempt(whole.substr(0, i));
    for (char flip : {1, 64, -1}) {
      std::string changed = whole;
      changed[i] = static_cast<char>(changed[i] ^ flip);
      attempt(changed);
    }
  }
  EXPECT_GT(refused, 200);
}

TEST(Import, CapturesBecomeInputsOfTheNodeAndOfEveryBranch) {
  ModelBuilder builder;
  builder.input("x", {2}).input("c", {}, DType::kBool).floats("w", {2}, {1, 2});
  builder.node("Relu", {"x"}, {"r"}).node("If", {"c"}, {"y"}).output("y");
  onnx::NodeProto& branch = *builder.model.mutable_graph()->mutable_node(1);
  for (const char* name : {"then_branch", "else_branch"}) {
    const bool is_then = name[0] == 't';
    onnx::AttributeProto& attribute = *branch.add_attribute();
    attribute.set_name(name);
    attribute.set_type(onnx::AttributeProto::GRAPH);
    onnx::GraphProto& body = *attribute.mutable_g();
    fill_node(*body.add_node(), "Add", {is_then ? "r" : "x", "w"}, {"z"});
    fill_value(*body.add_output(), "z", {2});
  }
  const Graph graph = builder.import();
  const Node& node = node_named(graph, "If_1");
  const Graph& then_body = *node.attributes.get_graph("then_branch");
  const Graph& else_body = *node.attributes.get_graph("else_branch");
  ASSERT_EQ(node.inputs.size(), 3U);
  EXPECT_EQ(graph.value(node.input(1)).name, "r");
  EXPECT_EQ(graph.value(node.input(2)).name, "x");
  for (const Graph* body : {&then_body, &else_body}) {
    EXPECT_EQ(body->num_captures, 2);
    EXPECT_EQ(body->inputs.size(), 2U);
  }
  // A constant is not captured but shared.
  const Node& add = node_named(then_body, "Add_0");
  EXPECT_EQ(add.input(0), then_body.inputs[0]);
  EXPECT_EQ(constant_input(then_body, add, 1), (std::vector<double>{1, 2}));
  EXPECT_EQ(node_named(else_body, "Add_0").input(0), else_body.inputs[1]);
}

// f(a; alpha) = Elu(a, alpha) + a
void add_elu_function(ModelBuilder& builder) {
  onnx::OperatorSetIdProto& import = *builder.model.add_opset_import();
  import.set_domain("local");
  import.set_version(1);
  onnx::FunctionProto& function = add_function(builder.model, "f", "local", {"a"}, {"b"});
  function.add_attribute("alpha");
  onnx::OperatorSetIdProto& own = *function.add_opset_import();
  own.set_domain("");
  own.set_version(21);
  fill_node(*function.add_node(), "Elu", {"a"}, {"t"});
  onnx::AttributeProto& reference = *function.mutable_node(0)->add_attribute();
  reference.set_name("alpha");
  reference.set_ref_attr_name("alpha");
  reference.set_type(onnx::AttributeProto::FLOAT);
  fill_node(*function.add_node(), "Add", {"t", "a"}, {"b"});
}

TEST(Import, InlinesFunctions) {
  ModelBuilder builder;
  add_elu_function(builder);
  builder.input("x", {2}).output("z");
  builder.node("f", {"x"}, {"y"}, {{"alpha", 0.5F}}, "local", "one").node("f", {"y"}, {"z"}, {}, "local");
  const Graph graph = builder.import();
  EXPECT_EQ(operators(graph), "Elu Add Elu Add");
  const Node& elu = node_named(graph, "one/Elu_0");
  EXPECT_EQ(elu.attributes.get_float("alpha", 1), 0.5F);
  EXPECT_EQ(elu.origins, (std::vector<std::string>{"one/Elu_0", "one"}));
  EXPECT_EQ(graph.value(elu.output(0)).name, "one/t");
  EXPECT_FALSE(node_named(graph, "f_1/Elu_0").attributes.has("alpha"));
  EXPECT_EQ(graph.value(node_named(graph, "f_1/Add_1").output(0)).name, "z");
}

TEST(Import, RefusesFunctionsThatCallThemselvesOrGrowWithoutBound) {
  ModelBuilder recursive;
  add_elu_function(recursive);
  fill_node(*recursive.model.mutable_functions(0)->add_node(), "f", {"a"}, {"c"}, {}, "local");
  recursive.input("x", {2}).node("f", {"x"}, {"y"}, {}, "local").output("y");
  expect_error(ErrorCode::kInvalidModel, {"function 'f'"}, [&] { recursive.import(); });

  // Each function calls the next one twice: 2^40 nodes.
  ModelBuilder bomb;
  add_elu_function(bomb);
  for (int i = 0; i < 40; ++i) {
    onnx::FunctionProto& function = add_function(bomb.model, fmt::format("f{}", i), "local", {"a"}, {"b"});
    const std::string next = i == 0 ? "f" : fmt::format("f{}", i - 1);
    fill_node(*function.add_node(), next, {"a"}, {"t"}, {}, "local");
    fill_node(*function.add_node(), next, {"t"}, {"b"}, {}, "local");
  }
  bomb.input("x", {2}).node("f39", {"x"}, {"y"}, {}, "local").output("y");
  expect_error(ErrorCode::kResourceExhausted, {"functions"}, [&] { bomb.import(); });
}

TEST(Import, NamesTheFileInEveryMessage) {
  const TemporaryFolder folder;
  const std::string bytes = ModelBuilder().input("x", {2}).node("Relu", {"q"}, {"y"}).output("y").bytes();
  std::ofstream(folder / "bad.onnx", std::ios::binary) << bytes;
  expect_error(ErrorCode::kInvalidModel, {"bad.onnx: ", "'q'"}, [&] { import_onnx(folder / "bad.onnx"); });
}

TEST(Import, RequiredInputsAreThereInEveryForm) {
  const auto refused = [](int64_t opset, const char* op, const Names& inputs, const char* domain, const char* words) {
    ModelBuilder builder(opset);
    builder.input("x", {2, 3}).floats("s", {}, {1}).small("q", DType::kUInt8, {2, 3}, {1, 2, 3, 4, 5, 6});
    builder.node(op, inputs, {"y"}, {}, domain, "n").output("y");
    onnx::OperatorSetIdProto& microsoft = *builder.model.add_opset_import();
    microsoft.set_domain("com.microsoft");
    microsoft.set_version(1);
    expect_error(ErrorCode::kInvalidModel, {"model: node 'n' (", op, words}, [&] { builder.import(); });
  };
  refused(21, "Transpose", {""}, "", "input 0 is absent");
  refused(21, "DequantizeLinear", {}, "", "input 0 is absent");
  refused(21, "Add", {"x"}, "", "input 1 is absent");
  refused(21, "Add", {"x", "x", "x"}, "", "there are 3 inputs, but the operator has 2 at most");
  refused(21, "Reshape", {"x", "x"}, "", "input 1 ('x') is float32, but the operator takes int64");
  refused(9, "Upsample", {"x"}, "", "input 1 is absent");
  refused(8, "Upsample", {"x", "s"}, "", "there are 2 inputs");
  refused(9, "Slice", {"x", "s"}, "", "there are 2 inputs, but the operator has 1 at most");
  refused(10, "Slice", {"x"}, "", "input 1 is absent");
  refused(21, "QLinearAdd", {"q", "s", "", "q", "", "", "s"}, "com.microsoft", "input 4 is absent");
  refused(21, "FusedConv", {"x"}, "com.microsoft", "input 1 is absent");
}

TEST(Import, RequiredInputsAreThereInFunctions) {
  ModelBuilder builder;
  onnx::FunctionProto& function = add_function(builder.model, "F", "f", {"a", "b"}, {"c"});
  fill_node(*function.add_node(), "Add", {"a", "b"}, {"c"});
  builder.input("x", {2}).node("F", {"x"}, {"y"}, {}, "f", "call").output("y");
  expect_error(ErrorCode::kInvalidModel, {"'call/Add_0' (Add): input 1 is absent"}, [&] { builder.import(); });
}

TEST(Import, AttributesAreGivenOnce) {
  ModelBuilder builder;
  builder.input("x", {2, 3}).node("Softmax", {"x"}, {"y"}, {{"axis", int64_t{1}}}, "", "n").output("y");
  onnx::NodeProto& node = *builder.model.mutable_graph()->mutable_node(0);
  *node.add_attribute() = onnx::AttributeProto(node.attribute(0));
  expect_error(ErrorCode::kInvalidModel, {"node 'n' (Softmax): attribute 'axis' is given twice"},
               [&] { builder.import(); });
}

// `depth` Ifs in each other, of which the innermost computes Relu of an input of the model.
void nest(onnx::GraphProto& graph, int depth) {
  const std::string output = fmt::format("o{}", depth);
  onnx::NodeProto& node = *graph.add_node();
  graph.add_output()->set_name(output);
  if (depth == 0) return fill_node(node, "Relu", {"x"}, {output});
  fill_node(node, "If", {"condition"}, {output}, {}, "", fmt::format("if{}", depth));
  for (const char* branch : {"then_branch", "else_branch"}) {
    onnx::AttributeProto& attribute = *node.add_attribute();
    attribute.set_name(branch);
    attribute.set_type(onnx::AttributeProto::GRAPH);
    nest(*attribute.mutable_g(), branch == std::string("then_branch") ? depth - 1 : 0);
  }
}

TEST(Import, BodiesAreNested64Deep) {
  const auto nested = [](int depth) {
    ModelBuilder builder;
    builder.input("x", {2}).input("condition", {}, DType::kBool);
    nest(*builder.model.mutable_graph(), depth);
    return builder.import();
  };
  EXPECT_EQ(nested(40).num_nodes(), 1);
  EXPECT_EQ(nested(64).num_nodes(), 1);
  expect_error(ErrorCode::kUnsupported, {"node 'if1': bodies of If, Loop and Scan are nested more than 64 deep"},
               [&] { nested(65); });
  expect_error(ErrorCode::kUnsupported, {"nested more than 64 deep"}, [&] { nested(300); });
  expect_error(ErrorCode::kInvalidModel, {"nested more than 64 deep"}, [&] { nested(1000); });
}

}  // namespace
}  // namespace twofold::testing
