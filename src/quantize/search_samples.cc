#include "quantize/search_samples.h"

#include <algorithm>

#include "quantize/compare.h"

namespace twofold {

SearchSamples::SearchSamples(const Graph& graph, const Dataset& data, int64_t count, int threads, size_t memory_cap)
    : graph_(graph),
      data_(data),
      threads_(threads),
      room_(memory_cap),
      samples_(static_cast<size_t>(std::min(count, data.size()))) {}

// Whether there is room for the tensors; takes it.
bool SearchSamples::keeps(const std::vector<Tensor>& tensors) {
  size_t bytes = 0;
  for (const Tensor& tensor : tensors) bytes += tensor.byte_size();
  if (bytes > room_) return false;
  room_ -= bytes;
  return true;
}

std::vector<Tensor> SearchSamples::inputs(size_t i) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return read_inputs(i);
}

std::vector<Tensor> SearchSamples::read_inputs(size_t i) {
  if (!samples_[i].inputs.empty()) return samples_[i].inputs;
  std::vector<Tensor> read = data_.sample(static_cast<int64_t>(i));
  if (keeps(read)) samples_[i].inputs = read;
  return read;
}

std::vector<Tensor> SearchSamples::references(size_t i) {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (!samples_[i].expected.empty()) return samples_[i].expected;
  if (executor_ == nullptr) executor_ = std::make_unique<Executor>(graph_, ExecutorOptions{.threads = threads_});
  std::vector<Tensor> computed;
  for (const Tensor& output : executor_->run(read_inputs(i))) computed.push_back(as_float(output));
  ++float_runs_;
  if (keeps(computed)) samples_[i].expected = computed;
  // Its packed weights are not needed any more.
  if (std::ranges::none_of(samples_, [](const Sample& sample) { return sample.expected.empty(); })) executor_.reset();
  return computed;
}

std::vector<ErrorSums> SearchSamples::errors(size_t i, const std::vector<Tensor>& outputs) {
  const std::vector<Tensor> references = this->references(i);
  std::vector<ErrorSums> errors(outputs.size());
  for (size_t o = 0; o < outputs.size(); ++o) {
    errors[o].add(references[o].data<float>(), as_float(outputs[o]).data<float>());
  }
  return errors;
}

void SearchSamples::add_errors(size_t i, const std::vector<Tensor>& outputs, MetricMeans& means) {
  for (const ErrorSums& sums : errors(i, outputs)) means.add(sums);
}

}  // namespace twofold
