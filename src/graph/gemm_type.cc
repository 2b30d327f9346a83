#include "graph/gemm_type.h"

namespace twofold {

bool is_gemm_type(std::string_view op_type) {
  return op_type == "Conv" || op_type == "ConvTranspose" || op_type == "MatMul" || op_type == "Gemm";
}

bool is_gemm_type(const Node& node) { return node.domain.empty() && is_gemm_type(node.op_type); }

bool takes_bias(const Node& node) { return is_gemm_type(node) && node.op_type != "MatMul"; }

int output_channel_axis(const Node& node, int input, int rank) {
  if (input != 1) return -1;
  if (node.is("Conv")) return 0;
  if (node.is("ConvTranspose")) return 1;
  if (node.is("Gemm")) return node.attributes.get_int("transB", 0) != 0 ? 0 : 1;
  return node.is("MatMul") && rank >= 2 ? rank - 1 : -1;
}

}  // namespace twofold
