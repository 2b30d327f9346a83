// Products with ec operands in passes, against one pass over 16 bits and against loops over 64-bit integers.
#include "dialect/ec_product.h"

#include "dialect/product_node.h"
#include "dialect/registry.h"
#include "kernels/reference.h"
#include "ops/run_op.h"

namespace twofold {
namespace {

using kernels::available_isas;
using kernels::Isa;
using kernels::IsaScope;
using testing::expect_same;

// What digits an ec operand has.
enum class Digits { kRandom, kHighest, kLowest, kOpposite, kTies };
constexpr Digits kDigits[] = {Digits::kRandom, Digits::kHighest, Digits::kLowest, Digits::kOpposite, Digits::kTies};

Tensor ec_tensor(const Shape& shape, Digits digits, std::mt19937& random) {
  std::uniform_int_distribution<int> digit(-128, 127);
  Tensor tensor(DType::kInt16, shape);
  int i = 0;
  for (int16_t& v : tensor.mutable_data<int16_t>()) {
    const int sign = i++ % 2 == 0 ? 1 : -1;
    switch (digits) {
      case Digits::kRandom: v = static_cast<int16_t>(254 * digit(random) + digit(random)); break;
      case Digits::kHighest: v = 254 * 127 + 127; break;
      case Digits::kLowest: v = -254 * 128 - 128; break;
      case Digits::kOpposite: v = static_cast<int16_t>(sign * (254 * 127 - 127)); break;
      case Digits::kTies: v = static_cast<int16_t>(254 * digit(random) + sign * 127); break;
    }
  }
  return tensor;
}

Tensor integer_tensor(DType dtype, const Shape& shape, std::mt19937& random) {
  const kernels::Integers values = kernels::integers(dtype, num_elements(shape), kernels::Fill::kRandom, random);
  Tensor tensor(dtype, shape);
  std::copy_n(static_cast<const std::byte*>(values.data()), tensor.byte_size(), tensor.mutable_bytes());
  return tensor;
}

// One product: a or b, or both, are ec.
struct Problem {
  std::string op_type;
  Shape a_shape, b_shape;
  int64_t channels = 1;
  testing::AttributeList attributes = {};
  bool a_ec = false, b_ec = true, b_constant = true, bias = true;
  DType a_dtype = DType::kInt16, b_dtype = DType::kInt8;  // of operands that are not ec
  int32_t a_zero = 0, b_zero = 0;
  Digits digits = Digits::kRandom;
};

std::string describe(const Problem& p) {
  return fmt::format("{} {} x {}{}{}, digits {}", p.op_type, p.a_ec ? "ec" : to_string(p.a_dtype),
                     p.b_ec ? "ec" : to_string(p.b_dtype), p.b_constant ? "" : " computed", p.bias ? " + bias" : "",
                     static_cast<int>(p.digits));
}

// The node of a product as lowering makes it, alone in a graph, and what it runs on.
struct Product {
  Graph graph;
  std::vector<Tensor> inputs;  // a, b where it is computed, the program's operands
  Tensor a, b;
  std::vector<int64_t> bias;
  NodeId node = kNone;
};

constexpr float kScaleA = 0.5F;

float scale_b(int64_t channel) { return 0.25F + 0.125F * static_cast<float>(channel % 3); }

Product make_product(const Problem& p, const std::function<void(ProductNode&)>& set_outputs, int num_outputs,
                     const std::vector<Tensor>& operands = {}) {
  std::mt19937 random(3);
  Product made;
  made.a = p.a_ec ? ec_tensor(p.a_shape, p.digits, random) : integer_tensor(p.a_dtype, p.a_shape, random);
  made.b = p.b_ec ? ec_tensor(p.b_shape, p.digits, random) : integer_tensor(p.b_dtype, p.b_shape, random);
  Graph& graph = made.graph;
  const auto add_input = [&](const std::string& name, const Tensor& tensor) {
    graph.inputs.push_back(graph.add_value(name, {tensor.dtype(), std::nullopt}));
    made.inputs.push_back(tensor);
    return graph.inputs.back();
  };
  ProductNode product{.op_type = p.op_type, .a = add_input("a", made.a)};
  product.b = p.b_constant ? graph.add_constant("b", made.b) : add_input("b", made.b);
  if (p.bias) {
    made.bias = kernels::biases(p.channels, int64_t{1} << 33, random);
    product.bias = graph.add_constant("bias", Tensor::from<int64_t>({p.channels}, std::span<const int64_t>(made.bias)));
  }
  for (size_t i = 0; i < operands.size(); ++i) {
    product.operands.push_back(add_input(fmt::format("r{}", i), operands[i]));
  }
  product.a_dtype = made.a.dtype();
  product.a_scale = kScaleA;
  product.a_zero_point = p.a_zero;
  product.b_zero_point = p.b_zero;
  for (int64_t c = 0; c < (p.b_constant ? p.channels : 1); ++c) product.b_scale.push_back(scale_b(c));
  set_outputs(product);
  Node node{.name = "n"};
  for (int i = 0; i < num_outputs; ++i) {
    node.outputs.push_back(graph.add_value(fmt::format("y{}", i)));
    graph.outputs.push_back({fmt::format("y{}", i), node.outputs.back()});
  }
  for (const auto& [name, value] : p.attributes) node.attributes.set(name, value);
  product.write(node);
  made.node = graph.add_node(std::move(node));
  return made;
}

// On every instruction set and number of threads: in passes the same bits as in one, which are returned.
std::vector<Tensor> expect_same_in_passes(const Problem& p, const Product& product) {
  SCOPED_TRACE(describe(p));
  Graph in_passes = product.graph;
  if (p.a_ec) mark_ec(in_passes.attributes(product.node), 0);
  if (p.b_ec) mark_ec(in_passes.attributes(product.node), 1);
  EXPECT_EQ(ec_passes(in_passes.node(product.node)), p.a_ec && p.b_ec ? 4 : 2);
  const std::vector<Tensor> expected = Executor(product.graph, {.threads = 1}).run(product.inputs);
  for (const Isa isa : available_isas()) {
    const IsaScope scope(isa);
    for (const int threads : {1, 2}) {
      SCOPED_TRACE(fmt::format("{}, {} threads", to_string(isa), threads));
      const std::vector<Tensor> outputs = Executor(in_passes, {.threads = threads}).run(product.inputs);
      for (size_t i = 0; i < expected.size(); ++i) expect_same(outputs[i], expected[i]);
    }
  }
  return expected;
}

StoredForm form(DType dtype, float scale, int32_t zero_point, int32_t low, int32_t high) {
  return {dtype, scale, zero_point, low, high};
}

// Outputs that are requantized accumulators, some of which saturate, and one behind a Relu.
std::vector<StoredForm> direct_forms() {
  return {form(DType::kInt8, 4e5F, -3, -128, 127), form(DType::kUInt8, 3e5F, 128, 128, 255),
          form(DType::kInt16, 5e2F, 0, -32768, 32767), form(DType::kUInt16, 7.7F, 1000, 0, 65535), StoredForm{}};
}

void write_direct(ProductNode& product) { product.outputs = direct_forms(); }

// The problems of all operators and geometries, in every combination of operands and digits.
std::vector<Problem> problems() {
  using Ints = std::vector<int64_t>;
  const std::vector<Problem> shapes = {
      {"IntegerConv", {2, 3, 7, 6}, {19, 3, 3, 3}, 19, {{"pads", Ints{1, 1, 1, 1}}, {"strides", Ints{2, 1}}}},
      {"IntegerConv", {1, 8, 5, 5}, {21, 8, 1, 1}, 21},
      {"IntegerConv", {1, 6, 5, 7}, {4, 3, 2, 3}, 4, {{"group", int64_t{2}}, {"dilations", Ints{1, 2}}}},
      {"IntegerConv", {1, 18, 6, 9}, {18, 1, 3, 3}, 18, {{"group", int64_t{18}}, {"pads", Ints{1, 1, 1, 1}}}},
      {"IntegerConv", {2, 4, 17}, {5, 4, 3}, 5, {{"strides", Ints{2}}}},
      {"IntegerConvTranspose", {1, 3, 4, 5}, {3, 4, 2, 2}, 4, {{"strides", Ints{2, 2}}}},
      {"IntegerConvTranspose", {1, 4, 4, 5}, {4, 3, 3, 3}, 6, {{"strides", Ints{2, 1}}, {"group", int64_t{2}}}},
      {"IntegerMatMul", {3, 4, 30}, {30, 17}, 17},
      {"IntegerMatMul", {2, 3, 4, 10}, {3, 10, 5}, 5},
      {"IntegerMatMul", {5, 10}, {10}, 1},
      {"IntegerGemm", {30, 4}, {9, 30}, 9, {{"transA", int64_t{1}}, {"transB", int64_t{1}}}},
  };
  std::vector<Problem> result;
  for (Problem p : shapes) {
    for (const Digits digits : kDigits) {
      p.digits = digits;
      for (const bool constant : {true, false}) {
        p.b_constant = constant;
        p.bias = digits != Digits::kTies;
        for (const auto& [a_ec, b_ec] : {std::pair(false, true), {true, false}, {true, true}}) {
          p.a_ec = a_ec;
          p.b_ec = b_ec;
          result.push_back(p);
        }
      }
    }
  }
  return result;
}

TEST(EcProduct, EveryOperatorInPasses) {
  for (const Problem& p : problems()) {
    expect_same_in_passes(p, make_product(p, write_direct, static_cast<int>(direct_forms().size())));
  }
}

TEST(EcProduct, BesideEveryTypeAndZeroPoint) {
  for (const DType dtype : {DType::kInt8, DType::kUInt8, DType::kInt16, DType::kUInt16}) {
    for (const int32_t zero : {0, 100}) {
      for (const bool a_ec : {false, true}) {
        Problem p{.op_type = "IntegerMatMul", .a_shape = {5, 40}, .b_shape = {40, 18}, .channels = 18};
        p.a_ec = a_ec;
        p.b_ec = !a_ec;
        (a_ec ? p.b_dtype : p.a_dtype) = dtype;
        (a_ec ? p.b_zero : p.a_zero) = zero;
        SCOPED_TRACE(zero);
        expect_same_in_passes(p, make_product(p, write_direct, static_cast<int>(direct_forms().size())));
      }
    }
  }
}

TEST(EcProduct, HandsItsBlocksToAFloatProgram) {
  std::mt19937 random(9);
  const Shape a = {2, 3, 7, 6}, b = {19, 3, 3, 3}, y = {2, 19, 5, 4};
  // The last one broadcasts in a way that blocks cannot follow.
  for (const Shape& operand : {y, Shape{1, 19, 1, 1}, Shape{}, Shape{2, 1, 5, 4}}) {
    for (const StoredForm& source : {form(DType::kInt16, 30.0F, 5, -32768, 32767), StoredForm{}}) {
      for (const bool a_ec : {false, true}) {
        Problem p{.op_type = "IntegerConv", .a_shape = a, .b_shape = b, .channels = 19};
        p.a_ec = a_ec;
        FloatProgram program;
        program.steps = {BinaryStep{BinaryOp::kAdd, false, 0, 0}, UnaryStep{UnaryOp::kRelu, {}},
                         BinaryStep{BinaryOp::kMul, false, -1, 0.7F}};
        program.operands = {form(DType::kInt16, 40.0F, 0, 0, 0)};
        program.outputs = {form(DType::kInt8, 4e4F, -100, -128, 127), StoredForm{}};
        const auto set_outputs = [&](ProductNode& node) {
          node.outputs = {source};
          node.program = program;
        };
        SCOPED_TRACE(to_string(operand));
        expect_same_in_passes(p, make_product(p, set_outputs, 2, {integer_tensor(DType::kInt16, operand, random)}));
      }
    }
  }
}

// The accumulators' outputs by the definition, rows of channels.
void expect_definition(const std::vector<Tensor>& outputs, const std::vector<int64_t>& acc, int64_t channels) {
  const std::vector<StoredForm> forms = direct_forms();
  for (size_t i = 0; i < forms.size(); ++i) {
    kernels::OutputForm expected{forms[i].dtype, {}, forms[i].zero_point, forms[i].low, forms[i].high};
    for (int64_t c = 0; c < channels; ++c) {
      const double unit = static_cast<double>(kScaleA) * scale_b(c);
      expected.multiplier.push_back(forms[i].dtype == DType::kFloat32 ? unit : unit / forms[i].scale);
    }
    const std::vector<unsigned char> bytes = kernels::reference_output(acc, channels, channels, expected);
    const Tensor got = outputs[i].rank() == 4 ? testing::channels_last(outputs[i]) : outputs[i];
    ASSERT_EQ(got.byte_size(), bytes.size());
    EXPECT_EQ(std::memcmp(got.bytes(), bytes.data(), bytes.size()), 0) << "output " << i;
  }
}

TEST(EcProduct, MatMulIsTheSumOverAllProducts) {
  for (const Digits digits : kDigits) {
    for (const bool a_ec : {false, true}) {
      const Problem p{.op_type = "IntegerMatMul",
                      .a_shape = {4, 300},
                      .b_shape = {300, 19},
                      .channels = 19,
                      .a_ec = a_ec,
                      .digits = digits};
      const Product product = make_product(p, write_direct, static_cast<int>(direct_forms().size()));
      const std::span<const int16_t> a = product.a.data<int16_t>(), b = product.b.data<int16_t>();
      const std::vector<int64_t> acc = kernels::reference_product(
          4, 19, 300, [&](int64_t i, int64_t k) { return a[static_cast<size_t>(i * 300 + k)]; },
          [&](int64_t k, int64_t j) { return b[static_cast<size_t>(k * 19 + j)]; }, product.bias);
      expect_definition(expect_same_in_passes(p, product), acc, 19);
    }
  }
}

TEST(EcProduct, ConvIsTheSumOverAllTaps) {
  for (const int64_t group : {1, 3, 18}) {
    for (const Digits digits : kDigits) {
      const Problem p{.op_type = "IntegerConv",
                      .a_shape = {2, 18, 7, 9},
                      .b_shape = {18, 18 / group, 3, 3},
                      .channels = 18,
                      .attributes = {{"group", group}, {"pads", std::vector<int64_t>{1, 1, 1, 1}}},
                      .a_ec = true,
                      .digits = digits};
      const Product product = make_product(p, write_direct, static_cast<int>(direct_forms().size()));
      const Tensor pixels = testing::channels_last(product.a);
      kernels::Integers a(DType::kInt16, pixels.size()), b(DType::kInt16, product.b.size());
      std::memcpy(a.data(), pixels.bytes(), pixels.byte_size());
      std::memcpy(b.data(), product.b.bytes(), product.b.byte_size());
      const kernels::ConvProblem conv{.a_type = DType::kInt16,
                                      .b_type = DType::kInt16,
                                      .batch = 2,
                                      .channels = 18,
                                      .out_channels = 18,
                                      .group = group};
      expect_definition(expect_same_in_passes(p, product), kernels::reference_conv(conv, a, b, product.bias), 18);
    }
  }
}

TEST(EcProduct, EmptyResultsStayEmpty) {
  const Problem p{.op_type = "IntegerMatMul", .a_shape = {0, 8}, .b_shape = {8, 3}, .channels = 3};
  const Product product = make_product(p, write_direct, static_cast<int>(direct_forms().size()));
  EXPECT_EQ(expect_same_in_passes(p, product)[0].shape(), (Shape{0, 3}));
}

TEST(EcProduct, LetsTheElementsOfPackedWeightsGo) {
  const Problem p{.op_type = "IntegerMatMul", .a_shape = {4, 64}, .b_shape = {64, 64}, .channels = 64};
  Product product = make_product(p, write_direct, static_cast<int>(direct_forms().size()));
  mark_ec(product.graph.attributes(product.node), 1);
  const Node& node = product.graph.node(product.node);
  const std::unique_ptr<Kernel> kernel =
      make_kernel({node, {nullptr, &product.b, product.graph.constant(node.inputs[2])}, nullptr});
  EXPECT_FALSE(kernel->reads_constant(1));
  EXPECT_GE(kernel->packed_bytes(), size_t{2 * 64 * 64});
}

TEST(EcProduct, RefusesSumsThatDoublesCannotHold) {
  const int64_t k = (1 << 23) + (1 << 16);  // times 2^15 2^15 is beyond 2^53; any one pass is not
  Problem p{.op_type = "IntegerMatMul", .a_shape = {1, k}, .b_shape = {k, 1}, .digits = Digits::kTies};
  p.bias = false;
  Product product = make_product(p, write_direct, static_cast<int>(direct_forms().size()));
  mark_ec(product.graph.attributes(product.node), 1);
  try {
    const Executor executor(product.graph, {.threads = 1});
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
    EXPECT_NE(std::string(error.what()).find("node 'n' (IntegerMatMul): sums of"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace twofold
