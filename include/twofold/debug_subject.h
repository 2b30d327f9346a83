// What the debugger looks at: a float model, the precisions that are tested, and samples.
#ifndef TWOFOLD_DEBUG_SUBJECT_H_
#define TWOFOLD_DEBUG_SUBJECT_H_

#include <cstdint>
#include <filesystem>
#include <string>

#include "twofold/config_source.h"
#include "twofold/job.h"
#include "twofold/samples.h"

namespace twofold {

// What the debugger keeps of float values where nobody says how much.
inline constexpr uint64_t kDebugMemory = uint64_t{4} << 30;

struct DebugSubject {
  // A float model; empty: as the config says. A file that quantize() wrote stands for its float model and its plan;
  // then config and plan stay empty.
  std::filesystem::path model;
  // Of such a file the float model. Empty: the one that the file names, beside it, in the folder above, or in the
  // current one.
  std::filesystem::path float_model;
  Samples data;  // empty: as the config says
  // What is tested: the precisions that a config asks for, calibrated and searched as quantize() does, or those of a
  // plan file, with its scales.
  ConfigSource config;
  std::string target;          // as QuantizeOptions'; beside a plan only for what its remedies may be
  std::filesystem::path plan;  // empty: the config decides

  uint64_t memory_bytes = kDebugMemory;  // of float values that are kept; others are computed again
  int threads = 0;                       // 0: all cores
  Progress progress = nullptr;
  Cancelled cancelled = nullptr;
};

}  // namespace twofold

#endif  // TWOFOLD_DEBUG_SUBJECT_H_
