#include "base/cancellation.h"

#include <gtest/gtest.h>

#include <atomic>
#include <stdexcept>
#include <thread>

#include "base/files.h"
#include "base/message_of.h"
#include "base/parallel_for.h"
#include "data/temporary_folder.h"

namespace twofold {
namespace {

using testing::message_of;

TEST(Cancellation, NothingIsAskedOutsideOfAScope) {
  int asked = 0;
  const std::function<bool()> cancelled = [&] { return ++asked > 0; };
  throw_if_cancelled();
  {
    const CancellationScope scope(cancelled);
    EXPECT_EQ(message_of(throw_if_cancelled), "the run was cancelled");
  }
  throw_if_cancelled();
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(current_cancellation(), nullptr);
}

TEST(Cancellation, WhatHasEndedIsNotAskedAgain) {
  int asked = 0;
  const std::function<bool()> cancelled = [&]() -> bool { throw std::out_of_range(std::to_string(++asked)); };
  const CancellationScope scope(cancelled);
  for (int i = 0; i < 2; ++i) {
    try {
      throw_if_cancelled();
      FAIL();
    } catch (const std::out_of_range& error) {
      EXPECT_STREQ(error.what(), "1");
    }
  }
}

TEST(Cancellation, AScopeInsideAnotherAddsToIt) {
  bool outer = false, inner = false;
  const std::function<bool()> outer_says = [&] { return outer; }, inner_says = [&] { return inner; }, empty;
  const CancellationScope outer_scope(outer_says);
  {
    const CancellationScope inner_scope(inner_says);
    throw_if_cancelled();
    inner = true;
    EXPECT_THROW(throw_if_cancelled(), Error);
  }
  throw_if_cancelled();
  const CancellationScope nothing(empty), inner_scope(inner_says);
  inner = false;
  outer = true;
  EXPECT_THROW(throw_if_cancelled(), Error);
}

// Where the function runs something that can be cancelled itself.
TEST(Cancellation, AskingDoesNotAskItself) {
  int asked = 0;
  const std::function<bool()> cancelled = [&] {
    ++asked;
    throw_if_cancelled();
    return false;
  };
  const CancellationScope scope(cancelled);
  throw_if_cancelled();
  EXPECT_EQ(asked, 1);
}

TEST(Cancellation, ReachesTheThreadsOfALoopAndAsksInOneOnly) {
  const ThreadScope threads(3);
  const std::thread::id caller = std::this_thread::get_id();
  std::atomic<bool> stop = false;
  std::atomic<int> elsewhere = 0, ended = 0;
  const std::function<bool()> cancelled = [&] {
    if (std::this_thread::get_id() != caller) ++elsewhere;
    return stop.load();
  };
  const CancellationScope scope(cancelled);
  const auto until_cancelled = [&](int64_t begin, int64_t) {
    try {
      for (;;) {
        throw_if_cancelled();
        if (begin > 0) stop = true;  // so that another thread than the caller's is in the loop when it ends
      }
    } catch (const Error& error) {
      ended += error.code() == ErrorCode::kCancelled ? 1 : 100;
      throw;
    }
  };
  EXPECT_EQ(message_of([&] { parallel_for(3, 1, until_cancelled); }), "the run was cancelled");
  EXPECT_EQ(ended, 3);
  EXPECT_EQ(elsewhere, 0);
  EXPECT_NE(current_cancellation(), nullptr);
}

TEST(Cancellation, AFileInWritingIsNotLeftBehind) {
  const TemporaryFolder folder;
  int asked = 0;
  const std::function<bool()> cancelled = [&] { return ++asked > 2; };
  const std::string content(size_t{20} << 20, 'x');
  {
    const CancellationScope scope(cancelled);
    EXPECT_EQ(message_of([&] { write_file(folder.path() / "big", content); }), "the run was cancelled");
  }
  EXPECT_EQ(asked, 3);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  write_file(folder.path() / "big", content);
  EXPECT_EQ(read_text_file(folder.path() / "big"), content);
}

}  // namespace
}  // namespace twofold
