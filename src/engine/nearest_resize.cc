#include "engine/nearest_resize.h"

#include "traits/op_names.h"

namespace twofold {

bool is_nearest_resize(const Node& node) {
  return node.is(op::kResize) && node.attributes.get_string("mode", "nearest") == "nearest" &&
         node.attributes.get_string("coordinate_transformation_mode", "half_pixel") != "tf_crop_and_resize";
}

}  // namespace twofold
