#include "base/byte_stream.h"

#include <bit>
#include <limits>

#include "base/error.h"

namespace twofold {

void ByteWriter::number(uint64_t value) {
  for (; value >= 0x80; value >>= 7) bytes_.push_back(static_cast<std::byte>(value | 0x80));
  bytes_.push_back(static_cast<std::byte>(value));
}

void ByteWriter::real(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  for (int shift = 0; shift < 32; shift += 8) bytes_.push_back(static_cast<std::byte>(bits >> shift));
}

void ByteWriter::text(std::string_view text) {
  number(text.size());
  const auto bytes = std::as_bytes(std::span(text));
  bytes_.insert(bytes_.end(), bytes.begin(), bytes.end());
}

void ByteReader::fail(std::string_view what) const {
  throw_error(ErrorCode::kInvalidArgument, "{}: damaged: {}", label_, what);
}

std::span<const std::byte> ByteReader::take(size_t n) {
  if (n > bytes_.size()) fail("it ends too early");
  const std::span<const std::byte> taken = bytes_.first(n);
  bytes_ = bytes_.subspan(n);
  return taken;
}

uint64_t ByteReader::number(uint64_t largest) {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const auto byte = static_cast<uint64_t>(take(1)[0]);
    const uint64_t bits = byte & 0x7f;
    if (shift == 63 && bits > 1) break;
    value |= bits << shift;
    if ((byte & 0x80) != 0) continue;
    if (value > largest) fail("a number is too large");
    return value;
  }
  fail("a number is too long");
}

float ByteReader::real() {
  uint32_t bits = 0;
  int shift = 0;
  for (const std::byte byte : take(4)) {
    bits |= static_cast<uint32_t>(byte) << shift;
    shift += 8;
  }
  return std::bit_cast<float>(bits);
}

std::string ByteReader::text() {
  const std::span<const std::byte> bytes = take(count(1));
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

size_t ByteReader::count(size_t least_bytes) {
  const uint64_t items = number(std::numeric_limits<uint64_t>::max());
  if (items > bytes_.size() / least_bytes) fail("it ends too early");
  return static_cast<size_t>(items);
}

void ByteReader::expect_end() const {
  if (!bytes_.empty()) fail("something follows its end");
}

}  // namespace twofold
