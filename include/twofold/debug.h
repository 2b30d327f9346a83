// The debugger: which nodes, weights and activations lose a quantized model's accuracy.
#ifndef TWOFOLD_DEBUG_H_
#define TWOFOLD_DEBUG_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "twofold/config_source.h"
#include "twofold/job.h"
#include "twofold/samples.h"

namespace twofold {

struct SensitivityJob {
  // What is tested: the precisions that a config asks for, calibrated and searched as quantize() does, or those of a
  // plan file, with its scales.
  ConfigSource config;
  std::string target;          // as QuantizeOptions'; not beside a plan
  std::filesystem::path plan;  // empty: the config decides

  std::vector<std::string> metrics = {"cosine-similarity"};  // the first one sorts
  std::vector<std::string> outputs;                          // of the model; empty: all
  std::string unit = "node";                                 // "node", "weight" or "activation"
  std::vector<std::string> interested_nodes;  // names of the input file; empty: all. Not empty: unit node.
  int64_t data_num = 1;                       // samples; 0: all
  uint64_t memory_bytes = uint64_t{4} << 30;  // of float values that are kept; others are computed again
  std::filesystem::path save_dir = "debug_result";
  bool resume = false;  // go on with what an earlier job has left in save_dir
  int threads = 0;      // 0: all cores
  Progress progress;
  Cancelled cancelled;
};

// One unit alone quantized, the rest of the model float.
struct SensitivityRow {
  std::string name;     // of the node, or of the tensor
  std::string op_type;  // of the node
  // Metric -> value, of the output where that is worst: the mean over the samples, and their standard deviation.
  std::map<std::string, double> metrics, deviations;
  std::map<std::string, std::map<std::string, double>> of_outputs;  // output -> metric -> mean
  double threshold = 0;  // of an activation: the largest magnitude that is not cut off
  int bits = 0;          // of an activation
};

struct SensitivityReport {
  std::string model, unit;
  std::vector<std::string> metrics;
  std::vector<SensitivityRow> rows;       // worst first
  int64_t measured = 0, reused = 0;       // units; those of an earlier job
  std::vector<std::string> files, notes;  // what was written; what the plan could not grant
};

// Measures every unit and writes, into save_dir, a table (sensitivity_of_<unit>.log), the report (the same, .json) and,
// as they come, the results of single units (sensitivity.jsonl). Throws Error.
SensitivityReport get_sensitivity(const std::filesystem::path& model, const Samples& data, const SensitivityJob& job);

std::string to_json(const SensitivityReport& report);
// The table of the log file.
std::string to_log(const SensitivityReport& report);

}  // namespace twofold

#endif  // TWOFOLD_DEBUG_H_
