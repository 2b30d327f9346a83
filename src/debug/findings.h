// A diagnosis in words: what limits the model, why, and the lines that help.
#ifndef TWOFOLD_SRC_DEBUG_FINDINGS_H_
#define TWOFOLD_SRC_DEBUG_FINDINGS_H_

#include <string>
#include <vector>

#include "debug/diagnosis.h"

namespace twofold {

enum class FindingKind : uint8_t {
  kLimit,    // the kind or block of operators that limits the model
  kBoth,     // an operator that needs 16 bits in both inputs
  kOperand,  // an operator that needs something else
  kNote,     // worth knowing, and nothing to do
};
std::string_view to_string(FindingKind kind);  // "limit", "both", "operand", "note"

struct Finding {
  FindingKind kind = FindingKind::kNote;
  std::string title, text;  // one sentence; some more
  std::vector<std::string> nodes;
  std::string remedy;  // in a few words; empty: nothing helps, or is needed
  QuantConfig lines;   // for the config
};

// What limits the model first, then what is needed besides, in the order of what it gains, then notes.
std::vector<Finding> findings_of(const Diagnosis& diagnosis, const std::vector<size_t>& outputs);

}  // namespace twofold

#endif  // TWOFOLD_SRC_DEBUG_FINDINGS_H_
