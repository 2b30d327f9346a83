// Post-training quantization: from a float ONNX model to a standard QDQ one.
#ifndef TWOFOLD_QUANTIZE_H_
#define TWOFOLD_QUANTIZE_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "twofold/config_source.h"
#include "twofold/job.h"
#include "twofold/samples.h"
#include "twofold/statistics.h"

namespace twofold {

struct QuantizeOptions {
  ConfigSource config;
  std::string target;               // a name that target_names() gives, or a path; empty: by the config's march, or cpu
  std::string compiler_version;     // of the target's own tools, where it asks for one
  bool strict = false;              // a request that falls back is an error
  bool uint8_activations = false;   // write int8 activations as uint8 with zero point 128: the same numbers
  int threads = 0;                  // 0: all cores
  std::filesystem::path output;     // the ONNX file to write; empty: as the config says, else none
  std::filesystem::path plan_path;  // the plan to write; empty: none

  // A plan file that says everything: the same model file comes out as when it was made, and no data are needed. It
  // takes the place of config, target, strict, compiler_version and uint8_activations, which must be left out.
  std::filesystem::path from_plan;
  bool by_name = false;  // the plan may be of another model; what fits is carried over, and the report's notes say what

  // Results of the debugger (sensitivity.jsonl) that hold weights and activations: where the fallback policy v1 lets
  // one of two inputs keep 16 bits, the more sensitive one does. Empty: the first.
  std::filesystem::path sensitivity;

  // What was seen elsewhere takes the place of calibration, several merged. Data are then needed only where the config
  // leaves something to be searched: ranges, roundings, bias corrections.
  std::vector<Statistics> statistics;
  std::filesystem::path save_statistics;  // where to write those of all tensors; empty: nowhere
  bool dry_run = false;  // only decide precisions, as far as that needs no data: nothing is read of them, nor written
  Progress progress;
  Cancelled cancelled;
};

// What one operand became. Words are those of the config file.
struct OperandRow {
  std::string node, op_type, operand, tensor;
  std::string asked, granted, decided_by, reason;
  std::string method;    // what found the range; empty where there are no integers
  double threshold = 0;  // largest magnitude that is not cut off
};

// One tensor of the quantized model against the float one: metric name -> value (docs/numerics.md, rule 9).
struct TensorRow {
  std::string tensor, node, op_type;
  std::map<std::string, double> metrics;
  double equal_share = 0;     // of all elements; of a quantized tensor: of its integers
  double largest_steps = -1;  // largest difference in steps of its integers; -1 where it has none with one scale
};

// What calibration saw of a float32 input of the model.
struct InputRangeRow {
  std::string input;
  double min = 0, max = 0;
};

struct StageRow {
  std::string stage;
  double seconds = 0;
  uint64_t peak_memory_bytes = 0;  // of the process, up to the end of the stage
};

struct QuantizeReport {
  std::string model, output, target;          // output: the written model; empty: none
  std::vector<OperandRow> operands;           // in graph order
  std::map<std::string, int> operand_counts;  // precision -> operands that have it
  std::vector<InputRangeRow> inputs;          // none where nothing was calibrated
  std::vector<TensorRow> outputs;             // of the model
  std::vector<TensorRow> tensors;             // computed in both models, in graph order
  std::vector<StageRow> stages;
  std::vector<std::string> notes;  // what the user should know: fallbacks, keys that are not used here
  uint64_t file_bytes = 0;         // of the written model, with its data file
};

// Does the whole job: import, passes, plan, calibration, search, application, evaluation, export. What is empty of
// model, data and options.output comes from the config's onnx_model, cal_data_dir, and working_dir with
// output_model_file_prefix; that folder is made. Throws Error; then no file has been written.
QuantizeReport quantize(const std::filesystem::path& model, const Samples& data, const QuantizeOptions& options);

// The report as JSON, with everything in it.
std::string to_json(const QuantizeReport& report);

}  // namespace twofold

#endif  // TWOFOLD_QUANTIZE_H_
