#include "kernels/conv.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "kernels/conv_rows.h"

namespace twofold::kernels {

namespace {

// [M, C/group, position] -> [M, position, C/group].
template <typename T>
AlignedVector<T> channels_last(const ConvWeights& weights, Allocator* allocator) {
  const int64_t channels = weights.group_channels, positions = weights.positions();
  AlignedVector<T> result(static_cast<size_t>(weights.out_channels * channels * positions), allocator);
  const T* from = static_cast<const T*>(weights.data);
  for (int64_t m = 0; m < weights.out_channels; ++m) {
    for (int64_t c = 0; c < channels; ++c) {
      for (int64_t p = 0; p < positions; ++p) result[static_cast<size_t>((m * positions + p) * channels + c)] = *from++;
    }
  }
  return result;
}

// The entries of one group of something that has one entry, or one per output channel.
std::span<const int64_t> part(std::span<const int64_t> all, int64_t first, int64_t count) {
  return all.size() <= 1 ? all : all.subspan(static_cast<size_t>(first), static_cast<size_t>(count));
}

// The outputs of one group of channels, whose multipliers repeat.
std::vector<OutputForm> part(std::span<const OutputForm> all, int64_t first, int64_t count, Allocator* allocator) {
  std::vector<OutputForm> result;
  for (const OutputForm& form : all) {
    AlignedVector<double> multiplier(static_cast<size_t>(count), allocator);
    for (size_t i = 0; i < multiplier.size(); ++i)
      multiplier[i] = form.multiplier[(static_cast<size_t>(first) + i) % form.multiplier.size()];
    result.push_back({form.dtype, std::move(multiplier), form.zero_point, form.low, form.high});
  }
  return result;
}

bool is_pointwise(const std::array<ConvAxis, 3>& axes) {
  return std::ranges::all_of(axes, [](const ConvAxis& axis) {
    return axis.kernel == 1 && axis.stride == 1 && axis.pad == 0 && axis.upsampling == 1 && axis.outputs == axis.size;
  });
}

}  // namespace

Conv::Conv(const ConvWeights& weights, DType a_dtype, int32_t a_zero_point, std::span<const int64_t> bias,
           std::span<const OutputForm> outputs, Allocator* allocator)
    : out_channels_(weights.out_channels),
      group_channels_(weights.group_channels),
      group_count_(weights.group),
      groups_(allocator),
      zeros_(allocator) {
  TWOFOLD_CHECK(weights.group >= 1 && weights.out_channels % weights.group == 0);
  const int64_t columns = out_channels_ / weights.group, k = weights.positions() * group_channels_;
  if (weights.group > 1 && group_channels_ == 1 && columns == 1) {
    depthwise_ = Depthwise::make(weights.dtype, weights.data, out_channels_, weights.kernel, weights.zero_point,
                                 a_dtype, a_zero_point, bias, outputs, allocator);
    if (depthwise_) return;
  }
  const bool bytes = byte_size(weights.dtype) == 1;
  AlignedVector<uint8_t> reordered8;
  AlignedVector<uint16_t> reordered16;
  const void* data = weights.data;
  if (weights.positions() > 1 && group_channels_ > 1) {
    if (bytes) {
      reordered8 = channels_last<uint8_t>(weights, allocator);
      data = reordered8.data();
    } else {
      reordered16 = channels_last<uint16_t>(weights, allocator);
      data = reordered16.data();
    }
  }
  zeros_.assign(static_cast<size_t>(weights.kernel[2] * group_channels_), zero_element(a_dtype, a_zero_point));
  for (const OutputForm& form : outputs) output_bytes_.push_back(static_cast<std::ptrdiff_t>(byte_size(form.dtype)));
  groups_.reserve(static_cast<size_t>(weights.group));
  for (int64_t g = 0; g < weights.group; ++g) {
    const auto* first = static_cast<const std::byte*>(data) + g * columns * k * (bytes ? 1 : 2);
    PackedB packed({weights.dtype, first, k, columns, 1, k, weights.zero_point}, a_dtype, a_zero_point,
                   {.compact = true, .allocator = allocator});
    Requantizer requantizer(packed, part(bias, g * columns, columns), part(outputs, g * columns, columns, allocator),
                            allocator);
    groups_.push_back({std::move(packed), std::move(requantizer)});
  }
}

size_t Conv::packed_bytes() const {
  size_t bytes = depthwise_ ? depthwise_->packed_bytes() : 0;
  for (const Group& group : groups_) bytes += group.weights.byte_size();
  return bytes;
}

void Conv::run(const ConvInput& input, const std::array<ConvAxis, 3>& axes, std::span<const OutputRows> outputs,
               const BlockSink* sink) const {
  TWOFOLD_CHECK(input.channels == group_count_ * group_channels_);
  if (depthwise_) return depthwise_->run(input, axes, outputs, sink);
  const int64_t columns = out_channels_ / group_count_;
  std::vector<OutputRows> places(outputs.begin(), outputs.end());
  for (int64_t g = 0; g < group_count_; ++g) {
    const Group& group = groups_[static_cast<size_t>(g)];
    for (size_t i = 0; i < places.size(); ++i)
      places[i].data = static_cast<std::byte*>(outputs[i].data) + g * columns * output_bytes_[i];
    if (is_pointwise(axes)) {
      const auto bytes = static_cast<int64_t>(byte_size(input.dtype));
      const MatrixView pixels = {input.dtype,
                                 static_cast<const std::byte*>(input.data) + g * group_channels_ * bytes,
                                 input.batch * axes[0].size * axes[1].size * axes[2].size,
                                 group_channels_,
                                 input.channels,
                                 1,
                                 input.zero_point};
      gemm(MatrixRows(pixels), group.weights, group.requantizer, places, sink, g * columns);
    } else {
      gemm(ConvRows(input, axes, g * group_channels_, group_channels_,
                    reinterpret_cast<const std::byte*>(zeros_.data())),
           group.weights, group.requantizer, places, sink, g * columns);
    }
  }
}

}  // namespace twofold::kernels
