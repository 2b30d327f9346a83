#include "base/content_hash.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cstring>

namespace twofold {

namespace {

__extension__ using Wide = unsigned __int128;

// Odd, half of their bits set, without a pattern: the first digits of sqrt(2), sqrt(3), sqrt(5) and sqrt(7), made odd.
constexpr std::array<uint64_t, 4> kFactors = {0x6a09e667f3bcc909, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b,
                                              0xa54ff53a5f1d36f1};

// Both halves of a product, one on the other: every bit of the arguments reaches every bit of the result.
uint64_t fold_product(uint64_t a, uint64_t b) {
  const Wide product = static_cast<Wide>(a) * b;
  return static_cast<uint64_t>(product >> 64) ^ static_cast<uint64_t>(product);
}

uint64_t word_at(const std::byte* bytes) {
  uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof(word));
  if constexpr (std::endian::native == std::endian::big) word = __builtin_bswap64(word);
  return word;
}

}  // namespace

std::string ContentHash::hex() const { return fmt::format("{:016x}{:016x}", high, low); }

// Two chains that differ in factors and rotation. The sum keeps what was there where a product comes out as 0.
void ContentHasher::mix(uint64_t word) {
  a_ = std::rotl(a_, 23) + fold_product(a_ ^ word, kFactors[0]);
  b_ = std::rotl(b_, 41) + fold_product(b_ ^ word, kFactors[1]);
}

void ContentHasher::add(uint64_t number) { mix(number); }

void ContentHasher::add(const ContentHash& hash) {
  mix(hash.high);
  mix(hash.low);
}

void ContentHasher::add(std::span<const std::byte> bytes) {
  mix(bytes.size());
  size_t i = 0;
  if (bytes.size() >= 32) {
    // Four chains at once, since one product has to wait for the one before it.
    std::array<uint64_t, 4> lanes = kFactors;
    for (; i + 32 <= bytes.size(); i += 32) {
      for (size_t lane = 0; lane < 4; ++lane) {
        const uint64_t word = word_at(bytes.data() + i + 8 * lane);
        lanes[lane] = std::rotl(lanes[lane], 29) + fold_product(lanes[lane] ^ word, kFactors[lane]);
      }
    }
    for (uint64_t lane : lanes) mix(lane);
  }
  for (; i + 8 <= bytes.size(); i += 8) mix(word_at(bytes.data() + i));
  if (i == bytes.size()) return;
  std::array<std::byte, 8> last{};
  std::memcpy(last.data(), bytes.data() + i, bytes.size() - i);
  mix(word_at(last.data()));
}

ContentHash ContentHasher::result() const {
  return {fold_product(a_ ^ kFactors[2], b_ | 1), fold_product(b_ ^ kFactors[3], a_ | 1)};
}

}  // namespace twofold
