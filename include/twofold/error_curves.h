// How the error of a partly quantized model builds up, node by node.
#ifndef TWOFOLD_ERROR_CURVES_H_
#define TWOFOLD_ERROR_CURVES_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "twofold/debug_subject.h"

namespace twofold {

// At least one curve must be asked for.
struct ErrorCurveJob {
  std::vector<std::vector<std::string>> quantize_nodes = {};      // a curve for each list: these nodes alone
  std::vector<std::vector<std::string>> non_quantize_nodes = {};  // a curve for each list: all nodes but these
  bool weights = false, activations = false;                      // a curve with all weights, with all activations
  std::string metric = "cosine-similarity";
  bool average_mode = false;  // of every node the mean of the errors up to it, as far as there are any
  int64_t data_num = 8;       // samples; 0: all
  std::filesystem::path save_dir = "debug_result";
};

struct ErrorCurve {
  std::string name;
  std::vector<double> values;  // one per node; NaN where the node is no part of this model by itself
};

struct ErrorCurveReport {
  std::string model, metric;
  std::vector<std::string> nodes;  // in graph order
  std::vector<ErrorCurve> curves;
  std::vector<std::string> files;
};

// Writes the curves into save_dir, as accumulate_error.json and .svg. Throws Error.
ErrorCurveReport plot_acc_error(const DebugSubject& subject, const ErrorCurveJob& job);

std::string to_json(const ErrorCurveReport& report);

}  // namespace twofold

#endif  // TWOFOLD_ERROR_CURVES_H_
