// What calibration saw of a model's tensors: kept in files, merged over processes and machines.
#ifndef TWOFOLD_STATISTICS_H_
#define TWOFOLD_STATISTICS_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "twofold/config_source.h"
#include "twofold/job.h"
#include "twofold/samples.h"

namespace twofold {

struct StatisticsOptions {
  ConfigSource config;  // of which input_parameters alone are used: mean and scale are applied to the data
  int threads = 0;      // 0: all cores
  Progress progress = nullptr;
  Cancelled cancelled = nullptr;
};

// What was seen of one tensor.
struct TensorStatisticsRow {
  std::string tensor;
  uint64_t elements = 0;
  float min = 0, max = 0;
  int64_t channels = 0;  // of which minimum and maximum are known apart; 0: none
  std::string refused;   // why no range can be made of it, e.g. "holds NaN in sample 3"; else empty
};

// Of all float32 tensors of one model, as twofold simplifies it: a histogram each, and a range per channel. A value.
// Quantizing with them needs no data but where something is searched. Thread-safe as const.
class Statistics {
 public:
  // Runs the float model over the samples. Throws Error as quantize() does.
  static Statistics observe(const std::filesystem::path& model, const Samples& data,
                            const StatisticsOptions& options = {});
  // Throws Error(kInvalidArgument) that says what is wrong with the file, or the bytes, called `label` then.
  static Statistics load(const std::filesystem::path& path);
  static Statistics from_bytes(std::span<const std::byte> bytes, std::string_view label = "statistics");

  // Adds what others saw: the same as if one had seen all, in whatever order. Throws Error(kInvalidArgument) if they
  // are of another model.
  void merge(const Statistics& other);

  // Writes the file whole or not at all.
  void save(const std::filesystem::path& path) const;
  std::vector<std::byte> to_bytes() const;

  const std::string& model_hash() const;  // of the simplified model, weights included
  int64_t num_samples() const;
  std::vector<TensorStatisticsRow> tensors() const;  // in the order of their names

  // For Twofold's own sources.
  struct State;
  explicit Statistics(std::shared_ptr<const State> state);
  const State& state() const { return *state_; }

 private:
  std::shared_ptr<const State> state_;
};

}  // namespace twofold

#endif  // TWOFOLD_STATISTICS_H_
