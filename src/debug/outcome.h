// Which remedies, put together, make a model good enough for the least.
#ifndef TWOFOLD_SRC_DEBUG_OUTCOME_H_
#define TWOFOLD_SRC_DEBUG_OUTCOME_H_

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "debug/examined.h"

namespace twofold {

// One remedy more.
struct RepairStep {
  Examined* examined = nullptr;
  const Remedy* remedy = nullptr;
  double gain = 0;  // of noise, alone
};

// What becomes of one node.
struct NodeLine {
  LevelConfig level;
  double added_cost = 0;
};
// By node.
using NodeLines = std::map<std::string, NodeLine>;

// The lines of all steps. What was found for a node by itself wins over what a group does to it, unless that is more.
NodeLines lines_of(const std::vector<RepairStep>& steps);
QuantConfig config_of(const NodeLines& lines);

struct Outcome {
  std::vector<RepairStep> steps;  // of which lines are
  NodeLines lines;
  Sensitivity model;  // with them

  double added_cost() const;
};

// The remedy that is taken of a suspect where as little as possible should be spent.
const Remedy* first_choice(const Examined& examined);

class OutcomeSearch {
 public:
  // Measures the model with each of these sets of lines.
  using Measure = std::function<std::vector<Sensitivity>(const std::vector<NodeLines>&)>;
  // Noise of every node alone.
  using NodeNoise = std::map<std::string, double>;

  // Keeps references: `limit`, which goes first, is one of what is examined, or nullptr. `noise` is that of the model
  // as it is, of these outputs.
  OutcomeSearch(std::vector<Examined>& nodes, std::vector<Examined>& kinds, Examined* limit, double noise,
                const NodeNoise& node_noise, const std::vector<size_t>& outputs, Measure measure)
      : nodes_(nodes),
        kinds_(kinds),
        limit_(limit),
        noise_(noise),
        node_noise_(node_noise),
        outputs_(outputs),
        measure_(std::move(measure)) {}

  // Nothing where nothing helps. What is not good enough with all of them ends with what makes it best.
  std::optional<Outcome> run();

 private:
  std::vector<RepairStep> sequence(Effort effort);
  Outcome fewest(const std::vector<RepairStep>& order);
  void leave_out(Outcome& outcome);
  bool is_better(const Outcome& a, const Outcome& b) const;
  double noise_of(const Sensitivity& model) const { return model.noise(outputs_); }
  bool is_good(const Sensitivity& model) const { return noise_of(model) <= kTolerableNoise; }

  std::vector<Examined>&nodes_, &kinds_;
  Examined* const limit_;
  const double noise_;
  const NodeNoise& node_noise_;
  const std::vector<size_t>& outputs_;
  const Measure measure_;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_DEBUG_OUTCOME_H_
