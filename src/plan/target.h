// What a piece of hardware can do: targets/<name>.yaml. docs/config.md describes the format.
#ifndef TWOFOLD_SRC_PLAN_TARGET_H_
#define TWOFOLD_SRC_PLAN_TARGET_H_

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "twofold/dtype.h"

namespace twofold {

// What happens to a Gemm-type operator with two 16-bit inputs. kV1: the more sensitive one stays 16-bit and the other
// becomes int8; kV2: both stay, as far as the target's combinations let them.
enum class FallbackPolicy : uint8_t { kV1, kV2 };
std::string_view to_string(FallbackPolicy policy);

// Precisions that an operator takes at the same time.
struct Combination {
  std::vector<std::vector<QType>> inputs;  // per data input the precisions it may have; the last repeats
  std::vector<QType> outputs;              // what each output may be
  double cost = 1;                         // per multiply-accumulate, relative to int8 x int8

  // The precisions of data input `i` (counted among data inputs).
  const std::vector<QType>& input(size_t i) const { return inputs[std::min(i, inputs.size() - 1)]; }
  bool matches(std::span<const QType> qtypes) const;
  bool operator==(const Combination&) const = default;
};

struct OperatorRule {
  std::string note;  // what a fallback's reason adds, e.g. "at most one input has 16 bits"
  // Against what the operator's traits say: false is float32 unless an op, subgraph or node config asks.
  std::optional<bool> quantized_by_default;
  std::vector<Combination> combinations;  // the first that matches counts

  bool operator==(const OperatorRule&) const = default;
};

struct CompilerRequirement {
  std::string name;         // "the Journey 6 compiler"
  std::string min_version;  // "4.3.3"
  std::string reason;       // what older ones cannot do
};

struct Target {
  std::string name;
  std::string description;
  FallbackPolicy fallback = FallbackPolicy::kV2;  // where the user does not say
  std::optional<CompilerRequirement> compiler;
  bool asymmetric = false;  // whether int8 activations get zero points where no config says anything
  // Element-wise operators of one tensor (activations, arithmetic with a constant) that are computed on the accumulator
  // of the Gemm-type operator in front of them, before anything is quantized.
  std::set<std::string, std::less<>> epilogues;
  // Integers have one scale all the way that operators only move or clamp them, whoever reads them: nothing quantizes a
  // tensor again for one of its readers.
  bool shared_scales = false;
  std::map<std::string, OperatorRule, std::less<>> operators;
  OperatorRule others;  // for operators that have no rule of their own

  const OperatorRule& rule(std::string_view op_type) const;
  // Whether an operator that no config names is quantized: as its traits say, unless the rule says otherwise.
  bool quantizes_by_default(std::string_view op_type) const;
  // Cost per multiply-accumulate of an operator with these precisions of its data inputs; that of the dearest
  // combination where none matches.
  double cost(std::string_view op_type, std::span<const QType> inputs) const;
};

// Reads a target. `label` stands for the file in messages. Throws Error(kInvalidArgument) "label:line: ...".
Target parse_target(std::string_view text, std::string_view label);

// The target of that name, or of that file if the argument ends in .yaml, .yml or .json or holds a '/'.
// Throws Error(kNotFound) with the names there are.
Target load_target(std::string_view name_or_path);

// Names of the targets that are built in, in alphabetical order.
std::vector<std::string> list_targets();

// Throws Error(kUnsupported) with the reason if the target needs a newer compiler than `version` ("4.3.2"), and
// Error(kInvalidArgument) if that is not a version.
void check_compiler_version(const Target& target, std::string_view version);

// A target that is part of the binary; the build makes the list from targets/*.yaml.
struct BuiltInTarget {
  std::string_view name;
  std::string_view text;
};
std::span<const BuiltInTarget> built_in_targets();

}  // namespace twofold

#endif  // TWOFOLD_SRC_PLAN_TARGET_H_
