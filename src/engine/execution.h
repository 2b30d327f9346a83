// The values of one run of a program, and running its steps on them.
#ifndef TWOFOLD_SRC_ENGINE_EXECUTION_H_
#define TWOFOLD_SRC_ENGINE_EXECUTION_H_

#include <memory>
#include <span>
#include <vector>

#include "engine/program.h"

namespace twofold {

// Not thread-safe; a program may have several at once.
class Execution {
 public:
  Execution(Executor::Program& program, const Executor::OnValue& on_value);
  ~Execution();
  Execution(const Execution&) = delete;
  Execution& operator=(const Execution&) = delete;

  // The tensor of a graph input, or of a value that is not to be computed.
  void set(ValueId id, Tensor tensor);
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
  std::shared_ptr<std::byte> memory_;  // of the program's pool
  std::span<Slot> slots_;              // by ValueId, in memory_
  std::vector<const Tensor*> arguments_;
  std::vector<Tensor> converted_constants_;
  std::vector<Tensor> results_;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_ENGINE_EXECUTION_H_
