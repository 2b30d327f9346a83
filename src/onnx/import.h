// Reads ONNX models: opsets 7 and later, whatever form of an operator they use, become a Graph of opset kOpset.
//
// What import does to a model beyond reading it:
//   - older forms of operators are upgraded (upgrade.h), QOperator nodes become DequantizeLinear -> op ->
//   QuantizeLinear,
//     and local functions are inlined;
//   - Constant nodes become constants, initializers that are inputs too are constants, and captures of bodies are made
//     explicit (graph.h; what a body captures of an outer constant becomes a constant of the body, sharing its bytes);
//   - a node without a name is called <OpType>_<index>, index being its position in the file's list of nodes, and a
//   name
//     that is taken gets a number behind it;
//   - unused values and constants are dropped.
// Weights are not copied: external data is mapped, and raw data moves out of the parsed message.
#ifndef TWOFOLD_SRC_ONNX_IMPORT_H_
#define TWOFOLD_SRC_ONNX_IMPORT_H_

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include "graph/graph.h"

namespace twofold {

// Throws Error: kNotFound or kIo for files that cannot be read (the model's or its external data's), kInvalidModel for
// what is no valid model, kUnsupported for what Twofold has no words for (opset < 7, string tensors, sequences as
// inputs), kResourceExhausted for sizes that the file does not justify. Every message starts with the path.
Graph import_onnx(const std::filesystem::path& path);

// The same from memory. `label` stands for the path in messages; `folder` is where external data lies (empty: a model
// that has some is refused).
Graph import_onnx_bytes(std::span<const std::byte> model, const std::string& label,
                        const std::filesystem::path& folder);

}  // namespace twofold

#endif  // TWOFOLD_SRC_ONNX_IMPORT_H_
