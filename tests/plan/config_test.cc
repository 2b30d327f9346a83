#include "plan/config.h"

#include <filesystem>
#include <fstream>

#include "plan/expect_error.h"

namespace twofold {
namespace {

QuantConfig parse(const std::string& text) { return parse_config(text, "file"); }

// A config with one setting of model_config.
ModelConfig model(const std::string& text) { return parse("model_config: {" + text + "}").model; }

LevelConfig conv(const std::string& text) { return parse("op_config: {Conv: {" + text + "}}").ops.at("Conv"); }

TEST(Config, EmptyMeansDefaults) {
  for (const char* text : {"", "{}", "quant_config: {}", "model_config:\n"}) {
    const QuantConfig config = parse(text);
    EXPECT_EQ(config.model.all_node_type, std::nullopt);  // auto
    EXPECT_FALSE(config.model.model_output_type);
    EXPECT_EQ(config.model.activation, ActivationConfig{});
    EXPECT_EQ(config.model.weight, WeightConfig{});
    EXPECT_TRUE(config.ops.empty() && config.nodes.empty() && config.subgraphs.empty() && config.inputs.empty());
  }
}

TEST(Config, ModelLevelTypes) {
  EXPECT_EQ(model("all_node_type: auto").all_node_type, std::nullopt);
  EXPECT_EQ(model("all_node_type: int8").all_node_type, QType::kInt8);
  EXPECT_EQ(model("all_node_type: int16").all_node_type, QType::kInt16);
  EXPECT_EQ(model("all_node_type: float16").all_node_type, QType::kFloat16);
  EXPECT_EQ(model("all_node_type: float32").all_node_type, QType::kFloat32);
  EXPECT_ERROR(model("all_node_type: ec"), ErrorCode::kInvalidArgument,
               "file:1: model_config.all_node_type: must be auto, int8, int16, float16, float32, not 'ec'");
  EXPECT_EQ(model("model_output_type: int8").model_output_type, QType::kInt8);
  EXPECT_EQ(model("model_output_type: int16").model_output_type, QType::kInt16);
  EXPECT_EQ(model("model_output_type: float32").model_output_type, QType::kFloat32);
  EXPECT_ERROR(model("model_output_type: float16"), ErrorCode::kInvalidArgument, "must be int8, int16, float32");
  EXPECT_ERROR(model("model_output_type: [int8]"), ErrorCode::kInvalidArgument, "not a list");
}

TEST(Config, ActivationSettings) {
  const ActivationConfig one = model(
                                   "activation: {calibration_type: kl, num_bin: 129, max_num_bin: 258, "
                                   "max_percentile: 0.5, per_channel: true, asymmetric: False}")
                                   .activation;
  EXPECT_EQ(one.methods, std::vector{RangeMethod::kKl});
  EXPECT_EQ(one.num_bin, std::vector{129});
  EXPECT_EQ(one.max_num_bin, std::vector{258});
  EXPECT_EQ(one.max_percentile, std::vector{0.5});
  EXPECT_EQ(one.per_channel, std::vector{true});
  EXPECT_EQ(one.asymmetric, std::vector{false});
  const ActivationConfig lists = model(
                                     "activation: {calibration_type: [max, kl, percentile, mse], num_bin: [512, 1024], "
                                     "max_num_bin: [8192, 16384], max_percentile: [0.9999, 1], "
                                     "per_channel: [true, false], asymmetric: [true]}")
                                     .activation;
  EXPECT_EQ(lists.methods,
            (std::vector{RangeMethod::kMax, RangeMethod::kKl, RangeMethod::kPercentile, RangeMethod::kMse}));
  EXPECT_EQ(lists.num_bin, (std::vector{512, 1024}));
  EXPECT_EQ(lists.max_num_bin, (std::vector{8192, 16384}));
  EXPECT_EQ(lists.max_percentile, (std::vector{0.9999, 1.0}));
  EXPECT_EQ(lists.per_channel, (std::vector{true, false}));
}

TEST(Config, ActivationRanges) {
  const auto bad = [](const std::string& setting, const std::string& message) {
    EXPECT_ERROR(model("activation: {" + setting + "}"), ErrorCode::kInvalidArgument, message);
  };
  bad("calibration_type: minmax", "must be max, kl, percentile, mse, min-max, not 'minmax'");
  bad("calibration_type: []", "the list is empty");
  bad("calibration_type: [kl, kl]", "twice");
  bad("num_bin: 128", "must be an integer from 129");
  bad("num_bin: 200.5", "must be an integer from 129");
  bad("num_bin: '200'", "must be an integer from 129");
  bad("max_num_bin: 257", "must be an integer from 258");
  bad("max_num_bin: 99999999999999999999", "must be an integer from 258");
  bad("max_percentile: 0.49", "must be a number from 0.5 to 1, not '0.49'");
  bad("max_percentile: 1.01", "must be a number from 0.5 to 1");
  bad("max_percentile: nan", "must be a number from 0.5 to 1");
  bad("per_channel: 1", "must be true or false, not '1'");
  bad("asymmetric: {}", "must be true or false, not a map");
  bad("per_chanel: true", "unknown key 'per_chanel' in model_config.activation; did you mean 'per_channel'?");
}

TEST(Config, WeightSettings) {
  const WeightConfig weight =
      model("weight: {rounding: [nearest, preserve_sum], bias_correction: {num_sample: 4, metric: mae}}").weight;
  EXPECT_EQ(weight.rounding, (std::vector{Rounding::kNearest, Rounding::kPreserveSum}));
  ASSERT_TRUE(weight.bias_correction);
  EXPECT_EQ(*weight.bias_correction, (BiasCorrection{4, Metric::kMae}));
  EXPECT_EQ(*model("weight: {bias_correction: {}}").weight.bias_correction,
            (BiasCorrection{1, Metric::kCosineSimilarity}));
  EXPECT_FALSE(model("weight: {rounding: nearest}").weight.bias_correction);
  EXPECT_ERROR(model("weight: {rounding: floor}"), ErrorCode::kInvalidArgument, "must be nearest, preserve_sum");
  EXPECT_ERROR(model("weight: {bias_correction: {num_sample: 0}}"), ErrorCode::kInvalidArgument, "from 1 to");
  EXPECT_EQ(model("weight: {reduce_range: true}").weight.reduce_range, true);
  EXPECT_ERROR(model("weight: {reduce_range: 7}"), ErrorCode::kInvalidArgument, "must be true or false");
  EXPECT_ERROR(model("weight: {bias_correction: true}"), ErrorCode::kInvalidArgument, "must be a map of keys");
}

TEST(Config, Equalization) {
  EXPECT_TRUE(model("").equalization);
  EXPECT_FALSE(model("equalization: false").equalization);
  EXPECT_ERROR(model("equalization: 0.5"), ErrorCode::kInvalidArgument,
               "model_config.equalization: must be true or false");
}

TEST(Config, Searches) {
  EXPECT_FALSE(model("").modelwise_search);
  EXPECT_EQ(model("modelwise_search: {}").modelwise_search, Metric::kCosineSimilarity);
  const std::pair<const char*, Metric> metrics[] = {{"cosine-similarity", Metric::kCosineSimilarity},
                                                    {"mse", Metric::kMse},
                                                    {"mae", Metric::kMae},
                                                    {"mre", Metric::kMre},
                                                    {"sqnr", Metric::kSqnr},
                                                    {"chebyshev", Metric::kChebyshev}};
  for (const auto& [name, metric] : metrics) {
    EXPECT_EQ(model(std::string("layerwise_search: {metric: ") + name + "}").layerwise_search, metric);
  }
  EXPECT_ERROR(model("layerwise_search: {metric: l2}"), ErrorCode::kInvalidArgument, "chebyshev, not 'l2'");
}

TEST(Config, Levels) {
  const std::pair<const char*, NodeQType> qtypes[] = {
      {"int8", NodeQType::kInt8},        {"int16", NodeQType::kInt16},     {"dual-int16", NodeQType::kDualInt16},
      {"int16-ec", NodeQType::kInt16Ec}, {"float16", NodeQType::kFloat16}, {"float32", NodeQType::kFloat32}};
  for (const auto& [name, qtype] : qtypes) EXPECT_EQ(conv(std::string("qtype: ") + name).qtype, qtype);
  EXPECT_ERROR(conv("qtype: ec"), ErrorCode::kInvalidArgument, "op_config.Conv.qtype: must be int8, int16, dual-int16");
  const LevelConfig level = conv(
      "input0: int8, input1: ec, input12: int16, output0: float16, output1: float32, "
      "activation: {asymmetric: true}, weight: {rounding: nearest}");
  EXPECT_EQ(level.operands, (std::map<OperandRef, QType>{{OperandRef::input(0), QType::kInt8},
                                                         {OperandRef::input(1), QType::kEc},
                                                         {OperandRef::input(12), QType::kInt16},
                                                         {OperandRef::output(0), QType::kFloat16},
                                                         {OperandRef::output(1), QType::kFloat32}}));
  EXPECT_EQ(level.activation.asymmetric, std::vector{true});
  EXPECT_EQ(level.weight.rounding, std::vector{Rounding::kNearest});
  EXPECT_ERROR(conv("input0: dual-int16"), ErrorCode::kInvalidArgument, "must be int8, int16, ec, float16, float32");
  EXPECT_ERROR(conv("input: int8"), ErrorCode::kInvalidArgument, "unknown key 'input' in op_config.Conv");
  EXPECT_ERROR(conv("input01: int8"), ErrorCode::kInvalidArgument, "unknown key");
  EXPECT_ERROR(conv("qtyp: int8"), ErrorCode::kInvalidArgument, "did you mean 'qtype'?");
  EXPECT_ERROR(parse("op_config: {Conv: int16}"), ErrorCode::kInvalidArgument, "op_config.Conv: must be a map of keys");
}

TEST(Config, Subgraphs) {
  const QuantConfig config = parse(
      "subgraph_config: {b: {inputs: Conv_1, outputs: [Add_2, x], qtype: int16}, "
      "a: {outputs: [y], input0: ec}}");
  ASSERT_EQ(config.subgraphs.size(), 2U);
  EXPECT_EQ(config.subgraphs[0].first, "b");
  EXPECT_EQ(config.subgraphs[0].second.inputs, std::vector<std::string>{"Conv_1"});
  EXPECT_EQ(config.subgraphs[0].second.outputs, (std::vector<std::string>{"Add_2", "x"}));
  EXPECT_EQ(config.subgraphs[0].second.level.qtype, NodeQType::kInt16);
  EXPECT_EQ(config.subgraphs[1].second.level.operands.at(OperandRef::input(0)), QType::kEc);
  EXPECT_ERROR(parse("subgraph_config: {a: {qtype: int16}}"), ErrorCode::kInvalidArgument,
               "needs 'inputs' or 'outputs'");
  EXPECT_ERROR(parse("subgraph_config: {a: {input: [x]}}"), ErrorCode::kInvalidArgument, "did you mean 'inputs'");
}

TEST(Config, UnknownKeysNameLineAndNearest) {
  EXPECT_ERROR(parse("model_config:\n  all_node_type: int8\n  all_nodes_type: int8\n"), ErrorCode::kInvalidArgument,
               "file:3: unknown key 'all_nodes_type' in model_config; did you mean 'all_node_type'?");
  EXPECT_ERROR(parse("node_confg: {}\n"), ErrorCode::kInvalidArgument, "file:1: unknown key 'node_confg'");
  EXPECT_ERROR(parse("node_config: {}\nop_confg: {}\n"), ErrorCode::kInvalidArgument,
               "file:2: unknown key 'op_confg'; did you mean 'op_config'?");
  EXPECT_ERROR(parse("- 1\n"), ErrorCode::kInvalidArgument, "file:1: must be a map of keys, not a list");
}

TEST(Config, PathsStartAtTheFolderOfTheFile) {
  const auto read = [](const std::string& data) {
    return parse_config(
        "model_parameters: {onnx_model: ../m.onnx, working_dir: /w/}\n"
        "calibration_parameters: {cal_data_dir: " +
            data + "}",
        "file", "a/b");
  };
  using Paths = std::vector<std::filesystem::path>;
  EXPECT_EQ(read("x").onnx_model, "a/m.onnx");
  EXPECT_EQ(read("x").working_dir, "/w/");
  EXPECT_EQ(read("x").cal_data_dirs, Paths{"a/b/x"});
  EXPECT_EQ(read("'./x;/y; z;'").cal_data_dirs, (Paths{"a/b/x", "/y", "a/b/z"}));
  EXPECT_EQ(read("[x, y]").cal_data_dirs, (Paths{"a/b/x", "a/b/y"}));
  EXPECT_EQ(read("").cal_data_dirs, Paths{});
  EXPECT_ERROR(read("x;;y"), ErrorCode::kInvalidArgument, "cal_data_dir: a folder is missing between two ';'");
}

TEST(Config, WholePtqFile) {
  const QuantConfig config = parse(R"(
# a PTQ file
model_parameters:
  onnx_model: ./m.onnx
  march: nash-e
  output_model_file_prefix: 'm_q'
  working_dir: out
input_parameters:
  input_name: 'image;mask'
  input_shape: 1x3x32x48;1x?x4
  input_type_rt: nv12
  norm_type: data_mean_and_scale
  mean_value: 103.94 116.78 123.68;
  scale_value: 0.017;
calibration_parameters:
  cal_data_dir: ./data
  calibration_type: percentile
  max_percentile: 0.9999
  per_channel: False
  run_on_bpu: ''
  optimization: set_model_output_int16
  quant_config: {"node_config": {"Conv_1": {"qtype": "int16"},},}
compiler_parameters:
  compile_mode: latency
  whatever: [1, 2]
)");
  EXPECT_EQ(config.onnx_model, "m.onnx");
  EXPECT_EQ(config.output_model_file_prefix, "m_q");
  EXPECT_EQ(config.working_dir, "out");
  EXPECT_EQ(config.cal_data_dirs, std::vector<std::filesystem::path>{"data"});
  EXPECT_EQ(config.model.activation.methods, std::vector{RangeMethod::kPercentile});
  EXPECT_EQ(config.model.activation.max_percentile, std::vector{0.9999});
  EXPECT_EQ(config.model.model_output_type, QType::kInt16);
  EXPECT_EQ(config.nodes.at("Conv_1").qtype, NodeQType::kInt16);
  EXPECT_EQ(config.march, "nash-e");
  EXPECT_EQ(config.unused_keys,
            (std::vector<std::string>{"input_parameters.input_type_rt", "input_parameters.norm_type",
                                      "calibration_parameters.run_on_bpu", "compiler_parameters"}));
}

TEST(Config, QuantConfigWinsOverCalibrationParameters) {
  for (const char* text :
       {"calibration_parameters: {calibration_type: max, optimization: set_model_output_int8, "
        "quant_config: {model_config: {model_output_type: int16, activation: {calibration_type: mse}}}}",
        "calibration_parameters: {quant_config: {model_config: {model_output_type: int16, activation: "
        "{calibration_type: mse}}}, calibration_type: max, optimization: set_model_output_int8}"}) {
    const ModelConfig result = parse(text).model;
    EXPECT_EQ(result.activation.methods, std::vector{RangeMethod::kMse});
    EXPECT_EQ(result.model_output_type, QType::kInt16);
  }
}

TEST(Config, CalibrationParameters) {
  const auto calibration = [](const std::string& text) {
    return parse("calibration_parameters: {" + text + "}").model;
  };
  EXPECT_TRUE(calibration("calibration_type: default").activation.methods.empty());
  EXPECT_TRUE(calibration("calibration_type: mix").activation.methods.empty());
  const ModelConfig nothing = calibration(
      "calibration_type: '', per_channel: , max_percentile: , optimization: , run_on_cpu: '', preprocess_on: , "
      "cal_data_type: ''");
  EXPECT_EQ(nothing.activation, ActivationConfig{});
  EXPECT_EQ(calibration("calibration_type: min-max").activation.methods, std::vector{RangeMethod::kMax});
  EXPECT_ERROR(calibration("calibration_type: load"), ErrorCode::kInvalidArgument, "is quantized, and runs as it is");
  EXPECT_ERROR(calibration("cal_dir: x"), ErrorCode::kInvalidArgument, "did you mean 'cal_data_dir'?");
  EXPECT_ERROR(parse("quant_config: {}\ncalibration_parameters: {quant_config: {}}"), ErrorCode::kInvalidArgument,
               "file:2: calibration_parameters.quant_config: quant_config is there twice");
}

TEST(Config, RandomDataAreAskedFor) {
  const auto random = [](const std::string& text) {
    return parse("calibration_parameters: {" + text + "}").random_data;
  };
  EXPECT_TRUE(random("calibration_type: skip"));
  EXPECT_TRUE(random("calibration_type: fixed"));
  EXPECT_TRUE(random("optimization: run_fast"));
  EXPECT_FALSE(random("calibration_type: default"));
  EXPECT_FALSE(random("calibration_type: skip, quant_config: {model_config: {activation: {calibration_type: kl}}}"));
  EXPECT_ERROR(parse("op_config: {Conv: {activation: {calibration_type: skip}}}"), ErrorCode::kInvalidArgument,
               "must be max, kl");
}

TEST(Config, MaxWithAShareOfValuesIsPercentile) {
  const auto methods = [](const std::string& text) {
    return parse("calibration_parameters: {" + text + "}").model.activation.methods;
  };
  using Methods = std::vector<RangeMethod>;
  EXPECT_EQ(methods("calibration_type: max, max_percentile: 0.9999"), Methods{RangeMethod::kPercentile});
  EXPECT_EQ(methods("calibration_type: max"), Methods{RangeMethod::kMax});
  EXPECT_EQ(methods("calibration_type: kl, max_percentile: 0.9999"), Methods{RangeMethod::kKl});
  EXPECT_EQ(
      methods("max_percentile: 0.9999, quant_config: {model_config: {activation: {calibration_type: [max, kl]}}}"),
      (Methods{RangeMethod::kPercentile, RangeMethod::kKl}));
  EXPECT_EQ(conv("activation: {calibration_type: max, max_percentile: 0.999}").activation.methods,
            Methods{RangeMethod::kPercentile});
  // What another level says of the share is not about a `max` of this one.
  const QuantConfig config = parse(
      "model_config: {activation: {max_percentile: 0.99}}\nop_config: {Conv: {activation: {calibration_type: max}}}");
  EXPECT_EQ(config.ops.at("Conv").activation.methods, Methods{RangeMethod::kMax});
}

TEST(Config, Optimization) {
  const auto optimized = [](const std::string& words, const std::string& more = "") {
    return parse("calibration_parameters: {optimization: " + words + more + "}");
  };
  EXPECT_FALSE(optimized("''").model.model_output_type);
  EXPECT_EQ(optimized("[set_model_output_int8]").model.model_output_type, QType::kInt8);
  EXPECT_EQ(optimized("set_all_nodes_int16").model.all_node_type, QType::kInt16);
  EXPECT_EQ(
      optimized("set_all_nodes_int16", ", quant_config: {model_config: {all_node_type: int8}}").model.all_node_type,
      QType::kInt8);
  EXPECT_EQ(
      optimized("set_all_nodes_int16", ", quant_config: {model_config: {all_node_type: auto}}").model.all_node_type,
      std::nullopt);
  const QuantConfig two = optimized("'set_Softmax_input_int8, set_softmax_output_int16,set_Conv_input_int16'");
  EXPECT_EQ(two.optimizations.at("Softmax"), (LevelConfig{.qtype = NodeQType::kInt8, .outputs = QType::kInt16}));
  EXPECT_EQ(two.optimizations.at("Conv").qtype, NodeQType::kInt16);
  EXPECT_TRUE(two.ops.empty());
  EXPECT_EQ(optimized("asymmetric").model.activation.asymmetric, std::vector{true});
  EXPECT_EQ(optimized("bias_correction").model.weight.bias_correction, BiasCorrection{});
  for (const char* word :
       {"set_Softmax_int8", "set__input_int8", "set_Softmax_input_int4", "lstm_batch_last", "fast"}) {
    EXPECT_ERROR(optimized(word), ErrorCode::kInvalidArgument, "is not done here; there are set_model_output_int8");
  }
}

TEST(Config, NodeInfo) {
  const auto info = [](const std::string& text) { return parse("model_parameters: {node_info: " + text + "}"); };
  const QuantConfig map = info(
      "{/a/Conv: {ON: BPU, InputType: int16, OutputType: int8, InputType1: int8, OutputType2: int16}, b: {ON: CPU}}");
  EXPECT_EQ(map.node_info.at("/a/Conv"),
            (LevelConfig{.qtype = NodeQType::kInt16,
                         .operands = {{OperandRef::input(1), QType::kInt8}, {OperandRef::output(2), QType::kInt16}},
                         .outputs = QType::kInt8}));
  EXPECT_EQ(map.node_info.at("b").qtype, NodeQType::kFloat32);
  const QuantConfig words = info("'Conv_0:int16; scope:Conv_1 : int8;'");
  EXPECT_EQ(words.node_info.at("Conv_0").qtype, NodeQType::kInt16);
  EXPECT_EQ(words.node_info.at("scope:Conv_1").qtype, NodeQType::kInt8);
  EXPECT_TRUE(info("").node_info.empty());
  EXPECT_EQ(info("{a: {ON: BPU}}").unused_keys, std::vector<std::string>{"model_parameters.node_info.a.ON"});
  EXPECT_EQ(parse("calibration_parameters: {run_on_cpu: 'a;b'}").node_info.at("b").qtype, NodeQType::kFloat32);
  EXPECT_ERROR(info("{a: {ON: CPU, InputType: int16}}"), ErrorCode::kInvalidArgument, "a.ON: a node on the CPU stays");
  EXPECT_ERROR(info("{a: {ON: GPU}}"), ErrorCode::kInvalidArgument, "must be BPU, CPU, not 'GPU'");
  EXPECT_ERROR(info("{a: {Inputtype: int8}}"), ErrorCode::kInvalidArgument, "did you mean 'InputType'");
  EXPECT_ERROR(info("'Conv_0'"), ErrorCode::kInvalidArgument, "'Conv_0' must be a node and its type");
  EXPECT_ERROR(info("'Conv_0:int4'"), ErrorCode::kInvalidArgument, "Conv_0: 'int4' is a precision that some devices");
}

TEST(Config, WordsOfOtherTools) {
  EXPECT_EQ(conv("qtype: float").qtype, NodeQType::kFloat32);
  EXPECT_EQ(conv("qtype: int32"), (LevelConfig{.outputs = QType::kFloat32}));
  EXPECT_EQ(conv("output0: int32").operands.at(OperandRef::output(0)), QType::kFloat32);
  EXPECT_EQ(model("all_node_type: float").all_node_type, QType::kFloat32);
  EXPECT_EQ(model("model_output_type: int32").model_output_type, QType::kFloat32);
  EXPECT_ERROR(conv("input0: int32"), ErrorCode::kInvalidArgument, "must be int8, int16, ec, float16, float32");
  for (const char* word : {"int4", "mxint8", "mxfp4", "nvfp4"}) {
    EXPECT_ERROR(conv(std::string("qtype: ") + word), ErrorCode::kInvalidArgument,
                 "is a precision that some devices have and Twofold does not; there are int8, int16, dual-int16");
  }
  const QuantConfig ops = parse("op_config: {softmax: {qtype: int8}, MATMUL: {qtype: int16}, MyOp: {qtype: int8}}");
  EXPECT_EQ(ops.ops.at("Softmax").qtype, NodeQType::kInt8);
  EXPECT_EQ(ops.ops.at("MatMul").qtype, NodeQType::kInt16);
  EXPECT_TRUE(ops.ops.contains("MyOp"));
  EXPECT_ERROR(parse("op_config: {softmax: {qtype: int8}, Softmax: {qtype: int16}}"), ErrorCode::kInvalidArgument,
               "Softmax is there twice");
  const ModelConfig with_default = model("default: {activation: {calibration_type: kl}, weight: {rounding: nearest}}");
  EXPECT_EQ(with_default.activation.methods, std::vector{RangeMethod::kKl});
  EXPECT_EQ(with_default.weight.rounding, std::vector{Rounding::kNearest});
}

TEST(Config, NewerSearches) {
  const QuantConfig config = parse("model_config: {search: {layer: {metric: mse, topk: 5, qtype: int8}}}");
  EXPECT_EQ(config.model.layerwise_search, Metric::kMse);
  EXPECT_EQ(config.notes, std::vector<std::string>{"model_config.search.layer.topk: settings are searched for every "
                                                   "operand, not for the most sensitive ones"});
  EXPECT_EQ(parse("model_config: {modelwise_search: {similarity: 0.995}}").notes.size(), 1U);
  EXPECT_ERROR(model("search: {layer: {qtype: int16}}"), ErrorCode::kInvalidArgument,
               "a search for ranges gives no node another precision");
  EXPECT_ERROR(model("search: {model: {}}"), ErrorCode::kInvalidArgument, "did you mean 'layer'");
}

TEST(Config, MarchSaysWhatDataAre) {
  const auto of_march = [](const std::string& march) { return parse("model_parameters: {march: " + march + "}"); };
  EXPECT_EQ(of_march("NASH_E").march, "nash-e");
  EXPECT_EQ(data_of(of_march("nash-m")), DataIs::kNormalized);
  EXPECT_EQ(data_of(of_march("bayes-e")), DataIs::kRaw);
  EXPECT_EQ(data_of(of_march("bernoulli2")), DataIs::kRaw);
  EXPECT_EQ(data_of(of_march("''")), DataIs::kRaw);
  EXPECT_EQ(data_of(parse("")), DataIs::kRaw);
  QuantConfig own = of_march("nash-e");
  own.data_is = DataIs::kRaw;
  EXPECT_EQ(data_of(own), DataIs::kRaw);
  EXPECT_ERROR(of_march("nash-x"), ErrorCode::kInvalidArgument, "'nash-x' is no march that is known");
  EXPECT_ERROR(of_march("volta"), ErrorCode::kInvalidArgument, "there are bernoulli, bernoulli2, bayes");
}

TEST(Config, QuantConfigMayBeAPath) {
  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "twofold_config_test";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "quant.json") << "{\"op_config\": {\"Conv\": {\"qtype\": \"int16\"}}}";
  std::ofstream(folder / "nested.yaml") << "quant_config: {op_config: {Gemm: {qtype: int16}}}";
  std::ofstream(folder / "bad.yaml") << "model_config:\n  x: 1\n";
  std::ofstream(folder / "loop.yaml") << "quant_config: loop.yaml\n";
  std::ofstream(folder / "ptq.yaml") << "calibration_parameters:\n  quant_config: quant.json\n";
  EXPECT_EQ(load_config(folder / "ptq.yaml").ops.at("Conv").qtype, NodeQType::kInt16);
  const auto with = [&](const std::string& path) { return parse_config("quant_config: " + path, "ptq", folder); };
  EXPECT_EQ(with("nested.yaml").ops.at("Gemm").qtype, NodeQType::kInt16);
  EXPECT_ERROR(with("bad.yaml"), ErrorCode::kInvalidArgument, "bad.yaml:2: unknown key 'x'");
  EXPECT_ERROR(with("none.yaml"), ErrorCode::kInvalidArgument, "none.yaml' does not exist");
  EXPECT_ERROR(with("loop.yaml"), ErrorCode::kInvalidArgument, "must hold the config itself");
  EXPECT_ERROR(load_config(folder / "none.yaml"), ErrorCode::kNotFound, "none.yaml");
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace twofold
