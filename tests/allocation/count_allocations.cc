// Runs after the second of one shape take no big memory from the system: buffers come from the executor's pool, scratch
// from the thread. A program of its own, since it puts itself in front of the C library's allocation functions, which
// operator new calls too.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <ostream>
#include <string>
#include <vector>

#include "data/digits.h"
#include "kernels/isa.h"
#include "onnx/export.h"
#include "passes/graph_builder.h"
#include "twofold/quantize.h"
#include "twofold/session.h"

extern "C" {

// What the C library calls malloc, calloc, realloc and memalign itself.
void* __libc_malloc(size_t size);                      // NOLINT
void* __libc_calloc(size_t count, size_t size);        // NOLINT
void* __libc_realloc(void* memory, size_t size);       // NOLINT
void* __libc_memalign(size_t alignment, size_t size);  // NOLINT

}  // extern "C"

namespace {

constexpr size_t kBig = 4096;
std::atomic<bool> counting = false;
std::atomic<int> big_allocations = 0;

void note(size_t size) {
  if (counting && size >= kBig) ++big_allocations;
}

}  // namespace

extern "C" {

void* malloc(size_t size) {
  note(size);
  return __libc_malloc(size);
}
void* calloc(size_t count, size_t size) {
  note(count * size);
  return __libc_calloc(count, size);
}
void* realloc(void* memory, size_t size) {
  note(size);
  return __libc_realloc(memory, size);
}
void* memalign(size_t alignment, size_t size) {
  note(size);
  return __libc_memalign(alignment, size);
}
void* aligned_alloc(size_t alignment, size_t size) {
  note(size);
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** memory, size_t alignment, size_t size) {
  note(size);
  *memory = __libc_memalign(alignment, size);
  return *memory != nullptr ? 0 : ENOMEM;
}

}  // extern "C"

namespace twofold {
namespace {

int count_in(const Session& session, const Tensor& input) {
  const std::vector<Tensor> inputs = {input};
  big_allocations = 0;
  counting = true;
  const std::vector<Tensor> outputs = session.run(inputs);
  counting = false;
  EXPECT_EQ(outputs[0].dim(0), input.dim(0));
  return big_allocations;
}

// Operators that the digits have not, with 16 bits asked for: their conversions become part of them.
void write_pools(const std::filesystem::path& path) {
  GraphBuilder builder;
  const ValueId x = builder.input("image", {-1, 1, 28, 28});
  const ValueId maps = builder.node("maps", "Conv", {x, builder.ramp({96, 1, 3, 3})});
  const ValueId gate = builder.node("gate", "GlobalAveragePool", {maps});
  const ValueId gated = builder.node("gated", "Mul", {maps, builder.node("open", "Sigmoid", {gate})});
  const ValueId small = builder.node("small", "AveragePool", {gated}, {{"kernel_shape", std::vector<int64_t>{2, 2}}});
  builder.output(builder.node("shares", "Softmax", {small}));
  export_onnx(builder.graph, path);
}

// Products of two computed matrices: many columns, which take big memory for each; a stack; a Gemm with a bias.
void write_products(const std::filesystem::path& path) {
  GraphBuilder builder;
  const ValueId x = builder.input("image", {-1, 1, 28, 28});
  const ValueId left = builder.node("left", "MatMul", {x, builder.ramp({28, 28})});
  const ValueId right = builder.node("right", "MatMul", {x, builder.ramp({28, 640})});
  builder.output(builder.node("wide", "MatMul", {left, right}));
  const ValueId tall = builder.node("tall", "Reshape", {left, builder.ints({-1, 28})});
  const ValueId flat = builder.node("flat", "Reshape", {right, builder.ints({-1, 640})});
  builder.output(builder.node("whole", "Gemm", {tall, flat, builder.ramp({640})}, {{"transA", int64_t{1}}}));
  export_onnx(builder.graph, path);
}

enum class Model : uint8_t {
  kDigits,  // attention, whose right operands are computed, is among their operators
  kPools,
  kProducts,
};

constexpr const char* kFloat = "{model_config: {all_node_type: float32}}";

struct Case {
  Model model;
  std::string config;
  bool ec_in_two_passes = false;

  friend std::ostream& operator<<(std::ostream& out, const Case& c) {
    constexpr const char* kNames[] = {"digits ", "pools ", "products "};
    return out << kNames[static_cast<size_t>(c.model)] << c.config << (c.ec_in_two_passes ? " in two passes" : "");
  }
};

class Allocations : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("twofold_allocations_" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
    QuantizeOptions options;
    options.config.text = GetParam().config;
    options.threads = 1;
    options.output = folder_ / "quantized.onnx";
    quantize(write_model(), {.path = {}, .source = samples_in_memory({{{"image", images(1, 1)}}})}, options);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path write_model() const {
    if (GetParam().model == Model::kDigits) return kDigits / "digits.onnx";
    const std::filesystem::path path = folder_ / "float.onnx";
    GetParam().model == Model::kPools ? write_pools(path) : write_products(path);
    return path;
  }

  std::filesystem::path folder_;
};

TEST_P(Allocations, StopAfterTwoRuns) {
  if (GetParam().config == kFloat && std::ranges::count(kernels::available_isas(), kernels::Isa::kAvx512) == 0)
    GTEST_SKIP() << "without AVX-512 oneDNN takes memory of its own for every float product";
  const Session session(folder_ / "quantized.onnx", {.threads = 1, .ec_in_two_passes = GetParam().ec_in_two_passes});
  const Tensor many = images(64, 2), few = images(48, 3);
  EXPECT_GT(count_in(session, many), 5);  // so it does count
  count_in(session, many);
  EXPECT_EQ(count_in(session, many), 0);
  count_in(session, few);
  count_in(session, few);
  EXPECT_EQ(count_in(session, few), 0);
}

INSTANTIATE_TEST_SUITE_P(
    Precisions, Allocations,
    ::testing::Values(
        Case{Model::kDigits, "{}"}, Case{Model::kDigits, "{model_config: {all_node_type: int16}}"},
        Case{Model::kDigits, "{op_config: {Conv: {qtype: dual-int16}, MatMul: {qtype: dual-int16}}}"},
        Case{Model::kDigits, "{op_config: {Conv: {qtype: int16-ec}, MatMul: {qtype: int16-ec}}}", true},
        Case{Model::kDigits, kFloat}, Case{Model::kPools, kFloat}, Case{Model::kProducts, kFloat},
        Case{Model::kPools, "{model_config: {all_node_type: int16}, op_config: {Softmax: {qtype: int16}}}"},
        Case{Model::kProducts, "{}"}, Case{Model::kProducts, "{model_config: {all_node_type: int16}}"},
        Case{Model::kProducts, "{op_config: {MatMul: {qtype: dual-int16}, Gemm: {qtype: dual-int16}}}"},
        Case{Model::kProducts, "{op_config: {MatMul: {qtype: int16-ec}, Gemm: {qtype: int16-ec}}}", true}));

}  // namespace
}  // namespace twofold
