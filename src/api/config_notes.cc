#include "api/config_notes.h"

#include <fmt/format.h>

#include <algorithm>

#include "plan/march.h"

namespace twofold {

namespace {

std::string target_note(const QuantConfig& config, const std::string& target) {
  if (!target.empty() || config.march.empty()) return "";
  return fmt::format("the target is {}, as march {} of the config has it; name one to choose another",
                     target_of_march(config.march), config.march);
}

std::string preprocessing_note(const QuantConfig& config) {
  const bool has_any = std::ranges::any_of(
      config.inputs, [](const InputConfig& input) { return !input.mean.empty() || !input.scale.empty(); });
  if (!has_any) return "";
  const bool by_march = config.data_is == DataIs::kByConfig && !config.march.empty();
  std::string why = config.data_is == DataIs::kByConfig ? "" : ", as you say";
  if (by_march) why = fmt::format(", with march {}", config.march);
  switch (data_of(config)) {
    case DataIs::kNormalized:
      return fmt::format(
          "mean and scale of the config are not applied: the data are what the float model takes already{} (data_is "
          "raw says otherwise)",
          why);
    case DataIs::kImages: return "mean and scale of the config are applied to the pixels of the images";
    default:
      return fmt::format(
          "mean and scale of the config are applied: the data are raw{} (data_is normalized says otherwise)", why);
  }
}

// Keys that are for images are not used for arrays of numbers.
std::string unused_note(const QuantConfig& config) {
  std::vector<std::string> keys = config.unused_keys;
  const auto says = [&](std::string InputConfig::*word) {
    return config.data_is != DataIs::kImages &&
           std::ranges::any_of(config.inputs, [word](const InputConfig& input) { return !(input.*word).empty(); });
  };
  if (says(&InputConfig::colours)) keys.emplace_back("input_parameters.input_type_train");
  if (says(&InputConfig::layout)) keys.emplace_back("input_parameters.input_layout_train");
  if (keys.empty()) return "";
  return fmt::format("not used here (they are for a device's compiler, or for its input): {}", fmt::join(keys, ", "));
}

}  // namespace

std::vector<std::string> preprocessing_notes(const QuantConfig& config) {
  const std::string note = preprocessing_note(config);
  return note.empty() ? std::vector<std::string>() : std::vector{note};
}

std::vector<std::string> config_notes(const QuantConfig& config, const std::string& target) {
  std::vector<std::string> notes = config.notes;
  for (std::string note : {target_note(config, target), preprocessing_note(config), unused_note(config)}) {
    if (!note.empty()) notes.push_back(std::move(note));
  }
  return notes;
}

}  // namespace twofold
