// Runs that overlap give the bits that they give alone. Made for ThreadSanitizer: a small program of its own, whose
// sessions have one thread each (tools/sanitize.sh says why); the tests of several threads are for the other builds.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <functional>
#include <thread>
#include <vector>

#include "data/digits.h"
#include "twofold/error.h"
#include "twofold/quantize.h"
#include "twofold/session.h"

namespace twofold {
namespace {

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::memcmp(a.bytes(), b.bytes(), a.byte_size()) == 0;
}

void in_threads(int count, const std::function<void(int)>& body) {
  std::vector<std::thread> threads;
  for (int t = 0; t < count; ++t) threads.emplace_back([&body, t] { body(t); });
  for (std::thread& thread : threads) thread.join();
}

// The digits with int8, int16 and ec operators, in a file for the time of the tests.
class Concurrency : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::filesystem::temp_directory_path() / ("twofold_concurrency_" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
    QuantizeOptions options;
    options.config.text = "{node_config: {/edges/Conv: {qtype: dual-int16}}, op_config: {MatMul: {qtype: int16}}}";
    options.threads = 1;
    options.output = quantized();
    std::vector<std::map<std::string, Tensor>> samples;
    for (uint32_t i = 0; i < 2; ++i) samples.push_back({{"image", images(1, i)}});
    quantize(kDigits / "digits.onnx", {.path = {}, .source = samples_in_memory(std::move(samples))}, options);
  }
  static void TearDownTestSuite() { std::filesystem::remove_all(folder_); }
  static std::filesystem::path quantized() { return folder_ / "quantized.onnx"; }

  // `runs` runs in each of 4 threads, batches of 1, 2 and 3 mixed, against the same runs alone.
  static void expect_same_bits(const std::vector<const Session*>& sessions, int runs) {
    std::vector<Tensor> inputs, alone;
    for (int64_t i = 0; i < 3; ++i) inputs.push_back(images(i + 1, static_cast<uint32_t>(100 + i)));
    for (const Session* session : sessions) {
      for (const Tensor& input : inputs) alone.push_back(session->run({input})[0]);
    }
    std::atomic<int> different = 0;
    in_threads(4, [&](int t) {
      for (int i = 0; i < runs; ++i) {
        const auto s = static_cast<size_t>(t + i) % sessions.size(), k = static_cast<size_t>(t + 2 * i) % 3;
        if (!same_bits(sessions[s]->run({inputs[k]})[0], alone[s * 3 + k])) ++different;
      }
    });
    EXPECT_EQ(different, 0);
  }

 private:
  static inline std::filesystem::path folder_;
};

TEST_F(Concurrency, ManyThreadsOneSession) {
  const Session session(quantized(), {.threads = 1});
  expect_same_bits({&session}, 12);
}

TEST_F(Concurrency, SeveralSessions) {
  const Session a(quantized(), {.threads = 1}), b(quantized(), {.threads = 1});
  const Session c(kDigits / "digits.onnx", {.threads = 1});
  expect_same_bits({&a, &b, &c}, 12);
}

// No run alone before: what a session makes ready in its first run, several make ready at once.
TEST_F(Concurrency, FirstRunsAtOnce) {
  const Session warm(quantized(), {.threads = 1}), cold(quantized(), {.threads = 1});
  const Tensor input = images(2, 7);
  const Tensor alone = warm.run({input})[0];
  std::atomic<int> different = 0;
  in_threads(4, [&](int) {
    if (!same_bits(cold.run({input})[0], alone)) ++different;
  });
  EXPECT_EQ(different, 0);
}

TEST_F(Concurrency, SessionsComeAndGo) {
  const Tensor input = images(1, 8);
  const Tensor alone = Session(quantized(), {.threads = 1}).run({input})[0];
  std::atomic<int> different = 0;
  in_threads(3, [&](int) {
    Tensor kept;
    for (int i = 0; i < 3; ++i) kept = Session(quantized(), {.threads = 1}).run({input})[0];
    if (!same_bits(kept, alone)) ++different;
  });
  EXPECT_EQ(different, 0);
}

