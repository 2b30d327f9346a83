// What the user wrote: the quantization config, and the rest of a PTQ file. Values only; docs/config.md describes every
// key.
#ifndef TWOFOLD_SRC_PLAN_CONFIG_H_
#define TWOFOLD_SRC_PLAN_CONFIG_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "numeric/metrics.h"
#include "numeric/range_method.h"
#include "plan/operand_ref.h"
#include "twofold/config_source.h"
#include "twofold/dtype.h"
#include "twofold/tensor.h"

namespace twofold {

enum class Rounding : uint8_t { kNearest, kPreserveSum };

// The words of the config file: "kl", "preserve_sum", "cosine-similarity", ...
std::string_view to_string(Rounding rounding);

// The qtype of a whole node, which stands for one qtype per operand (qtype_of_input in request.h).
enum class NodeQType : uint8_t { kInt8, kInt16, kDualInt16, kInt16Ec, kFloat16, kFloat32 };
std::string_view to_string(NodeQType qtype);

// How ranges of activations are found. An empty list: not said at this level. More than one value: to be searched.
struct ActivationConfig {
  std::vector<RangeMethod> methods;
  std::vector<int> num_bin;            // kl
  std::vector<int> max_num_bin;        // kl
  std::vector<double> max_percentile;  // percentile; 0.5 ... 1
  std::vector<bool> per_channel;
  std::vector<bool> asymmetric;

  bool operator==(const ActivationConfig&) const = default;
};

struct BiasCorrection {
  int num_sample = 1;
  Metric metric = Metric::kCosineSimilarity;

  bool operator==(const BiasCorrection&) const = default;
};

struct WeightConfig {
  std::vector<Rounding> rounding;  // empty: not said
  std::optional<BiasCorrection> bias_correction;
  std::optional<bool> reduce_range;  // int8 weights of 7 bits, for kernels that add pairs of products in 16 bits

  bool operator==(const WeightConfig&) const = default;
};

// What one level (an op type, a node, a subgraph) asks for.
struct LevelConfig {
  std::optional<NodeQType> qtype;
  std::map<OperandRef, QType> operands;
  std::optional<QType> outputs;  // of every output that `operands` does not name
  ActivationConfig activation;
  WeightConfig weight;

  bool operator==(const LevelConfig&) const = default;
};

struct ModelConfig {
  // int8, int16, float16 or float32. Not said, or auto: int8 for products, and for other operators the cheapest
  // precision that does not limit the model (quantize/choose_kinds.h); where nothing is measured, int8.
  std::optional<QType> all_node_type;
  std::optional<QType> model_output_type;  // int8, int16 or float32; not said: float32
  ActivationConfig activation;
  WeightConfig weight;
  bool equalization = true;  // where it lowers the error
  // Lists of settings are searched with this metric for the whole model at once, or node by node.
  std::optional<Metric> modelwise_search;
  std::optional<Metric> layerwise_search;
};

// The nodes on the paths from any of `inputs` to any of `outputs`, both included; names of nodes or tensors.
// An empty list: from the model's inputs, to the model's outputs.
struct SubgraphConfig {
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  LevelConfig level;
};

// input_parameters: one entry per model input that the file describes.
struct InputConfig {
  std::string name;           // empty: the model's only input
  Shape shape;                // -1 where it may vary; empty: not said
  std::vector<double> mean;   // subtracted, per channel or one for all; empty: none
  std::vector<double> scale;  // multiplied after that; scale = 1 / std where the file says std_value
  std::string colours;        // input_type_train: "rgb", "bgr", "gray", ...; empty: not said
  std::string layout;         // input_layout_train: "NCHW" or "NHWC"; empty: not said
};

struct QuantConfig {
  ModelConfig model;
  std::map<std::string, LevelConfig> ops;                         // by op type
  std::map<std::string, LevelConfig> nodes;                       // by node name, or pattern with '*'
  std::vector<std::pair<std::string, SubgraphConfig>> subgraphs;  // in the order of the file: later ones win
  // Where the entries of these three sections stand, for messages: "node_config.Conv_1" -> "config.yaml:12".
  std::map<std::string, std::string> places;
  // What is found another way than the words of the file have it, as sentences.
  std::vector<std::string> notes;
  // No data: ranges are those of random numbers.
  bool random_data = false;

  // --- the rest of a PTQ file
  std::map<std::string, LevelConfig> node_info;      // by node name, run_on_cpu among it: goes before all else
  std::map<std::string, LevelConfig> optimizations;  // by op type: gives way to all else but the model
  std::string march;                                 // "nash-e"; empty: not said
  std::vector<std::string> output_nodes;             // nodes or tensors that the model is to end at; empty: as it does
  // Paths start at the folder of the file where they are relative. Empty: not said.
  std::filesystem::path onnx_model;
  std::filesystem::path working_dir;
  std::string output_model_file_prefix;
  std::vector<InputConfig> inputs;
  std::vector<std::filesystem::path> cal_data_dirs;  // one, or one per input in the order of `inputs`
  // Element types of raw files in these folders: one, or one per input. Empty: not said.
  std::vector<DType> cal_data_types;
  bool resizes_images = false;  // preprocess_on
  // Keys that change no number here, e.g. "compiler_parameters": accepted and not used.
  std::vector<std::string> unused_keys;

  // What the caller says himself of the data, before what `march` says.
  DataIs data_is = DataIs::kByConfig;
};

// Whether the config calls its inputs by their names; else they stand in the order of the model's.
bool names_inputs(const QuantConfig& config);

// Whether mean and scale are for the data. Never kByConfig.
DataIs data_of(const QuantConfig& config);

// Reads a whole PTQ file or only the part under quant_config; YAML or JSON (relaxed_yaml.h). `label` stands for the
// file in messages; `folder` is where relative paths in it start. Throws Error(kInvalidArgument)
// "label:line: key: what is wrong, and what is allowed", for an unknown key with the nearest known ones;
// Error(kNotFound) or Error(kIo) where a file cannot be read.
QuantConfig parse_config(std::string_view text, std::string_view label, const std::filesystem::path& folder = ".");
QuantConfig load_config(const std::filesystem::path& path);

}  // namespace twofold

#endif  // TWOFOLD_SRC_PLAN_CONFIG_H_
