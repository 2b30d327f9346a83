// Operators that sample images: Upsample and the first forms of Resize, GridSample and RoiAlign.
#include <algorithm>

#include "base/error.h"
#include "onnx/upgrade.h"

namespace twofold {

namespace {

// Upsample and Resize 10 map pixels by dividing coordinates by the scale. Where they enlarge they round down; where
// they shrink ONNX does not say, and ONNX Runtime, whose results models were tested with, rounds up.
const char* nearest_mode(const Upgrade& u, ValueId scales) {
  const Tensor* tensor = u.graph().constant(scales);
  if (tensor == nullptr) return "floor";
  const std::span<const float> values = tensor->data<float>();
  const bool shrinks = std::any_of(values.begin(), values.end(), [](float scale) { return scale < 1; });
  const bool enlarges = std::any_of(values.begin(), values.end(), [](float scale) { return scale > 1; });
  if (shrinks && enlarges && u.attributes().get_string("mode", "nearest") == "nearest") {
    throw_error(ErrorCode::kUnsupported, "shrinking one axis while enlarging another is not supported before opset 11");
  }
  return shrinks ? "ceil" : "floor";
}

void as_asymmetric_resize(Upgrade& u, ValueId scales) {
  if (u.attributes().get_string("mode", "nearest") == "bilinear") u.attributes().set("mode", "linear");
  u.attributes().set("coordinate_transformation_mode", "asymmetric");
  u.attributes().set("nearest_mode", std::string(nearest_mode(u, scales)));
  u.become("Resize", {u.input(0), kNone, scales});
}

void upsample_7(Upgrade& u) {
  const std::vector<float> scales = u.attributes().get_floats("scales", {});
  u.attributes().erase("scales");
  as_asymmetric_resize(u, u.constant("scales", Tensor::from<float>({static_cast<int64_t>(scales.size())}, scales)));
}

void upsample_9(Upgrade& u) {
  if (u.node().is("Upsample")) as_asymmetric_resize(u, u.input(1));
}

void resize_10(Upgrade& u) { as_asymmetric_resize(u, u.input(1)); }

// (i + 0.5) / scale rounded down is half_pixel's (i + 0.5) / scale - 0.5 rounded to nearest, halves up.
void half_pixel_for_nn(Upgrade& u) {
  if (u.attributes().get_string("coordinate_transformation_mode", "half_pixel") != "tf_half_pixel_for_nn") return;
  if (u.attributes().get_string("mode", "nearest") != "nearest" ||
      u.attributes().get_string("nearest_mode", "round_prefer_floor") != "floor") {
    throw_error(ErrorCode::kUnsupported,
                "tf_half_pixel_for_nn is supported with mode nearest, nearest_mode floor only");
  }
  u.attributes().set("coordinate_transformation_mode", "half_pixel");
  u.attributes().set("nearest_mode", "round_prefer_ceil");
}

// Exporters pass empty tensors for roi and scales where they mean nothing.
void drop_empty_inputs(Upgrade& u) {
  for (int i : {1, 2, 3}) {
    const Tensor* tensor = u.graph().constant(u.input(i));
    if (tensor != nullptr && tensor->size() == 0) u.set_input(i, kNone);
  }
}

void grid_sample(Upgrade& u) {
  const std::string mode = u.attributes().get_string("mode", "bilinear");
  u.attributes().set("mode", mode == "bilinear" ? "linear" : mode == "bicubic" ? "cubic" : mode);
}

void roi_align(Upgrade& u) { u.attributes().set("coordinate_transformation_mode", "output_half_pixel"); }

constexpr UpgradeRule kRules[] = {
    {"Upsample", 9, upsample_7, "a"},  {"Upsample", kAlways, upsample_9, "af"}, {"Resize", 11, resize_10, "af"},
    {"Resize", 13, half_pixel_for_nn}, {"Resize", kAlways, drop_empty_inputs},  {"GridSample", 20, grid_sample},
    {"RoiAlign", 16, roi_align},
};

}  // namespace

std::span<const UpgradeRule> resize_rules() { return kRules; }

}  // namespace twofold
