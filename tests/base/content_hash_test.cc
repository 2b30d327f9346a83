#include "base/content_hash.h"

#include <gtest/gtest.h>

#include <random>
#include <set>
#include <vector>

namespace twofold {
namespace {

ContentHash hash_of(std::span<const std::byte> bytes) {
  ContentHasher hasher;
  hasher.add(bytes);
  return hasher.result();
}

TEST(ContentHash, IsTheSameOnEveryMachine) {
  // Plan files hold these numbers. This one was computed by a program in another language, with integers of any length.
  std::vector<std::byte> bytes(100);
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::byte>(i);
  ContentHasher hasher;
  hasher.add(std::string_view("conv"));
  hasher.add(uint64_t{7});
  hasher.add(std::span<const std::byte>(bytes));
  EXPECT_EQ(hasher.result().hex(), "fabfb7b0c476c9ae3b87a8ccb39dd73a");
}

TEST(ContentHash, DiffersForEveryBitAndEveryLength) {
  std::mt19937_64 random(1);
  std::set<ContentHash> seen;
  size_t count = 0;
  for (size_t size = 0; size < 100; ++size) {
    std::vector<std::byte> bytes(size);
    seen.insert(hash_of(bytes));  // zeros of every length
    ++count;
    for (auto& byte : bytes) byte = static_cast<std::byte>(random());
    if (size > 0) {
      seen.insert(hash_of(bytes));
      ++count;
    }
    for (size_t bit = 0; bit < 8 * size; ++bit) {
      bytes[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
      seen.insert(hash_of(bytes));
      ++count;
      bytes[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
    }
  }
  // One random byte may be zero, or a flipped bit make one of a few bytes that were seen.
  EXPECT_GE(seen.size() + 10, count);
}

TEST(ContentHash, KeepsPiecesApart) {
  const auto of = [](std::initializer_list<std::string_view> pieces) {
    ContentHasher hasher;
    for (std::string_view piece : pieces) hasher.add(piece);
    return hasher.result();
  };
  EXPECT_NE(of({"ab", "c"}), of({"a", "bc"}));
  EXPECT_NE(of({"abc"}), of({"abc", ""}));
  EXPECT_NE(of({"abc"}), of({"ab", "c"}));
}

}  // namespace
}  // namespace twofold
