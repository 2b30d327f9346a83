#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "avx_vnni/avx_vnni_emulator.h"

// tests/fuzz/kernels_fuzz.cc
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace twofold::kernels {
namespace {

// The fuzzer's products, which it compares with loops, from random bytes. It aborts where they differ.
TEST(RandomProducts, AreExact) {
  std::mt19937 random(17);
  const int64_t before = emulated_instructions();
  for (int i = 0; i < 100; ++i) {
    std::vector<uint8_t> bytes(64 + random() % 512);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
    LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  }
  EXPECT_EQ(emulated_instructions() > before, emulates_avx_vnni());
}

}  // namespace
}  // namespace twofold::kernels
