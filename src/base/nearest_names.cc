#include "base/nearest_names.h"

#include <algorithm>
#include <compare>
#include <numeric>

namespace twofold {

namespace {

// Names are compared up to this length, which bounds the cost for hostile input.
constexpr size_t kMaxCompared = 256;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// True if one is the beginning of the other: a name that was cut off, or one to which a tool has added its own ending.
bool begins_alike(std::string_view a, std::string_view b) {
  constexpr size_t kLeast = 4;
  const size_t length = std::min(a.size(), b.size());
  return length >= kLeast && std::equal(a.begin(), a.begin() + static_cast<ptrdiff_t>(length), b.begin(),
                                        [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

size_t edit_distance(std::string_view a, std::string_view b) {
  a = a.substr(0, kMaxCompared);
  b = b.substr(0, kMaxCompared);
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t replaced = diagonal + (lower(a[i]) == lower(b[j]) ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row[b.size()];
}

std::vector<std::string> nearest_names(std::string_view name, std::span<const std::string> known, size_t count) {
  struct Known {
    bool other_beginning;
    size_t distance, index;
    auto operator<=>(const Known&) const = default;
  };
  std::vector<Known> order;
  for (size_t i = 0; i < known.size(); ++i) {
    order.push_back({!begins_alike(name, known[i]), edit_distance(name, known[i]), i});
  }
  std::sort(order.begin(), order.end());
  std::vector<std::string> result;
  for (size_t i = 0; i < std::min(count, order.size()); ++i) result.push_back(known[order[i].index]);
  return result;
}

std::string quoted_list(std::span<const std::string> names) {
  std::string list;
  for (const std::string& name : names) list += (list.empty() ? "'" : ", '") + name + "'";
  return list;
}

}  // namespace twofold
