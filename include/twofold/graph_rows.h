// A network as rows: for graphs that are no ONNX file, such as one traced from a training framework. What a config
// makes of it is then found without weights.
#ifndef TWOFOLD_GRAPH_ROWS_H_
#define TWOFOLD_GRAPH_ROWS_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "twofold/config_source.h"
#include "twofold/dtype.h"
#include "twofold/tensor.h"

namespace twofold {

// ONNX's attributes but for tensors and bodies.
using AttributeValue =
    std::variant<int64_t, double, std::string, std::vector<int64_t>, std::vector<double>, std::vector<std::string>>;

// A node with ONNX's words, of opset 21.
struct GraphNodeRow {
  std::string name;  // of its own among nodes
  std::string op_type;
  std::string domain = {};          // empty: ONNX's own
  std::vector<std::string> inputs;  // tensors; "" where an optional one is left out
  std::vector<std::string> outputs;
  std::map<std::string, AttributeValue> attributes = {};
  std::vector<std::string> origins = {};  // names that a config may call the node by as well
};

// A tensor: an input of the graph, a constant, or one between nodes whose type is known.
struct GraphTensorRow {
  std::string name;
  DType dtype = DType::kFloat32;
  std::optional<Shape> shape = std::nullopt;  // -1 where it may vary; of a constant: all known
};

struct GraphOutputRow {
  std::string name;
  std::string tensor;
};

struct GraphRows {
  std::vector<GraphTensorRow> inputs;
  std::vector<GraphOutputRow> outputs;
  std::vector<GraphTensorRow> constants;  // weights, biases, shapes: no numbers
  std::vector<GraphTensorRow> tensors;    // of tensors between nodes, where something is known; what is not is inferred
  std::vector<GraphNodeRow> nodes;        // producers before consumers, or not
};

// What a plan is made for, beside the graph.
struct ResolveRequest {
  ConfigSource config;
  std::string target = {};                         // as QuantizeOptions'
  std::string compiler_version = {};               // of the target's own tools, where it asks for one
  bool strict = false;                             // a request that falls back is an error
  std::vector<std::string> input_file_nodes = {};  // names that a config may use although the nodes are gone
};

// The plan of the graph as the JSON of a plan file (docs/config.md), without scales: which operand gets what, and why.
// The rows of a simplified ONNX model give the plan of that model, but for its hashes of weights. Throws
// Error(kInvalidModel) for rows that are no graph, naming node and tensor, and as `quantize` does for config and
// target.
std::string resolve_rows(const GraphRows& rows, const ResolveRequest& request = {});

// The rows of an ONNX model after import and simplification: the graph that `quantize` plans. Bodies of If, Loop and
// Scan, and attributes that hold tensors, are left out.
GraphRows simplified_rows(const std::filesystem::path& model);

// As JSON; docs/config.md has the keys. `label` stands for the text in messages.
std::string to_json(const GraphRows& rows);
GraphRows rows_from_json(std::string_view text, std::string_view label = "rows");

}  // namespace twofold

#endif  // TWOFOLD_GRAPH_ROWS_H_
