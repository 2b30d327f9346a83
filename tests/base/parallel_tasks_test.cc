#include "base/parallel_tasks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "base/cancellation.h"
#include "base/error.h"
#include "base/message_of.h"
#include "base/parallel_for.h"

namespace twofold {
namespace {

using testing::message_of;

void wait_for(const std::atomic<bool>& condition) {
  while (!condition) std::this_thread::yield();
}

std::vector<int64_t> up_to(int64_t n) {
  std::vector<int64_t> numbers(static_cast<size_t>(n));
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

TEST(ParallelTasks, EachTaskRunsOnce) {
  for (int threads : {1, 2, 5}) {
    const ThreadScope scope(threads);
    for (int64_t n : {0, 1, 2, 3, 100}) {
      std::vector<std::atomic<int>> calls(static_cast<size_t>(n));
      parallel_tasks(n, [&](int64_t i) { ++calls[static_cast<size_t>(i)]; });
      EXPECT_TRUE(std::ranges::all_of(calls, [](const auto& count) { return count == 1; })) << threads << " " << n;
    }
  }
}

// Task 0 ends after all others: nobody waits for it but at the end.
TEST(ParallelTasks, ALongTaskHoldsUpNobody) {
  const ThreadScope threads(2);
  std::atomic<int64_t> done = 0;
  parallel_tasks(20, [&](int64_t i) {
    while (i == 0 && done < 19) std::this_thread::yield();
    ++done;
  });
  EXPECT_EQ(done, 20);
}

TEST(ParallelTasks, WhatGoesBeforeIsInOrder) {
  for (int threads : {1, 3}) {
    const ThreadScope scope(threads);
    std::vector<int64_t> order;
    std::atomic<int> inside = 0, overlaps = 0, wrong_thread = 0;
    std::vector<std::thread::id> by(50);
    parallel_tasks(
        50, [&](int64_t i) { wrong_thread += by[static_cast<size_t>(i)] != std::this_thread::get_id(); },
        [&](int64_t i) {
          overlaps += ++inside > 1;
          order.push_back(i);
          by[static_cast<size_t>(i)] = std::this_thread::get_id();
          std::this_thread::yield();
          --inside;
        });
    EXPECT_EQ(order, up_to(50));
    EXPECT_EQ(overlaps, 0);
    EXPECT_EQ(wrong_thread, 0);
  }
}

TEST(ParallelTasks, LoopsInsideATaskHaveOneThread) {
  const ThreadScope threads(2);
  std::atomic<int> most = 0;
  parallel_tasks(8, [&](int64_t) { most = std::max(most.load(), num_threads()); });
  EXPECT_EQ(most, 1);
  parallel_tasks(1, [&](int64_t) { most = num_threads(); });
  EXPECT_EQ(most, 2);
}

// Task 7 throws first, and 3, which has begun by then, later.
TEST(ParallelTasks, TheFirstTasksExceptionComesOut) {
  const ThreadScope threads(3);
  std::atomic<bool> seven_threw = false;
  std::atomic<int64_t> begun = 0;
  const auto task = [&](int64_t i) {
    ++begun;
    if (i == 3) {
      wait_for(seven_threw);
      throw_error(ErrorCode::kInvalidArgument, "3");
    }
    if (i == 7) {
      seven_threw = true;
      throw_error(ErrorCode::kInvalidArgument, "7");
    }
  };
  EXPECT_EQ(message_of([&] { parallel_tasks(1000000, task); }), "3");
  EXPECT_LT(begun, 1000000);
  for (int count : {1, 4}) {
    const ThreadScope scope(count);
    const auto before = [](int64_t i) {
      if (i >= 5) throw std::out_of_range(std::to_string(i));
    };
    EXPECT_THROW(parallel_tasks(
                     100, [](int64_t) {}, before),
                 std::out_of_range);
  }
}

// The caller is done with its task, and another thread's would never end. It asks once before it waits.
TEST(ParallelTasks, TheCallerAsksWhileItWaits) {
  const ThreadScope threads(2);
  const std::thread::id caller = std::this_thread::get_id();
  std::atomic<bool> caller_waits = false;
  int asked = 0;
  const std::function<bool()> cancelled = [&] { return caller_waits && ++asked > 1; };
  const CancellationScope scope(cancelled);
  std::atomic<int> taken = 0;
  const auto task = [&](int64_t) {
    ++taken;
    while (taken < 2) std::this_thread::yield();  // one each
    if (std::this_thread::get_id() == caller) {
      caller_waits = true;
      return;
    }
    for (;;) throw_if_cancelled();
  };
  EXPECT_EQ(message_of([&] { parallel_tasks(2, task); }), "the run was cancelled");
}

// The same where it waits for its turn.
TEST(ParallelTasks, TheCallerAsksWhileAnotherThreadPrepares) {
  const ThreadScope threads(2);
  const std::thread::id caller = std::this_thread::get_id();
  std::atomic<bool> other_prepares = false;
  int asked = 0;
  const std::function<bool()> cancelled = [&] { return other_prepares && ++asked > 1; };
  const CancellationScope scope(cancelled);
  const auto before = [&](int64_t) {
    if (std::this_thread::get_id() == caller) return;
    other_prepares = true;
    for (;;) throw_if_cancelled();
  };
  const auto task = [&](int64_t) {
    if (std::this_thread::get_id() == caller) wait_for(other_prepares);
  };
  EXPECT_EQ(message_of([&] { parallel_tasks(100, task, before); }), "the run was cancelled");
}

TEST(ParallelTasks, WhatAskingThrowsComesOut) {
  for (int count : {1, 3}) {
    const ThreadScope threads(count);
    const std::function<bool()> cancelled = []() -> bool { throw std::out_of_range("asked"); };
    const CancellationScope scope(cancelled);
    EXPECT_THROW(parallel_tasks(10, [](int64_t) { throw_if_cancelled(); }), std::out_of_range);
  }
}

}  // namespace
}  // namespace twofold
