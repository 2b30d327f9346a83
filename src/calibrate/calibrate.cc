#include "calibrate/calibrate.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "base/cancellation.h"
#include "base/check.h"
#include "base/error.h"
#include "base/parallel_for.h"
#include "base/parallel_tasks.h"
#include "calibrate/first_nan.h"
#include "calibrate/scores.h"
#include "engine/executor.h"
#include "numeric/float_range.h"

namespace twofold {

namespace {

// Tensors from this size on are observed outside the lock of their value; for smaller ones merging would cost more
// than observing.
constexpr int64_t kLargeTensor = 16384;
// Of the free memory, what the samples running at once may take together.
constexpr double kMemoryShare = 0.5;
// Of constants.
constexpr int64_t kNoSample = -1;

// One value's statistics, which all workers add to.
struct SharedStatistics {
  RangeStatistics statistics;
  std::optional<int> scores_axis;
  // The first sample, in order, that could not be observed, and what was wrong with it.
  int64_t refused_in = std::numeric_limits<int64_t>::max();
  std::string refused;
  std::mutex mutex;
};

// Statistics of one tensor, which go on to those of its value. A worker has one pair for all: their memory is as long
// as a block that the system gives and takes back page by page.
struct Scratch {
  RangeStatistics& like(const RangeStatistics& other) {
    RangeStatistics& part = other.level() == ObserveLevel::kHistogram ? histogram : range;
    if (part.per_channel() != other.per_channel()) part = RangeStatistics(other.level(), other.per_channel());
    part.clear();
    return part;
  }

  RangeStatistics histogram{ObserveLevel::kHistogram}, range{ObserveLevel::kMinMax};
};

std::map<ValueId, SharedStatistics> make_statistics(const Graph& graph, const std::vector<ValueRequest>& requests) {
  std::map<ValueId, std::pair<ObserveLevel, bool>> merged;
  for (const ValueRequest& request : requests) {
    TWOFOLD_CHECK(request.value >= 0 && request.value < graph.num_values());
    auto& [level, per_channel] = merged[request.value];
    level = std::max(level, request.level);
    per_channel = per_channel || request.per_channel;
  }
  std::map<ValueId, SharedStatistics> statistics;
  for (const auto& [id, request] : merged) {
    statistics[id].statistics = RangeStatistics(request.first, request.second);
    statistics[id].scores_axis = scores_axis(graph, id);
  }
  return statistics;
}

// Bytes that the system can give without swapping; unlimited where it does not say.
double available_memory() {
  std::ifstream file("/proc/meminfo");
  for (std::string word; file >> word;) {
    double kib = 0;
    if (word == "MemAvailable:" && file >> kib) return kib * 1024;
  }
  return std::numeric_limits<double>::infinity();
}

bool is_finite(const Tensor& tensor) {
  return tensor.dtype() != DType::kFloat32 || tensor.size() == 0 || float_range(tensor.data<float>()).finite;
}

class Calibrator {
 public:
  Calibrator(const Graph& graph, const Dataset& data, const std::vector<ValueRequest>& requests,
             const CalibrationOptions& options)
      : graph_(graph),
        data_(data),
        options_(options),
        total_(options.max_samples > 0 ? std::min(options.max_samples, data.size()) : data.size()),
        shared_(make_statistics(graph, requests)) {}

  CalibrationResult run();

 private:
  Executor executor(int threads) const;
  int num_workers(int64_t samples) const;
  void run_samples(const Executor& executor, int64_t begin, int64_t end, int workers);
  void run_sample(const Executor& executor, int64_t index);
  std::unique_ptr<Scratch> take_scratch();
  std::string observe(ValueId id, const Tensor& tensor, int64_t sample, Scratch& scratch);

  const Graph& graph_;
  const Dataset& data_;
  const CalibrationOptions& options_;
  const int64_t total_;
  std::map<ValueId, SharedStatistics> shared_;
  double bytes_seen_ = 0;  // of all observed tensors of the first sample

