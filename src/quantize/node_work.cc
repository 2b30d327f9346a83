#include "quantize/node_work.h"

#include <algorithm>

#include "traits/op_names.h"

namespace twofold {

namespace {

double size(const Shape& shape) { return static_cast<double>(num_elements(shape)); }

double dim(const Shape& shape, int axis) {
  const int at = axis < 0 ? static_cast<int>(shape.size()) + axis : axis;
  return at < 0 || at >= static_cast<int>(shape.size()) ? 1 : static_cast<double>(shape[static_cast<size_t>(at)]);
}

}  // namespace

double multiplications(const Node& node, const std::map<ValueId, Shape>& shapes) {
  const auto of_input = [&](int i) -> const Shape& { return shapes.at(node.input(i)); };
  const auto of_output = [&]() -> const Shape& { return shapes.at(node.output(0)); };
  if (node.is(op::kConv)) return size(of_output()) * size(of_input(1)) / std::max(dim(of_input(1), 0), 1.0);
  if (node.is(op::kConvTranspose)) return size(of_input(0)) * size(of_input(1)) / std::max(dim(of_input(1), 0), 1.0);
  if (node.is(op::kMatMul)) return size(of_output()) * dim(of_input(0), -1);
  if (node.is(op::kGemm)) {
    return size(of_output()) * dim(of_input(0), node.attributes.get_int("transA", 0) != 0 ? 0 : 1);
  }
  return 0;
}

}  // namespace twofold
