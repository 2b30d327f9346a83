// Plan files: what every operand of a model is to be, and all that follows from it (docs/config.md).
#ifndef TWOFOLD_PLAN_H_
#define TWOFOLD_PLAN_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace twofold {

// One operand. Words are those of the config file.
struct PlanOperandRow {
  std::string node, op_type, operand, tensor;
  std::string asked, granted, decided_by, reason;
  bool is_weight = false;
  std::string method;    // what found the range; empty where there are no integers
  double threshold = 0;  // largest magnitude that is not cut off
  int axis = -1;         // of the scales; -1: one for all
  std::vector<float> scale;
  std::vector<int32_t> zero_point;  // empty: 0
  std::string rounding;             // of a weight; empty: to the nearest
  std::vector<float> bias_shift;    // what is added to the node's bias, per output channel; empty: nothing
};

// A tensor whose channels were made even: channel c is divided by 2^exponents[c], where it is computed or by a Mul in
// front of the products that read it, and multiplied by that in the weights that meet it. Operands are those of the
// model after that.
struct PlanEqualizationRow {
  std::string tensor;
  std::vector<std::string> nodes;  // that compute it, hand it on and read it, or the products; in graph order
  std::vector<int> exponents;
  bool inserted = false;  // by a Mul
};

struct PlanReport {
  std::string model_hash;    // of the simplified model's nodes and how they are connected
  std::string content_hash;  // of that and of attributes and weights; empty: the plan is of an older version
  std::string target, compiler_version;
  std::string policy;             // "v1", "v2"
  std::string activation_format;  // "int8", "uint8"
  std::vector<PlanOperandRow> operands;
  std::vector<PlanEqualizationRow> equalizations;
  std::vector<std::string> notes, unmet;
};

// Throws Error that names the file and the key that is wrong.
PlanReport describe_plan(const std::filesystem::path& path);

// The text of a plan file as Twofold writes it, read and checked; `label` stands for it in messages.
std::string normalized_plan(std::string_view text, std::string_view label);

}  // namespace twofold

#endif  // TWOFOLD_PLAN_H_
