// Transpose, Concat, Split, Slice, Expand, Tile, Pad, Gather*: literal expectations, then random boxes against plain
// loops over every index.
#include <functional>
#include <limits>

#include "ops/run_op.h"

namespace twofold::testing {
namespace {

constexpr int64_t kHuge = std::numeric_limits<int64_t>::max();
constexpr int64_t kLowest = std::numeric_limits<int64_t>::min();

// The tensor of `shape` whose element at each index is data[from(index)].
template <typename T>
Tensor by_index(const Tensor& data, const Shape& shape, const std::function<Shape(const Shape&)>& from) {
  Tensor result(data.dtype(), shape);
  const auto in = data.data<T>();
  auto out = result.mutable_data<T>();
  Shape index(shape.size(), 0);
  for (size_t i = 0; i < out.size(); ++i) {
    size_t rest = i;
    for (size_t d = shape.size(); d-- > 0; rest /= static_cast<size_t>(shape[d])) {
      index[d] = static_cast<int64_t>(rest % static_cast<size_t>(shape[d]));
    }
    const Shape at = from(index);
    int64_t offset = 0;
    for (size_t d = 0; d < at.size(); ++d) offset = offset * data.shape()[d] + at[d];
    out[i] = in[static_cast<size_t>(offset)];
  }
  return result;
}

TEST(Transpose, ReversesAxesByDefault) {
  const auto out = run_op("Transpose", {tensor<int8_t>({2, 3}, {1, 2, 3, 4, 5, 6})});
  EXPECT_EQ(out[0].shape(), (Shape{3, 2}));
  EXPECT_EQ(values<int8_t>(out[0]), (std::vector<int8_t>{1, 4, 2, 5, 3, 6}));
}

TEST(Transpose, EveryPermutationAgreesWithIndexing) {
  const Tensor x = random_tensor({3, 70, 5, 33}, 1);
  std::vector<int64_t> perm = {0, 1, 2, 3};
  do {
    Shape shape;
    for (int64_t p : perm) shape.push_back(x.shape()[static_cast<size_t>(p)]);
    const Tensor expected = by_index<float>(x, shape, [&](const Shape& index) {
      Shape at(4);
      for (size_t d = 0; d < 4; ++d) at[static_cast<size_t>(perm[d])] = index[d];
      return at;
    });
    for (const Tensor& input : {x, channels_last(x)}) {
      expect_same(run_op("Transpose", {input}, {{"perm", perm}}, 1, 1)[0], expected);
      expect_same(run_op("Transpose", {input}, {{"perm", perm}}, 1, 2)[0], expected);
    }
  } while (std::next_permutation(perm.begin(), perm.end()));
}

TEST(Transpose, MovesNothingWhereOrderStays) {
  const Tensor x = counting<float>({1, 4, 1, 5});
  EXPECT_EQ(run_op("Transpose", {x}, {{"perm", std::vector<int64_t>{1, 0, 3, 2}}})[0].bytes(), x.bytes());
  const Tensor last = channels_last(counting<float>({2, 3, 4, 5}));
  EXPECT_EQ(run_op("Transpose", {last}, {{"perm", std::vector<int64_t>{0, 2, 3, 1}}})[0].bytes(), last.bytes());
}

TEST(Transpose, RejectsBadPermutations) {
  const Tensor x = counting<float>({2, 3});
  for (const auto& perm : {std::vector<int64_t>{0}, {0, 0}, {0, 2}, {0, 1, 1}}) {
    EXPECT_EQ(error_of("Transpose", {x}, {{"perm", perm}}), ErrorCode::kInvalidModel);
  }
}

TEST(Concat, JoinsAlongAnyAxisAndLayout) {
  const Tensor a = counting<float>({2, 3, 2, 2}), b = random_tensor({2, 1, 2, 2}, 2);
  const auto plain = run_op("Concat", {a, b, a}, {{"axis", int64_t{-3}}});
  EXPECT_EQ(plain[0].shape(), (Shape{2, 7, 2, 2}));
  const Tensor expected = by_index<float>(a, {2, 7, 2, 2}, [](const Shape& i) {
    return Shape{i[0], i[1] % 4 % 3, i[2], i[3]};
  });
  for (int64_t n = 0; n < 2; ++n) {
    for (int64_t i = 0; i < 28; ++i) {
      const auto at = static_cast<size_t>(n * 28 + i);
      const float want = i / 4 == 3 ? b.data<float>()[static_cast<size_t>(n * 4 + i % 4)] : expected.data<float>()[at];
      EXPECT_EQ(plain[0].data<float>()[at], want);
    }
  }
  for (const auto& inputs : {std::vector<Tensor>{channels_last(a), channels_last(b), channels_last(a)},
                             std::vector<Tensor>{channels_last(a), b, a}}) {
    expect_same(run_op("Concat", inputs, {{"axis", int64_t{1}}})[0], plain[0]);
  }
}

TEST(Concat, RejectsWhatDoesNotFit) {
  const Tensor a = counting<float>({2, 3});
  EXPECT_EQ(error_of("Concat", {a, counting<float>({3, 3})}, {{"axis", int64_t{1}}}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("Concat", {a, counting<int32_t>({2, 3})}, {{"axis", int64_t{1}}}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("Concat", {a, a}, {{"axis", int64_t{2}}}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("Concat", {a, counting<float>({6})}, {{"axis", int64_t{0}}}), ErrorCode::kInvalidModel);
}

TEST(Split, LastPieceMayBeSmaller) {
  const auto out = run_op("Split", {counting<int32_t>({7})}, {{"num_outputs", int64_t{4}}}, 4);
  EXPECT_EQ(values<int32_t>(out[0]), (std::vector<int32_t>{0, 1}));
  EXPECT_EQ(values<int32_t>(out[3]), (std::vector<int32_t>{6}));
}

TEST(Split, GivenLengthsInAnyLayout) {
  const Tensor x = counting<float>({2, 5, 3, 2});
  for (const Tensor& input : {x, channels_last(x)}) {
    const auto out = run_op("Split", {input, ints({2, 0, 3})}, {{"axis", int64_t{1}}}, 3);
    expect_same(out[0], by_index<float>(x, {2, 2, 3, 2}, [](const Shape& i) { return i; }));
    EXPECT_EQ(out[1].shape(), (Shape{2, 0, 3, 2}));
    expect_same(out[2], by_index<float>(x, {2, 3, 3, 2}, [](Shape i) {
                  i[1] += 2;
                  return i;
                }));
  }
}

TEST(Split, RejectsWrongLengths) {
  const Tensor x = counting<float>({5});
  EXPECT_EQ(error_of("Split", {x, ints({2, 2})}, {}, 2), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("Split", {x, ints({6, -1})}, {}, 2), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("Split", {x, ints({5})}, {}, 2), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("Split", {x, ints({kHuge, kHuge})}, {}, 2), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("Split", {x}, {{"num_outputs", int64_t{3}}}, 2), ErrorCode::kInvalidModel);
}

TEST(Slice, StepsBothWays) {
  const Tensor x = counting<int32_t>({6});
  const auto slice = [&](int64_t start, int64_t end, int64_t step) {
    return values<int32_t>(run_op("Slice", {x, ints({start}), ints({end}), ints({0}), ints({step})})[0]);
  };
  EXPECT_EQ(slice(1, 5, 2), (std::vector<int32_t>{1, 3}));
  EXPECT_EQ(slice(-1, kLowest, -1), (std::vector<int32_t>{5, 4, 3, 2, 1, 0}));
  EXPECT_EQ(slice(kHuge, kLowest, -4), (std::vector<int32_t>{5, 1}));
  EXPECT_EQ(slice(4, 0, -2), (std::vector<int32_t>{4, 2}));
  EXPECT_EQ(slice(kLowest, kHuge, kHuge), (std::vector<int32_t>{0}));
  EXPECT_EQ(slice(kHuge, kLowest, kLowest), (std::vector<int32_t>{5}));
  EXPECT_EQ(slice(3, 3, 1), (std::vector<int32_t>{}));
  EXPECT_EQ(slice(1, 4, -1), (std::vector<int32_t>{}));
}

TEST(Slice, RandomBoxesAgreeWithIndexing) {
  std::mt19937 random(3);
  const auto pick = [&](int64_t low, int64_t high) { return low + static_cast<int64_t>(random() % (high - low + 1)); };
  const Tensor x = random_tensor({3, 4, 9, 7}, 4);
  for (int round = 0; round < 200; ++round) {
    std::vector<int64_t> start(4), end(4), step(4);
    Shape shape(4);
    for (size_t d = 0; d < 4; ++d) {
      const int64_t n = x.shape()[d];
      start[d] = pick(0, n - 1);
      step[d] = pick(1, 3) * (random() % 2 == 0 ? 1 : -1);
      shape[d] = pick(1, step[d] > 0 ? (n - 1 - start[d]) / step[d] + 1 : start[d] / -step[d] + 1);
      end[d] = start[d] + step[d] * (shape[d] - 1) + (step[d] > 0 ? 1 : -1);
      if (end[d] < 0) end[d] = kLowest;
    }
    const Tensor expected = by_index<float>(x, shape, [&](Shape index) {
      for (size_t d = 0; d < 4; ++d) index[d] = start[d] + index[d] * step[d];
      return index;
    });
    const Tensor input = round % 2 == 0 ? x : channels_last(x);
    expect_same(run_op("Slice", {input, ints(start), ints(end), ints({0, 1, 2, 3}), ints(step)})[0], expected);
  }
}

TEST(Slice, RejectsBadArguments) {
  const Tensor x = counting<float>({2, 2});
  EXPECT_EQ(error_of("Slice", {x, ints({0}), ints({1}), ints({0}), ints({0})}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("Slice", {x, ints({0}), ints({1}), ints({2})}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("Slice", {x, ints({0, 0}), ints({1, 1}), ints({1, -1})}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("Slice", {x, ints({0, 0}), ints({1})}), ErrorCode::kInvalidModel);
}

TEST(Expand, BroadcastsBothWays) {
  const Tensor x = tensor<int64_t>({3, 1}, {1, 2, 3});
  EXPECT_EQ(run_op("Expand", {x, ints({2, 1, 2})})[0].shape(), (Shape{2, 3, 2}));
  EXPECT_EQ(values<int64_t>(run_op("Expand", {x, ints({1, 2})})[0]), (std::vector<int64_t>{1, 1, 2, 2, 3, 3}));
  EXPECT_EQ(error_of("Expand", {x, ints({2, 2})}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("Expand", {x, ints({3, -1})}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of("Expand", {x, ints({kHuge, 3, 1})}), ErrorCode::kResourceExhausted);
}

TEST(Tile, Repeats) {
  const Tensor x = tensor<uint8_t>({2, 2}, {1, 2, 3, 4});
  EXPECT_EQ(values<uint8_t>(run_op("Tile", {x, ints({2, 2})})[0]),
            (std::vector<uint8_t>{1, 2, 1, 2, 3, 4, 3, 4, 1, 2, 1, 2, 3, 4, 3, 4}));
  EXPECT_EQ(run_op("Tile", {x, ints({0, 2})})[0].shape(), (Shape{0, 4}));
  EXPECT_EQ(error_of("Tile", {x, ints({2})}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("Tile", {x, ints({-1, 1})}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("Tile", {x, ints({kHuge, 1})}), ErrorCode::kResourceExhausted);
}

TEST(Pad, EveryMode) {
  const Tensor x = tensor<int32_t>({4}, {1, 2, 3, 4});
  const auto pad = [&](const char* mode, int64_t begin, int64_t end) {
    return values<int32_t>(
        run_op("Pad", {x, ints({begin, end}), Tensor::scalar(int32_t{9})}, {{"mode", std::string(mode)}})[0]);
  };
  EXPECT_EQ(pad("constant", 1, 2), (std::vector<int32_t>{9, 1, 2, 3, 4, 9, 9}));
  EXPECT_EQ(pad("constant", -1, -2), (std::vector<int32_t>{2}));
  EXPECT_EQ(pad("constant", -6, 4), (std::vector<int32_t>{9, 9}));
  EXPECT_EQ(pad("edge", 2, 1), (std::vector<int32_t>{1, 1, 1, 2, 3, 4, 4}));
  EXPECT_EQ(pad("reflect", 3, 3), (std::vector<int32_t>{4, 3, 2, 1, 2, 3, 4, 3, 2, 1}));
  EXPECT_EQ(pad("reflect", 8, 0), (std::vector<int32_t>{3, 2, 1, 2, 3, 4, 3, 2, 1, 2, 3, 4}));
  EXPECT_EQ(pad("wrap", 5, 2), (std::vector<int32_t>{4, 1, 2, 3, 4, 1, 2, 3, 4, 1, 2}));
  EXPECT_EQ(pad("reflect", -1, 1), (std::vector<int32_t>{2, 3, 4, 3}));
}

TEST(Pad, RandomBoxesAgreeWithIndexing) {
  std::mt19937 random(5);
  const Tensor x = random_tensor({2, 3, 5, 4}, 6);
  for (int round = 0; round < 60; ++round) {
    std::vector<int64_t> pads(8);
    Shape shape = x.shape();
    for (size_t i = 0; i < 8; ++i) pads[i] = static_cast<int64_t>(random() % 4);
    for (size_t d = 0; d < 4; ++d) shape[d] += pads[d] + pads[d + 4];
    const Tensor expected = by_index<float>(x, shape, [&](Shape index) {
      for (size_t d = 0; d < 4; ++d) index[d] = std::clamp<int64_t>(index[d] - pads[d], 0, x.shape()[d] - 1);
      return index;
    });
    const Tensor input = round % 2 == 0 ? x : channels_last(x);
    expect_same(run_op("Pad", {input, ints(pads)}, {{"mode", std::string("edge")}})[0], expected);
  }
}

TEST(Pad, OnlyGivenAxesInAnyLayout) {
  const Tensor x = counting<float>({1, 2, 2, 1});
  const Tensor expected = tensor<float>({1, 2, 3, 2}, {0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 3, 0});
  for (const Tensor& input : {x, channels_last(x)}) {
    expect_same(run_op("Pad", {input, ints({0, 1, 1, 0}), Tensor(), ints({-1, 2})})[0], expected);
  }
}

TEST(Pad, RejectsBadArguments) {
  const Tensor x = counting<float>({2, 2});
  EXPECT_EQ(error_of("Pad", {x, ints({1, 1})}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("Pad", {x, ints({-3, 0, 0, 0})}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of("Pad", {x, ints({kHuge, 0, 0, kHuge})}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of("Pad", {x, ints({kLowest, 0, 0, 0})}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of("Pad", {x, ints({int64_t{1} << 39, 0, 0, int64_t{1} << 39})}), ErrorCode::kResourceExhausted);
  EXPECT_EQ(error_of("Pad", {x, ints({1, 1, 1, 1}), Tensor::scalar(1.0)}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("Pad", {x, ints({1, 1, 1, 1})}, {{"mode", std::string("mirror")}}), ErrorCode::kInvalidModel);
  const Tensor empty(DType::kFloat32, {0});
  EXPECT_EQ(error_of("Pad", {empty, ints({1, 0})}, {{"mode", std::string("edge")}}), ErrorCode::kInvalidArgument);
}

TEST(Gather, AlongAnyAxis) {
  const Tensor x = counting<int16_t>({3, 2});
  EXPECT_EQ(values<int16_t>(run_op("Gather", {x, ints({2, -3})})[0]), (std::vector<int16_t>{4, 5, 0, 1}));
  const auto out = run_op("Gather", {x, tensor<int32_t>({1, 1}, {-1})}, {{"axis", int64_t{1}}});
  EXPECT_EQ(out[0].shape(), (Shape{3, 1, 1}));
  EXPECT_EQ(values<int16_t>(out[0]), (std::vector<int16_t>{1, 3, 5}));
  EXPECT_EQ(run_op("Gather", {x, Tensor::scalar(int64_t{1})})[0].shape(), (Shape{2}));
}

TEST(Gather, RejectsIndicesOutOfRange) {
  const Tensor x = counting<float>({3, 2});
  for (int64_t index : {int64_t{3}, int64_t{-4}, kHuge, kLowest}) {
    EXPECT_EQ(error_of("Gather", {x, ints({index})}), ErrorCode::kInvalidArgument);
    EXPECT_EQ(error_of("GatherElements", {x, tensor<int64_t>({1, 1}, {index})}), ErrorCode::kInvalidArgument);
    EXPECT_EQ(error_of("GatherND", {x, tensor<int64_t>({1, 1}, {index})}), ErrorCode::kInvalidArgument);
  }
  EXPECT_EQ(error_of("Gather", {x, counting<float>({1})}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("Gather", {x, ints({0})}, {{"axis", int64_t{2}}}), ErrorCode::kInvalidModel);
}

TEST(GatherElements, TakesOnePerPosition) {
  const Tensor x = tensor<float>({3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  const Tensor indices = tensor<int64_t>({2, 3}, {1, 2, 0, 2, 0, -3});
  EXPECT_EQ(values<float>(run_op("GatherElements", {x, indices})[0]), (std::vector<float>{4, 8, 3, 7, 2, 3}));
  EXPECT_EQ(error_of("GatherElements", {x, indices}, {{"axis", int64_t{1}}}), std::nullopt);
  EXPECT_EQ(error_of("GatherElements", {x, ints({1})}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("GatherElements", {x, Tensor::from<int64_t>({1, 4}, std::vector<int64_t>{0, 0, 0, 0})}),
            ErrorCode::kInvalidModel);
}

TEST(GatherND, TuplesWithAndWithoutBatches) {
  const Tensor x = counting<int32_t>({2, 2, 2});
  EXPECT_EQ(values<int32_t>(run_op("GatherND", {x, tensor<int64_t>({2, 2}, {0, 1, -1, 0})})[0]),
            (std::vector<int32_t>{2, 3, 4, 5}));
  const auto out = run_op("GatherND", {x, tensor<int64_t>({2, 1}, {1, 0})}, {{"batch_dims", int64_t{1}}});
  EXPECT_EQ(out[0].shape(), (Shape{2, 2}));
  EXPECT_EQ(values<int32_t>(out[0]), (std::vector<int32_t>{2, 3, 4, 5}));
  EXPECT_EQ(error_of("GatherND", {x, tensor<int64_t>({1, 4}, {0, 0, 0, 0})}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("GatherND", {x, tensor<int64_t>({3, 1}, {1, 0, 0})}, {{"batch_dims", int64_t{1}}}),
            ErrorCode::kInvalidModel);
}

}  // namespace
}  // namespace twofold::testing
