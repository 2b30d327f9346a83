#include "onnx/export.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/files.h"
#include "onnx/expect_error.h"
#include "onnx/import.h"
#include "onnx/model_builder.h"

namespace twofold::testing {
namespace {

onnx::ModelProto parse_file(const std::filesystem::path& path) {
  onnx::ModelProto model;
  EXPECT_TRUE(model.ParseFromString(read_text_file(path)));
  return model;
}

Graph small_graph() {
  ModelBuilder builder;
  builder.input("x", {2, 3}).floats("w", {3}, {1, 2, 3}).ints("shape", {3, 2});
  builder.node("Add", {"x", "w"}, {"t"}, {}, "", "add");
  builder.node("Elu", {"t"}, {"u"}, {{"alpha", 0.5F}});
  builder.node("Reshape", {"u", "shape"}, {"y"}, {{"allowzero", int64_t{0}}}).output("y");
  Graph graph = builder.import();
  graph.add_origins(graph.find_node("add"), {"matmul", "bias"});
  graph.metadata["author"] = "me";
  return graph;
}

// A loop whose body captures "r" and the constant "w", with an If inside that captures both again.
Graph nested_graph() {
  ModelBuilder builder;
  builder.input("x", {2}).input("c", {}, DType::kBool).floats("w", {2}, {1, 2}).ints("n", {4});
  builder.node("Relu", {"x"}, {"r"}).node("Loop", {"n", "", "x"}, {"y"}, {}, "", "loop").output("y");
  onnx::AttributeProto& attribute = *builder.model.mutable_graph()->mutable_node(1)->add_attribute();
  attribute.set_name("body");
  attribute.set_type(onnx::AttributeProto::GRAPH);
  onnx::GraphProto& body = *attribute.mutable_g();
  body.set_name("body");
  fill_value(*body.add_input(), "i", {}, DType::kInt64);
  fill_value(*body.add_input(), "go", {}, DType::kBool);
  fill_value(*body.add_input(), "state", {2});
  fill_node(*body.add_node(), "If", {"c"}, {"next"});
  for (const char* name : {"then_branch", "else_branch"}) {
    onnx::AttributeProto& branch = *body.mutable_node(0)->add_attribute();
    branch.set_name(name);
    branch.set_type(onnx::AttributeProto::GRAPH);
    fill_node(*branch.mutable_g()->add_node(), "Add", {"state", name[0] == 't' ? "r" : "w"}, {"sum"});
    fill_value(*branch.mutable_g()->add_output(), "sum", {2});
  }
  fill_value(*body.add_output(), "go", {}, DType::kBool);
  fill_value(*body.add_output(), "next", {2});
  return builder.import();
}

TEST(Export, RoundTripsToTheSameGraph) {
  const TemporaryFolder folder;
  for (const Graph& graph : {small_graph(), nested_graph()}) {
    export_onnx(graph, folder / "a.onnx");
    const Graph again = import_onnx(folder / "a.onnx");
    export_onnx(again, folder / "b.onnx");
    EXPECT_EQ(read_text_file(folder / "a.onnx"), read_text_file(folder / "b.onnx"));
  }
  export_onnx(small_graph(), folder / "a.onnx");
  EXPECT_EQ(describe(import_onnx(folder / "a.onnx")), describe(small_graph()));
}

TEST(Export, StatesVersionAndProducer) {
  const TemporaryFolder folder;
  export_onnx(small_graph(), folder / "a.onnx");
  const onnx::ModelProto plain = parse_file(folder / "a.onnx");
  EXPECT_EQ(plain.ir_version(), 10);
  EXPECT_EQ(plain.producer_name(), "twofold");
  ASSERT_EQ(plain.opset_import_size(), 1);
  EXPECT_EQ(plain.opset_import(0).version(), 21);

  const Graph young = ModelBuilder(23).input("x", {2}).node("RMSNormalization", {"x", "x"}, {"y"}).output("y").import();
  export_onnx(young, folder / "b.onnx");
  EXPECT_EQ(parse_file(folder / "b.onnx").opset_import(0).version(), 23);
}

TEST(Export, KeepsOriginsThatDifferFromTheName) {
  const TemporaryFolder folder;
  export_onnx(small_graph(), folder / "a.onnx");
  const onnx::ModelProto model = parse_file(folder / "a.onnx");
  ASSERT_EQ(model.metadata_props_size(), 2);
  EXPECT_EQ(model.metadata_props(1).key(), "twofold.origins");
  EXPECT_EQ(model.metadata_props(1).value(), R"({"add":["add","matmul","bias"]})");
  const Graph graph = import_onnx(folder / "a.onnx");
  EXPECT_EQ(node_named(graph, "add").origins, (std::vector<std::string>{"add", "matmul", "bias"}));
  EXPECT_EQ(graph.metadata.size(), 1U);
}

TEST(Export, CapturesAreOuterNamesAgain) {
  const TemporaryFolder folder;
  export_onnx(nested_graph(), folder / "a.onnx");
  const onnx::GraphProto graph = parse_file(folder / "a.onnx").graph();
  const onnx::NodeProto& loop = graph.node(1);
  EXPECT_EQ(loop.input_size(), 3);
  const onnx::GraphProto& body = loop.attribute(0).g();
  EXPECT_EQ(body.input_size(), 3);
  const onnx::NodeProto* branch = nullptr;
  for (const onnx::NodeProto& node : body.node()) {
    if (node.op_type() == "If") branch = &node;
  }
  ASSERT_NE(branch, nullptr);
  EXPECT_EQ(branch->input_size(), 1);
  EXPECT_EQ(branch->input(0), "c");
  EXPECT_EQ(branch->attribute(1).name(), "then_branch");
  EXPECT_EQ(branch->attribute(1).g().node(0).input(0), "state");
  EXPECT_EQ(branch->attribute(1).g().node(0).input(1), "r");
}

TEST(Export, OutputsKeepTheirNamesWhateverTheyStandFor) {
  Graph graph = ModelBuilder()
                    .input("x", {2})
                    .node("Relu", {"x"}, {"a"})
                    .node("Abs", {"a"}, {"b"})
                    .node("Neg", {"b"}, {"c"})
                    .output("c")
                    .import();
  // As a pass would: "c" is now what Abs computes, twice, and the input, and the old "c" is used inside.
  const ValueId b = graph.find_value("b"), x = graph.find_value("x"), c = graph.find_value("c");
  const ValueId d = graph.add_value("d", {DType::kFloat32, {}});
  graph.add_node({"last", "Exp", "", {c}, {d}, {}});
  graph.outputs = {{"c", b}, {"second", b}, {"same", x}, {"d", d}};
  const TemporaryFolder folder;
  export_onnx(graph, folder / "a.onnx");
  const Graph again = import_onnx(folder / "a.onnx");
  ASSERT_EQ(again.outputs.size(), 4U);
  EXPECT_EQ(again.outputs[0].name, "c");
  EXPECT_EQ(again.node(again.producer(again.outputs[0].value)).op_type, "Abs");
  EXPECT_EQ(again.node(again.producer(again.outputs[1].value)).op_type, "Identity");
  EXPECT_EQ(again.node(again.producer(again.outputs[2].value)).op_type, "Identity");
  EXPECT_EQ(again.node(again.producer(again.outputs[2].value)).input(0), again.inputs[0]);
  EXPECT_EQ(again.node(again.producer(again.outputs[3].value)).name, "last");
}

TEST(Export, BodiesDoNotShadowOuterNames) {
  auto body = std::make_shared<Graph>();
  const ValueId captured = body->add_value("mine");
  const ValueId local = body->add_value("t");  // a name of the outer graph too
  const ValueId result = body->add_value("result");
  body->inputs = {captured};
  body->num_captures = 1;
  body->add_node({"first", "Relu", "", {captured}, {local}, {}});
  body->add_node({"second", "Abs", "", {local}, {result}, {}});
  body->outputs = {{"result", result}, {"direct", captured}};
  Graph graph = ModelBuilder()
                    .input("x", {2})
                    .input("c", {}, DType::kBool)
                    .node("Relu", {"x"}, {"t"})
                    .node("Neg", {"t"}, {"y"})
                    .output("y")
                    .import();
  Attributes attributes;
  attributes.set("then_branch", std::shared_ptr<const Graph>(body));
  attributes.set("else_branch", std::shared_ptr<const Graph>(body));
  const ValueId y = graph.find_value("y"), z = graph.add_value("z"), w = graph.add_value("w");
  graph.add_node({"if", "If", "", {graph.find_value("c"), y}, {z, w}, std::move(attributes)});
  graph.outputs.push_back({"z", z});
  graph.outputs.push_back({"w", w});
  const TemporaryFolder folder;
  export_onnx(graph, folder / "a.onnx");
  const onnx::GraphProto written = parse_file(folder / "a.onnx").graph();
  const onnx::GraphProto& branch = written.node(2).attribute(0).g();
  EXPECT_EQ(branch.node(0).input(0), "y");
  EXPECT_EQ(branch.node(0).output(0), "t_1");
  EXPECT_EQ(branch.node(1).input(0), "t_1");
  EXPECT_EQ(branch.node(2).op_type(), "Identity");  // ONNX Runtime refuses to return an outer value
}

TEST(Export, LargeModelsKeepTheirWeightsInAFileBeside) {
  const TemporaryFolder folder;
  Graph graph = ModelBuilder()
                    .input("x", {300})
                    .floats("w", {300}, std::vector<float>(300, 1.5F))
                    .floats("v", {300}, std::vector<float>(300, 2.5F))
                    .ints("shape", {3, 100})
                    .node("Add", {"x", "w"}, {"t"})
                    .node("Mul", {"t", "v"}, {"u"})
                    .node("Reshape", {"u", "shape"}, {"y"})
                    .output("y")
                    .import();
  const uint64_t bytes = export_onnx(graph, folder / "a.onnx", {.max_embedded_bytes = 2000});
  EXPECT_EQ(std::filesystem::file_size(folder / "a.onnx.data"), 1200U + 16U + 1200U);
  EXPECT_EQ(bytes, std::filesystem::file_size(folder / "a.onnx") + 1200U + 16U + 1200U);
  EXPECT_EQ(describe(import_onnx(folder / "a.onnx")), describe(graph));
  const onnx::ModelProto written = parse_file(folder / "a.onnx");
  for (const onnx::TensorProto& tensor : written.graph().initializer()) {
    EXPECT_EQ(tensor.data_location() == onnx::TensorProto::EXTERNAL, tensor.name() != "shape");
  }
  // Over the very file that its weights are mapped from.
  const Graph mapped = import_onnx(folder / "a.onnx");
  export_onnx(mapped, folder / "a.onnx", {.max_embedded_bytes = 2000});
  EXPECT_EQ(describe(import_onnx(folder / "a.onnx")), describe(graph));
  EXPECT_EQ(folder.num_files(), 2U);
}

TEST(Export, LeavesNothingBehindWhenItFails) {
  const TemporaryFolder folder;
  write_file(folder / "a.onnx", "old model");
  write_file(folder / "a.onnx.data", "old data");
  Graph lowered = small_graph();
  lowered.set_op_type(lowered.find_node("add"), "Add", "twofold");
  expect_error(ErrorCode::kUnsupported, {"a.onnx", "'add'", "lowered"},
               [&] { export_onnx(lowered, folder / "a.onnx", {.max_embedded_bytes = 0}); });
  EXPECT_EQ(read_text_file(folder / "a.onnx"), "old model");
  EXPECT_EQ(read_text_file(folder / "a.onnx.data"), "old data");
  EXPECT_EQ(folder.num_files(), 2U);
  expect_error(ErrorCode::kIo, {"no/such/folder/a.onnx"}, [&] { export_onnx(small_graph(), "no/such/folder/a.onnx"); });
  std::filesystem::create_directory(folder / "b.onnx");
  expect_error(ErrorCode::kIo, {"b.onnx", "folder"}, [&] { export_onnx(small_graph(), folder / "b.onnx"); });
  EXPECT_EQ(folder.num_files(), 3U);
}

// ONNX's opset 21 counts a window that would begin in the padding at the end; opset 22 does not.
TEST(Export, PoolsThatRoundUpAreOfOpset22) {
  const TemporaryFolder folder;
  for (const char* op_type : {"AveragePool", "LpPool", "MaxPool"}) {
    for (const int64_t rounds_up : {0, 1}) {
      ModelBuilder builder;
      builder.input("x", {1, 1, 4, 4}).output("y");
      builder.node(op_type, {"x"}, {"y"},
                   {{"kernel_shape", std::vector<int64_t>{1, 1}},
                    {"strides", std::vector<int64_t>{2, 2}},
                    {"ceil_mode", rounds_up}});
      export_onnx(builder.import(), folder / "a.onnx");
      EXPECT_EQ(parse_file(folder / "a.onnx").opset_import(0).version(), rounds_up != 0 ? 22 : 21) << op_type;
    }
  }
}

class Uint8Activations : public ::testing::Test {
 protected:
  Uint8Activations() {
    builder_.input("x", {1, 2, 4, 4}).floats("s", {}, {0.5F}).small("z", DType::kInt8, {}, {-3});
    builder_.small("w", DType::kInt8, {2, 2, 1, 1}, {1, -2, 3, -4}).small("wz", DType::kInt8, {}, {0});
  }

