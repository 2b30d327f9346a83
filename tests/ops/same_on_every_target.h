// Runs an operator for every SIMD target and number of threads, and expects the same bytes from all.
#ifndef TWOFOLD_TESTS_OPS_SAME_ON_EVERY_TARGET_H_
#define TWOFOLD_TESTS_OPS_SAME_ON_EVERY_TARGET_H_

#include "numeric/for_each_target.h"
#include "ops/run_op.h"

namespace twofold::testing {

// The outputs of the node, which must be the same bytes for every target and for 1 and 2 threads.
inline std::vector<Tensor> run_op_everywhere(const std::string& op_type, const std::vector<Tensor>& inputs,
                                             const AttributeList& attributes = {}, int num_outputs = 1) {
  const std::vector<Tensor> expected = run_op(op_type, inputs, attributes, num_outputs);
  for_each_target([&](const char* target) {
    for (int threads : {1, 2}) {
      const std::vector<Tensor> outputs = run_op(op_type, inputs, attributes, num_outputs, threads);
      for (size_t i = 0; i < outputs.size(); ++i) {
        SCOPED_TRACE(fmt::format("{} on {} with {} threads, output {}", op_type, target, threads, i));
        expect_same(outputs[i], expected[i]);
      }
    }
  });
  return expected;
}

}  // namespace twofold::testing

#endif  // TWOFOLD_TESTS_OPS_SAME_ON_EVERY_TARGET_H_
