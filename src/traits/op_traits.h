// What Twofold knows of each operator of ONNX's own domain, beside how to compute it: one row per operator. Every layer
// above asks here, and none keeps a list of operators of its own.
//
// The rows stand in one file per family (traits_*.cc). tests/traits runs every operator and holds its row against what
// it does.
#ifndef TWOFOLD_SRC_TRAITS_OP_TRAITS_H_
#define TWOFOLD_SRC_TRAITS_OP_TRAITS_H_

#include <array>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "graph/graph.h"

namespace twofold {

// Which inputs carry the numbers that can be quantized. Bias, shapes, indices, pads and limits do not.
enum class DataInputs : uint8_t { kNone, kFirst, kFirstTwo, kFirstThree, kAll, kSecondAndThird, kFirstAndThird };

// What an operator does to the numbers of its data inputs (of input 0, where it has no data inputs).
enum class Effect : uint8_t {
  kOther,
  kMoves,          // gives each of them, at another place or several times, and nothing else but what it fills in
  kTakesPart,      // the same, but leaves some out
  kPicksLargest,   // the largest of each window
  kClamps,         // each stays, or becomes a limit
  kElementwise,    // each result is a function of the numbers at its place
  kByRow,          // rows, channels or windows, each by itself
  kProducts,       // sums of products of two inputs: the Gemm type
  kOtherProducts,  // sums of products of another form: Einsum, recurrent networks
  kConverts,       // to integers and back
  kReadsShape,     // does not look at them
};

// The shape of output 0.
enum class ShapeRule : uint8_t {
  kOther,
  kSame,       // that of input 0
  kBroadcast,  // that of all inputs, broadcast
};

// The leading dimensions of which each slice is treated by itself and alike (ops/independent_dims.h), where the
// operator is not element-wise.
enum class Slices : uint8_t { kNone, kBeforeAxis, kBatchAndChannels, kBeforeReduced };

// The element type of an output.
enum class TypeRule : uint8_t { kUnknown, kInput0, kInput1, kInput2, kBool, kInt32, kInt64, kUInt8, kFloat32 };

// Element types of input 0 that an operator is computed in, as bits.
inline constexpr uint8_t kTakesFloat32 = 1, kTakesFloat64 = 2, kTakesFloat16 = 4;  // float16 and bfloat16
inline constexpr uint8_t kTakesInt8 = 8;  // 8-bit integers, here and by ONNX's definition
inline constexpr uint8_t kTakesFloats = kTakesFloat32 | kTakesFloat64 | kTakesFloat16;
inline constexpr uint8_t kTakesAll = kTakesFloats | kTakesInt8;

// Of operators that have any number of outputs.
inline constexpr int kManyOutputs = std::numeric_limits<int>::max();

struct OpTraits {
  std::string_view op_type;
  std::string_view inputs = "f";  // which there are, and their types, as a pattern (traits/signature.h)
  int min_outputs = 1, max_outputs = 1;
  std::array<std::string_view, 2> required_attributes = {};  // those without a default
  DataInputs data = DataInputs::kNone;
  Effect effect = Effect::kOther;
  ShapeRule shape = ShapeRule::kOther;
  Slices slices = Slices::kNone;
  uint8_t takes = kTakesFloats;
  bool quantized = false;       // its data inputs are quantized unless a config or a target says otherwise
  uint8_t ec = 0;               // bit i: input i can be `ec`
  bool all_outputs = false;     // every output carries data, not only the first; there may be any number of them
  bool fills = false;           // puts in numbers of its own: zeros, or a given one
  bool never_negative = false;  // certainly
  // Certainly: f(2^k x) = 2^k f(x) to the bit, x being input 0, where nothing gets too small; and continuous. So what
  // rounding its input does to its results is no more, beside their range, than what it does to the input.
  bool homogeneous = false;
  // False: not computed ahead of time, though its inputs are constants.
  bool folds = true;
  TypeRule type = TypeRule::kInput0;          // of output 0, unless `type_attribute` says it
  std::string_view type_attribute = {};       // names a type, or holds a tensor of it
  TypeRule other_types = TypeRule::kUnknown;  // of the other outputs
  int opset = 0;                              // that it came with, where Twofold's own (onnx/export.h) lacks it
  bool runs = true;                           // false: known by name only
};

// The row; nullptr for operators that Twofold does not know.
const OpTraits* find_traits(std::string_view op_type);

// The row of a node; for operators of other domains, and those that Twofold does not know, one that says nothing.
const OpTraits& traits_of(const Node& node);
// The same by name, for ONNX's own domain.
const OpTraits& traits_of(std::string_view op_type);

// All rows, by family.
std::vector<OpTraits> all_traits();

// True for the effects that give only numbers that went in, or clamp them: what can be done to integers with one scale.
bool moves_numbers(Effect effect);

// The operator does that to data inputs, so that a plan lets integers through it with one scale.
bool moves_data(const OpTraits& traits);

// Integers stand for themselves behind the operator, whatever their scale and zero point: a mover that ONNX defines on
// 8-bit integers. It may fill in zeros.
bool moves_integers(const OpTraits& traits);

// Indices of the data inputs that are there: Conv 0 and 1, Add 0 and 1, Concat all, Resize 0, GridSample 0.
std::vector<int> data_inputs(const Node& node);
// The number of outputs that carry data.
int num_data_outputs(const Node& node);

// True where `ec` works: input1 (the weight) of Conv and ConvTranspose, either input of MatMul and Gemm, input0 of
// GridSample and Resize.
bool takes_ec(std::string_view op_type, int input);

// The families.
std::span<const OpTraits> elementwise_traits();
std::span<const OpTraits> row_traits();  // pools, normalizations, reductions
std::span<const OpTraits> movement_traits();
std::span<const OpTraits> other_traits();  // sums of products, sampling, shapes, quantization, control flow

}  // namespace twofold

#endif  // TWOFOLD_SRC_TRAITS_OP_TRAITS_H_
