// ScatterElements, ScatterND, TopK, OneHot, NonZero, Compress, Trilu, ReverseSequence, Unique, DepthToSpace,
// NonMaxSuppression.
#include <cmath>
#include <limits>

#include "ops/run_op.h"

namespace twofold::testing {
namespace {

constexpr int64_t kHuge = std::numeric_limits<int64_t>::max();
constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

TEST(ScatterElements, AppliesUpdatesInOrder) {
  const Tensor x = tensor<int32_t>({1, 3}, {10, 20, 30});
  const Tensor index = tensor<int64_t>({1, 3}, {1, 1, -1}), updates = tensor<int32_t>({1, 3}, {2, 3, 4});
  const auto scatter = [&](const std::string& reduction) {
    return values<int32_t>(
        run_op("ScatterElements", {x, index, updates}, {{"axis", int64_t{1}}, {"reduction", reduction}})[0]);
  };
  EXPECT_EQ(scatter("none"), (std::vector<int32_t>{10, 3, 4}));
  EXPECT_EQ(scatter("add"), (std::vector<int32_t>{10, 25, 34}));
  EXPECT_EQ(scatter("mul"), (std::vector<int32_t>{10, 120, 120}));
  EXPECT_EQ(scatter("min"), (std::vector<int32_t>{10, 2, 4}));
  EXPECT_EQ(scatter("max"), (std::vector<int32_t>{10, 20, 30}));
  EXPECT_EQ(values<int32_t>(x), (std::vector<int32_t>{10, 20, 30}));
}

TEST(ScatterElements, AgreesWithALoop) {
  std::mt19937 random(7);
  const Tensor x = random_tensor({4, 5, 6}, 8), updates = random_tensor({3, 5, 2}, 9);
  Tensor index(DType::kInt64, {3, 5, 2});
  for (int64_t& i : index.mutable_data<int64_t>()) i = static_cast<int64_t>(random() % 12) - 6;
  std::vector<float> expected = values<float>(x);
  for (size_t a = 0; a < 3; ++a) {
    for (size_t b = 0; b < 5; ++b) {
      for (size_t c = 0; c < 2; ++c) {
        const size_t from = (a * 5 + b) * 2 + c;
        const int64_t i = index.data<int64_t>()[from];
        expected[(a * 5 + b) * 6 + static_cast<size_t>(i < 0 ? i + 6 : i)] += updates.data<float>()[from];
      }
    }
  }
  const auto out =
      run_op("ScatterElements", {x, index, updates}, {{"axis", int64_t{-1}}, {"reduction", std::string("add")}});
  EXPECT_EQ(values<float>(out[0]), expected);
}

TEST(ScatterND, ReplacesSlices) {
  const Tensor x = counting<float>({3, 2});
  const auto out = run_op("ScatterND", {x, tensor<int64_t>({2, 1}, {2, -3}), tensor<float>({2, 2}, {9, 8, 7, 6})});
  EXPECT_EQ(values<float>(out[0]), (std::vector<float>{7, 6, 2, 3, 9, 8}));
}

TEST(Scatter, RejectsBadArguments) {
  const Tensor x = counting<float>({3, 2}), one = tensor<float>({1, 1}, {1});
  for (int64_t index : {int64_t{3}, int64_t{-4}, kHuge}) {
    const Tensor at = tensor<int64_t>({1, 1}, {index});
    EXPECT_EQ(error_of("ScatterElements", {x, at, one}), ErrorCode::kInvalidArgument);
    EXPECT_EQ(error_of("ScatterND", {x, at, tensor<float>({1, 2}, {1, 2})}), ErrorCode::kInvalidArgument);
  }
  const Tensor zero = tensor<int64_t>({1, 1}, {0});
  EXPECT_EQ(error_of("ScatterND", {x, zero, one}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("ScatterElements", {x, zero, ints({1})}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("ScatterElements", {x, ints({0}), one}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("ScatterElements", {x, zero, one}, {{"reduction", std::string("mean")}}),
            ErrorCode::kInvalidModel);
}

TEST(TopK, FirstOfEqualsWinsAndNanIsLargest) {
  const Tensor x = tensor<float>({1, 5}, {2, kNan, 3, 2, 3});
  const auto top = run_op("TopK", {x, ints({4})}, {}, 2);
  EXPECT_EQ(values<int64_t>(top[1]), (std::vector<int64_t>{1, 2, 4, 0}));
  const auto bottom = run_op("TopK", {x, ints({3})}, {{"largest", int64_t{0}}}, 2);
  EXPECT_EQ(values<int64_t>(bottom[1]), (std::vector<int64_t>{0, 3, 2}));
  const auto column = run_op("TopK", {tensor<int8_t>({2, 2}, {-1, 5, 3, -7}), ints({1})}, {{"axis", int64_t{0}}}, 2);
  EXPECT_EQ(values<int8_t>(column[0]), (std::vector<int8_t>{3, 5}));
  EXPECT_EQ(error_of("TopK", {x, ints({6})}, {}, 2), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of("TopK", {x, ints({-1})}, {}, 2), ErrorCode::kInvalidArgument);
}

TEST(OneHot, IndicesOutOfRangeAreOff) {
  const auto out = run_op("OneHot", {ints({1, -1, 3}), Tensor::scalar(int64_t{3}), tensor<float>({2}, {-1, 1})});
  EXPECT_EQ(values<float>(out[0]), (std::vector<float>{-1, 1, -1, -1, -1, 1, -1, -1, -1}));
  EXPECT_EQ(error_of("OneHot", {ints({1}), Tensor::scalar(int64_t{0}), tensor<float>({2}, {0, 1})}),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of("OneHot", {ints({1, 2, 3, 4}), Tensor::scalar(kHuge), tensor<float>({2}, {0, 1})}),
            ErrorCode::kResourceExhausted);
}

TEST(NonZero, NegativeZeroIsZero) {
  const auto out = run_op("NonZero", {tensor<float>({2, 2}, {1, -0.0F, 0, kNan})});
  EXPECT_EQ(out[0].shape(), (Shape{2, 2}));
  EXPECT_EQ(values<int64_t>(out[0]), (std::vector<int64_t>{0, 1, 0, 1}));
}

TEST(Compress, SelectsAlongAnAxisOrFlat) {
  const Tensor x = counting<int16_t>({3, 2});
  Tensor condition(DType::kBool, {3});
  std::ranges::copy(std::vector<uint8_t>{0, 1, 1}, condition.mutable_data<uint8_t>().begin());
  EXPECT_EQ(values<int16_t>(run_op("Compress", {x, condition}, {{"axis", int64_t{0}}})[0]),
            (std::vector<int16_t>{2, 3, 4, 5}));
  EXPECT_EQ(values<int16_t>(run_op("Compress", {x, condition})[0]), (std::vector<int16_t>{1, 2}));
  EXPECT_EQ(error_of("Compress", {x, condition}, {{"axis", int64_t{1}}}), ErrorCode::kInvalidArgument);
}

TEST(Trilu, BothSidesOfAnyDiagonal) {
  const Tensor x = tensor<int32_t>({2, 3}, {1, 2, 3, 4, 5, 6});
  const auto trilu = [&](int64_t upper, int64_t k) {
    return values<int32_t>(run_op("Trilu", {x, Tensor::scalar(k)}, {{"upper", upper}})[0]);
  };
  EXPECT_EQ(trilu(1, 0), (std::vector<int32_t>{1, 2, 3, 0, 5, 6}));
  EXPECT_EQ(trilu(0, 0), (std::vector<int32_t>{1, 0, 0, 4, 5, 0}));
  EXPECT_EQ(trilu(1, 1), (std::vector<int32_t>{0, 2, 3, 0, 0, 6}));
  EXPECT_EQ(trilu(0, -1), (std::vector<int32_t>{0, 0, 0, 4, 0, 0}));
  EXPECT_EQ(trilu(0, kHuge), values<int32_t>(x));
  EXPECT_EQ(trilu(1, kHuge), std::vector<int32_t>(6, 0));
}

TEST(ReverseSequence, ReversesOnlyTheSequence) {
  const Tensor x = counting<float>({3, 2});
  EXPECT_EQ(values<float>(run_op("ReverseSequence", {x, ints({2, 3})})[0]), (std::vector<float>{2, 5, 0, 3, 4, 1}));
  EXPECT_EQ(error_of("ReverseSequence", {x, ints({2, 4})}), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of("ReverseSequence", {x, ints({2})}), ErrorCode::kInvalidModel);
}

TEST(Unique, SortedOrAsTheyAppear) {
  const Tensor x = tensor<int64_t>({5}, {3, 1, 3, 2, 1});
  const auto sorted = run_op("Unique", {x}, {}, 4);
  EXPECT_EQ(values<int64_t>(sorted[0]), (std::vector<int64_t>{1, 2, 3}));
  EXPECT_EQ(values<int64_t>(sorted[1]), (std::vector<int64_t>{1, 3, 0}));
  EXPECT_EQ(values<int64_t>(sorted[2]), (std::vector<int64_t>{2, 0, 2, 1, 0}));
  EXPECT_EQ(values<int64_t>(sorted[3]), (std::vector<int64_t>{2, 1, 2}));
  const auto as_is = run_op("Unique", {x}, {{"sorted", int64_t{0}}}, 4);
  EXPECT_EQ(values<int64_t>(as_is[0]), (std::vector<int64_t>{3, 1, 2}));
  EXPECT_EQ(values<int64_t>(as_is[2]), (std::vector<int64_t>{0, 1, 0, 2, 1}));
}

TEST(DepthToSpace, BothOrdersInAnyLayoutAndBack) {
  const Tensor x = counting<float>({1, 8, 1, 1});
  for (const Tensor& input : {x, channels_last(x)}) {
    const auto dcr = run_op("DepthToSpace", {input}, {{"blocksize", int64_t{2}}});
    EXPECT_EQ(values<float>(dcr[0]), (std::vector<float>{0, 2, 4, 6, 1, 3, 5, 7}));
    const auto crd = run_op("DepthToSpace", {input}, {{"blocksize", int64_t{2}}, {"mode", std::string("CRD")}});
    EXPECT_EQ(values<float>(crd[0]), (std::vector<float>{0, 1, 2, 3, 4, 5, 6, 7}));
  }
  const Tensor deep = random_tensor({2, 12, 3, 4}, 3);
  const Tensor wide = run_op("DepthToSpace", {deep}, {{"blocksize", int64_t{2}}})[0];
  expect_same(run_op("SpaceToDepth", {wide}, {{"blocksize", int64_t{2}}})[0], deep);
  EXPECT_EQ(error_of("DepthToSpace", {deep}, {{"blocksize", int64_t{5}}}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("DepthToSpace", {deep}, {{"blocksize", kHuge}}), ErrorCode::kInvalidModel);
  EXPECT_EQ(error_of("SpaceToDepth", {deep}, {{"blocksize", int64_t{2}}}), ErrorCode::kInvalidModel);
}

TEST(NonMaxSuppression, KeepsTheBestOfOverlappingBoxes) {
  const Tensor boxes = tensor<float>({1, 3, 4}, {0, 0, 1, 1, 0, 0.1F, 1, 1.1F, 0, 10, 1, 11});
  const Tensor scores = tensor<float>({1, 1, 3}, {0.75F, 0.9F, 0.75F});
  const auto out = run_op("NonMaxSuppression", {boxes, scores, ints({9}), tensor<float>({1}, {0.5F})});
  EXPECT_EQ(values<int64_t>(out[0]), (std::vector<int64_t>{0, 0, 1, 0, 0, 2}));
  const auto strict =
      run_op("NonMaxSuppression", {boxes, scores, ints({9}), tensor<float>({1}, {0.9F}), tensor<float>({1}, {0.75F})});
  EXPECT_EQ(values<int64_t>(strict[0]), (std::vector<int64_t>{0, 0, 1}));
  EXPECT_EQ(run_op("NonMaxSuppression", {boxes, scores})[0].shape(), (Shape{0, 3}));
  EXPECT_EQ(error_of("NonMaxSuppression", {boxes, scores, ints({1}), tensor<float>({1}, {1.5F})}),
            ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace twofold::testing
