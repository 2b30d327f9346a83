#include "graph/attribute.h"

#include <algorithm>
#include <functional>

#include "base/error.h"

namespace twofold {

const Attributes::List& Attributes::list() const {
  static const List nothing;
  return list_ == nullptr ? nothing : *list_;
}

Attributes::List::const_iterator Attributes::position(std::string_view name) const {
  return std::ranges::lower_bound(list(), name, std::less<>(), &List::value_type::first);
}

Attributes::List& Attributes::own() {
  if (list_ == nullptr) {
    list_ = std::make_shared<List>();
  } else if (list_.use_count() > 1) {
    list_ = std::make_shared<List>(*list_);
  }
  return *list_;
}

const Attribute* Attributes::lookup(std::string_view name) const {
  const auto it = position(name);
  return it == end() || it->first != name ? nullptr : &it->second;
}

bool Attributes::has(std::string_view name) const { return lookup(name) != nullptr; }

void Attributes::set(std::string name, Attribute value) {
  List& mine = own();
  const auto it = mine.begin() + (position(name) - begin());
  if (it != mine.end() && it->first == name) {
    it->second = std::move(value);
  } else {
    mine.emplace(it, std::move(name), std::move(value));
  }
}

void Attributes::erase(std::string_view name) {
  if (!has(name)) return;
  std::erase_if(own(), [name](const auto& entry) { return entry.first == name; });
}

template <typename T>
const T* Attributes::find(std::string_view name) const {
  const Attribute* held = lookup(name);
  if (held == nullptr) return nullptr;
  const T* value = std::get_if<T>(held);
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
