// NonMaxSuppression.
#include <algorithm>
#include <cmath>

#include "ops/arguments.h"
#include "ops/cast.h"
#include "ops/families.h"

namespace twofold {

namespace {

struct Box {
  float x0, y0, x1, y1;
};

Box read_box(const float* p, bool centered) {
  if (centered) return {p[0] - p[2] / 2, p[1] - p[3] / 2, p[0] + p[2] / 2, p[1] + p[3] / 2};
  return {std::min(p[1], p[3]), std::min(p[0], p[2]), std::max(p[1], p[3]), std::max(p[0], p[2])};
}

float area(const Box& b) { return (b.x1 - b.x0) * (b.y1 - b.y0); }

// Intersection over union of two boxes; 0 where one of them is empty.
float overlap(const Box& a, const Box& b) {
  const float width = std::min(a.x1, b.x1) - std::max(a.x0, b.x0);
  const float height = std::min(a.y1, b.y1) - std::max(a.y0, b.y0);
  if (!(width > 0) || !(height > 0)) return 0;
  const float common = width * height;
  const float all = area(a) + area(b) - common;
  return all > 0 ? common / all : 0;
}

float read_threshold(const OpCall& call, int i, float fallback) {
  if (!call.has_input(i)) return fallback;
  if (call.input(i).size() != 1) {
    throw_error(ErrorCode::kInvalidModel, "input {} must be a single value, but its shape is {}", i,
                to_string(call.input(i).shape()));
  }
  return cast(call.input(i), DType::kFloat32).data<float>()[0];
}

// The boxes that stay, best first; among equal scores the one that comes first.
std::vector<int64_t> select(const std::vector<Box>& boxes, const float* scores, int64_t limit, float iou_threshold,
                            float score_threshold) {
  std::vector<int64_t> order, kept;
  for (size_t i = 0; i < boxes.size(); ++i) {
    if (scores[i] > score_threshold) order.push_back(static_cast<int64_t>(i));
  }
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return scores[a] > scores[b]; });
  for (int64_t candidate : order) {
    if (static_cast<int64_t>(kept.size()) >= limit) break;
    const Box& box = boxes[static_cast<size_t>(candidate)];
    const bool hidden = std::ranges::any_of(
        kept, [&](int64_t k) { return overlap(boxes[static_cast<size_t>(k)], box) > iou_threshold; });
    if (!hidden) kept.push_back(candidate);
  }
  return kept;
}

void non_max_suppression(OpCall& call) {
  const Tensor& boxes = call.input(0);
  const Tensor& scores = call.input(1);
  require_rank(boxes, 3, "boxes");
  require_rank(scores, 3, "scores");
  if (boxes.dim(2) != 4 || boxes.dim(0) != scores.dim(0) || boxes.dim(1) != scores.dim(2)) {
    throw_error(ErrorCode::kInvalidModel, "boxes of shape {} and scores of shape {} do not fit",
                to_string(boxes.shape()), to_string(scores.shape()));
  }
  const bool centered = call.attributes().get_int("center_point_box", 0) != 0;
  const int64_t limit = call.has_input(2) ? read_int(call.input(2), "max_output_boxes_per_class") : 0;
  const float iou_threshold = read_threshold(call, 3, 0.0F);
  if (!(iou_threshold >= 0 && iou_threshold <= 1)) {
    throw_error(ErrorCode::kInvalidArgument, "iou_threshold {} is not in [0, 1]", iou_threshold);
  }
  const float score_threshold = read_threshold(call, 4, -INFINITY);
  std::vector<int64_t> rows;
  for (int64_t n = 0; n < boxes.dim(0) && limit > 0; ++n) {
    std::vector<Box> decoded;
    for (int64_t i = 0; i < boxes.dim(1); ++i) {
      decoded.push_back(read_box(boxes.data<float>().data() + (n * boxes.dim(1) + i) * 4, centered));
    }
    for (int64_t c = 0; c < scores.dim(1); ++c) {
      const float* row = scores.data<float>().data() + (n * scores.dim(1) + c) * scores.dim(2);
      for (int64_t i : select(decoded, row, limit, iou_threshold, score_threshold)) {
        rows.insert(rows.end(), {n, c, i});
      }
    }
  }
  call.set_output(0, Tensor::from<int64_t>({static_cast<int64_t>(rows.size() / 3), 3}, rows));
}

constexpr OpDef kOps[] = {
    {.op_type = "NonMaxSuppression", .run = with_16bit_floats<non_max_suppression>},
};

}  // namespace

std::span<const OpDef> non_max_suppression_ops() { return kOps; }

}  // namespace twofold
