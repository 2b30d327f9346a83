// Precisions of kinds of operators where the config leaves them open (`all_node_type: auto`).
#ifndef TWOFOLD_SRC_QUANTIZE_CHOOSE_KINDS_H_
#define TWOFOLD_SRC_QUANTIZE_CHOOSE_KINDS_H_

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "plan/plan.h"
#include "plan/resolve.h"
#include "quantize/calibrate_plan.h"
#include "quantize/calibrated_model.h"

namespace twofold {

// All nodes of a type, products (Conv, MatMul, ...) and what only moves data aside, whose precision no config names.
struct OperatorKind {
  std::string op_type;
  size_t nodes = 0;
  std::map<QType, double> noise = {};  // output_noise with these alone quantized, of the precisions that were tried
  QType chosen = QType::kInt8;         // the cheapest that does not limit the model
};

struct KindChoice {
  double products = 0;              // output_noise with the products alone quantized, as the config says
  std::vector<OperatorKind> kinds;  // in graph order of their first nodes

  // Of the kinds that do not stay int8.
  KindPrecisions precisions() const;
};

// Together, the kinds that get 8 bits add at most this to the noise of the products: 1 dB.
inline constexpr double kNoiseBesideProducts = 0.25;

// Measures on the model's search samples what the products alone, and each kind alone, do to the outputs, and leaves at
// 8 bits what adds little; the others get 16 bits where that suffices, and else stay float. `plan` is the request's,
// calibrated.
KindChoice choose_kinds(CalibratedModel& model, const PlanRequest& request, Plan plan,
                        const std::function<void(int64_t done, int64_t total)>& progress = nullptr);

}  // namespace twofold

#endif  // TWOFOLD_SRC_QUANTIZE_CHOOSE_KINDS_H_
