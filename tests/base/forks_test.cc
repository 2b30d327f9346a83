#include "base/forks.h"

#include <gtest/gtest.h>
#include <omp.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>

#include "base/parallel_for.h"

namespace twofold {
namespace {

// The sum of 0 .. 99, in two threads.
int64_t sum_in_two_threads() {
  const ThreadScope threads(2);
  std::atomic<int64_t> sum = 0;
  parallel_for(100, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) sum += i;
  });
  return sum;
}

// Whether `body` returns true in a child of this process, within a time that is far more than it takes.
bool true_in_child(const std::function<bool()>& body) {
  const pid_t child = fork();
  if (child == 0) _exit(body() ? 0 : 1);
  for (int i = 0; i < 2000; ++i) {
    int status = 0;
    if (waitpid(child, &status, WNOHANG) == child) return WIFEXITED(status) && WEXITSTATUS(status) == 0;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  return false;
}

bool child_loops() {
  return true_in_child([] { return sum_in_two_threads() == 4950; });
}

TEST(Forks, AChildRunsLoopsOfThreadsThatItsParentHad) {
  EXPECT_EQ(sum_in_two_threads(), 4950);
  EXPECT_TRUE(child_loops());
  EXPECT_EQ(sum_in_two_threads(), 4950) << "the parent goes on";
  EXPECT_TRUE(child_loops()) << "and forks again";
}

TEST(Forks, AChildOfAChildDoesToo) {
  EXPECT_EQ(sum_in_two_threads(), 4950);
  EXPECT_TRUE(true_in_child(child_loops));
  EXPECT_TRUE(true_in_child([] { return sum_in_two_threads() == 4950 && child_loops(); }));
}

// oneDNN's are its own.
TEST(Forks, LoopsThatAreNotOursDoToo) {
  const auto members = [] {
    const ThreadScope threads(2);
    int count = 0;
#pragma omp parallel reduction(+ : count)
    count += 1;
    return count;
  };
  EXPECT_EQ(members(), 2);
  EXPECT_TRUE(true_in_child([&] { return members() == 2; }));
}

TEST(Forks, AThreadOfTheProgramForks) {
  EXPECT_EQ(sum_in_two_threads(), 4950);
  bool fine = false;
  std::thread([&] { fine = sum_in_two_threads() == 4950 && child_loops(); }).join();
  EXPECT_TRUE(fine);
}

}  // namespace
}  // namespace twofold
