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
  // What no range can be made of (NaN, infinity, another type than float32) is no error, but named in the result.
  bool refuse_tensors = false;
  // Called after each sample, never by two threads at once. What it throws ends the calibration.
  std::function<void(int64_t done, int64_t total)> progress = nullptr;
};

struct CalibrationResult {
  std::map<ValueId, RangeStatistics> statistics;  // one entry per requested value
  std::map<ValueId, std::string> refused;         // values whose statistics are of no use, and why
  int64_t num_samples = 0;
};

// Statistics of the requested values over the samples. A value may be a graph input, a constant or computed; one that
// is requested twice gets the higher level, per channel if either asks for it. Memory does not depend on the number of
// samples. Samples run in parallel, each in one thread, as long as the memory of so many runs is there; statistics
// merge exactly, so the result is the same for any number of threads (but for operators of oneDNN where one run uses
// several threads).
// Throws Error(kInvalidArgument) naming value and sample for NaN, infinity or a value that is not float32; errors of
// the dataset and of nodes; of several, the one of the first sample.
CalibrationResult calibrate(const Graph& graph, const Dataset& data, const std::vector<ValueRequest>& requests,
                            const CalibrationOptions& options = {});

}  // namespace twofold

#endif  // TWOFOLD_SRC_CALIBRATE_CALIBRATE_H_
