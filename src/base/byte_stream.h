// Binary files of Twofold's own: little-endian, whatever the machine.
#ifndef TWOFOLD_SRC_BASE_BYTE_STREAM_H_
#define TWOFOLD_SRC_BASE_BYTE_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace twofold {

class ByteWriter {
 public:
  // Seven bits a byte, the lowest first; the highest bit says that more follow.
  void number(uint64_t value);
  void real(float value);  // its 4 bytes
  void text(std::string_view text);
  std::vector<std::byte> take() { return std::move(bytes_); }

 private:
  std::vector<std::byte> bytes_;
};

// Throws Error(kInvalidArgument) "<label>: damaged: ..." where the bytes end too early or hold something else.
class ByteReader {
 public:
  ByteReader(std::span<const std::byte> bytes, std::string label) : bytes_(bytes), label_(std::move(label)) {}

  uint64_t number(uint64_t largest);
  float real();
  std::string text();
  // How many items follow, each of at least `least_bytes` bytes, so that no more are made room for than can be there.
  size_t count(size_t least_bytes);
  void expect_end() const;
  [[noreturn]] void fail(std::string_view what) const;

 private:
  std::span<const std::byte> take(size_t n);

  std::span<const std::byte> bytes_;  // what is left
  const std::string label_;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_BASE_BYTE_STREAM_H_
