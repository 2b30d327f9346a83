#include "onnx/upgrade.h"

#include <gtest/gtest.h>

#include "onnx/expect_error.h"
#include "onnx/model_builder.h"

namespace twofold::testing {
namespace {

using Numbers = std::vector<double>;
using Ints = std::vector<int64_t>;

// A model of one node "n" whose inputs are x [2,3,4,5], as many times as given, and that writes y.
Graph upgraded(int64_t opset, const std::string& op_type, const AttributeList& attributes,
               const std::string& domain = "", size_t inputs = 1) {
  return ModelBuilder(opset)
      .input("x", {2, 3, 4, 5})
      .node(op_type, Names(inputs, "x"), {"y"}, attributes, domain, "n")
      .output("y")
      .import();
}

TEST(UpgradeAttributes, BecomeInputs) {
  for (const char* op_type : {"Squeeze", "Unsqueeze", "ReduceSum", "ReduceMean", "ReduceMax", "ReduceL2"}) {
    const Graph graph = upgraded(11, op_type, {{"axes", Ints{0, 2}}});
    EXPECT_EQ(constant_input(graph, node_named(graph, "n"), 1), (Numbers{0, 2})) << op_type;
    EXPECT_FALSE(node_named(graph, "n").attributes.has("axes")) << op_type;
  }
  EXPECT_EQ(node_named(upgraded(11, "ReduceMean", {}), "n").inputs.size(), 1U);

  const Graph slice = upgraded(7, "Slice", {{"starts", Ints{1}}, {"ends", Ints{3}}, {"axes", Ints{2}}});
  EXPECT_EQ(constant_input(slice, node_named(slice, "n"), 1), Numbers{1});
  EXPECT_EQ(constant_input(slice, node_named(slice, "n"), 2), Numbers{3});
  EXPECT_EQ(constant_input(slice, node_named(slice, "n"), 3), Numbers{2});

  const Graph pad = upgraded(7, "Pad", {{"pads", Ints{0, 0, 1, 1, 0, 0, 1, 1}}, {"value", 0.5F}});
  EXPECT_EQ(constant_input(pad, node_named(pad, "n"), 1), (Numbers{0, 0, 1, 1, 0, 0, 1, 1}));
  EXPECT_EQ(constant_input(pad, node_named(pad, "n"), 2), Numbers{0.5});

  const Graph top = upgraded(7, "TopK", {{"k", int64_t{2}}, {"axis", int64_t{1}}});
  EXPECT_EQ(constant_input(top, node_named(top, "n"), 1), Numbers{2});
  EXPECT_EQ(node_named(top, "n").attributes.get_int("axis"), 1);
}

TEST(UpgradeAttributes, PadKeepsOnlyAConstantThatSaysSomething) {
  const auto pad = [](const std::string& mode, float value) {
    ModelBuilder builder(19);
    builder.input("x", {2, 3}).ints("p", {0, 1, 0, 1}).floats("v", {}, {value});
    builder.node("Pad", {"x", "p", "v"}, {"y"}, {{"mode", mode}}, "", "n").output("y");
    const Graph graph = builder.import();
    return node_named(graph, "n").input(2) != kNone;
  };
  EXPECT_TRUE(pad("constant", 0.5F));
  EXPECT_TRUE(pad("constant", -0.0F));
  EXPECT_FALSE(pad("constant", 0));
  EXPECT_FALSE(pad("edge", 0.5F));
  EXPECT_FALSE(pad("reflect", 0.5F));
}

TEST(UpgradeDynamic, ProductsAreTakenApart) {
  ModelBuilder builder;
  builder.input("x", {2, 3}).small("w", DType::kInt8, {3, 2}, {1, 2, 3, 4, 5, 6}).floats("ws", {2}, {0.5F, 1});
  builder.small("wz", DType::kInt8, {2}, {0, 1}).floats("b", {2}, {1, 2});
  builder.node("DynamicQuantizeMatMul", {"x", "w", "ws", "wz", "b"}, {"y"}, {}, "com.microsoft", "n").output("y");
  const Graph graph = builder.import();
  EXPECT_EQ(operators(graph), "DynamicQuantizeLinear MatMulInteger Cast Mul Mul Add");
  const Node& product = node_named(graph, "n_product");
  EXPECT_EQ(graph.value(product.input(3)).name, "wz");
  EXPECT_EQ(graph.producer(product.input(2)), graph.find_node("n_quantize"));

  ModelBuilder integers;
  integers.input("a", {2, 3}, DType::kUInt8).input("b", {3, 2}, DType::kInt8).floats("s", {}, {0.5F});
  integers.node("MatMulIntegerToFloat", {"a", "b", "s", "s"}, {"y"}, {}, "com.microsoft", "n").output("y");
  EXPECT_EQ(operators(integers.import()), "MatMulInteger Cast Mul Mul");
}

TEST(UpgradeAttributes, ClipHasOnlyTheBoundsThatWereThere) {
  const Graph both = upgraded(7, "Clip", {{"min", -0.5F}, {"max", 6.0F}});
  EXPECT_EQ(constant_input(both, node_named(both, "n"), 1), Numbers{-0.5});
  EXPECT_EQ(constant_input(both, node_named(both, "n"), 2), Numbers{6});
  const Graph upper = upgraded(7, "Clip", {{"max", 6.0F}});
  EXPECT_EQ(node_named(upper, "n").input(1), kNone);
  EXPECT_EQ(constant_input(upper, node_named(upper, "n"), 2), Numbers{6});
  EXPECT_EQ(node_named(upgraded(7, "Clip", {}), "n").inputs.size(), 1U);
}

TEST(UpgradeAttributes, SplitSaysHowManyParts) {
  const auto split = [](int64_t opset, const AttributeList& attributes) {
    return ModelBuilder(opset)
        .input("x", {2, 4})
        .node("Split", {"x"}, {"a", "b"}, attributes, "", "n")
        .output("a")
        .output("b")
        .import();
  };
  const Graph given = split(11, {{"axis", int64_t{1}}, {"split", Ints{1, 3}}});
  EXPECT_EQ(constant_input(given, node_named(given, "n"), 1), (Numbers{1, 3}));
  EXPECT_FALSE(node_named(given, "n").attributes.has("num_outputs"));
  EXPECT_EQ(node_named(split(11, {}), "n").attributes.get_int("num_outputs"), 2);
  EXPECT_EQ(node_named(split(13, {}), "n").attributes.get_int("num_outputs"), 2);
}

TEST(UpgradeSoftmax, FlattensOnlyWhereItMatters) {
  EXPECT_EQ(operators(upgraded(13, "Softmax", {{"axis", int64_t{1}}})), "Softmax");
  EXPECT_EQ(operators(upgraded(12, "Softmax", {{"axis", int64_t{3}}})), "Softmax");
  EXPECT_EQ(operators(upgraded(12, "Softmax", {{"axis", int64_t{-1}}})), "Softmax");
  for (const char* op_type : {"Softmax", "LogSoftmax", "Hardmax"}) {
    const Graph graph = upgraded(12, op_type, {});
    EXPECT_EQ(operators(graph), std::string("Shape Flatten ") + op_type + " Reshape");
    EXPECT_EQ(node_named(graph, "n").op_type, op_type);
    EXPECT_EQ(node_named(graph, "n").attributes.get_int("axis"), -1);
    EXPECT_EQ(node_named(graph, "n_flatten").attributes.get_int("axis"), 1);
    EXPECT_EQ(node_named(graph, "n_flatten").origins, std::vector<std::string>{"n"});
    EXPECT_EQ(graph.outputs[0].name, "y");
  }
}

TEST(UpgradeResize, UpsampleAndFirstForms) {
  const Graph upsample = upgraded(7, "Upsample", {{"scales", std::vector<float>{1, 1, 2, 2}}});
  const Node& node = node_named(upsample, "n");
  EXPECT_EQ(node.op_type, "Resize");
  EXPECT_EQ(node.input(1), kNone);
  EXPECT_EQ(constant_input(upsample, node, 2), (Numbers{1, 1, 2, 2}));
  EXPECT_EQ(node.attributes.get_string("coordinate_transformation_mode", ""), "asymmetric");
  EXPECT_EQ(node.attributes.get_string("nearest_mode", ""), "floor");

  const auto resize = [](int64_t opset, const std::vector<float>& scales, const std::string& mode) {
    return ModelBuilder(opset)
        .input("x", {1, 1, 4, 4})
        .floats("s", {4}, scales)
        .floats("roi", {0}, {})
        .ints("sizes", {1, 1, 8, 8})
        .node("Resize", opset == 10 ? Names{"x", "s"} : Names{"x", "roi", "roi", "sizes"}, {"y"}, {{"mode", mode}}, "",
              "n")
        .output("y")
        .import();
  };
  const auto nearest_mode = [&](const std::vector<float>& scales) {
    const Graph graph = resize(10, scales, "nearest");
    return node_named(graph, "n").attributes.get_string("nearest_mode", "");
  };
  EXPECT_EQ(nearest_mode({1, 1, 2, 2}), "floor");
  EXPECT_EQ(nearest_mode({1, 1, 0.5, 0.5}), "ceil");
  expect_error(ErrorCode::kUnsupported, {"'n'", "shrinking"}, [&] { resize(10, {1, 1, 2, 0.5}, "nearest"); });
  const Graph sizes = resize(11, {1, 1, 1, 1}, "linear");
  EXPECT_EQ(node_named(sizes, "n").input(1), kNone);
  EXPECT_EQ(node_named(sizes, "n").input(2), kNone);
  EXPECT_EQ(constant_input(sizes, node_named(sizes, "n"), 3), (Numbers{1, 1, 8, 8}));
}

TEST(UpgradeResize, RenamesModes) {
  const auto mode = [](const Graph& graph) { return node_named(graph, "n").attributes.get_string("mode", ""); };
  EXPECT_EQ(mode(upgraded(16, "GridSample", {}, "", 2)), "linear");
  EXPECT_EQ(mode(upgraded(16, "GridSample", {{"mode", "bicubic"}}, "", 2)), "cubic");
  EXPECT_EQ(mode(upgraded(20, "GridSample", {{"mode", "nearest"}}, "", 2)), "nearest");
  const Graph tf =
      upgraded(11, "Resize", {{"coordinate_transformation_mode", "tf_half_pixel_for_nn"}, {"nearest_mode", "floor"}});
  EXPECT_EQ(node_named(tf, "n").attributes.get_string("coordinate_transformation_mode", ""), "half_pixel");
  EXPECT_EQ(node_named(tf, "n").attributes.get_string("nearest_mode", ""), "round_prefer_ceil");
  const Graph aligned = ModelBuilder(10)
                            .input("x", {1, 1, 4, 4})
                            .input("boxes", {1, 4})
                            .ints("images", {0})
                            .node("RoiAlign", {"x", "boxes", "images"}, {"y"}, {}, "", "n")
                            .output("y")
                            .import();
  EXPECT_EQ(node_named(aligned, "n").attributes.get_string("coordinate_transformation_mode", ""), "output_half_pixel");
}

TEST(UpgradeNormalization, BatchNormalizationForInferenceOnly) {
  const auto model = [](const AttributeList& attributes, bool use_mean) {
    ModelBuilder builder(7);
    builder.input("x", {2, 3})
        .node("BatchNormalization", Names(5, "x"), {"y", "mean"}, attributes, "", "n")
        .output("y");
    if (use_mean) builder.output("mean");
    return builder.import();
  };
  const Graph graph = model({{"spatial", int64_t{1}}}, false);
  EXPECT_FALSE(node_named(graph, "n").attributes.has("spatial"));
  EXPECT_EQ(node_named(graph, "n").output(1), kNone);
  expect_error(ErrorCode::kUnsupported, {"'n'", "spatial"}, [&] { model({{"spatial", int64_t{0}}}, false); });
  expect_error(ErrorCode::kUnsupported, {"'n'", "training"}, [&] { model({}, true); });
}

TEST(UpgradeNormalization, OnnxRuntimesNames) {
  const Graph rms = upgraded(17, "SimplifiedLayerNormalization", {{"epsilon", 1e-6F}}, "", 2);
  EXPECT_TRUE(node_named(rms, "n").is("RMSNormalization"));
  const Graph skip =
      ModelBuilder(17)
          .input("x", {2, 4})
          .floats("k", {4}, {1, 1, 1, 1})
          .node("SkipLayerNormalization", {"x", "x", "k", "", "k"}, {"y", "", "", "sum"}, {}, "com.microsoft", "n")
          .output("y")
          .output("sum")
          .import();
  EXPECT_EQ(operators(skip), "Add Add LayerNormalization");
  EXPECT_EQ(node_named(skip, "n").input(0), skip.outputs[1].value);
  EXPECT_EQ(skip.value(node_named(skip, "n_sum_with_bias").output(0)).name, "sum");
}

TEST(UpgradeFused, TakesActivationsApart) {
  const Graph conv =
      ModelBuilder(17)
          .input("x", {1, 1, 4, 4})
          .floats("w", {1, 1, 1, 1}, {2})
          .node("FusedConv", {"x", "w", "", "x"}, {"y"},
                {{"activation", "Clip"}, {"activation_params", std::vector<float>{0, 6}}}, "com.microsoft", "n")
          .output("y")
          .import();
  EXPECT_EQ(operators(conv), "Conv Add Clip");
  EXPECT_TRUE(node_named(conv, "n").is("Conv"));
  EXPECT_EQ(node_named(conv, "n").inputs.size(), 2U);
  EXPECT_EQ(constant_input(conv, node_named(conv, "n_Clip"), 2), Numbers{6});
  EXPECT_EQ(operators(upgraded(17, "QuickGelu", {}, "com.microsoft")), "Mul Sigmoid Mul");
  const Graph gelu = upgraded(17, "FastGelu", {}, "com.microsoft");
  EXPECT_EQ(node_named(gelu, "n").attributes.get_string("approximate", ""), "tanh");
  EXPECT_TRUE(node_named(gelu, "n").is("Gelu"));
  expect_error(ErrorCode::kUnsupported, {"'n'", "Swoosh"}, [] {
    ModelBuilder(17)
        .input("x", {1})
        .node("FusedGemm", {"x", "x"}, {"y"}, {{"activation", "Swoosh"}}, "com.microsoft", "n")
        .output("y")
        .import();
  });
}

TEST(UpgradeQOperator, ConvDequantizesItsInputsAndQuantizesItsOutput) {
  const Graph graph = ModelBuilder(17)
                          .input("x", {1, 2, 4, 4}, DType::kUInt8)
                          .floats("xs", {}, {0.5F})
                          .small("xz", DType::kUInt8, {}, {128})
                          .small("w", DType::kInt8, {3, 2, 1, 1}, {1, -2, 3, -4, 5, -6})
                          .floats("ws", {3}, {0.25F, 0.5F, 1.0F})
                          .small("wz", DType::kInt8, {3}, {0, 0, 0})
                          .floats("ys", {}, {2.0F})
                          .small("yz", DType::kUInt8, {}, {7})
                          .small("b", DType::kInt32, {3}, {10, 20, 30})
                          .node("QLinearConv", {"x", "xs", "xz", "w", "ws", "wz", "ys", "yz", "b"}, {"y"},
                                {{"strides", Ints{2, 2}}}, "", "n")
                          .output("y")
                          .import();
  EXPECT_EQ(operators(graph), "DequantizeLinear DequantizeLinear DequantizeLinear Conv QuantizeLinear");
  const Node& conv = node_named(graph, "n");
  EXPECT_TRUE(conv.is("Conv"));
  EXPECT_EQ(conv.attributes.get_ints("strides", {}), (Ints{2, 2}));
  const Node& bias = node_named(graph, "n_b_dequantize");
  EXPECT_EQ(constant_input(graph, bias, 1), (Numbers{0.125, 0.25, 0.5}));
  EXPECT_EQ(bias.attributes.get_int("axis"), 0);
  EXPECT_EQ(node_named(graph, "n_w_dequantize").attributes.get_int("axis"), 0);
  const Node& quantize = node_named(graph, "n_quantize");
  EXPECT_EQ(quantize.input(0), conv.output(0));
  EXPECT_EQ(constant_input(graph, quantize, 2), Numbers{7});
  EXPECT_EQ(graph.value(quantize.output(0)).name, "y");
  EXPECT_EQ(quantize.origins, std::vector<std::string>{"n"});
}

TEST(UpgradeQOperator, OnnxRuntimesOperators) {
  const auto model = [](const std::string& op_type, const Names& inputs, const AttributeList& attributes) {
    return ModelBuilder(17)
        .input("x", {2, 3}, DType::kInt8)
        .floats("s", {}, {0.5F})
        .small("z", DType::kInt8, {}, {0})
        .input("c", {2, 3}, DType::kBool)
        .node(op_type, inputs, {"y"}, attributes, "com.microsoft", "n")
        .output("y")
        .import();
  };
  const std::string two = "DequantizeLinear DequantizeLinear ";
  const Names unary = {"x", "s", "z", "s", "z"}, binary = {"x", "s", "z", "x", "s", "z", "s", "z"};
  EXPECT_EQ(operators(model("QLinearAdd", binary, {})), two + "Add QuantizeLinear");
  EXPECT_EQ(operators(model("QLinearMul", binary, {})), two + "Mul QuantizeLinear");
  EXPECT_EQ(operators(model("QLinearSigmoid", unary, {})), "DequantizeLinear Sigmoid QuantizeLinear");
  EXPECT_EQ(operators(model("QLinearSoftmax", unary, {{"opset", int64_t{13}}, {"axis", int64_t{0}}})),
            "DequantizeLinear Softmax QuantizeLinear");
  EXPECT_EQ(operators(model("QLinearSoftmax", unary, {{"opset", int64_t{11}}, {"axis", int64_t{0}}})),
            "DequantizeLinear Shape Flatten Softmax Reshape QuantizeLinear");
  EXPECT_EQ(operators(model("QLinearConcat", {"s", "z", "x", "s", "z", "x", "s", "z"}, {{"axis", int64_t{0}}})),
            two + "Concat QuantizeLinear");
  EXPECT_EQ(operators(model("QLinearWhere", {"c", "x", "s", "z", "x", "s", "z", "s", "z"}, {})),
            two + "Where QuantizeLinear");
  EXPECT_EQ(operators(model("QGemm", {"x", "s", "z", "x", "s", "z", ""}, {{"transB", int64_t{1}}})), two + "Gemm");
  EXPECT_EQ(operators(model("QGemm", {"x", "s", "z", "x", "s", "z", "", "s", "z"}, {})), two + "Gemm QuantizeLinear");
  const Graph without_zero = model("QLinearSigmoid", {"x", "s", "", "s"}, {});
  EXPECT_EQ(without_zero.constant(node_named(without_zero, "n_quantize").input(2))->dtype(), DType::kInt8);
  expect_error(ErrorCode::kUnsupported, {"'n'", "channels_last"}, [&] {
    model("QLinearGlobalAveragePool", unary, {{"channels_last", int64_t{1}}});
  });
  expect_error(ErrorCode::kInvalidModel, {"'n'", "input 1 is absent"}, [&] { model("QLinearAdd", {"x"}, {}); });
}

TEST(UpgradeNewer, AcceptsOnlyWhatMeansTheSame) {
  EXPECT_FALSE(node_named(upgraded(28, "SpaceToDepth", {{"mode", "DCR"}, {"blocksize", int64_t{2}}}), "n")
                   .attributes.has("mode"));
  expect_error(ErrorCode::kUnsupported, {"'n'", "CRD"}, [] {
    upgraded(28, "SpaceToDepth", {{"mode", "CRD"}, {"blocksize", int64_t{2}}});
  });
  expect_error(ErrorCode::kUnsupported, {"'n'", "Scan"}, [] { upgraded(8, "Scan", {}); });
}

TEST(Upgrade, GroupNormalizationScalesChannels) {
  const Graph graph = ModelBuilder(18)
                          .input("x", {1, 4, 2})
                          .floats("s", {2}, {1, 2})
                          .floats("b", {2}, {3, 4})
                          .node("GroupNormalization", {"x", "s", "b"}, {"y"}, {{"num_groups", int64_t{2}}}, "", "n")
                          .output("y")
                          .import();
  EXPECT_EQ(operators(graph), "Shape Div Concat Reshape Expand Reshape Reshape Expand Reshape GroupNormalization");
}

}  // namespace
}  // namespace twofold::testing
