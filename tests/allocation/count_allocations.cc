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

// Adds operators on images [N,1,28,28] and outputs, the first of them [N,...].
using Build = void (*)(GraphBuilder& builder, ValueId images);

// Operators that the digits have not, with 16 bits asked for: their conversions become part of them.
void pools(GraphBuilder& builder, ValueId x) {
  const ValueId maps = builder.node("maps", "Conv", {x, builder.ramp({96, 1, 3, 3})});
  const ValueId gate = builder.node("gate", "GlobalAveragePool", {maps});
  const ValueId gated = builder.node("gated", "Mul", {maps, builder.node("open", "Sigmoid", {gate})});
  const ValueId small = builder.node("small", "AveragePool", {gated}, {{"kernel_shape", std::vector<int64_t>{2, 2}}});
  builder.output(builder.node("shares", "Softmax", {small}));
}

// Products of two computed matrices: many columns, which take big memory for each; a stack; a Gemm with a bias.
void products(GraphBuilder& builder, ValueId x) {
  const ValueId left = builder.node("left", "MatMul", {x, builder.ramp({28, 28})});
  const ValueId right = builder.node("right", "MatMul", {x, builder.ramp({28, 640})});
  builder.output(builder.node("wide", "MatMul", {left, right}));
  const ValueId tall = builder.node("tall", "Reshape", {left, builder.ints({-1, 28})});
  const ValueId flat = builder.node("flat", "Reshape", {right, builder.ints({-1, 640})});
  builder.output(builder.node("whole", "Gemm", {tall, flat, builder.ramp({640})}, {{"transA", int64_t{1}}}));
}

// [N,channels,7,7].
ValueId feature_maps(GraphBuilder& builder, ValueId x, int64_t channels) {
  return builder.node("maps", "Conv", {x, builder.ramp({channels, 1, 4, 4})},
                      {{"strides", std::vector<int64_t>{4, 4}}});
}

// Weights that are known only when the model runs.
ValueId computed_weights(GraphBuilder& builder, const std::string& name, ValueId x, const Shape& shape) {
  return builder.node(name, "Mul", {builder.ramp(shape), builder.node(name + ".mean", "ReduceMean", {x})});
}

std::pair<std::string, Attribute> padded() { return {"pads", std::vector<int64_t>{1, 1, 1, 1}}; }

// The second one's lines of padding are long.
void convs(GraphBuilder& builder, ValueId x) {
  const ValueId maps = feature_maps(builder, x, 32);
  const ValueId weights = computed_weights(builder, "weights", x, {64, 32, 3, 3});
  builder.output(builder.node("conv", "Conv", {maps, weights}, {padded()}));
  const ValueId flat = builder.node("flat", "Reshape", {maps, builder.ints({-1, 32 * 49, 1, 1})});
  const ValueId deep_weights = computed_weights(builder, "deep_weights", x, {8, 32 * 49, 3, 3});
  builder.output(builder.node("deep", "Conv", {flat, deep_weights}, {padded()}));
}

// Many channels in a group; many groups.
void grouped_convs(GraphBuilder& builder, ValueId x) {
  const ValueId maps = feature_maps(builder, x, 32);
  const ValueId wide_weights = computed_weights(builder, "wide_weights", x, {1200, 16, 1, 1});
  builder.output(builder.node("wide", "Conv", {maps, wide_weights}, {{"group", int64_t{2}}}));
  const ValueId weights = computed_weights(builder, "weights", x, {64, 2, 1, 1});
  builder.output(builder.node("many", "Conv", {maps, weights}, {{"group", int64_t{16}}}));
}

void depthwise_conv(GraphBuilder& builder, ValueId x) {
  const ValueId maps = feature_maps(builder, x, 1152);
  const ValueId weights = computed_weights(builder, "weights", x, {1152, 1, 3, 3});
  builder.output(builder.node("conv", "Conv", {maps, weights}, {padded(), {"group", int64_t{1152}}}));
}

void conv_transpose(GraphBuilder& builder, ValueId x) {
  const ValueId maps = feature_maps(builder, x, 32);
  const ValueId weights = computed_weights(builder, "weights", x, {32, 64, 3, 3});
  builder.output(builder.node("conv", "ConvTranspose", {maps, weights}, {{"strides", std::vector<int64_t>{2, 2}}}));
}

void lrn(GraphBuilder& builder, ValueId x) { builder.output(builder.node("lrn", "LRN", {x}, {{"size", int64_t{3}}})); }

// To long lines, whose taps are many, and back.
void resizes(GraphBuilder& builder, ValueId x) {
  const auto resize = [&](const std::string& name, ValueId from, const std::vector<float>& scales) {
    return builder.node(name, "Resize", {from, kNone, builder.floats({4}, scales)}, {{"mode", std::string("linear")}});
  };
  builder.output(resize("short", resize("long", x, {1, 1, 2, 40}), {1, 1, 0.5F, 0.5F}));
}

