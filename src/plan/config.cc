#include "plan/config.h"

#include <algorithm>

#include "base/error.h"
#include "base/files.h"
#include "plan/config_reader.h"
#include "plan/input_parameters.h"
#include "plan/march.h"
#include "plan/node_info.h"
#include "plan/optimization.h"
#include "plan/quant_config.h"

namespace twofold {

namespace {

// A config while it is read.
struct Draft {
  QuantConfig config;
  std::filesystem::path folder;
  // Read when all else is, since it goes before the other keys of calibration_parameters, wherever it stands.
  std::optional<ConfigValue> quant_config;
};

std::string text_or_empty(const ConfigValue& value) { return value.is_null() ? "" : value.text(); }

// Empty stays empty.
std::filesystem::path read_path(const ConfigValue& value, const Draft& draft) {
  const std::filesystem::path path = text_or_empty(value);
  return path.empty() ? path : (draft.folder / path).lexically_normal();
}

void read_cal_data_dir(const ConfigValue& value, Draft& draft) {
  for (const std::string& text : read_separated(value)) {
    if (text.empty()) value.fail("a folder is missing between two ';'");
    draft.config.cal_data_dirs.push_back((draft.folder / text).lexically_normal());
  }
}

void read_cal_data_type(const ConfigValue& value, Draft& draft) {
  for (const std::string& word : read_separated(value)) {
    if (word != "float32" && word != "uint8") {
      value.fail(fmt::format("must be float32 or uint8, the type of raw files, not '{}'", word));
    }
    draft.config.cal_data_types.push_back(word == "uint8" ? DType::kUInt8 : DType::kFloat32);
  }
}

// A key that a template leaves empty.
bool says_nothing(const ConfigValue& value) {
  return value.is_null() || (value.node().kind == YamlNode::Kind::kScalar && value.node().text.empty());
}

void not_used(const ConfigValue& value, Draft& draft) { draft.config.unused_keys.push_back(value.path()); }

void keep_quant_config(const ConfigValue& value, Draft& draft) {
  if (draft.quant_config) value.fail("quant_config is there twice");
  draft.quant_config = value;
}

void read_quant_config(const ConfigValue& value, Draft& draft) {
  if (value.node().kind != YamlNode::Kind::kScalar) {
    read_map(value, quant_config_keys(), draft.config);
    return;
  }
  const std::filesystem::path path = draft.folder / value.text();
  if (!std::filesystem::exists(path)) value.fail(fmt::format("the file '{}' does not exist", path.string()));
  const std::string text = read_text_file(path);
  const std::string label = path.string();
  const YamlNode tree = parse_relaxed_yaml(text, label);
  const YamlNode* inner = tree.find("quant_config");
  if (inner != nullptr && inner->kind == YamlNode::Kind::kScalar) {
    ConfigValue(*inner, label, "quant_config").fail("a file that quant_config names must hold the config itself");
  }
  read_quant_config(inner == nullptr ? ConfigValue(tree, label) : ConfigValue(*inner, label, "quant_config"), draft);
}

constexpr ConfigKey<Draft> kModelParameters[] = {
    {"onnx_model", [](const ConfigValue& value, Draft& draft) { draft.config.onnx_model = read_path(value, draft); }},
    {"output_model_file_prefix",
     [](const ConfigValue& value, Draft& draft) { draft.config.output_model_file_prefix = text_or_empty(value); }},
    {"working_dir", [](const ConfigValue& value, Draft& draft) { draft.config.working_dir = read_path(value, draft); }},
    {"march", [](const ConfigValue& value, Draft& draft) { draft.config.march = read_march(value); }},
    {"output_nodes", [](const ConfigValue& value, Draft& draft) { draft.config.output_nodes = read_separated(value); }},
    {"node_info", [](const ConfigValue& value, Draft& draft) { read_node_info(value, draft.config); }},
    {"caffe_model", not_used},
    {"prototxt", not_used},
    {"remove_node_type", not_used},
    {"remove_node_name", not_used},
    {"layer_out_dump", not_used},
    {"debug_mode", not_used},
    {"enable_vpu", not_used},
};

constexpr ConfigKey<Draft> kCalibrationParameters[] = {
    {"quant_config", keep_quant_config},
    {"cal_data_dir", read_cal_data_dir},
    {"cal_data_type", read_cal_data_type},
    {"preprocess_on", [](const ConfigValue& value,
                         Draft& draft) { draft.config.resizes_images = !says_nothing(value) && value.boolean(); }},
    {"calibration_type",
     [](const ConfigValue& value, Draft& draft) {
       if (!says_nothing(value)) read_model_methods(value, draft.config);
     }},
    {"per_channel",
     [](const ConfigValue& value, Draft& draft) {
       if (!says_nothing(value)) draft.config.model.activation.per_channel = read_booleans(value);
     }},
    {"max_percentile",
     [](const ConfigValue& value, Draft& draft) {
       if (!says_nothing(value)) draft.config.model.activation.max_percentile = read_percentiles(value);
     }},
    {"optimization", [](const ConfigValue& value, Draft& draft) { read_optimization(value, draft.config); }},
    {"node_info", [](const ConfigValue& value, Draft& draft) { read_node_info(value, draft.config); }},
    {"run_on_cpu", [](const ConfigValue& value, Draft& draft) { read_run_on_cpu(value, draft.config); }},
    {"run_on_bpu", not_used},
};

constexpr ConfigKey<Draft> kTopLevel[] = {
    {"model_parameters",
     [](const ConfigValue& value, Draft& draft) { read_map<Draft>(value, kModelParameters, draft); }},
    {"input_parameters",
     [](const ConfigValue& value, Draft& draft) {
       draft.config.inputs = read_input_parameters(value, draft.config.unused_keys);
     }},
    {"calibration_parameters",
     [](const ConfigValue& value, Draft& draft) { read_map<Draft>(value, kCalibrationParameters, draft); }},
    {"compiler_parameters", not_used},
    {"custom_op", not_used},
    {"quant_config", keep_quant_config},
};

// A share of values to keep is what `percentile` is about: beside it, `max` means that.
void join_percentiles(ActivationConfig& activation) {
  std::vector<RangeMethod>& methods = activation.methods;
  if (activation.max_percentile.empty() || std::ranges::find(methods, RangeMethod::kPercentile) != methods.end())
    return;
  std::ranges::replace(methods, RangeMethod::kMax, RangeMethod::kPercentile);
}

void join_percentiles(QuantConfig& config) {
  join_percentiles(config.model.activation);
  for (auto* levels : {&config.ops, &config.nodes}) {
    for (auto& [name, level] : *levels) join_percentiles(level.activation);
  }
  for (auto& [name, subgraph] : config.subgraphs) join_percentiles(subgraph.level.activation);
}

// The whole file may also be what stands under quant_config.
bool is_quant_config(const YamlNode& tree) {
  for (const ConfigKey<QuantConfig>& key : quant_config_keys()) {
    if (tree.find(key.name) != nullptr) return true;
  }
  return false;
}

// A key that neither form of the file knows is told the nearest of both.
void check_top_level(const ConfigValue& root) {
  if (!root.is_map()) return;
  std::vector<std::string> known;
  for (const ConfigKey<Draft>& key : kTopLevel) known.emplace_back(key.name);
  for (const ConfigKey<QuantConfig>& key : quant_config_keys()) known.emplace_back(key.name);
  for (const YamlNode& entry : root.node().items) {
    if (std::find(known.begin(), known.end(), entry.key) == known.end()) root.fail_unknown_key(entry, known);
  }
}

}  // namespace

std::string_view to_string(Rounding rounding) { return rounding == Rounding::kNearest ? "nearest" : "preserve_sum"; }

std::string_view to_string(NodeQType qtype) {
  switch (qtype) {
    case NodeQType::kInt8: return "int8";
    case NodeQType::kInt16: return "int16";
    case NodeQType::kDualInt16: return "dual-int16";
    case NodeQType::kInt16Ec: return "int16-ec";
    case NodeQType::kFloat16: return "float16";
    case NodeQType::kFloat32: return "float32";
  }
  return "int8";
}

QuantConfig parse_config(std::string_view text, std::string_view label, const std::filesystem::path& folder) {
  const YamlNode tree = parse_relaxed_yaml(text, label);
  Draft draft;
  draft.folder = folder;
  const ConfigValue root(tree, label);
  check_top_level(root);
  if (is_quant_config(tree)) {
    read_quant_config(root, draft);
  } else {
    // In a whole PTQ file nothing means what it means to the tools that such files are for.
    const bool is_whole = tree.find("model_parameters") != nullptr || tree.find("calibration_parameters") != nullptr;
    if (is_whole) draft.config.model.all_node_type = QType::kInt8;
    read_map<Draft>(root, kTopLevel, draft);
    if (draft.quant_config) read_quant_config(*draft.quant_config, draft);
  }
  join_percentiles(draft.config);
  return std::move(draft.config);
}

bool names_inputs(const QuantConfig& config) {
  return std::ranges::any_of(config.inputs, [](const InputConfig& input) { return !input.name.empty(); });
}

DataIs data_of(const QuantConfig& config) {
  if (config.data_is != DataIs::kByConfig) return config.data_is;
  return config.march.empty() ? DataIs::kRaw : data_of_march(config.march);
}

QuantConfig load_config(const std::filesystem::path& path) {
  return parse_config(read_text_file(path), path.string(), path.parent_path());
}

}  // namespace twofold
