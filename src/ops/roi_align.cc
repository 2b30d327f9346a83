// RoiAlign: average or maximum of bilinear samples in the bins of boxes (He et al., Mask R-CNN, 2017).
#include <algorithm>
#include <cmath>
#include <limits>

#include "base/parallel_for.h"
#include "ops/arguments.h"
#include "ops/cast.h"
#include "ops/families.h"

namespace twofold {

namespace {

struct Rule {
  int64_t height, width, sampling;
  float scale, offset;
  bool half_pixel, average;
};

// The four elements around a sample, and their weights; all weights are 0 outside the image.
struct Corners {
  int64_t index[4];
  float weight[4];
};

Corners corners(float y, float x, int64_t height, int64_t width) {
  const auto h = static_cast<float>(height), w = static_cast<float>(width);
  if (!(y >= -1.0F && y <= h && x >= -1.0F && x <= w)) return {{0, 0, 0, 0}, {0, 0, 0, 0}};
  y = std::clamp(y, 0.0F, h - 1.0F);
  x = std::clamp(x, 0.0F, w - 1.0F);
  const auto y0 = static_cast<int64_t>(y), x0 = static_cast<int64_t>(x);
  const int64_t y1 = std::min(y0 + 1, height - 1), x1 = std::min(x0 + 1, width - 1);
  const float fy = y - static_cast<float>(y0), fx = x - static_cast<float>(x0);
  const float gy = 1.0F - fy, gx = 1.0F - fx;
  return {{y0 * width + x0, y0 * width + x1, y1 * width + x0, y1 * width + x1}, {gy * gx, gy * fx, fy * gx, fy * fx}};
}

Rule read_rule(const Attributes& attributes) {
  const std::string mode = attributes.get_string("mode", "avg");
  const std::string coordinates = attributes.get_string("coordinate_transformation_mode", "half_pixel");
  if (mode != "avg" && mode != "max") throw_error(ErrorCode::kInvalidModel, "mode '{}' is not avg or max", mode);
  if (coordinates != "half_pixel" && coordinates != "output_half_pixel") {
    throw_error(ErrorCode::kInvalidModel, "coordinate_transformation_mode '{}' does not exist", coordinates);
  }
  const bool half_pixel = coordinates == "half_pixel";
  const Rule rule{attributes.get_int("output_height", 1),
                  attributes.get_int("output_width", 1),
                  attributes.get_int("sampling_ratio", 0),
                  attributes.get_float("spatial_scale", 1.0F),
                  half_pixel ? 0.5F : 0.0F,
                  half_pixel,
                  mode == "avg"};
  if (rule.height < 1 || rule.width < 1 || rule.sampling < 0 || rule.sampling > 1 << 12) {
    throw_error(ErrorCode::kInvalidModel, "output of {} by {} with sampling_ratio {} is not allowed", rule.height,
                rule.width, rule.sampling);
  }
  return rule;
}

// All samples of one box: bins row by row, `per_bin` samples each.
std::vector<Corners> samples(const Rule& rule, const float* roi, int64_t height, int64_t width, int64_t& per_bin) {
  const float x0 = roi[0] * rule.scale - rule.offset, y0 = roi[1] * rule.scale - rule.offset;
  float box_width = roi[2] * rule.scale - rule.offset - x0, box_height = roi[3] * rule.scale - rule.offset - y0;
  if (!rule.half_pixel) {
    box_width = std::max(box_width, 1.0F);
    box_height = std::max(box_height, 1.0F);
  }
  const float bin_height = box_height / static_cast<float>(rule.height);
  const float bin_width = box_width / static_cast<float>(rule.width);
  const auto count = [&](float bin) -> int64_t {
    if (rule.sampling > 0) return rule.sampling;
    if (!(bin <= 4096.0F)) throw_error(ErrorCode::kInvalidArgument, "a box has bins of {} elements", bin);
    return std::max<int64_t>(static_cast<int64_t>(std::ceil(bin)), 0);
  };
  const int64_t rows = count(bin_height), columns = count(bin_width);
  per_bin = rows * columns;
  std::vector<Corners> result;
  for (int64_t bin = 0; bin < rule.height * rule.width; ++bin) {
    const auto i = static_cast<float>(bin / rule.width), j = static_cast<float>(bin % rule.width);
    for (int64_t s = 0; s < per_bin; ++s) {
      const float sy = (static_cast<float>(s / columns) + 0.5F) / static_cast<float>(rows);
      const float sx = (static_cast<float>(s % columns) + 0.5F) / static_cast<float>(columns);
      result.push_back(corners(y0 + (i + sy) * bin_height, x0 + (j + sx) * bin_width, height, width));
    }
  }
  return result;
}

float pool(const Rule& rule, const Corners* bin, int64_t per_bin, const float* plane) {
  float sum = 0, largest = -std::numeric_limits<float>::infinity();
  for (int64_t s = 0; s < per_bin; ++s) {
    for (int k = 0; k < 4; ++k) {
      const float value = bin[s].weight[k] * plane[bin[s].index[k]];
      sum += value;
      largest = std::max(largest, value);
    }
  }
  if (per_bin == 0) return 0;
  return rule.average ? sum / static_cast<float>(per_bin) : largest;
}

void roi_align(OpCall& call) {
  const Tensor& x = call.input(0);
  const Tensor& rois = call.input(1);
  require_rank(x, 4, "X");
  require_rank(rois, 2, "rois");
  const Rule rule = read_rule(call.attributes());
  const IntList batch = read_indices(call.input(2), x.dim(0), call.allocator());
  if (rois.dim(1) != 4 || static_cast<int64_t>(batch.size()) != rois.dim(0)) {
    throw_error(ErrorCode::kInvalidModel, "rois of shape {} do not fit {} batch indices", to_string(rois.shape()),
                batch.size());
  }
  const int64_t channels = x.dim(1), height = x.dim(2), width = x.dim(3), bins = rule.height * rule.width;
  Tensor& y = call.output(0, x.dtype(), {rois.dim(0), channels, rule.height, rule.width});
  if (y.size() == 0) return;
  if (height * width == 0) throw_error(ErrorCode::kInvalidArgument, "an empty image has no regions");
  const float* from = x.data<float>().data();
  float* to = y.mutable_data<float>().data();
  parallel_for(rois.dim(0), 1, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      int64_t per_bin = 0;
      const std::vector<Corners> points = samples(rule, rois.data<float>().data() + r * 4, height, width, per_bin);
      for (int64_t c = 0; c < channels; ++c) {
        const float* plane = from + (batch[static_cast<size_t>(r)] * channels + c) * height * width;
        for (int64_t bin = 0; bin < bins; ++bin) {
          to[(r * channels + c) * bins + bin] = pool(rule, points.data() + bin * per_bin, per_bin, plane);
        }
      }
    }
  });
}

constexpr OpDef kOps[] = {
    {.op_type = "RoiAlign", .run = with_16bit_floats<roi_align>},
};

}  // namespace

std::span<const OpDef> roi_align_ops() { return kOps; }

}  // namespace twofold
