#include "numeric/quantize_tensor.h"

#include <gtest/gtest.h>

#include <vector>

namespace twofold {
namespace {

Tensor floats(Shape shape, const std::vector<float>& values) {
  return Tensor::from<float>(std::move(shape), std::span<const float>(values));
}

template <typename T>
std::vector<T> values(const Tensor& tensor) {
  const std::span<const T> data = tensor.data<T>();
  return {data.begin(), data.end()};
}

TEST(QuantizeTensor, TakesScalesAlongAnyAxis) {
  const Tensor x = floats({2, 3}, {1, 2, 3, 4, 5, 6});
  const QParams rows{QType::kInt8, 0, {1.0F, 2.0F}, {}}, columns{QType::kInt16, 1, {0.5F, 1.0F, 2.0F}, {0, 10, -10}};
  EXPECT_EQ(values<int8_t>(quantize(x, rows)), (std::vector<int8_t>{1, 2, 3, 2, 2, 3}));
  const Tensor q = quantize(x, columns);
  EXPECT_EQ(values<int16_t>(q), (std::vector<int16_t>{2, 12, -8, 8, 15, -7}));  // 3 / 2 is a tie: 2, less 10
  EXPECT_EQ(values<float>(dequantize(q, columns)), (std::vector<float>{1, 2, 4, 4, 5, 6}));
  EXPECT_EQ(values<float>(fake_quantize(x, columns)), (std::vector<float>{1, 2, 4, 4, 5, 6}));
}

TEST(QuantizeTensor, JoinsTheDigitsOfEc) {
  const Tensor x = floats({2, 2}, {-300.0F, 127.0F, 10.0F, -10.5F});
  const QParams params{QType::kEc, 0, {254.0F, 25.4F}, {}};  // fine steps of 1 and 0.1
  const Tensor q = quantize(x, params);
  EXPECT_EQ(values<int16_t>(q), (std::vector<int16_t>{-300, 127, 100, -105}));
  EXPECT_EQ(values<float>(dequantize(q, params)),
            (std::vector<float>{-300, 127, 100 * (25.4F / 254), -105 * (25.4F / 254)}));
  EXPECT_EQ(values<float>(fake_quantize(x, params)), values<float>(dequantize(q, params)));
  const EcDigits digits = quantize_to_digits(x, params);
  EXPECT_EQ(values<int8_t>(digits.first), (std::vector<int8_t>{-1, 0, 0, 0}));
  EXPECT_EQ(values<int8_t>(digits.second), (std::vector<int8_t>{-46, 127, 100, -105}));
}

TEST(QuantizeTensor, KeepsTheLayoutWhereThereIsOneScale) {
  Tensor x(DType::kFloat32, {1, 2, 1, 2}, Layout::kChannelsLast);
  std::span<float> data = x.mutable_data<float>();
  for (size_t i = 0; i < 4; ++i) data[i] = static_cast<float>(i);
  const QParams params{QType::kInt8, -1, {0.5F}, {}};
  const Tensor q = quantize(x, params);
  EXPECT_EQ(q.layout(), Layout::kChannelsLast);
  EXPECT_EQ(values<int8_t>(q), (std::vector<int8_t>{0, 2, 4, 6}));
  EXPECT_EQ(fake_quantize(x, params).layout(), Layout::kChannelsLast);
}

}  // namespace
}  // namespace twofold
