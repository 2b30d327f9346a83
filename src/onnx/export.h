// Writes a Graph as a standard ONNX file: opset 21 (or the first later one that has all its operators), IR version 10.
#ifndef TWOFOLD_SRC_ONNX_EXPORT_H_
#define TWOFOLD_SRC_ONNX_EXPORT_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>

#include "base/job_outputs.h"
#include "graph/graph.h"

namespace twofold {

// What one protobuf message can hold (2 GiB), less room for everything but the weights.
inline constexpr size_t kMaxEmbeddedBytes = (size_t{1} << 31) - (size_t{64} << 20);

struct ExportOptions {
  // Write quantized activations as uint8 with zero point z + 128 instead of int8 with z: the same real numbers, which
  // ONNX Runtime's x86 kernels are fast on. Weights stay int8.
  bool uint8_activations = false;
  // Models with more bytes of constants than this keep them in `<file name>.data` beside the model.
  size_t max_embedded_bytes = kMaxEmbeddedBytes;
};

// Writes the file whole or not at all; so is the data file, which is replaced just before the model. Names of nodes,
// tensors, inputs and outputs are kept; origins of nodes are kept in the metadata entry "twofold.origins" (JSON).
// Returns the bytes of what was written, of both files together.
// Throws Error: kUnsupported if the graph holds operators of domain "twofold" (lowered ones have no ONNX form), kIo if
// a file cannot be written.
uint64_t export_onnx(const Graph& graph, const std::filesystem::path& path, const ExportOptions& options = {});

// Says that a job will write a model there: the file, and the one beside it for the weights of a large model. Throws
// Error as JobOutputs::add_file.
void claim_model(JobOutputs& outputs, const std::filesystem::path& path);

// The same as the bytes of a file. Throws Error(kResourceExhausted) beyond kMaxEmbeddedBytes of constants.
std::string export_onnx_bytes(const Graph& graph);

}  // namespace twofold

#endif  // TWOFOLD_SRC_ONNX_EXPORT_H_
