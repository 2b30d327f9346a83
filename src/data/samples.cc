#include "twofold/samples.h"

namespace twofold {

namespace {

class SamplesInMemory final : public SampleSource {
 public:
  explicit SamplesInMemory(std::vector<std::map<std::string, Tensor>> samples) : samples_(std::move(samples)) {}

  int64_t size() const override { return static_cast<int64_t>(samples_.size()); }
  std::map<std::string, Tensor> sample(int64_t i) const override { return samples_.at(static_cast<size_t>(i)); }

 private:
  std::vector<std::map<std::string, Tensor>> samples_;
};

}  // namespace

std::shared_ptr<const SampleSource> samples_in_memory(std::vector<std::map<std::string, Tensor>> samples) {
  return std::make_shared<SamplesInMemory>(std::move(samples));
}

}  // namespace twofold
