#include "ops/fused_matmul.h"

namespace twofold {

namespace {

constexpr const char *kOrderA = "order_a", *kOrderB = "order_b", *kOrderY = "order_y", *kAlpha = "alpha";

}  // namespace

FusedMatMul FusedMatMul::read(const Attributes& attributes) {
  return {{attributes.get_ints(kOrderA, {}), attributes.get_ints(kOrderB, {}), attributes.get_ints(kOrderY, {})},
          attributes.get_float(kAlpha, 1)};
}

void FusedMatMul::write(Attributes& attributes) const {
  if (!orders.a.empty()) attributes.set(kOrderA, orders.a);
  if (!orders.b.empty()) attributes.set(kOrderB, orders.b);
  if (!orders.y.empty()) attributes.set(kOrderY, orders.y);
  if (alpha != 1) attributes.set(kAlpha, alpha);
}

}  // namespace twofold
