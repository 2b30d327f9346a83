// What becomes of a quantized model if its sensitive nodes get more bits.
#ifndef TWOFOLD_SENSITIVITY_ANALYSIS_H_
#define TWOFOLD_SENSITIVITY_ANALYSIS_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "twofold/debug_subject.h"

namespace twofold {

struct SensitivityAnalysisJob {
  std::string metric = "cosine-similarity";
  double pick_threshold = 0.999;                  // nodes that are worse are sensitive
  std::vector<std::string> sensitive_nodes = {};  // these instead
  std::string qtype = "float32";  // what they become: int8, int16, dual-int16, int16-ec, float16, float32
  int64_t data_num = 1;           // samples; 0: all
  std::filesystem::path save_dir = "debug_result";
  bool resume = false;
};

struct SensitivityAnalysisRow {
  std::string node;
  double alone = 0;          // the metric with this node alone quantized
  double without = 0;        // of the quantized model, with this node at the other precision
  double without_up_to = 0;  // with this one and all above it
};

struct SensitivityAnalysisReport {
  std::string model, metric, qtype;
  double quantized = 0;                      // of the quantized model as it is
  std::vector<SensitivityAnalysisRow> rows;  // worst first
  std::vector<std::string> files, notes;
};

// Writes sensitivity_analysis.log, .json and a plot into save_dir. Throws Error.
SensitivityAnalysisReport sensitivity_analysis(const DebugSubject& subject, const SensitivityAnalysisJob& job);

std::string to_json(const SensitivityAnalysisReport& report);
// The text of the log file; with `columns` its table is no wider than that.
std::string to_log(const SensitivityAnalysisReport& report, size_t columns = 0);

}  // namespace twofold

#endif  // TWOFOLD_SENSITIVITY_ANALYSIS_H_
