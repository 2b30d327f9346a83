// What Statistics holds.
#ifndef TWOFOLD_SRC_API_STATISTICS_STATE_H_
#define TWOFOLD_SRC_API_STATISTICS_STATE_H_

#include <utility>

#include "calibrate/model_statistics.h"
#include "twofold/statistics.h"

namespace twofold {

struct Statistics::State {
  explicit State(ModelStatistics with) : statistics(std::move(with)) {}

  ModelStatistics statistics;
};

}  // namespace twofold

#endif  // TWOFOLD_SRC_API_STATISTICS_STATE_H_
