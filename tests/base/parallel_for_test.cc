#include "base/parallel_for.h"

#include <gtest/gtest.h>

#include "base/message_of.h"

namespace twofold {
namespace {

using testing::message_of;

TEST(ThreadScope, TakesSensibleNumbersOnly) {
  for (const int threads : {0, 1, 7, 1024}) {
    EXPECT_EQ(message_of([&] { ThreadScope{threads}; }), "nothing thrown") << threads;
  }
  const int before = num_threads();
  EXPECT_EQ(message_of([] { ThreadScope{-1}; }), "threads is -1; it must be 0 (one per core) to 1024");
  EXPECT_EQ(message_of([] { ThreadScope{100000}; }), "threads is 100000; it must be 0 (one per core) to 1024");
  EXPECT_EQ(num_threads(), before);
}

}  // namespace
}  // namespace twofold
