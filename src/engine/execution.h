// The values of one run of a program, and running its steps on them.
#ifndef TWOFOLD_SRC_ENGINE_EXECUTION_H_
#define TWOFOLD_SRC_ENGINE_EXECUTION_H_

#include <vector>

#include "engine/program.h"

namespace twofold {

// Not thread-safe; a program may have several at once.
class Execution {
 public:
  Execution(Executor::Program& program, const Executor::OnValue& on_value)
      : program_(program), on_value_(on_value), slots_(static_cast<size_t>(program.graph.num_values())) {}

  // The tensor of a graph input, or of a value that is not to be computed.
  void set(ValueId id, Tensor tensor);
  bool has(ValueId id) const { return slots_[static_cast<size_t>(id)].tensor.defined(); }
  void drop(ValueId id) { slot(id) = Slot(); }
  // Runs a step whose arguments are there.
  void execute(const Step& step);
  // A value that is there, in whatever layout.
  const Tensor& value(ValueId id) const;
  // The same in plain layout.
  Tensor output(ValueId id) const;

 private:
  // A value in up to two layouts.
  struct Slot {
    Tensor tensor;
    Tensor other;  // the same in the layout that `tensor` is not in, once someone has asked for it
  };

  Slot& slot(ValueId id) { return slots_[static_cast<size_t>(id)]; }
  const Tensor* resolve(const Argument& argument);

  Executor::Program& program_;
  const Executor::OnValue& on_value_;
  std::vector<Slot> slots_;
  std::vector<const Tensor*> arguments_;
  std::vector<Tensor> converted_constants_;
  std::vector<Tensor> results_;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_ENGINE_EXECUTION_H_
