#include "plan/quant_config.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "plan/op_type_word.h"
#include "plan/operand_ref.h"
#include "plan/precision_words.h"

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

// What a search is asked, beside the list of settings.
struct SearchWords {
  Metric metric = Metric::kCosineSimilarity;
  std::vector<std::string> notes;
};

constexpr ConfigKey<SearchWords> kSearchKeys[] = {
    {"metric", [](const ConfigValue& value, SearchWords& out) { out.metric = read_metric(value); }},
    {"similarity",
     [](const ConfigValue& value, SearchWords& out) {
       value.number(0, 1);
       out.notes.push_back(value.path() + ": the search goes on to the best, it does not stop at a similarity");
     }},
    {"topk",
     [](const ConfigValue& value, SearchWords& out) {
       value.integer(1, 1'000'000);
       out.notes.push_back(value.path() + ": settings are searched for every operand, not for the most sensitive ones");
     }},
    {"qtype",
     [](const ConfigValue& value, SearchWords&) {
       static constexpr QType kAllowed[] = {QType::kInt8, QType::kInt16, QType::kFloat16, QType::kFloat32};
       if (read_precision(value, kAllowed) == QType::kInt8) return;
       value.fail(
           "a search for ranges gives no node another precision; name the nodes in node_config (`twofold debug runall` "
           "finds those that need it, and writes the lines)");
     }},
};

// Returns the metric.
Metric read_search(const ConfigValue& value, std::vector<std::string>& notes) {
  SearchWords words;
  read_map<SearchWords>(value, kSearchKeys, words);
  notes.insert(notes.end(), words.notes.begin(), words.notes.end());
  return words.metric;
}

void read_model_activation(const ConfigValue& value, QuantConfig& out) {
  for (const ConfigValue& entry : value.entries()) {
    if (entry.node().key == "calibration_type") {
      read_model_methods(entry, out);
    } else {
      read_entry<ActivationConfig>(value, entry, kActivationKeys, out.model.activation);
    }
  }
}

void read_model_weight(const ConfigValue& value, QuantConfig& out) {
  read_map<WeightConfig>(value, kWeightKeys, out.model.weight);
}

constexpr ConfigKey<QuantConfig> kDefaultKeys[] = {{"activation", read_model_activation},
                                                   {"weight", read_model_weight}};

constexpr ConfigKey<QuantConfig> kSearchesKeys[] = {
    {"layer",
     [](const ConfigValue& value, QuantConfig& out) { out.model.layerwise_search = read_search(value, out.notes); }},
};

constexpr ConfigKey<QuantConfig> kModelKeys[] = {
    {"all_node_type",
     [](const ConfigValue& value, QuantConfig& out) {
       static constexpr QType kAllowed[] = {QType::kInt8, QType::kInt16, QType::kFloat16, QType::kFloat32};
       const bool is_auto = value.node().kind == YamlNode::Kind::kScalar && value.node().text == "auto";
       out.model.all_node_type = is_auto ? std::nullopt : std::optional(read_precision(value, kAllowed, "auto"));
     }},
    {"model_output_type",
     [](const ConfigValue& value, QuantConfig& out) {
       static constexpr QType kAllowed[] = {QType::kInt8, QType::kInt16, QType::kFloat32};
       out.model.model_output_type = read_output_precision(value, kAllowed);
     }},
    {"activation", read_model_activation},
    {"weight", read_model_weight},
    {"default", [](const ConfigValue& value, QuantConfig& out) { read_map<QuantConfig>(value, kDefaultKeys, out); }},
    {"equalization", [](const ConfigValue& value, QuantConfig& out) { out.model.equalization = value.boolean(); }},
    {"modelwise_search",
     [](const ConfigValue& value, QuantConfig& out) { out.model.modelwise_search = read_search(value, out.notes); }},
    {"layerwise_search",
     [](const ConfigValue& value, QuantConfig& out) { out.model.layerwise_search = read_search(value, out.notes); }},
    {"search", [](const ConfigValue& value, QuantConfig& out) { read_map<QuantConfig>(value, kSearchesKeys, out); }},
};

