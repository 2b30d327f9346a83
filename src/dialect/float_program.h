// A chain of element-wise float32 operators that runs on blocks in the cache: what stands between exact accumulators,
// or integers, and the integers that come out. It computes what the operators compute one after the other, to the bit.
#ifndef TWOFOLD_SRC_DIALECT_FLOAT_PROGRAM_H_
#define TWOFOLD_SRC_DIALECT_FLOAT_PROGRAM_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "graph/attribute.h"
#include "ops/float_steps.h"
#include "twofold/dtype.h"

namespace twofold {

// How an operand or output is stored: integers of 8 or 16 bits, or float32 as it is.
struct StoredForm {
  DType dtype = DType::kFloat32;
  float scale = 1;
  int32_t zero_point = 0;
  int32_t low = 0, high = 0;  // what outputs are clamped to: within the type
};

// The form with the whole range of its type.
StoredForm stored_form(DType dtype, float scale, int32_t zero_point);

// Lists of forms as attributes <prefix>_dtypes, _scales, _zero_points, _lows, _highs of a node that no file holds; no
// forms where the attributes hold none. Throws Error(kInvalidModel) naming an attribute that does not fit the others,
// holds another type than the above or float64, or a number that the type does not have.
void write_forms(Attributes& attributes, const std::string& prefix, const std::vector<StoredForm>& forms);
std::vector<StoredForm> read_forms(const Attributes& attributes, const std::string& prefix);

struct FloatProgram {
  FloatSteps steps;
  std::vector<StoredForm> operands;
  std::vector<StoredForm> outputs;

  bool empty() const { return steps.empty(); }
  // As attributes of a node that no file holds.
  void write(Attributes& attributes) const;
  static void erase(Attributes& attributes);
  // Nothing where the attributes hold no program. Throws Error(kInvalidModel) naming an attribute that does not fit.
  static std::optional<FloatProgram> read(const Attributes& attributes);
};

// n elements from `offset` on in float32: dequantized to `scratch`, or where they lie if they are float32.
const float* load_stored(const StoredForm& form, const void* data, int64_t offset, int64_t n, float* scratch);
// Quantizes [rows, columns] elements to rows that begin `row_stride` elements apart, from `data` on; float32 is copied.
void save_stored(const StoredForm& form, const float* values, int64_t rows, int64_t columns, void* data,
                 int64_t row_stride);

// Runs one step on n elements of y; x are those of the step's operand, if it has one, with a step of 1, or 0 for one
// value for all.
void run_step(const FloatStep& step, float* y, int64_t n, const float* x, int64_t x_step);

}  // namespace twofold

#endif  // TWOFOLD_SRC_DIALECT_FLOAT_PROGRAM_H_
