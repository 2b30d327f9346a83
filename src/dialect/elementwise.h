// A float program over tensors that broadcast, as twofold.Elementwise runs it.
#ifndef TWOFOLD_SRC_DIALECT_ELEMENTWISE_H_
#define TWOFOLD_SRC_DIALECT_ELEMENTWISE_H_

#include <span>

#include "dialect/float_program.h"
#include "ops/op.h"

namespace twofold {

// Output i of the call = output i of the program, on inputs[0] and the program's operands, inputs[1] and on: at most 3
// in all. `first` says how inputs[0] is stored.
// Throws Error(kInvalidModel) if the shapes do not broadcast or an input has another type than its form.
void run_elementwise(const FloatProgram& program, const StoredForm& first, std::span<const Tensor* const> inputs,
                     OpCall& call);

// Throws Error(kInvalidModel) naming the input if it has another type than `form`.
void require_form(const Tensor& tensor, const StoredForm& form, int input);

}  // namespace twofold

#endif  // TWOFOLD_SRC_DIALECT_ELEMENTWISE_H_
