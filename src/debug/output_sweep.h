// The backward sweep from one output of a model to what units do, on the values of samples.
#ifndef TWOFOLD_SRC_DEBUG_OUTPUT_SWEEP_H_
#define TWOFOLD_SRC_DEBUG_OUTPUT_SWEEP_H_

#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "debug/local_errors.h"
#include "engine/executor.h"
#include "gradients/backward.h"

namespace twofold {

// Thread-safe once it is made.
class OutputSweep {
 public:
  // `output`: by position. `shapes`: of all values but constants; the sweep is for samples with these. `wanted`: float
  // results of nodes, where errors come in.
  OutputSweep(const Graph& graph, size_t output, std::map<ValueId, Shape> shapes, const std::set<ValueId>& wanted);

  const std::map<ValueId, Shape>& shapes() const { return shapes_; }

  // Why the gradient of a value does not say what its error does to the output; empty where it does, as it does of
  // everything that the output does not depend on. `value` is wanted, or holds no floats.
  std::string flaw(ValueId value) const;

  // <v, J e> per unit: e are its local errors, v the cotangent of the output (float32), J the derivative of the output.
  std::vector<double> project(const SampleValues& values, const std::vector<LocalError>& errors,
                              const Tensor& cotangent, size_t units) const;

 private:
  const std::map<ValueId, Shape> shapes_;
  const std::set<ValueId> wanted_;
  std::set<ValueId> above_;                    // what the output is computed from
  Backward backward_;                          // its graph without the gradients as outputs: they are watched
  std::multimap<ValueId, ValueId> gradients_;  // of the backward graph -> forward
  std::string without_rule_;                   // "node 'gru' (GRU): no rule for GRU; ..."
  std::unique_ptr<const Executor> executor_;   // none where nothing has a gradient
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_DEBUG_OUTPUT_SWEEP_H_
