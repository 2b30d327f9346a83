#include "api/open_samples.h"

#include "base/error.h"

namespace twofold {

std::unique_ptr<Dataset> open_samples(const Samples& samples, const std::vector<InputSpec>& inputs,
                                      const DatasetOptions& options) {
  if (!samples.path.empty()) return open_dataset(samples.path, inputs, options);
  std::vector<std::vector<Tensor>> ordered;
  for (size_t i = 0; i < samples.tensors.size(); ++i) {
    ordered.emplace_back();
    for (const InputSpec& input : inputs) {
      const auto it = samples.tensors[i].find(input.name);
      if (it == samples.tensors[i].end()) {
        throw_error(ErrorCode::kInvalidArgument, "sample {} has no tensor for input '{}'", i, input.name);
      }
      ordered.back().push_back(it->second);
    }
  }
  return make_dataset(std::move(ordered), inputs, options);
}

}  // namespace twofold
