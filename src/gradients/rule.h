// How the gradient goes through one operator: what a rule is, and what it may ask and do.
#ifndef TWOFOLD_SRC_GRADIENTS_RULE_H_
#define TWOFOLD_SRC_GRADIENTS_RULE_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "gradients/backward_graph.h"

namespace twofold {

// One node of the forward graph while the gradient is led through it. Given dy, the gradients of its outputs, a rule
// adds those of its inputs.
class RuleCall {
 public:
  // `dy`: per output of the node, undefined where no gradient comes; at least one does. `wanted`: per input.
  RuleCall(BackwardGraph& backward, const Node& node, std::vector<Term> dy, std::vector<bool> wanted)
      : backward_(backward), node_(node), dy_(std::move(dy)), wanted_(std::move(wanted)), dx_(node.inputs.size()) {}

  const Node& node() const { return node_; }
  const Attributes& attributes() const { return node_.attributes; }
  BackwardGraph& backward() { return backward_; }
  int num_inputs() const { return static_cast<int>(node_.inputs.size()); }
  bool has_input(int i) const { return node_.input(i) != kNone; }
  // Whether the gradient of input i is of use.
  bool wants(int i) const { return i < num_inputs() && wanted_[static_cast<size_t>(i)]; }
  bool has_dy(int i) const { return i < static_cast<int>(dy_.size()) && dy_[static_cast<size_t>(i)].defined(); }

  // The gradient of output i; zeros where none comes.
  Term dy(int i = 0);
  // Forward values: input i and output i.
  Term x(int i = 0) { return backward_.value(node_.input(i)); }
  Term y(int i = 0) { return backward_.value(node_.output(i)); }
  // The forward inputs from the second on, for a node like this one on another first input.
  std::vector<Term> inputs_after(Term first);
  // Throws Error(kInvalidModel) if the input is omitted.
  const Shape& x_shape(int i = 0) const;
  const Shape& y_shape(int i = 0) const { return backward_.shape(node_.output(i)); }
  int64_t rank(int i = 0) const { return static_cast<int64_t>(x_shape(i).size()); }
  // The attribute `name` counted from the front of input 0.
  int64_t axis(std::string_view name, int64_t fallback) const;
  // The integers of a constant input; absent where they are known only at run time, or where the input is omitted.
  std::optional<std::vector<int64_t>> ints(int i) const;

  // Adds to the gradient of input i a term of its shape. Does nothing where it is not wanted.
  void add(int i, Term gradient);
  // The same for a term that has the shape of output 0, to which the input was broadcast.
  void add_broadcast(int i, Term gradient);
  // Says that a part of the gradient of input i is missing, and why; nothing where it is not wanted.
  void lacks(int i, std::string why);

  // What came of it, per input.
  const std::vector<Term>& dx() const { return dx_; }
  const std::vector<int>& lacking() const { return lacking_; }
  const std::string& why() const { return why_; }

 private:
  BackwardGraph& backward_;
  const Node& node_;
  std::vector<Term> dy_;
  std::vector<bool> wanted_;
  std::vector<Term> dx_;
  std::vector<int> lacking_;
  std::string why_;
};

struct RuleDef {
  std::string_view op_type;
  // Reads nothing of a forward value that it does not need: whoever runs the graph must keep it.
  void (*lead)(RuleCall& call) = nullptr;  // nullptr: results are constant around almost every input, so no gradient
};

// The rule of a node; nullptr where there is none.
const RuleDef* find_rule(const Node& node);

}  // namespace twofold

#endif  // TWOFOLD_SRC_GRADIENTS_RULE_H_
