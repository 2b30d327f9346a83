#include "plan/precision_words.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace twofold {

namespace {

constexpr std::string_view kHighPrecision = "int32";

std::string_view scalar(const ConfigValue& value) {
  return value.node().kind == YamlNode::Kind::kScalar ? std::string_view(value.node().text) : std::string_view();
}

// Of other devices, and of none that has a target here.
bool is_foreign(std::string_view word) {
  static constexpr std::string_view kWords[] = {"int4", "uint4", "int2", "fp4", "nvfp4", "fp8", "float8"};
  return word.starts_with("mx") || std::ranges::any_of(kWords, [&](auto known) { return word.starts_with(known); });
}

[[noreturn]] void fail(const ConfigValue& value, std::span<const std::string_view> words) {
  const std::string list = fmt::format("{}", fmt::join(words, ", "));
  if (is_foreign(scalar(value))) {
    value.fail(fmt::format("'{}' is a precision that some devices have and Twofold does not; there are {}",
                           scalar(value), list));
  }
  value.fail(fmt::format("must be {}, not {}", list, value.describe()));
}

template <typename T>
T find_word(const ConfigValue& value, std::span<const T> allowed, std::string_view beside = {}) {
  const std::string_view word = scalar(value) == "float" ? "float32" : scalar(value);
  std::vector<std::string_view> words;
  if (!beside.empty()) words.push_back(beside);
  for (const T type : allowed) {
    if (word == to_string(type)) return type;
    words.push_back(to_string(type));
  }
  fail(value, words);
}

}  // namespace

QType read_precision(const ConfigValue& value, std::span<const QType> allowed, std::string_view beside) {
  return find_word(value, allowed, beside);
}

QType read_output_precision(const ConfigValue& value, std::span<const QType> allowed) {
  return scalar(value) == kHighPrecision ? QType::kFloat32 : find_word(value, allowed);
}

NodeQType node_qtype(QType type) {
  switch (type) {
    case QType::kInt16: return NodeQType::kInt16;
    case QType::kFloat16: return NodeQType::kFloat16;
    case QType::kFloat32: return NodeQType::kFloat32;
    default: return NodeQType::kInt8;
  }
}

void read_node_qtype(const ConfigValue& value, LevelConfig& level) {
  static constexpr NodeQType kAllowed[] = {NodeQType::kInt8,    NodeQType::kInt16,   NodeQType::kDualInt16,
                                           NodeQType::kInt16Ec, NodeQType::kFloat16, NodeQType::kFloat32};
  if (scalar(value) == kHighPrecision) {
    level.outputs = QType::kFloat32;
  } else {
    level.qtype = find_word<NodeQType>(value, kAllowed);
  }
}

}  // namespace twofold
