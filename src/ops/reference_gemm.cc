#include "ops/reference_gemm.h"

#include <algorithm>

#include "base/error.h"

namespace twofold {

namespace {

// The integers with the zero point taken off.
std::vector<int64_t> centered(const IntegerOperand& operand) {
  std::vector<int64_t> result;
  const auto append = [&](auto values) {
    for (auto v : values) result.push_back(static_cast<int64_t>(v) - operand.zero_point);
  };
  switch (operand.integers.dtype()) {
    case DType::kInt8: append(operand.integers.data<int8_t>()); break;
    case DType::kUInt8: append(operand.integers.data<uint8_t>()); break;
    case DType::kInt16: append(operand.integers.data<int16_t>()); break;
    case DType::kUInt16: append(operand.integers.data<uint16_t>()); break;
    default:
      throw_error(ErrorCode::kUnsupported, "integer operands of type {} are not supported",
                  to_string(operand.integers.dtype()));
  }
  return result;
}

// Steps through all index vectors of `shape` in row-major order; false past the last.
bool advance(std::vector<int64_t>& index, const Shape& shape) {
  for (size_t i = index.size(); i-- > 0;) {
    if (++index[i] < shape[i]) return true;
    index[i] = 0;
  }
  return false;
}

int64_t offset_of(const std::vector<int64_t>& index, const Shape& shape) {
  int64_t offset = 0;
  for (size_t i = 0; i < index.size(); ++i) offset = offset * shape[i] + index[i];
  return offset;
}

Shape spatial(const Shape& shape) { return {shape.begin() + 2, shape.end()}; }

Shape with_batch(int64_t n, int64_t channels, const Shape& rest) {
  Shape shape = {n, channels};
  shape.insert(shape.end(), rest.begin(), rest.end());
  return shape;
}

int64_t volume(const Shape& shape) { return num_elements(shape); }

}  // namespace

Accumulators reference_conv(const IntegerOperand& a, const IntegerOperand& b, const ConvGeometry& geometry) {
  const std::vector<int64_t> av = centered(a), bv = centered(b);
  const Shape in = spatial(a.integers.shape()), kernel = spatial(b.integers.shape());
  const int64_t batch = a.integers.dim(0), channels = a.integers.dim(1), filters = b.integers.dim(0);
  const int64_t group_channels = channels / geometry.group, group_filters = filters / geometry.group;
  Shape out(in.size());
  for (size_t i = 0; i < in.size(); ++i) {
    const int64_t reach = geometry.dilations[i] * (kernel[i] - 1) + 1;
    out[i] = (in[i] + geometry.pads[i] + geometry.pads[i + in.size()] - reach) / geometry.strides[i] + 1;
  }
  Accumulators result{with_batch(batch, filters, out), {}};
  for (int64_t n = 0; n < batch; ++n) {
    for (int64_t m = 0; m < filters; ++m) {
      std::vector<int64_t> position(out.size(), 0);
      do {
        int64_t sum = 0;
        for (int64_t c = 0; c < group_channels; ++c) {
          const int64_t plane = n * channels + (m / group_filters) * group_channels + c;
          std::vector<int64_t> tap(kernel.size(), 0);
          do {
            std::vector<int64_t> source(in.size());
            bool inside = true;
            for (size_t i = 0; i < in.size(); ++i) {
              source[i] = position[i] * geometry.strides[i] + tap[i] * geometry.dilations[i] - geometry.pads[i];
              inside = inside && source[i] >= 0 && source[i] < in[i];
            }
            if (!inside) continue;
            const int64_t weight = (m * group_channels + c) * volume(kernel) + offset_of(tap, kernel);
            sum +=
                av[static_cast<size_t>(plane * volume(in) + offset_of(source, in))] * bv[static_cast<size_t>(weight)];
          } while (advance(tap, kernel));
        }
        result.values.push_back(sum);
      } while (advance(position, out));
    }
  }
  return result;
}

Accumulators reference_conv_transpose(const IntegerOperand& a, const IntegerOperand& b, const ConvGeometry& geometry) {
  const std::vector<int64_t> av = centered(a), bv = centered(b);
  const Shape in = spatial(a.integers.shape()), kernel = spatial(b.integers.shape());
  const int64_t batch = a.integers.dim(0), channels = a.integers.dim(1);
  const int64_t group_channels = channels / geometry.group, group_filters = b.integers.dim(1);
  const int64_t filters = group_filters * geometry.group;
  Shape out(in.size());
  for (size_t i = 0; i < in.size(); ++i) {
    out[i] = geometry.strides[i] * (in[i] - 1) + geometry.output_padding[i] + (kernel[i] - 1) * geometry.dilations[i] +
             1 - geometry.pads[i] - geometry.pads[i + in.size()];
  }
  Accumulators result{with_batch(batch, filters, out), {}};
  result.values.resize(static_cast<size_t>(volume(result.shape)), 0);
  for (int64_t n = 0; n < batch; ++n) {
    for (int64_t c = 0; c < channels; ++c) {
      for (int64_t f = 0; f < group_filters; ++f) {
        const int64_t m = (c / group_channels) * group_filters + f;
        std::vector<int64_t> source(in.size(), 0);
        do {
          std::vector<int64_t> tap(kernel.size(), 0);
          do {
            std::vector<int64_t> position(out.size());
            bool inside = true;
            for (size_t i = 0; i < in.size(); ++i) {
              position[i] = source[i] * geometry.strides[i] + tap[i] * geometry.dilations[i] - geometry.pads[i];
              inside = inside && position[i] >= 0 && position[i] < out[i];
            }
            if (!inside) continue;
            const int64_t weight = (c * group_filters + f) * volume(kernel) + offset_of(tap, kernel);
            const int64_t value = (n * channels + c) * volume(in) + offset_of(source, in);
            result.values[static_cast<size_t>((n * filters + m) * volume(out) + offset_of(position, out))] +=
                av[static_cast<size_t>(value)] * bv[static_cast<size_t>(weight)];
          } while (advance(tap, kernel));
        } while (advance(source, in));
      }
    }
  }
  return result;
}

Accumulators reference_matmul(const IntegerOperand& a, const IntegerOperand& b) {
  const std::vector<int64_t> av = centered(a), bv = centered(b);
  const Shape &as = a.integers.shape(), &bs = b.integers.shape();
  const int64_t rows = as[as.size() - 2], depth = as.back(), columns = bs.back();
  const size_t rank = std::max(as.size(), bs.size()) - 2;
  // Batch dimensions from the right, 1 where an operand has none.
  const auto batch_dim = [rank](const Shape& shape, size_t i) {
    const size_t own = shape.size() - 2;
    return i + own < rank ? int64_t{1} : shape[i + own - rank];
  };
  Shape batch(rank);
  for (size_t i = 0; i < rank; ++i) batch[i] = std::max(batch_dim(as, i), batch_dim(bs, i));
  Accumulators result{batch, {}};
  result.shape.push_back(rows);
  result.shape.push_back(columns);
  if (volume(result.shape) == 0) return result;
  std::vector<int64_t> index(rank, 0);
  do {
    int64_t a_batch = 0, b_batch = 0;
    for (size_t i = 0; i < rank; ++i) {
      a_batch = a_batch * batch_dim(as, i) + index[i] % batch_dim(as, i);
      b_batch = b_batch * batch_dim(bs, i) + index[i] % batch_dim(bs, i);
    }
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t c = 0; c < columns; ++c) {
        int64_t sum = 0;
        for (int64_t k = 0; k < depth; ++k) {
          sum += av[static_cast<size_t>((a_batch * rows + r) * depth + k)] *
                 bv[static_cast<size_t>((b_batch * depth + k) * columns + c)];
        }
        result.values.push_back(sum);
      }
    }
  } while (advance(index, batch));
  return result;
}

}  // namespace twofold
