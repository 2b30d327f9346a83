#include "calibrate/calibrate.h"

#include <algorithm>
#include <exception>
#include <fstream>
#include <limits>
#include <mutex>
#include <string>
#include <utility>

#include "base/check.h"
#include "base/error.h"
#include "base/parallel_for.h"
#include "engine/executor.h"

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
  ExecutorOptions executor_options(int threads) const;
  int num_workers() const;
  void work(const Executor& executor, int64_t limit);
  bool next_sample(int64_t limit, int64_t& index, std::vector<Tensor>& tensors);
  void finish_sample();
  void fail(int64_t index);
  void observe(ValueId id, const Tensor& tensor, int64_t sample, Scratch& scratch);

  const Graph& graph_;
  const Dataset& data_;
  const CalibrationOptions& options_;
  const int64_t total_;
  std::map<ValueId, SharedStatistics> shared_;

  std::mutex mutex_;  // of everything below
  int64_t next_ = 0, done_ = 0;
  int64_t failed_sample_ = std::numeric_limits<int64_t>::max();
  std::exception_ptr failure_;
  double bytes_seen_ = 0;  // of all observed tensors of the first sample
};

CalibrationResult Calibrator::run() {
  Scratch scratch;
  for (const auto& [id, shared] : shared_) {
    if (const Tensor* constant = graph_.constant(id)) observe(id, *constant, kNoSample, scratch);
  }
  const ThreadScope threads(options_.threads);
  {
    const Executor executor(graph_, executor_options(1));
    // The first sample runs alone: it tells how much memory a run takes.
    work(executor, 1);
    parallel_for(num_workers(), 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) work(executor, total_);
    });
  }
  if (!failure_ && next_ < total_) work(Executor(graph_, executor_options(num_threads())), total_);
  if (failure_) std::rethrow_exception(failure_);
  CalibrationResult result;
  result.num_samples = total_;
  for (auto& [id, shared] : shared_) {
    result.statistics.emplace(id, std::move(shared.statistics));
    if (!shared.refused.empty()) result.refused.emplace(id, std::move(shared.refused));
  }
  return result;
}

ExecutorOptions Calibrator::executor_options(int threads) const {
  ExecutorOptions options{threads, {}};
  for (const auto& [id, shared] : shared_) {
    if (graph_.constant(id) == nullptr) options.watched.push_back(id);
  }
  return options;
}

// One worker per thread, or somewhat fewer if memory is short; none if it holds less than half of them: then one run
// with all threads at a time is faster.
int Calibrator::num_workers() const {
  const auto wanted = static_cast<int>(std::min<int64_t>(num_threads(), total_ - next_));
  const double fitting = kMemoryShare * available_memory() / std::max(bytes_seen_, 1.0);
  return fitting >= wanted ? wanted : 2 * fitting >= wanted ? static_cast<int>(fitting) : 0;
}

// Runs samples until `limit` are taken. What is thrown is kept for the caller of the workers.
void Calibrator::work(const Executor& executor, int64_t limit) {
  int64_t index = 0;
  Scratch scratch;
  try {
    std::vector<Tensor> inputs;
    while (next_sample(limit, index, inputs)) {
      executor.run(inputs, [&](ValueId id, const Tensor& tensor) {
        if (index == 0) bytes_seen_ += static_cast<double>(tensor.byte_size());
        observe(id, tensor, index, scratch);
      });
      finish_sample();
    }
  } catch (...) {
    fail(index);
  }
}

// Samples are read one after the other: datasets are fastest in order, and iterators know no other way.
bool Calibrator::next_sample(int64_t limit, int64_t& index, std::vector<Tensor>& tensors) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (failure_ || next_ >= limit) return false;
  index = next_++;
  tensors = data_.sample(index);
  return true;
}

void Calibrator::finish_sample() {
  const std::lock_guard<std::mutex> lock(mutex_);
  ++done_;
  if (options_.progress) options_.progress(done_, total_);
}

void Calibrator::fail(int64_t index) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (index >= failed_sample_) return;
  failed_sample_ = index;
  failure_ = std::current_exception();
}

void Calibrator::observe(ValueId id, const Tensor& tensor, int64_t sample, Scratch& scratch) {
  SharedStatistics& shared = shared_.at(id);
  try {
    if (tensor.size() < kLargeTensor && !options_.refuse_tensors) {
      const std::lock_guard<std::mutex> lock(shared.mutex);
      shared.statistics.observe(tensor);
    } else {
      RangeStatistics& part = scratch.like(shared.statistics);
      part.observe(tensor);
      const std::lock_guard<std::mutex> lock(shared.mutex);
      shared.statistics.merge(part);
    }
  } catch (const Error& error) {
    const std::string where = sample == kNoSample ? "" : fmt::format(" in sample {}", sample);
    if (!options_.refuse_tensors) {
      throw_error(error.code(), "value '{}'{} {}", graph_.value(id).name, where, error.what());
    }
    const std::lock_guard<std::mutex> lock(shared.mutex);
    if (sample >= shared.refused_in) return;
    shared.refused_in = sample;
    shared.refused = error.what() + where;
  }
}

}  // namespace

CalibrationResult calibrate(const Graph& graph, const Dataset& data, const std::vector<ValueRequest>& requests,
                            const CalibrationOptions& options) {
  return Calibrator(graph, data, requests, options).run();
}

}  // namespace twofold
