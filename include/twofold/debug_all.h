// Everything the debugger knows about a model, in one folder and on one page.
#ifndef TWOFOLD_DEBUG_ALL_H_
#define TWOFOLD_DEBUG_ALL_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "twofold/distributions.h"
#include "twofold/error_curves.h"
#include "twofold/findings.h"
#include "twofold/sensitivity_analysis.h"

namespace twofold {

struct DebugAllJob {
  std::filesystem::path save_dir = "debug_result";
  std::vector<std::string> metrics = {"cosine-similarity"};   // of sensitivities; the first one sorts
  std::vector<std::string> outputs = {};                      // of the model; empty: all
  std::vector<std::string> units = {"weight", "activation"};  // and "node", which is measured anyway
  std::vector<std::string> interested_nodes = {};             // of whose sensitivity a table is written besides
  int64_t data_num = 1;                                       // samples; 0: all
  // Nodes of which distributions are drawn, and box plots of channels along an axis; empty: the most sensitive ones.
  std::vector<std::string> distribution_nodes = {}, channel_nodes = {};
  std::optional<int> axis = {};
  ErrorCurveJob curves = {};  // without any: all weights, all activations, and all nodes
  double pick_threshold = 0.999;
  std::vector<std::string> sensitive_nodes = {};
  bool resume = false;
  bool estimate = false;  // as SensitivityJob's
  int64_t confirm = 40;
  std::filesystem::path write_config = {};  // as FindingsJob's
  std::string evaluate = {};
};

// The error of the outputs as nodes are quantized one after the other.
struct GrowthRow {
  std::vector<size_t> counts;  // how many are
  std::vector<double> values;  // the metric then
};

struct DebugAllReport {
  FindingsReport findings;
  std::vector<SensitivityReport> sensitivities;
  ErrorCurveReport curves;
  GrowthRow graph_order, rank_order;
  SensitivityAnalysisReport analysis;
  std::vector<std::string> files;  // all that were written; the page first
};

// Writes node_sensitivity/, data_distribution/, channelwise_distribution/, accumulate_error/, sensitivity_analysis/,
// findings.json and report.html into save_dir. Throws Error.
DebugAllReport run_all(const DebugSubject& subject, const DebugAllJob& job);

std::string to_json(const DebugAllReport& report);

}  // namespace twofold

#endif  // TWOFOLD_DEBUG_ALL_H_
