// What the targets of quantization can do.
#ifndef TWOFOLD_TARGETS_H_
#define TWOFOLD_TARGETS_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace twofold {

// The target's own compiler, where it must be of some version.
struct CompilerRow {
  std::string name, min_version, reason;
};

// Precisions that an operator takes at the same time.
struct CombinationRow {
  std::vector<std::vector<std::string>> inputs;  // per data input those it may have; the last repeats
  std::vector<std::string> outputs;              // what each output may be
  double cost = 1;                               // per multiply-accumulate, relative to int8 x int8
};

struct OperatorRow {
  std::vector<std::string> ops;  // {"*"}: all that no other row names
  std::string note;              // why it is so
  bool moves_data = false;       // integers go in and out with one scale
  bool quantized_by_default = true;
  std::vector<CombinationRow> combinations;  // the first that matches counts
};

struct TargetReport {
  std::string name, description;
  std::string fallback;     // policy for two 16-bit inputs, "v1" or "v2" (docs/config.md)
  bool asymmetric = false;  // int8 activations get zero points unless a config says otherwise
  std::optional<CompilerRow> compiler;
  bool shared_scales = false;          // one scale for all tensors that operators join which only move data
  std::vector<std::string> epilogues;  // operators that are computed on the accumulator in front of them
  std::vector<OperatorRow> operators;  // "*" last
};

// Names of the targets that are built in.
std::vector<std::string> target_names();

// One of them, or that of a file. Throws Error(kNotFound) with the names that there are.
TargetReport describe_target(std::string_view name_or_path);

std::string to_json(const TargetReport& report);
// {"targets": [...]}: of each everything but its operators.
std::string to_json(const std::vector<TargetReport>& reports);

}  // namespace twofold

#endif  // TWOFOLD_TARGETS_H_