  Graph exported() {
    export_onnx(builder_.import(), folder_ / "a.onnx", {.uint8_activations = true});
    return import_onnx(folder_ / "a.onnx");
  }

  static DType type_of(const Graph& graph, const std::string& node, int input) {
    return graph.constant(node_named(graph, node).input(input))->dtype();
  }

  ModelBuilder builder_;
  TemporaryFolder folder_;
};

TEST_F(Uint8Activations, ShiftZeroPointsOfActivationsOnly) {
  builder_.node("QuantizeLinear", {"x", "s", "z"}, {"q"}, {}, "", "q")
      .node("MaxPool", {"q"}, {"p"}, {{"kernel_shape", std::vector<int64_t>{2, 2}}})
      .node("DequantizeLinear", {"p", "s", "z"}, {"d"}, {}, "", "d")
      .node("DequantizeLinear", {"w", "s", "wz"}, {"dw"}, {}, "", "dw")
      .node("Conv", {"d", "dw"}, {"y"})
      .output("y");
  const Graph graph = exported();
  EXPECT_EQ(type_of(graph, "q", 2), DType::kUInt8);
  EXPECT_EQ(constant_input(graph, node_named(graph, "q"), 2), std::vector<double>{125});
  EXPECT_EQ(constant_input(graph, node_named(graph, "d"), 2), std::vector<double>{125});
  EXPECT_EQ(type_of(graph, "dw", 0), DType::kInt8);
  EXPECT_EQ(type_of(graph, "dw", 2), DType::kInt8);
}

TEST_F(Uint8Activations, StayInt8WhereSomethingElseReadsTheIntegers) {
  builder_.node("QuantizeLinear", {"x", "s", "z"}, {"q"}, {}, "", "q")
      .node("DequantizeLinear", {"q", "s", "z"}, {"y"}, {}, "", "d")
      .node("Transpose", {"q"}, {"t"})
      .node("Abs", {"t"}, {"a"})
      .output("y")
      .output("a");
  EXPECT_EQ(type_of(exported(), "q", 2), DType::kInt8);
}

TEST_F(Uint8Activations, StayInt8AtTheOutputsOfTheModel) {
  builder_.node("QuantizeLinear", {"x", "s", "z"}, {"q"}, {}, "", "q")
      .node("Identity", {"q"}, {"y"})
      .node("DequantizeLinear", {"q", "s", "z"}, {"f"}, {}, "", "d")
      .output("y")
      .output("f");
  EXPECT_EQ(type_of(exported(), "q", 2), DType::kInt8);
  EXPECT_EQ(type_of(exported(), "d", 2), DType::kInt8);
}

}  // namespace
}  // namespace twofold::testing
