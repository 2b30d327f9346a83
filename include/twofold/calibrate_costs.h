// What a multiply-accumulate costs on this CPU at the precisions of its operands, as a target file says it.
#ifndef TWOFOLD_CALIBRATE_COSTS_H_
#define TWOFOLD_CALIBRATE_COSTS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "twofold/quantize.h"
#include "twofold/targets.h"

namespace twofold {

struct CostOptions {
  std::string target = "cpu";  // a name or a file
  int threads = 1;             // 0: all cores
  double seconds = 0.3;        // to spend on each layer at each precision
  Progress progress = nullptr;
  Cancelled cancelled = nullptr;
};

// A layer that is timed: its activations come from one like it and go to one like it.
struct CostLayer {
  std::string name;  // "Conv 3x3"
  Shape input;       // of its input and of its output
  int64_t macs = 0;
};

// Two operand precisions. An ec operand runs as one of 16 bits and stands under int16.
struct CostRow {
  std::string a, b;                 // int8, int16 or float32
  std::vector<double> picoseconds;  // of one multiply-accumulate, by layer; conversions between layers included
  double cost = 1;                  // time of all layers, relative to that at int8 x int8
};

struct CostReport {
  std::string target;
  int threads = 0;
  std::vector<CostLayer> layers;
  std::vector<CostRow> rows;
  // Of the target's rule for Conv, in its order, with measured costs: the geometric mean over pairs that a combination
  // is the first to match. One that has only pairs with float16, which nothing here runs in, keeps its cost.
  std::vector<CombinationRow> combinations;
};

// Measures every pair of precisions that the target grants two inputs of a Conv.
// Throws Error(kNotFound) if there is no such target.
CostReport calibrate_costs(const CostOptions& options = {});

// A combination as a line of a target file, its cost rounded to one digit: "- {inputs: [int16, int8], cost: 1.9}".
std::string target_line(const CombinationRow& combination);

std::string to_json(const CostReport& report);

}  // namespace twofold

#endif  // TWOFOLD_CALIBRATE_COSTS_H_
