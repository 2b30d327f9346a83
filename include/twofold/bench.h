// How fast a model runs here, and where the time goes.
#ifndef TWOFOLD_BENCH_H_
#define TWOFOLD_BENCH_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "twofold/job.h"
#include "twofold/samples.h"

namespace twofold {

struct BenchOptions {
  int threads = 0;                // 0: all cores
  double seconds = 2;             // to spend on runs that are timed, and again on runs that are looked into
  bool ec_in_two_passes = false;  // as SessionOptions'
  Cancelled cancelled = nullptr;
};

struct NodeTime {
  std::string name, op_type;
  std::string kind;    // integer, table, moved, quantized, conversion, float
  int ec_passes = 1;   // of a product with ec operands that run in passes: 2 or 4
  double seconds = 0;  // of one run
};

struct BenchReport {
  std::string model;
  int threads = 0;
  double load_seconds = 0, first_seconds = 0;  // from the file to a session; the first run
  double best_seconds = 0, median_seconds = 0;
  int64_t runs = 0;
  int64_t activation_bytes = 0;  // most that tensors and working memory of a run take at once; inputs not counted
  int64_t packed_bytes = 0;      // weights in the form that kernels read; those of the file not counted
  std::vector<NodeTime> nodes;   // the most expensive one first
};

// Runs the first sample of `data`; without data, random numbers of the shapes that the model declares.
// Throws Error(kInvalidArgument) naming an input whose shape is open or whose type is not float32 where there are none.
BenchReport bench_model(const std::filesystem::path& model, const Samples& data, const BenchOptions& options = {});

std::string to_json(const BenchReport& report);

}  // namespace twofold

#endif  // TWOFOLD_BENCH_H_
