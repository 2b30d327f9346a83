// Lines for configs, and files that they are merged into.
#include "plan/config_lines.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "plan/expect_error.h"
#include "plan/hostile_names.h"

namespace twofold {
namespace {

QuantConfig parse(const std::string& text) { return parse_config(text, "file"); }

std::string merged(const std::string& text, const std::string& lines) {
  return add_config_lines(text, "file", parse(lines));
}

constexpr const char* kLine = "node_config: {/b/Conv: {input0: int16, input1: ec}}";

TEST(ConfigLines, HaveALineForEachOperatorAndNode) {
  const std::string lines =
      "op_config:\n"
      "  Add: {qtype: int16}\n"
      "node_config:\n"
      "  /a/Conv: {input0: int16, input1: ec}\n"
      "  /b/Conv: {activation: {calibration_type: percentile, max_percentile: 0.999}}\n"
      "  /c/MatMul: {weight: {rounding: preserve_sum}}\n";
  EXPECT_EQ(config_lines(parse(lines)), lines);
  EXPECT_EQ(config_lines(parse("")), "");
  EXPECT_EQ(config_lines(parse("model_config: {all_node_type: int16}")), "");
}

TEST(ConfigLines, QuoteNamesThatYamlWouldReadOtherwise) {
  for (const std::string name : kHostileNames) {
    QuantConfig config;
    config.nodes[name].qtype = NodeQType::kInt16;
    const QuantConfig again = parse(config_lines(config));
    ASSERT_EQ(again.nodes.size(), 1U) << name;
    EXPECT_EQ(again.nodes.begin()->first, name);
  }
}

TEST(ConfigLines, LeaveCommentsAndOrderOfABlock) {
  EXPECT_EQ(merged("# Ours.\n"
                   "model_config:  # of all\n"
                   "  all_node_type: int8\n"
                   "\n"
                   "node_config:\n"
                   "    # The first one needs it.\n"
                   "    /a/Conv: {qtype: int16}  # really\n"
                   "op_config:\n"
                   "  Add: {qtype: float32}\n"
                   "# end\n",
                   kLine),
            "# Ours.\n"
            "model_config:  # of all\n"
            "  all_node_type: int8\n"
            "\n"
            "node_config:\n"
            "    /b/Conv: {input0: int16, input1: ec}\n"
            "    # The first one needs it.\n"
            "    /a/Conv: {qtype: int16}  # really\n"
            "op_config:\n"
            "  Add: {qtype: float32}\n"
            "# end\n");
}

TEST(ConfigLines, GoBehindAFileThatHasNone) {
  const std::string lines = "node_config:\n  /b/Conv: {input0: int16, input1: ec}\n";
  EXPECT_EQ(merged("", kLine), lines);
  EXPECT_EQ(merged("# nothing yet\n", kLine), "# nothing yet\n" + lines);
  EXPECT_EQ(merged("model_config: {all_node_type: int16}", kLine), "model_config: {all_node_type: int16}\n" + lines);
}

TEST(ConfigLines, GoIntoSectionsThatAreEmpty) {
  EXPECT_EQ(merged("node_config:\n  # /a/Conv: {qtype: int16}\nop_config: {}\n",
                   std::string(kLine) + "\nop_config: {Add: {qtype: int16}}"),
            "node_config:\n"
            "  /b/Conv: {input0: int16, input1: ec}\n"
            "  # /a/Conv: {qtype: int16}\n"
            "op_config: {Add: {qtype: int16}}\n");
  EXPECT_EQ(merged("{}", kLine), "{\"node_config\": {\"/b/Conv\": {\"input0\": \"int16\", \"input1\": \"ec\"}}}");
}

TEST(ConfigLines, FindOperatorsInOtherCapitalLetters) {
  EXPECT_EQ(merged("op_config:\n  softmax: {input0: int8}\n", "op_config: {Softmax: {output0: int16}}"),
            "op_config:\n  softmax: {output0: int16, input0: int8}\n");
  EXPECT_ERROR(merged("op_config: {softmax: {qtype: int8}}", "op_config: {Softmax: {qtype: int16}}"),
               ErrorCode::kInvalidArgument, "'Softmax' has a qtype of its own");
}

TEST(ConfigLines, GoIntoBraces) {
  EXPECT_EQ(merged("node_config: {conf: {qtype: int16}}  # n\n", "node_config: {n: {qtype: int8}, o: {qtype: int8}}"),
            "node_config: {n: {qtype: int8}, o: {qtype: int8}, conf: {qtype: int16}}  # n\n");
  EXPECT_EQ(merged("{op_config: {Add: {qtype: int16}},\n node_config: {'a{': {qtype: int16}}}",
                   "node_config: {'a{': {input0: int8}}\nop_config: {Mul: {qtype: int8}}"),
            "{op_config: {Mul: {qtype: int8}, Add: {qtype: int16}},\n"
            " node_config: {'a{': {input0: int8, qtype: int16}}}");
}

TEST(ConfigLines, LeaveJsonToAllThatReadsJson) {
  const std::string text = R"({"model_config": {"activation": {"calibration_type": ["max"]}},
  "node_config": {"/Conv": {"qtype": "int16"}}})";
  const auto json = nlohmann::json::parse(merged(text,
                                                 "node_config: {'a\"b': {input0: int16}}\nop_config: {Add: "
                                                 "{activation: {calibration_type: max}}}"));
  EXPECT_EQ(json["node_config"]["a\"b"]["input0"], "int16");
  EXPECT_EQ(json["node_config"]["/Conv"]["qtype"], "int16");
  EXPECT_EQ(json["op_config"]["Add"]["activation"]["calibration_type"], std::vector<std::string>{"max"});
  EXPECT_EQ(json["model_config"], nlohmann::json::parse(text)["model_config"]);
}

