#include "api/open_samples.h"

#include <utility>

namespace twofold {

namespace {

class FirstSamples final : public Dataset {
 public:
  FirstSamples(std::unique_ptr<Dataset> samples, int64_t limit) : samples_(std::move(samples)), size_(limit) {}

  int64_t size() const override { return size_; }
  std::vector<Tensor> sample(int64_t i) const override { return samples_->sample(i); }

 private:
  const std::unique_ptr<Dataset> samples_;
  const int64_t size_;
};

}  // namespace

std::unique_ptr<Dataset> first_samples(std::unique_ptr<Dataset> samples, int64_t limit) {
  if (limit <= 0 || limit >= samples->size()) return samples;
  return std::make_unique<FirstSamples>(std::move(samples), limit);
}

std::unique_ptr<Dataset> open_samples(const Samples& samples, const std::vector<InputSpec>& inputs,
                                      const DatasetOptions& options) {
  return first_samples(samples.source != nullptr ? make_dataset(samples.source, inputs, options)
                                                 : open_dataset(samples.path, inputs, options),
                       samples.limit);
}

}  // namespace twofold
