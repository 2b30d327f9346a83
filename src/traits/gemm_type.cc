#include "traits/gemm_type.h"

#include "traits/op_names.h"
#include "traits/op_traits.h"
#include "traits/recurrent.h"

namespace twofold {

bool is_gemm_type(std::string_view op_type) { return traits_of(op_type).effect == Effect::kProducts; }

bool is_gemm_type(const Node& node) { return node.domain.empty() && is_gemm_type(node.op_type); }

bool takes_bias(const Node& node) { return is_gemm_type(node) && !node.is(op::kMatMul); }

int output_channel_axis(const Node& node, int input, int rank) {
  if (is_recurrent(node)) return input == 1 || input == 2 ? 1 : -1;
  if (input != 1) return -1;
  if (node.is(op::kConv)) return 0;
  if (node.is(op::kConvTranspose)) return 1;
  if (node.is(op::kGemm)) return node.attributes.get_int("transB", 0) != 0 ? 0 : 1;
  return node.is(op::kMatMul) && rank >= 2 ? rank - 1 : -1;
}

}  // namespace twofold
