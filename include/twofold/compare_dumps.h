// What a device computed against what the engine computes, tensor by tensor.
#ifndef TWOFOLD_COMPARE_DUMPS_H_
#define TWOFOLD_COMPARE_DUMPS_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "twofold/config_source.h"
#include "twofold/job.h"
#include "twofold/samples.h"

namespace twofold {

struct CompareDumpsJob {
  std::filesystem::path dumps;  // a folder of <tensor>.npy, or raw <tensor>.bin, .raw or <tensor>; '/' may be a folder
  int64_t sample = 0;           // of the data, that the device has run on
  ConfigSource config;          // of input_parameters: how data become inputs
  int threads = 0;
  Cancelled cancelled;
};

struct DumpRow {
  std::string tensor, node, op_type;  // no node: an input of the model
  std::string file;
  double equal_share = 0;         // of its elements; of integers, of these
  double largest_difference = 0;  // in real numbers
  double largest_steps = -1;      // in steps of its integers; -1 where the model has it in float32
  bool leaves = false;            // by a step or more; in float32, by more than a thousandth of its largest magnitude
};

struct DumpReport {
  std::string model, dumps;
  std::vector<DumpRow> tensors;      // in the order of the graph
  std::vector<std::string> unknown;  // files that are none of the model's tensors
  std::vector<std::string> inside;   // files of tensors that the engine has inside a fused operator only
  const DumpRow* first_to_leave() const;
};

// `model` is a quantized (QDQ) model. Elements of files are integers of the type that the model makes of the tensor, or
// real numbers, which raw (little-endian) files have in float32. Throws Error; for a dump whose shape, apart from
// dimensions of 1, or type is not the tensor's, naming both.
DumpReport compare_dumps(const std::filesystem::path& model, const Samples& data, const CompareDumpsJob& job);

std::string to_json(const DumpReport& report);

}  // namespace twofold

#endif  // TWOFOLD_COMPARE_DUMPS_H_
