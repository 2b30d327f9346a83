#include "quantize/site_ranges.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "base/check.h"
#include "engine/executor.h"
#include "loops/layout.h"

namespace twofold {

namespace {

// One run of the float model over the search samples.
void watch(CalibratedModel& model, std::vector<ValueId> values, const Executor::OnValue& on_value) {
  const Executor executor(model.graph(), {.threads = model.threads(), .watched = std::move(values)});
  for (size_t i = 0; i < model.samples().size(); ++i) executor.run(model.samples().inputs(i), on_value);
}

}  // namespace

void AxisRanges::observe(const Tensor& tensor, const ChannelAxis& axis) {
  if (tensor.size() == 0) return;
  const ChannelMap map = axis.map(tensor.shape());
  const auto dim = static_cast<size_t>(map.dim);
  if (min.empty()) min.assign(dim, 0.0F), max.assign(dim, 0.0F);
  TWOFOLD_CHECK(min.size() == dim);
  // Channels that lie last in memory are seen as they lie.
  const bool lies_last = tensor.layout() == Layout::kChannelsLast && axis.axis == 1 - tensor.rank();
  const Tensor plain = lies_last ? tensor : to_layout(tensor, Layout::kPlain);
  const std::span<const float> numbers = plain.data<float>();
  const size_t inner = lies_last ? 1 : static_cast<size_t>(map.inner);
  for (size_t at = 0; at < numbers.size(); at += dim * inner) {
    const float* row = numbers.data() + at;
    if (inner == 1) {
      for (size_t d = 0; d < dim; ++d) min[d] = std::min(min[d], row[d]), max[d] = std::max(max[d], row[d]);
      continue;
    }
    for (size_t d = 0; d < dim; ++d) {
      float low = min[d], high = max[d];
      for (size_t i = d * inner; i < (d + 1) * inner; ++i) low = std::min(low, row[i]), high = std::max(high, row[i]);
      min[d] = low, max[d] = high;
    }
  }
}

std::vector<float> AxisRanges::abs_max(int64_t repeat) const {
  std::vector<float> result(min.size() / static_cast<size_t>(repeat), 0.0F);
  for (size_t d = 0; d < min.size(); ++d) {
    float& largest = result[d / static_cast<size_t>(repeat)];
    largest = std::max({largest, -min[d], max[d]});
  }
  return result;
}

namespace {

Tensor divided(const Tensor& tensor, const ChannelAxis& axis, const std::vector<int>& exponents) {
  Tensor result = to_layout(tensor, Layout::kPlain);
  const ChannelMap map = axis.map(result.shape());
  const std::span<float> numbers = result.mutable_data<float>();
  const auto inner = static_cast<size_t>(map.inner), dim = static_cast<size_t>(map.dim);
  for (size_t at = 0, index = 0; at < numbers.size(); at += inner, index = index + 1 == dim ? 0 : index + 1) {
    const float factor = std::ldexp(1.0F, -exponents[index / static_cast<size_t>(map.repeat)]);
    for (float& number : numbers.subspan(at, inner)) number *= factor;
  }
  return result;
}

}  // namespace

void observe_scaled(CalibratedModel& model, const std::vector<ScaledTensorRequest>& requests) {
  std::map<ValueId, std::vector<const ScaledTensorRequest*>> by_value;
  for (const ScaledTensorRequest& request : requests) by_value[request.value].push_back(&request);
  std::vector<ValueId> values;
  for (const auto& [value, of_value] : by_value) values.push_back(value);
  watch(model, std::move(values), [&](ValueId value, const Tensor& tensor) {
    for (const ScaledTensorRequest* request : by_value.at(value)) {
      request->statistics.observe(divided(tensor, request->axis, request->exponents));
    }
  });
}

std::map<ValueId, AxisRanges> observe_axes(CalibratedModel& model, const std::map<ValueId, ChannelAxis>& axes) {
  std::map<ValueId, AxisRanges> ranges;
  std::vector<ValueId> values;
  for (const auto& [value, axis] : axes) values.push_back(value);
  watch(model, std::move(values),
        [&](ValueId value, const Tensor& tensor) { ranges[value].observe(tensor, axes.at(value)); });
  return ranges;
}

}  // namespace twofold