// Many channels.
void batch_normalization(GraphBuilder& builder, ValueId x) {
  const ValueId flat = builder.node("flat", "Reshape", {x, builder.ints({-1, 784})});
  const ValueId columns = builder.node("columns", "Concat", {flat, flat}, {{"axis", int64_t{1}}});
  const ValueId ramp = builder.ramp({1568}), ones = builder.floats({1568}, std::vector<float>(1568, 1));
  builder.output(builder.node("normal", "BatchNormalization", {columns, ramp, ramp, ramp, ones}));
}

// Long lines.
void pad(GraphBuilder& builder, ValueId x) {
  builder.output(builder.node("padded", "Pad", {x, builder.ints({0, 0, 1, 500, 0, 0, 1, 500})}));
}

void top_k(GraphBuilder& builder, ValueId x) {
  const ValueId flat = builder.node("flat", "Reshape", {x, builder.ints({-1, 784})});
  builder.output(builder.node("most", "TopK", {flat, builder.ints({10})}));
}

// [N,784] indices below 784.
void indexing(GraphBuilder& builder, ValueId x) {
  const ValueId flat = builder.node("flat", "Reshape", {x, builder.ints({-1, 784})});
  const ValueId scaled = builder.node("scaled", "Mul", {flat, builder.scalar(783)});
  const ValueId indices = builder.node("indices", "Cast", {scaled}, {{"to", static_cast<int64_t>(DType::kInt64)}});
  const ValueId tuples = builder.node("tuples", "Unsqueeze", {indices, builder.ints({-1})});
  const ValueId table = builder.ramp({784, 1});
  builder.output(builder.node("rows", "Gather", {table, indices}));
  builder.output(builder.node("elements", "GatherElements", {flat, indices}, {{"axis", int64_t{1}}}));
  builder.output(builder.node("picked", "GatherND", {flat, tuples}, {{"batch_dims", int64_t{1}}}));
  builder.output(builder.node("moved", "ScatterElements", {flat, indices, flat}, {{"axis", int64_t{1}}}));
  const ValueId updates = builder.node("updates", "Unsqueeze", {flat, builder.ints({-1})});
  builder.output(builder.node("written", "ScatterND", {table, tuples, updates}));
}

// Of `gates` gates: one with more hidden units than 4 KiB hold; one of many sequences, each as long as its numbers say.
void add_recurrent(GraphBuilder& builder, ValueId x, const std::string& op_type, int64_t gates) {
  const auto add = [&](const std::string& name, int64_t steps, int64_t inputs, int64_t hidden) {
    const ValueId sequences = builder.node(name + ".in", "Reshape", {x, builder.ints({-1, steps, inputs})});
    const ValueId most =
        builder.node(name + ".most", "ReduceMax", {sequences, builder.ints({1, 2})}, {{"keepdims", int64_t{0}}});
    const ValueId scaled = builder.node(name + ".scaled", "Mul", {most, builder.scalar(static_cast<float>(steps))});
    const ValueId lengths =
        builder.node(name + ".lengths", "Cast", {scaled}, {{"to", static_cast<int64_t>(DType::kInt32)}});
    const ValueId h =
        builder.node(name, op_type,
                     {sequences, builder.ramp({1, gates * hidden, inputs}), builder.ramp({1, gates * hidden, hidden}),
                      builder.ramp({1, 2 * gates * hidden}), lengths},
                     {{"layout", int64_t{1}}, {"hidden_size", hidden}});
    builder.output(builder.node(name + ".out", "Reshape", {h, builder.ints({-1, 784 / inputs * hidden})}));
  };
  add("wide", 2, 392, 1040);
  add("many", 2, 14, 8);
}

void rnn(GraphBuilder& builder, ValueId x) { add_recurrent(builder, x, "RNN", 1); }
void gru(GraphBuilder& builder, ValueId x) { add_recurrent(builder, x, "GRU", 3); }
void lstm(GraphBuilder& builder, ValueId x) { add_recurrent(builder, x, "LSTM", 4); }

template <typename T>
void gemm(GraphBuilder& builder, ValueId x) {
  const ValueId flat = builder.node("flat", "Reshape", {x, builder.ints({-1, 784})});
  const ValueId a = builder.node("a", "Cast", {flat}, {{"to", static_cast<int64_t>(kDTypeOf<T>)}});
  const std::vector<T> ones(784 * 64, 1);
  const ValueId b = builder.graph.add_constant("b", Tensor::from<T>({784, 64}, ones));
  builder.output(builder.node("y", "Gemm", {a, b}));
}

