#include "debug/results_file.h"

#include <fcntl.h>
#include <unistd.h>

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

}  // namespace

ResultsFile::ResultsFile(std::filesystem::path path, const Subject& subject, bool resume) : path_(std::move(path)) {
  const bool goes_on = resume && std::filesystem::exists(path_);
  if (goes_on) read(subject);
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

void ResultsFile::read(const Subject& subject) {
  const std::string text = read_text_file(path_);
  size_t begin = 0, end = 0;
  bool first = true;
  try {
    while ((end = text.find('\n', begin)) != std::string::npos) {
      const Json line =
          Json::parse(text.begin() + static_cast<ptrdiff_t>(begin), text.begin() + static_cast<ptrdiff_t>(end));
      if (!first) {
        known_.insert_or_assign(line.at("unit").get<std::string>(), sensitivity_of(line.at("samples")));
      } else if (line.at(kVersionKey).get<int>() != kVersion) {
        throw_error(ErrorCode::kInvalidArgument, "{}: these results are of version {}, and this Twofold reads {}",
                    path_.string(), line.at(kVersionKey).dump(), kVersion);
      } else {
        for (const auto& [what, value] : subject) {
          const std::string other = line.value(what, "");
          if (other == value) continue;
          throw_error(ErrorCode::kInvalidArgument,
                      "{}: these results are of another {} ({}; this one is {}): take another folder, or do not resume",
                      path_.string(), what, other, value);
        }
      }
      first = false;
      begin = end + 1;
    }
  } catch (const Json::exception&) {
    throw_error(ErrorCode::kInvalidArgument, "{}: not a file of results, or damaged", path_.string());
  }
  if (first) throw_error(ErrorCode::kInvalidArgument, "{}: not a file of results, or damaged", path_.string());
  // What is behind the last end of a line was being written.
  if (begin < text.size()) std::filesystem::resize_file(path_, begin);
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
