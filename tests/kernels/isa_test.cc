#include "kernels/isa.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <thread>

#include "twofold/error.h"

namespace twofold::kernels {
namespace {

TEST(Isa, AlwaysHasScalarCode) { EXPECT_EQ(available_isas().front(), Isa::kScalar); }

TEST(Isa, IsTheScopesInItsThreadOnly) {
  const Isa before = current_isa();
  {
    const IsaScope scope(Isa::kScalar);
    EXPECT_EQ(current_isa(), Isa::kScalar);
    std::thread([before] { EXPECT_EQ(current_isa(), before); }).join();
  }
  EXPECT_EQ(current_isa(), before);
}

// GoogleTest runs death tests before all others, so nothing has been chosen yet in the process that is forked.
// (Starting the program again instead, the "threadsafe" style, fails where it runs under an emulator.)
TEST(IsaDeathTest, NamesWhatIsThereIfTheVariableIsWrong) {
  GTEST_FLAG_SET(death_test_style, "fast");
  EXPECT_EXIT(
      {
        setenv("TWOFOLD_ISA", "avx1024", 1);
        try {
          current_isa();
        } catch (const Error& error) {
          std::fputs(error.what(), stderr);
          std::exit(3);
        }
      },
      testing::ExitedWithCode(3), "TWOFOLD_ISA is 'avx1024', but this machine has: scalar");
}

}  // namespace
}  // namespace twofold::kernels
