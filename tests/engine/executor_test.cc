#include "engine/executor.h"

#include <gtest/gtest.h>

#include <memory>
#include <random>
#include <set>
#include <thread>
#include <vector>

#include "engine/buffer_pool.h"
#include "ops/run_op.h"

namespace twofold {
namespace {

using testing::random_tensor;

TEST(BufferPool, RecyclesAndStaysBounded) {
  BufferPool pool;
  std::byte* first = nullptr;
  {
    const auto a = pool.allocate(1 << 20);
    first = a.get();
    EXPECT_EQ(reinterpret_cast<uintptr_t>(first) % 64, 0U);
  }
  EXPECT_EQ(pool.idle_bytes(), size_t{1} << 20);
  EXPECT_EQ(pool.allocate((1 << 20) - 100).get(), first);
  for (size_t size = 1; size < 100; ++size) {
    const auto a = pool.allocate(size << 14);
    EXPECT_LE(pool.idle_bytes(), size_t{200} << 14);
  }
}

// Runs that are alike: values of sizes that do not follow from each other, each dropped some steps after it came.
TEST(BufferPool, ComesToRest) {
  for (uint32_t seed = 1; seed <= 20; ++seed) {
    BufferPool pool;
    std::set<std::byte*> known;
    for (int run = 0; run < 8; ++run) {
      std::mt19937 random(seed);
      std::vector<std::shared_ptr<std::byte>> live(6);
      for (int step = 0; step < 60; ++step) {
        const size_t size = size_t{4096} << (random() % 6);
        std::shared_ptr<std::byte>& value = live[random() % live.size()];
        value = nullptr;
        value = pool.allocate(size + random() % size);
        const bool is_new = known.insert(value.get()).second;
        EXPECT_FALSE(is_new && run >= 6) << "seed " << seed << ", run " << run << ", step " << step;
      }
    }
  }
}

TEST(BufferPool, CountsWhatWasAskedForAtOnce) {
  BufferPool pool;
  auto a = pool.allocate(6400), b = pool.allocate(1280);
  EXPECT_EQ(pool.peak_bytes(), 7680U);
  a = nullptr;
  a = pool.allocate(3200);  // in the buffer of 6400
  EXPECT_EQ(pool.peak_bytes(), 7680U);
  const auto c = pool.allocate(6400);
  EXPECT_EQ(pool.peak_bytes(), 10880U);
}

TEST(BufferPool, BuffersOutliveThePool) {
  std::shared_ptr<std::byte> kept;
  {
    BufferPool pool;
    kept = pool.allocate(100);
  }
  kept.get()[99] = std::byte{1};
}

// Conv (channels last) -> Transpose (plain) and Relu (any): every reader gets the layout it can read.
struct Mixed {
  Graph graph;
  ValueId conv, relu;

  Mixed() {
    const auto node = [&](const char* op, std::vector<ValueId> inputs, ValueId output) {
      graph.add_node({.name = op,
                      .op_type = op,
                      .domain = "",
                      .inputs = std::move(inputs),
                      .outputs = {output},
                      .attributes = {}});
    };
    const ValueId x = graph.add_value("x"), w = graph.add_constant("w", random_tensor({6, 3, 2, 2}, 1));
    conv = graph.add_value("conv");
    relu = graph.add_value("relu");
    const ValueId shifted = graph.add_value("shifted"), turned = graph.add_value("turned");
    node("Conv", {x, w}, conv);
    node("Relu", {conv}, relu);
    node("Transpose", {conv}, turned);
    node("Neg", {relu}, shifted);
    graph.inputs = {x};
    graph.outputs = {{"a", shifted}, {"b", turned}, {"c", conv}};
  }
};

TEST(Executor, EveryReaderGetsItsLayout) {
  const Mixed mixed;
  const auto outputs = Executor(mixed.graph).run({random_tensor({1, 3, 4, 5}, 2)});
  const auto conv = outputs[2].data<float>(), turned = outputs[1].data<float>(), negative = outputs[0].data<float>();
  ASSERT_EQ(outputs[1].shape(), (Shape{4, 3, 6, 1}));
  for (const Tensor& output : outputs) EXPECT_EQ(output.layout(), Layout::kPlain);
  for (size_t c = 0; c < 6; ++c)
    for (size_t h = 0; h < 3; ++h)
      for (size_t w = 0; w < 4; ++w) {
        const float value = conv[(c * 3 + h) * 4 + w];
        EXPECT_EQ(turned[(w * 3 + h) * 6 + c], value);
        EXPECT_EQ(negative[(c * 3 + h) * 4 + w], -std::max(value, 0.0F));
      }
}

TEST(Executor, TellsWatchedValuesAndProfiles) {
  const Mixed mixed;
  const Executor executor(mixed.graph, {.threads = 1, .watched = {mixed.conv, mixed.relu}, .profile = true});
  std::vector<ValueId> seen;
  for (int i = 0; i < 2; ++i) {
    executor.run({random_tensor({1, 3, 4, 5}, 2)}, [&](ValueId id, const Tensor&) { seen.push_back(id); });
  }
  EXPECT_EQ(seen, (std::vector<ValueId>{mixed.conv, mixed.relu, mixed.conv, mixed.relu}));
  ASSERT_EQ(executor.profile().size(), 4U);
  EXPECT_EQ(executor.profile()[0].op_type, "Conv");
  EXPECT_EQ(executor.profile()[0].calls, 2);
}

TEST(Executor, ErrorsNameTheNode) {
  const Mixed mixed;
  try {
    Executor(mixed.graph).run({random_tensor({1, 4, 4, 5}, 2)});
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("node 'Conv' (Conv): input W"), std::string::npos) << error.what();
  }
}

TEST(Executor, RunsInSeveralThreadsAtOnce) {
  const Mixed mixed;
  const Executor executor(mixed.graph, {.threads = 1});
  const auto run = [&](int64_t width) { return executor.run({random_tensor({1, 3, 4, width}, 2)})[0]; };
  const Tensor expected[] = {run(5), run(9)};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) testing::expect_same(run(t % 2 == 0 ? 5 : 9), expected[t % 2]);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace twofold
