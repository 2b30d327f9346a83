#include "api/preprocessing.h"

#include <algorithm>

#include "base/error.h"

namespace twofold {

namespace {

void check_shape(const InputConfig& input, const InputSpec& spec) {
  if (input.shape.empty() || !spec.type.shape) return;
  bool fits = input.shape.size() == spec.type.shape->size();
  for (size_t i = 0; fits && i < input.shape.size(); ++i) {
    const int64_t declared = (*spec.type.shape)[i].value;
    fits = declared < 0 || input.shape[i] < 0 || declared == input.shape[i];
  }
  if (!fits) {
    throw_error(ErrorCode::kInvalidArgument, "input_parameters.input_shape {} does not fit input '{}' of the model",
                to_string(input.shape), spec.name);
  }
}

}  // namespace

DatasetOptions dataset_options(const std::vector<InputConfig>& described, const std::vector<InputSpec>& inputs) {
  DatasetOptions result;
  for (size_t i = 0; i < described.size(); ++i) {
    const InputConfig& input = described[i];
    const std::string name = input.name.empty() && i < inputs.size() ? inputs[i].name : input.name;
    const auto known = std::ranges::find(inputs, name, &InputSpec::name);
    if (known == inputs.end()) {
      throw_error(ErrorCode::kNotFound, "input_parameters describe input '{}', which the model does not have", name);
    }
    check_shape(input, *known);
    result.preprocess[name] = {{input.mean.begin(), input.mean.end()}, {input.scale.begin(), input.scale.end()}};
  }
  return result;
}

}  // namespace twofold
