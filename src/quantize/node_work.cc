#include "quantize/node_work.h"

#include <algorithm>

#include "traits/op_names.h"
#include "traits/recurrent.h"

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
  return is_recurrent(node) ? dim(of_input(0), 0) * dim(of_input(0), 1) * size(of_input(1)) : 0;
}

double multiplications_of_state(const Node& node, const std::map<ValueId, Shape>& shapes) {
  if (!is_recurrent(node)) return 0;
  const Shape& x = shapes.at(node.input(0));
  return dim(x, 0) * dim(x, 1) * size(shapes.at(node.input(2)));
}

}  // namespace twofold
