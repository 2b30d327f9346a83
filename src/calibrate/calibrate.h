// Runs a model over samples and gathers the statistics of its values.
#ifndef TWOFOLD_SRC_CALIBRATE_CALIBRATE_H_
#define TWOFOLD_SRC_CALIBRATE_CALIBRATE_H_

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "calibrate/range_statistics.h"
#include "data/dataset.h"
#include "graph/graph.h"

namespace twofold {

struct ValueRequest {
  ValueId value = kNone;
  ObserveLevel level = ObserveLevel::kHistogram;
  bool per_channel = false;
};

struct CalibrationOptions {
  int threads = 0;          // 0: all cores
  int64_t max_samples = 0;  // 0: all; else the first so many
  // NaN and infinity may reach the model's outputs.
  bool any_outputs = false;
  // Called after each sample, never by two threads at once. What it throws ends the calibration.
  std::function<void(int64_t done, int64_t total)> progress = nullptr;
};

struct CalibrationResult {
  std::map<ValueId, RangeStatistics> statistics;  // of the requested values
  // Requested values that no range can be made of, which have no statistics, and why: "holds NaN in sample 3".
  std::map<ValueId, std::string> refused;
  int64_t num_samples = 0;
};

// Statistics of the requested values over the samples. A value may be a graph input, a constant or computed; one that
// is requested twice gets the higher level, per channel if either asks for it. Scores that a Softmax makes 0 of do not
// count (scores.h). Memory does not depend on the number of samples. Samples run in parallel, each in one thread, as
// long as the memory of so many runs is there; statistics merge exactly, so the result is the same for any number of
// threads (but for operators of oneDNN where one run uses several threads).
//
// A value with NaN or infinity, or that is not float32, is refused. Such numbers may be meant: -infinity masks scores,
// and a Where behind a Log leaves out what the Log made of negative numbers. Where they come through to an output of
// the model they are not, which throws Error(kInvalidArgument) naming value and sample, and where NaN begins. Errors of
// the dataset and of nodes are thrown on; of several, the one of the first sample.
CalibrationResult calibrate(const Graph& graph, const Dataset& data, const std::vector<ValueRequest>& requests,
                            const CalibrationOptions& options = {});

}  // namespace twofold

#endif  // TWOFOLD_SRC_CALIBRATE_CALIBRATE_H_
