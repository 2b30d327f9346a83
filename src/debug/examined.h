// What is known of a suspect.
#ifndef TWOFOLD_SRC_DEBUG_EXAMINED_H_
#define TWOFOLD_SRC_DEBUG_EXAMINED_H_

#include <optional>
#include <vector>

#include "debug/causes.h"
#include "debug/remedies.h"

namespace twofold {

// The noise of an output whose cosine similarity is 0.999: what counts as good enough.
inline constexpr double kTolerableNoise = 2e-3;

// A suspect, what was tried on it, and why it loses accuracy.
struct Examined {
  Suspect suspect;
  bool is_gemm = false;                   // one node, a product of two inputs
  std::vector<Remedy> remedies = {};      // cheapest first
  std::optional<size_t> chosen = {};      // of them; nothing helps where there is none
  std::vector<OperandCause> causes = {};  // of its operands, the worst first; of single nodes
  bool needed = false;                    // its remedy is part of the outcome

  const Remedy* remedy() const { return chosen ? &remedies[*chosen] : nullptr; }
  // `remedy` is one of its own, or nullptr.
  void choose(const Remedy* remedy);
  // It matters by itself; neither input alone at 16 bits leaves at most a fifth of its noise, and both do.
  bool both_inputs() const;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_DEBUG_EXAMINED_H_
