// The debugger: which nodes, weights and activations lose a quantized model's accuracy, why, and what helps.
#ifndef TWOFOLD_DEBUG_H_
#define TWOFOLD_DEBUG_H_

#include "twofold/compare_dumps.h"
#include "twofold/debug_all.h"
#include "twofold/debug_subject.h"
#include "twofold/distributions.h"
#include "twofold/error_curves.h"
#include "twofold/findings.h"
#include "twofold/sensitive_samples.h"
#include "twofold/sensitivity.h"
#include "twofold/sensitivity_analysis.h"

#endif  // TWOFOLD_DEBUG_H_
