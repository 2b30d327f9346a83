#include "plan/op_type_word.h"

#include <algorithm>
#include <cctype>

#include "traits/op_traits.h"

namespace twofold {

std::string op_type_of_word(std::string_view word) {
  if (find_traits(word) != nullptr) return std::string(word);
  const auto same = [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); };
  for (const OpTraits& traits : all_traits()) {
    if (std::ranges::equal(traits.op_type, word, same)) return std::string(traits.op_type);
  }
  return std::string(word);
}

}  // namespace twofold
