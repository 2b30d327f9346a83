// What the choice of precisions for kinds of operators has to say to the user.
#ifndef TWOFOLD_SRC_QUANTIZE_KIND_NOTES_H_
#define TWOFOLD_SRC_QUANTIZE_KIND_NOTES_H_

#include "plan/plan.h"
#include "quantize/choose_kinds.h"

namespace twofold {

// Whether any input of a product (Conv, MatMul, ...) gets 16 bits while another kind of operator has 8.
bool raises_products(const Plan& plan);

// Adds a note per kind that does not get 8 bits where that was chosen; else per kind that limits the model at 8 bits.
void add_notes(const KindChoice& choice, bool chosen, Plan& plan);

}  // namespace twofold

#endif  // TWOFOLD_SRC_QUANTIZE_KIND_NOTES_H_
