#include "ops/resize_rule.h"

namespace twofold {

ResizeRule resize_rule(const Attributes& attributes) {
  return {
      .interpolation = parse_interpolation(attributes.get_string("mode", "nearest")),
      .coordinates = parse_coordinate_mode(attributes.get_string("coordinate_transformation_mode", "half_pixel")),
      .nearest = parse_nearest_mode(attributes.get_string("nearest_mode", "round_prefer_floor")),
      .cubic_a = attributes.get_float("cubic_coeff_a", -0.75F),
      .exclude_outside = attributes.get_int("exclude_outside", 0) != 0,
      .antialias = attributes.get_int("antialias", 0) != 0,
  };
}

}  // namespace twofold
