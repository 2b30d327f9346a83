#include "data/dumped_files.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <map>
#include <optional>
#include <string_view>

#include "base/error.h"
#include "base/file_names.h"
#include "base/nearest_names.h"

namespace twofold {

namespace {

namespace fs = std::filesystem;

struct DumpName {
  int64_t sample;
  std::string input;
};

std::optional<DumpName> parse_name(const fs::path& file) {
  constexpr std::string_view kMiddle = "_input_data_";
  const std::string stem = file.stem().string();
  const size_t middle = stem.find(kMiddle);
  if (!stem.starts_with('b') || middle == std::string::npos) return std::nullopt;
  DumpName name{0, stem.substr(middle + kMiddle.size())};
  const char* end = stem.data() + middle;
  const auto [last, error] = std::from_chars(stem.data() + 1, end, name.sample);
  if (error != std::errc() || last != end || name.input.empty()) return std::nullopt;
  return name;
}

}  // namespace

std::vector<std::vector<fs::path>> dumped_files(const std::vector<fs::path>& files,
                                                const std::vector<std::string>& inputs) {
  std::vector<std::map<int64_t, fs::path>> found(inputs.size());
  bool any = false;
  for (const fs::path& file : files) {
    const std::optional<DumpName> name = parse_name(file);
    if (!name) continue;
    const auto it = std::ranges::find_if(
        inputs, [&](const std::string& input) { return name->input == input || name->input == file_name(input); });
    if (it == inputs.end()) {
      throw_error(ErrorCode::kNotFound, "{}: the model has no input '{}'; it has {}", file.string(), name->input,
                  quoted_list(inputs));
    }
    found[static_cast<size_t>(it - inputs.begin())].emplace(name->sample, file);
    any = true;
  }
  if (!any) return {};
  std::vector<std::vector<fs::path>> result;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (found[i].empty()) throw_error(ErrorCode::kNotFound, "no file holds samples of input '{}'", inputs[i]);
    for (const auto& [sample, file] : found[0]) {
      if (found[i].contains(sample)) continue;
      throw_error(ErrorCode::kInvalidArgument, "there is {}, and no such file of input '{}'", file.string(), inputs[i]);
    }
    if (found[i].size() != found[0].size()) {
      throw_error(ErrorCode::kInvalidArgument, "input '{}' has {} samples, but input '{}' has {}", inputs[0],
                  found[0].size(), inputs[i], found[i].size());
    }
    std::vector<fs::path>& of_input = result.emplace_back();
    for (const auto& [sample, file] : found[i]) of_input.push_back(file);
  }
  return result;
}

}  // namespace twofold