TEST(ConfigLines, GoIntoThePartOfAPtqFileThatTheyBelongTo) {
  const std::string head =
      "model_parameters:\n"
      "  onnx_model: m.onnx  # op_config: is not here\n"
      "calibration_parameters:\n"
      "  cal_data_dir: samples\n";
  EXPECT_EQ(merged(head + "  quant_config:\n    # ours\n    model_config: {all_node_type: int8}\n"
                          "compiler_parameters:\n  jobs: 4\n",
                   kLine),
            head +
                "  quant_config:\n    node_config:\n      /b/Conv: {input0: int16, input1: ec}\n    # ours\n"
                "    model_config: {all_node_type: int8}\ncompiler_parameters:\n  jobs: 4\n");
  EXPECT_EQ(merged(head + "  quant_config: {model_config: {all_node_type: int8}}\n", kLine),
            head +
                "  quant_config: {node_config: {/b/Conv: {input0: int16, input1: ec}}, model_config: "
                "{all_node_type: int8}}\n");
  EXPECT_EQ(merged(head + "  quant_config:\n", kLine),
            head + "  quant_config:\n    node_config:\n      /b/Conv: {input0: int16, input1: ec}\n");
  EXPECT_ERROR(merged(head, kLine), ErrorCode::kInvalidArgument,
               "file: lines cannot be merged into this file: it has no quant_config: add one to "
               "calibration_parameters");
}

TEST(ConfigLines, CompleteEntriesThatExist) {
  EXPECT_EQ(merged("node_config:\n  /b/Conv:\n    input0: int8  # ours\n", "node_config: {/b/Conv: {input1: ec}}"),
            "node_config:\n  /b/Conv:\n    input1: ec\n    input0: int8  # ours\n");
  EXPECT_EQ(merged("node_config: {/b/Conv: {}}", kLine), "node_config: {/b/Conv: {input0: int16, input1: ec}}");
}

TEST(ConfigLines, WhatTheFileSaysOfTheSameIsAnError) {
  EXPECT_ERROR(merged("node_config: {/b/Conv: {input0: int8}}", kLine), ErrorCode::kInvalidArgument,
               "file: lines cannot be merged into this file: '/b/Conv' has a input0 of its own");
  EXPECT_ERROR(merged("op_config:\n  Add:\n    qtype: int8\n", "op_config: {Add: {qtype: int16}}"),
               ErrorCode::kInvalidArgument, "'Add' has a qtype of its own");
  EXPECT_ERROR(merged("node_config: {a: {qtyp: int8}}", kLine), ErrorCode::kInvalidArgument,
               "file:1: unknown key 'qtyp' in node_config.a");
  // Nothing can be put behind what says that there is nothing.
  EXPECT_ERROR(merged("node_config: null\n", kLine), ErrorCode::kInvalidArgument,
               "file: lines cannot be merged into a file that is written like this: paste them");
}

