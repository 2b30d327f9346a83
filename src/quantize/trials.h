// Trying changes of a quantized model: what comes out if some operands are made of other integers, or left float.
#ifndef TWOFOLD_SRC_QUANTIZE_TRIALS_H_
#define TWOFOLD_SRC_QUANTIZE_TRIALS_H_

#include <memory>
#include <optional>
#include <vector>

#include "engine/variant_runs.h"
#include "numeric/metrics.h"
#include "quantize/apply.h"
#include "quantize/calibrated_model.h"
#include "quantize/graph_parts.h"

namespace twofold {

// One operand of one reader, and what becomes of it. Other readers of the same tensor are not concerned.
struct OperandChange {
  NodeId node = kNone;
  OperandRef operand;
  // int8, int16, ec or float16 with its parameters, and the rounding of a weight; nothing: it stays float.
  std::optional<QParams> params;
  Rounding rounding = Rounding::kNearest;
  std::vector<float> bias_shift = {};  // as OperandQuantization's
};

// A base (a plan, or the float model) and variants of it. A variant is made as the whole model would be, by applying
// all of its operands and lowering the result; so it computes the same bits. What it has in common with the base is
// taken from there: weights that are packed, and the values of the search samples. Later operands quantize the values
// that they receive then. With the float model as the base, only the part of a variant that a change concerns is made
// (quantize/graph_parts.h). Not thread-safe, but a copy, which has the same base, may be used by another thread.
class Trials {
 public:
  struct Options {
    // Bytes of values that the base keeps; 0: nothing is kept, as where variants share next to nothing.
    size_t memory_cap = size_t{1} << 30;
    // Bytes from which on a value is kept at all; smaller ones are computed again.
    size_t keep_from = 0;
    // 0: those of the model. For trials side by side, 1.
    int threads = 0;
  };

  Trials(CalibratedModel& model, const Options& options);

  // Makes the graph with these operands the base; none: the float model. Returns its errors.
  MetricMeans set_base(std::vector<OperandQuantization> operands);
  // The operands of the base as they are changed.
  std::vector<OperandQuantization> changed(const std::vector<OperandChange>& changes) const;

  // Runs the search samples with these operands and returns the errors of all outputs against the float model. Ends
  // early, with nothing, once `metric` can no longer come out better than `to_beat`.
  std::optional<MetricMeans> measure(std::vector<OperandQuantization> operands, Metric metric,
                                     std::optional<double> to_beat = std::nullopt);
  // The same to the end, of every sample and output by themselves: [sample][output].
  std::vector<std::vector<ErrorSums>> errors(std::vector<OperandQuantization> operands);
  // The same of any other form of the model's graph, with operators in between, say: to the end.
  std::vector<std::vector<ErrorSums>> errors(Graph variant);
  // Makes what was measured last the base, for which what it computed is computed once more: most variants are given
  // up, and keep nothing. REQUIRES: it was measured to the end.
  void accept();

  const VariantCounters& counters() const { return runs_.counters(); }

 private:
  void prepare(std::vector<OperandQuantization> operands);
  void prepare(Graph variant);
  void prepare_whole(const std::vector<OperandQuantization>& operands);
  bool prepare_part(const std::vector<OperandQuantization>& operands);
  void find_parts();
  std::vector<std::vector<ErrorSums>> errors_of_last();
  std::vector<Tensor> run(size_t sample);

  CalibratedModel& model_;
  VariantRuns runs_;
  std::vector<OperandQuantization> base_, last_;
  std::shared_ptr<VariantRuns::Variant> last_variant_;
  bool last_is_part_ = false;
  std::shared_ptr<const GraphParts> parts_;  // of the float model, where that is the base
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_QUANTIZE_TRIALS_H_
