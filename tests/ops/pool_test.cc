#include <gtest/gtest.h>

#include <limits>

#include "ops/run_op.h"

namespace twofold::testing {
namespace {

using Ints = std::vector<int64_t>;

TEST(MaxPool, ValuesAndIndices) {
  const Tensor x = tensor<float>({1, 1, 3, 3}, {1, 5, 5, -2, 0, 3, 7, 7, -9});
  const auto by_row = run_op("MaxPool", {x}, {{"kernel_shape", Ints{2, 2}}}, 2);
  EXPECT_EQ(values<float>(by_row[0]), (std::vector<float>{5, 5, 7, 7}));
  EXPECT_EQ(values<int64_t>(by_row[1]), (Ints{1, 1, 6, 7}));
  const auto by_column = run_op("MaxPool", {x}, {{"kernel_shape", Ints{2, 2}}, {"storage_order", int64_t{1}}}, 2);
  EXPECT_EQ(values<int64_t>(by_column[1]), (Ints{3, 3, 2, 5}));
}

TEST(MaxPool, CeilModeLeavesOutWindowsThatStartInThePadding) {
  const Tensor x = counting<float>({1, 1, 5});
  const auto pooled = [&](const Ints& pads, int64_t stride) {
    return values<float>(
        run_op("MaxPool", {x},
               {{"kernel_shape", Ints{2}}, {"strides", Ints{stride}}, {"pads", pads}, {"ceil_mode", int64_t{1}}})[0]);
  };
  EXPECT_EQ(pooled({0, 0}, 2), (std::vector<float>{1, 3, 4}));
  EXPECT_EQ(pooled({0, 0}, 3), (std::vector<float>{1, 4}));
  EXPECT_EQ(pooled({1, 1}, 2), (std::vector<float>{0, 2, 4}));
  EXPECT_EQ(pooled({0, 1}, 5), (std::vector<float>{1}));
}

TEST(MaxPool, DilationsPaddingAndBytes) {
  const Tensor x = tensor<int8_t>({1, 1, 5}, {-5, -128, -3, -4, -100});
  EXPECT_EQ(values<int8_t>(run_op("MaxPool", {x}, {{"kernel_shape", Ints{2}}, {"dilations", Ints{2}}})[0]),
            (std::vector<int8_t>{-3, -4, -3}));
  EXPECT_EQ(values<int8_t>(
                run_op("MaxPool", {x},
                       {{"kernel_shape", Ints{3}}, {"auto_pad", std::string("SAME_LOWER")}, {"strides", Ints{2}}})[0]),
            (std::vector<int8_t>{-5, -3, -4}));
}

TEST(AveragePool, CountsPaddingOnlyWhenAsked) {
  const Tensor x = tensor<float>({1, 1, 3}, {3, 6, 9});
  const AttributeList pads = {{"kernel_shape", Ints{3}}, {"pads", Ints{1, 1}}};
  EXPECT_EQ(values<float>(run_op("AveragePool", {x}, pads)[0]), (std::vector<float>{4.5F, 6, 7.5F}));
  auto counted = pads;
  counted.emplace_back("count_include_pad", int64_t{1});
  EXPECT_EQ(values<float>(run_op("AveragePool", {x}, counted)[0]), (std::vector<float>{3, 6, 5}));
  // What ceil_mode lets hang over the padding is not counted: the last window holds 9 and one padding.
  EXPECT_EQ(values<float>(run_op("AveragePool", {x},
                                 {{"kernel_shape", Ints{3}},
                                  {"pads", Ints{0, 1}},
                                  {"strides", Ints{2}},
                                  {"ceil_mode", int64_t{1}},
                                  {"count_include_pad", int64_t{1}}})[0]),
            (std::vector<float>{6, 4.5F}));
}

TEST(LpPool, OneTwoAndThree) {
  const Tensor x = tensor<float>({1, 1, 3}, {3, -4, 5});
  const auto pooled = [&](int64_t p) {
    return values<float>(run_op("LpPool", {x}, {{"kernel_shape", Ints{2}}, {"p", p}})[0]);
  };
  EXPECT_EQ(pooled(1), (std::vector<float>{7, 9}));
  EXPECT_EQ(pooled(2), (std::vector<float>{5, 6.40312424F}));
  EXPECT_EQ(pooled(3), (std::vector<float>{4.49794145F, 5.73879355F}));
}

TEST(GlobalPools, Literals) {
  const Tensor x = tensor<float>({1, 2, 1, 3}, {1, 2, 6, -1, -2, -6});
  EXPECT_EQ(values<float>(run_op("GlobalAveragePool", {x})[0]), (std::vector<float>{3, -3}));
  const Tensor largest = run_op("GlobalMaxPool", {x})[0];
  EXPECT_EQ(largest.shape(), (Shape{1, 2, 1, 1}));
  EXPECT_EQ(values<float>(largest), (std::vector<float>{6, -1}));
  EXPECT_EQ(values<float>(run_op("GlobalLpPool", {x}, {{"p", int64_t{1}}})[0]), (std::vector<float>{9, 9}));
}

// Neither the layout nor the number of threads changes a bit.
TEST(Pools, SameBitsInEveryLayoutAndWithAnyThreads) {
  const AttributeList window = {{"kernel_shape", Ints{3, 2}}, {"strides", Ints{2, 1}}, {"pads", Ints{1, 0, 1, 1}}};
  for (const char* op : {"MaxPool", "AveragePool", "LpPool", "GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool"}) {
    SCOPED_TRACE(op);
    const bool global = std::string(op).starts_with("Global");
    for (int64_t channels : {1, 70, 300}) {
      const Tensor x = random_tensor({2, channels, 37, 29}, 5);
      const auto attributes = global ? AttributeList{} : window;
      const Tensor expected = run_op(op, {x}, attributes)[0];
      expect_same(expected, run_op(op, {channels_last(x)}, attributes)[0]);
      expect_same(expected, run_op(op, {x}, attributes, 1, 2)[0]);
      expect_same(expected, run_op(op, {channels_last(x)}, attributes, 1, 2)[0]);
    }
  }
}

TEST(MaxUnpool, CountsIndicesInTheInferredShape) {
  const Tensor x = tensor<float>({1, 1, 2, 2}, {5, 6, 7, 8}), at = tensor<int64_t>({1, 1, 2, 2}, {5, 7, 13, 15});
  const AttributeList window = {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}};
  EXPECT_EQ(values<float>(run_op("MaxUnpool", {x, at}, window)[0]),
            (std::vector<float>{0, 0, 0, 0, 0, 5, 0, 6, 0, 0, 0, 0, 0, 7, 0, 8}));
  const Tensor wide = run_op("MaxUnpool", {x, at, ints({1, 1, 5, 5})}, window)[0];
  EXPECT_EQ(wide.data<float>()[6], 5);
  EXPECT_EQ(wide.data<float>()[18], 8);
}

TEST(Pools, RefuseWhatDoesNotFit) {
  const Tensor x = random_tensor({1, 2, 4, 4}, 1);
  EXPECT_EQ(error_of("MaxPool", {x}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("MaxPool", {x}, {{"kernel_shape", Ints{5, 1}}}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("AveragePool", {x}, {{"kernel_shape", Ints{2}}}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("AveragePool", {Tensor(DType::kInt32, {1, 1, 4})}, {{"kernel_shape", Ints{2}}}),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of("LpPool", {x}, {{"kernel_shape", Ints{2, 2}}, {"p", int64_t{0}}}), ErrorCode::kUnsupported);
  EXPECT_EQ(error_of("GlobalAveragePool", {Tensor(DType::kFloat32, {1, 2, 0})}), ErrorCode::kInvalidModel);
  const AttributeList window = {{"kernel_shape", Ints{2, 2}}, {"strides", Ints{2, 2}}};
  EXPECT_EQ(error_of("MaxUnpool", {x, Tensor(DType::kInt64, {1, 2, 4, 3})}, window), ErrorCode::kInvalidModel);
  Tensor at(DType::kInt64, x.shape());
  for (int64_t& i : at.mutable_data<int64_t>()) i = 128;
  EXPECT_EQ(error_of("MaxUnpool", {x, at}, window), ErrorCode::kInvalidModel);
}

}  // namespace
}  // namespace twofold::testing
