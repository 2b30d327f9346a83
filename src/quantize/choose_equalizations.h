// Choosing which tensors are equalized, by what comes out of the quantized model.
#ifndef TWOFOLD_SRC_QUANTIZE_CHOOSE_EQUALIZATIONS_H_
#define TWOFOLD_SRC_QUANTIZE_CHOOSE_EQUALIZATIONS_H_

#include <optional>
#include <string>

#include "plan/plan.h"
#include "quantize/calibrated_model.h"

namespace twofold {

// Tries to equalize every tensor that the plan makes int8 of and whose channels are uneven, site by site, with what the
// site computes and reads quantized and everything else float; keeps what lowers the error of the model's outputs on
// the search samples, and all of it only if it lowers that of the whole quantized model, which is equalized then. A Mul
// is inserted only where the target multiplies floats.
// Returns a note of what was done, if there is something to say: where the statistics came from elsewhere they are
// those of the model as it is, and nothing is tried. REQUIRES: the plan is model.resolved(); nothing is calibrated.
// Cost: one run over the search samples; for each uneven tensor, up to four of what depends on it.
std::optional<std::string> choose_equalizations(CalibratedModel& model, const Target& target, const Plan& plan,
                                                const CalibratedModel::OnSample& progress);

}  // namespace twofold

#endif  // TWOFOLD_SRC_QUANTIZE_CHOOSE_EQUALIZATIONS_H_
