// The steps of RNN, GRU and LSTM behind the products of their input, W·X, which may come from float32 numbers
// (ops/rnn.cc) or from integers (dialect/recurrence.cc). All of it is float32: products R·H have a fixed order of
// summation and the activations are numeric/math.h's.
#ifndef TWOFOLD_SRC_OPS_RECURRENCE_H_
#define TWOFOLD_SRC_OPS_RECURRENCE_H_

#include <functional>
#include <string_view>
#include <vector>

#include "ops/arguments.h"
#include "ops/op.h"
#include "ops/rnn_activation.h"

namespace twofold {

enum class Cell : uint8_t { kRnn, kGru, kLstm };

// The sizes of a call and what its attributes say.
struct Recurrence {
  Cell cell;
  int64_t steps, batch, hidden, directions;
  int64_t gates;        // of one direction: 1, 3 or 4 times hidden
  bool first_reversed;  // direction = "reverse"
  bool batch_first;     // layout = 1
  bool linear_before_reset, input_forget;
  float clip;
  std::vector<RnnActivation> activations;  // per direction
  IntList lengths;                         // per batch entry
};

// Reads all inputs of the ONNX operator but W, which the steps do not need, and of input 0 its first two dimensions.
// Throws Error(kInvalidModel) or Error(kInvalidArgument) for what does not fit.
Recurrence read_recurrence(const OpCall& call, Cell cell);

// Throws Error(kInvalidModel) unless the tensor has that shape.
void require_shape(const Tensor& tensor, const Shape& shape, std::string_view what);

// W·X of one direction, without biases: `gates` numbers for each step and batch entry.
struct InputProducts {
  const float* data;
  int64_t step_stride, entry_stride;

  const float* at(int64_t step, int64_t entry) const { return data + step * step_stride + entry * entry_stride; }
};

// Computes all outputs. `products` is called once per direction, and what it gives must live until it is called again.
void run_recurrence(OpCall& call, const Recurrence& s, const std::function<InputProducts(int64_t direction)>& products);

}  // namespace twofold

#endif  // TWOFOLD_SRC_OPS_RECURRENCE_H_
