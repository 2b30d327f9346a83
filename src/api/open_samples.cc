#include "api/open_samples.h"

namespace twofold {

std::unique_ptr<Dataset> open_samples(const Samples& samples, const std::vector<InputSpec>& inputs,
                                      const DatasetOptions& options) {
  if (samples.source != nullptr) return make_dataset(samples.source, inputs, options);
  return open_dataset(samples.path, inputs, options);
}

}  // namespace twofold
