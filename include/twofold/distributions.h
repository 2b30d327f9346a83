// The numbers of weights and activations, before and after they are quantized.
#ifndef TWOFOLD_DISTRIBUTIONS_H_
#define TWOFOLD_DISTRIBUTIONS_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "twofold/debug_subject.h"

namespace twofold {

// Which operands: those of nodes, weights and activations of these names; empty: all that are quantized.
struct DistributionJob {
  std::vector<std::string> nodes = {};
  std::optional<int> axis = {};  // of channels; nothing: 0 of weights, 1 of activations
  int64_t data_num = 1;          // samples; 0: all
  std::filesystem::path save_dir = "debug_result";
};

struct NumberRow {
  double min = 0, max = 0, mean = 0, deviation = 0;
};

// One operand by itself: what the float model computes, and what that becomes.
struct OperandNumbers {
  std::string node, op_type, operand, tensor;
  bool is_weight = false;
  std::string precision;  // "int8"
  std::vector<int64_t> shape;
  double scale = 0;           // the largest, where every channel has one
  int scales = 1;             // how many
  int zero_point = 0;         // of a single scale
  double threshold = 0;       // the largest magnitude that is not cut off
  std::vector<double> range;  // of a single scale: what is below the first or above the second is cut off
  double clipped = 0;         // share of the numbers beyond that
  NumberRow before, after;
  std::map<std::string, double> metrics;  // sqnr, cosine-similarity, ...
  // Channels and their share of the error's energy, largest first, at most ten.
  std::vector<std::pair<int, double>> worst_channels;
  // Counts in bins of equal width, the first of which begins at `low`.
  double low = 0, step = 0;
  std::vector<uint64_t> counts_before, counts_after;
};

struct DistributionReport {
  std::string model;
  std::vector<OperandNumbers> operands;  // in graph order
  std::vector<std::string> files;
};

// Histograms before and after quantization, with thresholds: one SVG and one entry of distribution.json per operand.
DistributionReport plot_distribution(const DebugSubject& subject, const DistributionJob& job);

// Smallest, quartiles and largest of every channel.
struct ChannelRow {
  std::string tensor, node;
  int axis = 0;
  std::vector<std::vector<double>> boxes;  // per channel five numbers
};

struct ChannelReport {
  std::string model;
  std::vector<ChannelRow> tensors;
  std::vector<std::string> files;
};

// A box plot per tensor, and channelwise_distribution.json. Tensors without that axis are left out; it is an
// error if a tensor is named that has none, or a node of which none has it.
ChannelReport get_channelwise_data_distribution(const DebugSubject& subject, const DistributionJob& job);

// Everything about the operands as text and CSV (tensor_analysis.txt, .csv). Outputs of nodes that are not quantized by
// themselves have rows, too: what the whole quantized model makes of them.
DistributionReport tensor_analysis(const DebugSubject& subject, const DistributionJob& job);

std::string to_json(const DistributionReport& report);
std::string to_json(const ChannelReport& report);
// The table of tensor_analysis.txt; with `columns` no wider than that.
std::string to_text(const DistributionReport& report, size_t columns = 0);

}  // namespace twofold

#endif  // TWOFOLD_DISTRIBUTIONS_H_
