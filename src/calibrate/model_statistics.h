// What calibration saw of all tensors of a model: enough for every plan, kept in a file and merged over machines.
#ifndef TWOFOLD_SRC_CALIBRATE_MODEL_STATISTICS_H_
#define TWOFOLD_SRC_CALIBRATE_MODEL_STATISTICS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "calibrate/calibrate.h"
#include "calibrate/range_statistics.h"
#include "data/dataset.h"
#include "graph/graph.h"

namespace twofold {

inline constexpr int kStatisticsVersion = 1;

// A value. Merging is exact: statistics of parts of the data, in any order, give those of all of it.
struct ModelStatistics {
  std::string model_hash;  // of the simplified graph's structure and content
  int64_t num_samples = 0;
  std::map<std::string, RangeStatistics> tensors;  // by name
  // Tensors that no range can be made of, and why: "holds NaN in sample 3".
  std::map<std::string, std::string> refused;

  // Throws Error(kInvalidArgument) if the other ones are of another model.
  void merge(const ModelStatistics& other);

  bool operator==(const ModelStatistics&) const = default;
};

// Runs the graph over the samples and observes every float32 tensor that is an input or computed: a histogram, and
// minimum and maximum per channel where the model fixes the number of channels. A tensor with NaN or infinity is
// refused from there on. `model_hash` is taken as it is.
ModelStatistics observe_model(const Graph& graph, const Dataset& data, std::string model_hash,
                              const CalibrationOptions& options = {});

// The binary form that files hold (docs/config.md), and back. `label` stands for the file in messages. Throws
// Error(kInvalidArgument) for what is no such file, damaged, or of a newer version.
std::vector<std::byte> to_bytes(const ModelStatistics& statistics);
ModelStatistics statistics_from_bytes(std::span<const std::byte> bytes, std::string_view label);

}  // namespace twofold

#endif  // TWOFOLD_SRC_CALIBRATE_MODEL_STATISTICS_H_
