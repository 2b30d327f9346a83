#include "api/preprocessing.h"

#include <algorithm>

#include "base/error.h"
#include "base/nearest_names.h"

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

bool is_silent(const InputConfig& input) {
  return input.name.empty() && input.shape.empty() && input.mean.empty() && input.scale.empty();
}

// Element types of raw files: one for all inputs, or one for each in the order of the config's.
DType raw_type(const QuantConfig& config, size_t i) {
  const std::vector<DType>& types = config.cal_data_types;
  if (types.size() == 1) return types[0];
  return i < types.size() ? types[i] : DType::kUndefined;
}

}  // namespace

DatasetOptions dataset_options(const QuantConfig& config, const std::vector<InputSpec>& inputs) {
  DatasetOptions result;
  const bool has_names = names_inputs(config);
  for (size_t i = 0; i < inputs.size() && !has_names; ++i) result.raw[inputs[i].name].dtype = raw_type(config, i);
  for (size_t i = 0; i < config.inputs.size(); ++i) {
    const InputConfig& input = config.inputs[i];
    if (is_silent(input)) continue;
    const std::string name = input.name.empty() && i < inputs.size() ? inputs[i].name : input.name;
    const auto known = std::ranges::find(inputs, name, &InputSpec::name);
    if (known == inputs.end()) {
      std::vector<std::string> names;
      for (const InputSpec& spec : inputs) names.push_back(spec.name);
      throw_error(ErrorCode::kNotFound,
                  "input_parameters describe input '{}', which the model does not have; it has {}", name,
                  quoted_list(names));
    }
    check_shape(input, *known);
    result.raw[name] = {raw_type(config, i), input.shape};
    const bool has_numbers = !input.mean.empty() || !input.scale.empty();
    if (!has_numbers || data_of(config) == DataIs::kNormalized) continue;
    result.preprocess[name] = {{input.mean.begin(), input.mean.end()}, {input.scale.begin(), input.scale.end()}};
  }
  return result;
}

}  // namespace twofold
