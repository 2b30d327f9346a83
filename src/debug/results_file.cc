#include "debug/results_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/files.h"
#include "base/json_number.h"

namespace twofold {

namespace {

using Json = nlohmann::ordered_json;

constexpr int kVersion = 1;
constexpr const char* kVersionKey = "twofold_sensitivity";

Json to_json(const Sensitivity& sensitivity) {
  Json samples = Json::array();
  for (const auto& sample : sensitivity.values()) {
    Json outputs = Json::array();
    for (const Sensitivity::Values& values : sample) {
      Json numbers = Json::array();
      for (const double value : values) numbers.push_back(json_number(value));
      outputs.push_back(std::move(numbers));
    }
    samples.push_back(std::move(outputs));
  }
  return samples;
}

Sensitivity sensitivity_of(const Json& samples) {
  std::vector<std::vector<Sensitivity::Values>> values;
  for (const Json& sample : samples) {
    std::vector<Sensitivity::Values>& outputs = values.emplace_back();
    for (const Json& numbers : sample) {
      Sensitivity::Values& of_output = outputs.emplace_back();
      for (size_t i = 0; i < of_output.size(); ++i) of_output[i] = number_of_json(numbers.at(i));
    }
  }
  return Sensitivity(std::move(values));
}

[[noreturn]] void throw_damaged(const std::filesystem::path& path) {
  throw_error(ErrorCode::kInvalidArgument, "{}: not a file of results, or damaged", path.string());
}

void check_header(const Json& header, const ResultsFile::Subject& subject, const std::filesystem::path& path) {
  if (header.at(kVersionKey).get<int>() != kVersion) {
    throw_error(ErrorCode::kInvalidArgument, "{}: these results are of version {}, and this Twofold reads {}",
                path.string(), header.at(kVersionKey).dump(), kVersion);
  }
  for (const auto& [what, value] : subject) {
    const std::string other = header.value(what, "");
    if (other == value) continue;
    throw_error(ErrorCode::kInvalidArgument,
                "{}: these results are of another {} ({}; this one is {}): take another folder, or do not resume",
                path.string(), what, other, value);
  }
}

// What stands in front of the last end of a line: what is behind it was being written.
std::string whole_lines(const std::filesystem::path& path) {
  std::string text = read_text_file(path);
  text.resize(text.rfind('\n') + 1);
  return text;
}

}  // namespace

ResultsFile::Results ResultsFile::read(const std::filesystem::path& path, const Subject& subject) {
  const std::string text = whole_lines(path);
  Results results;
  size_t begin = 0, end = 0;
  try {
    while ((end = text.find('\n', begin)) != std::string::npos) {
      const Json line =
          Json::parse(text.begin() + static_cast<ptrdiff_t>(begin), text.begin() + static_cast<ptrdiff_t>(end));
      if (begin == 0) {
        check_header(line, subject, path);
      } else {
        results.insert_or_assign(line.at("unit").get<std::string>(), sensitivity_of(line.at("samples")));
      }
      begin = end + 1;
    }
  } catch (const Json::exception&) {
    throw_damaged(path);
  }
  if (begin == 0) throw_damaged(path);
  return results;
}

ResultsFile::ResultsFile(std::filesystem::path path, const Subject& subject, bool resume) : path_(std::move(path)) {
  const bool goes_on = resume && std::filesystem::exists(path_);
  if (goes_on) {
    known_ = read(path_, subject);
    std::filesystem::resize_file(path_, whole_lines(path_).size());
  }
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | (goes_on ? 0 : O_TRUNC) | O_CLOEXEC, 0666);
  if (descriptor_ < 0) throw_error(ErrorCode::kIo, "cannot write {}: {}", path_.string(), std::strerror(errno));
  if (goes_on) return;
  Json header = {{kVersionKey, kVersion}};
  for (const auto& [what, value] : subject) header[what] = value;
  append(header.dump());
}

ResultsFile::~ResultsFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void ResultsFile::check_counts(size_t samples, size_t outputs) const {
  for (const auto& [unit, sensitivity] : known_) {
    const auto& values = sensitivity.values();
    const bool fits = values.size() == samples &&
                      std::ranges::all_of(values, [&](const auto& sample) { return sample.size() == outputs; });
    if (!fits) throw_damaged(path_);
  }
}

const Sensitivity* ResultsFile::find(const std::string& unit) const {
  const auto it = known_.find(unit);
  return it == known_.end() ? nullptr : &it->second;
}

void ResultsFile::add(const std::string& unit, const Sensitivity& sensitivity) {
  append(Json{{"unit", unit}, {"samples", to_json(sensitivity)}}.dump());
  known_.insert_or_assign(unit, sensitivity);
}

void ResultsFile::append(std::string line) {
  line += '\n';
  const ssize_t written = ::write(descriptor_, line.data(), line.size());
  if (written == static_cast<ssize_t>(line.size())) return;
  throw_error(ErrorCode::kIo, "cannot write {}: {}", path_.string(),
              written < 0 ? std::strerror(errno) : "the disk is full");
}

}  // namespace twofold
