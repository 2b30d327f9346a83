// The tests of integer products on the kernels for AVX-VNNI, as the library holds them, on any x86-64 CPU with AVX2.
#include <cstdio>

// What CTest takes for a skipped test.
constexpr int kSkipped = 77;

#if !defined(__x86_64__)

int main() {
  std::puts("skipped: AVX-VNNI is an instruction set of x86-64");
  return kSkipped;
}

#else

#include <gtest/gtest.h>

#include "avx_vnni/avx_vnni_emulator.h"
#include "kernels/detect_isas.h"

namespace twofold::kernels {

// Instead of the library's own: AVX-VNNI, whether the CPU has it or not, and nothing else.
std::vector<Isa> detect_isas() { return {Isa::kAvxVnni}; }

namespace {

// Fails a test of an instruction set that has not come to the instructions which are emulated.
class EmulatesInEachTest final : public testing::EmptyTestEventListener {
  void OnTestStart(const testing::TestInfo& /*test*/) override { before_ = emulated_instructions(); }
  void OnTestEnd(const testing::TestInfo& test) override {
    if (test.value_param() == nullptr || !emulates_avx_vnni()) return;
    EXPECT_GT(emulated_instructions(), before_) << test.name() << " ran no instruction of AVX-VNNI";
  }
  int64_t before_ = 0;
};

}  // namespace
}  // namespace twofold::kernels

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  if (!__builtin_cpu_supports("avx2")) {
    std::puts("skipped: this CPU has no AVX2, whose instructions stand between those that are emulated");
    return kSkipped;
  }
  twofold::kernels::install_avx_vnni_emulator();
  testing::UnitTest::GetInstance()->listeners().Append(new twofold::kernels::EmulatesInEachTest);
  const int result = RUN_ALL_TESTS();
  std::printf("%lld instructions of AVX-VNNI emulated\n",
              static_cast<long long>(twofold::kernels::emulated_instructions()));
  return result;
}

#endif
