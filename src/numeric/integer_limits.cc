#include "numeric/integer_limits.h"

namespace twofold {

bool is_operand_type(DType dtype) { return integer_limits(dtype).first != integer_limits(dtype).second; }

std::pair<int32_t, int32_t> integer_limits(DType dtype) {
  switch (dtype) {
    case DType::kInt8: return {-128, 127};
    case DType::kUInt8: return {0, 255};
    case DType::kInt16: return {-32768, 32767};
    case DType::kUInt16: return {0, 65535};
    default: return {0, 0};
  }
}

}  // namespace twofold