constexpr ConfigKey<LevelConfig> kLevelKeys[] = {
    {"qtype", read_node_qtype},
    {"activation", [](const ConfigValue& value,
                      LevelConfig& out) { read_map<ActivationConfig>(value, kActivationKeys, out.activation); }},
    {"weight",
     [](const ConfigValue& value, LevelConfig& out) { read_map<WeightConfig>(value, kWeightKeys, out.weight); }},
};

// One entry of a level. False if the key is not one of a level's.
bool read_level_entry(const ConfigValue& entry, LevelConfig& out) {
  const std::string& name = entry.node().key;
  if (const std::optional<OperandRef> operand = parse_operand(name)) {
    static constexpr QType kAllowed[] = {QType::kInt8, QType::kInt16, QType::kEc, QType::kFloat16, QType::kFloat32};
    out.operands[*operand] =
        operand->is_output ? read_output_precision(entry, kAllowed) : read_precision(entry, kAllowed);
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

void read_level(const ConfigValue& named, LevelConfig& level) {
  for (const ConfigValue& entry : named.entries()) {
    if (!read_level_entry(entry, level)) named.fail_unknown_key(entry.node(), kLevelNames);
  }
}

std::string place_of(const ConfigValue& entry) { return fmt::format("{}:{}", entry.label(), entry.node().key_line); }

void note_place(const ConfigValue& entry, std::string_view section, const std::string& name, QuantConfig& out) {
  out.places[fmt::format("{}.{}", section, name)] = place_of(entry);
}

void read_ops(const ConfigValue& value, QuantConfig& out) {
  for (const ConfigValue& named : value.entries()) {
    const auto [it, is_new] = out.ops.try_emplace(op_type_of_word(named.node().key));
    if (!is_new) named.fail(fmt::format("{} is there twice, with other capital letters", it->first));
    note_place(named, "op_config", it->first, out);
    if (it->first != named.node().key) {
      out.notes.push_back(
          fmt::format("{}: op_config.{} is for the operator {}", place_of(named), named.node().key, it->first));
    }
    read_level(named, it->second);
  }
}

void read_nodes(const ConfigValue& value, QuantConfig& out) {
  for (const ConfigValue& named : value.entries()) {
    note_place(named, "node_config", named.node().key, out);
    read_level(named, out.nodes[named.node().key]);
  }
}

std::vector<std::string> read_names(const ConfigValue& value) {
  return read_list(value, [](const ConfigValue& item) { return item.text(); });
}

void read_subgraphs(const ConfigValue& value, QuantConfig& out) {
  for (const ConfigValue& named : value.entries()) {
    note_place(named, "subgraph_config", named.node().key, out);
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
    {"model_config", [](const ConfigValue& value, QuantConfig& out) { read_map<QuantConfig>(value, kModelKeys, out); }},
    {"op_config", read_ops},
    {"node_config", read_nodes},
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
    static constexpr std::string_view kWords[] = {"max", "kl", "percentile", "mse", "min-max"};
    static constexpr RangeMethod kMethods[] = {RangeMethod::kMax, RangeMethod::kKl, RangeMethod::kPercentile,
                                               RangeMethod::kMse, RangeMethod::kMax};
    return kMethods[item.word(kWords)];
  });
}

void read_model_methods(const ConfigValue& value, QuantConfig& out) {
  const std::string word = value.node().kind == YamlNode::Kind::kScalar ? value.text() : "";
  out.random_data = word == "skip" || word == "fixed";
  if (word == "load") {
    value.fail(
        "the model is said to have its ranges already, as QuantizeLinear and DequantizeLinear; such a model is "
        "quantized, and runs as it is (`twofold run`, `twofold verify`)");
  }
  // Both stand for a search, which is what an absent key does.
  const bool searches = out.random_data || word == "default" || word == "mix";
  out.model.activation.methods = searches ? std::vector<RangeMethod>() : read_methods(value);
}

std::vector<double> read_percentiles(const ConfigValue& value) {
  return read_list(value, [](const ConfigValue& item) { return item.number(0.5, 1.0); });
}

std::vector<bool> read_booleans(const ConfigValue& value) {
  return read_list(value, [](const ConfigValue& item) { return item.boolean(); });
}

}  // namespace twofold