  std::mutex mutex_;                             // of everything below
  std::map<int64_t, std::vector<Tensor>> read_;  // samples that wait for their run
  std::vector<std::unique_ptr<Scratch>> idle_;
  int64_t done_ = 0;
};

CalibrationResult Calibrator::run() {
  Scratch scratch;
  for (const auto& [id, shared] : shared_) {
    throw_if_cancelled();
    if (const Tensor* constant = graph_.constant(id)) observe(id, *constant, kNoSample, scratch);
  }
  const ThreadScope threads(options_.threads);
  int64_t left = total_ - 1;
  {
    const Executor single = executor(1);
    // The first sample runs alone: it tells how much memory a run takes.
    run_samples(single, 0, 1, 1);
    if (const int workers = num_workers(left); workers > 0) {
      run_samples(single, 1, total_, workers);
      left = 0;
    }
  }
  if (left > 0) run_samples(executor(num_threads()), 1, total_, 1);
  CalibrationResult result;
  result.num_samples = total_;
  for (auto& [id, shared] : shared_) {
    if (shared.refused.empty()) {
      result.statistics.emplace(id, std::move(shared.statistics));
    } else {
      result.refused.emplace(id, std::move(shared.refused));
    }
  }
  return result;
}

Executor Calibrator::executor(int threads) const {
  ExecutorOptions options{threads, {}};
  for (const auto& [id, shared] : shared_) {
    if (graph_.constant(id) == nullptr) options.watched.push_back(id);
  }
  return Executor(graph_, std::move(options));
}

// One worker per thread, or somewhat fewer if memory is short; none if it holds less than half of them: then one run
// with all threads at a time is faster.
int Calibrator::num_workers(int64_t samples) const {
  const auto wanted = static_cast<int>(std::min<int64_t>(num_threads(), samples));
  const double fitting = kMemoryShare * available_memory() / std::max(bytes_seen_, 1.0);
  return fitting >= wanted ? wanted : 2 * fitting >= wanted ? static_cast<int>(fitting) : 0;
}

// Samples are read one after the other: datasets are fastest in order, and iterators know no other way.
void Calibrator::run_samples(const Executor& executor, int64_t begin, int64_t end, int workers) {
  const ThreadScope threads(workers);
  const auto read = [&](int64_t i) {
    std::vector<Tensor> sample = data_.sample(begin + i);
    const std::lock_guard<std::mutex> lock(mutex_);
    read_.emplace(begin + i, std::move(sample));
  };
  parallel_tasks(
      end - begin, [&](int64_t i) { run_sample(executor, begin + i); }, read);
}

void Calibrator::run_sample(const Executor& executor, int64_t index) {
  const auto inputs = [&] {
    const std::lock_guard<std::mutex> lock(mutex_);
    return read_.extract(index);
  }();
  std::unique_ptr<Scratch> scratch = take_scratch();
  std::string refused;
  const std::vector<Tensor> outputs = executor.run(inputs.mapped(), [&](ValueId id, const Tensor& tensor) {
    if (index == 0) bytes_seen_ += static_cast<double>(tensor.byte_size());
    const std::string why = observe(id, tensor, index, *scratch);
    if (refused.empty() && !why.empty())
      refused = fmt::format("value '{}' in sample {} {}", graph_.value(id).name, index, why);
  });
  if (!refused.empty() && !options_.any_outputs && !std::ranges::all_of(outputs, is_finite)) {
    // What was observed need not be where it begins.
    const std::string first = first_nan(graph_, inputs.mapped());
    throw_error(ErrorCode::kInvalidArgument, "{}{}{}", refused, first.empty() ? "" : "; ", first);
  }
  const std::lock_guard<std::mutex> lock(mutex_);
  idle_.push_back(std::move(scratch));
  ++done_;
  if (options_.progress) options_.progress(done_, total_);
}

std::unique_ptr<Scratch> Calibrator::take_scratch() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (idle_.empty()) return std::make_unique<Scratch>();
  std::unique_ptr<Scratch> scratch = std::move(idle_.back());
  idle_.pop_back();
  return scratch;
}

// Why no range can be made of the tensor; empty where one can.
std::string Calibrator::observe(ValueId id, const Tensor& tensor, int64_t sample, Scratch& scratch) {
  SharedStatistics& shared = shared_.at(id);
  try {
    const Tensor counted = shared.scores_axis ? without_masked_scores(tensor, *shared.scores_axis) : tensor;
    if (counted.size() < kLargeTensor) {
      const std::lock_guard<std::mutex> lock(shared.mutex);
      shared.statistics.observe(counted);
    } else {
      RangeStatistics& part = scratch.like(shared.statistics);
      part.observe(counted);
      const std::lock_guard<std::mutex> lock(shared.mutex);
      shared.statistics.merge(part);
    }
    return "";
  } catch (const Error& error) {
    const std::lock_guard<std::mutex> lock(shared.mutex);
    shared.statistics.clear();  // a part of the tensor may be in them
    if (sample < shared.refused_in) {
      shared.refused_in = sample;
      shared.refused = error.what() + (sample == kNoSample ? "" : fmt::format(" in sample {}", sample));
    }
    return error.what();
  }
}

}  // namespace

CalibrationResult calibrate(const Graph& graph, const Dataset& data, const std::vector<ValueRequest>& requests,
                            const CalibrationOptions& options) {
  return Calibrator(graph, data, requests, options).run();
}

}  // namespace twofold
