// Data that a model can hardly have been made for.
#ifndef TWOFOLD_SRC_QUANTIZE_INPUT_NOTES_H_
#define TWOFOLD_SRC_QUANTIZE_INPUT_NOTES_H_

#include <string>
#include <vector>

#include "quantize/calibrated_model.h"

namespace twofold {

// A sentence each: there is a single sample; an input is the same number everywhere; an image looks divided by 255 once
// too often, or not at all, beside what the first layer adds to what it makes of it. Of inputs that the model has
// statistics of. Needs data; runs the model once on the first sample.
std::vector<std::string> input_notes(CalibratedModel& model);

}  // namespace twofold

#endif  // TWOFOLD_SRC_QUANTIZE_INPUT_NOTES_H_