TEST(ConfigLines, LeaveTextThatEndsWithTheFile) {
  const std::string lines_in =
      "calibration_parameters: {quant_config: {node_config: {/b/Conv: {input0: int16, input1: ec}}}}\n";
  const std::string end = "model_parameters:\n  output_model_file_prefix: |\n    m";
  EXPECT_EQ(merged("calibration_parameters: {quant_config: {}}\n" + end, kLine), lines_in + end);
}

TEST(ConfigLines, WhatWouldSaySomethingElseIsAnError) {
  const std::string message = "file: lines cannot be merged into a file that is written like this: paste them";
  // The sections are another part of the file as well.
  EXPECT_ERROR(merged("calibration_parameters:\n  quant_config:\n    node_config: &n\n      a: {qtype: int8}\n"
                      "compiler_parameters: *n\n",
                      kLine),
               ErrorCode::kInvalidArgument, message);
  QuantConfig lines;
  lines.nodes["a\xff"].qtype = NodeQType::kInt16;  // no UTF-8: it would be written as another name
  EXPECT_ERROR(add_config_lines("", "file", lines), ErrorCode::kInvalidArgument, message);
}

TEST(ConfigLines, ConfigsInOtherFilesAreNotLookedFor) {
  EXPECT_ERROR(merged("calibration_parameters:\n  quant_config: ./none.yaml\n", kLine), ErrorCode::kInvalidArgument,
               "file: lines cannot be merged into this file: its quant_config names another file: give that one");
}

// A config drawn at random, as text in one of several styles.
struct RandomConfig {
  explicit RandomConfig(unsigned seed) : random(seed) {}

  size_t below(size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(random); }

  nlohmann::ordered_json section(const std::vector<std::string>& names) {
    nlohmann::ordered_json json = nlohmann::ordered_json::object();
    for (const std::string& name : names) {
      if (below(2) == 0) continue;
      json[name][below(2) == 0 ? "qtype" : "input0"] = below(2) == 0 ? "int8" : "int16";
    }
    return json;
  }

  std::string text(const nlohmann::ordered_json& json) {
    if (below(3) == 0) return json.dump(below(2) == 0 ? -1 : 2);
    std::string text = "# head {\n";
    for (const auto& [name, section] : json.items()) {
      text += name + ":";
      if (section.empty() || below(2) == 0) {
        text += " " + section.dump() + "  # {behind\n";
        continue;
      }
      text += "\n";
      for (const auto& [key, value] : section.items()) {
        text += "   # above\n   " + nlohmann::json(key).dump() + ": " + value.dump() + "\n";
      }
    }
    return text;
  }

  std::mt19937 random;
};

TEST(ConfigLines, TheFileSaysWhatItSaidAndTheLines) {
  std::vector<std::string> old_names, new_names;
  for (const std::string name : kHostileNames) {
    old_names.push_back(name);
    new_names.push_back(name + "'");
  }
  for (unsigned seed = 0; seed < 300; ++seed) {
    RandomConfig random(seed);
    nlohmann::ordered_json json;
    for (const char* section : {"model_config", "op_config", "node_config"}) {
      if (random.below(3) == 0) continue;
      json[section] = std::string(section) == "model_config" ? nlohmann::ordered_json{{"all_node_type", "int16"}}
                                                             : random.section(old_names);
    }
    if (json.is_null()) continue;
    const std::string text = random.text(json);
    const QuantConfig before = parse(text);
    nlohmann::ordered_json added = {{"node_config", random.section(new_names)},
                                    {"op_config", random.section(new_names)}};
    const QuantConfig lines = parse(added.dump());
    const std::string all = add_config_lines(text, "file", lines);
    const QuantConfig after = parse(all);
    EXPECT_EQ(after.model.all_node_type, before.model.all_node_type) << all;
    QuantConfig expected = before;
    expected.nodes.insert(lines.nodes.begin(), lines.nodes.end());
    expected.ops.insert(lines.ops.begin(), lines.ops.end());
    EXPECT_EQ(config_lines(after), config_lines(expected)) << text << all;
    // What was there is there, in its order.
    size_t at = 0;
    for (const char c : text) {
      at = all.find(c, at);
      ASSERT_NE(at, std::string::npos) << text << all;
      ++at;
    }
  }
}

}  // namespace
}  // namespace twofold
