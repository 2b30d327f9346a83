// Holds the rows of the traits against what the operators do.
#include "traits/op_traits.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "dialect/registry.h"
#include "infer/element_types.h"
#include "infer/infer_types.h"
#include "ops/independent_dims.h"
#include "traits/op_examples.h"

namespace twofold {
namespace {

using testing::op_examples;
using testing::OpExample;
using testing::run_op;

const OpTraits& row(const OpExample& example) { return *find_traits(example.op_type); }

std::vector<Tensor> run(const OpExample& example) {
  return run_op(example.op_type, example.inputs, example.attributes, example.num_outputs);
}

bool runs(const OpExample& example) {
  try {
    run(example);
    return true;
  } catch (const Error&) {
    return false;
  }
}

// The example with every data input changed.
template <typename Change>
OpExample with_data(OpExample example, const Change& change) {
  for (size_t i = 0; i < example.inputs.size(); ++i) {
    if (example.is_data(i)) example.inputs[i] = change(example.inputs[i]);
  }
  return example;
}

OpExample in_type(const OpExample& example, DType dtype) {
  return with_data(example, [&](const Tensor& x) {
    return run_op("Cast", {x}, {{"to", static_cast<int64_t>(dtype)}})[0];
  });
}

std::string bytes(const Tensor& x) { return {reinterpret_cast<const char*>(x.bytes()), x.byte_size()}; }

// The example as a graph: inputs that are data are inputs, all others constants.
Graph graph_of(const OpExample& example) {
  Graph graph;
  Node node{"n", example.op_type, "", {}, {}, {}, {}};
  for (size_t i = 0; i < example.inputs.size(); ++i) {
    const Tensor& input = example.inputs[i];
    if (!input.defined()) {
      node.inputs.push_back(kNone);
    } else if (example.is_data(i)) {
      std::vector<Dim> dims;
      for (const int64_t dim : input.shape()) dims.push_back({dim, ""});
      node.inputs.push_back(graph.add_value(fmt::format("x{}", i), {input.dtype(), dims}));
      graph.inputs.push_back(node.inputs.back());
    } else {
      node.inputs.push_back(graph.add_constant(fmt::format("x{}", i), input));
    }
  }
  for (int i = 0; i < example.num_outputs; ++i) node.outputs.push_back(graph.add_value(fmt::format("y{}", i)));
  for (const auto& [name, value] : example.attributes) node.attributes.set(name, value);
  graph.add_node(std::move(node));
  return graph;
}

TEST(OpTraits, EveryOperatorThatRunsHasOneRow) {
  std::map<std::string_view, int> rows;
  std::set<std::string_view> running;
  for (const OpTraits& traits : all_traits()) {
    ++rows[traits.op_type];
    if (traits.runs) running.insert(traits.op_type);
  }
  for (const auto& [op, count] : rows) EXPECT_EQ(count, 1) << op;
  std::set<std::string_view> implemented;
  for (const OpDef* op : all_ops()) {
    if (op->domain.empty()) implemented.insert(op->op_type);
  }
  EXPECT_EQ(running, implemented);
}

TEST(OpTraits, EveryOperatorThatRunsHasAnExample) {
  std::set<std::string_view> expected;
  for (const OpTraits& traits : all_traits()) {
    if (traits.runs) expected.insert(traits.op_type);
  }
  for (const char* with_body : {"If", "Loop", "Scan"}) expected.erase(with_body);
  const std::vector<OpExample> examples = op_examples();
  std::set<std::string_view> found;
  for (const OpExample& example : examples) {
    found.insert(example.op_type);
    EXPECT_NO_THROW(run(example)) << example.op_type;
  }
  EXPECT_EQ(found, expected);
}

TEST(OpTraits, UnknownOperatorsSayNothing) {
  EXPECT_EQ(find_traits("Unheard"), nullptr);
  EXPECT_EQ(traits_of("Unheard").data, DataInputs::kNone);
  EXPECT_FALSE(traits_of("Unheard").quantized);
  EXPECT_TRUE(data_inputs(Node{"n", "Conv", "other.domain", {0, 1}, {2}, {}, {}}).empty());
}

TEST(OpTraits, DataInputsAreThoseThatAreThere) {
  const auto inputs_of = [](const char* op, std::vector<ValueId> inputs) {
    return data_inputs(Node{"n", op, "", std::move(inputs), {9}, {}, {}});
  };
  using Indices = std::vector<int>;
  EXPECT_EQ(inputs_of("Conv", {0, 1, 2}), (Indices{0, 1})) << "not the bias";
  EXPECT_EQ(inputs_of("Concat", {0, 1, 2}), (Indices{0, 1, 2}));
  EXPECT_EQ(inputs_of("LSTM", {0, 1, 2, 3, 4, 5}), (Indices{0, 1, 2})) << "not biases, lengths and states";
  EXPECT_EQ(inputs_of("Where", {0, 1, 2}), (Indices{1, 2})) << "not the condition";
  EXPECT_EQ(inputs_of("ScatterND", {0, 1, 2}), (Indices{0, 2})) << "not the indices";
  EXPECT_EQ(inputs_of("Resize", {0, kNone, 2}), (Indices{0}));
  EXPECT_EQ(inputs_of("Max", {kNone, 1}), (Indices{1}));
  EXPECT_EQ(inputs_of("Shape", {0}), Indices());
}

// In both directions: what is not said does not work.
TEST(OpTraits, FloatTypesAreThoseThatRun) {
  for (const OpExample& example : op_examples()) {
    bool has_data = false;
    for (size_t i = 0; i < example.inputs.size(); ++i) has_data = has_data || example.is_data(i);
    if (!has_data) continue;
    const uint8_t takes = row(example).takes;
    EXPECT_EQ((takes & kTakesFloat32) != 0, runs(example)) << example.op_type;
    EXPECT_EQ((takes & kTakesFloat64) != 0, runs(in_type(example, DType::kFloat64))) << example.op_type;
    EXPECT_EQ((takes & kTakesFloat16) != 0, runs(in_type(example, DType::kFloat16))) << example.op_type;
    EXPECT_EQ((takes & kTakesFloat16) != 0, runs(in_type(example, DType::kBFloat16))) << example.op_type;
    if ((takes & kTakesInt8) != 0) {
      EXPECT_TRUE(runs(in_type(example, DType::kInt8))) << example.op_type;
    }
  }
}

TEST(OpTraits, InferredTypesAreThoseThatComeOut) {
  for (const OpExample& float_example : op_examples()) {
    for (const DType dtype : {DType::kFloat32, DType::kFloat16}) {
      if (dtype == DType::kFloat16 && (row(float_example).takes & kTakesFloat16) == 0) continue;
      const OpExample example = in_type(float_example, dtype);
      const std::vector<Tensor> outputs = run(example);
      const Graph graph = graph_of(example);
      const std::vector<DType> types = infer_element_types(graph, Declarations::kInputs);
      const Node& node = graph.node(0);
      for (size_t i = 0; i < outputs.size(); ++i) {
        const DType inferred = types[static_cast<size_t>(node.outputs[i])];
        const TypeRule rule = i == 0 ? row(example).type : row(example).other_types;
        EXPECT_EQ(inferred, rule == TypeRule::kUnknown && inferred == DType::kUndefined ? inferred : outputs[i].dtype())
            << example.op_type << " output " << i;
      }
    }
  }
}

TEST(OpTraits, InferredShapesAreThoseThatComeOut) {
  for (const OpExample& example : op_examples()) {
    const std::vector<Tensor> outputs = run(example);
    const Graph graph = graph_of(example);
    const std::vector<InferredType> types = infer_types(graph);
    for (size_t i = 0; i < outputs.size(); ++i) {
      const InferredType& inferred = types[static_cast<size_t>(graph.node(0).outputs[i])];
      if (!inferred.shape) continue;
      ASSERT_EQ(inferred.rank(), outputs[i].rank()) << example.op_type;
      for (int d = 0; d < outputs[i].rank(); ++d) {
        const int64_t dim = (*inferred.shape)[static_cast<size_t>(d)];
        EXPECT_TRUE(dim == kUnknownDim || dim == outputs[i].dim(d)) << example.op_type << " output " << i;
      }
    }
  }
}

// The numbers of all inputs that are data.
std::set<float> input_numbers(const OpExample& example) {
  std::set<float> all;
  for (size_t i = 0; i < example.inputs.size(); ++i) {
    if (!example.is_data(i)) continue;
    const std::span<const float> values = example.inputs[i].data<float>();
    all.insert(values.begin(), values.end());
  }
  return all;
}

std::set<float> output_numbers(const OpExample& example) {
  const std::vector<Tensor> outputs = run(example);
  std::set<float> all;
  for (size_t i = 0; i < (row(example).all_outputs ? outputs.size() : 1); ++i) {
    const std::span<const float> values = outputs[i].data<float>();
    all.insert(values.begin(), values.end());
  }
  if (row(example).fills) all.erase(0.0F);
  return all;
}

TEST(OpTraits, MoversGiveTheNumbersThatTheyTake) {
  int seen = 0;
  for (const OpExample& example : op_examples()) {
    const Effect effect = row(example).effect;
    if (!moves_numbers(effect) || effect == Effect::kClamps) continue;
    const std::set<float> in = input_numbers(example), out = output_numbers(example);
    EXPECT_TRUE(std::includes(in.begin(), in.end(), out.begin(), out.end())) << example.op_type;
    if (effect == Effect::kMoves) {
      EXPECT_EQ(in, out) << example.op_type;
    }
    if (effect == Effect::kPicksLargest) {
      EXPECT_EQ(*in.rbegin(), *out.rbegin()) << example.op_type;
    }
    ++seen;
  }
  EXPECT_EQ(seen, 26);
}

TEST(OpTraits, OthersGiveOtherNumbers) {
  for (const char* op :
       {"Sigmoid", "Exp", "Add", "AveragePool", "Softmax", "BatchNormalization", "Conv", "GridSample"}) {
    for (const OpExample& example : op_examples()) {
      if (example.op_type != op) continue;
      const std::set<float> in = input_numbers(example), out = output_numbers(example);
      EXPECT_FALSE(std::includes(in.begin(), in.end(), out.begin(), out.end())) << op;
      EXPECT_FALSE(moves_numbers(row(example).effect)) << op;
    }
  }
}

TEST(OpTraits, ClampsKeepNumbersOrMakeThemLimits) {
  int seen = 0;
  for (const OpExample& example : op_examples()) {
    if (row(example).effect != Effect::kClamps) continue;
    const std::vector<Tensor> outputs = run(example);
    const std::span<const float> in = example.inputs[0].data<float>(), out = outputs[0].data<float>();
    const auto [low, high] = std::minmax_element(out.begin(), out.end());
    for (size_t i = 0; i < in.size(); ++i) {
      EXPECT_EQ(out[i], std::min(std::max(in[i], *low), *high)) << example.op_type;
    }
    ++seen;
  }
  EXPECT_EQ(seen, 2);
}

// The elements in reverse order, whatever the type.
Tensor reversed(const Tensor& x) {
  Tensor result(x.dtype(), x.shape());
  const size_t size = byte_size(x.dtype()), count = static_cast<size_t>(x.size());
  for (size_t i = 0; i < count; ++i) {
    std::copy_n(x.bytes() + i * size, size, result.mutable_bytes() + (count - 1 - i) * size);
  }
  return result;
}

TEST(OpTraits, ElementwiseOperatorsCommuteWithReversal) {
  int seen = 0;
  for (const OpExample& example : op_examples()) {
    const Effect effect = row(example).effect;
    if (effect != Effect::kElementwise && effect != Effect::kClamps) continue;
    OpExample other = example;
    for (Tensor& input : other.inputs) {
      if (input.size() > 1) input = reversed(input);
    }
    EXPECT_EQ(bytes(reversed(run(example)[0])), bytes(run(other)[0])) << example.op_type;
    ++seen;
  }
  EXPECT_GT(seen, 60);
}

TEST(OpTraits, OperatorsThatReadTheShapeDoNotSeeNumbers) {
  int seen = 0;
  for (const OpExample& example : op_examples()) {
    if (row(example).effect != Effect::kReadsShape) continue;
    EXPECT_EQ(bytes(run(example)[0]), bytes(run(with_data(example, reversed))[0])) << example.op_type;
    ++seen;
  }
  EXPECT_EQ(seen, 3);
}

TEST(OpTraits, NeverNegativeIsSo) {
  for (const OpExample& example : op_examples()) {
    const Tensor output = run(example)[0];
    if (output.dtype() != DType::kFloat32) continue;
    const bool negative = std::ranges::any_of(output.data<float>(), [](float value) { return value < 0; });
    if (row(example).never_negative) {
      EXPECT_FALSE(negative) << example.op_type;
    } else if (row(example).effect == Effect::kElementwise && row(example).shape == ShapeRule::kSame) {
      EXPECT_TRUE(negative) << example.op_type << " never gave a negative number";
    }
  }
}

TEST(OpTraits, HomogeneousReductionsDoubleWithTheirInput) {
  int seen = 0;
  for (const OpExample& example : op_examples()) {
    const OpTraits& traits = row(example);
    if (traits.effect != Effect::kByRow || traits.data == DataInputs::kNone || traits.quantized) continue;
    const auto doubled = [](const Tensor& x) { return run_op("Add", {x, x})[0]; };
    EXPECT_EQ(traits.homogeneous, bytes(run(with_data(example, doubled))[0]) == bytes(doubled(run(example)[0])))
        << example.op_type;
    seen += traits.homogeneous ? 1 : 0;
  }
  EXPECT_EQ(seen, 7);
}

TEST(OpTraits, HomogeneousOperatorsCommuteWithPowersOfTwo) {
  const auto eightfold = [](Tensor x) {
    for (float& value : x.mutable_data<float>()) value *= 8;
    return x;
  };
  int seen = 0;
  for (const OpExample& example : op_examples()) {
    if (!row(example).homogeneous) continue;
    OpExample scaled = example;
    scaled.inputs[0] = eightfold(scaled.inputs[0]);
    EXPECT_EQ(bytes(run(scaled)[0]), bytes(eightfold(run(example)[0]))) << example.op_type;
    ++seen;
  }
  EXPECT_EQ(seen, 16);
}

// Index `i` of the leading dimension of all data inputs that have one of that size.
OpExample slice_of(const OpExample& example, int axis, int64_t i) {
  return with_data(example, [&](const Tensor& x) {
    return run_op("Gather", {x, testing::ints({i})}, {{"axis", int64_t{axis}}})[0];
  });
}

TEST(OpTraits, SlicesAreComputedByThemselves) {
  int seen = 0;
  for (OpExample example : op_examples()) {
    const bool by_row = row(example).slices != Slices::kNone;
    if ((!by_row && row(example).data == DataInputs::kNone) || !example.is_data(0)) continue;
    // Only input 0, and all of those that are alike, are data of a slice; the others are constants.
    for (size_t i = 1; i < example.inputs.size(); ++i) {
      if (example.is_data(i) && example.inputs[i].shape() != example.inputs[0].shape()) example.fixed.insert(i);
    }
    const Graph graph = graph_of(example);
    const int dims = independent_dims(graph, graph.node(0), example.inputs[0].rank());
    if (by_row) {
      EXPECT_GE(dims, 2) << example.op_type;
    }
    if (dims < 2) continue;
    const Tensor whole = run(example)[0];
    std::string parts;
    for (int64_t n = 0; n < example.inputs[0].dim(0); ++n) {
      for (int64_t c = 0; c < example.inputs[0].dim(1); ++c) {
        parts += bytes(run(slice_of(slice_of(example, 0, n), 1, c))[0]);
      }
    }
    EXPECT_EQ(parts, bytes(whole)) << example.op_type;
    ++seen;
  }
  EXPECT_GT(seen, 60);
}

TEST(OpTraits, EcIsForProductsAndSampling) {
  std::map<std::string_view, std::vector<int>> found;
  for (const OpTraits& traits : all_traits()) {
    for (int i = 0; i < 8; ++i) {
      if (takes_ec(traits.op_type, i)) found[traits.op_type].push_back(i);
    }
  }
  EXPECT_EQ(found, (std::map<std::string_view, std::vector<int>>{{"Conv", {1}},
                                                                 {"ConvTranspose", {1}},
                                                                 {"MatMul", {0, 1}},
                                                                 {"Gemm", {0, 1}},
                                                                 {"GridSample", {0}},
                                                                 {"Resize", {0}}}));
}

TEST(OpTraits, QuantizedByDefaultHaveData) {
  for (const OpTraits& traits : all_traits()) {
    if (traits.quantized) {
      EXPECT_NE(traits.data, DataInputs::kNone) << traits.op_type;
    }
  }
}

}  // namespace
}  // namespace twofold
