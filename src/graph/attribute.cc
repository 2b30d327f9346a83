#include "graph/attribute.h"

#include "base/error.h"

namespace twofold {

bool Attributes::has(std::string_view name) const { return values_.find(name) != values_.end(); }

void Attributes::set(std::string name, Attribute value) { values_.insert_or_assign(std::move(name), std::move(value)); }

void Attributes::erase(std::string_view name) {
  if (const auto it = values_.find(name); it != values_.end()) values_.erase(it);
}

template <typename T>
const T* Attributes::find(std::string_view name) const {
  const auto it = values_.find(name);
  if (it == values_.end()) return nullptr;
  const T* value = std::get_if<T>(&it->second);
  if (value == nullptr) throw_error(ErrorCode::kInvalidModel, "attribute '{}' has the wrong type", name);
  return value;
}

template <typename T>
const T& Attributes::require(std::string_view name) const {
  const T* value = find<T>(name);
  if (value == nullptr) throw_error(ErrorCode::kInvalidModel, "attribute '{}' is missing", name);
  return *value;
}

int64_t Attributes::get_int(std::string_view name) const { return require<int64_t>(name); }

int64_t Attributes::get_int(std::string_view name, int64_t fallback) const {
  const auto* value = find<int64_t>(name);
  return value != nullptr ? *value : fallback;
}

float Attributes::get_float(std::string_view name, float fallback) const {
  const auto* value = find<float>(name);
  return value != nullptr ? *value : fallback;
}

std::string Attributes::get_string(std::string_view name, std::string_view fallback) const {
  const auto* value = find<std::string>(name);
  return value != nullptr ? *value : std::string(fallback);
}

std::vector<int64_t> Attributes::get_ints(std::string_view name, std::vector<int64_t> fallback) const {
  const auto* value = find<std::vector<int64_t>>(name);
  return value != nullptr ? *value : std::move(fallback);
}

std::vector<float> Attributes::get_floats(std::string_view name, std::vector<float> fallback) const {
  const auto* value = find<std::vector<float>>(name);
  return value != nullptr ? *value : std::move(fallback);
}

std::vector<std::string> Attributes::get_strings(std::string_view name, std::vector<std::string> fallback) const {
  const auto* value = find<std::vector<std::string>>(name);
  return value != nullptr ? *value : std::move(fallback);
}

const Tensor& Attributes::get_tensor(std::string_view name) const { return require<Tensor>(name); }

std::shared_ptr<const Graph> Attributes::get_graph(std::string_view name) const {
  return require<std::shared_ptr<const Graph>>(name);
}

}  // namespace twofold
