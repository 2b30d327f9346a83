// A node of every operator that Twofold runs, with inputs, so that what its row of the traits says can be tried.
#ifndef TWOFOLD_TESTS_TRAITS_OP_EXAMPLES_H_
#define TWOFOLD_TESTS_TRAITS_OP_EXAMPLES_H_

#include <set>
#include <string>
#include <vector>

#include "ops/run_op.h"

namespace twofold::testing {

struct OpExample {
  std::string op_type;
  std::vector<Tensor> inputs;  // undefined: omitted
  AttributeList attributes = {};
  int num_outputs = 1;
  std::set<size_t> fixed = {};  // float32 inputs that are so whatever the type of the data

  // The inputs that are of the same type as the data: the float32 ones that are not fixed.
  bool is_data(size_t i) const {
    return inputs[i].defined() && inputs[i].dtype() == DType::kFloat32 && !fixed.contains(i);
  }
};

// All but If, Loop and Scan, whose types are those of their bodies.
std::vector<OpExample> op_examples();

}  // namespace twofold::testing

#endif  // TWOFOLD_TESTS_TRAITS_OP_EXAMPLES_H_
