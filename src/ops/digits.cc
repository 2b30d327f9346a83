#include "ops/digits.h"

#include <algorithm>
#include <limits>

#include "base/error.h"
#include "base/parallel_for.h"

namespace twofold {

DigitPlan plan_digits(int64_t bound, int bits) {
  const int64_t half = int64_t{1} << (bits - 1);
  DigitPlan plan{{0}, 0};
  // One bit more than the digit's own width is no harm where it saves a digit: 255 = max |x - z| of 8-bit types.
  while (bound > 2 * half - 1) {
    plan.shifts.push_back(plan.shifts.back() + bits);
    plan.largest = half;
    bound = (bound + half) >> bits;
  }
  plan.largest = std::max(plan.largest, bound);
  return plan;
}

namespace {

template <typename T>
void split(const Tensor& q, int32_t zero_point, const DigitPlan& plan, std::vector<Digit>& digits) {
  const T* in = q.data<T>().data();
  std::vector<float*> out;
  for (Digit& digit : digits) out.push_back(digit.values.mutable_data<float>().data());
  const size_t count = plan.shifts.size();
  parallel_for(q.size(), 1 << 15, [&](int64_t begin, int64_t end) {
    if (count == 1) {
      for (int64_t i = begin; i < end; ++i) out[0][i] = static_cast<float>(static_cast<int32_t>(in[i]) - zero_point);
      return;
    }
    const int bits = plan.shifts[1];
    const int32_t half = 1 << (bits - 1), mask = (1 << bits) - 1;
    for (int64_t i = begin; i < end; ++i) {
      int32_t rest = static_cast<int32_t>(in[i]) - zero_point;
      for (size_t d = 0; d + 1 < count; ++d) {
        const int32_t low = ((rest + half) & mask) - half;
        out[d][i] = static_cast<float>(low);
        rest = (rest - low) >> bits;
      }
      out[count - 1][i] = static_cast<float>(rest);
    }
  });
}

}  // namespace

std::vector<Digit> split_digits(const Tensor& q, int32_t zero_point, const DigitPlan& plan, Allocator* allocator) {
  std::vector<Digit> digits;
  for (int shift : plan.shifts) digits.push_back({Tensor(DType::kFloat32, q.shape(), q.layout(), allocator), shift});
  switch (q.dtype()) {
    case DType::kInt8: split<int8_t>(q, zero_point, plan, digits); break;
    case DType::kUInt8: split<uint8_t>(q, zero_point, plan, digits); break;
    case DType::kInt16: split<int16_t>(q, zero_point, plan, digits); break;
    case DType::kUInt16: split<uint16_t>(q, zero_point, plan, digits); break;
    default:
      throw_error(ErrorCode::kUnsupported, "integer operands of type {} are not supported", to_string(q.dtype()));
  }
  return digits;
}

int64_t magnitude_bound(DType dtype, int32_t zero_point) {
  const auto bound = [zero_point](int64_t low, int64_t high) { return std::max(high - zero_point, zero_point - low); };
  switch (dtype) {
    case DType::kInt8: return bound(-128, 127);
    case DType::kUInt8: return bound(0, 255);
    case DType::kInt16: return bound(-32768, 32767);
    case DType::kUInt16: return bound(0, 65535);
    default: throw_error(ErrorCode::kUnsupported, "integer operands of type {} are not supported", to_string(dtype));
  }
}

}  // namespace twofold