constexpr const char* kFloat = "{model_config: {all_node_type: float32}}";
constexpr const char* kInt16 = "{model_config: {all_node_type: int16}}";

struct Case {
  std::string name;
  Build build;         // null: the digits, among whose operators is attention, with computed right operands
  std::string config;  // empty: the model runs as it is
  bool ec_in_two_passes = false;

  friend std::ostream& operator<<(std::ostream& out, const Case& c) {
    return out << c.name << " " << c.config << (c.ec_in_two_passes ? " in two passes" : "");
  }
};

class Allocations : public ::testing::TestWithParam<Case> {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("twofold_allocations_" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
    model_ = GetParam().build == nullptr ? kDigits / "digits.onnx" : write_model(GetParam().build);
    if (!GetParam().config.empty()) quantize_model();
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path write_model(Build build) const {
    GraphBuilder builder;
    build(builder, builder.input("image", {-1, 1, 28, 28}));
    export_onnx(builder.graph, folder_ / "float.onnx");
    return folder_ / "float.onnx";
  }

  void quantize_model() {
    QuantizeOptions options;
    options.config.text = GetParam().config;
    options.threads = 1;
    options.output = folder_ / "quantized.onnx";
    quantize(model_, {.path = {}, .source = samples_in_memory({{{"image", images(1, 1)}}})}, options);
    model_ = options.output;
  }

  std::filesystem::path folder_, model_;
};

TEST_P(Allocations, StopAfterTwoRuns) {
  if (GetParam().config == kFloat && std::ranges::count(kernels::available_isas(), kernels::Isa::kAvx512) == 0)
    GTEST_SKIP() << "without AVX-512 oneDNN takes memory of its own for every float product";
  const Session session(model_, {.threads = 1, .ec_in_two_passes = GetParam().ec_in_two_passes});
  const Tensor many = images(64, 2), few = images(48, 3);
  EXPECT_GT(count_in(session, many), 0);  // so it does count
  count_in(session, many);
  EXPECT_EQ(count_in(session, many), 0);
  count_in(session, few);
  count_in(session, few);
  EXPECT_EQ(count_in(session, few), 0);
}

INSTANTIATE_TEST_SUITE_P(
    Precisions, Allocations,
    ::testing::Values(
        Case{"digits", nullptr, "{}"}, Case{"digits", nullptr, kInt16},
        Case{"digits", nullptr, "{op_config: {Conv: {qtype: dual-int16}, MatMul: {qtype: dual-int16}}}"},
        Case{"digits", nullptr, "{op_config: {Conv: {qtype: int16-ec}, MatMul: {qtype: int16-ec}}}", true},
        Case{"digits", nullptr, kFloat}, Case{"pools", pools, kFloat}, Case{"products", products, kFloat},
        Case{"pools", pools, "{model_config: {all_node_type: int16}, op_config: {Softmax: {qtype: int16}}}"},
        Case{"products", products, "{}"}, Case{"products", products, kInt16},
        Case{"products", products, "{op_config: {MatMul: {qtype: dual-int16}, Gemm: {qtype: dual-int16}}}"},
        Case{"products", products, "{op_config: {MatMul: {qtype: int16-ec}, Gemm: {qtype: int16-ec}}}", true}));

INSTANTIATE_TEST_SUITE_P(ComputedWeights, Allocations,
                         ::testing::Values(Case{"convolutions", convs, "{}"}, Case{"convolutions", convs, kInt16},
                                           Case{"convolutions", convs, "{op_config: {Conv: {qtype: int16-ec}}}", true},
                                           Case{"grouped convolutions", grouped_convs, "{}"},
                                           Case{"grouped convolutions", grouped_convs, kInt16},
                                           Case{"a depthwise convolution", depthwise_conv, "{}"},
                                           Case{"a depthwise convolution", depthwise_conv, kInt16},
                                           Case{"a transposed convolution", conv_transpose, "{}"},
                                           Case{"a transposed convolution", conv_transpose, kInt16}));

INSTANTIATE_TEST_SUITE_P(Scratch, Allocations,
                         ::testing::Values(Case{"LRN", lrn, ""}, Case{"Resize", resizes, ""}, Case{"TopK", top_k, ""},
                                           Case{"BatchNormalization", batch_normalization, ""}, Case{"Pad", pad, ""},
                                           Case{"Gather and Scatter", indexing, ""}, Case{"RNN", rnn, ""},
                                           Case{"GRU", gru, ""}, Case{"LSTM", lstm, ""},
                                           Case{"Gemm of integers", gemm<int32_t>, ""},
                                           Case{"Gemm of doubles", gemm<double>, ""}));

}  // namespace
}  // namespace twofold
