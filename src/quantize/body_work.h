// What is computed inside of If, Loop and Scan, whose bodies get no integers.
#ifndef TWOFOLD_SRC_QUANTIZE_BODY_WORK_H_
#define TWOFOLD_SRC_QUANTIZE_BODY_WORK_H_

#include <optional>
#include <string>

#include "quantize/calibrated_model.h"

namespace twofold {

// "97 % of the multiplications are inside of Loop 'decoder', ...", of a run over the first sample; nothing where no
// body has a product. Runs such bodies once more. Needs data.
std::optional<std::string> body_work_note(CalibratedModel& model);

}  // namespace twofold

#endif  // TWOFOLD_SRC_QUANTIZE_BODY_WORK_H_
