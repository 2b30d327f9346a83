#include "plan/quant_config.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "plan/operand_ref.h"

namespace twofold {

namespace {

// Histograms of more bins cost memory and find nothing.
constexpr int64_t kMaxBins = 1 << 20;

template <typename Read>
auto read_list(const ConfigValue& value, const Read& read) {
  std::vector<decltype(read(value))> result;
  for (const ConfigValue& item : value.items_or_self()) {
    const auto element = read(item);
    if (std::find(result.begin(), result.end(), element) != result.end()) item.fail("the list holds a value twice");
    result.push_back(element);
  }
  return result;
}

template <typename T, size_t N>
T read_word(const ConfigValue& value, const std::array<T, N>& choices) {
  std::array<std::string_view, N> words;
  std::transform(choices.begin(), choices.end(), words.begin(), [](T choice) { return to_string(choice); });
  return choices[value.word(words)];
}

std::vector<int> read_bins(const ConfigValue& value, int64_t min) {
  return read_list(value, [min](const ConfigValue& item) { return static_cast<int>(item.integer(min, kMaxBins)); });
}

constexpr ConfigKey<ActivationConfig> kActivationKeys[] = {
    {"calibration_type", [](const ConfigValue& value, ActivationConfig& out) { out.methods = read_methods(value); }},
    {"num_bin", [](const ConfigValue& value, ActivationConfig& out) { out.num_bin = read_bins(value, 129); }},
    {"max_num_bin", [](const ConfigValue& value, ActivationConfig& out) { out.max_num_bin = read_bins(value, 258); }},
    {"max_percentile",
     [](const ConfigValue& value, ActivationConfig& out) { out.max_percentile = read_percentiles(value); }},
    {"per_channel", [](const ConfigValue& value, ActivationConfig& out) { out.per_channel = read_booleans(value); }},
    {"asymmetric", [](const ConfigValue& value, ActivationConfig& out) { out.asymmetric = read_booleans(value); }},
};

constexpr ConfigKey<BiasCorrection> kBiasCorrectionKeys[] = {
    {"num_sample", [](const ConfigValue& value,
                      BiasCorrection& out) { out.num_sample = static_cast<int>(value.integer(1, 1'000'000)); }},
    {"metric", [](const ConfigValue& value, BiasCorrection& out) { out.metric = read_metric(value); }},
};

constexpr ConfigKey<WeightConfig> kWeightKeys[] = {
    {"rounding",
     [](const ConfigValue& value, WeightConfig& out) {
       out.rounding = read_list(value, [](const ConfigValue& item) {
         return read_word(item, std::array{Rounding::kNearest, Rounding::kPreserveSum});
       });
     }},
    {"bias_correction",
     [](const ConfigValue& value, WeightConfig& out) {
       out.bias_correction.emplace();
       read_map<BiasCorrection>(value, kBiasCorrectionKeys, *out.bias_correction);
     }},
    {"reduce_range", [](const ConfigValue& value, WeightConfig& out) { out.reduce_range = value.boolean(); }},
};

void read_search(const ConfigValue& value, std::optional<Metric>& out) {
  static constexpr ConfigKey<Metric> kKeys[] = {
      {"metric", [](const ConfigValue& metric, Metric& result) { result = read_metric(metric); }},
  };
  out = Metric::kCosineSimilarity;
  read_map<Metric>(value, kKeys, *out);
}

constexpr ConfigKey<ModelConfig> kModelKeys[] = {
    {"all_node_type",
     [](const ConfigValue& value, ModelConfig& out) {
       static constexpr std::string_view kWords[] = {"auto", "int8", "int16", "float16", "float32"};
       static constexpr QType kTypes[] = {QType::kInt8, QType::kInt16, QType::kFloat16, QType::kFloat32};
       const size_t word = value.word(kWords);
       out.all_node_type = word == 0 ? std::nullopt : std::optional(kTypes[word - 1]);
     }},
    {"model_output_type",
     [](const ConfigValue& value, ModelConfig& out) {
       out.model_output_type = read_word(value, std::array{QType::kInt8, QType::kInt16, QType::kFloat32});
     }},
    {"activation", [](const ConfigValue& value,
                      ModelConfig& out) { read_map<ActivationConfig>(value, kActivationKeys, out.activation); }},
    {"weight",
     [](const ConfigValue& value, ModelConfig& out) { read_map<WeightConfig>(value, kWeightKeys, out.weight); }},
    {"equalization", [](const ConfigValue& value, ModelConfig& out) { out.equalization = value.boolean(); }},
    {"modelwise_search", [](const ConfigValue& value, ModelConfig& out) { read_search(value, out.modelwise_search); }},
    {"layerwise_search", [](const ConfigValue& value, ModelConfig& out) { read_search(value, out.layerwise_search); }},
};

constexpr ConfigKey<LevelConfig> kLevelKeys[] = {
    {"qtype",
     [](const ConfigValue& value, LevelConfig& out) {
       out.qtype = read_word(value, std::array{NodeQType::kInt8, NodeQType::kInt16, NodeQType::kDualInt16,
                                               NodeQType::kInt16Ec, NodeQType::kFloat16, NodeQType::kFloat32});
     }},
    {"activation", [](const ConfigValue& value,
                      LevelConfig& out) { read_map<ActivationConfig>(value, kActivationKeys, out.activation); }},
    {"weight",
     [](const ConfigValue& value, LevelConfig& out) { read_map<WeightConfig>(value, kWeightKeys, out.weight); }},
};

// One entry of a level. False if the key is not one of a level's.
bool read_level_entry(const ConfigValue& entry, LevelConfig& out) {
  const std::string& name = entry.node().key;
  if (const std::optional<OperandRef> operand = parse_operand(name)) {
    out.operands[*operand] =
        read_word(entry, std::array{QType::kInt8, QType::kInt16, QType::kEc, QType::kFloat16, QType::kFloat32});
    return true;
  }
  for (const ConfigKey<LevelConfig>& key : kLevelKeys) {
    if (key.name != name) continue;
    key.read(entry, out);
    return true;
  }
  return false;
}

const std::vector<std::string> kLevelNames = {"qtype", "input0", "input1", "output0", "activation", "weight"};

void read_levels(const ConfigValue& value, std::map<std::string, LevelConfig>& out) {
  for (const ConfigValue& named : value.entries()) {
    LevelConfig& level = out[named.node().key];
    for (const ConfigValue& entry : named.entries()) {
      if (!read_level_entry(entry, level)) named.fail_unknown_key(entry.node(), kLevelNames);
    }
  }
}

std::vector<std::string> read_names(const ConfigValue& value) {
  return read_list(value, [](const ConfigValue& item) { return item.text(); });
}

void read_subgraphs(const ConfigValue& value, QuantConfig& out) {
  for (const ConfigValue& named : value.entries()) {
    SubgraphConfig subgraph;
    for (const ConfigValue& entry : named.entries()) {
      const std::string& key = entry.node().key;
      if (key == "inputs") {
        subgraph.inputs = read_names(entry);
      } else if (key == "outputs") {
        subgraph.outputs = read_names(entry);
      } else if (!read_level_entry(entry, subgraph.level)) {
        std::vector<std::string> known = kLevelNames;
        known.insert(known.begin(), {"inputs", "outputs"});
        named.fail_unknown_key(entry.node(), known);
      }
    }
    if (subgraph.inputs.empty() && subgraph.outputs.empty()) {
      named.fail("a subgraph needs 'inputs' or 'outputs': lists of names of nodes or tensors");
    }
    out.subgraphs.emplace_back(named.node().key, std::move(subgraph));
  }
}

constexpr ConfigKey<QuantConfig> kQuantConfigKeys[] = {
    {"model_config",
     [](const ConfigValue& value, QuantConfig& out) { read_map<ModelConfig>(value, kModelKeys, out.model); }},
    {"op_config", [](const ConfigValue& value, QuantConfig& out) { read_levels(value, out.ops); }},
    {"node_config", [](const ConfigValue& value, QuantConfig& out) { read_levels(value, out.nodes); }},
    {"subgraph_config", read_subgraphs},
};

}  // namespace

std::span<const ConfigKey<QuantConfig>> quant_config_keys() { return kQuantConfigKeys; }

Metric read_metric(const ConfigValue& value) {
  return read_word(value, std::array{Metric::kCosineSimilarity, Metric::kMse, Metric::kMae, Metric::kMre, Metric::kSqnr,
                                     Metric::kChebyshev});
}

std::vector<RangeMethod> read_methods(const ConfigValue& value) {
  return read_list(value, [](const ConfigValue& item) {
    return read_word(item,
                     std::array{RangeMethod::kMax, RangeMethod::kKl, RangeMethod::kPercentile, RangeMethod::kMse});
  });
}

std::vector<double> read_percentiles(const ConfigValue& value) {
  return read_list(value, [](const ConfigValue& item) { return item.number(0.5, 1.0); });
}

std::vector<bool> read_booleans(const ConfigValue& value) {
  return read_list(value, [](const ConfigValue& item) { return item.boolean(); });
}

}  // namespace twofold
