// How much of a model's error comes from each node, weight, activation or group of nodes alone.
#ifndef TWOFOLD_SENSITIVITY_H_
#define TWOFOLD_SENSITIVITY_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "twofold/debug_subject.h"

namespace twofold {

struct SensitivityJob {
  std::vector<std::string> metrics = {"cosine-similarity"};  // the first one sorts
  std::vector<std::string> outputs = {};                     // of the model; empty: all
  std::string unit = "node";                                 // "node", "weight", "activation" or "group"
  std::vector<std::string> interested_nodes = {};  // names of the input file; empty: all. Not empty: unit node.
  // Of unit group: "op_type" (all nodes of one), "prefix" (all in one folder of names) or "prefix:<depth>" (of its
  // first folders); or lists of nodes.
  std::string group = {};
  std::vector<std::vector<std::string>> group_lists = {};
  int64_t data_num = 1;  // samples; 0: all
  std::filesystem::path save_dir = "debug_result";
  bool resume = false;  // go on with what an earlier job has left in save_dir
  // Every unit's error is estimated to first order, in the time of a few model runs, and the `confirm` worst by the
  // first metric are measured; so are those of which there is no estimate. Metrics: cosine-similarity, mse, sqnr.
  bool estimate = false;
  int64_t confirm = 40;
};

// One unit alone quantized, the rest of the model float.
struct SensitivityRow {
  std::string name;     // of the node, of the tensor, or of the group
  std::string op_type;  // of the node; of a group, where all nodes have one
  // Metric -> value, of the output where that is worst: the mean over the samples, and their standard deviation.
  std::map<std::string, double> metrics, deviations;
  std::map<std::string, std::map<std::string, double>> of_outputs;  // output -> metric -> mean
  double threshold = 0;  // of an activation: the largest magnitude that is not cut off
  int bits = 0;          // of an activation
  int nodes = 0;         // of a group: how many it has
  // Where units are estimated: whether `metrics` are the estimate, without `deviations`; and, of every unit that has
  // one, the estimated energy of the error over that of the output, in dB, and its standard error, in dB too.
  bool estimated = false;
  std::optional<double> estimate, estimate_error;
};

struct SensitivityReport {
  std::string model, unit;
  std::vector<std::string> metrics;
  std::vector<SensitivityRow> rows;       // worst first
  int64_t measured = 0, reused = 0;       // units; those of an earlier job
  std::vector<std::string> files, notes;  // what was written; what the plan could not grant, or could not be estimated
  // Where units are estimated: backward sweeps, over all samples and outputs, and how far estimates and measured values
  // order the units alike that have both (Spearman, -1 to 1).
  bool estimate = false;
  int64_t sweeps = 0;
  std::optional<double> rank_agreement;
};

// Measures every unit and writes, into save_dir, a table (sensitivity_of_<unit>.log), the report (the same, .json) and,
// as they come, the results of single units (sensitivity.jsonl). Throws Error.
SensitivityReport get_sensitivity(const DebugSubject& subject, const SensitivityJob& job);

std::string to_json(const SensitivityReport& report);
// The table of the log file; with `columns` no wider than that.
std::string to_log(const SensitivityReport& report, size_t columns = 0);

}  // namespace twofold

#endif  // TWOFOLD_SENSITIVITY_H_