// Runs from the middle of one that was kept, in part, and one that is cancelled among them.
TEST_F(Concurrency, KeptRunsGoOnAtOnce) {
  const std::string cut = "/Concat_output_0";
  const Session session(quantized(), {.threads = 1, .watched = {cut}});
  const KeptRun kept = session.keep({images(2, 12)}, 30000);
  std::vector<Tensor> tensors, alone;
  for (uint32_t i = 0; i < 3; ++i) {
    tensors.push_back(session.keep({images(2, 20 + i)}).value(cut));
    alone.push_back(session.run({images(2, 20 + i)})[0]);
  }
  std::atomic<int> different = 0, cancelled = 0;
  in_threads(4, [&](int t) {
    for (int i = 0; i < 6; ++i) {
      const auto k = static_cast<size_t>(t + i) % 3;
      if (t == 3) {
        int nodes = 0;
        try {
          kept.run_from({{"image", images(2, 20)}}, [&] { return ++nodes > 2 * i; });
        } catch (const Error&) {
          ++cancelled;
        }
      } else if (!same_bits(kept.run_from({{cut, tensors[k]}})[0], alone[k])) {
        ++different;
      }
    }
  });
  EXPECT_EQ(different, 0);
  EXPECT_EQ(cancelled, 6);
  EXPECT_TRUE(same_bits(kept.value(cut), session.keep({images(2, 12)}).value(cut)));
}

// A run that is cancelled, or fails, ends alone, and the session goes on.
TEST_F(Concurrency, CancelledRunsDisturbNobody) {
  const Session session(quantized(), {.threads = 1});
  const Tensor input = images(1, 9);
  const Tensor alone = session.run({input})[0];
  std::atomic<int> different = 0, cancelled = 0, refused = 0;
  in_threads(3, [&](int t) {
    for (int i = 0; i < 6; ++i) {
      int nodes = 0;
      try {
        if (t == 0) session.run({input}, [&] { return ++nodes > 3 * i; });
        if (t == 1) session.run({images(1, 9).reshaped({1, 28, 28})});
        if (t == 2 && !same_bits(session.run({input})[0], alone)) ++different;
      } catch (const Error& error) {
        ++(error.code() == ErrorCode::kCancelled ? cancelled : refused);
      }
    }
  });
  EXPECT_EQ(cancelled, 6);
  EXPECT_EQ(refused, 6);
  EXPECT_EQ(different, 0);
  EXPECT_TRUE(same_bits(session.run({input})[0], alone));
}

// From one thread to another.
TEST_F(Concurrency, AnotherThreadCancels) {
  const Session session(kDigits / "digits.onnx", {.threads = 1});
  const Tensor input = images(1, 10);
  std::atomic<bool> stop = false, started = false;
  std::thread other([&] {
    while (!started) std::this_thread::yield();
    stop = true;
  });
  const auto cancelled = [&] {
    started = true;
    return stop.load();
  };
  const auto run_until_cancelled = [&] {
    for (;;) session.run({input}, cancelled);
  };
  EXPECT_THROW(run_until_cancelled(), Error);
  other.join();
}

TEST_F(Concurrency, WhatAskingThrowsComesOut) {
  const Session session(quantized(), {.threads = 1});
  const auto fail = []() -> bool { throw std::out_of_range("asked"); };
  EXPECT_THROW(session.run({images(1, 11)}, fail), std::out_of_range);
  EXPECT_EQ(session.run({images(1, 11)}).size(), 1U);
}

// A job with threads of its own. It is the caller that is asked and told, for all of them.
TEST_F(Concurrency, SeveralThreadsPerJob) {
  std::vector<std::map<std::string, Tensor>> samples;
  for (uint32_t i = 0; i < 40; ++i) samples.push_back({{"image", images(1, i)}});
  const Samples data{.path = {}, .source = samples_in_memory(std::move(samples))};
  QuantizeOptions options;
  options.config.text = "{model_config: {activation: {calibration_type: max}, weight: {rounding: nearest}}}";
  options.threads = 3;
  int told = 0;
  options.progress = [&](std::string_view, int64_t, int64_t) { ++told; };
  const QuantizeReport report = quantize(kDigits / "digits.onnx", data, options);
  EXPECT_EQ(report.stages.back().stage, "export");
  EXPECT_GT(told, 1);
  for (const int last : {200, 500, 900}) {
    int asked = 0;
    options.cancelled = [&] { return ++asked == last; };
    EXPECT_THROW(quantize(kDigits / "digits.onnx", data, options), Error);
    EXPECT_EQ(asked, last);
  }
}

TEST_F(Concurrency, SeveralThreadsPerSession) {
  const Session a(quantized(), {.threads = 2}), b(quantized(), {.threads = 3});
  expect_same_bits({&a, &b}, 4);
}

}  // namespace
}  // namespace twofold
