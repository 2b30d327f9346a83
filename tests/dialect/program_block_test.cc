#include "dialect/program_block.h"

#include <gtest/gtest.h>

#include <random>

namespace twofold {
namespace {

// int8 numbers of the same form everywhere.
const StoredForm kForm = stored_form(DType::kInt8, 0.25F, 3);

struct Matrix {
  int64_t row_stride, step, offset;
  std::vector<int8_t> data;

  Matrix(int64_t rows, int64_t columns, int64_t row_stride, int64_t step, std::mt19937& random)
      : row_stride(row_stride), step(step), offset(5) {
    std::uniform_int_distribution<int> any(-128, 127);
    data.resize(static_cast<size_t>(offset + (rows - 1) * row_stride + (columns - 1) * step + 1));
    for (int8_t& value : data) value = static_cast<int8_t>(any(random));
  }
  BlockOperand operand() const {
    return {&kForm, reinterpret_cast<const std::byte*>(data.data()), offset, row_stride, step};
  }
  float at(int64_t r, int64_t c) const {
    const int8_t value = data[static_cast<size_t>(offset + r * row_stride + c * step)];
    return static_cast<float>(value - kForm.zero_point) * kForm.scale;
  }
};

// ((x * a) + b) - 1.5, clamped below at 0, one element after the other.
FloatProgram program() {
  FloatProgram result;
  result.steps = {BinaryStep{BinaryOp::kMul, false, 0, 0}, BinaryStep{BinaryOp::kAdd, false, 1, 0},
                  BinaryStep{BinaryOp::kSub, false, -1, 1.5F}, UnaryStep{UnaryOp::kRelu, {}}};
  result.operands = {kForm, kForm};
  result.outputs = {stored_form(DType::kFloat32, 1, 0), kForm};
  return result;
}
float expected(float x, float a, float b) { return std::max(0.0F, x * a + b - 1.5F); }

class ProgramBlockTest : public testing::TestWithParam<std::pair<int64_t, int64_t>> {};

TEST_P(ProgramBlockTest, ComputesEveryElementFromItsOwnOperands) {
  const auto [rows, columns] = GetParam();
  const std::pair<int64_t, int64_t> strides[] = {{columns, 1}, {columns + 7, 1}, {0, 1}, {1, 0}, {9, 0}, {0, 0}};
  const FloatProgram steps = program();
  std::mt19937 random(3);
  const Matrix x(rows, columns, columns + 2, 1, random);
  for (const auto& [a_row, a_step] : strides) {
    for (const auto& [b_row, b_step] : strides) {
      const Matrix a(rows, columns, a_row, a_step, random), b(rows, columns, b_row, b_step, random);
      const int64_t out_row = columns + 3;
      std::vector<float> y(static_cast<size_t>(1 + rows * out_row), -7), in_place(static_cast<size_t>(rows * columns));
      std::vector<int8_t> q(y.size(), 77);
      const BlockPlace places[] = {{&steps.outputs[0], reinterpret_cast<std::byte*>(y.data()), 1, out_row},
                                   {&steps.outputs[1], reinterpret_cast<std::byte*>(q.data()), 1, out_row}};
      const BlockOperand operands[] = {a.operand(), b.operand()};
      run_block(steps, x.operand(), rows, columns, operands, places);
      const std::vector<float> first = y;
      for (int64_t r = 0; r < rows; ++r) {
        for (int64_t c = 0; c < out_row; ++c) {
          const auto at = static_cast<size_t>(1 + r * out_row + c);
          if (c >= columns) {
            ASSERT_EQ(y[at], -7) << "beyond row " << r;
            ASSERT_EQ(q[at], 77) << "beyond row " << r;
            continue;
          }
          const float want = expected(x.at(r, c), a.at(r, c), b.at(r, c));
          ASSERT_EQ(y[at], want) << r << ", " << c << ", strides " << a_row << " " << b_row;
          ASSERT_EQ(q[at], std::clamp(std::nearbyint(want / kForm.scale) + kForm.zero_point, -128.0F, 127.0F));
          in_place[static_cast<size_t>(r * columns + c)] = x.at(r, c);
        }
      }
      run_block(steps, in_place.data(), rows, columns, operands, places);
      ASSERT_EQ(y, first);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, ProgramBlockTest,
                         testing::Values(std::pair(1, 1), std::pair(5, 1), std::pair(3, 24), std::pair(100, 24),
                                         std::pair(2, 1023), std::pair(2, 1024), std::pair(3, 1025),
                                         std::pair(2, 2500)));

}  // namespace
}  // namespace twofold
