// What is in a model, and the explicit two-term form of its operators.
#ifndef TWOFOLD_INSPECT_H_
#define TWOFOLD_INSPECT_H_

#include <filesystem>
#include <string>
#include <vector>

#include "twofold/session.h"

namespace twofold {

struct NodeRow {
  std::string name, op_type;
  std::vector<std::string> inputs, outputs;  // tensor names; "" for an omitted one
  std::vector<std::string> origins;          // the input file's nodes that it stands for
};

struct PassRow {
  std::string pass;
  int rewrites = 0;    // 0: it left the graph as it was
  double seconds = 0;  // wall-clock
};

struct LoweredRow {
  std::string name, op_type;
  // integer, table, moved, quantized (integers in and out, float32 inside), conversion (QuantizeLinear,
  // DequantizeLinear), float
  std::string kind;
  std::string why;                   // of a float one: why; of a quantized one: what that is
  int ec_passes = 1;                 // of a product with ec operands that run in passes: 2 or 4
  std::vector<std::string> origins;  // the input file's nodes that it stands for
};

struct InspectReport {
  std::string model;
  uint64_t file_bytes = 0;
  uint64_t parameters = 0;  // elements of constants
  std::vector<TensorInfo> inputs, outputs;
  std::vector<NodeRow> nodes;            // as in the file, with the names that a config uses
  std::vector<PassRow> passes;           // what simplification does to it
  std::vector<NodeRow> simplified;       // what remains: the nodes that can be quantized
  std::vector<PassRow> lowering;         // what is done then so that it runs on integers, in order
  std::vector<LoweredRow> lowered;       // how a model with QuantizeLinear and DequantizeLinear runs
  std::vector<std::string> unsupported;  // operators that Twofold does not run
};

struct InspectOptions {
  bool ec_in_two_passes = false;  // as SessionOptions': in `lowered`
};

InspectReport inspect(const std::filesystem::path& model, const InspectOptions& options = {});
std::string to_json(const InspectReport& report);

// Writes the float model with each named Conv, ConvTranspose, MatMul or Gemm as two operators and an Add, its weight
// split into an int8 term and the rest (docs/numerics.md, rule 3). Throws Error that names a node that cannot be split.
void split_model(const std::filesystem::path& model, const std::vector<std::string>& nodes,
                 const std::filesystem::path& output);

}  // namespace twofold

#endif  // TWOFOLD_INSPECT_H_
