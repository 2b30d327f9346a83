// Softmax, LogSoftmax and Hardmax before opset 13 see the input as a matrix: what is before `axis` is rows, the rest is
// one long row. From 13 on they work along `axis` alone. The two agree where `axis` is the last one; elsewhere
//   x -> Flatten(axis) -> Softmax(-1) -> Reshape(shape of x)
#include "onnx/upgrade.h"

namespace twofold {

namespace {

void softmax(Upgrade& u) {
  const int64_t axis = u.attributes().get_int("axis", 1);
  const int rank = u.rank(u.input(0));
  u.attributes().set("axis", int64_t{-1});
  if (axis == -1 || (rank > 0 && axis == rank - 1)) return;
  const ValueId x = u.input(0);
  const ValueId shape = u.emit("shape", "Shape", {x});
  Attributes flatten;
  flatten.set("axis", axis);
  u.set_input(0, u.emit("flatten", "Flatten", {x}, std::move(flatten)));
  u.append("reshape", "Reshape", {shape});
}

constexpr UpgradeRule kRules[] = {
    {"Softmax", 13, softmax},
    {"LogSoftmax", 13, softmax},
    {"Hardmax", 13, softmax},
};

}  // namespace

std::span<const UpgradeRule> softmax_rules() { return kRules; }

}  // namespace twofold
