// A float model and the integers of its operands, as somebody else has found them, to a quantized model.
#ifndef TWOFOLD_QUANTIZE_OPERANDS_H_
#define TWOFOLD_QUANTIZE_OPERANDS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace twofold {

// The integers of one operand of one node.
struct OperandIntegers {
  std::string node;
  std::string operand;              // "input0", "output0"
  std::string precision;            // "int8", "int16", "ec"
  std::vector<float> scale;         // one, or one for each index of `axis`; of ec the first digit's
  std::vector<int32_t> zero_point;  // as many, or none: 0
  int axis = -1;                    // of a constant; -1: one scale
};

// An ONNX file's bytes to those of the same model with QuantizeLinear and DequantizeLinear at these operands, and
// biases in integers where both inputs of their node are, as `quantize` writes it (docs/numerics.md). The model is
// taken as it is: nothing is simplified, and what is not named stays float32. `label` stands for the model in messages.
// Throws Error(kInvalidModel) for a model that is none, Error(kInvalidArgument) naming node and operand for one that
// the model has not, or whose scales do not fit it.
std::string quantize_operands(std::span<const std::byte> model, const std::vector<OperandIntegers>& operands,
                              const std::string& label = "model");

// The same as a plan file's text, for the model as `quantize` simplifies it: `quantize --from-plan` makes the quantized
// model of it, and `--by-name` carries it over to another one. What is asked of an Identity, which is simplified away,
// its readers get. Its notes name what else simplification leaves without a node. Throws as quantize_operands().
std::string plan_of_operands(std::span<const std::byte> model, const std::vector<OperandIntegers>& operands,
                             const std::string& label = "model");

}  // namespace twofold

#endif  // TWOFOLD_QUANTIZE_OPERANDS_H_
